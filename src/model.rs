//! The vocabulary: plain values that every other module speaks in.
//!
//! Owns the closed enumerations of the public contract (their words appear unchanged in the
//! database, the metrics, the API and the configuration) and the values that travel along
//! probe → observation → verdict → incident → message. Does nothing: no I/O, no clock, no decision.
//! Invariant: every enumeration is complete, so a later capability adds code, never a new word.

#[macro_use]
mod word;

mod account;
mod canary;
mod capability;
mod delivery;
mod history;
mod incident;
mod job;
mod message;
mod observation;
mod outcome;
mod page;
mod peer;
mod probe;
mod retry_after;
mod silence;
pub mod text;
mod verdict;
mod view;

pub use account::{AccountReading, BudgetView, PaidProbeView, Plan, Pool, PoolName, Unit, Usd};
pub use canary::{
    Errand, Finding, Intent, IntentId, IntentState, NONCE_PREFIX, Report, Task, Told, Trigger,
};
pub use capability::{Capability, ComponentState, State};
pub use delivery::{
    Attempt, AttemptResult, ChannelKind, Delivery, DeliveryState, FailureReason, Merged,
};
pub use history::{CapabilityChange, ComponentChange};
pub use incident::{
    Cause, EventKind, Incident, IncidentChange, IncidentEvent, IncidentId, SuspendReason,
};
pub use job::{
    Backfill, Baseline, Followed, Interval, Job, JobEvent, JobFailure, JobKind, JobPosition,
    JobState, JobStatus, JobsReading, Origin, Owner, Sample, Sighting, Stage, StageView,
};
pub use message::{Message, MessageIncident};
pub use observation::{
    ControlReading, Evidence, Observation, PathCheck, Phases, TargetReading, Transport,
};
pub use outcome::{Blame, Counts, Outcome, SkipReason};
pub use page::{
    Component, Impact, Page, PageEvent, PageUpdate, Phase, Product, SourceReading, SourceRole,
};
pub use peer::{PeerReading, PeerSaid, PeerSight};
pub use probe::{ProbeKind, Series};
pub use retry_after::{http_date, retry_after_secs};
pub use silence::{Ack, Command, Matchers, Silence, SilenceId};
pub use verdict::{
    Action, Advice, Alternative, CapabilityVerdict, Confidence, EvidenceItem, OfficialView, Reason,
    Resubmit, Verdict,
};
pub use view::{ProbeView, SourceView, View};
pub use word::UnknownWord;

/// An instant in UTC; the only representation of time in this crate outside SQL and JSON.
pub use jiff::Timestamp;
