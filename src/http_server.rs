//! Accepts connections and speaks HTTP/1.1 on them within limits: for the pages and for events.
//!
//! Owns the listener's loop. All connections live inside the one future of [`serve`]: nothing is
//! spawned, so nothing outlives it. Invariant: there are never more of them than the bounds say,
//! and peers that only sit there never keep one out that asks.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::io::InspectReader;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// What one listener allows.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Whose listener it is, for the log.
    pub name: &'static str,
    /// Connections at once. When all are taken, the one that has sat there longest without a whole
    /// request gives way to the next that comes.
    pub connections: usize,
    /// A whole request head must arrive within this time of its first byte, the first one of a
    /// connection within this time of connecting.
    pub head_within: Duration,
    /// How long a connection is kept that has had its answer and asks nothing further.
    pub idle_within: Duration,
    /// A peer that reads its answers drop by drop is cut off after this.
    pub life: Duration,
}

/// Who is at the other end of a request's connection; stands in its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

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
    let mut lines: Vec<Weak<Line>> = Vec::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            Some(()) = connections.next(), if !connections.is_empty() => {}
            // One more than allowed: it is let in once another has given way for it.
            stream = accept(&listener, bounds), if connections.len() <= bounds.connections => {
                lines.retain(|line| line.strong_count() > 0);
                let is_full = connections.len() == bounds.connections;
                if let Some((stream, peer)) = stream && (!is_full || clear_one(&lines)) {
                    let line = Arc::new(Line::new(peer));
                    lines.push(Arc::downgrade(&line));
                    connections.push(speak(stream, line, router.clone(), bounds, cancel.clone()));
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

/// One connection.
#[derive(Debug)]
struct Line {
    peer: SocketAddr,
    /// `None` while it has something to answer.
    waiting: watch::Sender<Option<Waiting>>,
    hang_up: CancellationToken,
}

/// A connection that waits for a request.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    since: Instant,
    /// When the head of the request began; `None` while nothing came.
    head_since: Option<Instant>,
}

impl Line {
    fn new(peer: SocketAddr) -> Self {
        let now = Instant::now();
        let first = Waiting { since: now, head_since: Some(now) };
        Self { peer, waiting: watch::Sender::new(Some(first)), hang_up: CancellationToken::new() }
    }

    fn idle_since(&self) -> Option<Instant> {
        self.waiting.borrow().map(|waiting| waiting.since)
    }

    fn is_asked(&self) {
        self.waiting.send_replace(None);
    }

    fn has_answered(&self) {
        self.waiting.send_replace(Some(Waiting { since: Instant::now(), head_since: None }));
    }

    fn has_read_something(&self) {
        self.waiting.send_if_modified(|waiting| {
            let begins = waiting.as_mut().filter(|waiting| waiting.head_since.is_none());
            begins.map(|waiting| waiting.head_since = Some(Instant::now())).is_some()
        });
    }

    /// Ends when a head that has begun is not whole `within` this time.
    async fn head_is_late(&self, within: Duration) {
        let mut changes = self.waiting.subscribe();
        loop {
            let head_since = changes.borrow_and_update().and_then(|waiting| waiting.head_since);
            let changed = changes.changed();
            let is_in_time = match head_since {
                Some(since) => timeout_at(since + within, changed).await.is_ok(),
                None => changed.await.is_ok(),
            };
            if !is_in_time {
                return;
            }
        }
    }
}

/// Ends the connection that has been idle longest; false when all are being answered.
fn clear_one(lines: &[Weak<Line>]) -> bool {
    let lines = lines.iter().filter_map(Weak::upgrade);
    let waiting = lines.filter(|line| !line.hang_up.is_cancelled());
    let idle = waiting.filter_map(|line| Some((line.idle_since()?, line)));
    let longest = idle.min_by_key(|(since, _)| *since);
    if let Some((_, line)) = &longest {
        line.hang_up.cancel();
    }
    longest.is_some()
}

async fn accept(listener: &TcpListener, bounds: Bounds) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "the {} could not accept a connection", bounds.name);
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn speak(
    stream: TcpStream,
    line: Arc<Line>,
    router: Router,
    bounds: Bounds,
    cancel: CancellationToken,
) {
    let service = service_fn(|mut request: Request<Incoming>| {
        let (line, router) = (Arc::clone(&line), router.clone());
        request.extensions_mut().insert(Peer(line.peer));
        async move {
            line.is_asked();
            let answer = router.oneshot(request.map(axum::body::Body::new)).await;
            line.has_answered();
            answer
        }
    });
    let stream = InspectReader::new(stream, |_bytes: &[u8]| line.has_read_something());
    // hyper's only clock for heads runs from the answer before: it bounds the idle time.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.idle_within)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = line.head_is_late(bounds.head_within) => Ok(()),
        () = line.hang_up.cancelled() => Ok(()),
        () = tokio::time::sleep(bounds.life) => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a peer of the {} broke off", bounds.name);
    }
}
