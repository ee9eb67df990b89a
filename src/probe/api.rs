//! A GET of HeyGen's API, with the key or without it.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::observe::{Subject, connection, observe};
use super::{ProbeDeps, ProbeSpec, Prober, Run, Step};
use crate::engine::classify::{Call, Question};
use crate::engine::schedule::Schedule;
use crate::heygen::{Access, Api};
use crate::http_client::Limits;
use crate::model::SkipReason;

/// `check.api` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct ApiCheck {
    /// Path below the base URL, e.g. `/v3/users/me`.
    pub path: String,
    /// Sent without the key: any envelope below 500 except 429 is `ok`.
    pub anonymous: bool,
    /// Keys that a success must have at its top.
    pub expect: Vec<String>,
    /// Slower than this is `slow`.
    pub slow_after: Duration,
}

struct ApiProber {
    subject: Subject,
    schedule: Schedule,
    check: ApiCheck,
    api: Api,
    deps: ProbeDeps,
}

/// The prober of a `check.api`.
pub(super) fn prober(spec: &ProbeSpec, check: &ApiCheck, deps: &ProbeDeps) -> Box<dyn Prober> {
    Box::new(ApiProber {
        subject: Subject::of(spec, check.anonymous),
        schedule: spec.schedule.clone(),
        check: check.clone(),
        api: Api::new(deps.base_url.clone(), deps.api_key.clone()),
        deps: deps.clone(),
    })
}

impl Prober for ApiProber {
    fn run(&self, run: Run) -> BoxFuture<'_, Step> {
        Box::pin(async move {
            let check = &self.check;
            let access = if check.anonymous { Access::Anonymous } else { Access::Keyed };
            let limits = Limits::API.within(run.timeout);
            let Some(request) = self.api.get(&check.path, access, limits) else {
                let skipped = self.subject.skipped(SkipReason::NoKey, self.deps.clock.now());
                return Step::observed(vec![skipped]);
            };
            let call = match access {
                Access::Keyed => Call::Keyed { expect: &check.expect },
                Access::Anonymous => Call::Anonymous { expect: &check.expect },
            };
            let question = Question {
                call,
                path: &check.path,
                carries_url: false,
                slow_after: check.slow_after,
            };
            let request = request.on(connection(&self.schedule, run));
            let observation = observe(&self.deps, run, &self.subject, request, &question).await;
            Step::observed(vec![observation])
        })
    }
}
