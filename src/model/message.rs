//! What a channel is told: a self-contained snapshot, so that a delivery can be sent hours later,
//! after a restart, with other code, and still say what was true when it came to be owed.

use super::{
    Advice, Blame, Capability, Cause, EventKind, EvidenceItem, IncidentId, OfficialView, Reason,
    State, Timestamp,
};

/// What a channel is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Why it is told.
    pub event: EventKind,
    /// When that was decided.
    pub at: Timestamp,
    /// Number of the event within its incident, from 1; unique with the incident's id.
    pub seq: u32,
    /// The incident; `None` for drills and warnings about the monitor itself.
    pub incident: Option<MessageIncident>,
    /// One sentence, first words first: what, whose side, since when.
    pub headline: String,
    /// What to do.
    pub advice: Option<Advice>,
    /// What it rests on, decisive first.
    pub evidence: Vec<EvidenceItem>,
    /// What the official page says.
    pub official: Option<OfficialView>,
    /// Further plain sentences (how long such incidents took, what changed …).
    pub notes: Vec<String>,
    /// Where it was seen from.
    pub vantage: String,
    /// Which account.
    pub account: String,
}

impl Message {
    /// The thread it belongs to: the incident's number, or `0` for messages about the monitor.
    pub fn thread(&self) -> IncidentId {
        self.incident.as_ref().map_or(0, |incident| incident.id)
    }
}

/// The incident as a message knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageIncident {
    /// Its number.
    pub id: IncidentId,
    /// Whose side.
    pub blame: Blame,
    /// What it is about: every monitor that sees the same trouble calls it the same.
    pub cause: Cause,
    /// Why.
    pub reason: Reason,
    /// Its state.
    pub state: State,
    /// What it touches.
    pub capabilities: Vec<Capability>,
    /// The first bad observation.
    pub opened_at: Timestamp,
    /// The first good observation of its end.
    pub resolved_at: Option<Timestamp>,
    /// The subject of its thread.
    pub subject: String,
}
