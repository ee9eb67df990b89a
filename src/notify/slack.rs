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
use crate::model::{AttemptResult, ChannelKind, Delivery, Timestamp};
use crate::secret::Secret;

const WHO: &str = "Slack";

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

impl SlackNotifier {
    pub(super) fn new(target: SlackTarget, deps: NotifyDeps) -> Self {
        Self { target, deps }
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let place = self.deps.place(now);
        if let Some(result) = self.post(&blocks::payload(delivery, place), now).await {
            return result;
        }
        let result = self.post(&blocks::plain_payload(delivery, place), now).await;
        result.unwrap_or_else(|| {
            answer::rejected("Slack refused the message, in blocks and in plain text")
        })
    }

    /// `None` when Slack does not understand the blocks: plain text may do.
    async fn post(&self, payload: &Value, now: Timestamp) -> Option<AttemptResult> {
        let url = match answer::address(&self.target.webhook_url, "the webhook") {
            Ok(url) => url,
            Err(result) => return Some(result),
        };
        match answer::posted(&self.deps, answer::json_post(url, payload), WHO).await {
            Ok(exchange) => meaning(&exchange, now),
            Err(result) => Some(result),
        }
    }
}

impl Notifier for SlackNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Slack
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.deps.redacted(self.attempt(delivery, now).await) })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        let place = self.deps.place(now);
        let text = blocks::fallback(&super::render::compose(delivery, place), place);
        let payload = blocks::payload(delivery, place);
        format!("{text}\n\n{payload:#}")
    }
}

/// Slack's answers to an incoming webhook (api.slack.com/changelog/2016-05-17).
fn meaning(exchange: &Exchange, now: Timestamp) -> Option<AttemptResult> {
    let body = String::from_utf8_lossy(&exchange.body);
    let body = clean(&body, 120);
    match exchange.status {
        200 if body == "ok" => Some(AttemptResult::Accepted { provider_ref: None }),
        // Something else answers in Slack's place: a captive portal, a proxy.
        status @ 200..=299 => Some(answer::rejected(format!("Slack answered {status}: {body}"))),
        400 if body.starts_with("invalid_blocks")
            || body.starts_with("invalid_payload")
            || body.starts_with("msg_blocks_too_long") =>
        {
            None
        }
        _ => Some(answer::by_status(WHO, exchange, now)),
    }
}
