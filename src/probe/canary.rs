//! A paid test that makes a job: what renders and translations have in common.
//!
//! Owns one errand after the other: read the account, send, look for, follow, check, delete.
//! Decides nothing: which errand comes next is the core's. Invariant: one errand `Submit` is one
//! POST, whatever comes back, and only what certainly was not accepted is called refused.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::OnceCell;
use url::Url;

use self::submit::submit;
use super::Canary;
use super::artefact::{self, Checked, Reach, Wanted};
use super::job_calls::{JobCalls, Read, missing};
use crate::http_client::{Limits, is_loopback};
use crate::model::{
    Errand, Evidence, Finding, Intent, JobKind, Observation, Outcome, Report, Sighting, SkipReason,
    Task, Timestamp,
};

mod find;
mod prepare;
pub(super) mod submit;
mod sweep;

pub(super) use self::prepare::prepare;

/// What a paid test sends, and what it expects of it.
pub(super) struct Recipe {
    /// What it makes.
    pub(super) kind: JobKind,
    /// Where it is created.
    pub(super) path: String,
    /// The host from which HeyGen has to fetch something for it.
    pub(super) fetched_from: Option<String>,
    /// The body of the create.
    pub(super) body: Box<dyn Fn(&Intent) -> Value + Send + Sync>,
    /// How its job is looked for.
    pub(super) search: Search,
    /// What its artefact should be like.
    pub(super) expects: Expects,
}

/// How a job is looked for by its nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// By the list's title filter.
    Filter,
    /// By the filter, and where that finds nothing among the newest.
    FilterThenNewest,
    /// Among the newest: the list has no filter.
    Newest,
}

/// What an artefact should be like.
pub(super) enum Expects {
    /// A video.
    Video,
    /// As long as this source.
    LikeSource(SourceLength),
    /// Sound; nothing is known of the source.
    Translation,
}

/// How long the source of a translation is, found out once.
pub(super) struct SourceLength {
    url: Url,
    known: OnceCell<Option<Duration>>,
}

impl SourceLength {
    /// Of this URL; not asked yet.
    pub(super) fn of(url: Url) -> Self {
        Self { url, known: OnceCell::new() }
    }

    /// `None` when it does not say, or cannot be reached now.
    async fn get(&self, calls: &JobCalls) -> Option<Duration> {
        let look = || artefact::duration(&calls.deps.http, &self.url, Reach::Loopback);
        self.known.get_or_try_init(look).await.ok().copied().flatten()
    }
}

/// What came of an errand.
pub(super) type Done = (Finding, Option<Box<Observation>>);

/// A paid test that makes a job.
pub(super) struct JobCanary {
    pub(super) calls: JobCalls,
    pub(super) recipe: Recipe,
}

impl JobCanary {
    async fn done(&self, task: &Task) -> Done {
        match task {
            Task::Prepare => prepare(&self.calls).await,
            Task::Submit(intent) => submit(&self.calls, &self.recipe, intent).await,
            Task::Find(intent) => (find::find(&self.calls, &self.recipe, intent).await, None),
            Task::Poll(intent) => (self.poll(intent).await, None),
            Task::Check(intent) => self.check(intent).await,
            Task::Delete(intent) => self.delete(intent).await,
            Task::Sweep { before } => {
                let deleted = sweep::sweep(&self.calls, self.recipe.kind, *before).await;
                (Finding::Swept { deleted }, None)
            }
        }
    }

    async fn poll(&self, intent: &Intent) -> Finding {
        let Some(id) = &intent.job_id else { return Finding::Unanswered };
        let kind = self.recipe.kind;
        match self.calls.job(kind, id, Limits::API.total).await {
            Read::Job(row, at) => Finding::Seen(Box::new(self.calls.sighting(kind, *row, at))),
            Read::Missing(at) => Finding::Seen(Box::new(missing(kind, id, at))),
            Read::Unanswered => Finding::Unanswered,
        }
    }

