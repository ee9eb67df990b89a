//! The pure core: from observations to verdicts, incidents and what is owed to whom.
//!
//! No async, clock, randomness, I/O, locks or logging; `now` is an argument, and what should
//! happen is returned, never done.

pub mod advice;
pub mod alert;
pub mod attribute;
pub mod budget;
pub mod canary;
pub mod classify;
pub mod escalate;
pub mod evaluate;
pub mod headline;
pub mod incident;
pub mod jobs;
pub mod network;
pub mod notices;
pub mod official;
pub mod page;
pub mod peers;
pub mod report;
pub mod room;
pub mod schedule;
pub mod settings;
pub mod uptime;
pub mod words;

pub use escalate::mute::Window;
pub use escalate::route::{Hours, Route};
pub use evaluate::{Decision, Input, Memory, Owed, Recollection, Suspect, evaluate, is_settled};
pub use settings::{
    BudgetRules, Cadence, CanaryMode, CanaryRules, ChannelInfo, JobRules, JobsWatch, Settings,
    Source, StageRules, Thresholds, Watch,
};
