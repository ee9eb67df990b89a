//! The account's jobs: what is known of each, and what has been learned of their pace.
//!
//! Owns the ledger: how a look at a job changes what is known of it. Limits, rules and recovery
//! have files of their own. Does not judge HeyGen. Invariant: everything here follows from the
//! sightings and from the rows that were stored; a title never gets here unless it may be kept.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::settings::{JobsWatch, Settings, Watch};
use crate::model::{
    AccountReading, Backfill, Blame, Followed, Incident, Interval, Job, JobKind, JobPosition,
    JobState, JobStatus, JobsReading, Origin, Owner, Sample, Sighting, Timestamp,
};

pub mod failure;
pub mod findings;
pub mod limits;
pub mod recovery;
pub mod stages;
mod words;

use failure::Failing;
pub use limits::Usual;
use limits::{Limits, Samples, Settling};

pub use findings::{Finding, findings};
pub use recovery::{new_normal, recovered};
pub use stages::stages;
pub(crate) use words::{NEW_NORMAL, noun};

/// Jobs that ended are remembered for this long: rules look at what finished around the live ones.
const KEPT: SignedDuration = SignedDuration::from_hours(26);
/// A stuck job is rubbish after this long (verdicts.md, section 4).
const RUBBISH_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// A job that was created just now may not be found yet (verdicts.md, section 4).
pub const FOUND_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Jobs that overlap so much of the beginning of an incident teach nothing, later ones at once.
const FIRST_DAY: SignedDuration = SignedDuration::from_hours(24);
/// Completed jobs of this long teach what is usual.
const LEARNED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is known of the account's jobs.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    jobs: BTreeMap<(JobKind, String), Job>,
    samples: Samples,
    positions: BTreeMap<JobKind, JobPosition>,
    progress: BTreeMap<JobKind, Progress>,
    /// When a list of a kind was last read.
    read_at: BTreeMap<JobKind, Timestamp>,
    /// What each pool held when a job was last refused for want of credit.
    pub(super) unpaid_at: Option<(Timestamp, Option<AccountReading>)>,
}

/// The last job that advanced or finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// When the job was created: a job observation begins there.
    pub begun_at: Timestamp,
    /// When it advanced, as far as that is known.
    pub at: Timestamp,
    /// Whose it was.
    pub origin: Origin,
}

/// A stretch of trouble whose durations are not learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// When an incident of HeyGen's that is open now began.
    pub since: Timestamp,
}

impl Ledger {
    /// Goes on from what was stored; of the incidents those that were open within the last day.
    pub fn recall(
        jobs: Vec<Job>,
        samples: Vec<Sample>,
        positions: Vec<JobPosition>,
        incidents: &[Incident],
        now: Timestamp,
    ) -> Self {
        let samples = Samples::of(samples, |sample| settling_then(incidents, sample));
        let mut ledger = Self { samples, ..Self::default() };
        for position in positions {
            ledger.positions.insert(position.kind, position);
        }
        for job in jobs {
            if let Some(at) = moved_at(&job).filter(|at| *at <= now) {
                ledger.advance(
                    job.kind,
                    Progress { begun_at: job.created_at, at, origin: job.origin },
                );
            }
            ledger.jobs.insert((job.kind, job.id.clone()), job);
        }
        ledger
    }

    /// Takes in what one run of the queue probe says; answers the jobs that are new or changed.
    pub fn read(
        &mut self,
        settings: &Settings,
        reading: &JobsReading,
        trouble: Option<Trouble>,
    ) -> Vec<Job> {
        let is_first = !self.positions.contains_key(&reading.kind);
        let watch = settings.watch(&reading.probe);
        let ignored = watch.map_or(RUBBISH_AFTER, ignore_older_than);
        let look = Look { settings, ignored, is_first, trouble };
        let changed: Vec<Job> =
            reading.sightings.iter().filter_map(|seen| self.see(&look, seen)).collect();
        self.position(reading);
        self.read_at.insert(reading.kind, reading.at);
        changed
    }

