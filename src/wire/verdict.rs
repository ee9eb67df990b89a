//! The verdict (contract, section 3).

use serde::{Deserialize, Serialize};

use crate::model::{
    Action, Advice, Alternative, Blame, Capability, CapabilityVerdict, ComponentState, Confidence,
    Evidence, EvidenceItem, OfficialView, Outcome, Resubmit, State, Timestamp, Verdict,
};

/// [`Verdict`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Verdict")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct VerdictJson {
    pub at: Timestamp,
    pub vantage: String,
    pub account: String,
    pub state: State,
    pub blame: Blame,
    pub reason: String,
    pub headline: String,
    pub capabilities: Vec<CapabilityJson>,
}

impl From<&Verdict> for VerdictJson {
    fn from(verdict: &Verdict) -> Self {
        Self {
            at: to_second(verdict.at),
            vantage: verdict.vantage.clone(),
            account: verdict.account.clone(),
            state: verdict.state,
            blame: verdict.blame,
            reason: verdict.reason.as_str().to_owned(),
            headline: verdict.headline.clone(),
            capabilities: verdict.capabilities.iter().map(CapabilityJson::from).collect(),
        }
    }
}

/// [`CapabilityVerdict`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "CapabilityVerdict")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct CapabilityJson {
    pub capability: Capability,
    pub used: bool,
    pub state: State,
    pub blame: Blame,
    pub reason: String,
    pub since: Option<Timestamp>,
    pub headline: String,
    pub official: Option<OfficialJson>,
    pub evidence: Vec<EvidenceJson>,
    pub advice: AdviceJson,
    pub alternatives: Vec<AlternativeJson>,
}

impl From<&CapabilityVerdict> for CapabilityJson {
    fn from(verdict: &CapabilityVerdict) -> Self {
        Self {
            capability: verdict.capability,
            used: verdict.used,
            state: verdict.state,
            blame: verdict.blame,
            reason: verdict.reason.as_str().to_owned(),
            since: verdict.since.map(to_second),
            headline: verdict.headline.clone(),
            official: verdict.official.as_ref().map(OfficialJson::from),
            evidence: verdict.evidence.iter().map(EvidenceJson::from).collect(),
            advice: AdviceJson::from(&verdict.advice),
            alternatives: verdict.alternatives.iter().map(AlternativeJson::from).collect(),
        }
    }
}

/// [`OfficialView`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Official")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct OfficialJson {
    pub source: String,
    pub state: ComponentState,
    pub acknowledged: bool,
    pub lead_seconds: Option<i64>,
    #[serde(default)]
    pub notice: Option<String>,
}

impl From<&OfficialView> for OfficialJson {
    fn from(view: &OfficialView) -> Self {
        Self {
            source: view.source.clone(),
            state: view.state,
            acknowledged: view.acknowledged,
            lead_seconds: view.lead_seconds,
            notice: view.notice.clone(),
        }
    }
}

impl From<OfficialJson> for OfficialView {
    fn from(json: OfficialJson) -> Self {
        Self {
            source: json.source,
            state: json.state,
            acknowledged: json.acknowledged,
            lead_seconds: json.lead_seconds,
            notice: json.notice,
        }
    }
}

/// [`EvidenceItem`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Evidence")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct EvidenceJson {
    pub probe: String,
    pub outcome: Outcome,
    pub at: Timestamp,
    pub text: String,
    pub decisive: bool,
    #[serde(default)]
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

impl From<&EvidenceItem> for EvidenceJson {
    fn from(item: &EvidenceItem) -> Self {
        let detail = item.detail.clone();
        Self {
            probe: item.probe.clone(),
            outcome: item.outcome,
            at: to_second(item.at),
            text: item.text.clone(),
            decisive: item.decisive,
            host: detail.host,
            http_status: detail.http_status,
            code: detail.code,
            message: detail.message,
            param: detail.param,
            doc_url: detail.doc_url,
            retry_after_seconds: detail.retry_after_secs,
            request_id: detail.request_id,
            job_id: detail.job_id,
        }
    }
}

impl From<EvidenceJson> for EvidenceItem {
    fn from(json: EvidenceJson) -> Self {
        Self {
            probe: json.probe,
            outcome: json.outcome,
            at: json.at,
            text: json.text.clone(),
            decisive: json.decisive,
            detail: Evidence {
                text: json.text,
                host: json.host,
                http_status: json.http_status,
                code: json.code,
                message: json.message,
                param: json.param,
                doc_url: json.doc_url,
                retry_after_secs: json.retry_after_seconds,
                request_id: json.request_id,
                job_id: json.job_id,
            },
        }
    }
}

/// [`Advice`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Advice")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct AdviceJson {
    pub action: Action,
    pub until: Option<Timestamp>,
    pub resubmit: Resubmit,
    pub confidence: Confidence,
    pub text: String,
}

impl From<&Advice> for AdviceJson {
    fn from(advice: &Advice) -> Self {
        Self {
            action: advice.action,
            until: advice.until.map(to_second),
            resubmit: advice.resubmit,
            confidence: advice.confidence,
            text: advice.text.clone(),
        }
    }
}

impl From<AdviceJson> for Advice {
    fn from(json: AdviceJson) -> Self {
        Self {
            action: json.action,
            until: json.until,
            resubmit: json.resubmit,
            confidence: json.confidence,
            text: json.text,
        }
    }
}

/// [`Alternative`] as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "Alternative")]
#[allow(missing_docs, reason = "the fields are those of the model's type of the same name")]
pub struct AlternativeJson {
    pub name: String,
    pub state: ComponentState,
    pub checked_at: Timestamp,
}

impl From<&Alternative> for AlternativeJson {
    fn from(alternative: &Alternative) -> Self {
        Self {
            name: alternative.name.clone(),
            state: alternative.state,
            checked_at: to_second(alternative.checked_at),
        }
    }
}

/// Whole seconds: what people and scripts read.
pub(super) fn to_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
