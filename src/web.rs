//! The HTTP side: a page for people, JSON for scripts, metrics and health for operators.
//!
//! Owns the routes and what every answer has in common. Reads what was decided (the view) and what
//! is stored, decides nothing and changes nothing: everything that changes something goes through
//! the admin socket. Invariant: GET and HEAD alone, and the security headers are on every answer.

mod access;
mod api;
mod etag;
mod guard;
mod health;
mod ops;
mod pages;
mod problem;
mod segment;
mod statuspage;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;

pub use self::access::{Auth, AuthSpec, Password, Reader};
pub use self::health::Health;
pub use self::pages::{Brand, BrandLink, Logo, LogoKind};
use self::problem::Problem;
use crate::clock::Clock;
use crate::http_server::{self, Bounds};
use crate::metrics::{Metrics, Task};
use crate::model::View;
use crate::store::Store;
use crate::wire::Titles;

/// A view older than this (in real time) is not passed on as if it were current. The core
/// publishes one at least every 10 s, whatever the probes do.
const VIEW_STALE_AFTER: Duration = Duration::from_secs(90);

/// What the HTTP side reads; cheap to clone.
#[derive(Debug, Clone)]
pub struct WebState {
    /// What the daemon believes; `None` until the first decision.
    pub view: watch::Receiver<Option<Arc<View>>>,
    /// History.
    pub store: Store,
    /// What `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Clock,
    /// Whether the loops turn.
    pub health: Arc<Health>,
    /// What may change with a reload.
    pub settings: watch::Receiver<WebSettings>,
}

/// What the HTTP side takes from the configuration.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// Address of the listener; requests may name it.
    pub address: IpAddr,
    /// Other host names that requests may carry (`web.hosts`, and the host of `web.public_url`).
    pub hosts: Vec<String>,
    /// Zone in which the page shows times.
    pub timezone: TimeZone,
    /// What of the configuration the past is seen with.
    pub scope: Arc<crate::engine::uptime::Scope>,
    /// Whether titles of jobs may be shown.
    pub titles: Titles,
    /// Who is trusted; without it everybody who reaches the listener.
    pub auth: Option<Arc<Auth>>,
    /// Address of these pages as people reach them (`web.public_url`).
    pub public_url: Option<Url>,
    /// Whose pages these are.
    pub brand: Brand,
}

impl WebState {
    /// What the daemon believes now, as far as the reader may know.
    ///
    /// # Errors
    /// When it believes nothing yet, or has not reached a verdict for so long that its last one
    /// must not be taken for the present.
    fn current(&self, reader: Reader) -> Result<Arc<View>, Problem> {
        let view = self.view.borrow().clone().ok_or_else(Problem::starting)?;
        let age = self.clock.now().duration_since(view.verdict.at);
        let age = self.clock.real(Duration::try_from(age).unwrap_or_default());
        if age > VIEW_STALE_AFTER {
            return Err(Problem::standstill(view.verdict.at));
        }
        Ok(reader.view(view))
    }
}

/// Every route of the contract, section 5, that has something to show by now.
pub fn router(state: WebState) -> Router {
    let metrics = Arc::clone(&state.metrics);
    let panicked = move |_panic: Box<dyn std::any::Any + Send>| {
        metrics.panicked(Task::Web);
        Problem::internal().into_response()
    };
    Router::new()
        .route("/metrics", get(ops::metrics))
        .route("/-/healthy", get(ops::healthy))
        .route("/-/ready", get(ops::ready))
        .merge(pages::routes())
        .nest("/api/v1", api::routes())
        .route("/api/openapi.json", get(api::document))
        .nest("/api/v2", statuspage::routes())
        .fallback(async || Problem::nowhere())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn_with_state(state.clone(), pages::tell_people))
        .layer(axum::middleware::from_fn(etag::conditional))
        .layer(axum::middleware::from_fn_with_state(state.clone(), access::identify))
        .layer(axum::middleware::from_fn_with_state(state.clone(), guard::admit))
        .layer(axum::middleware::map_response_with_state(state.clone(), guard::add_headers))
        .with_state(state)
}

/// Enough for a team's browsers and scrapers, far below the unit's `LimitNOFILE=4096`; browsers and
/// scrapers are done, or reconnect, long before the end of a connection's life.
const BOUNDS: Bounds = Bounds {
    name: "web server",
    connections: 256,
    head_within: Duration::from_secs(10),
    idle_within: Duration::from_mins(1),
    life: Duration::from_mins(5),
};

/// Serves [`router`] on `listener` until `cancel`, then lets answers under way end within 3 s.
pub async fn serve(listener: TcpListener, state: WebState, cancel: CancellationToken) {
    http_server::serve(listener, router(state), BOUNDS, cancel).await;
}
