//! What is usual for a stage, and from when on it is late or stuck (verdicts.md, section 4).
//!
//! Owns the samples and the two formulas. Invariant: a learned limit never falls under its floor.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::time::Duration;

use crate::engine::settings::{JobRules, Settings, StageRules};
use crate::engine::words::between;
use crate::model::{Baseline, Interval, Job, JobKind, JobState, Origin, Sample, Stage, Timestamp};

/// So many settled samples of each kind, origin and stage are kept (verdicts.md, section 4).
pub const MOST_SAMPLES: usize = 1_000;
/// So many more may wait to be settled; what a still busier account says besides is left out.
pub const MOST_WAITING: usize = 10_000;
/// Fewer say nothing.
const ENOUGH: usize = 20;
/// Two looks this close are as good as one.
const CLOSE_LOOKS: Duration = Duration::from_mins(2);
/// What is usual is what was usual until a day ago, where enough is known: else a slow day would
/// teach within hours that slow is normal, and nobody would ever hear of it.
pub const SETTLED_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

type Key = (JobKind, Origin, Option<Stage>);

/// What was learned.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    all: BTreeMap<Key, Series>,
}

/// The samples of one stage, in the order of their ends and by size.
#[derive(Debug, Clone, Default)]
struct Series {
    by_time: VecDeque<Measured>,
    by_size: Vec<Duration>,
    /// The first so many in time are settled.
    looked_at: usize,
    settled_by_size: Vec<Duration>,
}

/// One sample.
#[derive(Debug, Clone, Copy)]
struct Measured {
    at: Timestamp,
    duration: Duration,
    is_settled: bool,
}

/// Whether a sample counts at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settling {
    /// After a day, as usual.
    ByTime,
    /// At once: an incident has lasted for a day, and this is how it is from now on.
    AtOnce,
}

impl Samples {
    /// From what was stored, oldest first.
    pub(super) fn of(samples: Vec<Sample>, settling: impl Fn(&Sample) -> Settling) -> Self {
        let mut all = Self::default();
        for sample in samples {
            let key = (sample.kind, sample.origin, sample.stage);
            all.add(key, (sample.at, sample.duration), settling(&sample));
        }
        all
    }

    /// Learns from a job that has just completed.
    pub(super) fn learn(&mut self, job: &Job, settling: Settling) {
        let Some(ended) = job.ended.filter(|_| job.is_sample) else {
            return;
        };
        let mut add = |stage, duration| {
            self.add((job.kind, job.origin, stage), (ended.latest, duration), settling);
        };
        add(None, between(job.created_at, ended.latest));
        if let Some(started) = job.started {
            add(Some(Stage::Queue), between(job.created_at, started.latest));
            add(Some(Stage::Processing), between(started.earliest, ended.latest));
        }
    }

    /// Lets time pass: forgets what ended before `before`, settles what is a day old.
    pub(super) fn age(&mut self, before: Timestamp, now: Timestamp) {
        for series in self.all.values_mut() {
            series.settle(now);
            while series.by_time.front().is_some_and(|one| one.at < before) {
                series.drop_oldest();
            }
        }
    }

    fn add(&mut self, key: Key, (at, duration): (Timestamp, Duration), settling: Settling) {
        let series = self.all.entry(key).or_default();
        if series.by_time.len() >= MOST_SAMPLES + MOST_WAITING {
            return;
        }
        let place = series.by_time.partition_point(|known| known.at <= at);
        let is_looked_at = place < series.looked_at;
        let is_settled = is_looked_at || settling == Settling::AtOnce;
        series.by_time.insert(place, Measured { at, duration, is_settled });
        insert(&mut series.by_size, duration);
        if is_settled {
            insert(&mut series.settled_by_size, duration);
        }
        if is_looked_at {
            series.looked_at += 1;
        }
        series.forget_surplus();
    }

    fn baseline(&self, key: Key) -> Option<Baseline> {
        let series = self.all.get(&key)?;
        let is_settled = series.settled_by_size.len() >= ENOUGH;
        let sizes = if is_settled { &series.settled_by_size } else { &series.by_size };
        baseline_of(sizes)
    }
}

