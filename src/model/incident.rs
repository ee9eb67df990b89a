//! A confirmed, back-dated stretch of one blame and one cause.

use serde::{Deserialize, Serialize};

use super::{Ack, Blame, Capability, EvidenceItem, Reason, State, Timestamp};

/// Number of an incident, as people read it: `#42`. Assigned by the engine, never reused.
pub type IncidentId = i64;

/// What an incident is about, apart from whose side it is: for provider failures over HTTP or
/// transport the host (`host:api.heygen.com`, or `platform`), for jobs the kind, for `account`
/// the outcome, for official-only the page's incident or component, else the reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause(pub String);

/// A confirmed, back-dated stretch of one blame and one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// Whose side.
    pub blame: Blame,
    /// What it is about.
    pub cause: Cause,
    /// Why, at its last change.
    pub reason: Reason,
    /// Its state now.
    pub state: State,
    /// The worst state it has had.
    pub worst_state: State,
    /// The capabilities it touches or has touched, in the order of [`Capability::ALL`].
    pub capabilities: Vec<Capability>,
    /// The first bad observation.
    pub opened_at: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// The first good observation of the confirmed end; `None` while open.
    pub resolved_at: Option<Timestamp>,
    /// When the official page admitted it.
    pub acknowledged_at: Option<Timestamp>,
    /// Why it can neither go on nor end for the moment; `None` while it is watched.
    pub suspended: Option<SuspendReason>,
    /// True from the fourth confirmed transition within an hour until 30 min are stable.
    pub flapping: bool,
    /// The subject of its thread, fixed when it opens.
    pub subject: String,
    /// The latest sentence about it.
    pub headline: String,
    /// What it rests on, decisive first, as of its last change.
    pub evidence: Vec<EvidenceItem>,
    /// Who has taken it on.
    pub ack: Option<Ack>,
    /// What it told so far and when, oldest first.
    pub events: Vec<IncidentEvent>,
}

impl Incident {
    /// True until it is resolved.
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }
}

/// Why an incident is suspended: no evidence may resolve it meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum SuspendReason {
    /// The monitor is offline.
    Offline,
    /// There is no fresh evidence.
    NoData,
    /// The page it rests on is unreadable.
    SourceUnreadable,
}

words!(SuspendReason, "reason of suspension");

/// One thing that happened to an incident (or to the monitor) and is owed to channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentEvent {
    /// Number within the incident, from 1.
    pub seq: u32,
    /// What happened.
    pub kind: EventKind,
    /// When it was decided.
    pub at: Timestamp,
    /// The state that was told with it.
    pub state: State,
    /// The channels that were told.
    pub channels: Vec<String>,
}

impl IncidentEvent {
    /// Stands for every channel: an event from before channels were noted.
    pub const EVERYBODY: &str = "*";

    /// True when a channel was told.
    pub fn reached(&self, channel: &str) -> bool {
        self.channels.iter().any(|one| one == channel || one == Self::EVERYBODY)
    }
}

/// Why a message is owed (a closed set; label `event` of `heygen_monitor_notifications_total`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the documentation")]
pub enum EventKind {
    Opened,
    AcknowledgedOfficially,
    Worsened,
    Eased,
    Reminder,
    Flapping,
    Resolved,
    SuppressionEnded,
    ChannelBroken,
    Warning,
    Drill,
}

words!(EventKind, "event");

/// A change of an incident, to be written in one transaction with the deliveries it owes.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentChange {
    /// The incident as it is after the change; written whole (insert or replace by id).
    pub incident: Incident,
}
