//! What the running daemon believes, published whole after every decision: pages, metrics and the
//! admin socket read this and decide nothing.

use super::{
    BudgetView, Incident, Observation, Outcome, ProbeKind, Series, SourceReading, SourceRole,
    StageView, Timestamp, Verdict,
};

/// What the running daemon believes.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The verdict.
    pub verdict: Verdict,
    /// One entry per series, in the order of the configuration.
    pub probes: Vec<ProbeView>,
    /// One entry per status page, in the order of the configuration.
    pub sources: Vec<SourceView>,
    /// Open incidents, oldest first.
    pub incidents: Vec<Incident>,
    /// Whether the internet can be reached; `None` before the first control run.
    pub internet_up: Option<bool>,
    /// Jobs by kind, origin and stage, for every kind that is watched.
    pub stages: Vec<StageView>,
    /// What may be spent, what was, and what will be.
    pub budget: BudgetView,
}

/// One probe, as last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeView {
    /// Which.
    pub series: Series,
    /// Its kind.
    pub kind: ProbeKind,
    /// Method and address that it asks, without query; `None` where it asks more than one.
    pub target: Option<String>,
    /// Its last observation that was not skipped.
    pub last: Option<Observation>,
    /// The last outcome, skipped ones included.
    pub last_outcome: Option<Outcome>,
    /// When it last was good (`ok` or `slow`).
    pub last_success_at: Option<Timestamp>,
    /// When it is due next.
    pub next_due_at: Option<Timestamp>,
}

/// One status page, as last read.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// What it is to us.
    pub role: SourceRole,
    /// The last reading, good or bad.
    pub last: Option<SourceReading>,
    /// When it was last read well.
    pub last_success_at: Option<Timestamp>,
}