    async fn check(&self, intent: &Intent) -> Done {
        let Some(id) = &intent.job_id else { return (Finding::Unanswered, None) };
        let kind = self.recipe.kind;
        let (row, at) = match self.calls.job(kind, id, Limits::API.total).await {
            Read::Job(row, at) => (row, at),
            Read::Missing(at) => return (Finding::Seen(Box::new(missing(kind, id, at))), None),
            Read::Unanswered => return (Finding::Unanswered, None),
        };
        let Some(url) = row.url.clone() else {
            let sighting = Sighting { has_url: false, ..self.calls.sighting(kind, *row, at) };
            return (Finding::Seen(Box::new(sighting)), None);
        };
        let begun = self.calls.subject.observation(self.calls.deps.clock.now());
        let wanted = self.wanted().await;
        let reach = reach(&self.calls);
        let checked = artefact::check(&self.calls.deps.http, &url, reach, wanted).await;
        let ended_at = self.calls.deps.clock.now().max(begun.begun_at);
        let seen = Observation { ended_at, outcome: Outcome::Ok, answered: true, ..begun };
        match judged(seen, &url, checked, Some(id)) {
            Some(seen) => (Finding::Checked, Some(Box::new(seen))),
            None => (Finding::Unanswered, None),
        }
    }

    async fn wanted(&self) -> Wanted {
        match &self.recipe.expects {
            Expects::Video => Wanted::Video,
            Expects::Translation => Wanted::Translation { source: None },
            Expects::LikeSource(source) => {
                Wanted::Translation { source: source.get(&self.calls).await }
            }
        }
    }

    async fn delete(&self, intent: &Intent) -> Done {
        let Some(id) = &intent.job_id else { return (Finding::Deleted, None) };
        let Some(asked) = self.calls.delete(self.recipe.kind, id).await else {
            return (Finding::NotDeleted, None);
        };
        if is_gone(asked.status()) {
            return (Finding::Deleted, None);
        }
        let mut seen =
            Observation { outcome: Outcome::CleanupFailed, transport: None, ..asked.observation };
        let evidence = seen.evidence.get_or_insert_default();
        evidence.job_id = Some(id.clone());
        evidence.text = format!("the test job was not deleted: {}", evidence.text);
        (Finding::NotDeleted, Some(Box::new(seen)))
    }
}

impl Canary for JobCanary {
    fn attend(&self, errand: Errand) -> BoxFuture<'_, Report> {
        Box::pin(async move {
            let begun_at = self.calls.deps.clock.now();
            let done = self.done(&errand.task).await;
            report(&errand, begun_at, self.calls.deps.clock.now(), done)
        })
    }
}

/// The report of an errand.
pub(super) fn report(
    errand: &Errand,
    begun_at: Timestamp,
    ended_at: Timestamp,
    (finding, observation): Done,
) -> Report {
    Report {
        probe: errand.probe.clone(),
        intent: errand.task.intent().map(|intent| intent.id),
        begun_at,
        ended_at: ended_at.max(begun_at),
        finding,
        observation,
    }
}

/// A test that does not take place for want of a key.
pub(super) fn keyless(calls: &JobCalls) -> Box<Observation> {
    Box::new(calls.subject.skipped(SkipReason::NoKey, calls.deps.clock.now()))
}

/// Where files may lie: on this machine only if HeyGen does.
pub(super) fn reach(calls: &JobCalls) -> Reach {
    if is_loopback(&calls.deps.base_url) { Reach::Loopback } else { Reach::Public }
}

/// An observation, with what a look at the artefact adds; `None` when that could not be fetched.
pub(super) fn judged(
    seen: Observation,
    url: &Url,
    checked: Checked,
    job_id: Option<&str>,
) -> Option<Observation> {
    match checked {
        Checked::Fine => Some(seen),
        Checked::Bad(text) => {
            let evidence = Evidence {
                text,
                host: url.host_str().unwrap_or_default().to_owned(),
                job_id: job_id.map(str::to_owned),
                ..Evidence::default()
            };
            let evidence = Some(Box::new(evidence));
            Some(Observation { outcome: Outcome::ResultInvalid, evidence, ..seen })
        }
        Checked::Unreachable(_) => None,
    }
}

/// Whether a DELETE did what it should.
fn is_gone(status: Option<u16>) -> bool {
    matches!(status, Some(200..=299 | 404))
}
