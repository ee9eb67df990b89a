//! Incidents and their events.

use serde::{Deserialize, Serialize};

use super::verdict::{EvidenceJson, to_second};
use crate::model::{Blame, Capability, EventKind, Incident, IncidentEvent, State, Timestamp};

/// [`Incident`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Incident")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct IncidentJson {
    pub id: i64,
    pub blame: Blame,
    pub cause: String,
    pub reason: String,
    pub state: State,
    pub worst_state: State,
    pub capabilities: Vec<Capability>,
    pub opened_at: Timestamp,
    pub confirmed_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub acknowledged_at: Option<Timestamp>,
    pub suspended: bool,
    pub flapping: bool,
    pub subject: String,
    pub headline: String,
    pub evidence: Vec<EvidenceJson>,
    pub events: Vec<EventJson>,
}

impl From<&Incident> for IncidentJson {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id,
            blame: incident.blame,
            cause: incident.cause.0.clone(),
            reason: incident.reason.as_str().to_owned(),
            state: incident.state,
            worst_state: incident.worst_state,
            capabilities: incident.capabilities.clone(),
            opened_at: to_second(incident.opened_at),
            confirmed_at: to_second(incident.confirmed_at),
            resolved_at: incident.resolved_at.map(to_second),
            acknowledged_at: incident.acknowledged_at.map(to_second),
            suspended: incident.suspended.is_some(),
            flapping: incident.flapping,
            subject: incident.subject.clone(),
            headline: incident.headline.clone(),
            evidence: incident.evidence.iter().map(EvidenceJson::from).collect(),
            events: incident.events.iter().map(EventJson::from).collect(),
        }
    }
}

/// [`IncidentEvent`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Event")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct EventJson {
    pub seq: u32,
    pub kind: EventKind,
    pub at: Timestamp,
}

impl From<&IncidentEvent> for EventJson {
    fn from(event: &IncidentEvent) -> Self {
        Self { seq: event.seq, kind: event.kind, at: to_second(event.at) }
    }
}
