//! The JSON shapes: what the API, `--json` and the database's JSON columns look like.
//!
//! Owns the serialized twins of the model's values (contract, section 3) and the way between the
//! two. Decides nothing. Invariant: the model can change without changing a shape here, and what
//! was once written can be read for ever: unknown fields are ignored, new ones have defaults.

mod budget;
mod incident;
mod job;
mod message;
mod silence;
mod verdict;

pub use budget::{AccountJson, BudgetJson, HeldBackJson, IntentJson, PaidProbeJson, PoolJson};
pub use incident::{EventJson, IncidentJson};
pub use job::{BaselineJson, IntervalJson, JobFailureJson, JobJson, StageJson, Titles};
pub use message::{MessageIncidentJson, MessageJson};
pub use silence::SilenceJson;
pub use verdict::{
    AdviceJson, AlternativeJson, CapabilityJson, EvidenceJson, OfficialJson, VerdictJson,
};

/// A stored word is not one we know: written by another version.
pub use crate::model::UnknownWord;
