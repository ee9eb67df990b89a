//! From the rows, incidents and maintenances of a status page to capabilities.
//!
//! Owns which row and which word stands for which capability, and worst-of over a page. Does not
//! judge: what a bad page means for a verdict is `attribute`'s. Invariant: what is not understood
//! is `unknown`, never `operational`.

use crate::model::{Capability, Component, ComponentState, Impact, PageEvent, Phase};

/// Which row and which word of an incident stands for which capability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentMap {
    /// Id or name of a row, a glob (`*` alone is special), compared without case; first match wins.
    pub components: Vec<(String, Capability)>,
    /// A word that begins a word of an incident's title or updates, compared without case.
    pub incidents: Vec<(String, Capability)>,
}

impl ComponentMap {
    /// The capability a row stands for; `None` for rows that are nobody's business (LiveAvatar).
    pub fn capability_of(&self, component: &Component) -> Option<Capability> {
        self.capability_named(&component.id, &component.name)
    }

    /// The capability that a row of this id and name stands for.
    pub fn capability_named(&self, id: &str, name: &str) -> Option<Capability> {
        let (id, name) = (id.to_lowercase(), bare_address(name));
        self.components
            .iter()
            .find(|(pattern, _)| {
                glob_matches(&pattern.to_lowercase(), &id)
                    || glob_matches(&bare_address(pattern), &name)
            })
            .map(|(_, capability)| *capability)
    }

    /// The capabilities an incident or maintenance speaks of by its words.
    pub fn capabilities_in(&self, event: &PageEvent) -> Vec<Capability> {
        let mut text = words(&event.title);
        for update in &event.updates {
            text.push_str(&words(&update.text));
        }
        let spoken = |wanted: &Capability| {
            self.incidents.iter().any(|(pattern, capability)| {
                let pattern = words(pattern);
                capability == wanted && !pattern.is_empty() && text.contains(&pattern)
            })
        };
        Capability::ALL.into_iter().filter(spoken).collect()
    }
}

/// The worst of several states; `None` of none.
pub fn worst(states: impl IntoIterator<Item = ComponentState>) -> Option<ComponentState> {
    states.into_iter().max_by_key(|state| state.severity())
}

/// The state of a page as a whole: worst of its rows, its open incidents, its maintenances in
/// progress and its own word; `unknown` when it says nothing at all.
pub fn overall_state(
    own_word: Option<ComponentState>,
    components: &[Component],
    incidents: &[PageEvent],
    maintenances: &[PageEvent],
) -> ComponentState {
    let rows = components.iter().map(|row| row.state);
    let open = incidents.iter().map(|incident| state_of_impact(incident.impact));
    let running = maintenances
        .iter()
        .filter(|maintenance| matches!(maintenance.phase, Phase::InProgress | Phase::Verifying))
        .map(|_| ComponentState::UnderMaintenance);
    let spoken = worst(rows.chain(own_word));
    match (spoken, worst(open.chain(running))) {
        // An incident that says "no impact" does not make a silent page a green one.
        (None, Some(ComponentState::Operational) | None) => ComponentState::Unknown,
        (spoken, events) => {
            worst(spoken.into_iter().chain(events)).unwrap_or(ComponentState::Unknown)
        }
    }
}

/// What an impact says of the page (facts: Statuspage's indicator scale).
pub fn state_of_impact(impact: Impact) -> ComponentState {
    match impact {
        Impact::None => ComponentState::Operational,
        Impact::Maintenance => ComponentState::UnderMaintenance,
        Impact::Unknown => ComponentState::Unknown,
        Impact::Minor => ComponentState::DegradedPerformance,
        Impact::Major => ComponentState::PartialOutage,
        Impact::Critical => ComponentState::MajorOutage,
    }
}

/// The impact that goes with the worst state an incident has brought about.
pub fn impact_of_state(state: ComponentState) -> Impact {
    match state {
        ComponentState::Operational => Impact::None,
        ComponentState::UnderMaintenance => Impact::Maintenance,
        ComponentState::Unknown => Impact::Unknown,
        ComponentState::DegradedPerformance => Impact::Minor,
        ComponentState::PartialOutage => Impact::Major,
        ComponentState::MajorOutage => Impact::Critical,
    }
}

/// The slug of a row's name for a metric label: `https://api.heygen.com` → `api_heygen_com`.
pub fn slug(name: &str) -> String {
    let name = bare_address(name);
    let parts: Vec<&str> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("_")
}

/// A name in lower case, without the scheme and the last slash of an address.
fn bare_address(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let rest = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://"));
    rest.unwrap_or(&name).trim_end_matches('/').to_owned()
}