    /// Takes in one sighting of a job that is followed already.
    pub fn hear(
        &mut self,
        settings: &Settings,
        sighting: &Sighting,
        trouble: Option<Trouble>,
    ) -> Option<Job> {
        let look = Look { settings, ignored: RUBBISH_AFTER, is_first: false, trouble };
        self.see(&look, sighting)
    }

    /// Follows a job of ours from now on.
    pub fn adopt(&mut self, kind: JobKind, id: &str, created_at: Timestamp, at: Timestamp) -> Job {
        let job = Job {
            kind,
            id: id.to_owned(),
            origin: Origin::Canary,
            title: None,
            created_at,
            first_seen_at: at,
            seen_at: at,
            state: JobState::Queued,
            started: None,
            ended: None,
            is_abandoned: false,
            is_sample: false,
            failure: None,
        };
        self.jobs.entry((kind, id.to_owned())).or_insert_with(|| job.clone()).clone()
    }

    /// Lets go of what is too old to matter; answers the jobs that became rubbish.
    pub fn age(&mut self, settings: &Settings, now: Timestamp) -> Vec<Job> {
        let limits = Limits { settings, samples: &self.samples };
        let mut changed = Vec::new();
        for job in self.jobs.values_mut().filter(|job| job.state.is_live() && !job.is_abandoned) {
            let is_over = limits.age(job).is_some_and(|age| age > limits.of(job).stuck);
            if is_over && now.duration_since(job.created_at) > RUBBISH_AFTER {
                job.is_abandoned = true;
                changed.push(job.clone());
            }
        }
        let is_kept = |job: &Job| {
            job.state.is_live()
                || job.ended.is_none_or(|ended| now.duration_since(ended.latest) <= KEPT)
        };
        self.jobs.retain(|_, job| is_kept(job));
        self.samples.age(now.saturating_sub(LEARNED).unwrap_or(Timestamp::MIN), now);
        changed
    }

    /// What the queue probe needs to know for its next run.
    pub fn followed(&self) -> BTreeMap<JobKind, Followed> {
        let of_kind = |kind: JobKind| {
            let mut live: Vec<&Job> = self
                .of(kind)
                .filter(|job| job.state.is_live() && !job.is_abandoned)
                .filter(|job| job.origin == Origin::Natural)
                .collect();
            live.sort_by_key(|job| std::cmp::Reverse(job.created_at));
            let position = self.positions.get(&kind);
            Followed {
                live: live.into_iter().map(|job| job.id.clone()).collect(),
                newest_created_at: position.and_then(|position| position.newest_created_at),
                backfill: position.map_or(Backfill::Due, |position| position.backfill.clone()),
            }
        };
        JobKind::ALL.into_iter().map(|kind| (kind, of_kind(kind))).collect()
    }

    /// Where the queue probe stands with one kind.
    pub fn position_of(&self, kind: JobKind) -> Option<&JobPosition> {
        self.positions.get(&kind)
    }

    /// Every known job of a kind.
    pub fn of(&self, kind: JobKind) -> impl Iterator<Item = &Job> {
        self.jobs
            .range((kind, String::new())..)
            .take_while(move |((own, _), _)| *own == kind)
            .map(|(_, job)| job)
    }

