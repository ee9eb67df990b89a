//! One step of the core: something was seen (or time passed), and this follows from it.
//!
//! Owns the order of the parts: take in, confirm, judge, reconcile incidents, say who is owed what.
//! Reads no clock and does nothing. Invariant: what a decision answers is all that has to happen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::attribute::Assessment;
use super::incident::Reconciled;
use super::incident::ongoing::ongoing;
use super::room::Room;
use super::settings::{Cadence, Settings};
use super::{attribute, escalate, headline, incident, notices};
use crate::model::{
    AccountReading, BudgetView, CapabilityChange, Cause, Command, Errand, Followed, Incident,
    IncidentChange, IncidentId, Intent, Job, JobEvent, JobKind, JobPosition, JobsReading, Message,
    Observation, PeerReading, Report, Sample, Silence, SilenceId, SourceReading, StageView,
    Timestamp, Told, Verdict,
};

mod command;
mod events;
pub(crate) mod job_facts;
pub(crate) mod jobs;
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
    /// Another monitor was asked (well or badly).
    Peer(Box<PeerReading>),
    /// The queue probe read a list. The observation's subject is the kind's word.
    Listed(Box<Observation>, Box<JobsReading>),
    /// An errand for a paid test was run.
    Reported(Box<Report>),
    /// HeyGen told of the account.
    Told(Box<AccountReading>),
    /// HeyGen sent an event.
    Heard(Box<JobEvent>),
    /// Somebody wants something of the monitor.
    Commanded(Box<Command>),
    /// The disk has so much room left.
    Room(Room),
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
    /// Jobs that live, and those that ended within the last 26 h; abandoned ones included.
    pub jobs: Vec<Job>,
    /// The last samples of 30 days for each kind, origin and stage, oldest first: those of the last
    /// day, and 1,000 that are older.
    pub samples: Vec<Sample>,
    /// Where the queue probe stands.
    pub positions: Vec<JobPosition>,
    /// Intents that are open, those created within the last 62 days (for the caps), and the last
    /// two of each probe and look; oldest first.
    pub intents: Vec<Intent>,
    /// What was told once.
    pub told: Vec<Told>,
    /// The last reading of the account.
    pub account: Option<AccountReading>,
    /// How long incidents of HeyGen's lasted: cause and length of the last 100 that ended.
    pub past: Vec<(Cause, Duration)>,
    /// Silences that have not ended.
    pub silences: Vec<Silence>,
    /// The number the next silence gets.
    pub next_silence_id: SilenceId,
    /// What was last written down of each capability.
    pub standings: Vec<CapabilityChange>,
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
    /// Jobs that are new or changed.
    pub jobs: Vec<Job>,
    /// Where the queue probe stands now, when that changed.
    pub positions: Vec<JobPosition>,
    /// Intents that are new or moved. On disk before any errand that follows from them.
    pub intents: Vec<Intent>,
    /// The account as HeyGen told of it, to be stored.
    pub account: Option<AccountReading>,
    /// What was told once by this decision.
    pub told: Vec<Told>,
    /// Silences that are new or changed.
    pub silences: Vec<Silence>,
    /// What the verdict now says differently of a capability, to be stored.
    pub standings: Vec<CapabilityChange>,
    /// What to answer to a command: done, or why not.
    pub reply: Option<Result<String, String>>,
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
    /// What is to be done for paid tests, as of now; complete.
    pub errands: Vec<Errand>,
    /// What the queue probe needs to know for its next run.
    pub followed: Arc<BTreeMap<JobKind, Followed>>,
    /// Jobs by kind, origin and stage.
    pub stages: Vec<StageView>,
    /// What may be spent, what was, and what will be.
    pub budget: BudgetView,
    /// Plain warnings for the log, each said once (a mapped component vanished …).
    pub warnings: Vec<String>,
}

impl Decision {
    /// Nothing follows: this verdict, and nothing to store, to tell or to do.
    pub fn nothing(verdict: Verdict) -> Self {
        Self {
            observation: None,
            reading: None,
            changes: Vec::new(),
            jobs: Vec::new(),
            positions: Vec::new(),
            intents: Vec::new(),
            account: None,
            told: Vec::new(),
            silences: Vec::new(),
            standings: Vec::new(),
            reply: None,
            owed: Vec::new(),
            verdict,
            open: Vec::new(),
            internet_up: None,
            suspects: Vec::new(),
            wake_at: None,
            errands: Vec::new(),
            followed: Arc::default(),
            stages: Vec::new(),
            budget: BudgetView::default(),
            warnings: Vec::new(),
        }
    }

    /// True when there is anything to write.
    pub fn is_worth_storing(&self) -> bool {
        self.observation.is_some()
            || self.reading.is_some()
            || self.account.is_some()
            || !self.jobs.is_empty()
            || !self.positions.is_empty()
            || !self.standings.is_empty()
            || self.is_urgent()
    }

