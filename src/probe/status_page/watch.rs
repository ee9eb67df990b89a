//! What must not vanish unnoticed: mapped rows and open incidents.
//!
//! Rows are watched by id. Invariant: a mapped row that is gone is `unknown` and said so, and an
//! incident that is merely no longer listed is still open once more.

use std::collections::BTreeMap;

use super::form::Reading;
use super::json::MOST_ROWS;
use crate::engine::page::{ComponentMap, state_of_impact, worst};
use crate::model::{Component, ComponentState, Page, PageEvent};

/// What the page showed before.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched {
    /// Name of the form that was read; another form may have other ids.
    form: String,
    /// Mapped rows as first seen, by id.
    rows: BTreeMap<String, Component>,
    /// Incidents that were listed in the last reading.
    open: Vec<PageEvent>,
}

impl Watched {
    /// Completes what was read with what vanished from it.
    pub(super) fn complete(&mut self, reading: Reading, form: &str, map: &ComponentMap) -> Page {
        let Reading { mut page, over } = reading;
        let is_same_form = self.form == form;
        form.clone_into(&mut self.form);
        self.watch_rows(&mut page, map, is_same_form);
        self.watch_incidents(&mut page, &over, is_same_form);
        page
    }

    fn watch_rows(&mut self, page: &mut Page, map: &ComponentMap, is_same_form: bool) {
        if !is_same_form {
            // Other ids: a row of the same name is the same row, the rest is still missed.
            self.rows.retain(|_, row| !page.components.iter().any(|new| new.name == row.name));
        }
        for row in self.rows.values() {
            if let Some(at) = page.components.iter().position(|new| new.id == row.id) {
                keep_label(page, at, row, map);
            } else {
                add_missing(page, row);
            }
        }
        let mapped = page.components.iter().filter(|row| map.capability_of(row).is_some());
        // A page whose rows have other ids each time is not worth all memory.
        for row in mapped.take(MOST_ROWS.saturating_sub(self.rows.len())) {
            self.rows.entry(row.id.clone()).or_insert_with(|| row.clone());
        }
    }

    fn watch_incidents(&mut self, page: &mut Page, over: &[String], is_same_form: bool) {
        let listed = page.incidents.clone();
        let vanished = self.open.iter().filter(|known| {
            is_same_form
                && !over.contains(&known.id)
                && !listed.iter().any(|incident| incident.id == known.id)
        });
        for incident in vanished {
            page.warnings.push(format!(
                "“{}” is no longer listed, but was not said to be over",
                incident.title
            ));
            page.state =
                worst([page.state, state_of_impact(incident.impact)]).unwrap_or(page.state);
            page.incidents.push(incident.clone());
        }
        self.open = listed;
    }
}

/// Watched by id: a new name is said, and the name by which a row is mapped stays its label.
fn keep_label(page: &mut Page, at: usize, row: &Component, map: &ComponentMap) {
    let Some(new) = page.components.get_mut(at).filter(|new| new.name != row.name) else {
        return;
    };
    page.warnings.push(format!("“{}” is now called “{}”", row.name, new.name));
    if map.capability_of(new) != map.capability_of(row) {
        new.name.clone_from(&row.name);
    }
}

/// A mapped row that is not there any more is unknown.
fn add_missing(page: &mut Page, row: &Component) {
    page.warnings.push(format!("“{}” ({}) is gone from the page", row.name, row.id));
    let state = ComponentState::Unknown;
    page.components.push(Component { state, raw: String::new(), ..row.clone() });
    page.state = worst([page.state, state]).unwrap_or(state);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Capability, Impact, Phase, Product};

    fn row(id: &str, name: &str) -> Component {
        let state = ComponentState::Operational;
        Component {
            id: id.into(),
            name: name.into(),
            group: None,
            state,
            raw: "operational".into(),
        }
    }

    fn incident(id: &str) -> PageEvent {
        PageEvent {
            id: id.into(),
            title: id.into(),
            phase: Phase::Monitoring,
            impact: Impact::Major,
            started_at: None,
            updated_at: None,
            ends_at: None,
            components: Vec::new(),
            updates: Vec::new(),
        }
    }

    fn reading(components: Vec<Component>, incidents: Vec<PageEvent>, over: &[&str]) -> Reading {
        let page = Page {
            product: Product::INCIDENT_IO,
            id: None,
            name: String::new(),
            url: String::new(),
            state: ComponentState::Operational,
            components,
            incidents,
            maintenances: Vec::new(),
            warnings: Vec::new(),
        };
        Reading { page, over: over.iter().map(|id| (*id).to_owned()).collect() }
    }

    fn api_map() -> ComponentMap {
        ComponentMap {
            components: vec![("api.heygen.com".into(), Capability::Api)],
            incidents: Vec::new(),
        }
    }

    #[test]
    fn a_mapped_row_that_vanishes_is_unknown_and_said_so() {
        let (map, mut watched) = (api_map(), Watched::default());
        let both = vec![row("1", "https://api.heygen.com"), row("2", "https://docs.heygen.com")];
        assert_eq!(watched.complete(reading(both, vec![], &[]), "json", &map).warnings, [""; 0]);
        let page = watched.complete(reading(vec![], vec![], &[]), "json", &map);
        assert_eq!(page.components.len(), 1);
        assert_eq!(page.components[0].state, ComponentState::Unknown);
        assert_eq!(page.state, ComponentState::Unknown);
        assert_eq!(page.warnings, ["“https://api.heygen.com” (1) is gone from the page"]);
        let again = reading(vec![row("1", "https://api.heygen.com")], vec![], &[]);
        assert_eq!(watched.complete(again, "json", &map).warnings, [""; 0]);
    }

    #[test]
    fn a_renamed_row_stays_what_it_was_mapped_to() {
        let (map, mut watched) = (api_map(), Watched::default());
        watched.complete(
            reading(vec![row("1", "https://api.heygen.com")], vec![], &[]),
            "json",
            &map,
        );
        let page = watched.complete(reading(vec![row("1", "Core")], vec![], &[]), "json", &map);
        assert_eq!(map.capability_of(&page.components[0]), Some(Capability::Api));
        assert_eq!(page.components[0].state, ComponentState::Operational);
        assert_eq!(page.warnings, ["“https://api.heygen.com” is now called “Core”"]);
    }

    #[test]
    fn another_form_with_other_ids_is_no_loss() {
        let (map, mut watched) = (api_map(), Watched::default());
        watched.complete(reading(vec![row("1", "api.heygen.com")], vec![], &[]), "json", &map);
        let other = reading(vec![row("x", "api.heygen.com")], vec![], &[]);
        assert_eq!(watched.complete(other, "html", &map).warnings, [""; 0]);
    }

    #[test]
    fn an_incident_must_be_missing_twice_or_be_said_to_be_over() {
        let (map, mut watched) = (ComponentMap::default(), Watched::default());
        let open = |watched: &mut Watched, incidents, over: &[&str]| {
            watched.complete(reading(vec![], incidents, over), "json", &map).incidents.len()
        };
        assert_eq!(open(&mut watched, vec![incident("a")], &[]), 1);
        assert_eq!(open(&mut watched, vec![], &[]), 1);
        assert_eq!(open(&mut watched, vec![], &[]), 0);
        assert_eq!(open(&mut watched, vec![incident("a")], &[]), 1);
        assert_eq!(open(&mut watched, vec![], &["a"]), 0);
    }
}
