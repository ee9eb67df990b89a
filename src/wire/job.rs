//! Jobs, and what is usual for them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::verdict::to_second;
use crate::model::{
    Baseline, Interval, Job, JobFailure, JobKind, JobState, Origin, StageView, Timestamp,
};

/// [`Job`] as JSON. It has a title only where titles may be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Job")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct JobJson {
    pub id: String,
    pub kind: JobKind,
    pub origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub state: String,
    pub created_at: Timestamp,
    pub first_seen_at: Timestamp,
    pub seen_at: Timestamp,
    pub started: Option<IntervalJson>,
    pub ended: Option<IntervalJson>,
    /// Since when it has been waiting or being made; `null` when it has ended.
    pub stage_since: Option<Timestamp>,
    pub abandoned: bool,
    pub failure: Option<JobFailureJson>,
}

/// Whether titles may be shown (`show_titles`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Titles {
    /// They may.
    Shown,
    /// Not even those that were stored while they were.
    Hidden,
}

impl JobJson {
    /// A job, with its title only where titles may be shown.
    pub fn of(job: &Job, titles: Titles) -> Self {
        Self {
            id: job.id.clone(),
            kind: job.kind,
            origin: job.origin,
            title: job.title.clone().filter(|_| titles == Titles::Shown),
            state: job.state.as_str().to_owned(),
            created_at: to_second(job.created_at),
            first_seen_at: to_second(job.first_seen_at),
            seen_at: to_second(job.seen_at),
            started: job.started.map(IntervalJson::from),
            ended: job.ended.map(IntervalJson::from),
            stage_since: stage_since(job).map(to_second),
            abandoned: job.is_abandoned,
            failure: job.failure.as_ref().map(JobFailureJson::from),
        }
    }
}

/// Since when at the latest it has been in its stage.
fn stage_since(job: &Job) -> Option<Timestamp> {
    match job.state {
        JobState::Queued => Some(job.created_at),
        JobState::Processing | JobState::WaitingForInput => {
            Some(job.started.map_or(job.created_at, |started| started.latest))
        }
        JobState::Completed
        | JobState::Failed
        | JobState::Rejected
        | JobState::Unpaid
        | JobState::Gone => None,
    }
}

/// [`Interval`] as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Interval")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct IntervalJson {
    pub earliest: Timestamp,
    pub latest: Timestamp,
}

impl From<Interval> for IntervalJson {
    fn from(interval: Interval) -> Self {
        Self { earliest: to_second(interval.earliest), latest: to_second(interval.latest) }
    }
}

/// [`JobFailure`] as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "JobFailure")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct JobFailureJson {
    pub code: Option<String>,
    pub message: Option<String>,
}

impl From<&JobFailure> for JobFailureJson {
    fn from(failure: &JobFailure) -> Self {
        Self { code: failure.code.clone(), message: failure.message.clone() }
    }
}

/// [`StageView`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Stage")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct StageJson {
    pub kind: JobKind,
    pub origin: Origin,
    pub stage: String,
    pub in_flight: u32,
    pub oldest_since: Option<Timestamp>,
    pub baseline: Option<BaselineJson>,
    pub late_seconds: f64,
    pub stuck_seconds: f64,
}

impl From<&StageView> for StageJson {
    fn from(view: &StageView) -> Self {
        Self {
            kind: view.kind,
            origin: view.origin,
            stage: view.stage.as_str().to_owned(),
            in_flight: view.in_flight,
            oldest_since: view.oldest_since.map(to_second),
            baseline: view.baseline.map(BaselineJson::from),
            late_seconds: view.late.as_secs_f64(),
            stuck_seconds: view.stuck.as_secs_f64(),
        }
    }
}

/// [`Baseline`] as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Baseline")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct BaselineJson {
    pub count: usize,
    pub median_seconds: f64,
    pub q90_seconds: f64,
    pub q99_seconds: f64,
}

impl From<Baseline> for BaselineJson {
    fn from(baseline: Baseline) -> Self {
        let seconds = |duration: Duration| duration.as_secs_f64();
        Self {
            count: baseline.count,
            median_seconds: seconds(baseline.median),
            q90_seconds: seconds(baseline.q90),
            q99_seconds: seconds(baseline.q99),
        }
    }
}
