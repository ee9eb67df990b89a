//! The JSON shapes: what the API, `--json` and the database's JSON columns look like.
//!
//! Owns the serialized twins of the model's values (contract, section 3) and the way between the
//! two. Decides nothing. Invariant: the model can change without changing a shape here, and what
//! was once written can be read for ever: unknown fields are ignored, new ones have defaults.

mod budget;
mod component;
mod delivery;
mod incident;
mod job;
mod message;
mod observation;
mod report;
mod silence;
mod uptime;
mod verdict;

pub use budget::{AccountJson, BudgetJson, HeldBackJson, IntentJson, PaidProbeJson, PoolJson};
pub use component::ComponentJson;
pub use delivery::DeliveryJson;
pub use incident::{EventJson, IncidentJson};
pub use job::{BaselineJson, IntervalJson, JobFailureJson, JobJson, StageJson, Titles};
pub use message::{MessageIncidentJson, MessageJson};
pub use observation::{AnswerJson, ObservationJson, PhasesJson, ProbeJson};
pub use report::{DossierJson, IncidentLineJson, ReportJson};
pub use silence::SilenceJson;
pub use uptime::{
    AvailabilityJson, CapabilityUptimeJson, ClaimedJson, DayJson, SidesJson, SpentJson, UptimeJson,
};
pub use verdict::{
    AdviceJson, AlternativeJson, CapabilityJson, EvidenceJson, OfficialJson, VerdictJson,
};
