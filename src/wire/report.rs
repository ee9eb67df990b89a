//! `report --format json`: every figure that a report has.

use serde::{Deserialize, Serialize};

use super::uptime::{CapabilityUptimeJson, SpentJson};
use super::verdict::to_second;
use crate::engine::report::dossier::{Answer, Dossier};
use crate::engine::report::{
    CapabilityReport, IncidentLine, JobsReport, LateJob, Mean, Report, Share, Watching,
};
use crate::model::{Blame, Capability, JobKind, Origin, Outcome, State, Timestamp};

/// What a stretch of time was like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct ReportJson {
    pub period: String,
    pub since: Timestamp,
    pub until: Timestamp,
    pub sentences: Vec<String>,
    /// Making videos: all that it takes, together; seconds.
    pub making: SpentJson,
    pub outages: usize,
    pub admitted: usize,
    pub capabilities: Vec<CapabilityReportJson>,
    pub jobs: Vec<JobsReportJson>,
    pub watching: WatchingJson,
    pub incidents: Vec<IncidentLineJson>,
}

/// One capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct CapabilityReportJson {
    pub uptime: CapabilityUptimeJson,
    pub incidents: usize,
    pub experienced: Option<ShareJson>,
}

/// A share of jobs with its 95 % interval (Wilson).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct ShareJson {
    pub good: usize,
    pub of: usize,
    pub share: f64,
    pub low: f64,
    pub high: f64,
}

/// The account's jobs of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct JobsReportJson {
    pub kind: JobKind,
    pub judged: usize,
    pub late: usize,
    pub failed: usize,
    pub waited_seconds: f64,
    pub longest_seconds: f64,
    pub usually_seconds: Option<f64>,
}

/// How good the watching was: means, and of how many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct WatchingJson {
    pub detected: Option<MeanJson>,
    pub repaired: Option<MeanJson>,
    pub lead: Option<MeanJson>,
    pub open: usize,
    pub unannounced: Vec<i64>,
}

/// A mean of so many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MeanJson {
    pub seconds: f64,
    pub of: u32,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct IncidentLineJson {
    pub id: i64,
    pub blame: Blame,
    pub worst_state: State,
    pub capabilities: Vec<Capability>,
    pub opened_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub seconds: f64,
    pub acknowledged_at: Option<Timestamp>,
    pub headline: String,
}

/// `report --evidence ID --format json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct DossierJson {
    pub incident: i64,
    pub text: String,
    pub jobs: Vec<LateJobJson>,
    pub answers: Vec<DistinctAnswerJson>,
}

/// A job that was late or failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct LateJobJson {
    pub id: String,
    pub kind: JobKind,
    pub origin: Origin,
    pub state: String,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub took_seconds: f64,
    pub late_seconds: Option<f64>,
    pub failure_code: Option<String>,
    pub failure_message: Option<String>,
}

/// One distinct answer of HeyGen's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of the engine's type of the same name")]
pub struct DistinctAnswerJson {
    pub probe: String,
    pub outcome: Outcome,
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub count: usize,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub request_id: Option<String>,
}

impl From<&Report> for ReportJson {
    fn from(report: &Report) -> Self {
        Self {
            period: report.period.name.clone(),
            since: to_second(report.period.window.since),
            until: to_second(report.period.window.until),
            sentences: report.sentences.clone(),
            making: report.making.into(),
            outages: report.outages,
            admitted: report.admitted,
            capabilities: report.capabilities.iter().map(CapabilityReportJson::from).collect(),
            jobs: report.jobs.iter().map(JobsReportJson::from).collect(),
            watching: (&report.watching).into(),
            incidents: report.incidents.iter().map(IncidentLineJson::from).collect(),
        }
    }
}

impl From<&CapabilityReport> for CapabilityReportJson {
    fn from(report: &CapabilityReport) -> Self {
        Self {
            uptime: (&report.uptime).into(),
            incidents: report.incidents,
            experienced: report.experienced.map(ShareJson::from),
        }
    }
}

impl From<Share> for ShareJson {
    fn from(share: Share) -> Self {
        Self {
            good: share.good,
            of: share.of,
            share: share.share(),
            low: share.low,
            high: share.high,
        }
    }
}

impl From<&JobsReport> for JobsReportJson {
    fn from(jobs: &JobsReport) -> Self {
        Self {
            kind: jobs.kind,
            judged: jobs.judged,
            late: jobs.late,
            failed: jobs.failed,
            waited_seconds: jobs.waited.as_secs_f64(),
            longest_seconds: jobs.longest.as_secs_f64(),
            usually_seconds: jobs.usually.map(|usually| usually.as_secs_f64()),
        }
    }
}

impl From<&Watching> for WatchingJson {
    fn from(watching: &Watching) -> Self {
        Self {
            detected: watching.detected.map(MeanJson::from),
            repaired: watching.repaired.map(MeanJson::from),
            lead: watching.lead.map(MeanJson::from),
            open: watching.open,
            unannounced: watching.unannounced.clone(),
        }
    }
}

impl From<Mean> for MeanJson {
    fn from(mean: Mean) -> Self {
        Self { seconds: mean.mean.as_secs_f64(), of: mean.of }
    }
}

impl From<&IncidentLine> for IncidentLineJson {
    fn from(line: &IncidentLine) -> Self {
        Self {
            id: line.id,
            blame: line.blame,
            worst_state: line.worst,
            capabilities: line.capabilities.clone(),
            opened_at: to_second(line.opened_at),
            resolved_at: line.resolved_at.map(to_second),
            seconds: line.lasted.as_secs_f64(),
            acknowledged_at: line.acknowledged_at.map(to_second),
            headline: line.headline.clone(),
        }
    }
}

impl DossierJson {
    /// What a refund needs of one incident.
    pub fn of(incident: i64, dossier: &Dossier) -> Self {
        Self {
            incident,
            text: dossier.text.clone(),
            jobs: dossier.jobs.iter().map(LateJobJson::from).collect(),
            answers: dossier.answers.iter().map(DistinctAnswerJson::from).collect(),
        }
    }
}

impl From<&LateJob> for LateJobJson {
    fn from(job: &LateJob) -> Self {
        let failure = job.failure.as_ref();
        Self {
            id: job.id.clone(),
            kind: job.kind,
            origin: job.origin,
            state: job.state.as_str().to_owned(),
            created_at: to_second(job.created_at),
            ended_at: job.ended_at.map(to_second),
            took_seconds: job.took.as_secs_f64(),
            late_seconds: job.late_by.map(|by| by.as_secs_f64()),
            failure_code: failure.and_then(|failure| failure.code.clone()),
            failure_message: failure.and_then(|failure| failure.message.clone()),
        }
    }
}

impl From<&Answer> for DistinctAnswerJson {
    fn from(answer: &Answer) -> Self {
        Self {
            probe: answer.probe.clone(),
            outcome: answer.outcome,
            http_status: answer.http_status,
            code: answer.code.clone(),
            message: answer.message.clone(),
            count: answer.count,
            first_at: to_second(answer.first_at),
            last_at: to_second(answer.last_at),
            request_id: answer.request_id.clone(),
        }
    }
}
