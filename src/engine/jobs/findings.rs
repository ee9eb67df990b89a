//! What the jobs say of HeyGen: stuck, late, failing, or just our own queue (verdicts.md, section 4).
//!
//! Owns the rules over live and lately ended jobs. Does not remember: everything follows from the
//! ledger as it is. Invariant: one slow job among others that finish is never an outage.

use std::time::Duration;

use jiff::SignedDuration;

use super::limits::{Limits, stage_begun_at};
use super::{Ledger, words};
use crate::engine::settings::Settings;
use crate::engine::words::between;
use crate::model::{
    Blame, Job, JobFailure, JobKind, JobState, Origin, Outcome, Reason, State, Timestamp,
};

/// Younger jobs that finished while one did not: it is that one alone.
const YOUNGER_FINISHED: usize = 3;
/// Distinct natural jobs that have to fail before it is HeyGen's failing.
const FAILING: usize = 3;
/// They have to have ended within this.
const FAILING_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What the jobs of one kind say.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which jobs.
    pub kind: JobKind,
    /// Whose job shows it: tells which probe saw it.
    pub origin: Origin,
    /// What it makes of the capability.
    pub state: State,
    /// Whose move it is.
    pub blame: Blame,
    /// Why.
    pub reason: Reason,
    /// The word of the observation.
    pub outcome: Outcome,
    /// When the oldest of the jobs was created: job observations begin there.
    pub since: Timestamp,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// Ids of the jobs concerned, oldest first, at most six.
    pub jobs: Vec<String>,
    /// One plain sentence without a full stop.
    pub text: String,
    /// HeyGen's own words, of a failure.
    pub failure: Option<JobFailure>,
}

/// At most so many ids are named.
const NAMED: usize = 6;

/// What the jobs of every kind say; the worst first within a kind.
pub fn findings(ledger: &Ledger, settings: &Settings, now: Timestamp) -> Vec<Finding> {
    let of_kind = |kind| {
        let scene = Scene::of(ledger, settings, kind, now);
        let stalled = scene.stuck().or_else(|| scene.single()).or_else(|| scene.late());
        let all = [stalled, scene.failing(), scene.unpaid(), scene.backlog()];
        all.into_iter().flatten()
    };
    JobKind::ALL.into_iter().flat_map(of_kind).collect()
}

/// The jobs of one kind, with what is asked of each that waits: looked up once, for a batch may be
/// of thousands.
#[derive(Debug)]
struct Scene<'a> {
    ledger: &'a Ledger,
    limits: Limits<'a>,
    kind: JobKind,
    now: Timestamp,
    live: Vec<&'a Job>,
    /// When those that are completed were created, in order.
    completed: Vec<Timestamp>,
    own: Flow,
    others: Flow,
    /// Jobs of any kind that are being made.
    processing: usize,
    has_room: bool,
}

/// Jobs that left the queue.
#[derive(Debug, Clone, Copy)]
struct Flow {
    /// When the youngest of them was created.
    youngest: Option<Timestamp>,
    /// When the last of them left.
    last: Option<Timestamp>,
}

impl Flow {
    fn of<'a>(jobs: impl Iterator<Item = &'a Job>) -> Self {
        let left = jobs.filter_map(|job| Some((job.created_at, left_queue_at(job)?)));
        left.fold(Self { youngest: None, last: None }, |flow, (created_at, left_at)| Self {
            youngest: flow.youngest.max(Some(created_at)),
            last: flow.last.max(Some(left_at)),
        })
    }
}

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Late,
    Stuck,
}

/// Whether a job over its limit says something of HeyGen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Evidence,
    OwnBacklog,
}

impl<'a> Scene<'a> {
    fn of(ledger: &'a Ledger, settings: &'a Settings, kind: JobKind, now: Timestamp) -> Self {
        let completed = ledger.of(kind).filter(|job| job.state == JobState::Completed);
        let mut completed: Vec<Timestamp> = completed.map(|job| job.created_at).collect();
        completed.sort_unstable();
        let is_live = |job: &&Job| job.state.is_live() && !job.is_abandoned;
        let is_made = |job: &&Job| job.state == JobState::Processing && !job.is_abandoned;
        let processing = ledger.all().filter(is_made).count();
        let places = usize::try_from(settings.concurrency).unwrap_or(usize::MAX);
        Self {
            ledger,
            limits: ledger.limits(settings),
            kind,
            now,
            live: ledger.of(kind).filter(is_live).collect(),
            completed,
            own: Flow::of(ledger.of(kind)),
            others: Flow::of(ledger.all().filter(|job| job.kind != kind)),
            processing,
            has_room: processing < places,
        }
    }