    /// Every known job.
    pub fn all(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// One job.
    pub fn job(&self, kind: JobKind, id: &str) -> Option<&Job> {
        self.jobs.get(&(kind, id.to_owned()))
    }

    /// The last job of a kind that advanced or finished.
    pub fn progress(&self, kind: JobKind) -> Option<Progress> {
        self.progress.get(&kind).copied()
    }

    /// What is usual and when a job is late, under these settings.
    pub fn limits<'a>(&'a self, settings: &'a Settings) -> Limits<'a> {
        Limits { settings, samples: &self.samples }
    }

    fn see(&mut self, look: &Look<'_>, sighting: &Sighting) -> Option<Job> {
        let key = (sighting.kind, sighting.id.clone());
        let limits = Limits { settings: look.settings, samples: &self.samples };
        let known = self.jobs.get(&key);
        let (job, moved) = match (known, &sighting.owner) {
            (Some(known), _) => move_on(known, sighting, look.trouble)?,
            (None, Some(Owner::Natural)) => first_look(look, &limits, sighting),
            // Ours are followed by their intents; what belongs to others is none of our business.
            (None, Some(Owner::Ours { .. } | Owner::Foreign) | None) => return None,
        };
        let is_changed = known.is_none_or(|known| is_worth_a_row(known, &job));
        if let Some(progress) = moved {
            self.advance(job.kind, progress);
        }
        if is_changed {
            let since = look.trouble.map(|trouble| trouble.since);
            self.samples.learn(&job, settling(since, sighting.at));
        }
        self.jobs.insert(key, job.clone());
        is_changed.then_some(job)
    }

    fn advance(&mut self, kind: JobKind, progress: Progress) {
        let known = self.progress.entry(kind).or_insert(progress);
        if progress.at > known.at {
            *known = progress;
        }
    }

    fn position(&mut self, reading: &JobsReading) {
        let newest = reading.sightings.iter().filter_map(|seen| seen.created_at).max();
        let before = self.positions.get(&reading.kind).and_then(|known| known.newest_created_at);
        let position = JobPosition {
            kind: reading.kind,
            newest_created_at: newest.max(before).or(Some(reading.at)),
            backfill: reading.backfill.clone(),
        };
        self.positions.insert(reading.kind, position);
    }
}

/// How a sighting is to be taken.
#[derive(Debug, Clone, Copy)]
struct Look<'a> {
    settings: &'a Settings,
    ignored: SignedDuration,
    is_first: bool,
    trouble: Option<Trouble>,
}

fn ignore_older_than(watch: &Watch) -> SignedDuration {
    match &watch.jobs {
        JobsWatch::Natural { ignore_older_than, .. } => {
            SignedDuration::try_from(*ignore_older_than).unwrap_or(RUBBISH_AFTER)
        }
        JobsWatch::None | JobsWatch::Canary(_) | JobsWatch::Events => RUBBISH_AFTER,
    }
}

/// A job that was not known before.
fn first_look(
    look: &Look<'_>,
    limits: &Limits<'_>,
    sighting: &Sighting,
) -> (Job, Option<Progress>) {
    let created_at = sighting.created_at.unwrap_or(sighting.at).min(sighting.at);
    let state = state_of(sighting);
    let mut job = Job {
        kind: sighting.kind,
        id: sighting.id.clone(),
        origin: Origin::Natural,
        title: sighting.title.clone(),
        created_at,
        first_seen_at: sighting.at,
        seen_at: sighting.at,
        state,
        started: None,
        ended: None,
        is_abandoned: false,
        is_sample: false,
        failure: sighting.failure.clone(),
    };
    if state.is_live() {
        if state != JobState::Queued {
            job.started = Some(Interval { earliest: created_at, latest: sighting.at });
        }
        let age = sighting.at.duration_since(created_at);
        let stuck = SignedDuration::try_from(limits.of(&job).stuck).unwrap_or(RUBBISH_AFTER);
        job.is_abandoned = age > look.ignored || age > stuck;
        return (job, None);
    }
    let completed_at = sighting.completed_at.map(|at| at.clamp(created_at, sighting.at));
    job.ended = Some(
        completed_at
            .map_or(Interval { earliest: created_at, latest: sighting.at }, Interval::exact),
    );
    job.is_sample =
        state == JobState::Completed && completed_at.is_some() && !is_troubled(&job, look.trouble);
    // What ended before anybody looked says something only where it says itself when.
    let at = completed_at.or_else(|| (!look.is_first).then_some(sighting.at));
    let progress = at.filter(|_| state == JobState::Completed).map(|at| Progress {
        begun_at: created_at,
        at,
        origin: Origin::Natural,
    });
    (job, progress)
}

