//! What a report changes.
//!
//! Owns the transitions of an intent. Invariant: total; a report about an intent that is not
//! waiting for it changes nothing.

use jiff::SignedDuration;

use super::judge::{self, Sentence};
use super::plan::Signals;
use super::{Canaries, DELETE_PAUSES, Means, SEARCHES, paid};
use crate::engine::jobs::stages::job_kind;
use crate::engine::jobs::{Ledger, Trouble};
use crate::engine::settings::{Settings, Watch};
use crate::model::{
    AccountReading, Finding, Intent, IntentState, Job, Observation, Outcome, ProbeKind, Report,
    Timestamp,
};

/// A read that failed is tried again after this.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// Fetching a result in vain for want of an answer is given up after so many tries.
const MOST_FETCHES: u32 = 20;
/// A result that is refused or broken is fetched once more.
const FETCHES: u32 = 2;

/// What a report changed. All of it is to be stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moved {
    /// Intents that are new or moved.
    pub intents: Vec<Intent>,
    /// Jobs that are new or changed.
    pub jobs: Vec<Job>,
    /// What was seen.
    pub observation: Option<Box<Observation>>,
    /// The account.
    pub account: Option<AccountReading>,
}

/// What a report is weighed against.
pub struct Bench<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// The probe.
    pub watch: &'a Watch,
    /// The jobs.
    pub ledger: &'a mut Ledger,
    /// What else is known.
    pub signals: Signals,
    /// Trouble whose durations are not learned from.
    pub trouble: Option<Trouble>,
    /// As of when.
    pub now: Timestamp,
}

impl Canaries {
    /// Takes in a report.
    pub fn take(&mut self, mut bench: Bench<'_>, report: &Report) -> Moved {
        match &report.finding {
            Finding::Prepared { account, headroom } => {
                let means = Means { account, headroom: *headroom };
                let mut moved = self.prepared(&bench, Some(means));
                moved.account = Some(account.as_ref().clone());
                moved
            }
            Finding::Unprepared => self.prepared(&bench, None),
            Finding::Swept { .. } => {
                self.desk(&report.probe).swept_at = Some(report.ended_at);
                Moved::default()
            }
            _ => self.moved(&mut bench, report).unwrap_or_default(),
        }
    }

    fn prepared(&mut self, bench: &Bench<'_>, means: Option<Means<'_>>) -> Moved {
        let rules = paid(bench.settings).find(|(watch, _)| watch.name == bench.watch.name);
        let is_busy = self.of(&bench.watch.name).any(super::is_in_flight);
        let Some(paid) = rules.filter(|_| !is_busy && bench.settings.budget.canaries) else {
            return Moved::default();
        };
        match self.decide(bench.settings, paid, &bench.signals, means, bench.now) {
            Ok(intent) => Moved { intents: vec![intent], ..Moved::default() },
            Err(skipped) => Moved { observation: Some(skipped), ..Moved::default() },
        }
    }

    fn moved(&mut self, bench: &mut Bench<'_>, report: &Report) -> Option<Moved> {
        let id = report.intent?;
        let before = self.intent_mut(id)?.clone();
        let mut intent = before.clone();
        let step = match (&report.finding, before.state) {
            (Finding::Accepted { job_id }, IntentState::Intended) => {
                accepted(&mut intent, bench, report, job_id.as_deref())
            }
            (Finding::Found { job_id }, IntentState::Ambiguous) => {
                accepted(&mut intent, bench, report, Some(job_id))
            }
            (Finding::Refused, IntentState::Intended) => refused(&mut intent, report),
            (Finding::Ambiguous, IntentState::Intended) => ambiguous(&mut intent, report),
            (Finding::NotFound, IntentState::Ambiguous) => not_found(&mut intent, bench.now),
            (Finding::Seen(sighting), IntentState::Accepted) => {
                let job = bench.ledger.hear(bench.settings, sighting, bench.trouble);
                let mut step = self.seen(&mut intent, bench, sighting.has_url);
                step.job = job;
                step
            }
            (Finding::Checked, IntentState::Accepted) => checked(&mut intent, bench, report),
            (Finding::Deleted, IntentState::Judged) => closed(&mut intent),
            (Finding::NotDeleted, IntentState::Judged) => not_deleted(&mut intent, report),
            (Finding::Unanswered, IntentState::Accepted) => {
                unanswered(&mut intent, bench, self.backoff(bench, id))
            }
            _ => Step::after(READ_AGAIN),
        };
        self.settle(bench, &before, intent, step)
    }

    /// Takes the step over and answers what has to be stored.
    fn settle(
        &mut self,
        bench: &Bench<'_>,
        before: &Intent,
        mut intent: Intent,
        step: Step,
    ) -> Option<Moved> {
        let pace = self.pace.entry(intent.id).or_default();
        pace.polls = if step.is_poll { pace.polls.saturating_add(1) } else { 0 };
        pace.next_at = bench.now.saturating_add(step.wait).ok();
        let is_moved = intent != *before;
        if is_moved {
            intent.changed_at = bench.now;
            *self.intent_mut(intent.id)? = intent.clone();
        }
        Some(Moved {
            intents: is_moved.then_some(intent).into_iter().collect(),
            jobs: step.job.into_iter().collect(),
            observation: step.observation,
            account: None,
        })
    }