impl Series {
    /// The bound holds for what is settled: a busy account's last thousand jobs are of today, and
    /// today must not teach that it is usual.
    fn forget_surplus(&mut self) {
        while self.settled_by_size.len() > MOST_SAMPLES {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.by_time.pop_front() else { return };
        remove(&mut self.by_size, oldest.duration);
        if oldest.is_settled {
            remove(&mut self.settled_by_size, oldest.duration);
        }
        self.looked_at = self.looked_at.saturating_sub(1);
    }

    fn settle(&mut self, now: Timestamp) {
        while let Some(next) = self.by_time.get_mut(self.looked_at)
            && now.duration_since(next.at) >= SETTLED_AFTER
        {
            if !next.is_settled {
                next.is_settled = true;
                insert(&mut self.settled_by_size, next.duration);
            }
            self.looked_at += 1;
        }
        self.forget_surplus();
    }

    /// What nine of ten stayed under in what had ended by `at`, and in what has ended since; `None`
    /// where either are too few.
    fn compared(&self, at: Timestamp) -> Option<(Duration, Duration)> {
        let place = self.by_time.partition_point(|one| one.at <= at);
        let q90 = |range: Range<usize>| {
            let mut sizes: Vec<Duration> =
                self.by_time.range(range).map(|one| one.duration).collect();
            sizes.sort_unstable();
            baseline_of(&sizes).map(|baseline| baseline.q90)
        };
        Some((q90(0..place)?, q90(place..self.by_time.len())?))
    }
}

fn insert(sizes: &mut Vec<Duration>, duration: Duration) {
    let place = sizes.partition_point(|known| *known <= duration);
    sizes.insert(place, duration);
}

fn remove(sizes: &mut Vec<Duration>, duration: Duration) {
    if let Ok(place) = sizes.binary_search(&duration) {
        sizes.remove(place);
    }
}

/// What is usual, from ascending `sizes`; `None` when they are too few.
fn baseline_of(sizes: &[Duration]) -> Option<Baseline> {
    (sizes.len() >= ENOUGH).then(|| Baseline {
        count: sizes.len(),
        median: quantile(sizes, 50),
        q90: quantile(sizes, 90),
        q99: quantile(sizes, 99),
    })
}

/// Nearest rank; `sizes` ascending and not empty.
fn quantile(sizes: &[Duration], percent: usize) -> Duration {
    let rank = (sizes.len() * percent).div_ceil(100).clamp(1, sizes.len());
    sizes[rank - 1]
}

/// From when on a stage is late and stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageLimits {
    /// Late after this.
    pub late: Duration,
    /// Stuck after this.
    pub stuck: Duration,
}

/// What is usual and when a job is late, under the settings.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    pub(super) settings: &'a Settings,
    pub(super) samples: &'a Samples,
}

impl Limits<'_> {
    /// The limits of the stage in which a job is; of one that has ended, those of processing.
    pub fn of(&self, job: &Job) -> StageLimits {
        self.of_stage(job.kind, job.origin, stage_of(job))
    }

    /// The limits of a stage.
    pub fn of_stage(&self, kind: JobKind, origin: Origin, stage: Stage) -> StageLimits {
        let rules = self.settings.job_rules(kind);
        let by_origin = match stage {
            Stage::Queue => rules.queue.get(&origin),
            Stage::Submit | Stage::Processing => rules.processing.get(&origin),
        };
        let Some(rules) = by_origin else {
            return StageLimits { late: Duration::MAX, stuck: Duration::MAX };
        };
        learned(*rules, self.baseline(kind, origin, stage))
    }

    /// What is usual for a stage. Until processing is known by itself, whole lives stand for it.
    pub fn baseline(&self, kind: JobKind, origin: Origin, stage: Stage) -> Option<Baseline> {
        let own = self.samples.baseline((kind, origin, Some(stage)));
        match stage {
            Stage::Processing => own.or_else(|| self.samples.baseline((kind, origin, None))),
            Stage::Submit | Stage::Queue => own,
        }
    }

    /// What is usual for a whole life.
    pub fn whole_life(&self, kind: JobKind, origin: Origin) -> Option<Baseline> {
        self.samples.baseline((kind, origin, None))
    }

    /// What nine of ten stayed under in the jobs that counted as usual at `at`, and in those that
    /// have ended since these; `None` where either are too few. A busy account has forgotten what
    /// was usual then: what had ended by `at` stands for it.
    pub(super) fn since(
        &self,
        (kind, origin, stage): (JobKind, Origin, Stage),
        at: Timestamp,
    ) -> Option<(Duration, Duration)> {
        let series = self.samples.all.get(&(kind, origin, Some(stage)));
        let series = series.or_else(|| self.samples.all.get(&(kind, origin, None)))?;
        let settled_at = at.saturating_sub(SETTLED_AFTER).unwrap_or(at);
        series.compared(settled_at).or_else(|| series.compared(at))
    }

    /// How long a live job had certainly been in its stage when it was last seen; `None` for one
    /// that waits for its owner or has ended.
    pub fn age(&self, job: &Job) -> Option<Duration> {
        stage_begun_at(job).map(|begun| between(begun, job.seen_at))
    }
}

/// The stage in which a job is; of one that has ended, its last.
pub(super) fn stage_of(job: &Job) -> Stage {
    if job.state == JobState::Queued { Stage::Queue } else { Stage::Processing }
}

/// When a live job got into its stage: between two looks that follow each other closely the earlier
/// one, after a gap the later one, so that a gap of ours never makes a job look old.
pub(super) fn stage_begun_at(job: &Job) -> Option<Timestamp> {
    match job.state {
        JobState::Queued => Some(job.created_at),
        JobState::Processing => Some(job.started.map_or(job.first_seen_at, begun_at)),
        JobState::WaitingForInput
        | JobState::Completed
        | JobState::Failed
        | JobState::Rejected
        | JobState::Unpaid
        | JobState::Gone => None,
    }
}

