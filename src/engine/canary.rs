//! Paid tests: which errand comes next, and what a report changes.
//!
//! Owns the life of an intent: intended → (ambiguous) → accepted → judged → closed, with refused and
//! absent as the ends at which nothing was spent. Does not spend and does not tell. Invariant: an
//! intent that was found in the database is never sent, only looked for; one POST per intent, ever.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::jobs::Ledger;
use super::jobs::stages::job_kind;
use super::settings::{CanaryRules, JobsWatch, Settings, Watch};
use crate::model::{
    AccountReading, Errand, Intent, IntentId, IntentState, Job, Observation, Outcome, ProbeKind,
    SkipReason, Task, Timestamp, Trigger,
};

pub mod findings;
mod intend;
mod judge;
pub mod plan;
mod report;

pub use plan::Signals;
pub use report::{Bench, Moved};

/// When an ambiguous create is looked for, since it was intended (issue 3, facts I12).
pub(crate) const SEARCHES: [SignedDuration; 3] =
    [SignedDuration::from_secs(30), SignedDuration::from_mins(2), SignedDuration::from_mins(10)];
/// Leftovers of ours that are older than this are deleted.
const LEFTOVER_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// Leftovers are looked for this often.
const SWEEP_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Pauses before a failed delete is tried again; after the last one the sweep takes over.
pub(crate) const DELETE_PAUSES: [SignedDuration; 3] =
    [SignedDuration::from_mins(1), SignedDuration::from_mins(5), SignedDuration::from_mins(30)];

/// Paid tests, as far as they are known.
#[derive(Debug, Clone, Default)]
pub struct Canaries {
    /// Oldest first.
    intents: Vec<Intent>,
    next_id: IntentId,
    /// Not before: by intent, and what was tried how often.
    pace: BTreeMap<IntentId, Pace>,
    /// By probe.
    desks: BTreeMap<String, Desk>,
}

/// How often an intent was looked at, and when it is to be looked at again.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    polls: u32,
    next_at: Option<Timestamp>,
}

/// What is known of one paid probe besides its intents.
#[derive(Debug, Clone, Default)]
struct Desk {
    /// When it was first seen by this process.
    begun_at: Option<Timestamp>,
    /// Not before: after a try that was held back.
    retry_at: Option<Timestamp>,
    /// Why it was held back last, and when.
    held_back: Option<Hold>,
    swept_at: Option<Timestamp>,
    /// The kind of trigger that the next intent will have.
    wanted: Option<plan::Wanted>,
    /// When somebody asked for one by hand, until it is decided on.
    asked_at: Option<Timestamp>,
}

/// Why a paid test was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The word.
    pub reason: SkipReason,
    /// One plain sentence without a full stop.
    pub text: String,
    /// Since when it has been held back for this reason.
    pub since: Timestamp,
    /// Whether people should know that nobody is watching.
    pub is_told: bool,
}

impl Canaries {
    /// Goes on from what was stored: what was intended may have been sent.
    pub fn recall(intents: Vec<Intent>) -> Self {
        let mut canaries = Self {
            next_id: intents.iter().map(|intent| intent.id + 1).max().unwrap_or(1),
            intents,
            ..Self::default()
        };
        for intent in &mut canaries.intents {
            if intent.state == IntentState::Intended {
                intent.state = IntentState::Ambiguous;
            }
        }
        canaries
    }

    /// Every intent that is remembered, oldest first.
    pub fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// Those of one probe, oldest first.
    pub fn of<'a>(&'a self, probe: &'a str) -> impl DoubleEndedIterator<Item = &'a Intent> {
        self.intents.iter().filter(move |intent| intent.probe == probe)
    }

    /// Why a probe is held back, if it is.
    pub fn hold(&self, probe: &str) -> Option<&Hold> {
        self.desks.get(probe).and_then(|desk| desk.held_back.as_ref())
    }

