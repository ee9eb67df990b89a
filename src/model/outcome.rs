//! One word for what an observation means, and what that word does to blame and availability.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{UnknownWord, parse_word};

/// What one run of one probe saw, classified (contract, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
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

/// What an observation does to HeyGen's availability (contract, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

impl Outcome {
    /// Every outcome, in the order of the contract's table.
    pub const ALL: [Self; 32] = [
        Self::Ok,
        Self::Slow,
        Self::Blocked,
        Self::RateLimited,
        Self::QuotaExceeded,
        Self::InsufficientCredit,
        Self::PlanLimit,
        Self::Unauthorized,
        Self::Forbidden,
        Self::UpstreamFetchFailed,
        Self::NotReady,
        Self::EndpointRetired,
        Self::BadRequest,
        Self::Unavailable,
        Self::ServerError,
        Self::GatewayError,
        Self::Malformed,
        Self::DnsFailed,
        Self::ConnectFailed,
        Self::TlsFailed,
        Self::Timeout,
        Self::QueueLate,
        Self::ProcessingLate,
        Self::QueueStuck,
        Self::ProcessingStuck,
        Self::JobFailed,
        Self::JobRejected,
        Self::JobLost,
        Self::ResultInvalid,
        Self::CleanupFailed,
        Self::Skipped,
        Self::MonitorError,
    ];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Slow => "slow",
            Self::Blocked => "blocked",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::InsufficientCredit => "insufficient_credit",
            Self::PlanLimit => "plan_limit",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::UpstreamFetchFailed => "upstream_fetch_failed",
            Self::NotReady => "not_ready",
            Self::EndpointRetired => "endpoint_retired",
            Self::BadRequest => "bad_request",
            Self::Unavailable => "unavailable",
            Self::ServerError => "server_error",
            Self::GatewayError => "gateway_error",
            Self::Malformed => "malformed",
            Self::DnsFailed => "dns_failed",
            Self::ConnectFailed => "connect_failed",
            Self::TlsFailed => "tls_failed",
            Self::Timeout => "timeout",
            Self::QueueLate => "queue_late",
            Self::ProcessingLate => "processing_late",
            Self::QueueStuck => "queue_stuck",
            Self::ProcessingStuck => "processing_stuck",
            Self::JobFailed => "job_failed",
            Self::JobRejected => "job_rejected",
            Self::JobLost => "job_lost",
            Self::ResultInvalid => "result_invalid",
            Self::CleanupFailed => "cleanup_failed",
            Self::Skipped => "skipped",
            Self::MonitorError => "monitor_error",
        }
    }

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

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word("outcome", &Self::ALL, Self::as_str, word)
    }
}

/// Whose move it is (contract, section 1).
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

impl Blame {
    /// Every blame, in the order that breaks ties (after `none`).
    pub const ALL: [Self; 6] =
        [Self::None, Self::Provider, Self::Account, Self::Client, Self::Network, Self::Monitor];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Provider => "provider",
            Self::Account => "account",
            Self::Client => "client",
            Self::Network => "network",
            Self::Monitor => "monitor",
        }
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Blame {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word("blame", &Self::ALL, Self::as_str, word)
    }
}

/// Why a probe did not run (contract, section 2, `skipped`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
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

impl SkipReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Budget,
        Self::Reserve,
        Self::Maintenance,
        Self::Overrun,
        Self::Paused,
        Self::NoKey,
        Self::Backlog,
    ];

    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Reserve => "reserve",
            Self::Maintenance => "maintenance",
            Self::Overrun => "overrun",
            Self::Paused => "paused",
            Self::NoKey => "no_key",
            Self::Backlog => "backlog",
        }
    }
}

impl FromStr for SkipReason {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        parse_word("skip reason", &Self::ALL, Self::as_str, word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_parses_back() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
        for blame in Blame::ALL {
            assert_eq!(blame.as_str().parse(), Ok(blame));
        }
    }

    #[test]
    fn only_the_providers_words_can_count_against_it() {
        for outcome in Outcome::ALL {
            let against = matches!(outcome.counts(), Counts::Down | Counts::Degraded);
            assert_eq!(against, outcome.blame() == Blame::Provider, "{outcome}");
        }
    }
}
