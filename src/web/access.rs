//! Who asks, and what they may see.
//!
//! Owns the question "who are you" of every request. What is right is known to `credentials`; what
//! is left out for strangers to `shown`. Invariant: a request whose reader is not known is public.

mod credentials;
mod shown;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub use self::credentials::{Auth, AuthSpec, Password};
use self::credentials::{Claim, Judged};
use super::WebState;
use super::problem::Problem;
use crate::http_server::Peer;

/// Who asks; stands in the extensions of every request that reaches a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Anybody: sees the verdict, incidents and checks, without what HeyGen answered us.
    Public,
    /// Showed the right credentials, or nothing asks for any: sees everything.
    Trusted,
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::Public))
    }
}

/// Lets a handler run for trusted readers alone; anybody else is asked for credentials.
#[derive(Debug)]
pub(super) struct Trusted;

impl FromRequestParts<WebState> for Trusted {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Response> {
        match parts.extensions.get() {
            Some(Reader::Trusted) => Ok(Self),
            Some(Reader::Public) | None => {
                Err(refused(state, "this is not public: it needs the credentials of `web.auth`"))
            }
        }
    }
}

/// Finds out who asks, and notes it in the request.
pub(super) async fn identify(
    State(state): State<WebState>,
    mut request: Request,
    next: Next,
) -> Response {
    let auth = state.settings.borrow().auth.clone();
    let Some(auth) = auth else {
        request.extensions_mut().insert(Reader::Trusted);
        return next.run(request).await;
    };
    let reader = match Claim::of(request.headers()) {
        Claim::Nothing => Reader::Public,
        claim => match auth.judge(claim, address(&request)).await {
            Judged::Right => Reader::Trusted,
            Judged::Wrong => return refused(&state, "these credentials are not right"),
            Judged::TooOften => return too_often(),
        },
    };
    request.extensions_mut().insert(reader);
    let mut response = next.run(request).await;
    response.headers_mut().append(VARY, HeaderValue::from(AUTHORIZATION));
    response
}

fn refused(state: &WebState, why: &str) -> Response {
    let scheme = state.settings.borrow().auth.as_ref().map_or("Bearer", |auth| auth.scheme());
    let challenge = HeaderValue::from_static(match scheme {
        "Basic" => "Basic realm=\"heygen-monitor\", charset=\"UTF-8\"",
        _ => "Bearer realm=\"heygen-monitor\"",
    });
    let problem = Problem::new(StatusCode::UNAUTHORIZED, why);
    ([(WWW_AUTHENTICATE, challenge)], problem).into_response()
}

fn too_often() -> Response {
    let problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too many wrong credentials came from this address; wait a minute",
    );
    ([(RETRY_AFTER, HeaderValue::from(60_u64))], problem).into_response()
}

/// Where a request comes from: behind a reverse proxy on this host, what the proxy says last.
fn address(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip());
    if peer.is_loopback() { forwarded(request.headers()).unwrap_or(peer) } else { peer }
}

fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}
