//! StatusCast: `/summary.json`.
//!
//! The page as a whole; its rows stand in HTML alone, which its firewall keeps from everybody but
//! browsers. Invariant: a word that is not listed is `unknown`.

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event};
use super::{json, words};
use crate::engine::page::impact_of_state;
use crate::model::{ComponentState, Impact, PageEvent, PageUpdate, Phase, Product};

/// The summary; Instatus has another document at the same path.
pub(super) const SUMMARY: Form = Form::json("StatusCast JSON", &["summary.json"], read);

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let summary = json::object(documents.main())?;
    let name = json::text(&summary, "PageName");
    let word = json::text(&summary, "Status");
    let (Some(name), Some(word)) = (name, word) else {
        return Err("has no `PageName` and `Status` of StatusCast".into());
    };
    let mut warnings = Warnings::of("the summary lists no components");
    if state_of(&word) == ComponentState::Unknown {
        warnings.say(format!("the state `{word}` is not known"));
    }
    let incidents = json::rows(&summary, "UnresolvedIncidents", &mut warnings, incident);
    let maintenances = json::rows(&summary, "UpcomingIncidents", &mut warnings, |row| {
        let event = incident(row)?;
        Some(PageEvent { phase: Phase::Scheduled, impact: Impact::Maintenance, ..event })
    });
    let found = Found {
        id: json::text(&summary, "Domain"),
        name: Some(name),
        own_word: Some(state_of(&word)),
        incidents,
        maintenances,
        warnings,
        ..Found::default()
    };
    Ok(found.on(documents, Product::named("statuscast")))
}

fn state_of(word: &str) -> ComponentState {
    match words::plain_word(word).as_str() {
        "available" => ComponentState::Operational,
        "maintenance" => ComponentState::UnderMaintenance,
        "degraded" | "investigating" => ComponentState::DegradedPerformance,
        "unavailable" => ComponentState::MajorOutage,
        _ => ComponentState::Unknown,
    }
}

/// An entry of either list: their fields are documented nowhere, so several names are looked for.
fn incident(row: &Value) -> Option<PageEvent> {
    let title = json::first_text(row, &["Title", "Subject", "Name"])?;
    let id = json::first_text(row, &["Id", "ID", "Url"]).unwrap_or_else(|| title.clone());
    let word = json::first_text(row, &["Status", "Type"]).unwrap_or_default();
    let phase = words::phase_of(&word);
    let text = ["Description", "Message", "Text"].into_iter().map(|key| json::prose(row, key));
    let text = text.into_iter().find(|text| !text.is_empty());
    let started_at = json::first_time(row, &["StartDate", "DateStarted", "InEffectSince"]);
    Some(PageEvent {
        phase,
        impact: impact_of_state(state_of(&word)),
        started_at,
        updates: text.map(|text| PageUpdate { at: None, phase, text }).into_iter().collect(),
        ..event(id, title)
    })
}
