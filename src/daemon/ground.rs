//! What all loops stand on, and each loop built on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tracing::warn;

use super::Deps;
use super::failure::StartError;
use super::parts::{client_options, instance, probe_deps};
use super::pulse::Pulse;
use super::upkeep::Upkeep;
use crate::clock::Clock;
use crate::config::Config;
use crate::deliver::{Deliver, Notifiers, SelfTest};
use crate::engine::room::Room;
use crate::engine::{Memory, escalate};
use crate::error_chain;
use crate::http_client::HttpClient;
use crate::metrics::{Catalogue, Metrics};
use crate::model::{JobEvent, Timestamp, View};
use crate::monitor::{Change, Monitor, Order, Pace, Rounds, Start};
use crate::store::{Opened, Store};
use crate::web::{Health, WebSettings, WebState};

pub(super) struct Ground {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) monitor_id: String,
    pub(super) http: HttpClient,
    pub(super) address: SocketAddr,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
    pub(super) health: Arc<Health>,
    pub(super) owed: Arc<Notify>,
}

impl Ground {
    /// Opens what can be refused: the history, the client, the port.
    pub(super) async fn lay(
        mut config: Config,
        deps: &Deps,
    ) -> Result<(Self, TcpListener), StartError> {
        let clock = deps.clock.clone();
        let opened = open(&config, &clock).await?;
        config.settings.instance = instance(&opened.monitor_id);
        tell_repairs(&opened, &config, clock.now()).await;
        let options = client_options(&config, &deps.http);
        let http = HttpClient::new(&options).map_err(StartError::Http)?;
        let wanted = config.web.listen;
        let failed = |source| StartError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(failed)?;
        let metrics = Arc::new(Metrics::new(&Catalogue::of(&config.settings)));
        deps.log_counter.count_into(&metrics);
        metrics.reloaded(true, clock.now());
        let ground = Self {
            config,
            store: opened.store,
            monitor_id: opened.monitor_id,
            http,
            address: listener.local_addr().unwrap_or(wanted),
            metrics,
            clock,
            health: Arc::new(Health::new()),
            owed: Arc::new(Notify::new()),
        };
        Ok((ground, listener))
    }

    /// The monitor loop, as it was when the last one ended.
    pub(super) async fn monitor(
        &self,
        changes: mpsc::Receiver<Change>,
        (events, commands): (mpsc::Receiver<JobEvent>, mpsc::Receiver<Order>),
        view: watch::Sender<Option<Arc<View>>>,
    ) -> Result<Monitor, StartError> {
        let recollection = self.store.recall(self.clock.now()).await.map_err(StartError::Recall)?;
        let start = Start {
            memory: Memory::recall(&self.config.settings, recollection, self.clock.now()),
            pace: Pace::Scheduled { monitor_id: self.monitor_id.clone() },
            attempt_cap: None,
        };
        let deps = probe_deps(&self.config, self.http.clone(), self.clock.clone());
        let (specs, settings) = (self.config.probes.clone(), self.config.settings.clone());
        Ok(Monitor {
            rounds: Rounds::new(specs, settings, &deps, start),
            store: self.store.clone(),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock.clone(),
            changes,
            events,
            commands,
            view,
            owed: Arc::clone(&self.owed),
            turned: self.stamp(Health::monitor_turned),
            storage_degraded: self.storage_degraded(),
        })
    }

    pub(super) fn deliver(&self, notifiers: watch::Receiver<Notifiers>) -> Deliver {
        Deliver {
            store: self.store.clone(),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock.clone(),
            owed: Arc::clone(&self.owed),
            turned: self.stamp(Health::deliver_turned),
            notifiers,
        }
    }

    pub(super) fn self_test(
        &self,
        notifiers: watch::Receiver<Notifiers>,
        view: watch::Receiver<Option<Arc<View>>>,
    ) -> SelfTest {
        SelfTest {
            store: self.store.clone(),
            clock: self.clock.clone(),
            owed: Arc::clone(&self.owed),
            notifiers,
            view,
            monitor_id: self.monitor_id.clone(),
        }
    }

    pub(super) fn upkeep(&self) -> Upkeep {
        Upkeep {
            store: self.store.clone(),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock.clone(),
            retention: self.config.storage.retention,
            beat: self.stamp(Health::store_beat),
            storage_degraded: self.storage_degraded(),
            errors: BTreeMap::new(),
        }
    }

    /// The sign of life, where one is wanted.
    pub(super) fn pulse(&self) -> Option<Pulse> {
        let wanted = self.config.heartbeat.as_ref()?;
        Some(Pulse {
            url: wanted.url.clone(),
            every: wanted.every,
            http: self.http.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            health: Arc::clone(&self.health),
        })
    }

    pub(super) fn web(
        &self,
        view: watch::Receiver<Option<Arc<View>>>,
        settings: watch::Receiver<WebSettings>,
    ) -> WebState {
        WebState {
            view,
            store: self.store.clone(),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock.clone(),
            health: Arc::clone(&self.health),
            settings,
        }
    }

    fn stamp(&self, stamp: fn(&Health)) -> Box<dyn Fn() + Send + Sync> {
        let health = Arc::clone(&self.health);
        Box::new(move || stamp(&health))
    }

    fn storage_degraded(&self) -> Box<dyn Fn(bool) + Send + Sync> {
        let (health, metrics) = (Arc::clone(&self.health), Arc::clone(&self.metrics));
        let store = self.store.clone();
        Box::new(move |degraded| {
            health.storage_degraded(degraded);
            metrics.storage_degraded(degraded || store.room() != Room::Ample);
        })
    }
}

async fn open(config: &Config, clock: &Clock) -> Result<Opened, StartError> {
    let path = config.storage.path.clone();
    let now = clock.now();
    let opened = tokio::task::spawn_blocking(move || Store::open(&path, now)).await;
    match opened {
        Ok(result) => result.map_err(StartError::Store),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Nobody reads the log of a monitor that works: what was mended or lost is told like a warning.
async fn tell_repairs(opened: &Opened, config: &Config, now: Timestamp) {
    for repair in &opened.repairs {
        warn!("{repair}");
        let text = format!("The history of this monitor: {repair}.");
        for owed in escalate::warn(&config.settings, &text, now) {
            if let Err(failure) = opened.store.owe(&owed, now).await {
                warn!("{} is not told: {}", owed.channel, error_chain(&failure));
            }
        }
    }
}
