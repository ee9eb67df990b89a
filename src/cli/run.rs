//! `run`: the daemon in the foreground; signals in, exit code out.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info};

use super::{Context, exit, load_config, output};
use crate::config;
use crate::daemon::{Daemon, Deps, Running, StartError};
use crate::error_chain;
use crate::http_client::ClientOptions;

/// Runs the command.
///
/// # Errors
/// When signals cannot be listened to.
pub async fn run(context: &Context) -> anyhow::Result<u8> {
    let Ok(config) = load_config(context) else {
        return Ok(exit::CONFIG);
    };
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let running = match Daemon::start(config, deps(context)).await {
        Ok(running) => running,
        Err(failure) => return Ok(report(&failure)),
    };
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
        read_config: Arc::new(move || {
            let file = config::find(again.config.as_deref(), &again.surroundings);
            config::load(file.as_deref(), &again.surroundings, again.clock.now())
        }),
    }
}

async fn reload(running: &Running) {
    if let Err(refused) = running.reload().await {
        error!("the configuration was not changed, because it is wrong:\n{}", refused.rendered);
    }
}

/// Says what went wrong and what to do, and answers the exit code of the contract.
fn report(failure: &StartError) -> u8 {
    output::say(&format!("error: {}", error_chain(failure)));
    if let Some(hint) = failure.hint() {
        output::say(&format!("hint: {hint}"));
    }
    failure.exit_code()
}
