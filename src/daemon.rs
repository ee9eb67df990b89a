//! Wires everything, starts the loops, stops them.
//!
//! The only place that knows all rooms and the only one that spawns loops. Decides nothing about
//! HeyGen. Invariant: what was started is stopped, within a bound, in the reverse order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::config::{Config, ConfigError, Surroundings};
use crate::http_client::ClientOptions;
use crate::metrics::{LogCounter, Task};
use crate::model::View;
use crate::store::Store;
use crate::systemd::Supervisor;

mod door;
mod doorbell;
mod failure;
mod ground;
mod parts;
mod pulse;
mod reload;
mod supervise;
mod upkeep;

pub use door::LISTEN_FILE;
pub use failure::StartError;
pub use parts::{client_options, notify_deps, probe_deps, runtime_directory};

use door::Door;
use ground::Ground;
use reload::Reloader;
use supervise::Loops;

/// Loops have this long to end by themselves (facts I34).
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// Reloads waiting for the monitor: it takes each within one turn.
const CHANGES: usize = 4;
/// Orders waiting for the monitor: it takes each within one turn.
const ORDERS: usize = 16;
/// Events waiting for the monitor; more than it lies behind in any case, and HeyGen sends again.
const EVENTS: usize = 64;

/// Reads the configuration again, for a reload.
pub type ReadConfig = Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// What the daemon needs from outside.
pub struct Deps {
    /// The time.
    pub clock: Clock,
    /// How clients are built, apart from what the configuration says.
    pub http: ClientOptions,
    /// The environment.
    pub surroundings: Surroundings,
    /// Counts log lines.
    pub log_counter: LogCounter,
    /// Reads the configuration again.
    pub read_config: ReadConfig,
}

/// Starts everything.
#[derive(Debug)]
pub struct Daemon {}

/// A running daemon.
pub struct Running {
    address: SocketAddr,
    view: watch::Receiver<Option<Arc<View>>>,
    store: Store,
    loops: Loops,
    reloader: Arc<Reloader>,
    supervisor: Supervisor,
    listen_file: PathBuf,
}

impl Daemon {
    /// Starts everything, or nothing.
    ///
    /// # Errors
    /// See [`StartError`]; it knows its exit code and what to do.
    pub async fn start(config: Config, deps: Deps) -> Result<Running, StartError> {
        let supervisor =
            Supervisor::from_environment(&deps.surroundings.env).map_err(StartError::Supervisor)?;
        let directory = runtime_directory(&config, &deps.surroundings);
        let (ground, listener) = supervisor.patiently(Ground::lay(config, &deps)).await?;
        let socket = door::open(&directory)?;
        let (changes, changed) = mpsc::channel(CHANGES);
        let (view, viewed) = watch::channel(None);
        let (settings, web_settings) =
            watch::channel(parts::web_settings(&ground.config, ground.address));
        let (channels, notifiers) =
            watch::channel(parts::notifiers(&ground.config, &ground.http, &ground.monitor_id));
        let (heard, events) = mpsc::channel(EVENTS);
        let doorbells = doorbell::open(&ground.config).await?;
        let (orders, commands) = mpsc::channel(ORDERS);
        let monitor = ground.monitor(changed, (events, commands), view);
        let monitor = supervisor.patiently(monitor).await?;
        let reloader = Arc::new(Reloader {
            read_config: deps.read_config,
            current: tokio::sync::Mutex::new(ground.config.clone()),
            http: deps.http,
            monitor_id: ground.monitor_id.clone(),
            address: ground.address,
            changes,
            settings,
            channels,
            metrics: Arc::clone(&ground.metrics),
            clock: ground.clock.clone(),
        });
        let door = Door {
            reloader: Arc::clone(&reloader),
            view: viewed.clone(),
            store: ground.store.clone(),
            owed: Arc::clone(&ground.owed),
            clock: ground.clock.clone(),
            orders,
        };
        let listen_file = door::leave_address(&directory, ground.address)?;
        // From here on nothing can be refused.
        let loops = Loops::new(Arc::clone(&ground.metrics));
        let cancel = loops.cancel.clone();
        let web = ground.web(viewed.clone(), web_settings);
        loops.spawn(Task::Monitor, monitor.run(cancel.clone()));
        let self_test = ground.self_test(notifiers.clone(), viewed.clone());
        loops.spawn(Task::Deliver, ground.deliver(notifiers).run(cancel.clone()));
        loops.spawn(Task::Deliver, self_test.run(cancel.clone()));
        loops.spawn(Task::Monitor, ground.upkeep().run(cancel.clone()));
        if let Some(pulse) = ground.pulse() {
            loops.spawn(Task::Monitor, pulse.run(cancel.clone()));
        }
        for bell in doorbells {
            let listening = bell.listen(ground.clock.clone(), heard.clone(), cancel.clone());
            loops.spawn(Task::Web, listening);
        }
        loops.spawn(Task::Web, crate::web::serve(listener, web, cancel.clone()));
        loops.spawn(Task::Admin, crate::admin::serve(socket, door, cancel.clone()));
        let health = Arc::clone(&ground.health);
        let following = reload::follow_key(Arc::clone(&reloader), viewed.clone(), cancel.clone());
        loops.spawn(Task::Monitor, following);
        let told = parts::tell(supervisor.clone(), health, viewed.clone(), cancel);
        loops.spawn(Task::Monitor, told);
        ground.health.planned();
        supervisor.ready("started");
        let (address, store) = (ground.address, ground.store);
        info!(%address, "watching {} probes and status pages", ground.config.probes.len());
        Ok(Running { address, view: viewed, store, loops, reloader, supervisor, listen_file })
    }
}

impl Running {
    /// Where the HTTP side listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the daemon believes, as it changes.
    pub fn view(&self) -> watch::Receiver<Option<Arc<View>>> {
        self.view.clone()
    }

    /// The history, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Reads the configuration again and takes it over whole, or changes nothing.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn reload(&self) -> Result<(), ConfigError> {
        self.supervisor.reloading();
        let result = self.reloader.reload().await;
        let status = if result.is_ok() { "reloaded" } else { "kept the old configuration" };
        self.supervisor.ready(status);
        result.map(drop)
    }

    /// Waits until a core loop ends although nobody asked it to.
    pub async fn failed(&self) {
        self.loops.failed.cancelled().await;
    }

    /// Stops everything within 20 s; what is not told by then is told after the next start.
    pub async fn stop(&self) {
        self.supervisor.stopping();
        self.loops.cancel.cancel();
        self.loops.tracker.close();
        if tokio::time::timeout(STOP_WITHIN, self.loops.tracker.wait()).await.is_err() {
            warn!("some loops did not end in time; stopping without them");
        }
        self.store.close().await;
        // Gone already is as good as removed.
        drop(std::fs::remove_file(&self.listen_file));
    }
}
