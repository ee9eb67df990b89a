//! A GET of HeyGen's API, with the key or without it.
//!
//! Owns one call and its judgement; where the call reads the account, what it tells is passed on.
//! Invariant: one observation for each run, of the configured call alone.

use std::time::Duration;

use futures_util::future::BoxFuture;

use tokio::time::Instant;

use super::account::{self, KeyEnd};
use super::observe::{Asked, Subject, ask, connection};
use super::{ProbeDeps, ProbeSpec, Prober, Run, Step};
use crate::engine::classify::{Call, Question};
use crate::engine::schedule::Schedule;
use crate::heygen::account::{ACCOUNT_PATH, KEY_PATH};
use crate::heygen::{Access, Api};
use crate::http_client::{Connection, Limits};
use crate::model::{AccountReading, SkipReason};

/// With less time than this the key's end is left for another run.
const SHORTEST: Duration = Duration::from_millis(500);
/// It is a small answer, and nobody waits for it.
const KEY_WITHIN: Duration = Duration::from_secs(5);

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
    key_end: KeyEnd,
    deps: ProbeDeps,
}

/// The prober of a `check.api`.
pub(super) fn prober(spec: &ProbeSpec, check: &ApiCheck, deps: &ProbeDeps) -> Box<dyn Prober> {
    Box::new(ApiProber {
        subject: Subject::of(spec, check.anonymous),
        schedule: spec.schedule.clone(),
        check: check.clone(),
        api: Api::new(deps.base_url.clone(), deps.api_key.clone()),
        key_end: KeyEnd::default(),
        deps: deps.clone(),
    })
}

impl ApiProber {
    /// What the answer tells of the account, if that is what was asked for.
    async fn account(&self, run: &Run, asked: &Asked, began: Instant) -> Option<AccountReading> {
        let path =
            self.check.path.split_once('?').map_or(self.check.path.as_str(), |(path, _)| path);
        if self.check.anonymous || path.trim_end_matches('/') != ACCOUNT_PATH {
            return None;
        }
        let reading = account::reading(asked)?;
        let left = run.timeout.saturating_sub(began.elapsed());
        if !run.recheck && left >= SHORTEST && self.key_end.is_due(self.deps.clock.now()) {
            self.read_key_end(run, left.min(KEY_WITHIN)).await;
        }
        Some(AccountReading { key_expires_at: self.key_end.known(), ..reading })
    }

    async fn read_key_end(&self, run: &Run, within: Duration) {
        let limits = Limits::API.within(within);
        let Some(request) = self.api.get(KEY_PATH, Access::Keyed, limits) else { return };
        let expect = ["data".to_owned()];
        let question = Question {
            call: Call::Keyed { expect: &expect },
            path: KEY_PATH,
            carries_url: false,
            slow_after: within,
        };
        let request = request.on(self.connection(run));
        let run = Run::looking(within, false);
        let asked = ask(&self.deps, &run, &self.subject, request, &question).await;
        if let Some(key) = account::key_reading(&asked) {
            self.key_end.learn(key);
        }
    }

    fn connection(&self, run: &Run) -> Connection {
        connection(&self.schedule, run)
    }
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
            let began = Instant::now();
            let request = request.on(self.connection(&run));
            let asked = ask(&self.deps, &run, &self.subject, request, &question).await;
            let account = self.account(&run, &asked, began).await.map(Box::new);
            Step { account, ..Step::observed(vec![asked.observation]) }
        })
    }
}
