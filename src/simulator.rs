//! A scriptable HeyGen on loopback, for `demo` and the tests.
//!
//! Serves, each on its own loopback port: HeyGen's API v3, its incident.io status page, the web
//! app, the files of finished jobs, control targets, a Slack webhook, a DNS server; and posts
//! HeyGen's webhook events. A fault [`Plan`] says what goes wrong where
//! and when; its times are those of the [`Clock`] handed in, so a day can pass in a minute. Knows
//! nothing of the monitor: it imports the clock alone, and what both sides must agree on is HeyGen's
//! documentation. Invariant: everything that reaches a port is in [`Simulator::log`] before it is
//! answered; that log is the ground truth of tests.

mod account;
mod api;
mod artefact;
mod catalogue;
mod dialect;
mod dns;
mod effect;
mod files;
mod gate;
mod job;
mod log;
mod page;
mod plan;
mod sites;
pub mod smtp;
mod webhook;
mod wire;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

pub use account::{Accepted, Account, Billing, CreateKind, Prices, Wallet};
pub use artefact::Artefact;
pub use dialect::{Dialect, Quirk};
pub use dns::{NameServer, Names};
pub use effect::{Answer, Effect};
pub use job::{End, Job, JobKind, Lifecycle};
pub use log::{Log, Received};
pub use page::{
    ComponentState, Format, IncidentStatus, Notice, PageComponent, PageIncident, PageMaintenance,
    StatusPage,
};
pub use plan::{Caller, Plan, Rule, Service};
pub use webhook::{Manner, WebhookEndpoint, WebhookEvent, webhook_signature};

/// The key that the simulated account has unless [`Options::api_key`] says otherwise.
pub const API_KEY: &str = "sk_simulated_0123456789abcdef";

/// Path of the Slack webhook.
const SLACK_PATH: &str = "/services/T00000000/B00000000/simulated";

/// How a simulation begins.
#[derive(Debug, Clone)]
pub struct Options {
    /// The time; plan and lifecycles follow it.
    pub clock: Clock,
    /// The only key that the API accepts.
    pub api_key: String,
    /// How many control targets there are.
    pub controls: u8,
    /// What goes wrong.
    pub plan: Plan,
    /// What the official page says.
    pub page: StatusPage,
    /// What the account holds.
    pub account: Account,
    /// What the name server knows.
    pub names: Names,
}

impl Options {
    /// A day on which all is well.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            api_key: API_KEY.to_owned(),
            controls: 3,
            plan: Plan::default(),
            page: StatusPage::heygen(),
            account: Account::default(),
            names: Names::default(),
        }
    }
}

/// What all services of one simulation share.
#[derive(Debug)]
struct World {
    clock: Clock,
    api_key: String,
    /// Where files are served, without a last slash.
    files: String,
    plan: Mutex<Plan>,
    page: Mutex<StatusPage>,
    account: Mutex<Account>,
    names: Mutex<Names>,
    log: Log,
    stop: CancellationToken,
}

impl World {
    fn new(options: Options, files: String) -> Self {
        Self {
            clock: options.clock,
            api_key: options.api_key,
            files,
            plan: Mutex::new(options.plan),
            page: Mutex::new(options.page),
            account: Mutex::new(options.account),
            names: Mutex::new(options.names),
            log: Log::default(),
            stop: CancellationToken::new(),
        }
    }
}

fn at(addresses: &[(Service, SocketAddr)], wanted: Service) -> SocketAddr {
    let found = addresses.iter().find(|(service, _)| *service == wanted);
    found.map(|(_, address)| *address).expect("a service that was started")
}

/// A running simulation; dropping it ends it.
#[derive(Debug)]
pub struct Simulator {
    world: Arc<World>,
    addresses: Vec<(Service, SocketAddr)>,
    dns: SocketAddr,
    tasks: JoinSet<()>,
}

