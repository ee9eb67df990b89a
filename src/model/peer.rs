//! What another monitor said when it was asked.

use super::{Outcome, ProbeKind, Timestamp};

/// The result of asking another monitor once. Text is cleaned on entry.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerReading {
    /// Name of the source in the configuration.
    pub source: String,
    /// When the asking ended, on our clock.
    pub at: Timestamp,
    /// What it said; `None` when it could not be asked.
    pub said: Option<PeerSaid>,
}

/// What another monitor said.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerSaid {
    /// Where it runs.
    pub vantage: String,
    /// True when it blames its own network or itself: its failures tell nothing of HeyGen.
    pub is_cut_off: bool,
    /// What it last saw, one per series.
    pub sights: Vec<PeerSight>,
}

/// What another monitor last saw of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSight {
    /// The kind of its probe.
    pub kind: ProbeKind,
    /// Method and address without query: `GET https://api.heygen.com/v3/users/me`.
    pub target: String,
    /// True when it asked without a key.
    pub anonymous: bool,
    /// What it saw.
    pub outcome: Outcome,
    /// When it began to look, on our clock; in doubt earlier, never later than it did.
    pub begun_at: Timestamp,
    /// Two of its intervals later: from then on it tells nothing.
    pub fresh_until: Timestamp,
}
