//! HeyGen's signed events: a listener of its own.
//!
//! Owns what is admitted: genuine, fresh, new (facts, section 9). What an event means for a job is
//! the core's. Invariant: nothing that is not signed with the endpoint's secret gets past the
//! door, and no peer can hold more than its own connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::door::{Door, Refused};
use crate::clock::Clock;
use crate::http_server::{self, Bounds};
use crate::model::JobEvent;
use crate::secret::Secret;

mod door;

/// `check.webhook`
#[derive(Debug, Clone)]
pub struct WebhookCheck {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The endpoint's secret (`whsec_…`).
    pub secret: Secret,
    /// Path that HeyGen posts to.
    pub path: String,
}

/// One sender, which waits for each answer, needs a few connections, and none for long.
const BOUNDS: Bounds = Bounds {
    name: "event listener",
    connections: 64,
    head_within: Duration::from_secs(5),
    idle_within: Duration::from_secs(5),
    life: Duration::from_mins(1),
};
/// Events have about 1 KiB.
const BODY_BYTES: usize = 256 << 10;
/// A whole body must be here within this time.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// HeyGen wants an answer within 10 s; what cannot be passed on by now is refused, and comes again.
const PASS_WITHIN: Duration = Duration::from_secs(3);

/// What one listener needs.
struct Listener {
    path: String,
    door: Door,
    clock: Clock,
    events: mpsc::Sender<JobEvent>,
}

/// Listens until cancelled; every event that is genuine, fresh and new goes to `events`.
pub async fn listen(
    probe: String,
    check: WebhookCheck,
    listener: TcpListener,
    clock: Clock,
    events: mpsc::Sender<JobEvent>,
    cancel: CancellationToken,
) {
    let own =
        Listener { path: check.path.clone(), door: Door::new(probe, check.secret), clock, events };
    let router = Router::new().fallback(answer).with_state(Arc::new(own));
    http_server::serve(listener, router, BOUNDS, cancel).await;
}

async fn answer(State(own): State<Arc<Listener>>, request: Request) -> StatusCode {
    if request.uri().path() != own.path {
        return StatusCode::NOT_FOUND;
    }
    if request.method() == Method::OPTIONS {
        // How HeyGen tries an address before it takes it.
        return StatusCode::OK;
    }
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let (parts, body) = request.into_parts();
    match read(body).await {
        Ok(body) => own.hear(&parts.headers, &body).await,
        Err(status) => status,
    }
}

async fn read(body: Body) -> Result<Vec<u8>, StatusCode> {
    match tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

impl Listener {
    async fn hear(&self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let event = match self.door.admit(headers, body, self.clock.now()) {
            Ok(event) => event,
            Err(Refused::Duplicate) => return StatusCode::OK,
            Err(Refused::NotGenuine) => return StatusCode::UNAUTHORIZED,
            Err(Refused::Unreadable) => return StatusCode::BAD_REQUEST,
        };
        let id = event.event_id.clone();
        // Only what was passed on counts as seen: a sender that goes away meanwhile comes again.
        if self.events.send_timeout(event, PASS_WITHIN).await.is_err() {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        self.door.remember(id, self.clock.now());
        StatusCode::OK
    }
}
