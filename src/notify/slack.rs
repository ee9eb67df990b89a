//! Slack by incoming webhook.
//!
//! Owns what Slack's answers mean for a delivery. Does not own the words (`render`).
//! Invariant: the webhook's address is a secret and leaves only onto the wire.

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::render::blocks;
use super::{Notifier, NotifyDeps, answer};
use crate::http_client::Exchange;
use crate::model::text::clean;
use crate::model::{AttemptResult, ChannelKind, Delivery, FailureReason, Timestamp};
use crate::secret::Secret;

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
        match answer::posted(&self.deps, answer::json_post(url, payload), "Slack").await {
            Ok(exchange) => classify(&exchange, now),
            Err(result) => Answer::Final(result),
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
        let text = blocks::fallback(&super::render::compose(delivery, place), place);
        let payload = blocks::payload(delivery, place);
        format!("{text}\n\n{payload:#}")
    }
}

/// Slack's answers to an incoming webhook (api.slack.com/changelog/2016-05-17).
fn classify(exchange: &Exchange, now: Timestamp) -> Answer {
    let body = String::from_utf8_lossy(&exchange.body);
    let body = clean(&body, 120);
    match exchange.status {
        200 if body == "ok" => Answer::Final(AttemptResult::Accepted { provider_ref: None }),
        // Something else answers in Slack's place: a captive portal, a proxy.
        status @ 200..=299 => Answer::Final(AttemptResult::Dead {
            reason: FailureReason::Rejected,
            detail: format!("Slack answered {status}: {body}"),
        }),
        400 if body.starts_with("invalid_blocks")
            || body.starts_with("invalid_payload")
            || body.starts_with("msg_blocks_too_long") =>
        {
            Answer::BlocksRefused
        }
        _ => Answer::Final(answer::by_status("Slack", exchange, now)),
    }
}