    /// Everything that is to be done, as of now. `signals` are those of each paid probe.
    pub fn errands(
        &mut self,
        settings: &Settings,
        ledger: &Ledger,
        signals: &dyn Fn(&Watch) -> Signals,
        now: Timestamp,
    ) -> Vec<Errand> {
        let mut errands = Vec::new();
        for (watch, rules) in paid(settings) {
            self.desk(&watch.name).begun_at.get_or_insert(now);
            let open = self.intents.iter().filter(|intent| intent.probe == watch.name);
            let open: Vec<Intent> = open.filter(|intent| intent.state.is_open()).cloned().collect();
            let to_do = open.iter().filter_map(|intent| self.next_for(ledger, intent, now));
            errands.extend(to_do);
            if !settings.budget.canaries {
                continue;
            }
            errands.extend(self.sweep(watch, now));
            if !open.iter().any(is_in_flight) {
                errands.extend(self.prepare(settings, (watch, rules), &signals(watch), now));
            }
        }
        errands
    }

    /// Takes in that somebody wants a test of `probe` now; answers what will come of it, for people.
    ///
    /// # Errors
    /// Why nothing will.
    pub fn ask(
        &mut self,
        settings: &Settings,
        probe: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        let Some((_, rules)) = paid(settings).find(|(watch, _)| watch.name == probe) else {
            return Err(format!("there is no paid test `{probe}`"));
        };
        if !settings.budget.canaries {
            return Err("this monitor sends no paid tests (budget.canaries = false)".to_owned());
        }
        if let Some(other) = self.of(probe).find(|intent| is_in_flight(intent)) {
            return Err(format!("a test of `{probe}` is in flight already ({})", other.nonce));
        }
        self.desk(probe).asked_at = Some(now);
        Ok(format!("a test of `{probe}` is asked for; at most {} are spent on it", rules.price))
    }

    /// When a probe is due next; `None` while something of it is in flight or it is switched off.
    pub fn next_due_at(&self, probe: &str) -> Option<Timestamp> {
        let desk = self.desks.get(probe)?;
        let wanted = desk.wanted?;
        Some(desk.retry_at.map_or(wanted.at, |retry| wanted.at.max(retry)))
    }

    fn prepare(
        &mut self,
        settings: &Settings,
        (watch, rules): (&Watch, &CanaryRules),
        signals: &Signals,
        now: Timestamp,
    ) -> Option<Errand> {
        let begun_at = *self.desk(&watch.name).begun_at.get_or_insert(now);
        let wanted = plan::wanted(&plan::Case {
            intents: &self.intents,
            probe: &watch.name,
            rules,
            instance: &settings.instance,
            signals,
            begun_at,
            now,
        });
        let desk = self.desk(&watch.name);
        let asked = desk.asked_at.map(|at| plan::Wanted { at, trigger: Trigger::Asked });
        desk.wanted = asked.or(wanted);
        let wanted = desk.wanted?;
        let retry_at = desk.retry_at.filter(|_| asked.is_none());
        let due_at = retry_at.map_or(wanted.at, |retry| wanted.at.max(retry));
        Some(Errand { probe: watch.name.clone(), due_at, task: Task::Prepare })
    }

    fn sweep(&self, watch: &Watch, now: Timestamp) -> Option<Errand> {
        job_kind(watch.kind)?;
        let swept_at = self.desks.get(&watch.name).and_then(|desk| desk.swept_at);
        let due_at = swept_at.map_or(now, |at| at.saturating_add(SWEEP_EVERY).unwrap_or(at));
        let before = now.saturating_sub(LEFTOVER_AFTER).unwrap_or(now);
        Some(Errand { probe: watch.name.clone(), due_at, task: Task::Sweep { before } })
    }

