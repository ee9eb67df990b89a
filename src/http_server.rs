//! Accepts connections and speaks HTTP/1.1 on them within limits: for the pages and for events.
//!
//! Owns the listener's loop. All connections live inside the one future of [`serve`]: nothing is
//! spawned, so nothing outlives it. Invariant: no peer, however slow, holds more than its own
//! connection, and there are never more of those than the bounds say.

use std::time::Duration;

use axum::Router;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// What one listener allows.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Whose listener it is, for the log.
    pub name: &'static str,
    /// Connections at once.
    pub connections: usize,
    /// A whole request head must arrive within this time; an idle kept-alive connection ends by it
    /// too.
    pub head_within: Duration,
    /// A peer that reads its answers drop by drop is cut off after this.
    pub life: Duration,
}

/// Request line and headers together.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// How long answers under way may take once we are told to stop.
const DRAIN: Duration = Duration::from_secs(3);

/// After an accept that failed (mostly: no descriptor left), so that it is not tried in a spin.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves `router` on `listener` until `cancel`, then lets answers under way end within 3 s.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    cancel: CancellationToken,
) {
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            Some(()) = connections.next(), if !connections.is_empty() => {}
            stream = accept(&listener, bounds), if connections.len() < bounds.connections => {
                if let Some(stream) = stream {
                    connections.push(speak(stream, router.clone(), bounds, cancel.clone()));
                }
            }
        }
    }
    drop(listener);
    let drained = async { while connections.next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("the {} stopped while answers were still under way", bounds.name);
    }
}

async fn accept(listener: &TcpListener, bounds: Bounds) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _peer)) => Some(stream),
        Err(error) => {
            tracing::warn!(%error, "the {} could not accept a connection", bounds.name);
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn speak(stream: TcpStream, router: Router, bounds: Bounds, cancel: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_within)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = tokio::time::sleep(bounds.life) => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a peer of the {} broke off", bounds.name);
    }
}
