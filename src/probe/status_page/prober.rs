//! The probe: one run, one observation, one reading.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use url::Url;

use super::StatusPageCheck;
use super::fetch::{Fetcher, FirstAnswer};
use super::peer;
use super::session::{Guard, Memory, Target, read};
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::engine::page::ComponentMap;
use crate::http_client::{ClientOptions, Connection, HttpClient};
use crate::model::{
    Evidence, Observation, Outcome, Page, PeerReading, Phases, ProbeKind, Series, SourceReading,
    SourceRole, Timestamp,
};
use crate::probe::{ProbeDeps, ProbeSpec, Prober, Run, Step};

/// Makes the prober of a `[[status_page]]`.
pub fn prober(spec: &ProbeSpec, check: &StatusPageCheck, deps: &ProbeDeps) -> Box<dyn Prober> {
    Box::new(StatusPageProber {
        name: spec.name.clone(),
        check: check.clone(),
        http: deps.http.clone(),
        clock: deps.clock.clone(),
        memory: Mutex::new(Memory::default()),
    })
}

/// Reads the page at any address once, on a client of its own.
///
/// # Errors
/// Why it cannot be read, in one sentence.
pub async fn read_address(url: Url, clock: &Clock, timeout: Duration) -> Result<Page, String> {
    let check = StatusPageCheck {
        urls: vec![url],
        role: SourceRole::Alternative,
        replaces: Vec::new(),
        map: ComponentMap::default(),
        html: None,
    };
    let http = HttpClient::new(&ClientOptions::default()).map_err(|error| error.to_string())?;
    read_once(&check, &http, clock, timeout).await
}

/// Reads a configured page once, whatever it claims to be.
///
/// # Errors
/// Why it cannot be read, in one sentence.
pub async fn read_once(
    check: &StatusPageCheck,
    http: &HttpClient,
    clock: &Clock,
    timeout: Duration,
) -> Result<Page, String> {
    let deadline = Instant::now() + timeout;
    let mut memory = Memory::default();
    let mut fetcher =
        Fetcher::new(http, memory.fetch.clone(), deadline, Connection::Kept, clock.now());
    read(&target(check, Guard::Warn), &mut memory, &mut fetcher)
        .await
        .map_err(|trouble| trouble.text)
}

fn target(check: &StatusPageCheck, guard: Guard) -> Target<'_> {
    Target { urls: &check.urls, map: &check.map, html: check.html.as_ref(), guard }
}

struct StatusPageProber {
    name: String,
    check: StatusPageCheck,
    http: HttpClient,
    clock: Clock,
    memory: Mutex<Memory>,
}

impl Prober for StatusPageProber {
    fn run(&self, run: Run) -> BoxFuture<'_, Step> {
        Box::pin(self.read(run))
    }
}

impl StatusPageProber {
    async fn read(&self, run: Run) -> Step {
        let begun_at = self.clock.now();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let connection = if run.recheck { Connection::Fresh } else { Connection::Kept };
        let deadline = Instant::now() + run.timeout;
        let mut fetcher =
            Fetcher::new(&self.http, memory.fetch.clone(), deadline, connection, begun_at);
        let (page, said) = match self.check.role {
            SourceRole::Peer => {
                match peer::read(&self.check.urls, &mut fetcher, &self.clock).await {
                    Ok((page, said)) => (Ok(page), Some(said)),
                    Err(trouble) => (Err(trouble), None),
                }
            }
            SourceRole::Primary | SourceRole::Alternative => {
                let target = target(&self.check, Guard::Strict);
                (read(&target, &mut memory, &mut fetcher).await, None)
            }
        };
        let first = fetcher.first;
        memory.fetch = fetcher.into_memory();
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = memory;
        let step = self.step(page, first, begun_at);
        if self.check.role != SourceRole::Peer {
            return step;
        }
        let at = self.clock.now();
        let peer = PeerReading { source: self.name.clone(), at, said };
        Step { peer: Some(Box::new(peer)), ..step }
    }

    fn step(
        &self,
        page: Result<Page, Trouble>,
        first: Option<FirstAnswer>,
        begun_at: Timestamp,
    ) -> Step {
        let ended_at = self.clock.now().max(begun_at);
        let outcome = page.as_ref().map_or_else(|trouble| trouble.outcome, |_| Outcome::Ok);
        let evidence = page.as_ref().err().map(|trouble| Box::new(Evidence::from(trouble)));
        let observation = Observation {
            series: Series::of(&self.name),
            kind: ProbeKind::StatusPage,
            anonymous: true,
            capabilities: Vec::new(),
            begun_at,
            ended_at,
            outcome,
            skipped: None,
            answered: first.is_some(),
            phases: first.map_or_else(Phases::default, |first| first.phases),
            evidence,
            transport: outcome.is_transport().then(Default::default),
            control: None,
            certificate_expires_at: first.and_then(|first| first.certificate_expires_at),
        };
        let reading = SourceReading {
            source: self.name.clone(),
            role: self.check.role,
            replaces: self.check.replaces.clone(),
            at: ended_at,
            page: page.map_err(|trouble| trouble.text),
        };
        Step { reading: Some(Box::new(reading)), ..Step::observed(vec![observation]) }
    }
}
