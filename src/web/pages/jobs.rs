//! `/jobs`: videos and translations, in flight and ended; and how they stand against what is usual.
//!
//! Invariant: for trusted readers alone, and a title is shown only while `show_titles` is on.

use std::time::Duration;

use askama::Template;

use super::super::access::Trusted;
use super::super::problem::unreadable;
use super::chart::took;
use super::frame::Frame;
use super::parts::{Mark, Moment};
use super::{Answer, Before, Visit, outside, rendered};
use crate::engine::words;
use crate::model::{Job, JobState, Stage, StageView, State as Condition, Timestamp};
use crate::store::{JobCursor, JobFilter};
use crate::wire::Titles;

/// Jobs on one page of the list.
const PAGE: usize = 50;

/// One stage of one kind of jobs.
pub(super) struct StageRow {
    pub(super) whose: &'static str,
    pub(super) name: &'static str,
    pub(super) count: u32,
    pub(super) mark: Option<Mark>,
    pub(super) longest: String,
    pub(super) usual: String,
    pub(super) late: String,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct Jobs {
    frame: Frame,
    stages: Vec<StageRow>,
    rows: Vec<JobRow>,
    older: Option<String>,
    is_first: bool,
    has_titles: bool,
}

struct JobRow {
    whose: &'static str,
    id: String,
    title: String,
    state: &'static str,
    mark: Option<Mark>,
    created: Moment,
    took: String,
    why: String,
}

pub(super) async fn page(_: Trusted, visit: Visit, Before(before): Before<JobCursor>) -> Answer {
    let is_first = before.is_none();
    let filter = JobFilter { live_only: false, kind: None, origin: None, before, limit: PAGE + 1 };
    let found = visit.state.store.jobs(filter).await;
    let mut jobs = found.map_err(|error| unreadable(&error))?;
    let has_more = jobs.len() > PAGE;
    jobs.truncate(PAGE);
    let learned = visit.view.as_ref().map(|view| view.stages.clone()).unwrap_or_default();
    let page = Jobs {
        frame: Frame::of(&visit, "videos"),
        stages: stages(&visit, &learned),
        older: jobs.last().filter(|_| has_more).map(|job| JobCursor::of(job).to_string()),
        rows: jobs.iter().map(|job| row(&visit, &learned, job)).collect(),
        is_first,
        has_titles: visit.settings.titles == Titles::Shown,
    };
    rendered(&page)
}

fn row(visit: &Visit, stages: &[StageView], job: &Job) -> JobRow {
    let until = match job.ended {
        Some(ended) => ended.latest,
        None if job.state.is_live() => visit.now,
        None => job.seen_at,
    };
    let why = job
        .failure
        .as_ref()
        .and_then(|failure| failure.message.as_deref().or(failure.code.as_deref()).map(outside));
    let title = job.title.as_deref().filter(|_| visit.settings.titles == Titles::Shown);
    JobRow {
        whose: words::jobs(job.kind, job.origin),
        id: outside(&job.id),
        title: title.map(outside).unwrap_or_default(),
        state: words::job_state(job.state),
        mark: mark_of(visit, stages, job),
        created: visit.moment(job.created_at),
        took: words::duration(words::between(job.created_at, until)),
        why: match why {
            None if job.is_abandoned => "too old to follow when first seen".to_owned(),
            why => why.unwrap_or_default(),
        },
    }
}

fn mark_of(visit: &Visit, stages: &[StageView], job: &Job) -> Option<Mark> {
    let (stage, since) = match job.state {
        JobState::Queued => (Stage::Queue, job.created_at),
        JobState::Processing => {
            (Stage::Processing, job.started.map_or(job.created_at, |started| started.latest))
        }
        JobState::WaitingForInput
        | JobState::Completed
        | JobState::Failed
        | JobState::Rejected
        | JobState::Unpaid
        | JobState::Gone => return None,
    };
    let its =
        |one: &&StageView| one.kind == job.kind && one.origin == job.origin && one.stage == stage;
    let limits = stages.iter().find(its).filter(|_| !job.is_abandoned)?;
    lateness(limits, words::between(since, visit.now))
}

fn lateness(limits: &StageView, age: Duration) -> Option<Mark> {
    if age > limits.stuck {
        Some(Mark { class: "outage", word: "stuck" })
    } else {
        (age > limits.late).then_some(Mark { class: "degraded", word: "late" })
    }
}

/// What is in flight, against what is usual; stages that nothing is known of are left out.
pub(super) fn stages(visit: &Visit, stages: &[StageView]) -> Vec<StageRow> {
    let is_said = |stage: &&StageView| stage.in_flight > 0 || stage.baseline.is_some();
    stages.iter().filter(is_said).map(|stage| stage_row(stage, visit.now)).collect()
}

fn stage_row(stage: &StageView, now: Timestamp) -> StageRow {
    let age = stage.oldest_since.map(|since| words::between(since, now));
    let usual = stage
        .baseline
        .map(|usual| format!("under {} (your last {})", took(usual.q90), usual.count));
    let late = (stage.stage != Stage::Submit).then(|| took(stage.late));
    let fine = Mark { class: Condition::Operational.as_str(), word: "in time" };
    StageRow {
        whose: words::jobs(stage.kind, stage.origin),
        name: words::stage(stage.stage),
        count: stage.in_flight,
        mark: age.map(|age| lateness(stage, age).unwrap_or(fine)),
        longest: age.map_or("–".to_owned(), words::duration),
        usual: usual.unwrap_or_else(|| "not known yet".to_owned()),
        late: late.unwrap_or_else(|| "–".to_owned()),
    }
}
