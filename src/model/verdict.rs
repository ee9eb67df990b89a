//! The answer to "is it them or us?" (contract, section 3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Blame, Capability, ComponentState, Outcome, State, Timestamp, UnknownWord};

/// The answer for everything this team uses.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// When it was reached.
    pub at: Timestamp,
    /// Where the monitor runs.
    pub vantage: String,
    /// Which account it watches.
    pub account: String,
    /// Worst state of the used capabilities.
    pub state: State,
    /// Whose move it is.
    pub blame: Blame,
    /// Why.
    pub reason: Reason,
    /// One sentence for people.
    pub headline: String,
    /// One entry per capability, in the order of [`Capability::ALL`].
    pub capabilities: Vec<CapabilityVerdict>,
}

/// The answer for one capability.
#[derive(Debug, Clone, PartialEq)]
pub struct CapabilityVerdict {
    /// Which.
    pub capability: Capability,
    /// Whether this team depends on it (`uses`).
    pub used: bool,
    /// Whether it can be used now.
    pub state: State,
    /// Whose move it is.
    pub blame: Blame,
    /// Why.
    pub reason: Reason,
    /// Since when this state, blame and reason hold; back-dated to the first bad observation.
    pub since: Option<Timestamp>,
    /// One sentence for people.
    pub headline: String,
    /// What the official page says of it.
    pub official: Option<OfficialView>,
    /// What it rests on, decisive first.
    pub evidence: Vec<EvidenceItem>,
    /// What to do.
    pub advice: Advice,
    /// Substitutes for this capability.
    pub alternatives: Vec<Alternative>,
}

/// What the official page says of a capability.
#[derive(Debug, Clone, PartialEq)]
pub struct OfficialView {
    /// Name of the source.
    pub source: String,
    /// State of the mapped component; `Unknown` when the page is unreadable or has no such row.
    pub state: ComponentState,
    /// Whether it admits what we see (a mapped row is bad, or an open incident covers it).
    pub acknowledged: bool,
    /// Seconds by which we knew before the page did (still running while it does not admit it);
    /// negative when the page was first; `None` without a failure of ours.
    pub lead_seconds: Option<i64>,
    /// Title and link of the incident or maintenance it shows, if any.
    pub notice: Option<String>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceItem {
    /// Probe that saw it.
    pub probe: String,
    /// What it saw.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
    /// One sentence without a full stop.
    pub text: String,
    /// Whether the verdict rests on it.
    pub decisive: bool,
    /// The details as HeyGen gave them.
    pub detail: super::Evidence,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// The word.
    pub action: Action,
    /// Until when, where known.
    pub until: Option<Timestamp>,
    /// Whether waiting work may be sent again.
    pub resubmit: Resubmit,
    /// What the advice rests on.
    pub confidence: Confidence,
    /// The sentences.
    pub text: String,
}

/// What to do, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the words of verdicts.md, section 6")]
pub enum Action {
    Go,
    SlowDown,
    Hold,
    FixAccount,
    FixRequest,
    CheckNetwork,
}

words!(Action, "action");

/// Whether waiting work may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resubmit {
    /// No.
    None,
    /// One of the waiting videos, once.
    OneCopy,
}

/// What an advice rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Our own probes.
    Observed,
    /// The official page alone.
    OfficialOnly,
    /// Nothing.
    Blind,
}

/// A substitute for a capability, with its own state.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Name of the source or web check.
    pub name: String,
    /// Its state.
    pub state: ComponentState,
    /// When that was read.
    pub checked_at: Timestamp,
}

/// Why a verdict is what it is: an outcome, or one of the words of the contract, section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the words of the contract, section 2")]
pub enum Reason {
    #[strum(transparent)]
    Outcome(Outcome),
    MonitorOffline,
    OfficialMaintenance,
    OfficialIncident,
    IntermittentErrors,
    ProviderThrottling,
    JobsLate,
    JobsStuck,
    JobsFailing,
    SingleJobStuck,
    AvatarSpecific,
    OwnBacklog,
    LocalDns,
    LocalPath,
    LocalView,
    NetworkDoubtful,
    NoData,
    NoRecentJobs,
    NotWatching,
    NotWatched,
    BalanceLow,
    KeyExpiresSoon,
}

impl Reason {
    /// The reasons that are not outcomes.
    pub const OWN: [Self; 21] = [
        Self::MonitorOffline,
        Self::OfficialMaintenance,
        Self::OfficialIncident,
        Self::IntermittentErrors,
        Self::ProviderThrottling,
        Self::JobsLate,
        Self::JobsStuck,
        Self::JobsFailing,
        Self::SingleJobStuck,
        Self::AvatarSpecific,
        Self::OwnBacklog,
        Self::LocalDns,
        Self::LocalPath,
        Self::LocalView,
        Self::NetworkDoubtful,
        Self::NoData,
        Self::NoRecentJobs,
        Self::NotWatching,
        Self::NotWatched,
        Self::BalanceLow,
        Self::KeyExpiresSoon,
    ];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        if let Some(reason) = Self::OWN.into_iter().find(|reason| reason.as_str() == word) {
            return Ok(reason);
        }
        word.parse().map(Self::Outcome)
    }
}
