//! What an observation holds beyond its one compact row, as JSON.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{instant, millis};
use crate::model::{ControlReading, Evidence, PathCheck, Phases, TargetReading, Transport};

/// [`Phases`] in microseconds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the unit is part of the stored name")]
pub(in crate::store) struct PhasesRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttfb_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_us: Option<u64>,
}

impl From<&Phases> for PhasesRow {
    fn from(phases: &Phases) -> Self {
        Self {
            dns_us: phases.dns.map(micros),
            connect_us: phases.connect.map(micros),
            ttfb_us: phases.ttfb.map(micros),
            body_us: phases.body.map(micros),
        }
    }
}

impl From<PhasesRow> for Phases {
    fn from(row: PhasesRow) -> Self {
        Self {
            dns: row.dns_us.map(Duration::from_micros),
            connect: row.connect_us.map(Duration::from_micros),
            ttfb: row.ttfb_us.map(Duration::from_micros),
            body: row.body_us.map(Duration::from_micros),
        }
    }
}

/// [`Evidence`]; what is absent takes no space.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::store) struct EvidenceRow {
    text: String,
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doc_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_secs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
}

impl From<&Evidence> for EvidenceRow {
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
            retry_after_secs: evidence.retry_after_secs,
            request_id: evidence.request_id,
            job_id: evidence.job_id,
        }
    }
}

impl From<EvidenceRow> for Evidence {
    fn from(row: EvidenceRow) -> Self {
        Self {
            text: row.text,
            host: row.host,
            http_status: row.http_status,
            code: row.code,
            message: row.message,
            param: row.param,
            doc_url: row.doc_url,
            retry_after_secs: row.retry_after_secs,
            request_id: row.request_id,
            job_id: row.job_id,
        }
    }
}

/// [`ControlReading`]: targets as pairs of name and latency in microseconds, because one of these
/// is kept for every control run.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct ControlRow {
    begun_at_ms: i64,
    targets: Vec<(String, Option<u64>)>,
}

impl From<&ControlReading> for ControlRow {
    fn from(reading: &ControlReading) -> Self {
        let pair = |target: &TargetReading| (target.target.clone(), target.latency.map(micros));
        Self {
            begun_at_ms: millis(reading.begun_at),
            targets: reading.targets.iter().map(pair).collect(),
        }
    }
}

impl TryFrom<ControlRow> for ControlReading {
    type Error = rusqlite::Error;

    fn try_from(row: ControlRow) -> rusqlite::Result<Self> {
        let target = |(target, latency): (String, Option<u64>)| TargetReading {
            target,
            latency: latency.map(Duration::from_micros),
        };
        Ok(Self {
            begun_at: instant(row.begun_at_ms)?,
            targets: row.targets.into_iter().map(target).collect(),
        })
    }
}

/// [`Transport`].
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct TransportRow {
    #[serde(default)]
    path_check: Option<PathCheck>,
    #[serde(default)]
    control: Option<ControlRow>,
}

impl From<&Transport> for TransportRow {
    fn from(transport: &Transport) -> Self {
        let control = transport.control.as_ref().map(ControlRow::from);
        Self { path_check: transport.path_check, control }
    }
}

impl TryFrom<TransportRow> for Transport {
    type Error = rusqlite::Error;

    fn try_from(row: TransportRow) -> rusqlite::Result<Self> {
        let control = row.control.map(ControlReading::try_from).transpose()?;
        Ok(Self { path_check: row.path_check, control })
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
