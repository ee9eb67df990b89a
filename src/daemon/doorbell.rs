//! The listeners for HeyGen's events: one per `check.webhook`.
//!
//! Owns the opening of their ports. What is genuine is `probe::webhook`'s. Invariant: all of them are
//! open, or the daemon does not start.

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::StartError;
use crate::clock::Clock;
use crate::config::Config;
use crate::model::JobEvent;
use crate::probe::CheckSpec;
use crate::probe::webhook::{WebhookCheck, listen};

/// An open port that nobody answers yet.
pub(super) struct Doorbell {
    probe: String,
    check: WebhookCheck,
    listener: TcpListener,
}

/// Opens every port.
pub(super) async fn open(config: &Config) -> Result<Vec<Doorbell>, StartError> {
    let mut bells = Vec::new();
    for spec in &config.probes {
        let CheckSpec::Webhook(check) = &spec.check else { continue };
        let address = check.listen;
        let refused = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().unwrap_or(address);
        info!(%address, probe.name = spec.name, "{} hears events on {address}", spec.name);
        bells.push(Doorbell { probe: spec.name.clone(), check: check.clone(), listener });
    }
    Ok(bells)
}

impl Doorbell {
    /// Answers until cancelled.
    pub(super) async fn listen(
        self,
        clock: Clock,
        events: mpsc::Sender<JobEvent>,
        cancel: CancellationToken,
    ) {
        listen(self.probe, self.check, self.listener, clock, events, cancel).await;
    }
}
