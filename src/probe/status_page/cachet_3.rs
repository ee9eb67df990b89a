//! Cachet 3: `/api/components` (JSON:API), with the incidents and the schedules.
//!
//! Its times have no offset, so they are left out. Invariant: a row that is switched off is not
//! shown, whatever its state.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cachet::{phase_of, state_of};
use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event, impact_on, row};
use super::json;
use crate::model::{Component, Impact, PageEvent, PageUpdate, Phase, Product};

/// The three lists; a page shows 15 rows of each unless it is asked for more.
pub(super) const LISTS: Form = Form::json(
    "Cachet 3 JSON",
    &[
        "api/components?include=group&per_page=200",
        "api/incidents?include=components,updates&per_page=50",
        "api/schedules?include=components&per_page=50",
    ],
    read,
);

/// Attributes by id.
type Included<'a> = BTreeMap<String, &'a Value>;

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let list = json::object(documents.main())?;
    let is_row = |row: &Value| row.pointer("/attributes/status/value").is_some();
    if !json::list(&list, "data").iter().any(is_row) {
        return Err("lists no component of Cachet 3".into());
    }
    let mut warnings = Warnings::default();
    if list.pointer("/links/next").is_some_and(Value::is_string) {
        warnings.lose("only the first page of components was read");
    }
    let groups = json::included(&list, "componentGroups");
    let rows = json::rows(&list, "data", &mut warnings, |row| component(row, &groups));
    let shown = rows.into_iter().filter(|(_, is_shown)| *is_shown);
    let components: Vec<Component> = shown.map(|(row, _)| row).collect();
    let incidents = documents.object(1).map(|document| {
        let updates = json::included(&document, "updates");
        json::rows(&document, "data", &mut warnings, |row| incident(row, &updates, &components))
    });
    let maintenances = documents
        .object(2)
        .map(|document| json::rows(&document, "data", &mut warnings, maintenance));
    let found = Found {
        components,
        incidents: incidents.unwrap_or_default(),
        maintenances: maintenances.unwrap_or_default(),
        warnings,
        ..Found::default()
    };
    Ok(found.on(documents, Product::named("cachet_3")))
}

/// A row, and whether the page shows it.
fn component(entry: &Value, groups: &Included<'_>) -> Option<(Component, bool)> {
    let about = entry.get("attributes")?;
    let number = number(about);
    let state = state_of(&number);
    let own = row(json::text(entry, "id")?, json::text(about, "name"), number, state);
    let group = related(entry, "group").first().and_then(|id| groups.get(id).copied());
    let group = group.and_then(|about| json::text(about, "name"));
    let is_shown = about.get("enabled").and_then(Value::as_bool) != Some(false);
    Some((Component { group, ..own }, is_shown))
}

fn number(about: &Value) -> String {
    about.get("status").and_then(|status| json::text(status, "value")).unwrap_or_default()
}

/// The ids at the other end of a relationship, be it one or many.
fn related(row: &Value, name: &str) -> Vec<String> {
    let data = row.get("relationships").and_then(|all| all.get(name)?.get("data"));
    let links = match data {
        Some(Value::Array(links)) => json::first(links),
        Some(link) => std::slice::from_ref(link),
        None => &[],
    };
    links.iter().filter_map(|link| json::text(link, "id")).collect()
}

fn incident(row: &Value, included: &Included<'_>, components: &[Component]) -> Option<PageEvent> {
    let about = row.get("attributes")?;
    let (id, title) = (json::text(row, "id")?, json::text(about, "name")?);
    let named = related(row, "components");
    let updates = related(row, "updates");
    let updates = updates.iter().rev().filter_map(|id| included.get(id)).map(|about| update(about));
    let first = PageUpdate { phase: Phase::Unknown, ..update(about) };
    Some(PageEvent {
        phase: phase_of(&number(about)),
        impact: impact_on(components, &named),
        components: named,
        updates: updates.chain([first]).collect(),
        ..event(id, title)
    })
}

fn update(about: &Value) -> PageUpdate {
    let text = json::prose(about, "message");
    PageUpdate { at: None, phase: phase_of(&number(about)), text }
}

fn maintenance(row: &Value) -> Option<PageEvent> {
    let about = row.get("attributes")?;
    let phase = match number(about).as_str() {
        "0" => Phase::Scheduled,
        "1" => Phase::InProgress,
        "2" => Phase::Completed,
        _ => Phase::Unknown,
    };
    Some(PageEvent {
        phase,
        impact: Impact::Maintenance,
        components: related(row, "components"),
        updates: vec![PageUpdate { phase, ..update(about) }],
        ..event(json::text(row, "id")?, json::text(about, "name")?)
    })
}
