//! What status pages say, brought to capabilities.
//!
//! Owns the last readings of every source and what follows from them: notices (rows and incidents
//! that are bad), maintenances, and warnings about rows that vanish. Does not fetch or parse.
//! Invariant: green is never evidence of anything, and an unreadable page is never HeyGen's fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::alert::is_fresh;
use super::settings::Source;
use crate::model::{
    Capability, Component, ComponentState, Impact, Page, PageEvent, Phase, SourceReading, Timestamp,
};

/// A maintenance is believed for this long after its planned end.
const OVERTIME: SignedDuration = SignedDuration::from_hours(1);

/// Every source, by name.
#[derive(Debug, Clone, Default)]
pub struct Official {
    sources: BTreeMap<String, SourceState>,
}

/// One source, as last read.
#[derive(Debug, Clone)]
pub struct SourceState {
    /// The last reading, good or bad.
    pub last: Arc<SourceReading>,
    /// The last good reading.
    pub last_good: Option<Arc<SourceReading>>,
    /// What the last good reading speaks of.
    digest: Digest,
    /// Rows and incidents that are bad, and when that was first read.
    seen_since: BTreeMap<String, Timestamp>,
}

/// What a page speaks of, worked out once when it was read: in the order of the page.
#[derive(Debug, Clone, Default)]
struct Digest {
    rows: Vec<Option<Capability>>,
    incidents: Vec<Subject>,
    maintenances: Vec<Subject>,
}

/// What an incident or a maintenance speaks of.
#[derive(Debug, Clone)]
struct Subject {
    capabilities: Vec<Capability>,
    names_nothing: bool,
}

impl Digest {
    fn of(source: &Source, page: &Page) -> Self {
        let subject = |event: &PageEvent| subject_of(source, page, event);
        Self {
            rows: page.components.iter().map(|row| source.map.capability_of(row)).collect(),
            incidents: page.incidents.iter().map(subject).collect(),
            maintenances: page.maintenances.iter().map(subject).collect(),
        }
    }
}

/// Something bad that a page admits.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Name of the source.
    pub source: String,
    /// `incident:ID` or `component:ID`.
    pub key: String,
    /// Title of the incident, or what the row shows.
    pub title: String,
    /// What it stands for; empty when an incident names nothing that we know.
    pub capabilities: Vec<Capability>,
    /// True for an incident that names no component: it acknowledges whatever our probes see.
    pub names_nothing: bool,
    /// False for impact `none`: shown, never told.
    pub is_serious: bool,
    /// When the page published it, as far as that is known, else when we first read it.
    pub since: Timestamp,
}

/// A maintenance in progress.
#[derive(Debug, Clone, PartialEq)]
pub struct Maintenance {
    /// Its title.
    pub title: String,
    /// What it stands for; empty when it names no component.
    pub capabilities: Vec<Capability>,
    /// When it began.
    pub since: Timestamp,
    /// Planned end.
    pub ends_at: Option<Timestamp>,
}

impl Official {
    /// Takes in a reading; answers one sentence for each mapped row that vanished or was renamed.
    pub fn read(&mut self, source: &Source, reading: &Arc<SourceReading>) -> Vec<String> {
        let mut warnings = Vec::new();
        let before = self.sources.remove(&source.name);
        let last_good = before.as_ref().and_then(|state| state.last_good.clone());
        let (mut seen_since, mut digest) =
            before.map(|state| (state.seen_since, state.digest)).unwrap_or_default();
        if let Ok(page) = &reading.page {
            if let Some(Ok(old)) = last_good.as_ref().map(|reading| &reading.page) {
                warnings = losses(source, old, page);
                warnings.extend(about_rows(source, old, page));
            }
            digest = Digest::of(source, page);
            let bad = keys_of_bad(page);
            seen_since.retain(|key, _| bad.contains(key));
            for key in bad {
                seen_since.entry(key).or_insert(reading.at);
            }
        }
        let last_good = if reading.page.is_ok() { Some(Arc::clone(reading)) } else { last_good };
        let state = SourceState { last: Arc::clone(reading), last_good, digest, seen_since };
        self.sources.insert(source.name.clone(), state);
        warnings
    }

    /// One source, if it was read.
    pub fn source(&self, name: &str) -> Option<&SourceState> {
        self.sources.get(name)
    }

