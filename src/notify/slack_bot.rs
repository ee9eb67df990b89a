//! Slack by bot token: one message per incident, which is updated; its details in its thread.
//!
//! Owns the calls of Slack's Web API, their order, and what Slack's errors mean. Does not own the
//! words (`render`). The message's place (`channel/ts`) is the reference of the delivery; `deliver`
//! hands it to every later one of the thread. Invariants: a later event never opens a second
//! message while the first one stands; `"ok": false` is a failure whatever the status; the token
//! goes into one header and nowhere else.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use url::Url;

use super::render::{blocks, compose};
use super::{Notifier, NotifyDeps, answer};
use crate::http_client::Exchange;
use crate::model::text::clean;
use crate::model::{AttemptResult, ChannelKind, Delivery, FailureReason, Timestamp};
use crate::secret::Secret;

/// Where Slack's Web API is (docs.slack.dev, "Using the Slack Web API").
pub const SLACK_API: &str = "https://slack.com/api/";

const WHO: &str = "Slack";

/// `channel.slack` with a token (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct SlackBotTarget {
    /// The bot token, with the scope `chat:write`.
    pub token: Secret,
    /// Name or id of the channel.
    pub channel: String,
    /// Where the Web API is: [`SLACK_API`].
    pub api: Url,
}

/// Sends a channel's deliveries to Slack as one message per incident.
pub(super) struct SlackBotNotifier {
    target: SlackBotTarget,
    authorization: Secret,
    deps: NotifyDeps,
    /// Per delivery, the message that stands already while the rest of the delivery does not. In
    /// memory: a restart in between costs one duplicate.
    begun: Mutex<BTreeMap<i64, Place>>,
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    channel: String,
    ts: String,
}

impl Place {
    fn parse(reference: &str) -> Option<Self> {
        let (channel, ts) = reference.split_once('/')?;
        // A channel that was of another kind before has left references of that kind.
        let is_id = !channel.is_empty() && channel.chars().all(|c| c.is_ascii_alphanumeric());
        let is_time = !ts.is_empty() && ts.chars().all(|c| c.is_ascii_digit() || c == '.');
        if !is_id || !is_time {
            return None;
        }
        Some(Self { channel: channel.to_owned(), ts: ts.to_owned() })
    }

    fn reference(&self) -> String {
        format!("{}/{}", self.channel, self.ts)
    }
}

/// Why a call did not do what it was for.
enum Refusal {
    /// The attempt ended so.
    Final(AttemptResult),
    /// Slack does not understand the blocks; plain text may do.
    BlocksRefused,
    /// The message that was to be changed is not there any more.
    Gone,
}

impl SlackBotNotifier {
    pub(super) fn new(target: SlackBotTarget, deps: NotifyDeps) -> Self {
        let authorization = Secret::new(&format!("Bearer {}", target.token.expose()));
        Self { target, authorization, deps, begun: Mutex::default() }
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let sent = match &delivery.message.incident {
            None => self.loose(delivery, now).await,
            Some(_) => self.threaded(delivery, now).await,
        };
        let result = match sent {
            Ok(place) => AttemptResult::Accepted { provider_ref: Some(place.reference()) },
            Err(Refusal::Final(result)) => result,
            Err(Refusal::BlocksRefused) => {
                answer::rejected("Slack refused the message, in blocks and in plain text")
            }
            Err(Refusal::Gone) => {
                answer::rejected("Slack says that the message it has just taken is not there")
            }
        };
        if !matches!(result, AttemptResult::Retry { .. }) {
            self.begun().remove(&delivery.id);
        }
        result
    }

    /// A message about no incident stands alone.
    async fn loose(&self, delivery: &Delivery, now: Timestamp) -> Result<Place, Refusal> {
        let payload = blocks::payload(delivery, self.deps.place(now));
        self.post(payload, now).await
    }

    async fn threaded(&self, delivery: &Delivery, now: Timestamp) -> Result<Place, Refusal> {
        let place = self.deps.place(now);
        let summary = blocks::summary_payload(delivery, place);
        let known = delivery.thread_ref.as_deref().and_then(Place::parse);
        let begun = self.begun().get(&delivery.id).cloned();
        let (root, is_new) = match (begun, known) {
            (Some(root), _) => (root, true),
            (None, Some(root)) => match self.update(&root, summary.clone(), now).await {
                Ok(()) => (root, false),
                Err(Refusal::Gone) => (self.post(summary, now).await?, true),
                Err(refusal) => return Err(refusal),
            },
            (None, None) => (self.post(summary, now).await?, true),
        };
        if is_new {
            self.begun().insert(delivery.id, root.clone());
        }
        let details = if is_new {
            blocks::details_payload(delivery, place)
        } else {
            Some(blocks::payload(delivery, place))
        };
        if let Some(mut details) = details {
            details["thread_ts"] = Value::from(root.ts.clone());
            // The end is for everybody in the channel, not for those alone who follow the thread.
            details["reply_broadcast"] = Value::from(!is_new && is_end(delivery));
            details["channel"] = Value::from(root.channel.clone());
            self.post(details, now).await?;
        }
        Ok(root)
    }

