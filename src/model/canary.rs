//! A paid test: the intent to spend, what is to be done for it next, and what came of that.
//!
//! Owns the words that the pure core, the probes and the store share. Decides nothing: the states
//! of an intent and their order are `engine::canary`'s. Invariant: an intent that was committed is
//! sent at most once, whatever happens afterwards.

use super::{AccountReading, Observation, Outcome, ProbeKind, Sighting, Timestamp, Usd};

/// Number of an intent; never given twice.
pub type IntentId = i64;

/// What every title of ours begins with: `hgm-<instance>-<id>`.
pub const NONCE_PREFIX: &str = "hgm-";

/// Where an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum IntentState {
    /// Committed; its request was not sent yet, or its answer is not stored yet.
    Intended,
    /// The request may or may not have been accepted: looked for by its nonce.
    Ambiguous,
    /// Accepted: its job is followed.
    Accepted,
    /// Its outcome is known; the result waits to be deleted.
    Judged,
    /// Refused: nothing was spent.
    Refused,
    /// Never arrived: nothing was spent.
    Absent,
    /// Over.
    Closed,
}

words!(IntentState, "intent state");

impl IntentState {
    /// True when something is still to be done for it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::Ambiguous | Self::Accepted | Self::Judged)
    }

    /// True when its price counts as spent.
    pub fn is_charged(self) -> bool {
        !matches!(self, Self::Refused | Self::Absent)
    }
}

/// Why a paid test was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Trigger {
    /// Its schedule (`mode = "fixed"`).
    Schedule,
    /// Nothing else said anything for `max_silence`.
    Silence,
    /// Cheap signals contradict each other.
    Disagreement,
    /// The last one failed: a second one, with another avatar where there is one.
    SecondLook,
    /// Somebody asked for it by hand.
    Asked,
}

words!(Trigger, "trigger");

/// One paid test. One row of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Its number.
    pub id: IntentId,
    /// Name of the probe.
    pub probe: String,
    /// `Render`, `Translation` or `Speech`.
    pub kind: ProbeKind,
    /// `hgm-<instance>-<id>`: title, `Idempotency-Key`, and what it is found by.
    pub nonce: String,
    /// The avatar or language of this run; empty where there is no choice.
    pub look: String,
    /// What it may cost: reserved until it is known that nothing was spent.
    pub price: Usd,
    /// Why it was sent.
    pub trigger: Trigger,
    /// Where it stands.
    pub state: IntentState,
    /// When it was committed.
    pub created_at: Timestamp,
    /// HeyGen's id of its job.
    pub job_id: Option<String>,
    /// How often it was looked for by its nonce.
    pub searches: u32,
    /// How often its result was fetched in vain, or its job was not found.
    pub misses: u32,
    /// How often deleting it failed.
    pub failed_deletes: u32,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// When it was last moved.
    pub changed_at: Timestamp,
}

/// Something to be done for a paid probe; at most one at a time for each probe and intent.
#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    /// Name of the probe.
    pub probe: String,
    /// Not before.
    pub due_at: Timestamp,
    /// What.
    pub task: Task,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Read balance, key and clock, before anything is spent. Free.
    Prepare,
    /// Send the request. Comes exactly once for an intent, after it was committed.
    Submit(Intent),
    /// Look for it by its nonce.
    Find(Intent),
    /// Read its job.
    Poll(Intent),
    /// Read its job again for a fresh URL, and check the artefact.
    Check(Intent),
    /// Delete its job.
    Delete(Intent),
    /// Delete finished leftovers of this instance that were created before this.
    Sweep {
        /// Created before.
        before: Timestamp,
    },
}

impl Task {
    /// The intent that it is done for.
    pub fn intent(&self) -> Option<&Intent> {
        match self {
            Self::Submit(intent)
            | Self::Find(intent)
            | Self::Poll(intent)
            | Self::Check(intent)
            | Self::Delete(intent) => Some(intent),
            Self::Prepare | Self::Sweep { .. } => None,
        }
    }
}

/// What came of an errand.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Name of the probe.
    pub probe: String,
    /// The intent that it was done for.
    pub intent: Option<IntentId>,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What came of it.
    pub finding: Finding,
    /// What was seen, where the exchange says something of HeyGen: a refused or ambiguous create, a
    /// checked artefact, a failed delete. The core adds capabilities and decides what is stored.
    pub observation: Option<Box<Observation>>,
}

/// What came of an errand.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Read: balance, key, clock, and what the in-process limiter still allows.
    Prepared {
        /// The account.
        account: Box<AccountReading>,
        /// What this process may still spend within 24 h of its own uptime.
        headroom: Usd,
    },
    /// Balance, key or clock could not be read.
    Unprepared,
    /// The create was accepted; `None` for speech, which has no job.
    Accepted {
        /// HeyGen's id of the job.
        job_id: Option<String>,
    },
    /// The create was refused for certain: nothing was spent.
    Refused,
    /// Timeout, reset, 5xx: it may have been accepted.
    Ambiguous,
    /// Found by its nonce.
    Found {
        /// HeyGen's id of the job.
        job_id: String,
    },
    /// The list was read, and it is not there.
    NotFound,
    /// Nothing was learned: a read failed.
    Unanswered,
    /// The job was read.
    Seen(Box<Sighting>),
    /// The artefact was fetched and checked; the observation has the outcome.
    Checked,
    /// Deleted (or gone already).
    Deleted,
    /// Not deleted; the observation says why.
    NotDeleted,
    /// Leftovers were looked for, and so many deleted.
    Swept {
        /// How many.
        deleted: u32,
    },
}

/// Something told once by day and repeated weekly (verdicts.md, section 3, silent loss of watching).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it is about, e.g. `not_watching:render`, `balance_low`, `key_expires_soon:14`.
    pub key: String,
    /// When it was last told.
    pub at: Timestamp,
}