/// The words of a text in lower case, each with one space before it, so that a pattern put through
/// the same mill is found exactly where it begins a word.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 1);
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.push(' ');
        words.extend(word.chars().flat_map(char::to_lowercase));
    }
    words
}

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
fn glob_matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PageUpdate;

    fn row(id: &str, name: &str, state: ComponentState) -> Component {
        Component { id: id.into(), name: name.into(), group: None, state, raw: String::new() }
    }

    fn event(title: &str, text: &str) -> PageEvent {
        PageEvent {
            id: "1".into(),
            title: title.into(),
            phase: Phase::Investigating,
            impact: Impact::Minor,
            started_at: None,
            updated_at: None,
            ends_at: None,
            components: Vec::new(),
            updates: vec![PageUpdate { at: None, phase: Phase::Investigating, text: text.into() }],
        }
    }

    fn map(components: &[(&str, Capability)], incidents: &[(&str, Capability)]) -> ComponentMap {
        let own = |list: &[(&str, Capability)]| {
            list.iter().map(|(word, capability)| ((*word).to_owned(), *capability)).collect()
        };
        ComponentMap { components: own(components), incidents: own(incidents) }
    }

    #[test]
    fn globs_match_whole_names() {
        for (pattern, text, expected) in [
            ("api", "api", true),
            ("api", "apis", false),
            ("api*", "apis", true),
            ("*", "", true),
            ("*.heygen.com", "api.heygen.com", true),
            ("*.heygen.com", "api.heygen.com.evil", false),
            ("a*b*a", "aba", true),
            ("a*a", "a", false),
            ("*render*", "video rendering", true),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn rows_are_known_by_id_by_name_and_by_address() {
        let api =
            row("01H1NMXJ68PP0R48RA72768THS", "https://api.heygen.com", ComponentState::Unknown);
        for pattern in [
            "01h1nmxj68pp0r48ra72768ths",
            "https://API.heygen.com",
            "api.heygen.com",
            "https://api.heygen.com/",
            "api.*",
        ] {
            let map = map(&[(pattern, Capability::Api)], &[]);
            assert_eq!(map.capability_of(&api), Some(Capability::Api), "{pattern}");
        }
        let other = row("x", "https://api.liveavatar.com", ComponentState::Unknown);
        let map = map(&[("api.heygen.com", Capability::Api)], &[]);
        assert_eq!(map.capability_of(&other), None);
    }

    #[test]
    fn the_first_matching_pattern_wins() {
        let map = map(&[("api*", Capability::Api), ("*", Capability::WebApp)], &[]);
        assert_eq!(
            map.capability_of(&row("1", "API", ComponentState::Operational)),
            Some(Capability::Api)
        );
        assert_eq!(
            map.capability_of(&row("1", "Docs", ComponentState::Operational)),
            Some(Capability::WebApp)
        );
    }

    #[test]
    fn words_match_at_their_beginning_alone() {
        let map = map(
            &[],
            &[
                ("avatar", Capability::VideoGeneration),
                ("translat", Capability::VideoTranslation),
                ("sign in", Capability::Authentication),
            ],
        );
        let said = |title: &str, text: &str| map.capabilities_in(&event(title, text));
        assert_eq!(said("Avatars look odd", ""), [Capability::VideoGeneration]);
        assert_eq!(said("LiveAvatar is down", ""), []);
        assert_eq!(
            said("Trouble", "Video translations and sign-in fail"),
            [Capability::VideoTranslation, Capability::Authentication]
        );
    }

    #[test]
    fn a_page_is_as_bad_as_its_worst_part_and_silence_is_not_green() {
        use ComponentState as S;
        let green = [row("1", "a", S::Operational)];
        let mut open = event("x", "");
        assert_eq!(overall_state(None, &[], &[], &[]), S::Unknown);
        assert_eq!(overall_state(Some(S::Operational), &[], &[], &[]), S::Operational);
        assert_eq!(overall_state(None, &green, &[open.clone()], &[]), S::DegradedPerformance);
        open.impact = Impact::None;
        assert_eq!(overall_state(None, &green, &[open.clone()], &[]), S::Operational);
        assert_eq!(overall_state(None, &[], &[open.clone()], &[]), S::Unknown);
        open.phase = Phase::InProgress;
        assert_eq!(overall_state(None, &green, &[], &[open]), S::UnderMaintenance);
    }

    #[test]
    fn slugs_are_label_values() {
        assert_eq!(slug("https://api.heygen.com"), "api_heygen_com");
        assert_eq!(slug("Video Translate (beta)"), "video_translate_beta");
    }
}
