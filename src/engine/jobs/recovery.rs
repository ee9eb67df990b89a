//! When trouble with jobs is over (verdicts.md, section 4).
//!
//! Owns the end of an incident about jobs: nothing over its limit, and two jobs that entered later
//! left in time. Invariant: silence ends nothing.

use std::time::Duration;

use super::{Ledger, words};
use crate::engine::settings::Settings;
use crate::engine::words::between;
use crate::model::{Job, JobKind, JobState, Origin, Stage, Timestamp};

/// Jobs that have to leave in time (verdicts.md, section 4); as many as were late, up to the second
/// figure: one slow hour is over sooner than a slow day.
const IN_TIME: (usize, usize) = (2, 5);
/// A stage that takes so much longer than before an incident has a new normal.
const GROWN: f64 = 1.5;

/// When enough jobs that entered after the last offender left in time; `None` while they did not.
pub fn recovered(
    ledger: &Ledger,
    settings: &Settings,
    kind: JobKind,
    opened_at: Timestamp,
) -> Option<Timestamp> {
    let offended: Vec<Timestamp> = ledger
        .of(kind)
        .filter(|job| job.created_at >= opened_at && is_offender(ledger, settings, job))
        .map(|job| job.created_at)
        .collect();
    let last_offender = offended.iter().copied().max().unwrap_or(opened_at);
    let needed = offended.len().clamp(IN_TIME.0, IN_TIME.1);
    let mut later: Vec<&Job> = ledger
        .of(kind)
        .filter(|job| job.created_at > last_offender && job.state == JobState::Completed)
        .collect();
    later.sort_by_key(|job| job.created_at);
    // In a row: one quick job between slow ones is no recovery.
    let in_time = later.iter().rev().take_while(|job| is_in_time(ledger, settings, job)).count();
    (in_time >= needed)
        .then(|| later[later.len() - in_time + needed - 1].ended.map(|ended| ended.latest))
        .flatten()
}

/// How long the account's own jobs take lately, where that is much longer than it was: the limits
/// are learned from it from now on.
pub fn new_normal(
    ledger: &Ledger,
    settings: &Settings,
    kind: JobKind,
    opened_at: Timestamp,
) -> Option<String> {
    let limits = ledger.limits(settings);
    let grown = [Stage::Queue, Stage::Processing].into_iter().filter_map(|stage| {
        let (before, now) = limits.since((kind, Origin::Natural, stage), opened_at)?;
        (now >= before.mul_f64(GROWN)).then_some((stage, before, now))
    });
    let factor =
        |before: Duration, now: Duration| now.as_secs_f64() / before.as_secs_f64().max(1.0);
    let (stage, before, now) =
        grown.max_by(|a, b| factor(a.1, a.2).total_cmp(&factor(b.1, b.2)))?;
    Some(words::new_normal(kind, stage, before, now))
}

/// It took (or takes) longer than the late limit.
fn is_offender(ledger: &Ledger, settings: &Settings, job: &Job) -> bool {
    let limits = ledger.limits(settings);
    let is_over = |stage, took: Duration| took > limits.of_stage(job.kind, job.origin, stage).late;
    if job.state.is_live() {
        return limits.age(job).is_some_and(|age| age > limits.of(job).late);
    }
    let (Some(ended), JobState::Completed) = (job.ended, job.state) else {
        return false;
    };
    if let Some(started) = job.started {
        return is_over(Stage::Queue, between(job.created_at, started.earliest))
            || is_over(Stage::Processing, between(started.latest, ended.earliest));
    }
    let late_of = |stage| limits.of_stage(job.kind, job.origin, stage).late;
    let both = late_of(Stage::Queue).saturating_add(late_of(Stage::Processing));
    between(job.created_at, ended.earliest) > both
}

/// As quick as nine of ten are, or within the late limit where nothing is usual yet: the way back
/// is narrower than the way in, so that an incident does not flap. Measured as what is usual was:
/// at most so long.
fn is_in_time(ledger: &Ledger, settings: &Settings, job: &Job) -> bool {
    let limits = ledger.limits(settings);
    let Some(ended) = job.ended else {
        return false;
    };
    let within = |stage, took: Duration| {
        limits.baseline(job.kind, job.origin, stage).is_none_or(|usual| took <= usual.q90)
    };
    let is_quick = match (job.started, limits.whole_life(job.kind, job.origin)) {
        (Some(started), _) => {
            within(Stage::Queue, between(job.created_at, started.latest))
                && within(Stage::Processing, between(started.earliest, ended.latest))
        }
        (None, Some(usual)) => between(job.created_at, ended.latest) <= usual.q90,
        (None, None) => true,
    };
    is_quick && !is_offender(ledger, settings, job)
}
