//! One word for what an observation means, and what that word does to blame and availability.

use serde::{Deserialize, Serialize};

/// What one run of one probe saw, classified; in the order of the contract's table (section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the table of the contract, section 2, is the documentation of each word"
)]
pub enum Outcome {
    Ok,
    Slow,
    Blocked,
    RateLimited,
    QuotaExceeded,
    InsufficientCredit,
    PlanLimit,
    Unauthorized,
    Forbidden,
    UpstreamFetchFailed,
    NotReady,
    EndpointRetired,
    BadRequest,
    Unavailable,
    ServerError,
    GatewayError,
    Malformed,
    DnsFailed,
    ConnectFailed,
    TlsFailed,
    Timeout,
    QueueLate,
    ProcessingLate,
    QueueStuck,
    ProcessingStuck,
    JobFailed,
    JobRejected,
    JobLost,
    ResultInvalid,
    CleanupFailed,
    Skipped,
    MonitorError,
}

words!(Outcome, "outcome");

/// What an observation does to HeyGen's availability (contract, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Counts {
    /// Works.
    Up,
    /// Works badly.
    Degraded,
    /// Does not work.
    Down,
    /// Visible and counted, never the provider's fault.
    Neutral,
}

words!(Counts, "count");

impl Outcome {
    /// Whose side the word stands for. Transport failures answer `Provider` here; whether that
    /// holds is decided by the controls ([`Self::is_transport`]).
    pub fn blame(self) -> Blame {
        match self {
            Self::Ok => Blame::None,
            Self::Slow
            | Self::Unavailable
            | Self::ServerError
            | Self::GatewayError
            | Self::Malformed
            | Self::DnsFailed
            | Self::ConnectFailed
            | Self::TlsFailed
            | Self::Timeout
            | Self::QueueLate
            | Self::ProcessingLate
            | Self::QueueStuck
            | Self::ProcessingStuck
            | Self::JobFailed
            | Self::JobLost
            | Self::ResultInvalid => Blame::Provider,
            Self::Blocked => Blame::Network,
            Self::RateLimited
            | Self::QuotaExceeded
            | Self::InsufficientCredit
            | Self::PlanLimit
            | Self::Unauthorized
            | Self::Forbidden => Blame::Account,
            Self::UpstreamFetchFailed
            | Self::NotReady
            | Self::EndpointRetired
            | Self::BadRequest
            | Self::JobRejected
            | Self::CleanupFailed => Blame::Client,
            Self::Skipped | Self::MonitorError => Blame::Monitor,
        }
    }

    /// What the word does to availability. Transport failures answer `Down` here; they are
    /// `Neutral` unless the controls show them to be HeyGen's.
    pub fn counts(self) -> Counts {
        match self {
            Self::Ok => Counts::Up,
            Self::Slow
            | Self::QueueLate
            | Self::ProcessingLate
            | Self::JobFailed
            | Self::ResultInvalid => Counts::Degraded,
            Self::Unavailable
            | Self::ServerError
            | Self::GatewayError
            | Self::Malformed
            | Self::DnsFailed
            | Self::ConnectFailed
            | Self::TlsFailed
            | Self::Timeout
            | Self::QueueStuck
            | Self::ProcessingStuck
            | Self::JobLost => Counts::Down,
            Self::Blocked
            | Self::RateLimited
            | Self::QuotaExceeded
            | Self::InsufficientCredit
            | Self::PlanLimit
            | Self::Unauthorized
            | Self::Forbidden
            | Self::UpstreamFetchFailed
            | Self::NotReady
            | Self::EndpointRetired
            | Self::BadRequest
            | Self::JobRejected
            | Self::CleanupFailed
            | Self::Skipped
            | Self::MonitorError => Counts::Neutral,
        }
    }

    /// True for a failure below HTTP, whose blame depends on the controls.
    pub fn is_transport(self) -> bool {
        matches!(self, Self::DnsFailed | Self::ConnectFailed | Self::TlsFailed | Self::Timeout)
    }
}

/// Whose move it is (contract, section 1), in the order that breaks ties (after `none`).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Blame {
    /// Nobody's: all is well, or nothing is watched.
    None,
    /// HeyGen's.
    Provider,
    /// The account's: key, quota, plan, credit.
    Account,
    /// Our request or our file.
    Client,
    /// Our network.
    Network,
    /// This monitor.
    Monitor,
}

words!(Blame, "blame");

/// Why a probe did not run (contract, section 2, `skipped`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the words of the contract, section 2, row `skipped`")]
pub enum SkipReason {
    Budget,
    Reserve,
    Maintenance,
    Overrun,
    Paused,
    NoKey,
    Backlog,
}

words!(SkipReason, "skip reason");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_providers_words_can_count_against_it() {
        for outcome in Outcome::ALL {
            let against = matches!(outcome.counts(), Counts::Down | Counts::Degraded);
            assert_eq!(against, outcome.blame() == Blame::Provider, "{outcome}");
        }
    }
}
