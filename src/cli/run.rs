//! `run`: the daemon in the foreground; signals in, exit code out.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};

use super::{Context, exit, load_config, output, warn};
use crate::daemon::{Daemon, Deps, Running};
use crate::http_client::ClientOptions;

/// Runs the command.
///
/// # Errors
/// When the daemon does not start, or signals cannot be listened to.
pub async fn run(context: &Context) -> anyhow::Result<u8> {
    let config = load_config(context)?;
    warn(&config.warnings);
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    // Once it is listened to, a write beyond the limit on file sizes fails instead of killing us.
    drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
    let running = Daemon::start(config, deps(context)).await?;
    output::say(&format!("listening on http://{}", running.address()));
    loop {
        tokio::select! {
            _ = stop.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reload(&running).await,
            () = running.failed() => {
                error!("a core loop ended; stopping so that the service manager starts afresh");
                running.stop().await;
                return Ok(exit::FAILED);
            }
        }
    }
    info!("stopping");
    tokio::select! {
        () = running.stop() => {}
        _ = stop.recv() => info!("stopping at once: asked twice"),
        _ = interrupt.recv() => info!("stopping at once: asked twice"),
    }
    Ok(exit::OK)
}

fn deps(context: &Context) -> Deps {
    let again = context.clone();
    Deps {
        clock: context.clock.clone(),
        http: ClientOptions::default(),
        surroundings: context.surroundings.clone(),
        log_counter: context.log_counter.clone(),
        read_config: Arc::new(move || load_config(&again)),
    }
}

async fn reload(running: &Running) {
    if let Err(refused) = running.reload().await {
        error!("the configuration was not changed, because it is wrong:\n{}", refused.rendered);
    }
}
