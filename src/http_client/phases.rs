//! Where the time of one exchange goes.
//!
//! The resolver and the connector run inside the future of the request, so a task-local carries
//! what they see back to it, without a lock around anything that waits.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::model::Phases;

tokio::task_local! {
    /// The exchange that is being made.
    static CURRENT: Progress;
}

/// How far one exchange has got; clones are the same exchange.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<Mutex<Marks>>);

/// What was seen of one exchange.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// The one address to ask, where the caller chose.
    pub(super) pinned: Option<SocketAddr>,
    /// When a new connection was begun; `None`: a kept one is used.
    pub(super) connect_began: Option<Instant>,
    /// When it stood, TLS included.
    pub(super) connected: Option<Instant>,
    /// When the name was asked for; `None` for a literal address.
    pub(super) dns_began: Option<Instant>,
    /// How long that took; `None` while it lasts.
    pub(super) dns: Option<Duration>,
    /// The addresses that may be asked.
    pub(super) addresses: Vec<SocketAddr>,
}

impl Marks {
    /// True while a new connection is being made.
    pub(super) fn is_connecting(&self) -> bool {
        self.connect_began.is_some() && self.connected.is_none()
    }

    /// True while the name is being looked up.
    pub(super) fn is_resolving(&self) -> bool {
        self.dns_began.is_some() && self.dns.is_none()
    }

    /// The phases up to the connection.
    pub(super) fn phases(&self) -> Phases {
        let connect = self.connect_began.zip(self.connected).map(|(began, connected)| {
            connected.duration_since(began).saturating_sub(self.dns.unwrap_or_default())
        });
        Phases { dns: self.dns, connect, ttfb: None, body: None }
    }
}

impl Progress {
    /// An exchange that has not begun.
    pub(super) fn new(pinned: Option<SocketAddr>) -> Self {
        Self(Arc::new(Mutex::new(Marks { pinned, ..Marks::default() })))
    }

    /// Runs a future as this exchange.
    pub(super) async fn follow<F: Future>(&self, exchange: F) -> F::Output {
        CURRENT.scope(self.clone(), exchange).await
    }

    /// The exchange whose future is being polled; `None` in a task of the connection pool.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// What was seen so far.
    pub(super) fn marks(&self) -> Marks {
        self.lock().clone()
    }

    /// Notes the beginning of a look-up.
    pub(super) fn dns_began(&self) {
        self.lock().dns_began = Some(Instant::now());
    }

    /// Notes the end of a look-up.
    pub(super) fn dns_ended(&self, addresses: &[SocketAddr]) {
        let mut marks = self.lock();
        marks.dns = marks.dns_began.map(|began| began.elapsed());
        marks.addresses = addresses.to_vec();
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Times the connector of the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct PhaseLayer;

/// A connector that is timed.
#[derive(Debug, Clone)]
pub(super) struct TimedConnector<C>(C);

impl<C> tower::Layer<C> for PhaseLayer {
    type Service = TimedConnector<C>;

    fn layer(&self, connector: C) -> Self::Service {
        TimedConnector(connector)
    }
}

impl<C, R> tower::Service<R> for TimedConnector<C>
where
    C: tower::Service<R>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = BoxFuture<'static, Result<C::Response, C::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, destination: R) -> Self::Future {
        let progress = Progress::current();
        if let Some(progress) = &progress {
            progress.lock().connect_began = Some(Instant::now());
        }
        let connecting = self.0.call(destination);
        Box::pin(async move {
            let connection = connecting.await?;
            if let Some(progress) = &progress {
                progress.lock().connected = Some(Instant::now());
            }
            Ok(connection)
        })
    }
}