impl Simulator {
    /// Opens every port and serves.
    ///
    /// # Errors
    /// When a loopback port cannot be opened.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let services =
            [Service::Api, Service::StatusPage, Service::WebApp, Service::Slack, Service::Files];
        let services = services.into_iter().chain((0..options.controls).map(Service::Control));
        let mut listeners = Vec::new();
        for service in services {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            listeners.push((service, listener.local_addr()?, listener));
        }
        let addresses: Vec<(Service, SocketAddr)> =
            listeners.iter().map(|(service, address, _)| (*service, *address)).collect();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let dns = socket.local_addr()?;
        let world =
            Arc::new(World::new(options, format!("http://{}", at(&addresses, Service::Files))));
        let mut tasks = JoinSet::new();
        tasks.spawn(dns::serve(socket, Arc::clone(&world)));
        tasks.spawn(webhook::run(Arc::clone(&world)));
        for (service, _, listener) in listeners {
            tasks.spawn(gate::serve(service, listener, Arc::clone(&world)));
        }
        Ok(Self { world, addresses, dns, tasks })
    }

    /// Where `service` listens.
    ///
    /// # Panics
    /// When there is no such control target.
    pub fn address(&self, service: Service) -> SocketAddr {
        if service == Service::Dns {
            return self.dns;
        }
        at(&self.addresses, service)
    }

    /// `http://127.0.0.1:PORT` of `service`, without a last slash.
    pub fn url(&self, service: Service) -> String {
        format!("http://{}", self.address(service))
    }

    /// The URLs of all control targets.
    pub fn control_urls(&self) -> Vec<String> {
        let is_control = |service: &Service| matches!(service, Service::Control(_));
        let controls = self.addresses.iter().filter(|(service, _)| is_control(service));
        controls.map(|(_, address)| format!("http://{address}/generate_204")).collect()
    }

    /// The URL of the Slack webhook.
    pub fn slack_webhook_url(&self) -> String {
        format!("{}{SLACK_PATH}", self.url(Service::Slack))
    }

    /// The URL of a video to be translated; it lasts [`Account::translation_secs`].
    pub fn source_url(&self) -> String {
        format!("{}{}", self.url(Service::Files), files::SOURCE_PATH)
    }

    /// The simulation's clock.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// Looks at or changes what goes wrong.
    pub fn plan<R>(&self, change: impl FnOnce(&mut Plan) -> R) -> R {
        change(&mut locked(&self.world.plan))
    }

    /// Looks at or changes the official page.
    pub fn page<R>(&self, change: impl FnOnce(&mut StatusPage) -> R) -> R {
        change(&mut locked(&self.world.page))
    }

    /// Looks at or changes the account and its jobs.
    pub fn account<R>(&self, change: impl FnOnce(&mut Account) -> R) -> R {
        change(&mut locked(&self.world.account))
    }

    /// Looks at or changes what the name server knows.
    pub fn names<R>(&self, change: impl FnOnce(&mut Names) -> R) -> R {
        change(&mut locked(&self.world.names))
    }

    /// Everything received so far, oldest first.
    pub fn log(&self) -> Vec<Received> {
        self.world.log.all()
    }

    /// What `service` received so far, oldest first.
    pub fn received(&self, service: Service) -> Vec<Received> {
        self.world.log.of(service)
    }

    /// How many creates with each title the API received, accepted or not.
    pub fn creates_by_title(&self) -> BTreeMap<String, usize> {
        self.world.log.creates_by(|create| create.json()["title"].as_str().map(str::to_owned))
    }

    /// How many creates with each `Idempotency-Key` the API received, accepted or not.
    pub fn creates_by_key(&self) -> BTreeMap<String, usize> {
        self.world.log.creates_by(|create| create.headers.get("idempotency-key").cloned())
    }

    /// Closes every port; requests that hang are dropped.
    pub async fn stop(mut self) {
        self.world.stop.cancel();
        self.tasks.shutdown().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}

/// A panic of one request must not end the simulation for the others.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