    fn next_for(&self, ledger: &Ledger, intent: &Intent, now: Timestamp) -> Option<Errand> {
        let pace = self.pace.get(&intent.id).copied().unwrap_or_default();
        // What lies in the future was stored before a clock was set back.
        let begun_at = self.desks.get(&intent.probe).and_then(|desk| desk.begun_at);
        let is_future = intent.created_at > now;
        let sent_at = begun_at.filter(|_| is_future).unwrap_or(intent.created_at);
        // A clock that was set back must not keep a job of ours from being followed.
        let not_before = pace.next_at.unwrap_or(intent.created_at.min(now));
        let (due_at, task) = match intent.state {
            IntentState::Intended => (intent.created_at, Task::Submit(intent.clone())),
            IntentState::Ambiguous => {
                let wait = SEARCHES.get(usize::try_from(intent.searches).unwrap_or(usize::MAX));
                let wait = wait.copied().unwrap_or(SEARCHES[SEARCHES.len() - 1]);
                let due_at = sent_at.saturating_add(wait).unwrap_or(sent_at);
                (due_at.max(not_before), Task::Find(intent.clone()))
            }
            IntentState::Accepted if is_completed(ledger, intent) => {
                (not_before, Task::Check(intent.clone()))
            }
            IntentState::Accepted => (not_before, Task::Poll(intent.clone())),
            IntentState::Judged => (not_before, Task::Delete(intent.clone())),
            IntentState::Refused | IntentState::Absent | IntentState::Closed => return None,
        };
        Some(Errand { probe: intent.probe.clone(), due_at, task })
    }

    fn desk(&mut self, probe: &str) -> &mut Desk {
        self.desks.entry(probe.to_owned()).or_default()
    }

    fn intent_mut(&mut self, id: IntentId) -> Option<&mut Intent> {
        self.intents.iter_mut().find(|intent| intent.id == id)
    }
}

/// Every paid probe with its rules.
pub fn paid(settings: &Settings) -> impl Iterator<Item = (&Watch, &CanaryRules)> {
    settings.probes.iter().filter_map(|watch| match &watch.jobs {
        JobsWatch::Canary(rules) => Some((watch, rules)),
        JobsWatch::None | JobsWatch::Natural { .. } | JobsWatch::Events => None,
    })
}

/// One in flight per kind. One that is stuck, or waits only to be deleted, stands in nobody's way.
fn is_in_flight(intent: &Intent) -> bool {
    intent.state.is_open() && intent.state != IntentState::Judged && intent.outcome.is_none()
}

fn job_of<'a>(ledger: &'a Ledger, intent: &Intent) -> Option<&'a Job> {
    ledger.job(job_kind(intent.kind)?, intent.job_id.as_deref()?)
}

fn is_completed(ledger: &Ledger, intent: &Intent) -> bool {
    job_of(ledger, intent).is_some_and(|job| job.state == crate::model::JobState::Completed)
}

/// What became of a paid test, as an observation of its probe. It begins with its create.
fn observed(watch: &Watch, begun_at: Timestamp, outcome: Outcome, at: Timestamp) -> Observation {
    let series = crate::model::Series::of(&watch.name);
    Observation {
        capabilities: watch.capabilities.clone(),
        begun_at: begun_at.min(at),
        outcome,
        answered: true,
        ..Observation::blank(series, watch.kind, at)
    }
}

/// True for what speaks against HeyGen when a test of ours ends so.
pub(crate) fn is_bad(kind: ProbeKind, outcome: Outcome) -> bool {
    match outcome {
        Outcome::JobFailed | Outcome::JobLost | Outcome::ResultInvalid => true,
        // Speech has no submit probe that could look again: its create is its result.
        Outcome::Unavailable
        | Outcome::ServerError
        | Outcome::GatewayError
        | Outcome::Malformed => kind == ProbeKind::Speech,
        _ => false,
    }
}

/// True for what speaks for HeyGen.
pub(crate) fn is_good(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::Slow)
}

/// The account as it was read before a paid test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) account: &'a AccountReading,
    pub(crate) headroom: crate::model::Usd,
}
