//! A sign of life for a watcher outside: asked only while the loops progress and messages go out.
//!
//! Owns the rhythm. Invariant: silence or a call of `/fail` means that this monitor cannot be relied
//! on; the address is a secret.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use url::Url;

use crate::clock::Clock;
use crate::http_client::{HttpClient, Limits, Request};
use crate::secret::Secret;
use crate::store::Store;
use crate::web::Health;

/// A message that waits longer makes the monitor unreliable (facts, I38).
const STALE: Duration = Duration::from_mins(10);

/// A sign of life for a watcher outside.
pub(super) struct Pulse {
    pub(super) url: Secret,
    pub(super) every: Duration,
    pub(super) http: HttpClient,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) health: Arc<Health>,
}

impl Pulse {
    /// Runs until cancelled.
    pub(super) async fn run(self, cancel: CancellationToken) {
        self.call("/start").await;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(self.every) => {}
            }
            let path = if self.health.is_alive() && self.is_fresh().await { "" } else { "/fail" };
            self.call(path).await;
        }
    }

    /// True when no message waits for long.
    async fn is_fresh(&self) -> bool {
        let Ok(lines) = self.store.outbox().await else {
            return false;
        };
        let oldest = lines.iter().filter_map(|line| line.oldest_at).min();
        oldest.is_none_or(|at| {
            Duration::try_from(self.clock.now().duration_since(at)).unwrap_or_default() < STALE
        })
    }

    async fn call(&self, path: &str) {
        let Ok(mut url) = Url::parse(self.url.expose()) else {
            warn!("the heartbeat's address is no URL");
            return;
        };
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        match self.http.send(Request::get(url, Limits::API)).await {
            Ok(answer) if (200..300).contains(&answer.status) => debug!("a sign of life was given"),
            Ok(answer) => warn!("the sign of life was refused with {}", answer.status),
            Err(failure) => warn!("the sign of life could not be given: {:?}", failure.kind),
        }
    }
}
