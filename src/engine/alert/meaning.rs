//! What an observation means once the controls have been heard.
//!
//! Owns the step from an outcome (a word) and its surroundings to whose side it speaks for. Does
//! not remember and does not confirm. Invariant: a transport failure is HeyGen's only when
//! something shows that the way to HeyGen is clear.

use crate::engine::network::{Network, Side};
use crate::model::{Observation, Outcome, ProbeKind, Timestamp};

/// What an observation means once the controls have been heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// It works.
    Up,
    /// It works, too slowly, and the internet at large is not slow.
    Slow,
    /// It does not work, and that is HeyGen's.
    Down,
    /// HeyGen refuses this account.
    Account,
    /// HeyGen asks for fewer requests.
    Limited,
    /// HeyGen refuses this request.
    Client,
    /// A challenge stands between us and HeyGen.
    Blocked,
    /// Our resolver does not know what another one knows.
    LocalDns,
    /// Another address of the same host answers.
    LocalPath,
    /// A transport failure that is not shown to be HeyGen's.
    Doubtful,
    /// A transport failure while nothing at all answers.
    Offline,
    /// Our own fault.
    Monitor,
    /// Not run.
    Skipped,
    /// The word of a job; jobs are judged by their own rules.
    Job,
}

impl Meaning {
    /// The meaning of an observation; HTTP answers of HeyGen's edge count from `clear_since` on.
    pub fn of(observation: &Observation, network: &Network, clear_since: Timestamp) -> Self {
        use Outcome as O;
        match observation.outcome {
            O::Slow if network.is_steady() => Self::Slow,
            O::Ok | O::Slow => Self::Up,
            O::Blocked => Self::Blocked,
            O::RateLimited => Self::Limited,
            // The word of a job that the queue probe saw; jobs are judged by their own rules.
            O::InsufficientCredit
                if observation.kind == ProbeKind::Queue && is_of_a_job(observation) =>
            {
                Self::Job
            }
            O::QuotaExceeded
            | O::InsufficientCredit
            | O::PlanLimit
            | O::Unauthorized
            | O::Forbidden => Self::Account,
            O::UpstreamFetchFailed | O::NotReady | O::EndpointRetired | O::BadRequest => {
                Self::Client
            }
            O::Unavailable | O::ServerError | O::GatewayError | O::Malformed => Self::Down,
            O::DnsFailed | O::ConnectFailed | O::TlsFailed | O::Timeout => {
                match network.side_of(observation, clear_since) {
                    Side::Provider => Self::Down,
                    Side::LocalDns => Self::LocalDns,
                    Side::LocalPath => Self::LocalPath,
                    Side::Doubtful => Self::Doubtful,
                    Side::Offline => Self::Offline,
                }
            }
            O::QueueLate
            | O::ProcessingLate
            | O::QueueStuck
            | O::ProcessingStuck
            | O::JobFailed
            | O::JobRejected
            | O::JobLost
            | O::ResultInvalid
            | O::CleanupFailed => Self::Job,
            O::Skipped => Self::Skipped,
            O::MonitorError => Self::Monitor,
        }
    }

    /// True when it says something about HeyGen or the account: it counts in a row, and it is
    /// what freshness is measured by.
    pub fn is_evidence(self) -> bool {
        match self {
            Self::Up
            | Self::Slow
            | Self::Down
            | Self::Account
            | Self::Limited
            | Self::Client
            | Self::Job => true,
            Self::Blocked
            | Self::LocalDns
            | Self::LocalPath
            | Self::Doubtful
            | Self::Offline
            | Self::Monitor
            | Self::Skipped => false,
        }
    }

    /// True when it works, quickly or not.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Up | Self::Slow)
    }

    /// True when something stood between us and HeyGen.
    pub fn is_in_between(self) -> bool {
        matches!(
            self,
            Self::Blocked | Self::LocalDns | Self::LocalPath | Self::Doubtful | Self::Offline
        )
    }
}

fn is_of_a_job(observation: &Observation) -> bool {
    observation.evidence.as_ref().is_some_and(|evidence| evidence.job_id.is_some())
}
