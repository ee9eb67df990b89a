//! Calls about jobs: what the queue probe and the paid tests have in common.
//!
//! Owns how a job is listed, read and deleted, and how a row becomes a sighting. Decides nothing
//! about jobs. Invariant: no sighting holds a title that may not be kept, and none a URL.

use std::time::Duration;

use super::observe::{Asked, Subject, ask};
use super::title::TitleRules;
use super::{ProbeDeps, Run};
use crate::engine::classify::{Call, JobCall, Question};
use crate::heygen::job::{JobPage, JobRow, job_detail, job_page, job_path};
use crate::heygen::{Access, Api};
use crate::http_client::{Limits, Request};
use crate::model::{Evidence, JobKind, JobStatus, Observation, Outcome, Sighting, Timestamp};

/// 100 rows are more than other reads answer, whose p99 is 2 s (facts, section 11).
const LIST_SLOW_AFTER: Duration = Duration::from_secs(10);
/// 100 rows with five signed URLs each stay well below this.
const LIST_BYTES: usize = 4 << 20;

/// Calls about jobs, for one probe.
pub(super) struct JobCalls {
    pub(super) subject: Subject,
    pub(super) deps: ProbeDeps,
    pub(super) titles: TitleRules,
    api: Api,
}

/// What reading one job said.
pub(super) enum Read {
    /// It is there.
    Job(Box<JobRow>, Timestamp),
    /// HeyGen does not know it.
    Missing(Timestamp),
    /// Nothing was learned.
    Unanswered,
}

impl JobCalls {
    pub(super) fn new(subject: Subject, deps: &ProbeDeps, excluded: &[String]) -> Self {
        Self {
            subject,
            deps: deps.clone(),
            titles: TitleRules::new(&deps.instance, excluded, deps.show_titles),
            api: Api::new(deps.base_url.clone(), deps.api_key.clone()),
        }
    }

    /// A GET with the key that answers `data`; `None` without a key.
    pub(super) async fn get(&self, path: &str, within: Duration) -> Option<Asked> {
        self.get_as(&self.subject, path, within).await
    }

    /// As [`Self::get`], for a subject of its own.
    pub(super) async fn get_as(
        &self,
        subject: &Subject,
        path: &str,
        within: Duration,
    ) -> Option<Asked> {
        let expect = ["data".to_owned()];
        let limits = Limits { body_bytes: LIST_BYTES, ..Limits::API }.within(within);
        let request = self.api.get(path, Access::Keyed, limits)?;
        let call = Call::Keyed { expect: &expect };
        Some(self.send(subject, request, &question(call, path, LIST_SLOW_AFTER)).await)
    }

    /// A page of jobs, or why there is none; `None` without a key.
    pub(super) async fn page(
        &self,
        subject: &Subject,
        path: &str,
        within: Duration,
    ) -> Option<(Observation, Option<JobPage>)> {
        let asked = self.get_as(subject, path, within).await?;
        let page = asked.body().map(job_page);
        let mut observation = asked.observation;
        if matches!(page, Some(None)) {
            malformed(&mut observation, "without a list of jobs");
        }
        Some((observation, page.flatten()))
    }

    /// Reads one job.
    pub(super) async fn job(&self, kind: JobKind, id: &str, within: Duration) -> Read {
        let path = job_path(kind, id);
        let limits = Limits::API.within(within);
        let Some(request) = self.api.get(&path, Access::Keyed, limits) else {
            return Read::Unanswered;
        };
        let call = Call::Job(JobCall::Poll { past_grace: false });
        let question = question(call, &path, LIST_SLOW_AFTER);
        let asked = self.send(&self.subject, request, &question).await;
        let at = asked.observation.ended_at;
        if let Some(row) = asked.body().and_then(|body| job_detail(body, id)) {
            return Read::Job(Box::new(row), at);
        }
        let is_own_404 = asked.answer.is_ok_and(|exchange| {
            exchange.status == 404 && crate::heygen::job::is_envelope(&exchange.body)
        });
        if is_own_404 { Read::Missing(at) } else { Read::Unanswered }
    }

    /// Deletes one job; `None` without a key.
    pub(super) async fn delete(&self, kind: JobKind, id: &str) -> Option<Asked> {
        let path = job_path(kind, id);
        let request = self.api.delete(&path, Limits::API)?;
        let question = question(Call::Job(JobCall::Delete), &path, LIST_SLOW_AFTER);
        let mut asked = self.send(&self.subject, request, &question).await;
        if let Some(evidence) = &mut asked.observation.evidence {
            evidence.job_id = Some(id.to_owned());
        }
        Some(asked)
    }

    /// A create; `None` without a key.
    pub(super) fn create(&self, path: &str, body: &str) -> Option<Request> {
        let total = self.deps.submit_timeout;
        let limits = Limits { total, ..Limits::SUBMIT }.within(total);
        self.api.post_json(path, body, limits)
    }

    /// Sends a request and judges what came back.
    pub(super) async fn send(
        &self,
        subject: &Subject,
        request: Request,
        question: &Question<'_>,
    ) -> Asked {
        let run = Run::looking(request.limits.total, false);
        ask(&self.deps, &run, subject, request, question).await
    }

    /// A row of a list, or a single job: its title tells whose it is.
    pub(super) fn sighting(&self, kind: JobKind, row: JobRow, at: Timestamp) -> Sighting {
        let owner = self.titles.owner(row.title.as_deref().unwrap_or_default());
        Sighting {
            owner: Some(owner),
            title: self.titles.kept(row.title.clone()),
            ..bulk_sighting(kind, row, at)
        }
    }
}

/// A row of a bulk answer: it does not tell whose it is.
pub(super) fn bulk_sighting(kind: JobKind, row: JobRow, at: Timestamp) -> Sighting {
    Sighting {
        kind,
        id: row.id,
        status: row.status,
        at,
        created_at: row.created_at,
        completed_at: row.completed_at,
        owner: None,
        failure: row.failure,
        has_url: row.url.is_some(),
        title: None,
    }
}

/// A job that HeyGen does not know.
pub(super) fn missing(kind: JobKind, id: &str, at: Timestamp) -> Sighting {
    Sighting {
        kind,
        id: id.to_owned(),
        status: JobStatus::NotFound,
        at,
        created_at: None,
        completed_at: None,
        owner: None,
        failure: None,
        has_url: false,
        title: None,
    }
}

/// Makes a right answer one that is not the documented JSON.
pub(super) fn malformed(observation: &mut Observation, because: &str) {
    observation.outcome = Outcome::Malformed;
    let text = format!("an answer {because}");
    let evidence = Evidence { text, http_status: Some(200), ..Evidence::default() };
    observation.evidence = Some(Box::new(evidence));
}

fn question<'a>(call: Call<'a>, path: &'a str, slow_after: Duration) -> Question<'a> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Question { call, path, carries_url: false, slow_after }
}
