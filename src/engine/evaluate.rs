//! One step of the core: something was seen (or time passed), and this follows from it.
//!
//! Owns the order of the parts: take in, confirm, judge, reconcile incidents, say who is owed what.
//! Reads no clock and does nothing. Invariant: what a decision answers is all that has to happen.

use std::sync::Arc;

use super::incident::ongoing::ongoing;
use super::settings::{Cadence, Settings};
use super::{attribute, escalate, headline, incident};
use crate::model::{
    Incident, IncidentChange, IncidentId, Message, Observation, SourceReading, Timestamp, Verdict,
};

mod memory;
mod recall;
mod suspects;
mod wake;

pub use memory::Memory;
pub use suspects::is_settled;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A probe ran. A transport failure arrives with the control run begun after it attached.
    Observed(Box<Observation>),
    /// A status page was read (well or badly).
    Read(Box<SourceReading>),
    /// Nothing but time passed; comes at least every 10 s.
    Tick,
}

/// What the store gives back at start.
#[derive(Debug, Clone, Default)]
pub struct Recollection {
    /// Stored observations, oldest first, from before the oldest open incident's first bad one
    /// (at most 7 days), at least the last 26 h.
    pub observations: Vec<Observation>,
    /// The last good reading of each source.
    pub readings: Vec<SourceReading>,
    /// Open incidents, and those resolved within the last 2 h (for flapping), with their events.
    pub incidents: Vec<Incident>,
    /// The number the next incident gets.
    pub next_incident_id: IncidentId,
}

/// What follows from one input. To be committed in one transaction, observation first.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What was seen, to be stored.
    pub observation: Option<Observation>,
    /// What was read, to be stored.
    pub reading: Option<SourceReading>,
    /// Incidents that opened or changed.
    pub changes: Vec<IncidentChange>,
    /// Who is owed what.
    pub owed: Vec<Owed>,
    /// The verdict as of now.
    pub verdict: Verdict,
    /// Incidents that are open as of now, oldest first.
    pub open: Vec<Incident>,
    /// Whether the internet can be reached; `None` before the first control run.
    pub internet_up: Option<bool>,
    /// Probes to run at their `recheck` interval until this list no longer names them.
    pub suspects: Vec<Suspect>,
    /// When to come back with a [`Input::Tick`] at the latest, because something falls due by
    /// time alone (a message owed "after 5 min", evidence going stale).
    pub wake_at: Option<Timestamp>,
    /// Plain warnings for the log, each said once (a mapped component vanished …).
    pub warnings: Vec<String>,
}

impl Decision {
    /// True when it must be on disk before anything else happens.
    pub fn is_urgent(&self) -> bool {
        !self.changes.is_empty() || !self.owed.is_empty()
    }
}

/// A probe to be run at its `recheck` interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// Name of the probe.
    pub probe: String,
    /// `Retry-After`: not before.
    pub not_before: Option<Timestamp>,
}

/// One message owed to one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Owed {
    /// Name of the channel.
    pub channel: String,
    /// What it is told.
    pub message: Message,
}

/// One step: takes in what happened and answers what follows. Total: never panics on any input.
pub fn evaluate(
    memory: &mut Memory,
    settings: &Settings,
    input: Input,
    now: Timestamp,
) -> Decision {
    let mut taken = take_in(memory, settings, input);
    memory.confirm(settings, now);
    let (verdict, held, notices, all) = {
        let assessment = attribute::assess(memory, settings, now);
        let all = ongoing(memory, settings, &assessment, now);
        (assessment.verdict, assessment.held, assessment.notices, all)
    };
    memory.held = held;
    let reconciled = incident::reconcile(memory, settings, &all, (&verdict, &notices), now);
    let mut owed = reconciled.owed;
    if settings.cadence == Cadence::Daemon && !taken.warnings.is_empty() {
        owed.extend(escalate::warn(settings, &warning(&taken.warnings), now));
    }
    Decision {
        observation: taken.observation.take(),
        reading: taken.reading.take(),
        changes: reconciled.changes,
        owed,
        verdict,
        open: memory.incidents.iter().filter(|one| one.is_open()).cloned().collect(),
        internet_up: memory.network.internet_up(),
        suspects: suspects::suspects(memory, settings, now),
        wake_at: wake::wake_at(memory, settings, now),
        warnings: taken.warnings,
    }
}

/// What came in, to be stored, and what is worth a warning.
#[derive(Debug, Default)]
struct Taken {
    observation: Option<Observation>,
    reading: Option<SourceReading>,
    warnings: Vec<String>,
}

fn take_in(memory: &mut Memory, settings: &Settings, input: Input) -> Taken {
    match input {
        Input::Observed(observation) => {
            let kept = observation.as_ref().clone();
            memory.observe(settings, &Arc::from(observation));
            Taken { observation: Some(kept), ..Taken::default() }
        }
        Input::Read(reading) => {
            let kept = reading.as_ref().clone();
            let warnings = memory.read(settings, &Arc::from(reading));
            Taken { reading: Some(kept), warnings, ..Taken::default() }
        }
        Input::Tick => Taken::default(),
    }
}

fn warning(warnings: &[String]) -> String {
    let said: Vec<String> = warnings.iter().map(|one| headline::capitalised(one)).collect();
    format!("{}.", said.join(". "))
}
