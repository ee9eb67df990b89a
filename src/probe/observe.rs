//! From one exchange to one observation: what every probe that speaks HTTP has in common.
//!
//! Invariant: every exchange ends as exactly one observation, whatever went wrong.

use std::time::Duration;

use tokio::time::Instant;

use super::path_check::path_check;
use super::{ProbeDeps, ProbeSpec, Run};
use crate::engine::classify::{Answer, Question, classify};
use crate::engine::schedule::Schedule;
use crate::http_client::{Connection, Exchange, Request, TransportFailure, TransportKind};
use crate::model::{
    Capability, Evidence, Observation, Outcome, ProbeKind, Series, SkipReason, Timestamp, Transport,
};

/// Connections are kept between runs that are less than this apart.
const KEEP_BELOW: Duration = Duration::from_mins(1);

/// What an observation is of.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) series: Series,
    pub(super) kind: ProbeKind,
    pub(super) anonymous: bool,
    pub(super) capabilities: Vec<Capability>,
}

impl Subject {
    /// The only subject of a probe that looks at one thing.
    pub(super) fn of(spec: &ProbeSpec, anonymous: bool) -> Self {
        Self {
            series: Series::of(&spec.name),
            kind: spec.kind(),
            anonymous,
            capabilities: spec.capabilities.clone(),
        }
    }

    /// A run of it that has just begun and so far saw nothing.
    pub(super) fn observation(&self, at: Timestamp) -> Observation {
        Observation {
            anonymous: self.anonymous,
            capabilities: self.capabilities.clone(),
            ..Observation::blank(self.series.clone(), self.kind, at)
        }
    }

    /// A run that did not take place.
    pub(super) fn skipped(&self, reason: SkipReason, at: Timestamp) -> Observation {
        Observation { outcome: Outcome::Skipped, skipped: Some(reason), ..self.observation(at) }
    }
}

/// Which connection a run may use: a kept one between runs that follow each other closely.
pub(super) fn connection(schedule: &Schedule, run: &Run) -> Connection {
    match schedule {
        Schedule::Every(interval) if *interval < KEEP_BELOW && !run.recheck => Connection::Kept,
        Schedule::Every(_) | Schedule::Cron(_) => Connection::Fresh,
    }
}

/// Sends a request and judges what came back.
pub(super) async fn observe(
    deps: &ProbeDeps,
    run: &Run,
    subject: &Subject,
    request: Request,
    question: &Question<'_>,
) -> Observation {
    ask(deps, run, subject, request, question).await.observation
}

/// An exchange, judged, and what came of it below that.
pub(super) struct Asked {
    pub(super) observation: Observation,
    pub(super) answer: Result<Exchange, TransportFailure>,
}

impl Asked {
    /// The body of an answer that was right, if perhaps slow.
    pub(super) fn body(&self) -> Option<&[u8]> {
        let is_right = matches!(self.observation.outcome, Outcome::Ok | Outcome::Slow);
        self.answer.as_ref().ok().filter(|_| is_right).map(|exchange| exchange.body.as_slice())
    }

    /// The status of an answer.
    pub(super) fn status(&self) -> Option<u16> {
        self.answer.as_ref().ok().map(|exchange| exchange.status)
    }
}

/// As [`observe`], for those who read the answer too.
pub(super) async fn ask(
    deps: &ProbeDeps,
    run: &Run,
    subject: &Subject,
    request: Request,
    question: &Question<'_>,
) -> Asked {
    let mut observation = subject.observation(deps.clock.now());
    let started = Instant::now();
    let host = request.url.host_str().unwrap_or_default().to_owned();
    let asked = request.clone();
    let answer = deps.http.send(request).await;
    observation.ended_at = deps.clock.now().max(observation.begun_at);
    match &answer {
        Ok(exchange) => judge(&mut observation, exchange, &host, question),
        Err(failure) => {
            let path_check = path_check(deps, &asked, failure, run, started).await;
            fail(&mut observation, failure, host);
            if observation.outcome.is_transport() {
                observation.transport = Some(Transport { path_check, control: None });
            }
        }
    }
    Asked { observation, answer }
}

fn judge(observation: &mut Observation, exchange: &Exchange, host: &str, question: &Question<'_>) {
    let text = |value: &reqwest::header::HeaderValue| {
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    };
    let headers: Vec<(String, String)> = exchange
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let answer = Answer {
        host,
        status: exchange.status,
        headers: &headers,
        body: &exchange.body,
        elapsed: exchange.elapsed,
        at: observation.ended_at,
    };
    let classified = classify(&answer, question);
    observation.outcome = classified.outcome;
    observation.evidence = classified.evidence;
    observation.answered = true;
    observation.phases = exchange.phases;
    observation.certificate_expires_at = exchange.certificate_expires_at;
}

fn fail(observation: &mut Observation, failure: &TransportFailure, host: String) {
    observation.outcome = outcome_of(failure.kind);
    observation.answered = failure.answered;
    observation.phases = failure.phases;
    observation.evidence =
        Some(Box::new(Evidence { text: failure.text.clone(), host, ..Evidence::default() }));
}

/// The word for a failure below HTTP. A refused address is our resolver's or our configuration's
/// doing, and told as a name that does not resolve; its path check says that it is ours.
pub(super) fn outcome_of(kind: TransportKind) -> Outcome {
    match kind {
        TransportKind::Dns | TransportKind::Address => Outcome::DnsFailed,
        TransportKind::Connect => Outcome::ConnectFailed,
        TransportKind::Tls => Outcome::TlsFailed,
        TransportKind::Timeout => Outcome::Timeout,
        TransportKind::Local => Outcome::MonitorError,
    }
}
