//! AWS Health Dashboard: `/public/currentevents`.
//!
//! A list of events, empty when nothing happens. Its numbers come as text or as numbers, its times
//! in seconds. Invariant: it lists no service that is fine, so it never says that all is well.

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event, row};
use super::json::{self, MOST_ROWS};
use super::words;
use crate::engine::page::{impact_of_state, worst};
use crate::model::{Component, ComponentState, PageEvent, PageUpdate, Phase, Product, Timestamp};

/// The events; the list is in UTF-16.
pub(super) const EVENTS: Form =
    Form::json("AWS JSON", &["/public/currentevents"], read).of(&["health.aws.amazon.com"]);

/// The state a number stands for: fine again, a notice, degraded, disrupted.
fn state_of(number: &str) -> ComponentState {
    match number {
        "0" => ComponentState::Operational,
        "1" | "2" => ComponentState::DegradedPerformance,
        "3" => ComponentState::MajorOutage,
        _ => ComponentState::Unknown,
    }
}

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let events = json::array(documents.main())?;
    let is_event = |row: &Value| {
        row.get("service").is_some_and(Value::is_string) && row.get("event_log").is_some()
    };
    // An empty list is everybody's: only where it was asked for by name does it say something.
    let path = documents.address.path();
    let is_named = path == EVENTS.paths[0] || documents.address.host_str() == Some(EVENTS.hosts[0]);
    if !(events.iter().any(is_event) || events.is_empty() && is_named) {
        return Err("lists no event of AWS".into());
    }
    let mut warnings = Warnings::of("the list of events names no service that is fine");
    let incidents = json::each(&events, "events", &mut warnings, incident);
    let open = events.iter().filter(|row| !is_over(row));
    let components = json::unique(open.flat_map(components_of));
    let found = Found { components, incidents, warnings, ..Found::default() };
    Ok(found.on(documents, Product::named("aws")))
}

fn is_over(row: &Value) -> bool {
    json::text(row, "end_time").is_some_and(|end| end != "0")
        || json::text(row, "status").as_deref() == Some("0")
}

/// The service of an event, and those it has touched.
fn components_of(event: &Value) -> Vec<Component> {
    let region = json::text(event, "region_name");
    let component = |id: String, service: &Value, number: &str| {
        let raw = json::text(service, number).unwrap_or_default();
        let state = state_of(&raw);
        let own = row(id, json::text(service, "service_name"), raw, state);
        Component { group: region.clone(), ..own }
    };
    let own = json::text(event, "service").map(|id| component(id, event, "status"));
    let touched = event.get("impacted_services").and_then(Value::as_object);
    let touched = touched.into_iter().flatten().take(MOST_ROWS);
    let touched = touched.map(|(id, service)| component(words::line(id), service, "current"));
    own.into_iter().chain(touched).collect()
}

fn incident(row: &Value) -> Option<PageEvent> {
    let service = json::text(row, "service")?;
    let date = json::text(row, "date").unwrap_or_default();
    let name = json::text(row, "service_name").unwrap_or_else(|| service.clone());
    let summary = json::text(row, "summary").unwrap_or_default();
    let rows = components_of(row);
    let updates = json::list(row, "event_log").iter().map(update).collect();
    let updates = json::newest_first(updates);
    Some(PageEvent {
        phase: if is_over(row) { Phase::Resolved } else { Phase::Investigating },
        impact: impact_of_state(
            worst(rows.iter().map(|row| row.state)).unwrap_or(ComponentState::Unknown),
        ),
        started_at: seconds(row, "date"),
        updated_at: updates.first().and_then(|update| update.at),
        components: rows.into_iter().map(|row| row.id).collect(),
        updates,
        ..event(
            json::text(row, "arn").unwrap_or_else(|| format!("{service} {date}")),
            format!("{name}: {summary}"),
        )
    })
}

fn update(row: &Value) -> PageUpdate {
    let is_over = json::text(row, "status").as_deref() == Some("0");
    let text = ["message", "summary"].into_iter().map(|key| json::prose(row, key));
    PageUpdate {
        at: seconds(row, "timestamp"),
        phase: if is_over { Phase::Resolved } else { Phase::Investigating },
        text: text.into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
    }
}

fn seconds(row: &Value, key: &str) -> Option<Timestamp> {
    Timestamp::from_second(json::text(row, key)?.parse().ok()?).ok()
}