    /// Everything bad that a source admits, incidents before rows.
    pub fn notices(&self, source: &Source, now: Timestamp) -> Vec<Notice> {
        let Some((state, page)) = self.readable(source, now) else {
            return Vec::new();
        };
        let incidents = page.incidents.iter().zip(&state.digest.incidents);
        let incidents = incidents.filter(|(event, _)| !event.phase.is_over());
        let incidents = incidents.map(|(event, subject)| Notice {
            source: source.name.clone(),
            key: incident_key(event),
            title: event.title.clone(),
            capabilities: subject.capabilities.clone(),
            names_nothing: subject.names_nothing,
            is_serious: event.impact != Impact::None,
            since: published_at(event).unwrap_or_else(|| state.since(&incident_key(event))),
        });
        let rows = page.components.iter().zip(&state.digest.rows);
        let rows = rows.filter(|(row, _)| is_bad(row.state)).filter_map(|(row, capability)| {
            Some(Notice {
                source: source.name.clone(),
                key: component_key(row),
                title: format!("{}: {}", row.name, super::words::component_state(row.state)),
                capabilities: vec![(*capability)?],
                names_nothing: false,
                is_serious: true,
                since: state.since(&component_key(row)),
            })
        });
        incidents
            .filter(|notice| notice.names_nothing || !notice.capabilities.is_empty())
            .chain(rows)
            .collect()
    }

    /// Maintenances that are in progress.
    pub fn maintenances(&self, source: &Source, now: Timestamp) -> Vec<Maintenance> {
        let Some((state, page)) = self.readable(source, now) else {
            return Vec::new();
        };
        let planned = page.maintenances.iter().zip(&state.digest.maintenances);
        let planned = planned.filter(|(event, subject)| {
            is_in_progress(event, now)
                && (subject.names_nothing || !subject.capabilities.is_empty())
        });
        let planned = planned.map(|(event, subject)| Maintenance {
            title: event.title.clone(),
            capabilities: subject.capabilities.clone(),
            since: event.started_at.unwrap_or(state.last.at),
            ends_at: event.ends_at,
        });
        let rows =
            page.components.iter().zip(&state.digest.rows).filter_map(|(row, capability)| {
                let capability =
                    (*capability).filter(|_| row.state == ComponentState::UnderMaintenance)?;
                let ends_at = planned_end(page, row);
                let is_overdue = ends_at.is_some_and(|end| now.duration_since(end) > OVERTIME);
                (!is_overdue).then(|| Maintenance {
                    title: row.name.clone(),
                    capabilities: vec![capability],
                    since: state.since(&component_key(row)),
                    ends_at,
                })
            });
        planned.chain(rows).collect()
    }

    /// State of the mapped row as the page shows it now: unknown when the page cannot be read.
    pub fn state_of(
        &self,
        source: &Source,
        capability: Capability,
        now: Timestamp,
    ) -> ComponentState {
        let Some(state) = self.source(&source.name) else {
            return ComponentState::Unknown;
        };
        let Ok(page) = &state.last.page else {
            return ComponentState::Unknown;
        };
        if !is_fresh(state.last.at, source.fresh_for(), now) {
            return ComponentState::Unknown;
        }
        let rows = page.components.iter().zip(&state.digest.rows);
        rows.filter(|(_, stands_for)| **stands_for == Some(capability))
            .map(|(row, _)| row.state)
            .max_by_key(|state| state.severity())
            .unwrap_or(ComponentState::Unknown)
    }

    /// True when the source cannot be read, or was not for a while.
    pub fn is_unreadable(&self, source: &Source, now: Timestamp) -> bool {
        self.source(&source.name).is_none_or(|state| {
            state.last.page.is_err() || !is_fresh(state.last.at, source.fresh_for(), now)
        })
    }

    /// The last good page, as long as it is fresh: bad news outlives one failed reading.
    fn readable(&self, source: &Source, now: Timestamp) -> Option<(&SourceState, &Page)> {
        let state = self.source(&source.name)?;
        let reading = state.last_good.as_ref()?;
        let page = reading.page.as_ref().ok()?;
        is_fresh(reading.at, source.fresh_for(), now).then_some((state, page))
    }
}

impl SourceState {
    fn since(&self, key: &str) -> Timestamp {
        self.seen_since.get(key).copied().unwrap_or(self.last.at)
    }
}

fn incident_key(event: &PageEvent) -> String {
    format!("incident:{}", event.id)
}

fn component_key(row: &Component) -> String {
    format!("component:{}", row.id)
}

fn keys_of_bad(page: &Page) -> Vec<String> {
    let rows = page
        .components
        .iter()
        .filter(|row| is_bad(row.state) || row.state == ComponentState::UnderMaintenance);
    rows.map(component_key).chain(page.incidents.iter().map(incident_key)).collect()
}

fn is_bad(state: ComponentState) -> bool {
    matches!(
        state,
        ComponentState::DegradedPerformance
            | ComponentState::PartialOutage
            | ComponentState::MajorOutage
    )
}

