//! What one run of one probe saw, and how a probe stands.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::to_second;
use crate::model::{
    Capability, Evidence, Observation, Outcome, Phases, ProbeKind, ProbeView, SkipReason, Timestamp,
};

/// [`Observation`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Observation")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct ObservationJson {
    pub probe: String,
    /// What of the probe's targets it is about; empty for a probe with one.
    pub subject: String,
    pub kind: ProbeKind,
    pub anonymous: bool,
    pub capabilities: Vec<Capability>,
    pub begun_at: Timestamp,
    pub ended_at: Timestamp,
    pub duration_seconds: f64,
    pub outcome: Outcome,
    /// What it does to HeyGen's availability: `up`, `degraded`, `down` or `neutral`.
    pub counts: String,
    pub skipped: Option<SkipReason>,
    pub phases: PhasesJson,
    /// What was answered; `null` for a plain success, and for readers that are not trusted.
    pub answer: Option<AnswerJson>,
}

impl From<&Observation> for ObservationJson {
    fn from(observation: &Observation) -> Self {
        Self {
            probe: observation.series.probe.clone(),
            subject: observation.series.subject.clone(),
            kind: observation.kind,
            anonymous: observation.anonymous,
            capabilities: observation.capabilities.clone(),
            begun_at: observation.begun_at,
            ended_at: observation.ended_at,
            duration_seconds: observation.duration().as_secs_f64(),
            outcome: observation.outcome,
            counts: observation.outcome.counts().as_str().to_owned(),
            skipped: observation.skipped,
            phases: PhasesJson::from(&observation.phases),
            answer: observation.evidence.as_deref().map(AnswerJson::from),
        }
    }
}

/// [`Phases`] as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Phases")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct PhasesJson {
    pub dns_seconds: Option<f64>,
    pub connect_seconds: Option<f64>,
    pub ttfb_seconds: Option<f64>,
    pub body_seconds: Option<f64>,
}

impl From<&Phases> for PhasesJson {
    fn from(phases: &Phases) -> Self {
        let seconds = |phase: Option<Duration>| phase.map(|phase| phase.as_secs_f64());
        Self {
            dns_seconds: seconds(phases.dns),
            connect_seconds: seconds(phases.connect),
            ttfb_seconds: seconds(phases.ttfb),
            body_seconds: seconds(phases.body),
        }
    }
}

/// [`Evidence`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Answer")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct AnswerJson {
    pub text: String,
    pub host: String,
    pub http_status: Option<u16>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub param: Option<String>,
    pub doc_url: Option<String>,
    pub retry_after_seconds: Option<u64>,
    pub request_id: Option<String>,
    pub job_id: Option<String>,
}

impl From<&Evidence> for AnswerJson {
    fn from(evidence: &Evidence) -> Self {
        let evidence = evidence.clone();
        Self {
            text: evidence.text,
            host: evidence.host,
            http_status: evidence.http_status,
            code: evidence.code,
            message: evidence.message,
            param: evidence.param,
            doc_url: evidence.doc_url,
            retry_after_seconds: evidence.retry_after_secs,
            request_id: evidence.request_id,
            job_id: evidence.job_id,
        }
    }
}

/// [`ProbeView`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Probe")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct ProbeJson {
    pub probe: String,
    /// What of the probe's targets it is about; empty for a probe with one.
    pub subject: String,
    pub kind: ProbeKind,
    /// Method and address that it asks, without query; `null` where it asks more than one.
    pub target: Option<String>,
    /// The last outcome, `skipped` included.
    pub outcome: Option<Outcome>,
    /// The last run that was not skipped.
    pub last: Option<ObservationJson>,
    pub last_success_at: Option<Timestamp>,
    pub next_due_at: Option<Timestamp>,
}

impl From<&ProbeView> for ProbeJson {
    fn from(view: &ProbeView) -> Self {
        Self {
            probe: view.series.probe.clone(),
            subject: view.series.subject.clone(),
            kind: view.kind,
            target: view.target.clone(),
            outcome: view.last_outcome,
            last: view.last.as_ref().map(ObservationJson::from),
            last_success_at: view.last_success_at.map(to_second),
            next_due_at: view.next_due_at.map(to_second),
        }
    }
}
