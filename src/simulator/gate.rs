//! The door of every service: logs the request, then lets the plan or the service answer.
//!
//! Owns how an [`Effect`] is carried out. Does not decide which: that is `plan`. Invariant: a request
//! is in the log before anything answers it.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::effect::{Answer, Effect};
use super::plan::Incoming;
use super::wire::{WireHandle, WireListener};
use super::{Received, Service, World, api, files, locked, page, sites};

/// HeyGen takes assets of up to 32 MB; nothing that we send comes near.
const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// Time for the first half of an answer to leave before the connection is cut.
const CUT_OFF_AFTER: Duration = Duration::from_millis(30);

/// Serves one port until the simulation stops.
pub(super) async fn serve(service: Service, tcp: TcpListener, world: Arc<World>) {
    let router = match service {
        Service::Api => api::router(Arc::clone(&world)),
        Service::StatusPage => page::router(Arc::clone(&world)),
        Service::WebApp => sites::web_app(),
        Service::Slack => sites::slack(),
        Service::Files => files::router(Arc::clone(&world)),
        Service::Control(_) | Service::Dns => sites::control(),
    };
    let door = Door { service, world: Arc::clone(&world) };
    let router = router.layer(from_fn_with_state(door, pass));
    let stop = world.stop.clone();
    let listener = WireListener { tcp, world };
    let served = axum::serve(listener, router.into_make_service_with_connect_info::<WireHandle>())
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    drop(served);
}

#[derive(Clone)]
struct Door {
    service: Service,
    world: Arc<World>,
}

async fn pass(
    State(door): State<Door>,
    ConnectInfo(wire): ConnectInfo<WireHandle>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let now = door.world.clock.now();
    let place = door.world.log.push(received(door.service, &parts, &body, now));
    let incoming = Incoming {
        service: door.service,
        method: parts.method.as_str(),
        path: parts.uri.path(),
        has_key: parts.headers.contains_key("x-api-key")
            || parts.headers.contains_key(header::AUTHORIZATION),
        body: &body,
    };
    let effect = locked(&door.world.plan).effect(&incoming, now);
    let request = Request::from_parts(parts, Body::from(body));
    let answer = next.run(request);
    let carried_out = match effect {
        Some(Effect::Served(then)) => {
            let served = answer.await;
            door.carry_out(Some(*then), &wire, async { served }).await
        }
        effect => door.carry_out(effect, &wire, answer).await,
    };
    let Some(mut response) = carried_out else {
        return StatusCode::NO_CONTENT.into_response();
    };
    door.world.log.answered(place, response.status().as_u16());
    door.stamp(&mut response, place);
    response
}

impl Door {
    /// What is sent of `answer`; `None` when the connection is broken instead.
    async fn carry_out(
        &self,
        effect: Option<Effect>,
        wire: &WireHandle,
        answer: impl Future<Output = Response>,
    ) -> Option<Response> {
        match effect {
            None | Some(Effect::Served(_)) => Some(answer.await),
            Some(Effect::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Some(answer.await)
            }
            Some(Effect::Answer(answer)) => {
                Some(response(&answer, Body::from(answer.body.clone())))
            }
            Some(Effect::CutOff(answer)) => Some(response(&answer, cut_off(&answer.body))),
            Some(Effect::Trickle(answer, pause)) => {
                Some(response(&answer, trickle(answer.body.clone(), pause)))
            }
            Some(Effect::Hang) => {
                self.world.stop.cancelled().await;
                wire.close();
                None
            }
            Some(Effect::Reset) => {
                wire.reset();
                None
            }
            Some(Effect::Close) => {
                wire.close();
                None
            }
        }
    }

    /// The headers that every answer carries: the simulated date, and the load balancer's request
    /// id on the API.
    fn stamp(&self, response: &mut Response, place: usize) {
        let mut now = self.world.clock.now();
        if self.service == Service::Api {
            let ahead = locked(&self.world.account).date_ahead;
            now = now.saturating_add(ahead).unwrap_or(now);
        }
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
        if let Some(value) = date.ok().and_then(|date| HeaderValue::from_str(&date).ok()) {
            response.headers_mut().insert(header::DATE, value);
        }
        if self.service == Service::Api {
            let id = HeaderValue::from_str(&format!("sim-{place:08}"));
            if let Ok(id) = id {
                response.headers_mut().insert("x-amzn-request-id", id);
            }
        }
    }
}

fn received(
    service: Service,
    parts: &axum::http::request::Parts,
    body: &Bytes,
    at: Timestamp,
) -> Received {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Received {
        at,
        service,
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers.iter().map(|(name, v)| (name.to_string(), text(v))).collect(),
        body: body.to_vec(),
        status: None,
    }
}

fn response(answer: &Answer, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        let pair = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value));
        if let (Ok(name), Ok(value)) = pair {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The first half of `body`, then a broken connection.
fn cut_off(body: &[u8]) -> Body {
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let parts = stream::unfold(Some(half), |half| async move {
        if let Some(half) = half {
            return Some((Ok(half), None));
        }
        tokio::time::sleep(CUT_OFF_AFTER).await;
        Some((Err(std::io::Error::other("cut off by the plan")), None))
    });
    Body::from_stream(parts)
}

/// One byte of `body` after each `pause`.
fn trickle(body: Vec<u8>, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(body.into_iter(), move |mut rest| async move {
        let byte = rest.next()?;
        tokio::time::sleep(pause).await;
        Some((Ok::<_, Infallible>(Bytes::from(vec![byte])), rest))
    }))
}
