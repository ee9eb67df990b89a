//! What keeps messages back: silences, and incidents that somebody has taken on.
//!
//! Owns the words. Decides nothing: who is owed what is `engine::escalate`'s. Invariant: it mutes
//! telling, never probing and never recording.

use super::{Blame, Capability, Incident, IncidentId, Reason, Timestamp};

/// Number of a silence; never given twice.
pub type SilenceId = i64;

/// Which incidents a silence concerns: all that every given matcher fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matchers {
    /// One incident alone.
    pub incident: Option<IncidentId>,
    /// Those that touch one of these.
    pub capabilities: Vec<Capability>,
    /// Those of one of these sides.
    pub blames: Vec<Blame>,
    /// Those for this reason.
    pub reason: Option<Reason>,
}

impl Matchers {
    /// True when nothing is asked: it would concern everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True when an incident fits.
    pub fn fit(&self, incident: &Incident) -> bool {
        let touches = |one: &Capability| incident.capabilities.contains(one);
        self.incident.is_none_or(|id| id == incident.id)
            && (self.capabilities.is_empty() || self.capabilities.iter().any(touches))
            && (self.blames.is_empty() || self.blames.contains(&incident.blame))
            && self.reason.is_none_or(|reason| reason == incident.reason)
    }
}

/// Keeps messages about some incidents back for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Its number.
    pub id: SilenceId,
    /// Which incidents.
    pub matchers: Matchers,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when; moved to now when it is expired by hand.
    pub ends_at: Timestamp,
    /// Who wanted it.
    pub author: String,
    /// Why.
    pub comment: String,
}

impl Silence {
    /// True while it holds.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.starts_at <= now && now < self.ends_at
    }
}

/// Somebody has taken an incident on: no reminders and no further channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// What they said.
    pub comment: String,
}

/// What people tell the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Take an incident on.
    Ack {
        /// Which.
        incident: IncidentId,
        /// Who and why.
        ack: Ack,
    },
    /// Keep messages back; the number is given by the core.
    Silence(Silence),
    /// End a silence now.
    Expire(SilenceId),
    /// Send a paid test now, within every bound that holds for the others.
    Probe(String),
}
