//! A reload: validate first, then swap; a bad file changes nothing and says so (facts I33).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{ReadConfig, client_options, parts, probe_deps};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::deliver::Notifiers;
use crate::http_client::{ClientOptions, HttpClient};
use crate::metrics::{Catalogue, Metrics};
use crate::model::{Outcome, View};
use crate::monitor::Change;
use crate::probe::CheckSpec;
use crate::secret::Secret;
use crate::web::WebSettings;

/// While HeyGen refuses the API key, its file is read this often at most.
const KEY_AGAIN_AFTER: Duration = Duration::from_mins(1);

pub(super) struct Reloader {
    pub(super) read_config: ReadConfig,
    pub(super) current: Mutex<Config>,
    pub(super) http: ClientOptions,
    pub(super) monitor_id: String,
    pub(super) address: SocketAddr,
    pub(super) changes: mpsc::Sender<Change>,
    pub(super) settings: watch::Sender<WebSettings>,
    pub(super) channels: watch::Sender<Notifiers>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
}

impl Reloader {
    /// Answers what is allowed but worth saying. One at a time: a second reload waits for the first.
    pub(super) async fn reload(&self) -> Result<Vec<String>, ConfigError> {
        let mut current = self.current.lock().await;
        match self.prepare() {
            Ok((config, http)) => {
                let mut warnings = restarts(&current, &config);
                for warning in &warnings {
                    warn!("{warning}");
                }
                warnings.extend(config.warnings.iter().cloned());
                self.take_over(&config, &http).await;
                *current = config;
                self.metrics.reloaded(true, self.clock.now());
                info!("the configuration was read again and taken over");
                Ok(warnings)
            }
            Err(refused) => {
                self.metrics.reloaded(false, self.clock.now());
                Err(refused)
            }
        }
    }

    fn prepare(&self) -> Result<(Config, HttpClient), ConfigError> {
        let mut config = (self.read_config)()?;
        config.settings.instance = parts::instance(&self.monitor_id);
        let http = HttpClient::new(&client_options(&config, &self.http)).map_err(|failure| {
            ConfigError { rendered: crate::error_chain(&failure), problems: 1 }
        })?;
        Ok((config, http))
    }

    async fn take_over(&self, config: &Config, http: &HttpClient) {
        self.metrics.set_catalogue(&Catalogue::of(&config.settings));
        self.settings.send_replace(parts::web_settings(config, self.address));
        self.channels.send_replace(parts::notifiers(config, http, &self.monitor_id));
        let change = Change {
            specs: config.probes.clone(),
            settings: config.settings.clone(),
            deps: probe_deps(config, http.clone(), self.clock.clone()),
        };
        if self.changes.send(change).await.is_err() {
            // The monitor loop is gone; the supervision is already bringing the daemon down.
            warn!("the configuration is not taken over: the monitor loop has ended");
        }
    }

    /// Takes another API key over when its file holds one by now, and nothing else of the file: what
    /// is being edited there was not asked for.
    async fn refresh_key(&self) {
        let mut current = self.current.lock().await;
        let Ok(read) = (self.read_config)() else { return };
        let is_new = |key: &Secret| current.heygen.api_key.as_ref() != Some(key);
        let Some(key) = read.heygen.api_key.filter(is_new) else { return };
        let Ok(http) = HttpClient::new(&client_options(&current, &self.http)) else { return };
        info!("HeyGen refused the API key, and there is another one by now: it is taken over");
        current.redactor.learn(&key);
        current.heygen.api_key = Some(key);
        self.take_over(&current, &http).await;
    }

    /// The configuration that is in force.
    pub(super) async fn config(&self) -> Config {
        self.current.lock().await.clone()
    }
}

/// Looks after the API key whenever HeyGen refuses it, before people are told to replace a key that
/// somebody has replaced already.
pub(super) async fn follow_key(
    reloader: Arc<Reloader>,
    mut view: watch::Receiver<Option<Arc<View>>>,
    cancel: CancellationToken,
) {
    let refresh = async {
        while view.changed().await.is_ok() {
            let is_refused = view.borrow_and_update().as_ref().is_some_and(|view| {
                view.probes.iter().any(|one| one.last_outcome == Some(Outcome::Unauthorized))
            });
            if is_refused {
                reloader.refresh_key().await;
                reloader.clock.sleep(KEY_AGAIN_AFTER).await;
            }
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = refresh => cancel.cancelled().await,
    }
}

/// Where events are listened for.
fn listeners(config: &Config) -> Vec<(&str, std::net::SocketAddr, &str)> {
    config
        .probes
        .iter()
        .filter_map(|spec| match &spec.check {
            CheckSpec::Webhook(check) => {
                Some((spec.name.as_str(), check.listen, check.path.as_str()))
            }
            _ => None,
        })
        .collect()
}

/// What is not taken over before the next start, one sentence each.
fn restarts(old: &Config, new: &Config) -> Vec<String> {
    let changed = [
        ("web.listen", old.web.listen != new.web.listen),
        ("storage", old.storage.path != new.storage.path),
        ("storage.retention", old.storage.retention != new.storage.retention),
        ("heartbeat", old.heartbeat != new.heartbeat),
        ("check.webhook", listeners(old) != listeners(new)),
    ];
    let changed = changed.into_iter().filter(|(_, changed)| *changed);
    changed
        .map(|(key, _)| format!("`{key}` has changed; it is taken over at the next start"))
        .collect()
}
