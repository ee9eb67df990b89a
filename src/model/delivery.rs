//! One outbox row: one event owed to one channel.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EventKind, Message, Timestamp};

/// The code behind a channel (contract, section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[allow(missing_docs, reason = "the kinds are the keys of the contract, section 8")]
pub enum ChannelKind {
    Email,
    Slack,
    Webhook,
    Alertmanager,
    Pagerduty,
    Ntfy,
}

words!(ChannelKind, "channel kind");

/// One outbox row: one event owed to one channel. Unique by (incident, seq, channel).
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Row id; `0` before it is stored.
    pub id: i64,
    /// Name of the channel.
    pub channel: String,
    /// What is owed, self-contained: nothing else is needed to send it.
    pub message: Message,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it may be tried (again).
    pub next_at: Timestamp,
    /// When it came to be owed.
    pub created_at: Timestamp,
    /// Last failure, redacted.
    pub last_error: Option<String>,
    /// What the provider calls it (Slack `ts`, SMTP queue id).
    pub provider_ref: Option<String>,
    /// What the provider calls the thread: the `provider_ref` of the last delivery of the same
    /// thread and channel that was accepted.
    pub thread_ref: Option<String>,
    /// Earlier messages of its thread that this one tells too.
    pub merged: Option<Merged>,
}

/// Messages that a channel was owed and never took; a later one of the same thread tells them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// What they would have told, oldest first.
    pub events: Vec<EventKind>,
    /// When the first of them came to be owed.
    pub since: Timestamp,
    /// How often they were tried in all; `0` when nobody was there to send them.
    pub attempts: u32,
}

impl Merged {
    /// True when the channel was never told that the incident had begun.
    pub fn has_opening(&self) -> bool {
        self.events.contains(&EventKind::Opened)
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryState {
    /// To be sent.
    Pending,
    /// Being sent; back to pending when the lease ends or at start.
    Leased,
    /// Accepted by the channel.
    Delivered,
    /// Refused for good, and visibly so.
    Dead,
    /// Told by a later message.
    Merged,
}

words!(DeliveryState, "delivery state");

/// One try to send a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How it ended.
    pub result: AttemptResult,
}

/// How an attempt ended. `detail` is redacted and names neither addresses nor URLs.
#[derive(Debug, Clone, PartialEq)]
pub enum AttemptResult {
    /// Accepted.
    Accepted {
        /// What the provider calls it.
        provider_ref: Option<String>,
    },
    /// To be tried again.
    Retry {
        /// What kind of failure.
        reason: FailureReason,
        /// One sentence.
        detail: String,
        /// Not before this long from now, where the provider said so.
        after: Option<Duration>,
    },
    /// Refused for good.
    Dead {
        /// What kind of failure.
        reason: FailureReason,
        /// One sentence.
        detail: String,
    },
}

/// What kind of failure an attempt met (label `reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum FailureReason {
    /// Could not connect, resolve or speak TLS.
    Unreachable,
    /// No answer within the deadline.
    Timeout,
    /// The provider asked to slow down.
    RateLimited,
    /// The provider failed (5xx, SMTP 4yz).
    ServerError,
    /// The provider refused our credentials.
    Unauthorized,
    /// The provider refused this message or destination.
    Rejected,
}

words!(FailureReason, "failure reason");
