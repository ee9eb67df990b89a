//! Cachet 2: `/api/v1/components`, with the incidents and the groups.
//!
//! Owns the numbers for states and phases, which Cachet 3 kept. Its times have no offset, so they
//! are left out. Invariant: a number that is not listed is `unknown`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event, impact_on};
use super::json;
use crate::model::{Component, ComponentState, PageEvent, PageUpdate, Phase, Product};

/// The three lists; a page shows 20 rows of each unless it is asked for more.
pub(super) const LISTS: Form = Form::json(
    "Cachet 2 JSON",
    &[
        "api/v1/components?per_page=200",
        "api/v1/incidents?sort=id&order=desc&per_page=50",
        "api/v1/components/groups?per_page=200",
    ],
    read,
);

/// The state a number stands for; 5 is Cachet 3's word for not knowing.
pub(super) fn state_of(number: &str) -> ComponentState {
    match number {
        "1" => ComponentState::Operational,
        "2" => ComponentState::DegradedPerformance,
        "3" => ComponentState::PartialOutage,
        "4" => ComponentState::MajorOutage,
        "6" => ComponentState::UnderMaintenance,
        _ => ComponentState::Unknown,
    }
}

/// The phase a number stands for.
pub(super) fn phase_of(number: &str) -> Phase {
    match number {
        "1" => Phase::Investigating,
        "2" => Phase::Identified,
        "3" => Phase::Monitoring,
        "4" => Phase::Resolved,
        _ => Phase::Unknown,
    }
}

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let list = json::object(documents.main())?;
    let is_row = |row: &Value| row.get("status_name").is_some() && row.get("group_id").is_some();
    if !json::list(&list, "data").iter().any(is_row) {
        return Err("lists no component of Cachet 2".into());
    }
    let mut warnings = Warnings::default();
    if json::list(&list, "data").len() < total(&list) {
        warnings.lose(format!("only the first of {} rows were read", total(&list)));
    }
    let groups = documents.object(2).map(|groups| names(&groups)).unwrap_or_default();
    let rows = json::rows(&list, "data", &mut warnings, |row| component(row, &groups));
    let shown = rows.into_iter().filter(|(_, is_shown)| *is_shown);
    let components: Vec<Component> = shown.map(|(row, _)| row).collect();
    let incidents = documents.object(1).map(|incidents| {
        json::rows(&incidents, "data", &mut warnings, |row| incident(row, &components))
    });
    let incidents = incidents.unwrap_or_default();
    let found = Found { components, incidents, warnings, ..Found::default() };
    Ok(found.on(documents, Product::named("cachet_2")))
}

/// How many rows there are on all pages of a list.
fn total(list: &Value) -> usize {
    let total = list.pointer("/meta/pagination/total").and_then(Value::as_u64);
    total.and_then(|total| usize::try_from(total).ok()).unwrap_or_default()
}

fn names(groups: &Value) -> BTreeMap<String, String> {
    let name = |group| Some((json::text(group, "id")?, json::text(group, "name")?));
    json::list(groups, "data").iter().filter_map(name).collect()
}

/// A row, and whether the page shows it.
fn component(row: &Value, groups: &BTreeMap<String, String>) -> Option<(Component, bool)> {
    let component = json::component(row, json::text(row, "name"), state_of)?;
    let is_shown = row.get("enabled").and_then(Value::as_bool) != Some(false);
    let group = json::text(row, "group_id").and_then(|id| groups.get(&id).cloned());
    Some((Component { group, ..component }, is_shown))
}

fn incident(row: &Value, components: &[Component]) -> Option<PageEvent> {
    let (id, title) = (json::text(row, "id")?, json::text(row, "name")?);
    let is_over = json::is_true(row, "is_resolved");
    let number = json::first_text(row, &["latest_status", "status"]).unwrap_or_default();
    let phase = if is_over { Phase::Resolved } else { phase_of(&number) };
    let named: Vec<String> =
        json::text(row, "component_id").filter(|id| id != "0").into_iter().collect();
    let mut updates: Vec<PageUpdate> =
        json::list(row, "updates").iter().rev().map(update).collect();
    updates.push(update(row));
    Some(PageEvent {
        phase,
        impact: impact_on(components, &named),
        components: named,
        updates,
        ..event(id, title)
    })
}

/// An update of an incident, or the incident as its own first one.
fn update(row: &Value) -> PageUpdate {
    PageUpdate {
        at: None,
        phase: json::text(row, "status").map_or(Phase::Unknown, |number| phase_of(&number)),
        text: json::prose(row, "message"),
    }
}
