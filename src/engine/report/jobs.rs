//! The account's own jobs: which came in time, and how late the others were.
//!
//! Owns what counts as late over a whole life. Invariant: a job that failed for its input or for
//! want of money is nobody's fault of HeyGen's, and counts for neither side.

use std::collections::BTreeMap;
use std::time::Duration;

use super::figures::Share;
use crate::engine::jobs::Usual;
use crate::engine::settings::Settings;
use crate::engine::words;
use crate::model::{Job, JobFailure, JobKind, JobState, Origin, Timestamp};

/// The account's jobs of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsReport {
    /// Which.
    pub kind: JobKind,
    /// Those that came in time, came late or failed on HeyGen's side.
    pub judged: usize,
    /// Late ones, finished or not.
    pub late: usize,
    /// Failed on HeyGen's side.
    pub failed: usize,
    /// How much longer than usual the late ones took, all together.
    pub waited: Duration,
    /// The longest of these.
    pub longest: Duration,
    /// Half of the others took less; `None` when too few are known.
    pub usually: Option<Duration>,
}

impl JobsReport {
    /// The share that came in time.
    pub fn experienced(&self) -> Option<Share> {
        Share::of(self.judged - self.late - self.failed, self.judged)
    }
}

/// A job that was late or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateJob {
    /// HeyGen's id.
    pub id: String,
    /// Which kind.
    pub kind: JobKind,
    /// Whose.
    pub origin: Origin,
    /// What became of it.
    pub state: JobState,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it ended at the latest; `None` while it lives.
    pub ended_at: Option<Timestamp>,
    /// How long it took, or has taken so far.
    pub took: Duration,
    /// How much longer than usual; `None` for one that failed.
    pub late_by: Option<Duration>,
    /// Why it failed, in HeyGen's words, without the queries of addresses.
    pub failure: Option<JobFailure>,
}

/// What became of a job, as far as it is HeyGen's.
enum Fate {
    InTime,
    Late(Duration),
    Failed,
    /// Not judged: not over yet, or not HeyGen's.
    Neither,
}

/// The report of one kind; `None` when there is nothing to judge.
pub(super) fn of_kind(
    settings: &Settings,
    kind: JobKind,
    jobs: &[Job],
    now: Timestamp,
) -> Option<JobsReport> {
    let usual = usual(settings, kind, Origin::Natural, jobs);
    let mut report = JobsReport {
        kind,
        judged: 0,
        late: 0,
        failed: 0,
        waited: Duration::ZERO,
        longest: Duration::ZERO,
        usually: usual.median,
    };
    for job in jobs.iter().filter(|job| job.kind == kind && job.origin == Origin::Natural) {
        match fate(job, usual, now) {
            Fate::Neither => continue,
            Fate::InTime => {}
            Fate::Failed => report.failed += 1,
            Fate::Late(by) => {
                report.late += 1;
                report.waited += by;
                report.longest = report.longest.max(by);
            }
        }
        report.judged += 1;
    }
    (report.judged > 0).then_some(report)
}

/// The late and failed ones among `jobs`, the latest first; `all` teaches what is usual.
pub(super) fn late(
    settings: &Settings,
    jobs: &[&Job],
    all: &[Job],
    now: Timestamp,
) -> Vec<LateJob> {
    let mut known = BTreeMap::new();
    let of = |job: &&Job| {
        let usual = *known
            .entry((job.kind, job.origin))
            .or_insert_with(|| usual(settings, job.kind, job.origin, all));
        let late_by = match fate(job, usual, now) {
            Fate::Late(by) => Some(by),
            Fate::Failed => None,
            Fate::InTime | Fate::Neither => return None,
        };
        Some(LateJob {
            id: job.id.clone(),
            kind: job.kind,
            origin: job.origin,
            state: job.state,
            created_at: job.created_at,
            ended_at: job.ended.map(|ended| ended.latest),
            took: took(job, now),
            late_by,
            failure: job.failure.as_ref().map(|failure| JobFailure {
                code: failure.code.as_deref().map(without_queries),
                message: failure.message.as_deref().map(without_queries),
            }),
        })
    };
    let mut late: Vec<LateJob> = jobs.iter().filter_map(of).collect();
    late.sort_by(|one, other| other.late_by.cmp(&one.late_by).then(one.id.cmp(&other.id)));
    late
}

/// The query of an address may be the key to a customer's file.
pub(super) fn without_queries(text: &str) -> String {
    let clean = |word: &str| match word.split_once('?') {
        Some((address, _)) if address.contains("://") => format!("{address}?…"),
        _ => word.to_owned(),
    };
    text.split(' ').map(clean).collect::<Vec<_>>().join(" ")
}

fn usual(settings: &Settings, kind: JobKind, origin: Origin, jobs: &[Job]) -> Usual {
    let is_sample = |job: &&Job| {
        job.kind == kind
            && job.origin == origin
            && job.is_sample
            && job.state == JobState::Completed
    };
    let lives = jobs.iter().filter(is_sample);
    let lives = lives.filter_map(|job| Some(words::between(job.created_at, job.ended?.latest)));
    Usual::of(&settings.job_rules(kind), origin, lives.collect())
}

fn fate(job: &Job, usual: Usual, now: Timestamp) -> Fate {
    let took = took(job, now);
    let is_late = took > usual.late;
    match job.state {
        _ if job.is_abandoned => Fate::Neither,
        JobState::Failed => Fate::Failed,
        JobState::Completed if job.ended.is_none() => Fate::Neither,
        JobState::Completed if !is_late => Fate::InTime,
        JobState::Completed | JobState::Queued | JobState::Processing if is_late => {
            Fate::Late(usual.over(took))
        }
        JobState::Completed
        | JobState::Queued
        | JobState::Processing
        | JobState::WaitingForInput
        | JobState::Rejected
        | JobState::Unpaid
        | JobState::Gone => Fate::Neither,
    }
}

fn took(job: &Job, now: Timestamp) -> Duration {
    words::between(job.created_at, job.ended.map_or(now, |ended| ended.latest))
}
