//! `/api/v2`: the verdict in the shape of Atlassian Statuspage, for widgets and other monitors.
//!
//! Owns that shape and nothing else: capabilities stand as components, confirmed incidents as
//! incidents. Invariant: what is not known is said to be `unknown`, a word that Statuspage does not
//! have: a widget may stumble over it, but nobody is told that all is well.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::WebState;
use super::access::Reader;
use super::problem::{Problem, unreadable};
use crate::engine::{page, words};
use crate::model::{
    CapabilityVerdict, ComponentState, EventKind, Incident, IncidentEvent, Reason,
    State as Condition, View,
};
use crate::store::{IncidentFilter, StoreError};

/// Incidents in `incidents.json`, as Statuspage has it.
const INCIDENTS: usize = 50;

/// The page's id: Statuspage's are opaque.
const PAGE_ID: &str = "heygen-monitor";

/// One of the documents.
#[derive(Debug, Clone, Copy)]
enum Part {
    Summary,
    Status,
    Components,
    Incidents,
}

/// The documents, below `/api/v2`.
pub(super) fn routes() -> Router<WebState> {
    let route = |part| get(move |reader: Reader, state| document(part, reader, state));
    Router::new()
        .route("/summary.json", route(Part::Summary))
        .route("/status.json", route(Part::Status))
        .route("/components.json", route(Part::Components))
        .route("/incidents.json", route(Part::Incidents))
}

type Answer = Result<Json<Value>, Problem>;

async fn document(part: Part, reader: Reader, State(state): State<WebState>) -> Answer {
    let view = state.current(reader)?;
    let public_url = state.settings.borrow().public_url.clone();
    let zone = state.settings.borrow().timezone.iana_name().unwrap_or("Etc/UTC").to_owned();
    let link = |incident: &Incident| {
        public_url.as_ref().map(|url| format!("{}/incidents/{}", trimmed(url), incident.id))
    };
    let mut document = json!({ "page": {
        "id": PAGE_ID,
        "name": format!("HeyGen, seen from {}", view.verdict.vantage),
        "url": public_url.as_ref().map(trimmed),
        "time_zone": zone,
        "updated_at": view.verdict.at,
    }});
    let show = |all: &[Incident]| {
        all.iter().map(|one| incident(one, link(one).as_deref())).collect::<Value>()
    };
    if matches!(part, Part::Summary | Part::Status) {
        document["status"] = overall(&view);
    }
    if matches!(part, Part::Summary | Part::Components) {
        let shown = view.verdict.capabilities.iter().filter(|one| is_shown(one));
        document["components"] =
            shown.enumerate().map(|(i, one)| component(i, one, &view)).collect();
    }
    if matches!(part, Part::Summary) {
        document["incidents"] = show(&view.incidents);
        document["scheduled_maintenances"] = json!([]);
    }
    if matches!(part, Part::Incidents) {
        let all = recent(&state, reader).await.map_err(|error| unreadable(&error))?;
        document["incidents"] = show(&all);
    }
    Ok(Json(document))
}

fn trimmed(url: &url::Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

async fn recent(state: &WebState, reader: Reader) -> Result<Vec<Incident>, StoreError> {
    let filter = IncidentFilter { limit: INCIDENTS, ..IncidentFilter::default() };
    let found = state.store.list_incidents(filter).await?;
    Ok(found.into_iter().map(|one| reader.incident(one)).collect())
}

/// What the team depends on and somebody looks at.
fn is_shown(one: &CapabilityVerdict) -> bool {
    one.used && one.reason != Reason::NotWatched
}

fn state_of(state: Condition) -> ComponentState {
    match state {
        Condition::Operational => ComponentState::Operational,
        Condition::Degraded => ComponentState::DegradedPerformance,
        Condition::Outage => ComponentState::MajorOutage,
        Condition::Maintenance => ComponentState::UnderMaintenance,
        Condition::Unknown => ComponentState::Unknown,
    }
}

fn overall(view: &View) -> Value {
    json!({
        "indicator": page::impact_of_state(state_of(view.verdict.state)).as_str(),
        "description": view.verdict.headline,
    })
}

fn component(position: usize, one: &CapabilityVerdict, view: &View) -> Value {
    json!({
        "id": one.capability.as_str(),
        "name": words::capability(one.capability),
        "status": state_of(one.state).as_str(),
        "description": one.headline,
        "position": position + 1,
        "created_at": null,
        "updated_at": one.since.unwrap_or(view.verdict.at),
        "start_date": null,
        "showcase": true,
        "group": false,
        "group_id": null,
        "only_show_if_degraded": false,
        "page_id": PAGE_ID,
    })
}

fn incident(incident: &Incident, shortlink: Option<&str>) -> Value {
    let id = incident.id.to_string();
    let updates: Vec<Value> =
        incident.events.iter().rev().map(|event| update(incident, event)).collect();
    let last = incident.events.last().map_or(incident.confirmed_at, |event| event.at);
    let components: Vec<Value> = incident
        .capabilities
        .iter()
        .map(|one| json!({ "id": one.as_str(), "name": words::capability(*one) }))
        .collect();
    json!({
        "id": id,
        "name": incident.subject,
        "status": phase(incident),
        "impact": page::impact_of_state(state_of(incident.worst_state)).as_str(),
        "created_at": incident.confirmed_at,
        "started_at": incident.opened_at,
        "updated_at": last,
        "monitoring_at": null,
        "resolved_at": incident.resolved_at,
        "shortlink": shortlink,
        "page_id": PAGE_ID,
        "incident_updates": updates,
        "components": components,
    })
}

fn phase(incident: &Incident) -> &'static str {
    match (incident.is_open(), incident.acknowledged_at) {
        (false, _) => "resolved",
        (true, Some(_)) => "identified",
        (true, None) => "investigating",
    }
}

fn update(incident: &Incident, event: &IncidentEvent) -> Value {
    let is_last = incident.events.last().is_some_and(|last| last.seq == event.seq);
    let (status, body) = match event.kind {
        EventKind::Resolved => ("resolved", "Resolved."),
        EventKind::AcknowledgedOfficially => ("identified", "HeyGen's own page admits it."),
        EventKind::Worsened => ("investigating", "It has become worse."),
        EventKind::Eased => ("monitoring", "It has become better."),
        EventKind::Flapping => ("investigating", "It comes and goes."),
        EventKind::Opened
        | EventKind::Reminder
        | EventKind::SuppressionEnded
        | EventKind::ChannelBroken
        | EventKind::Warning
        | EventKind::Drill => ("investigating", "It goes on."),
    };
    // The latest sentence about it is all that is kept.
    let body = if is_last { incident.headline.as_str() } else { body };
    json!({
        "id": format!("{}-{}", incident.id, event.seq),
        "status": status,
        "body": body,
        "incident_id": incident.id.to_string(),
        "created_at": event.at,
        "updated_at": event.at,
        "display_at": event.at,
        "affected_components": null,
    })
}
