//! What an HTTP answer means for a delivery, where a kind has no rule of its own.
//!
//! Owns the reading of statuses, of `Retry-After` and of failures on the way. Does not own what a
//! service says in its body: a kind looks there first and asks here for the rest.
//! Invariants: what may pass is tried again, what will not is dead at once, and a redirect is never
//! followed: the message and its secret go where the configuration says and nowhere else.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::NotifyDeps;
use crate::http_client::{Exchange, Limits, Request, TransportFailure, TransportKind};
use crate::model::text::clean;
use crate::model::{AttemptResult, FailureReason, Timestamp, retry_after_secs};
use crate::secret::Secret;

/// Deadlines of one request; two of them, one after the other, stay under 30 s.
pub(super) const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(14),
    // Slack answers with the whole message it took.
    body_bytes: 256 * 1024,
};

/// A POST of `body` as JSON.
pub(super) fn json_post(url: Url, body: &Value) -> Request {
    let bytes = body.to_string().into_bytes();
    Request::post(url, "application/json; charset=utf-8", bytes, LIMITS)
}

/// The address that a secret holds; `what` names it in sentences.
pub(super) fn address(secret: &Secret, what: &str) -> Result<Url, AttemptResult> {
    Url::parse(secret.expose()).map_err(|_| rejected(format!("the address of {what} is not a URL")))
}

/// Sends a request and answers what its status means, where that is all that counts.
pub(super) async fn told(
    deps: &NotifyDeps,
    request: Request,
    who: &str,
    now: Timestamp,
) -> AttemptResult {
    match posted(deps, request, who).await {
        Ok(exchange) => by_status(who, &exchange, now),
        Err(result) => result,
    }
}

/// Sends a request and answers what came of it; `who` names the service in sentences.
pub(super) async fn posted(
    deps: &NotifyDeps,
    request: Request,
    who: &str,
) -> Result<Exchange, AttemptResult> {
    deps.http.send(request).await.map_err(|failure| unreachable(who, &failure))
}

/// The meaning of a status: 2xx took it; 408, 425, 429 and 5xx may take it later (RFC 9110,
/// sections 15.5.9 and 15.6; RFC 8470, 5.2; RFC 6585, 4); everything else never will.
pub(super) fn by_status(who: &str, exchange: &Exchange, now: Timestamp) -> AttemptResult {
    let said = said(exchange);
    let detail = format!("{who} answered {}{said}", exchange.status);
    let after = retry_after(exchange, now);
    let retry = |reason| AttemptResult::Retry { reason, detail: detail.clone(), after };
    let dead = |reason| AttemptResult::Dead { reason, detail: detail.clone() };
    match exchange.status {
        200..=299 => AttemptResult::Accepted { provider_ref: None },
        300..=399 => rejected(format!(
            "{who} answered {} with a redirect, which is never followed: configure the address it \
             leads to",
            exchange.status
        )),
        401 | 403 | 407 => dead(FailureReason::Unauthorized),
        408 => retry(FailureReason::Timeout),
        425 | 429 => retry(FailureReason::RateLimited),
        500.. => retry(FailureReason::ServerError),
        410 => rejected(format!("{who} answered 410: the address is gone for good{said}")),
        _ => dead(FailureReason::Rejected),
    }
}

/// Refused, and will be refused again.
pub(super) fn rejected(detail: impl Into<String>) -> AttemptResult {
    AttemptResult::Dead { reason: FailureReason::Rejected, detail: detail.into() }
}

/// The beginning of the body, where there is one.
pub(super) fn said(exchange: &Exchange) -> String {
    let body = clean(&String::from_utf8_lossy(&exchange.body), 160);
    if body.is_empty() { body } else { format!(": {body}") }
}

/// The body as JSON; `Null` when it is none.
pub(super) fn json(exchange: &Exchange) -> Value {
    serde_json::from_slice(&exchange.body).unwrap_or_default()
}

/// What `Retry-After` asks for; a date that has passed asks for nothing.
pub(super) fn retry_after(exchange: &Exchange, now: Timestamp) -> Option<Duration> {
    let secs = retry_after_secs(exchange.header("retry-after")?, now)?;
    (secs > 0).then(|| Duration::from_secs(secs))
}

/// No whole answer came: to be tried again.
pub(super) fn unreachable(who: &str, failure: &TransportFailure) -> AttemptResult {
    let reason = match failure.kind {
        TransportKind::Timeout => FailureReason::Timeout,
        TransportKind::Dns
        | TransportKind::Address
        | TransportKind::Connect
        | TransportKind::Tls
        | TransportKind::Local => FailureReason::Unreachable,
    };
    let detail = format!("{who} cannot be reached: {}", clean(&failure.text, 200));
    AttemptResult::Retry { reason, detail, after: None }
}