    /// Posts a message; in plain text when Slack refuses its blocks.
    async fn post(&self, mut payload: Value, now: Timestamp) -> Result<Place, Refusal> {
        if payload.get("channel").is_none() {
            payload["channel"] = Value::from(self.target.channel.clone());
        }
        let answer = self.call_or_plain("chat.postMessage", payload, now).await?;
        let field = |name: &str| answer[name].as_str().map(|text| clean(text, 60));
        match (field("channel"), field("ts")) {
            (Some(channel), Some(ts)) => Ok(Place { channel, ts }),
            _ => Err(Refusal::Final(answer::rejected(
                "Slack took the message but does not say where it stands",
            ))),
        }
    }

    async fn update(
        &self,
        root: &Place,
        mut payload: Value,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        payload["channel"] = Value::from(root.channel.clone());
        payload["ts"] = Value::from(root.ts.clone());
        self.call_or_plain("chat.update", payload, now).await.map(drop)
    }

    async fn call_or_plain(
        &self,
        method: &str,
        mut payload: Value,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        match self.call(method, &payload, now).await {
            Err(Refusal::BlocksRefused) => {
                // An update without this would leave the old blocks standing above the new text.
                payload["blocks"] = json!([]);
                self.call(method, &payload, now).await
            }
            result => result,
        }
    }

    async fn call(&self, method: &str, payload: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let Ok(url) = self.target.api.join(method) else {
            let detail = "the address of Slack's API is not a URL";
            return Err(Refusal::Final(answer::rejected(detail)));
        };
        let request = answer::json_post(url, payload)
            .secret_header("authorization", self.authorization.clone());
        let exchange = answer::posted(&self.deps, request, WHO).await.map_err(Refusal::Final)?;
        read(method, &exchange, now)
    }

    fn begun(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, Place>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_end(delivery: &Delivery) -> bool {
    let incident = delivery.message.incident.as_ref();
    incident.is_some_and(|incident| incident.resolved_at.is_some())
}

/// The body of a call that worked.
fn read(method: &str, exchange: &Exchange, now: Timestamp) -> Result<Value, Refusal> {
    let body = answer::json(exchange);
    if body["ok"] == true && exchange.status == 200 {
        return Ok(body);
    }
    let Some(error) = body["error"].as_str().filter(|_| exchange.status < 500) else {
        return Err(Refusal::Final(match answer::by_status(WHO, exchange, now) {
            // Something else answers in Slack's place: a captive portal, a proxy.
            AttemptResult::Accepted { .. } => answer::rejected(format!(
                "Slack answered {}{}",
                exchange.status,
                answer::said(exchange)
            )),
            result => result,
        }));
    };
    let detail = format!("Slack answered {method}: {}", clean(error, 80));
    let after = answer::retry_after(exchange, now);
    let retry = |reason| AttemptResult::Retry { reason, detail: detail.clone(), after };
    let dead = |reason| AttemptResult::Dead { reason, detail: detail.clone() };
    Err(Refusal::Final(match error {
        "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long" | "msg_too_long" => {
            return Err(Refusal::BlocksRefused);
        }
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "thread_not_found" => {
            return Err(Refusal::Gone);
        }
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => {
            retry(FailureReason::RateLimited)
        }
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "external_channel_migrating" => retry(FailureReason::ServerError),
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "no_permission"
        | "missing_scope"
        | "not_allowed_token_type"
        | "access_denied"
        | "ekm_access_denied"
        | "org_login_required" => dead(FailureReason::Unauthorized),
        _ => dead(FailureReason::Rejected),
    }))
}

impl Notifier for SlackBotNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Slack
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.deps.redacted(self.attempt(delivery, now).await) })
    }

    fn check(&self, now: Timestamp) -> BoxFuture<'_, Option<AttemptResult>> {
        Box::pin(async move {
            Some(match self.call("auth.test", &json!({}), now).await {
                Ok(_) => AttemptResult::Accepted { provider_ref: None },
                Err(Refusal::Final(result)) => self.deps.redacted(result),
                Err(Refusal::BlocksRefused | Refusal::Gone) => {
                    answer::rejected("Slack answered auth.test with an error about messages")
                }
            })
        })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        let place = self.deps.place(now);
        let text = blocks::fallback(&compose(delivery, place), place);
        let payload = match &delivery.message.incident {
            None => blocks::payload(delivery, place),
            Some(_) => blocks::summary_payload(delivery, place),
        };
        format!("{text}\n\n{payload:#}")
    }
}
