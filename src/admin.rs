//! The Unix socket through which the command line changes something in the running daemon.
//!
//! Owns the protocol: one JSON object per line, one request and one response per connection. What
//! a request does is the daemon's ([`AdminHandler`]). Invariant: who may connect is decided by the
//! file's mode (0660) alone; nothing of this is reachable over HTTP.

mod client;
mod server;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::client::{RequestError, request};
pub use self::server::{AdminHandler, AdminSocket, BindError, serve, socket_path};
use crate::model::Timestamp;
use crate::wire::{BudgetJson, SilenceJson, StageJson, VerdictJson};

/// The longest line in either direction; a verdict with all its evidence stays far below.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What the daemon believes.
    Status,
    /// What is in flight, what is usual, and from when on a job is late or stuck.
    Jobs,
    /// What may be spent, what was, and what will be.
    Budget,
    /// Read the configuration again; a wrong one changes nothing.
    Reload,
    /// Take an incident on.
    Ack {
        /// Its number.
        incident: i64,
        /// Who.
        author: String,
        /// What they say.
        #[serde(default)]
        comment: String,
    },
    /// Keep messages back.
    Silence(Box<SilenceJson>),
    /// End a silence now.
    Expire {
        /// Its number.
        silence: i64,
    },
    /// Send a paid test now.
    Probe {
        /// Name of its probe.
        name: String,
    },
    /// Owe a drill to one channel, or to all.
    NotifyTest {
        /// Name of the channel; all when absent.
        #[serde(default)]
        channel: Option<String>,
    },
}

/// What the daemon answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// To [`Request::Status`]; `verdict` is absent until the first decision.
    Status {
        /// The verdict.
        verdict: Option<Box<VerdictJson>>,
        /// Channels that take no messages, and since when.
        #[serde(default)]
        broken: BTreeMap<String, Timestamp>,
    },
    /// To [`Request::Jobs`]; absent until the first decision.
    Jobs {
        /// One entry per kind, origin and stage.
        stages: Option<Vec<StageJson>>,
    },
    /// To [`Request::Budget`]; absent until the first decision.
    Budget {
        /// The budget.
        budget: Option<Box<BudgetJson>>,
    },
    /// To [`Request::Reload`]: the new configuration is in force.
    Reloaded {
        /// What is allowed but worth saying, one sentence each.
        warnings: Vec<String>,
    },
    /// To [`Request::Ack`], [`Request::Silence`], [`Request::Expire`] and [`Request::Probe`].
    Done {
        /// What is so now, for people.
        message: String,
    },
    /// To [`Request::NotifyTest`], once every delivery has ended or its time is up.
    NotifyTested {
        /// One entry per channel.
        results: Vec<TestResult>,
    },
    /// The request was understood and could not be done; nothing has changed.
    Refused {
        /// Why, for people; may span lines (a wrong configuration names all its problems).
        message: String,
    },
}

/// How a drill ended on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// Name of the channel.
    pub channel: String,
    /// Whether the channel accepted it.
    pub delivered: bool,
    /// What the channel said, redacted; empty when it said nothing.
    pub detail: String,
}
