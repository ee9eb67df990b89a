//! Is the internet there? Targets that are not HeyGen's, all side by side.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use simple_dns::TYPE;
use tokio::time::{Instant, timeout};
use url::Url;

use super::dns::{self, Known};
use super::observe::Subject;
use super::{ProbeDeps, ProbeSpec, Prober, Run, Step};
use crate::http_client::{Limits, Request};
use crate::model::{ControlReading, Evidence, Observation, Outcome, TargetReading};

/// The longest that one target may take (contract, section 4, `check`).
const LONGEST: Duration = Duration::from_secs(3);

/// `check.control` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct ControlCheck {
    /// URLs; any HTTP answer counts.
    pub https: Vec<Url>,
    /// Names to ask a server for; any answer that resolves counts.
    pub dns: Vec<DnsTarget>,
}

/// One DNS target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsTarget {
    /// Name to look up.
    pub name: String,
    /// Server to ask, over UDP.
    pub server: SocketAddr,
}

struct ControlProber {
    subject: Subject,
    check: ControlCheck,
    deps: ProbeDeps,
}

/// The prober of a `check.control`.
pub(super) fn prober(spec: &ProbeSpec, check: &ControlCheck, deps: &ProbeDeps) -> Box<dyn Prober> {
    Box::new(ControlProber {
        subject: Subject::of(spec, true),
        check: check.clone(),
        deps: deps.clone(),
    })
}

impl Prober for ControlProber {
    fn run(&self, run: Run) -> BoxFuture<'_, Step> {
        Box::pin(async move {
            let mut observation = self.subject.observation(self.deps.clock.now());
            let within = run.timeout.min(LONGEST);
            let https = self.check.https.iter().map(|url| self.ask_https(url, within));
            let dns = self.check.dns.iter().map(|target| ask_dns(target, within));
            let (mut targets, by_dns) = tokio::join!(join_all(https), join_all(dns));
            targets.extend(by_dns);
            observation.ended_at = self.deps.clock.now().max(observation.begun_at);
            read(&mut observation, targets);
            Step::observed(vec![observation])
        })
    }
}

impl ControlProber {
    async fn ask_https(&self, url: &Url, within: Duration) -> TargetReading {
        let began = Instant::now();
        let request = Request::get(url.clone(), Limits::CONTROL.within(within));
        let latency = match self.deps.http.send(request).await {
            Ok(_) => Some(began.elapsed()),
            Err(failure) => failure.answered.then(|| began.elapsed()),
        };
        TargetReading { target: url.host_str().unwrap_or_default().to_owned(), latency }
    }
}

async fn ask_dns(target: &DnsTarget, within: Duration) -> TargetReading {
    let began = Instant::now();
    let asked = timeout(within, dns::ask_family(target.server, &target.name, TYPE::A)).await;
    let resolves = matches!(asked, Ok(Ok(Known::Resolves(_))));
    TargetReading {
        target: format!("{}@{}", target.name, target.server.ip()),
        latency: resolves.then(|| began.elapsed()),
    }
}

/// The word alone cannot say "in between": whoever judges reads the targets.
fn read(observation: &mut Observation, targets: Vec<TargetReading>) {
    let reading = ControlReading { begun_at: observation.begun_at, targets };
    observation.answered = reading.answered() > 0;
    observation.outcome = if reading.is_fine() { Outcome::Ok } else { Outcome::ConnectFailed };
    if !reading.is_fine() {
        let silent = reading.targets.iter().filter(|target| target.latency.is_none());
        let silent: Vec<&str> = silent.map(|target| target.target.as_str()).collect();
        observation.evidence = Some(Box::new(Evidence {
            text: format!(
                "{} of {} control targets answered (silent: {})",
                reading.answered(),
                reading.targets.len(),
                silent.join(", ")
            ),
            ..Evidence::default()
        }));
    }
    observation.control = Some(reading);
}
