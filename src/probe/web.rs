//! A page that people open in a browser. Its redirects are not followed: what answers is judged.

use std::time::Duration;

use futures_util::future::BoxFuture;
use url::Url;

use super::observe::{Subject, connection, observe};
use super::{ProbeDeps, ProbeSpec, Prober, Run, Step};
use crate::engine::classify::{Call, Question};
use crate::engine::schedule::Schedule;
use crate::http_client::{Limits, Request};
use crate::model::Capability;

/// `check.web` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct WebCheck {
    /// The page.
    pub url: Url,
    /// Statuses that are right.
    pub status: Vec<u16>,
    /// A marker that the body must contain.
    pub contains: Option<String>,
    /// Slower than this is `slow`.
    pub slow_after: Duration,
    /// Days before the certificate's end from which on the log says so, once a day.
    pub certificate_days: u32,
    /// When not empty: a substitute's check, never part of the verdict.
    pub replaces: Vec<Capability>,
}

struct WebProber {
    subject: Subject,
    schedule: Schedule,
    check: WebCheck,
    deps: ProbeDeps,
}

/// The prober of a `check.web`.
pub(super) fn prober(spec: &ProbeSpec, check: &WebCheck, deps: &ProbeDeps) -> Box<dyn Prober> {
    Box::new(WebProber {
        subject: Subject::of(spec, true),
        schedule: spec.schedule.clone(),
        check: check.clone(),
        deps: deps.clone(),
    })
}

impl Prober for WebProber {
    fn run(&self, run: Run) -> BoxFuture<'_, Step> {
        Box::pin(async move {
            let check = &self.check;
            let request = Request::get(check.url.clone(), Limits::PAGE.within(run.timeout))
                .on(connection(&self.schedule, &run));
            let question = Question {
                call: Call::Page { statuses: &check.status, contains: check.contains.as_deref() },
                path: check.url.path(),
                carries_url: false,
                slow_after: check.slow_after,
            };
            let observation = observe(&self.deps, &run, &self.subject, request, &question).await;
            Step::observed(vec![observation])
        })
    }
}