fn begun_at(started: Interval) -> Timestamp {
    let is_close = between(started.earliest, started.latest) <= CLOSE_LOOKS;
    if is_close { started.earliest } else { started.latest }
}

/// What is usual for the whole life of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// So many lives were looked at.
    pub count: usize,
    /// Half took less; `None` when too few are known.
    pub median: Option<Duration>,
    /// Late after this.
    pub late: Duration,
}

impl Usual {
    /// From whole lives, in any order, with the limits of both stages together.
    pub fn of(rules: &JobRules, origin: Origin, mut lives: Vec<Duration>) -> Self {
        lives.sort_unstable();
        let stage = |rules: &BTreeMap<Origin, StageRules>| rules.get(&origin).copied();
        let both = stage(&rules.queue).zip(stage(&rules.processing));
        let baseline = baseline_of(&lives);
        let late = both.map_or(Duration::MAX, |(queue, processing)| {
            let whole = StageRules {
                floor: queue.floor + processing.floor,
                late: queue.late + processing.late,
                stuck: queue.stuck + processing.stuck,
            };
            learned(whole, baseline).late
        });
        Self { count: lives.len(), median: baseline.map(|one| one.median), late }
    }

    /// How much longer than usual that is: than half of the others, else than the limit.
    pub fn over(&self, took: Duration) -> Duration {
        took.saturating_sub(self.median.unwrap_or(self.late))
    }
}

/// The formulas of verdicts.md, section 4.
fn learned(rules: StageRules, baseline: Option<Baseline>) -> StageLimits {
    let Some(Baseline { q99, .. }) = baseline else {
        return StageLimits { late: rules.late, stuck: rules.stuck };
    };
    let late = q99.mul_f64(1.5).min(rules.late.max(q99.mul_f64(1.2)));
    let stuck = (q99 * 3).min(rules.stuck.max(q99 * 2));
    StageLimits { late: late.max(rules.floor), stuck: stuck.max(rules.floor * 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: u64) -> Duration {
        Duration::from_mins(count)
    }

    fn limits(q99_mins: u64) -> (u64, u64) {
        let rules = StageRules { floor: minutes(10), late: minutes(30), stuck: minutes(60) };
        let q99 = minutes(q99_mins);
        let baseline = Baseline { count: 20, median: q99, q90: q99, q99 };
        let limits = learned(rules, Some(baseline));
        (limits.late.as_secs() / 60, limits.stuck.as_secs() / 60)
    }

    #[test]
    fn a_learned_limit_may_exceed_the_ceilings_and_never_falls_under_the_floors() {
        assert_eq!(limits(1), (10, 20), "floors");
        assert_eq!(limits(10), (15, 30), "learned");
        assert_eq!(limits(25), (30, 60), "ceilings");
        assert_eq!(limits(100), (120, 200), "a slow account is not always late");
    }

    const KEY: Key = (JobKind::Video, Origin::Natural, Some(Stage::Processing));

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3_600).unwrap()
    }

    /// So many jobs in each of the hours, that take so long.
    fn busy(samples: &mut Samples, hours: Range<i64>, per_hour: i64, mins: u64) {
        for at in hours {
            samples.age(Timestamp::MIN, hour(at));
            for job in 0..per_hour {
                let ended = hour(at) + jiff::SignedDuration::from_secs(job);
                samples.add(KEY, (ended, minutes(mins)), Settling::ByTime);
            }
        }
    }

    #[test]
    fn the_day_of_a_busy_account_teaches_nothing_before_it_is_over() {
        let mut samples = Samples::default();
        busy(&mut samples, 0..60, 200, 3);
        busy(&mut samples, 60..80, 200, 30);
        let baseline = samples.baseline(KEY).unwrap();
        assert_eq!((baseline.count, baseline.q99), (MOST_SAMPLES, minutes(3)));
        busy(&mut samples, 80..100, 200, 30);
        assert_eq!(samples.baseline(KEY).unwrap().median, minutes(30));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut samples = Samples::default();
        busy(&mut samples, 0..72, 2_000, 3);
        assert_eq!(samples.all[&KEY].by_time.len(), MOST_SAMPLES + MOST_WAITING);
        assert_eq!(samples.baseline(KEY).unwrap().count, MOST_SAMPLES);
    }

    #[test]
    fn quantiles_are_ranks() {
        let sizes: Vec<Duration> = (1..=100).map(minutes).collect();
        assert_eq!(quantile(&sizes, 99), minutes(99));
        assert_eq!(quantile(&sizes, 50), minutes(50));
        assert_eq!(quantile(&sizes[..1], 99), minutes(1));
    }
}
