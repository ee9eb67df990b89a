//! The account's own jobs, seen from outside and at no cost.
//!
//! Owns what is asked, in which order, and within how many requests. Which job is late is the
//! core's. Invariant: a run never makes more requests than it may, whatever the account holds, and
//! every kind has its newest page and its live jobs read before anything old is.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::time::Instant;

use self::look::Look;
use super::job_calls::{JobCalls, Read, bulk_sighting, missing};
use super::observe::Subject;
use super::{ProbeDeps, ProbeSpec, Prober, Run, Step};
use crate::heygen::job::{PAGE_ROWS, job_page, list_path, statuses_path};
use crate::model::{Followed, JobKind, Observation, Series, SkipReason};

mod look;

/// `check.queue`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueCheck {
    /// Which jobs.
    pub kinds: Vec<JobKind>,
    /// Jobs with such a title (glob, case-insensitive) are never evidence.
    pub exclude_titles: Vec<String>,
    /// A job that is older than this when it is first seen is never evidence.
    pub ignore_older_than: Duration,
    /// How long the last finished job is evidence.
    pub max_silence: Duration,
    /// Requests of one run at most, for all kinds together.
    pub max_requests: u32,
}

/// With less time than this no further request is begun.
const SHORTEST: Duration = Duration::from_millis(300);
/// Answers to a bulk call that say it is not there: jobs are read one by one from then on.
const NO_BULK: [u16; 4] = [400, 404, 405, 410];

struct QueueProber {
    lines: Vec<(JobKind, Subject)>,
    calls: JobCalls,
    max_requests: u32,
    memory: Mutex<BTreeMap<JobKind, Memory>>,
}

/// What is remembered of one kind between runs of this process.
#[derive(Debug, Clone, Default)]
struct Memory {
    /// The bulk call is not there.
    no_bulk: bool,
    /// Which live job is read first where they are read one by one.
    first_single: usize,
    /// Completed jobs that the look back has met.
    completed: usize,
    /// How often its cursor was refused.
    refused_cursors: u32,
}

/// What one run may still use.
#[derive(Debug)]
struct Allowance {
    requests: u32,
    ends: Instant,
}

impl Allowance {
    /// One more request, and the time for it.
    fn take(&mut self) -> Option<Duration> {
        let left = self.ends.saturating_duration_since(Instant::now());
        if self.requests == 0 || left < SHORTEST {
            return None;
        }
        self.requests -= 1;
        Some(left)
    }
}

/// The prober of `check.queue`.
pub(super) fn prober(spec: &ProbeSpec, check: &QueueCheck, deps: &ProbeDeps) -> Box<dyn Prober> {
    let line = |kind: &JobKind| {
        let informs = |capability: &_| *capability == kind.capability();
        let subject = Subject {
            series: Series { probe: spec.name.clone(), subject: kind.as_str().to_owned() },
            capabilities: spec.capabilities.iter().copied().filter(informs).collect(),
            ..Subject::of(spec, false)
        };
        (*kind, subject)
    };
    Box::new(QueueProber {
        lines: check.kinds.iter().map(line).collect(),
        calls: JobCalls::new(Subject::of(spec, false), deps, &check.exclude_titles),
        max_requests: check.max_requests,
        memory: Mutex::default(),
    })
}

impl QueueProber {
    async fn look(&self, run: &Run) -> Step {
        let ends = Instant::now() + run.timeout;
        let mut allowance = Allowance { requests: self.max_requests, ends };
        let mut step = Step::default();
        let mut looks = Vec::new();
        for first in join_all(self.first_pages(run, &mut allowance)).await {
            match first {
                Ok(look) => looks.push(look),
                Err(observation) => step.observations.push(*observation),
            }
        }
        self.newer_pages(&mut looks, &mut allowance).await;
        for look in &mut looks {
            self.live(look, &mut allowance).await;
        }
        self.one_by_one(&mut looks, &mut allowance).await;
        self.older_pages(&mut looks, &mut allowance).await;
        for look in looks {
            let (observation, reading) = look.into_reading();
            step.observations.push(observation);
            step.jobs.push(reading);
        }
        step
    }

    /// The newest page of every kind, all at once: one that hangs does not cost the others' time.
    fn first_pages(
        &self,
        run: &Run,
        allowance: &mut Allowance,
    ) -> Vec<impl Future<Output = Result<Look, Box<Observation>>>> {
        let pages = self.lines.iter().filter_map(|(kind, subject)| {
            let within = allowance.take()?;
            let followed = run.followed.get(kind).cloned().unwrap_or_default();
            Some(self.first_page(*kind, subject, followed, within))
        });
        pages.collect()
    }

    /// The newest page; an error is the observation of a list that was not read.
    async fn first_page(
        &self,
        kind: JobKind,
        subject: &Subject,
        followed: Followed,
        within: Duration,
    ) -> Result<Look, Box<Observation>> {
        let path = list_path(kind, None, None);
        let Some((observation, page)) = self.calls.page(subject, &path, within).await else {
            let skipped = subject.skipped(SkipReason::NoKey, self.calls.deps.clock.now());
            return Err(Box::new(skipped));
        };
        let Some(page) = page else {
            return Err(Box::new(observation));
        };
        let mut look = Look::new(kind, observation, followed);
        let at = look.at();
        look.take_newest(page, |row| self.calls.sighting(kind, row, at));
        Ok(look)
    }

