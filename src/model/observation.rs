//! What one run of one probe saw: facts, classified into one outcome, never edited afterwards.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Capability, Outcome, ProbeKind, Series, SkipReason, Timestamp};

/// What one run of one probe saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The line this belongs to.
    pub series: Series,
    /// The kind of the probe.
    pub kind: ProbeKind,
    /// True for an API call sent without the key, and for every other call that carries none.
    pub anonymous: bool,
    /// What it informs; empty for controls and status pages.
    pub capabilities: Vec<Capability>,
    /// When the run began. A job observation begins when its job was created.
    pub begun_at: Timestamp,
    /// When the run ended; never before `begun_at`.
    pub ended_at: Timestamp,
    /// The one word.
    pub outcome: Outcome,
    /// Why it did not run; `Some` exactly when `outcome` is [`Outcome::Skipped`].
    pub skipped: Option<SkipReason>,
    /// True when the target answered over HTTP at all, whatever it said.
    pub answered: bool,
    /// Where the time went, as far as the exchange got.
    pub phases: Phases,
    /// What proves a failure; `None` for successes.
    pub evidence: Option<Box<Evidence>>,
    /// What a transport failure looks like from nearby; `Some` only for transport failures.
    pub transport: Option<Transport>,
    /// What a control run saw; `Some` exactly when `kind` is [`ProbeKind::Control`].
    pub control: Option<ControlReading>,
    /// When the leaf certificate of the target expires, where TLS was spoken.
    pub certificate_expires_at: Option<Timestamp>,
}

impl Observation {
    /// Nothing but whose it is and when: a fault of ours until the rest is filled in.
    pub fn blank(series: Series, kind: ProbeKind, at: Timestamp) -> Self {
        Self {
            series,
            kind,
            anonymous: false,
            capabilities: Vec::new(),
            begun_at: at,
            ended_at: at,
            outcome: Outcome::MonitorError,
            skipped: None,
            answered: false,
            phases: Phases::default(),
            evidence: None,
            transport: None,
            control: None,
            certificate_expires_at: None,
        }
    }

    /// How long the run took.
    pub fn duration(&self) -> Duration {
        Duration::try_from(self.ended_at.duration_since(self.begun_at)).unwrap_or_default()
    }
}

/// Durations of the phases of one exchange (contract, section 6, `heygen_probe_phase_seconds`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phases {
    /// Name resolution; `None` on a reused connection or a literal address.
    pub dns: Option<Duration>,
    /// TCP and TLS; `None` on a reused connection.
    pub connect: Option<Duration>,
    /// From the request sent to the head of the answer.
    pub ttfb: Option<Duration>,
    /// From the head of the answer to its last byte.
    pub body: Option<Duration>,
}

/// What proves a failure, in HeyGen's own words where it gave any. All text is cleaned on entry
/// (no control characters, capped) and holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// One plain sentence without a full stop: `503 from api.heygen.com after 210 ms`.
    pub text: String,
    /// Host that was asked, without port.
    pub host: String,
    /// HTTP status, where there was an answer.
    pub http_status: Option<u16>,
    /// Error code of the envelope.
    pub code: Option<String>,
    /// Error message of the envelope.
    pub message: Option<String>,
    /// Parameter that the envelope names.
    pub param: Option<String>,
    /// Documentation link of the envelope; `https:` only.
    pub doc_url: Option<String>,
    /// `Retry-After`, in seconds from the answer, as given (an HTTP date is converted).
    pub retry_after_secs: Option<u64>,
    /// Whichever request id the edge sent.
    pub request_id: Option<String>,
    /// Job that is spoken of.
    pub job_id: Option<String>,
}

/// What surrounds a transport failure, so that its side can be told (verdicts.md, section 1).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transport {
    /// The look for a local cause; `None` when that step was left out (a literal or single
    /// address, no second resolver).
    pub path_check: Option<PathCheck>,
    /// The control run begun after the failure; attached by the monitor, `None` if none exists.
    pub control: Option<ControlReading>,
}

/// A local cause of a transport failure, or its absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathCheck {
    /// The second resolver knows the name that ours does not: `local_dns`.
    LocalDns,
    /// Another address of the same host answers: `local_path`.
    LocalPath,
    /// The step was taken and found nothing: the failure is not shown to be ours.
    NotOurs,
}

/// One run of the controls.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlReading {
    /// When the run began.
    pub begun_at: Timestamp,
    /// One entry per target.
    pub targets: Vec<TargetReading>,
}

impl ControlReading {
    /// Number of targets that answered.
    pub fn answered(&self) -> usize {
        self.targets.iter().filter(|target| target.latency.is_some()).count()
    }

    /// Fine: at least half of the targets answer (and there is a target).
    pub fn is_fine(&self) -> bool {
        !self.targets.is_empty() && self.answered() * 2 >= self.targets.len()
    }

    /// None of the targets answers (and there is a target).
    pub fn is_silent(&self) -> bool {
        !self.targets.is_empty() && self.answered() == 0
    }
}

/// What one control target did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReading {
    /// The URL's host or `name@server` of a DNS target.
    pub target: String,
    /// Time to the answer; `None` when there was none.
    pub latency: Option<Duration>,
}