    /// Live jobs over a limit that say something of HeyGen, oldest first.
    fn over(&self, limit: Limit) -> Vec<&'a Job> {
        let weighs = |job: &&Job| self.weight(job, limit) == Some(Weight::Evidence);
        let mut over: Vec<&Job> = self.live.iter().copied().filter(weighs).collect();
        over.sort_by_key(|job| job.created_at);
        over
    }

    fn bound(&self, job: &Job, limit: Limit) -> Duration {
        let limits = self.limits.of(job);
        match limit {
            Limit::Late => limits.late,
            Limit::Stuck => limits.stuck,
        }
    }

    /// `None` when it is not over the limit.
    fn weight(&self, job: &Job, limit: Limit) -> Option<Weight> {
        let bound = self.bound(job, limit);
        if self.limits.age(job)? <= bound {
            return None;
        }
        let is_evidence =
            job.state != JobState::Queued || self.is_overtaken(job) || self.is_idle(job, bound);
        Some(if is_evidence { Weight::Evidence } else { Weight::OwnBacklog })
    }

    /// A job of its kind that was created later has left the queue.
    fn is_overtaken(&self, job: &Job) -> bool {
        self.own.youngest.is_some_and(|youngest| youngest > job.created_at)
    }

    /// Nothing of the account left the queue for that long, while there was room; or nothing of its
    /// kind, while one of the other kind that was created later did: there was room for that one.
    fn is_idle(&self, job: &Job, bound: Duration) -> bool {
        let is_quiet =
            |left: Option<Timestamp>| left.is_none_or(|left| between(left, job.seen_at) >= bound);
        let is_overtaken_by_other =
            self.others.youngest.is_some_and(|youngest| youngest > job.created_at);
        self.has_room
            && is_quiet(self.own.last)
            && (is_quiet(self.others.last) || is_overtaken_by_other)
    }

    fn finished_after(&self, job: &Job) -> usize {
        self.completed.len() - self.completed.partition_point(|at| *at <= job.created_at)
    }

    fn stuck(&self) -> Option<Finding> {
        let over = self.stalled(Limit::Stuck)?;
        Some(self.finding(&over, State::Outage, Reason::JobsStuck, Limit::Stuck))
    }

    fn late(&self) -> Option<Finding> {
        let over = self.stalled(Limit::Late)?;
        Some(self.finding(&over, State::Degraded, Reason::JobsLate, Limit::Late))
    }

    /// Two or more over the limit and none submitted later has finished, or the only one that
    /// lives; jobs that three younger ones overtook are a matter of their own.
    fn stalled(&self, limit: Limit) -> Option<Vec<&'a Job>> {
        let over: Vec<&Job> = self
            .over(limit)
            .into_iter()
            .filter(|job| self.finished_after(job) < YOUNGER_FINISHED)
            .collect();
        let first = over.first()?;
        let is_only = self.live.len() == 1;
        let is_stalled = (over.len() >= 2 || is_only) && self.finished_after(first) == 0;
        is_stalled.then_some(over)
    }

    fn single(&self) -> Option<Finding> {
        let is_only = self.live.len() == 1;
        let needed = if is_only { 1 } else { YOUNGER_FINISHED };
        let over: Vec<&Job> = self
            .over(Limit::Stuck)
            .into_iter()
            .filter(|job| self.finished_after(job) >= needed)
            .collect();
        if over.is_empty() {
            return None;
        }
        let mut finding =
            self.finding(&over, State::Degraded, Reason::SingleJobStuck, Limit::Stuck);
        finding.text = words::single(self.kind, &over, &self.limits);
        Some(finding)
    }

    fn finding(&self, over: &[&Job], state: State, reason: Reason, limit: Limit) -> Finding {
        let oldest = over[0];
        let is_queued = oldest.state == JobState::Queued;
        let outcome = match (limit, is_queued) {
            (Limit::Stuck, true) => Outcome::QueueStuck,
            (Limit::Stuck, false) => Outcome::ProcessingStuck,
            (Limit::Late, true) => Outcome::QueueLate,
            (Limit::Late, false) => Outcome::ProcessingLate,
        };
        Finding {
            kind: self.kind,
            origin: oldest.origin,
            state,
            blame: Blame::Provider,
            reason,
            outcome,
            since: oldest.created_at,
            seen_at: over.iter().map(|job| job.seen_at).max().unwrap_or(oldest.seen_at),
            jobs: over.iter().take(NAMED).map(|job| job.id.clone()).collect(),
            text: words::waited(self.kind, over, &self.limits),
            failure: None,
        }
    }

    /// Natural jobs fail for a reason that is not theirs, in numbers.
    fn failing(&self) -> Option<Finding> {
        let lately = |job: &&Job| {
            job.origin == Origin::Natural
                && job.ended.is_some_and(|ended| {
                    self.now.duration_since(ended.latest) <= FAILING_WITHIN
                        && self.now >= ended.latest
                })
        };
        let ended: Vec<&Job> = self.ledger.of(self.kind).filter(lately).collect();
        let mut failed: Vec<&Job> =
            ended.iter().copied().filter(|job| job.state == JobState::Failed).collect();
        failed.sort_by_key(|job| job.created_at);
        if failed.len() < FAILING || failed.len() * 2 < ended.len() {
            return None;
        }
        let last = failed.last()?;
        Some(Finding {
            kind: self.kind,
            origin: Origin::Natural,
            state: State::Outage,
            blame: Blame::Provider,
            reason: Reason::JobsFailing,
            outcome: Outcome::JobFailed,
            since: failed[0].created_at,
            seen_at: last.seen_at,
            jobs: failed.iter().take(NAMED).map(|job| job.id.clone()).collect(),
            text: words::failing(self.kind, failed.len(), ended.len()),
            failure: last.failure.clone(),
        })
    }

    /// The last job that was refused for want of credit, until one is paid for again or the
    /// balance rises.
    fn unpaid(&self) -> Option<Finding> {
        let natural = |job: &&Job| job.origin == Origin::Natural;
        let unpaid = self
            .ledger
            .of(self.kind)
            .filter(natural)
            .filter(|job| job.state == JobState::Unpaid)
            .max_by_key(|job| job.created_at)?;
        let is_paid_again = |job: &Job| {
            job.created_at > unpaid.created_at
                && matches!(job.state, JobState::Processing | JobState::Completed)
        };
        let (since, _) = self.ledger.unpaid_at.as_ref()?;
        if self.ledger.of(self.kind).any(is_paid_again) {
            return None;
        }
        Some(Finding {
            kind: self.kind,
            origin: Origin::Natural,
            state: State::Outage,
            blame: Blame::Account,
            reason: Reason::Outcome(Outcome::InsufficientCredit),
            outcome: Outcome::InsufficientCredit,
            since: unpaid.created_at.min(*since),
            seen_at: unpaid.seen_at,
            jobs: vec![unpaid.id.clone()],
            text: words::unpaid(self.kind),
            failure: unpaid.failure.clone(),
        })
    }

    /// Jobs wait long, and it is our own queue.
    fn backlog(&self) -> Option<Finding> {
        let waits = |job: &&Job| self.weight(job, Limit::Late) == Some(Weight::OwnBacklog);
        let mut waiting: Vec<&Job> = self.live.iter().copied().filter(waits).collect();
        waiting.sort_by_key(|job| job.created_at);
        let oldest = waiting.first()?;
        let queued = self.live.iter().filter(|job| job.state == JobState::Queued).count();
        Some(Finding {
            kind: self.kind,
            origin: Origin::Natural,
            state: State::Degraded,
            blame: Blame::Account,
            reason: Reason::OwnBacklog,
            outcome: Outcome::Ok,
            since: oldest.created_at,
            seen_at: oldest.seen_at,
            jobs: Vec::new(),
            text: words::backlog(self.kind, queued, self.processing),
            failure: None,
        })
    }
}

/// When a job left the queue at the latest; deleted ones did not leave it by themselves.
fn left_queue_at(job: &Job) -> Option<Timestamp> {
    match job.state {
        JobState::Queued | JobState::Gone => None,
        JobState::Processing
        | JobState::WaitingForInput
        | JobState::Completed
        | JobState::Failed
        | JobState::Rejected
        | JobState::Unpaid => job.started.or(job.ended).map(|change| change.latest),
    }
}

/// Since when the oldest job of this set has been in its stage; for pages.
pub(super) fn oldest_since<'a>(jobs: impl Iterator<Item = &'a Job>) -> Option<Timestamp> {
    jobs.filter_map(stage_begun_at).min()
}