fn is_in_progress(event: &PageEvent, now: Timestamp) -> bool {
    let is_running = match event.phase {
        Phase::InProgress | Phase::Verifying => true,
        Phase::Scheduled => event.started_at.is_some_and(|start| start <= now),
        Phase::Investigating
        | Phase::Identified
        | Phase::Monitoring
        | Phase::Resolved
        | Phase::Postmortem
        | Phase::Completed
        | Phase::Unknown => false,
    };
    is_running && event.ends_at.is_none_or(|end| now.duration_since(end) <= OVERTIME)
}

fn planned_end(page: &Page, row: &Component) -> Option<Timestamp> {
    let names_it = |event: &&PageEvent| {
        event.components.iter().any(|named| *named == row.id || *named == row.name)
    };
    page.maintenances.iter().find(names_it).and_then(|event| event.ends_at)
}

/// The rows that an event names, else the words that it uses.
fn subject_of(source: &Source, page: &Page, event: &PageEvent) -> Subject {
    if event.components.is_empty() {
        return Subject { capabilities: source.map.capabilities_in(event), names_nothing: true };
    }
    let stands_for = |named: &String| {
        let row = page.components.iter().find(|row| row.id == *named || row.name == *named);
        row.map_or_else(
            || source.map.capability_named(named, named),
            |row| source.map.capability_of(row),
        )
    };
    let named: Vec<Capability> = event.components.iter().filter_map(stands_for).collect();
    let capabilities = Capability::ALL.into_iter().filter(|one| named.contains(one)).collect();
    Subject { capabilities, names_nothing: false }
}

fn published_at(event: &PageEvent) -> Option<Timestamp> {
    event.updates.iter().filter_map(|update| update.at).min().or(event.started_at)
}

/// What the reader newly says of mapped rows: it keeps a renamed one under its old name and a
/// vanished one as unknown. Its other remarks (a part of the page that could not be read) pass.
fn about_rows(source: &Source, old: &Page, new: &Page) -> Vec<String> {
    let is_new = |warning: &&String| !old.warnings.contains(warning);
    let names_row = |warning: &&String| {
        let mut rows = old.components.iter().filter(|row| source.map.capability_of(row).is_some());
        rows.any(|row| warning.contains(&format!("“{}”", row.name)))
    };
    let new = new.warnings.iter().filter(is_new).filter(names_row);
    new.map(|warning| format!("the page {}: {warning}", source.name)).collect()
}

fn losses(source: &Source, old: &Page, new: &Page) -> Vec<String> {
    let mapped = old.components.iter().filter(|row| source.map.capability_of(row).is_some());
    mapped
        .filter_map(|row| {
            if new.components.iter().any(|other| other.name == row.name) {
                return None;
            }
            let renamed = new.components.iter().find(|other| other.id == row.id);
            Some(match renamed {
                Some(now) if source.map.capability_of(now).is_some() => return None,
                Some(now) => format!(
                    "the page {} renamed `{}` to `{}`, which stands for no capability: map it in [status_page.components]",
                    source.name, row.name, now.name
                ),
                None => format!(
                    "the page {} no longer shows `{}`: what it said of it is unknown from now on",
                    source.name, row.name
                ),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::page::ComponentMap;
    use crate::model::{Product, SourceRole};

    #[test]
    fn an_incident_that_names_rows_is_about_those_rows_alone() {
        let source = Source {
            name: "heygen".to_owned(),
            role: SourceRole::Primary,
            replaces: Vec::new(),
            interval: Duration::from_mins(1),
            map: ComponentMap {
                components: vec![("api.heygen.com".to_owned(), Capability::Api)],
                incidents: vec![("video".to_owned(), Capability::VideoGeneration)],
            },
        };
        let row = Component {
            id: "a".to_owned(),
            name: "https://api.heygen.com".to_owned(),
            group: None,
            state: ComponentState::PartialOutage,
            raw: String::new(),
        };
        let page = Page {
            product: Product::INCIDENT_IO,
            id: None,
            name: String::new(),
            url: String::new(),
            state: ComponentState::Operational,
            components: vec![row],
            incidents: Vec::new(),
            maintenances: Vec::new(),
            warnings: Vec::new(),
        };
        let about = |components: &[&str]| {
            let event = PageEvent {
                id: "1".to_owned(),
                title: "Video renders fail".to_owned(),
                phase: Phase::Investigating,
                impact: Impact::Minor,
                started_at: None,
                updated_at: None,
                ends_at: None,
                components: components.iter().map(|named| (*named).to_owned()).collect(),
                updates: Vec::new(),
            };
            subject_of(&source, &page, &event).capabilities
        };
        assert_eq!(about(&[]), [Capability::VideoGeneration]);
        assert_eq!(about(&["a"]), [Capability::Api]);
        assert_eq!(about(&["api.heygen.com"]), [Capability::Api], "a name without a row");
        assert_eq!(about(&["somebody else's"]), []);
    }
}
