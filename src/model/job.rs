//! HeyGen's asynchronous jobs, as they are seen from outside.
//!
//! Owns the words of a job's life and what one look at it says. Decides nothing: which job is late
//! is `engine::job`'s. Invariant: a stage change lies between two looks, and both ends are kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Capability, Timestamp};

/// A kind of asynchronous job.
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
pub enum JobKind {
    /// An avatar video, `/v3/videos`.
    Video,
    /// A dubbed translation, `/v3/video-translations`.
    Translation,
}

words!(JobKind, "job kind");

impl JobKind {
    /// What depends on such jobs.
    pub fn capability(self) -> Capability {
        match self {
            Self::Video => Capability::VideoGeneration,
            Self::Translation => Capability::VideoTranslation,
        }
    }

    /// The kind of job that a capability is made of.
    pub fn of(capability: Capability) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.capability() == capability)
    }
}

/// Whose job it is.
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
pub enum Origin {
    /// Ours: a small paid test.
    Canary,
    /// The account's own.
    Natural,
}

words!(Origin, "origin");

/// A stage in the life of a job (contract, section 6, label `stage`).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// The create request itself.
    Submit,
    /// Accepted and waiting to start.
    Queue,
    /// Being made.
    Processing,
}

words!(Stage, "stage");

/// What HeyGen says of a job, reduced to what matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// Accepted, not begun: `pending`, `waiting`, `queued`.
    Queued,
    /// Begun: `processing`, `running` and their like.
    Processing,
    /// Waits for its owner; never stuck.
    WaitingForInput,
    /// Done: `completed`, `succeeded`, `success`, `complete`.
    Completed,
    /// `failed`
    Failed,
    /// The id is not known (any more): 404, or `not_found` in a bulk answer.
    NotFound,
    /// A word that we do not know: still alive, stage unchanged.
    Unknown,
}

impl JobStatus {
    /// Reads HeyGen's word (facts, sections 2–4); never fails.
    pub fn of_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "pending" | "waiting" | "queued" | "created" | "scheduled" => Self::Queued,
            "processing" | "running" | "rendering" | "generating" | "in_progress" | "started"
            | "thinking" | "reviewing" => Self::Processing,
            "waiting_for_input" => Self::WaitingForInput,
            "completed" | "complete" | "succeeded" | "success" | "done" => Self::Completed,
            "failed" | "fail" | "error" | "canceled" | "cancelled" => Self::Failed,
            "not_found" => Self::NotFound,
            _ => Self::Unknown,
        }
    }
}

/// Whose a job is, told by its title in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The account's own.
    Natural,
    /// A test of this instance, by its nonce.
    Ours {
        /// `hgm-<instance>-<id>`
        nonce: String,
    },
    /// A test of another monitor, or excluded by its title: never evidence.
    Foreign,
}

/// Why a job failed, in HeyGen's words (cleaned, capped, without secrets).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFailure {
    /// `failure_code` or the bulk answer's `error.code`.
    pub code: Option<String>,
    /// `failure_message`, `failure_reason` or `error.message`.
    pub message: Option<String>,
}

/// What one look at one job says.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Its kind.
    pub kind: JobKind,
    /// HeyGen's id.
    pub id: String,
    /// What HeyGen says.
    pub status: JobStatus,
    /// When the answer came.
    pub at: Timestamp,
    /// When HeyGen says it was created; bulk answers do not.
    pub created_at: Option<Timestamp>,
    /// When HeyGen says it was completed; translations never do.
    pub completed_at: Option<Timestamp>,
    /// Whose it is; bulk answers do not tell.
    pub owner: Option<Owner>,
    /// Why it failed.
    pub failure: Option<JobFailure>,
    /// Whether the answer has a URL of the result.
    pub has_url: bool,
    /// Its title; `None` unless `show_titles` is on.
    pub title: Option<String>,
}

/// A change that happened at some time between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The last look before; never after `latest`.
    pub earliest: Timestamp,
    /// The first look after.
    pub latest: Timestamp,
}

