//! Google Cloud and Google Workspace: `incidents.json`.
//!
//! An archive of years, of which what has no end is open. Invariant: it lists no product that is
//! fine, so it never says that all is well.

use serde_json::Value;

use super::form::{Documents, Form, Found, Media, Reading, Refusal, Warnings, event};
use super::json::{self, MOST_ROWS};
use crate::engine::page::impact_of_state;
use crate::model::{Component, ComponentState, PageEvent, PageUpdate, Phase, Product};

/// The archive, beside either dashboard.
pub(super) const INCIDENTS: Form = Form {
    media: Media::Archive,
    ..Form::json("Google Cloud JSON", &["incidents.json"], read)
        .of(&["status.cloud.google.com", "www.google.com"])
};

fn state_of(word: &str) -> ComponentState {
    match word {
        "SERVICE_INFORMATION" => ComponentState::DegradedPerformance,
        "SERVICE_DISRUPTION" => ComponentState::PartialOutage,
        "SERVICE_OUTAGE" => ComponentState::MajorOutage,
        _ => ComponentState::Unknown,
    }
}

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let archive = json::array(documents.main())?;
    let is_incident = |row: &Value| {
        row.get("affected_products").is_some_and(Value::is_array) && row.get("begin").is_some()
    };
    if !archive.iter().any(is_incident) {
        return Err("lists no incident of Google Cloud".into());
    }
    let mut warnings = Warnings::of("the archive lists no product that is fine");
    let incidents = json::each(&archive, "incidents", &mut warnings, incident);
    let open = archive.iter().filter(|row| !is_over(row));
    let components = json::unique(open.flat_map(components_of).take(MOST_ROWS));
    let found = Found { components, incidents, warnings, ..Found::default() };
    Ok(found.on(documents, Product::named("google_cloud")))
}

fn is_over(row: &Value) -> bool {
    let newest = row.get("most_recent_update").and_then(|update| json::text(update, "status"));
    json::text(row, "end").is_some() || newest.as_deref() == Some("AVAILABLE")
}

/// An incident; of one that is over, which is nearly all of them, no more than that.
fn incident(row: &Value) -> Option<PageEvent> {
    let id = json::text(row, "id")?;
    let title = json::first_text(row, &["external_desc", "service_name"]);
    let blank = event(id.clone(), title.unwrap_or(id));
    if is_over(row) {
        return Some(PageEvent { phase: Phase::Resolved, ..blank });
    }
    let updates = json::newest_first(json::list(row, "updates").iter().map(update).collect());
    let word = json::text(row, "status_impact").unwrap_or_default();
    Some(PageEvent {
        phase: Phase::Investigating,
        impact: impact_of_state(state_of(&word)),
        started_at: json::time(row, "begin"),
        updated_at: json::time(row, "modified"),
        components: components_of(row).map(|row| row.id).collect(),
        updates,
        ..blank
    })
}

fn components_of(row: &Value) -> impl Iterator<Item = Component> {
    let raw = json::text(row, "status_impact").unwrap_or_default();
    json::list(row, "affected_products").iter().filter_map(move |product| {
        let row = json::component(product, json::text(product, "title"), |_| state_of(&raw))?;
        Some(Component { raw: raw.clone(), ..row })
    })
}

fn update(row: &Value) -> PageUpdate {
    PageUpdate {
        at: json::first_time(row, &["when", "created"]),
        phase: Phase::Investigating,
        text: json::prose(row, "text"),
    }
}
