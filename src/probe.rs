//! Probes: what looks at the world. One file per kind.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::engine::Thresholds;
use crate::engine::schedule::Schedule;
use crate::http_client::HttpClient;
use crate::model::{Capability, Observation, ProbeKind, SourceReading};
use crate::secret::Secret;

pub mod api;
pub mod control;
mod dns;
mod observe;
mod path_check;
pub mod status_page;
pub mod submit;
pub mod web;

/// One configured probe (a `[[probe]]` or a `[[status_page]]`).
#[derive(Debug, Clone)]
pub struct ProbeSpec {
    /// Its name, unique among probes and status pages.
    pub name: String,
    /// When it runs.
    pub schedule: Schedule,
    /// Deadline of one run, in real time.
    pub timeout: Duration,
    /// What it informs.
    pub capabilities: Vec<Capability>,
    /// How it is confirmed.
    pub thresholds: Thresholds,
    /// What it does.
    pub check: CheckSpec,
}

impl ProbeSpec {
    /// The kind of its check.
    pub fn kind(&self) -> ProbeKind {
        match &self.check {
            CheckSpec::Api(_) => ProbeKind::Api,
            CheckSpec::Submit(_) => ProbeKind::Submit,
            CheckSpec::Web(_) => ProbeKind::Web,
            CheckSpec::Control(_) => ProbeKind::Control,
            CheckSpec::StatusPage(_) => ProbeKind::StatusPage,
        }
    }
}

/// What a probe does: one variant per kind, each defined in the kind's own file.
#[derive(Debug, Clone)]
pub enum CheckSpec {
    /// `check.api`
    Api(api::ApiCheck),
    /// `check.submit`
    Submit(submit::SubmitCheck),
    /// `check.web`
    Web(web::WebCheck),
    /// `check.control`
    Control(control::ControlCheck),
    /// `[[status_page]]`
    StatusPage(status_page::StatusPageCheck),
}

/// What probers need from outside.
#[derive(Debug, Clone)]
pub struct ProbeDeps {
    /// Sends requests.
    pub http: HttpClient,
    /// Tells the time.
    pub clock: Clock,
    /// Where HeyGen's API is.
    pub base_url: url::Url,
    /// HeyGen's key, if there is one.
    pub api_key: Option<Secret>,
    /// Addresses (`IP:port`) of the DNS servers of `control.dns`: the second resolver.
    pub second_resolvers: Vec<std::net::SocketAddr>,
}

/// How one run is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Deadline, in real time: the smaller of the probe's timeout and what the caller allows.
    pub timeout: Duration,
    /// True for a re-check: always on a fresh connection.
    pub recheck: bool,
}

/// What one run answers.
#[derive(Debug, Clone)]
pub enum Step {
    /// It saw something: one observation per series; a status page also answers its reading.
    Observed {
        /// One per series.
        observations: Vec<Observation>,
        /// Status pages alone.
        reading: Option<Box<SourceReading>>,
    },
}

impl Step {
    /// It saw something, and it is no status page.
    fn observed(observations: Vec<Observation>) -> Self {
        Self::Observed { observations, reading: None }
    }
}

/// Looks at one thing. A prober never fails and never panics: what goes wrong is an observation.
pub trait Prober: Send + Sync {
    /// One run. Ends within `run.timeout` and a second.
    fn run(&self, run: Run) -> BoxFuture<'_, Step>;
}

/// Makes the prober of a configured probe.
pub fn prober(spec: &ProbeSpec, deps: &ProbeDeps) -> Box<dyn Prober> {
    match &spec.check {
        CheckSpec::Api(check) => api::prober(spec, check, deps),
        CheckSpec::Submit(check) => submit::prober(spec, check, deps),
        CheckSpec::Web(check) => web::prober(spec, check, deps),
        CheckSpec::Control(check) => control::prober(spec, check, deps),
        CheckSpec::StatusPage(check) => status_page::prober(spec, check, deps),
    }
}