impl Interval {
    /// A change whose instant is known.
    pub fn exact(at: Timestamp) -> Self {
        Self { earliest: at, latest: at }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum JobState {
    /// Accepted, not begun.
    Queued,
    /// Being made.
    Processing,
    /// Waits for its owner.
    WaitingForInput,
    /// Done.
    Completed,
    /// Failed on HeyGen's side, or for a reason that we do not know.
    Failed,
    /// Failed because of its input.
    Rejected,
    /// Failed for want of credit.
    Unpaid,
    /// Not known to HeyGen any more: deleted, or (ours) lost.
    Gone,
}

words!(JobState, "job state");

impl JobState {
    /// True until it has ended.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Processing | Self::WaitingForInput)
    }
}

/// One job, as far as it is known. One row of the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its kind.
    pub kind: JobKind,
    /// HeyGen's id; unique within a kind.
    pub id: String,
    /// Whose it is.
    pub origin: Origin,
    /// Its title; `None` unless `show_titles` is on.
    pub title: Option<String>,
    /// When it was created; of a canary when its request was sent.
    pub created_at: Timestamp,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// Where it stands.
    pub state: JobState,
    /// When it left the queue.
    pub started: Option<Interval>,
    /// When it ended.
    pub ended: Option<Interval>,
    /// Old rubbish: listed, never evidence (verdicts.md, section 4).
    pub is_abandoned: bool,
    /// Whether its durations count for the baseline.
    pub is_sample: bool,
    /// Why it failed.
    pub failure: Option<JobFailure>,
}

/// What one run of the queue probe says of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct JobsReading {
    /// Name of the probe.
    pub probe: String,
    /// Which jobs.
    pub kind: JobKind,
    /// When the run ended.
    pub at: Timestamp,
    /// Every job that was seen, each once.
    pub sightings: Vec<Sighting>,
    /// How far the look back has come.
    pub backfill: Backfill,
}

/// How far the look back at the last 30 days has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Backfill {
    /// Not begun.
    #[default]
    Due,
    /// Goes on from this cursor.
    At(String),
    /// Over.
    Done,
}

/// What the queue probe needs to know of one kind before it looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followed {
    /// Ids of jobs that have not ended and are not abandoned, newest first.
    pub live: Vec<String>,
    /// When the newest known job was created: the list is read back to here.
    pub newest_created_at: Option<Timestamp>,
    /// How far the look back has come.
    pub backfill: Backfill,
}

/// Where the queue probe stands with one kind; one row of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPosition {
    /// Which jobs.
    pub kind: JobKind,
    /// When the newest known job was created.
    pub newest_created_at: Option<Timestamp>,
    /// How far the look back has come.
    pub backfill: Backfill,
}

/// How long one stage of one completed job took: what baselines are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its kind.
    pub kind: JobKind,
    /// Whose it was.
    pub origin: Origin,
    /// Which stage; `None`: the whole life, from creation to completion.
    pub stage: Option<Stage>,
    /// How long it took at most.
    pub duration: Duration,
    /// When it ended.
    pub at: Timestamp,
}

/// A signed event of HeyGen's about one job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobEvent {
    /// Name of the webhook probe.
    pub probe: String,
    /// `Heygen-Event-Id`, or a digest of the body where there was none.
    pub event_id: String,
    /// When HeyGen sent it (`Heygen-Timestamp`).
    pub sent_at: Timestamp,
    /// When it came.
    pub at: Timestamp,
    /// What it says; `None` for an event that is about no job of ours to follow.
    pub sighting: Option<Sighting>,
}

/// Jobs of one kind, origin and stage, for metrics and the API.
#[derive(Debug, Clone, PartialEq)]
pub struct StageView {
    /// Which jobs.
    pub kind: JobKind,
    /// Whose.
    pub origin: Origin,
    /// In which stage.
    pub stage: Stage,
    /// How many are in it now; abandoned ones are left out.
    pub in_flight: u32,
    /// Since when the oldest of them has been in it.
    pub oldest_since: Option<Timestamp>,
    /// What is usual; `None` until enough was learned.
    pub baseline: Option<Baseline>,
    /// From when on such a stage is late.
    pub late: Duration,
    /// From when on such a stage is stuck.
    pub stuck: Duration,
}

/// What is usual for one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Baseline {
    /// Learned from this many jobs.
    pub count: usize,
    /// Half are faster.
    pub median: Duration,
    /// Nine of ten are faster.
    pub q90: Duration,
    /// 99 of 100 are faster.
    pub q99: Duration,
}
