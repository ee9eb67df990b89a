//! Probes: what looks at the world. One file per kind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::engine::Thresholds;
use crate::engine::schedule::Schedule;
use crate::http_client::HttpClient;
use crate::model::{
    AccountReading, Capability, Errand, Followed, JobKind, JobsReading, Observation, PeerReading,
    ProbeKind, Report, SourceReading,
};
use crate::secret::Secret;

mod account;
pub mod api;
mod artefact;
mod canary;
pub mod control;
mod dns;
mod job_calls;
mod observe;
mod path_check;
pub mod queue;
pub mod render;
pub mod speech;
pub mod status_page;
pub mod submit;
mod title;
pub mod translation;
pub mod web;
pub mod webhook;

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
            CheckSpec::Queue(_) => ProbeKind::Queue,
            CheckSpec::Render(_) => ProbeKind::Render,
            CheckSpec::Translation(_) => ProbeKind::Translation,
            CheckSpec::Speech(_) => ProbeKind::Speech,
            CheckSpec::Webhook(_) => ProbeKind::Webhook,
        }
    }

    /// True for what asks a substitute of HeyGen's.
    pub fn is_substitute(&self) -> bool {
        match &self.check {
            CheckSpec::Web(check) => !check.replaces.is_empty(),
            CheckSpec::StatusPage(check) => !check.replaces.is_empty(),
            _ => false,
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
    /// `check.queue`
    Queue(queue::QueueCheck),
    /// `check.render`
    Render(render::RenderCheck),
    /// `check.translation`
    Translation(translation::TranslationCheck),
    /// `check.speech`
    Speech(speech::SpeechCheck),
    /// `check.webhook`
    Webhook(webhook::WebhookCheck),
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
    /// Whether job titles may be kept (`show_titles`).
    pub show_titles: bool,
    /// What this installation signs its paid tests with: `hgm-<instance>-…`.
    pub instance: String,
    /// How long a create request may take (`submit_timeout`), in real time.
    pub submit_timeout: Duration,
}

/// How one run is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Deadline, in real time: the smaller of the probe's timeout and what the caller allows.
    pub timeout: Duration,
    /// True for a re-check: always on a fresh connection.
    pub recheck: bool,
    /// What is known of the account's jobs; empty for all but the queue probe.
    pub followed: Arc<BTreeMap<JobKind, Followed>>,
}

impl Run {
    /// A run of a probe that follows no jobs.
    pub fn looking(timeout: Duration, recheck: bool) -> Self {
        Self { timeout, recheck, followed: Arc::default() }
    }
}

/// What one run answers.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// What it saw: one per series.
    pub observations: Vec<Observation>,
    /// Status pages alone.
    pub reading: Option<Box<SourceReading>>,
    /// Other monitors alone.
    pub peer: Option<Box<PeerReading>>,
    /// The queue probe alone: one per kind whose list was read. Belongs to the observation whose
    /// subject is the kind's word.
    pub jobs: Vec<JobsReading>,
    /// What HeyGen says of the account, where the run read it.
    pub account: Option<Box<AccountReading>>,
}

impl Step {
    /// It saw something, and it is no status page.
    fn observed(observations: Vec<Observation>) -> Self {
        Self { observations, ..Self::default() }
    }
}

/// Looks at one thing. A prober never fails and never panics: what goes wrong is an observation.
pub trait Prober: Send + Sync {
    /// One run. Ends within `run.timeout` and a second.
    fn run(&self, run: Run) -> BoxFuture<'_, Step>;
}

/// Sends paid tests and follows them, one errand at a time. Decides nothing: which errand comes
/// next is the core's, and what went wrong is part of the report.
pub trait Canary: Send + Sync {
    /// One errand. Ends within the deadline of its requests.
    fn attend(&self, errand: Errand) -> BoxFuture<'_, Report>;
}

/// What stands behind a configured probe.
#[derive(Clone)]
pub enum Worker {
    /// Looks, by schedule.
    Looks(Arc<dyn Prober>),
    /// Spends, when the core says so.
    Spends(Arc<dyn Canary>),
    /// Is told, by a listener of its own.
    Listens,
}

/// Makes what stands behind a configured probe.
pub fn worker(spec: &ProbeSpec, deps: &ProbeDeps) -> Worker {
    let looks = |prober: Box<dyn Prober>| Worker::Looks(Arc::from(prober));
    let spends = |canary: Box<dyn Canary>| Worker::Spends(Arc::from(canary));
    match &spec.check {
        CheckSpec::Api(check) => looks(api::prober(spec, check, deps)),
        CheckSpec::Submit(check) => looks(submit::prober(spec, check, deps)),
        CheckSpec::Web(check) => looks(web::prober(spec, check, deps)),
        CheckSpec::Control(check) => looks(control::prober(spec, check, deps)),
        CheckSpec::StatusPage(check) => looks(status_page::prober(spec, check, deps)),
        CheckSpec::Queue(check) => looks(queue::prober(spec, check, deps)),
        CheckSpec::Render(check) => spends(render::canary(spec, check, deps)),
        CheckSpec::Translation(check) => spends(translation::canary(spec, check, deps)),
        CheckSpec::Speech(check) => spends(speech::canary(spec, check, deps)),
        CheckSpec::Webhook(_) => Worker::Listens,
    }
}