    /// A look at the job of an intent that was accepted.
    fn seen(&self, intent: &mut Intent, bench: &Bench<'_>, has_url: bool) -> Step {
        match judge::by_job(bench.ledger, bench.settings, intent, has_url, bench.now) {
            Sentence::GoOn => Step::poll(self.backoff(bench, intent.id)),
            Sentence::Fetch => Step::after(SignedDuration::ZERO),
            Sentence::FetchLater => Step::after(READ_AGAIN),
            Sentence::Stuck(outcome, text) => {
                intent.outcome = Some(outcome);
                let seen = judge::observation(bench.watch, intent, outcome, &text, bench.now);
                Step { observation: Some(seen), ..Step::poll(self.backoff(bench, intent.id)) }
            }
            Sentence::Ended(outcome, text, state) => {
                intent.outcome = Some(outcome);
                intent.state = state;
                let seen = judge::observation(bench.watch, intent, outcome, &text, bench.now);
                Step { observation: Some(seen), ..Step::after(SignedDuration::ZERO) }
            }
            Sentence::GivenUp => {
                intent.state = IntentState::Closed;
                Step::after(SignedDuration::ZERO)
            }
        }
    }

    /// `poll_min`, doubling up to `poll_max`.
    fn backoff(&self, bench: &Bench<'_>, id: crate::model::IntentId) -> SignedDuration {
        let Some(kind) = job_kind(bench.watch.kind) else {
            return READ_AGAIN;
        };
        let rules = bench.settings.job_rules(kind);
        let polls = self.pace.get(&id).map_or(0, |pace| pace.polls).min(16);
        let wait = rules.poll_min.saturating_mul(1 << polls).min(rules.poll_max);
        SignedDuration::try_from(wait).unwrap_or(READ_AGAIN)
    }
}

/// What one report leads to besides the state of the intent.
#[derive(Debug, Default)]
struct Step {
    wait: SignedDuration,
    is_poll: bool,
    job: Option<Job>,
    observation: Option<Box<Observation>>,
}

impl Step {
    fn after(wait: SignedDuration) -> Self {
        Self { wait, ..Self::default() }
    }

    fn poll(wait: SignedDuration) -> Self {
        Self { wait, is_poll: true, ..Self::default() }
    }

    fn seen(observation: Option<Box<Observation>>) -> Self {
        Self { observation, ..Self::default() }
    }
}

fn accepted(
    intent: &mut Intent,
    bench: &mut Bench<'_>,
    report: &Report,
    job_id: Option<&str>,
) -> Step {
    let (Some(job_id), Some(kind)) = (job_id, job_kind(intent.kind)) else {
        // Speech answers with its result.
        intent.state = IntentState::Closed;
        intent.outcome = report.observation.as_ref().map(|seen| seen.outcome);
        return Step::seen(report.observation.clone());
    };
    intent.state = IntentState::Accepted;
    intent.job_id = Some(job_id.to_owned());
    let job = bench.ledger.adopt(kind, job_id, intent.created_at, report.ended_at);
    let poll_min = bench.settings.job_rules(kind).poll_min;
    let wait = SignedDuration::try_from(poll_min).unwrap_or(READ_AGAIN);
    Step { job: Some(job), ..Step::poll(wait) }
}

fn refused(intent: &mut Intent, report: &Report) -> Step {
    intent.state = IntentState::Refused;
    intent.outcome = report.observation.as_ref().map(|seen| seen.outcome);
    Step::seen(report.observation.clone())
}

fn ambiguous(intent: &mut Intent, report: &Report) -> Step {
    if intent.kind == ProbeKind::Speech {
        // Nothing can be found again: it counts as spent.
        intent.state = IntentState::Closed;
        intent.outcome = report.observation.as_ref().map(|seen| seen.outcome);
    } else {
        intent.state = IntentState::Ambiguous;
    }
    Step::seen(report.observation.clone())
}

fn not_found(intent: &mut Intent, now: Timestamp) -> Step {
    intent.searches = intent.searches.saturating_add(1);
    let last = SEARCHES[SEARCHES.len() - 1];
    if now.duration_since(intent.created_at) >= last {
        intent.state = IntentState::Absent;
    }
    Step::default()
}

fn checked(intent: &mut Intent, bench: &Bench<'_>, report: &Report) -> Step {
    let outcome = report.observation.as_ref().map_or(Outcome::Ok, |seen| seen.outcome);
    if outcome == Outcome::ResultInvalid {
        intent.misses = intent.misses.saturating_add(1);
        if intent.misses < FETCHES {
            return Step::after(READ_AGAIN);
        }
    }
    intent.outcome = Some(outcome);
    intent.state = IntentState::Judged;
    let seen = report.observation.clone().map(|mut seen| {
        seen.begun_at = intent.created_at.min(seen.ended_at);
        seen.capabilities.clone_from(&bench.watch.capabilities);
        seen
    });
    Step::seen(seen)
}

fn closed(intent: &mut Intent) -> Step {
    intent.state = IntentState::Closed;
    Step::default()
}

fn not_deleted(intent: &mut Intent, report: &Report) -> Step {
    let tried = usize::try_from(intent.failed_deletes).unwrap_or(usize::MAX);
    let observation = report.observation.clone().filter(|_| tried == 0);
    intent.failed_deletes = intent.failed_deletes.saturating_add(1);
    let Some(pause) = DELETE_PAUSES.get(tried) else {
        // The sweep for leftovers comes back to it.
        intent.state = IntentState::Closed;
        return Step::seen(observation);
    };
    Step { observation, ..Step::after(*pause) }
}

fn unanswered(intent: &mut Intent, bench: &Bench<'_>, backoff: SignedDuration) -> Step {
    if !super::is_completed(bench.ledger, intent) {
        return Step::poll(backoff.max(READ_AGAIN));
    }
    intent.misses = intent.misses.saturating_add(1);
    if intent.misses >= MOST_FETCHES {
        // It was made; whether it is any good was never learned.
        intent.state = IntentState::Judged;
    }
    Step::after(READ_AGAIN)
}