    /// True when it must be on disk before anything else happens.
    pub fn is_urgent(&self) -> bool {
        !self.changes.is_empty()
            || !self.owed.is_empty()
            || !self.intents.is_empty()
            || !self.told.is_empty()
            || !self.silences.is_empty()
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
    memory.pass(now);
    let mut taken = take_in(memory, settings, input, now);
    memory.confirm(settings, now);
    taken.jobs.extend(memory.judge_jobs(settings, now));
    let (verdict, Reconciled { mut changes, mut owed }) = judge(memory, settings, now);
    changes.extend(acknowledged(memory, taken.acked, &changes));
    let mut told = Vec::new();
    if settings.cadence == Cadence::Daemon {
        owed.extend(warned(settings, &taken.warnings, now));
        told = tell_once(memory, settings, &mut owed, now);
    }
    let outlook = memory.outlook(settings, now);
    let standings = memory.write_down(&verdict, now);
    Decision {
        observation: taken.observation,
        reading: taken.reading,
        changes,
        jobs: taken.jobs,
        positions: taken.positions,
        intents: taken.intents,
        account: taken.account,
        silences: taken.silences,
        standings,
        reply: taken.reply,
        told,
        owed,
        open: memory.incidents.iter().filter(|one| one.is_open()).cloned().collect(),
        internet_up: memory.network.internet_up(),
        suspects: suspects::suspects(memory, settings, now),
        wake_at: wake::wake_at(memory, settings, now),
        errands: outlook.errands,
        followed: outlook.followed,
        stages: outlook.stages,
        budget: outlook.budget,
        warnings: taken.warnings,
        verdict,
    }
}

/// The verdict as of now, and the incidents brought in line with it.
fn judge(memory: &mut Memory, settings: &Settings, now: Timestamp) -> (Verdict, Reconciled) {
    let assessment = attribute::assess(memory, settings, now);
    let all = ongoing(memory, settings, &assessment, now);
    let Assessment { verdict, held, notices, .. } = assessment;
    memory.held = held;
    let reconciled = incident::reconcile(memory, settings, &all, (&verdict, &notices), now);
    (verdict, reconciled)
}

/// The incident that somebody took over just now: that was taken in before anything was compared,
/// and nothing else would write it down.
fn acknowledged(
    memory: &Memory,
    acked: Option<IncidentId>,
    written: &[IncidentChange],
) -> Option<IncidentChange> {
    let id = acked.filter(|id| written.iter().all(|one| one.incident.id != *id))?;
    let incident = memory.incidents.iter().find(|one| one.id == id)?;
    Some(IncidentChange { incident: incident.clone() })
}

fn warned(settings: &Settings, warnings: &[String], now: Timestamp) -> Vec<Owed> {
    if warnings.is_empty() {
        return Vec::new();
    }
    let said: Vec<String> = warnings.iter().map(|one| headline::capitalised(one)).collect();
    escalate::warn(settings, &format!("{}.", said.join(". ")), now)
}

/// What is told once by day: notes that it was, and owes it to everybody in one message.
fn tell_once(
    memory: &mut Memory,
    settings: &Settings,
    owed: &mut Vec<Owed>,
    now: Timestamp,
) -> Vec<Told> {
    let due = notices::due(memory, settings, now);
    if due.is_empty() {
        return Vec::new();
    }
    let (told, texts): (Vec<Told>, Vec<String>) = due.into_iter().unzip();
    owed.extend(escalate::warn(settings, &texts.join(" "), now));
    for one in &told {
        memory.jobs.told.retain(|known| known.key != one.key);
        memory.jobs.told.push(one.clone());
    }
    told
}

/// What came in, to be stored, and what is worth a warning.
#[derive(Debug, Default)]
struct Taken {
    observation: Option<Observation>,
    reading: Option<SourceReading>,
    jobs: Vec<Job>,
    positions: Vec<JobPosition>,
    intents: Vec<Intent>,
    account: Option<AccountReading>,
    silences: Vec<Silence>,
    acked: Option<IncidentId>,
    reply: Option<Result<String, String>>,
    warnings: Vec<String>,
}

impl Taken {
    /// An observation that the lines take in as well.
    fn observed(memory: &mut Memory, settings: &Settings, observation: Box<Observation>) -> Self {
        let kept = observation.as_ref().clone();
        memory.observe(settings, &Arc::from(observation));
        Self { observation: Some(kept), ..Self::default() }
    }
}

fn take_in(memory: &mut Memory, settings: &Settings, input: Input, now: Timestamp) -> Taken {
    match input {
        Input::Observed(observation) => Taken::observed(memory, settings, observation),
        Input::Read(reading) => {
            let kept = reading.as_ref().clone();
            let warnings = memory.read(settings, &Arc::from(reading));
            Taken { reading: Some(kept), warnings, ..Taken::default() }
        }
        Input::Peer(reading) => {
            memory.peers.hear(*reading);
            Taken::default()
        }
        Input::Listed(mut observation, reading) => {
            let (jobs, position) = memory.list(settings, &mut observation, &reading);
            let positions = position.into_iter().collect();
            Taken { jobs, positions, ..Taken::observed(memory, settings, observation) }
        }
        Input::Reported(report) => {
            let moved = memory.report(settings, &report, now);
            let taken = moved.observation.map_or_else(Taken::default, |observation| {
                Taken::observed(memory, settings, observation)
            });
            Taken { jobs: moved.jobs, intents: moved.intents, account: moved.account, ..taken }
        }
        Input::Told(reading) => {
            memory.account_told(&reading);
            Taken { account: Some(*reading), ..Taken::default() }
        }
        Input::Heard(event) => {
            let (jobs, observation) = memory.hear(settings, &event);
            let taken = observation.map_or_else(Taken::default, |observation| {
                Taken::observed(memory, settings, observation)
            });
            Taken { jobs, ..taken }
        }
        Input::Commanded(command) => {
            let acked = match &*command {
                Command::Ack { incident, .. } => Some(*incident),
                Command::Silence(_) | Command::Expire(_) | Command::Probe(_) => None,
            };
            let (silences, reply) = memory.command(*command, settings, now);
            Taken {
                acked: acked.filter(|_| reply.is_ok()),
                silences: silences.into_iter().collect(),
                reply: Some(reply),
                ..Taken::default()
            }
        }
        Input::Room(room) => {
            memory.room = room;
            Taken::default()
        }
        Input::Tick => Taken::default(),
    }
}