/// A job that is known already; `None` when there is nothing to learn.
fn move_on(
    known: &Job,
    sighting: &Sighting,
    trouble: Option<Trouble>,
) -> Option<(Job, Option<Progress>)> {
    if !known.state.is_live() || sighting.at < known.seen_at {
        return None;
    }
    let mut job = known.clone();
    job.seen_at = sighting.at;
    let is_new_born = sighting.at.duration_since(known.created_at) <= FOUND_AFTER;
    let state = match sighting.status {
        // Lists and bulk answers disagree for a moment: a stage never goes backwards.
        JobStatus::Queued | JobStatus::Unknown => known.state,
        JobStatus::NotFound if is_new_born => known.state,
        _ => state_of(sighting),
    };
    if state == known.state {
        return Some((job, None));
    }
    let change = Interval { earliest: known.seen_at, latest: sighting.at };
    if known.state == JobState::Queued && state.is_live() {
        job.started = Some(change);
    }
    job.state = state;
    if !state.is_live() {
        let exact = sighting.completed_at.map(|at| at.clamp(known.created_at, sighting.at));
        job.ended = Some(exact.map_or(change, Interval::exact));
        job.failure.clone_from(&sighting.failure);
        job.is_sample =
            state == JobState::Completed && !job.is_abandoned && !is_troubled(&job, trouble);
    }
    let is_good = state.is_live() || state == JobState::Completed;
    let progress = Progress { begun_at: job.created_at, at: sighting.at, origin: job.origin };
    Some((job, is_good.then_some(progress)))
}

fn state_of(sighting: &Sighting) -> JobState {
    match sighting.status {
        JobStatus::Queued | JobStatus::Unknown => JobState::Queued,
        JobStatus::Processing => JobState::Processing,
        JobStatus::WaitingForInput => JobState::WaitingForInput,
        JobStatus::Completed => JobState::Completed,
        JobStatus::NotFound => JobState::Gone,
        JobStatus::Failed => match failure::of(sighting.failure.as_ref()) {
            Failing::Theirs => JobState::Failed,
            Failing::Input => JobState::Rejected,
            Failing::Credit => JobState::Unpaid,
        },
    }
}

/// From the second day of trouble on what is seen is the new normal.
fn settling(trouble_since: Option<Timestamp>, at: Timestamp) -> Settling {
    let is_new_normal = trouble_since.is_some_and(|since| at.duration_since(since) > FIRST_DAY);
    if is_new_normal { Settling::AtOnce } else { Settling::ByTime }
}

/// How a stored sample was taken when it was new.
fn settling_then(incidents: &[Incident], sample: &Sample) -> Settling {
    let was_open = |incident: &&Incident| {
        incident.blame == Blame::Provider
            && incident.capabilities.contains(&sample.kind.capability())
            && incident.resolved_at.is_none_or(|end| end >= sample.at)
    };
    let since = incidents.iter().filter(was_open).map(|incident| incident.opened_at).min();
    settling(since, sample.at)
}

/// The first day of an incident is no new normal.
fn is_troubled(job: &Job, trouble: Option<Trouble>) -> bool {
    let Some(Trouble { since }) = trouble else {
        return false;
    };
    let first_day_ends = since.saturating_add(FIRST_DAY).unwrap_or(since);
    let ended = job.ended.map_or(job.seen_at, |ended| ended.latest);
    job.created_at < first_day_ends && ended >= since
}

/// That it was seen again is not worth a row.
fn is_worth_a_row(known: &Job, job: &Job) -> bool {
    let key = |one: &Job| (one.state, one.started, one.ended, one.is_abandoned);
    key(known) != key(job)
}

/// When a job last advanced or finished well.
fn moved_at(job: &Job) -> Option<Timestamp> {
    let completed = job.ended.filter(|_| job.state == JobState::Completed);
    completed.or(job.started).map(|change| change.latest)
}