    /// Pages that are newer than anything known, while the live jobs' requests stay untouched.
    async fn newer_pages(&self, looks: &mut [Look], allowance: &mut Allowance) {
        loop {
            let mut has_read = false;
            for index in 0..looks.len() {
                let reserved: usize = looks.iter().map(Look::bulk_calls).sum();
                let Some(cursor) = looks[index].newer_cursor() else { continue };
                if usize::try_from(allowance.requests).unwrap_or(usize::MAX) <= reserved {
                    return;
                }
                let Some(within) = allowance.take() else { return };
                let look = &mut looks[index];
                let path = list_path(look.kind, Some(&cursor), None);
                let page = self.calls.page(&self.calls.subject, &path, within).await;
                let Some((observation, Some(page))) = page else {
                    look.stop_newer();
                    continue;
                };
                let (kind, at) = (look.kind, observation.ended_at);
                look.take_newest(page, |row| self.calls.sighting(kind, row, at));
                has_read = true;
            }
            if !has_read {
                return;
            }
        }
    }

    /// Live jobs that no page has shown, a hundred at a time.
    async fn live(&self, look: &mut Look, allowance: &mut Allowance) {
        if self.remembered(look.kind).no_bulk {
            return;
        }
        for ids in look.waiting().chunks(PAGE_ROWS) {
            let Some(within) = allowance.take() else { return };
            let path = statuses_path(look.kind, ids);
            let Some(asked) = self.calls.get(&path, within).await else { return };
            if asked.status().is_some_and(|status| NO_BULK.contains(&status)) {
                self.remember(look.kind, |memory| memory.no_bulk = true);
                return;
            }
            let at = asked.observation.ended_at;
            for row in asked.body().and_then(job_page).map(|page| page.rows).unwrap_or_default() {
                look.take_one(bulk_sighting(look.kind, row, at));
            }
        }
    }

    /// Live jobs one by one, where there is no bulk call; each run begins where the last one ended.
    async fn one_by_one(&self, looks: &mut [Look], allowance: &mut Allowance) {
        let mut queues: Vec<_> = looks.iter().map(|look| self.singles(look)).collect();
        while queues.iter().any(|queue| !queue.is_empty()) {
            for (look, queue) in looks.iter_mut().zip(&mut queues) {
                let Some(id) = queue.pop() else { continue };
                let Some(within) = allowance.take() else { return };
                self.remember(look.kind, |memory| memory.first_single += 1);
                match self.calls.job(look.kind, &id, within).await {
                    Read::Job(row, at) => look.take_one(self.calls.sighting(look.kind, *row, at)),
                    Read::Missing(at) => look.take_one(missing(look.kind, &id, at)),
                    Read::Unanswered => queue.clear(),
                }
            }
        }
    }

    /// The jobs to be read one by one, the first one last.
    fn singles(&self, look: &Look) -> Vec<String> {
        let memory = self.remembered(look.kind);
        let mut waiting = look.waiting();
        if !memory.no_bulk || waiting.is_empty() {
            return Vec::new();
        }
        let first = memory.first_single % waiting.len();
        waiting.rotate_left(first);
        waiting.reverse();
        waiting
    }

    /// Pages of the look back, the kinds in turn.
    async fn older_pages(&self, looks: &mut [Look], allowance: &mut Allowance) {
        for look in looks.iter_mut() {
            let newest = look.begin_back();
            self.remember(look.kind, |memory| memory.completed += newest);
            look.end_back(self.remembered(look.kind).completed);
        }
        while looks.iter().any(|look| look.older_cursor().is_some()) {
            for look in looks.iter_mut() {
                let Some(cursor) = look.older_cursor() else { continue };
                let Some(within) = allowance.take() else { return };
                if !self.older_page(look, &cursor, within).await {
                    return;
                }
            }
        }
    }

    /// One page of the look back; false when it was not read.
    async fn older_page(&self, look: &mut Look, cursor: &str, within: Duration) -> bool {
        let path = list_path(look.kind, Some(cursor), None);
        let Some((observation, page)) = self.calls.page(&self.calls.subject, &path, within).await
        else {
            return false;
        };
        let Some(page) = page else {
            let status = observation.evidence.and_then(|evidence| evidence.http_status);
            if matches!(status, Some(400 | 404 | 410)) {
                self.remember(look.kind, |memory| {
                    memory.refused_cursors += 1;
                    memory.completed = 0;
                });
                look.refuse_cursor(self.remembered(look.kind).refused_cursors);
            }
            return false;
        };
        let (kind, at) = (look.kind, observation.ended_at);
        let completed = look.take_older(page, cursor, |row| self.calls.sighting(kind, row, at));
        self.remember(kind, |memory| memory.completed += completed);
        look.end_back(self.remembered(kind).completed);
        true
    }

    fn remembered(&self, kind: JobKind) -> Memory {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.get(&kind).cloned().unwrap_or_default()
    }

    fn remember(&self, kind: JobKind, change: impl FnOnce(&mut Memory)) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        change(memory.entry(kind).or_default());
    }
}

impl Prober for QueueProber {
    fn run(&self, run: Run) -> BoxFuture<'_, Step> {
        Box::pin(async move { self.look(&run).await })
    }
}
