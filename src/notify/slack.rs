//! Slack by incoming webhook.
//!
//! Owns what Slack's answers mean for a delivery. Does not own the words (`render`).
//! Invariant: the webhook's address is a secret and leaves only onto the wire.

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::Value;

use super::render::blocks;
use super::{Notifier, NotifyDeps};
use crate::http_client::{Connection, Exchange, Limits, Request, TransportFailure, TransportKind};
use crate::model::text::clean;
use crate::model::{AttemptResult, ChannelKind, Delivery, FailureReason, Timestamp};
use crate::secret::Secret;

/// Deadlines of one request; two of them (blocks, then plain text) stay under 30 s.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(5),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(14),
    body_bytes: 4 * 1024,
};

/// `channel.slack` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct SlackTarget {
    /// The incoming webhook; the whole URL is a secret.
    pub webhook_url: Secret,
}

/// Sends a channel's deliveries to Slack.
pub(super) struct SlackNotifier {
    target: SlackTarget,
    deps: NotifyDeps,
}

/// What one answer means.
enum Answer {
    /// The attempt ended so.
    Final(AttemptResult),
    /// Slack does not understand the blocks; plain text may do.
    BlocksRefused,
}

impl SlackNotifier {
    pub(super) fn new(target: SlackTarget, deps: NotifyDeps) -> Self {
        Self { target, deps }
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let place = self.deps.place(now);
        match self.post(&blocks::payload(delivery, place), now).await {
            Answer::Final(result) => return result,
            Answer::BlocksRefused => {}
        }
        match self.post(&blocks::plain_payload(delivery, place), now).await {
            Answer::Final(result) => result,
            Answer::BlocksRefused => AttemptResult::Dead {
                reason: FailureReason::Rejected,
                detail: "Slack refused the message, in blocks and in plain text".to_owned(),
            },
        }
    }

    async fn post(&self, payload: &Value, now: Timestamp) -> Answer {
        let Ok(url) = url::Url::parse(self.target.webhook_url.expose()) else {
            return Answer::Final(AttemptResult::Dead {
                reason: FailureReason::Rejected,
                detail: "the webhook address is not a URL".to_owned(),
            });
        };
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let request = Request {
            method: reqwest::Method::POST,
            url,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
            secret_headers: Vec::new(),
            body: Some(payload.to_string().into_bytes()),
            limits: LIMITS,
            connection: Connection::Fresh,
        };
        match self.deps.http.send(request).await {
            Ok(exchange) => classify(&exchange, now),
            Err(failure) => Answer::Final(unreachable(&failure)),
        }
    }
}

impl Notifier for SlackNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Slack
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move {
            super::cleaned(self.attempt(delivery, now).await, |detail| {
                self.deps.redactor.redact(detail)
            })
        })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        let place = self.deps.place(now);
        let text = blocks::fallback(&super::render::compose(&delivery.message, place), place);
        let payload = blocks::payload(delivery, place);
        format!("{text}\n\n{payload:#}")
    }
}

/// Slack's answers to an incoming webhook (api.slack.com/changelog/2016-05-17).
fn classify(exchange: &Exchange, now: Timestamp) -> Answer {
    let body = String::from_utf8_lossy(&exchange.body);
    let body = clean(&body, 120);
    let detail = format!("Slack answered {}: {body}", exchange.status);
    Answer::Final(match exchange.status {
        200 if body == "ok" => AttemptResult::Accepted { provider_ref: None },
        400 if body.starts_with("invalid_blocks")
            || body.starts_with("invalid_payload")
            || body.starts_with("msg_blocks_too_long") =>
        {
            return Answer::BlocksRefused;
        }
        401 | 403 => AttemptResult::Dead { reason: FailureReason::Unauthorized, detail },
        408 => AttemptResult::Retry { reason: FailureReason::Timeout, detail, after: None },
        429 => AttemptResult::Retry {
            reason: FailureReason::RateLimited,
            detail,
            after: retry_after(&exchange.headers, now),
        },
        500.. => AttemptResult::Retry {
            reason: FailureReason::ServerError,
            detail,
            after: retry_after(&exchange.headers, now),
        },
        _ => AttemptResult::Dead { reason: FailureReason::Rejected, detail },
    })
}

fn unreachable(failure: &TransportFailure) -> AttemptResult {
    let reason = match failure.kind {
        TransportKind::Timeout => FailureReason::Timeout,
        TransportKind::Dns
        | TransportKind::Address
        | TransportKind::Connect
        | TransportKind::Tls
        | TransportKind::Local => FailureReason::Unreachable,
    };
    let detail = format!("Slack cannot be reached: {}", clean(&failure.text, 200));
    AttemptResult::Retry { reason, detail, after: None }
}

/// Seconds, or an HTTP date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = value.parse() {
        return Some(Duration::from_secs(secs));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Duration::try_from(date.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let read = |value: &'static str| {
            let value = HeaderValue::from_static(value);
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
        };
        assert_eq!(read("30"), Some(Duration::from_secs(30)));
        assert_eq!(read("Fri, 20 Nov 2026 09:01:00 GMT"), Some(Duration::from_mins(1)));
        assert_eq!(read("Fri, 20 Nov 2026 08:00:00 GMT"), None);
        assert_eq!(read("soon"), None);
    }
}
