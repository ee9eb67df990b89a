//! Status.io: the public API, `https://api.status.io/1.0/status/PAGE_ID`.
//!
//! A page of its own host does not say its id, so this is the address to configure. Invariant: the
//! number counts, not the word beside it, and one that is not listed is `unknown`.

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event, impact_on};
use super::json;
use crate::engine::page::impact_of_state;
use crate::model::{Component, ComponentState, Impact, PageEvent, PageUpdate, Phase, Product};

/// The one document.
pub(super) const STATUS: Form = Form::json("Status.io JSON", &[""], read).of(&["api.status.io"]);

fn state_of(number: &str) -> ComponentState {
    match number {
        "100" => ComponentState::Operational,
        "200" => ComponentState::UnderMaintenance,
        "300" => ComponentState::DegradedPerformance,
        "400" => ComponentState::PartialOutage,
        // 600 is a security event.
        "500" | "600" => ComponentState::MajorOutage,
        _ => ComponentState::Unknown,
    }
}

fn phase_of(number: &str) -> Phase {
    match number {
        "100" => Phase::Investigating,
        "200" => Phase::Identified,
        "300" => Phase::Monitoring,
        "400" => Phase::Resolved,
        _ => Phase::Unknown,
    }
}

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let document = json::object(documents.main())?;
    let result = document.get("result").ok_or("has no `result`")?;
    let overall = result.get("status_overall").ok_or("has no `status_overall` of Status.io")?;
    let mut warnings = Warnings::default();
    let components = json::rows(result, "status", &mut warnings, component);
    let incidents =
        json::rows(result, "incidents", &mut warnings, |row| incident(row, &components));
    let mut maintenances = Vec::new();
    let announced = result.get("maintenance").unwrap_or(&Value::Null);
    for (key, phase) in [("active", Phase::InProgress), ("upcoming", Phase::Scheduled)] {
        let read = |row: &Value| maintenance(row, phase);
        maintenances.extend(json::rows(announced, key, &mut warnings, read));
    }
    let number = json::text(overall, "status_code").unwrap_or_default();
    let found = Found {
        own_word: Some(state_of(&number)),
        components,
        incidents,
        maintenances,
        warnings,
        ..Found::default()
    };
    Ok(found.on(documents, Product::named("status_io")))
}

/// A component; its containers (regions) are in its state.
fn component(row: &Value) -> Option<Component> {
    let number = json::text(row, "status_code").unwrap_or_default();
    let component = json::component(row, json::text(row, "name"), |_| state_of(&number))?;
    Some(Component { raw: number, ..component })
}

fn incident(row: &Value, components: &[Component]) -> Option<PageEvent> {
    let incident = maintenance(row, Phase::Unknown)?;
    let number = json::list(row, "messages")
        .iter()
        .max_by_key(|message| json::time(message, "datetime"))
        .and_then(|message| json::text(message, "status"));
    let impact = match number.map(|number| state_of(&number)) {
        Some(state) if state != ComponentState::Unknown => impact_of_state(state),
        _ => impact_on(components, &incident.components),
    };
    let phase = incident.updates.first().map_or(Phase::Unknown, |update| update.phase);
    Some(PageEvent { phase, impact, ends_at: None, ..incident })
}

/// What an incident and a maintenance have in common.
fn maintenance(row: &Value, phase: Phase) -> Option<PageEvent> {
    let title = json::text(row, "name")?;
    let id = json::first_text(row, &["_id", "id"]).unwrap_or_else(|| title.clone());
    let updates = json::newest_first(json::list(row, "messages").iter().map(update).collect());
    Some(PageEvent {
        phase,
        impact: Impact::Maintenance,
        started_at: json::first_time(row, &["datetime_planned_start", "datetime_open"]),
        updated_at: updates.first().and_then(|update| update.at),
        ends_at: json::time(row, "datetime_planned_end"),
        components: json::list(row, "components_affected")
            .iter()
            .filter_map(|row| json::first_text(row, &["_id", "id"]))
            .collect(),
        updates,
        ..event(id, title)
    })
}

fn update(message: &Value) -> PageUpdate {
    PageUpdate {
        at: json::time(message, "datetime"),
        phase: json::text(message, "state").map_or(Phase::Unknown, |number| phase_of(&number)),
        text: json::prose(message, "details"),
    }
}
