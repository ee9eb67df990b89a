//! Every job of the account, and which of them has a place among those in progress.
//!
//! Owns the indices: by id, by age (lists are paged newest first), by end. Invariant: a job whose
//! time has not come yet is there for nobody; a place once given is not taken away by a later job.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use jiff::Timestamp;

use super::super::job::{Job, JobKind, Place};

/// Jobs in the order in which they arrive: by time, then by number.
type Arrival = (Timestamp, u64);

/// Every job.
#[derive(Debug, Clone, Default)]
pub(super) struct Register {
    jobs: BTreeMap<u64, Job>,
    numbers: HashMap<String, u64>,
    arrivals: BTreeSet<(JobKind, Arrival)>,
    endings: BTreeSet<Arrival>,
    added: u64,
    latest: Option<Arrival>,
    places: Places,
}

/// The job after which the next page of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) struct Cursor(Arrival);

/// A part of a list.
pub(in crate::simulator) struct Part<'a> {
    pub(in crate::simulator) jobs: Vec<&'a Job>,
    pub(in crate::simulator) next: Option<Cursor>,
}

impl Cursor {
    /// The opaque text of it.
    pub(in crate::simulator) fn token(self) -> String {
        let (at, number) = self.0;
        format!("j{:x}-{number:x}", at.as_nanosecond())
    }

    pub(in crate::simulator) fn parse(token: &str) -> Option<Self> {
        let (at, number) = token.strip_prefix('j')?.split_once('-')?;
        let at = Timestamp::from_nanosecond(i128::from_str_radix(at, 16).ok()?).ok()?;
        Some(Self((at, u64::from_str_radix(number, 16).ok()?)))
    }
}

impl Register {
    /// Every job, oldest first.
    pub(super) fn all(&self) -> Vec<&Job> {
        let mut all: Vec<&Job> = self.jobs.values().collect();
        all.sort_by_key(|job| job.created_at);
        all
    }

    pub(super) fn add(&mut self, mut job: Job) {
        self.added += 1;
        let number = self.added;
        let arrival = (job.created_at, number);
        self.numbers.insert(job.id.clone(), number);
        self.arrivals.insert((job.kind, arrival));
        let is_latest = self.latest.is_none_or(|latest| latest < arrival);
        self.latest = self.latest.max(Some(arrival));
        self.places.assign(&mut job);
        self.endings.extend(job.ends_at().map(|at| (at, number)));
        self.jobs.insert(number, job);
        if !is_latest && self.places.concurrency.is_some() {
            self.plan_again();
        }
    }

    /// The job of this id, if its time has come.
    pub(super) fn find(&self, kind: JobKind, id: &str, now: Timestamp) -> Option<&Job> {
        let job = self.jobs.get(self.numbers.get(id)?)?;
        (job.kind == kind && job.created_at <= now).then_some(job)
    }

    /// Forgets a job; true when there was one.
    pub(super) fn remove(&mut self, kind: JobKind, id: &str, now: Timestamp) -> bool {
        if self.find(kind, id, now).is_none() {
            return false;
        }
        let Some((number, job)) = self
            .numbers
            .remove(id)
            .and_then(|number| self.jobs.remove(&number).map(|job| (number, job)))
        else {
            return false;
        };
        self.arrivals.remove(&(kind, (job.created_at, number)));
        if let Some(at) = job.ends_at() {
            self.endings.remove(&(at, number));
        }
        true
    }

    /// Changes a job, its time of creation and id excepted; true when there is one.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut Job)) -> bool {
        let Some(number) = self.numbers.get(id).copied() else {
            return false;
        };
        let Some(job) = self.jobs.get_mut(&number) else {
            return false;
        };
        if let Some(at) = job.ends_at() {
            self.endings.remove(&(at, number));
        }
        let (id, kind, created_at) = (job.id.clone(), job.kind, job.created_at);
        change(job);
        (job.id, job.kind, job.created_at) = (id, kind, created_at);
        self.endings.extend(job.ends_at().map(|at| (at, number)));
        if self.places.concurrency.is_some() {
            self.plan_again();
        }
        true
    }

    /// Processes at most so many jobs at once from now on; `None`: any number.
    pub(super) fn limit(&mut self, concurrency: Option<usize>) {
        self.places.concurrency = concurrency;
        self.plan_again();
    }

    /// Newest first, after `cursor`, at most `limit` of those whose title holds `title`.
    pub(super) fn part(&self, wanted: &Wanted<'_>, limit: usize, now: Timestamp) -> Part<'_> {
        let holds = |job: &Job| {
            wanted
                .title
                .is_none_or(|part| job.title.as_deref().is_some_and(|whole| whole.contains(part)))
        };
        let first = (wanted.kind, (Timestamp::MIN, 0));
        let end = match wanted.after {
            Some(Cursor(arrival)) if arrival.0 <= now => (wanted.kind, arrival),
            Some(_) | None => (wanted.kind, (later_by_a_tick(now), 0)),
        };
        let mut found =
            self.arrivals.range(first..end.max(first)).rev().filter_map(|(_, arrival)| {
                let job = self.jobs.get(&arrival.1)?;
                holds(job).then_some((*arrival, job))
            });
        let page: Vec<(Arrival, &Job)> = found.by_ref().take(limit).collect();
        let has_more = found.next().is_some();
        let next = page.last().map(|(arrival, _)| Cursor(*arrival)).filter(|_| has_more);
        Part { jobs: page.into_iter().map(|(_, job)| job).collect(), next }
    }

    /// Jobs that ended after `after`, up to and including `now`.
    pub(super) fn ended(&self, after: Timestamp, now: Timestamp) -> Vec<&Job> {
        let from = (later_by_a_tick(after), 0);
        let until = (later_by_a_tick(now), 0);
        let ended = self.endings.range(from..until.max(from));
        ended.filter_map(|(_, number)| self.jobs.get(number)).collect()
    }

    /// Gives every job its place anew, in the order of arrival.
    fn plan_again(&mut self) {
        self.places = Places { concurrency: self.places.concurrency, ..Places::default() };
        self.endings.clear();
        let mut order: Vec<Arrival> = self.arrivals.iter().map(|(_, arrival)| *arrival).collect();
        order.sort_unstable();
        for (_, number) in order {
            if let Some(job) = self.jobs.get_mut(&number) {
                self.places.assign(job);
                self.endings.extend(job.ends_at().map(|at| (at, number)));
            }
        }
    }
}

/// Which jobs a list is of.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator) struct Wanted<'a> {
    pub(in crate::simulator) kind: JobKind,
    pub(in crate::simulator) title: Option<&'a str>,
    pub(in crate::simulator) after: Option<Cursor>,
}

fn later_by_a_tick(at: Timestamp) -> Timestamp {
    at.saturating_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX)
}

/// The places of jobs in progress.
#[derive(Debug, Clone, Default)]
struct Places {
    concurrency: Option<usize>,
    /// When each place that was given is free again; one that never is, is not here.
    free_from: BinaryHeap<Reverse<Timestamp>>,
    given: usize,
}

impl Places {
    fn assign(&mut self, job: &mut Job) {
        job.place = Place::Free;
        let Some(concurrency) = self.concurrency else {
            return;
        };
        if job.ready_at().is_none() {
            return;
        }
        if self.given < concurrency {
            self.given += 1;
        } else {
            job.place = match self.free_from.pop() {
                Some(Reverse(at)) => Place::From(at),
                None => Place::Never,
            };
        }
        if job.place != Place::Never {
            self.free_from.extend(job.ends_at().map(Reverse));
        }
    }
}
