//! The JSON shapes: what the API, `--json` and the database's JSON columns look like.
//!
//! Owns the serialized twins of the model's values (contract, section 3) and the way between the
//! two. Decides nothing. Invariant: the model can change without changing a shape here, and what
//! was once written can be read for ever: unknown fields are ignored, new ones have defaults.

mod incident;
mod message;
mod verdict;

pub use incident::{EventJson, IncidentJson};
pub use message::{MessageIncidentJson, MessageJson};
pub use verdict::{
    AdviceJson, AlternativeJson, CapabilityJson, EvidenceJson, OfficialJson, VerdictJson,
};

/// A stored word is not one we know: written by another version.
pub use crate::model::UnknownWord;
