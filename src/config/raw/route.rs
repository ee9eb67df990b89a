//! The keys that say who is told: `[[route]]`, `[[maintenance]]`, `[heartbeat]`.
//!
//! Owns names and plain types, and nothing of their meaning. Invariant: as for all of `raw`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::word::{BlameWord, CapabilityWord, DurationWord, StateWord};

/// `[[route]]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["channels"]))]
pub(in crate::config) struct RawRoute {
    /// Incidents that touch one of these; default: any.
    pub(in crate::config) capability: Option<Vec<CapabilityWord>>,
    /// Incidents of one of these sides; default: any.
    pub(in crate::config) blame: Option<Vec<BlameWord>>,
    /// Incidents at least this bad.
    pub(in crate::config) min_state: Option<StateWord>,
    /// Incidents that are still open after this long.
    pub(in crate::config) after: Option<DurationWord>,
    /// Opened within these hours alone, in your zone: "Mon-Fri 08:00-18:00".
    pub(in crate::config) hours: Option<String>,
    /// Names of the channels that are told.
    pub(in crate::config) channels: Option<Vec<String>>,
    /// Told again after this while it is open; the gaps double, up to a day.
    pub(in crate::config) remind_every: Option<DurationWord>,
}

/// `[[maintenance]]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["schedule", "duration"]))]
pub(in crate::config) struct RawMaintenance {
    /// Cron expression with seconds: when it begins.
    pub(in crate::config) schedule: Option<String>,
    /// How long it lasts.
    pub(in crate::config) duration: Option<DurationWord>,
}

/// `[heartbeat]`
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawHeartbeat {
    /// File that holds the address to ask; only its owner may read it.
    pub(in crate::config) url_file: Option<String>,
    /// How often it is asked.
    pub(in crate::config) every: Option<DurationWord>,
}
