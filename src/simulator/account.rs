//! The simulated account: its wallet, its key, its jobs.
//!
//! Owns the state behind the API, in memory; the HTTP side is `api`. Invariant: jobs are kept in the
//! order in which they came into being, so that a page of a long list costs no more than the page.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::job::{Job, JobKind, Lifecycle};

/// HeyGen replays the answer to an `Idempotency-Key` for 24 hours.
const REPLAY_FOR: Duration = Duration::from_hours(24);

/// What the account holds.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its money.
    pub wallet: Wallet,
    /// When its key ends; from then on every call with it is refused.
    pub key_expires_at: Option<Timestamp>,
    /// What becomes of videos.
    pub video: Lifecycle,
    /// What becomes of translations.
    pub translation: Lifecycle,
    /// What becomes of videos of one avatar (look id), before [`Self::video`].
    pub by_avatar: BTreeMap<String, Lifecycle>,
    /// Real time that accepting a job takes.
    pub accept_delay: Duration,
    /// Where artefacts are.
    pub files_url: String,
    jobs: Vec<Job>,
    created: u64,
    replays: BTreeMap<(String, String), Replay>,
}

/// The account's money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wallet {
    /// US dollars left.
    pub balance_usd: f64,
    /// Whether it charges a card by itself.
    pub reloads: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            wallet: Wallet { balance_usd: 125.5, reloads: false },
            key_expires_at: None,
            video: Lifecycle::default(),
            translation: Lifecycle::default(),
            by_avatar: BTreeMap::new(),
            accept_delay: Duration::ZERO,
            files_url: "https://files.heygen.ai".to_owned(),
            jobs: Vec::new(),
            created: 0,
            replays: BTreeMap::new(),
        }
    }
}

/// What is known of an `Idempotency-Key`.
#[derive(Debug, Clone)]
enum Replay {
    InProgress,
    Done { at: Timestamp, body: Value },
}

/// What a create with an `Idempotency-Key` meets.
pub(super) enum Claim {
    New,
    InProgress,
    Replayed(Value),
}

/// A part of a list.
pub(super) struct Part<'a> {
    pub(super) jobs: Vec<&'a Job>,
    pub(super) next: Option<usize>,
}

impl Account {
    /// Adds a job that is not made through the API; oldest first. Answers its id.
    pub fn seed(
        &mut self,
        kind: JobKind,
        title: &str,
        created_at: Timestamp,
        lifecycle: Lifecycle,
    ) -> String {
        let job = Job {
            title: Some(title.to_owned()),
            created_at,
            ..self.new_job(kind, created_at, lifecycle)
        };
        let id = job.id.clone();
        self.jobs.push(job);
        id
    }

    /// Every job, oldest first.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// A job that is not yet one of the account's.
    pub(super) fn new_job(&mut self, kind: JobKind, now: Timestamp, lifecycle: Lifecycle) -> Job {
        self.created += 1;
        let number = self.created;
        let id = match kind {
            JobKind::Video => format!("v_{number:012x}"),
            JobKind::Translation => format!("{number:032x}"),
        };
        Job {
            id,
            kind,
            title: None,
            created_at: now,
            lifecycle,
            duration_secs: 3.0,
            output_language: None,
            is_audio_only: false,
            files_url: self.files_url.clone(),
        }
    }

    pub(super) fn add(&mut self, job: Job) {
        self.jobs.push(job);
    }

    pub(super) fn find(&self, kind: JobKind, id: &str) -> Option<&Job> {
        self.jobs.iter().rev().find(|job| job.kind == kind && job.id == id)
    }

    /// True when there was such a job.
    pub(super) fn delete(&mut self, kind: JobKind, id: &str) -> bool {
        let place = self.jobs.iter().position(|job| job.kind == kind && job.id == id);
        place.is_some_and(|place| {
            self.jobs.remove(place);
            true
        })
    }

    /// Newest first, from before the job at place `before`, at most `limit` of those whose title
    /// holds `title`.
    pub(super) fn part(
        &self,
        kind: JobKind,
        title: Option<&str>,
        before: Option<usize>,
        limit: usize,
    ) -> Part<'_> {
        let end = before.unwrap_or(self.jobs.len()).min(self.jobs.len());
        let holds = |job: &Job| {
            title.is_none_or(|part| job.title.as_deref().is_some_and(|whole| whole.contains(part)))
        };
        let mut found = self.jobs[..end]
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, job)| job.kind == kind && holds(job));
        let page: Vec<(usize, &Job)> = found.by_ref().take(limit).collect();
        let has_more = found.next().is_some();
        let next = page.last().map(|(place, _)| *place).filter(|_| has_more);
        Part { jobs: page.into_iter().map(|(_, job)| job).collect(), next }
    }

    /// Reserves an `Idempotency-Key` for a create at `endpoint`.
    pub(super) fn claim(&mut self, endpoint: &str, key: &str, now: Timestamp) -> Claim {
        let place = (endpoint.to_owned(), key.to_owned());
        match self.replays.get(&place) {
            Some(Replay::InProgress) => return Claim::InProgress,
            Some(Replay::Done { at, body })
                if now.duration_since(*at).unsigned_abs() < REPLAY_FOR =>
            {
                return Claim::Replayed(body.clone());
            }
            Some(Replay::Done { .. }) | None => {}
        }
        self.replays.insert(place, Replay::InProgress);
        Claim::New
    }

    /// Notes the answer to a claimed create; `None` frees the key.
    pub(super) fn settle(
        &mut self,
        endpoint: &str,
        key: &str,
        body: Option<Value>,
        now: Timestamp,
    ) {
        let place = (endpoint.to_owned(), key.to_owned());
        match body {
            Some(body) => self.replays.insert(place, Replay::Done { at: now, body }),
            None => self.replays.remove(&place),
        };
    }
}
