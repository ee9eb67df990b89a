//! PagerDuty by its Events API v2.
//!
//! Owns the events (trigger, resolve), their deduplication key and severity, and what PagerDuty's
//! answers mean. Does not own the words (`render`). Invariants: an incident of ours is one incident
//! there, however often it is told; we acknowledge nothing there: only people do; the routing key, a
//! secret, stands in the body and nowhere else.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use url::Url;

use super::render::{brief, compose};
use super::{Notifier, NotifyDeps, answer};
use crate::model::text::clean;
use crate::model::{AttemptResult, ChannelKind, Delivery, Timestamp};
use crate::secret::Secret;

/// Where events are taken (developer.pagerduty.com, "Send an event").
pub const PAGERDUTY_EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";

/// Characters of a summary that PagerDuty keeps.
const SUMMARY_CHARS: usize = 1_000;

const WHO: &str = "PagerDuty";

/// `channel.pagerduty` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct PagerdutyTarget {
    /// The integration's routing key.
    pub routing_key: Secret,
    /// Where events are taken: [`PAGERDUTY_EVENTS`].
    pub events: Url,
}

/// Sends a channel's deliveries to PagerDuty.
pub(super) struct PagerdutyNotifier {
    target: PagerdutyTarget,
    deps: NotifyDeps,
}

/// What an event does to the incident there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Trigger,
    Resolve,
}

impl PagerdutyNotifier {
    pub(super) fn new(target: PagerdutyTarget, deps: NotifyDeps) -> Self {
        Self { target, deps }
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        for action in self.actions(delivery) {
            let mut body = self.body(delivery, *action, now);
            body["routing_key"] = self.target.routing_key.expose().into();
            let request = answer::json_post(self.target.events.clone(), &body);
            let exchange = match answer::posted(&self.deps, request, WHO).await {
                Ok(exchange) => exchange,
                Err(result) => return result,
            };
            match answer::by_status(WHO, &exchange, now) {
                AttemptResult::Accepted { .. } if exchange.status == 202 => {}
                AttemptResult::Accepted { .. } => {
                    return answer::rejected(format!(
                        "PagerDuty answered {} where 202 was due{}",
                        exchange.status,
                        answer::said(&exchange)
                    ));
                }
                result => return result,
            }
        }
        AttemptResult::Accepted { provider_ref: Some(self.key(delivery)) }
    }

    fn body(&self, delivery: &Delivery, action: Action, now: Timestamp) -> Value {
        let place = self.deps.place(now);
        let text = compose(delivery, place);
        let key = self.key(delivery);
        match action {
            Action::Resolve => json!({"event_action": "resolve", "dedup_key": key}),
            Action::Trigger => {
                let lines = brief::lines(&text, place);
                let links: Vec<Value> = text
                    .link
                    .iter()
                    .map(|url| json!({"href": url, "text": "Details on our own page"}))
                    .collect();
                json!({
                    "event_action": "trigger",
                    "dedup_key": key,
                    "client": "heygen-monitor",
                    "links": links,
                    "payload": {
                        "summary": clean(&text.news, SUMMARY_CHARS),
                        "source": clean(&delivery.message.vantage, 60),
                        "severity": text.tone.severity(),
                        "timestamp": delivery.message.at.to_string(),
                        "component": "HeyGen",
                        "group": clean(&delivery.message.account, 60),
                        "class": class(delivery),
                        "custom_details": details(delivery, &lines),
                    },
                })
            }
        }
    }

    /// An end that PagerDuty was never told the beginning of is triggered first: a resolve alone
    /// would be taken and thrown away.
    fn actions(&self, delivery: &Delivery) -> &'static [Action] {
        let incident = delivery.message.incident.as_ref();
        let is_over = incident.is_some_and(|incident| incident.resolved_at.is_some());
        let is_known = delivery.thread_ref.as_ref() == Some(&self.key(delivery));
        match (is_over, is_known) {
            (false, _) => &[Action::Trigger],
            (true, false) => &[Action::Trigger, Action::Resolve],
            (true, true) => &[Action::Resolve],
        }
    }

    /// One incident of ours, one there; what is about no incident is one by itself.
    fn key(&self, delivery: &Delivery) -> String {
        let monitor = &self.deps.monitor_id;
        match &delivery.message.incident {
            Some(incident) => format!("heygen-monitor-{monitor}-{}", incident.id),
            None => format!(
                "heygen-monitor-{monitor}-{}-{}",
                delivery.message.event.as_str().replace('_', "-"),
                delivery.id
            ),
        }
    }
}

fn class(delivery: &Delivery) -> &'static str {
    match &delivery.message.incident {
        Some(incident) => incident.reason.as_str(),
        None => delivery.message.event.as_str(),
    }
}

fn details(delivery: &Delivery, lines: &[String]) -> Value {
    let mut details = json!({
        "event": delivery.message.event.as_str(),
        "summary": lines.join("\n"),
    });
    if let Some(incident) = &delivery.message.incident {
        let capabilities: Vec<&str> =
            incident.capabilities.iter().map(|one| one.as_str()).collect();
        details["incident"] = incident.id.into();
        details["state"] = incident.state.as_str().into();
        details["blame"] = incident.blame.as_str().into();
        details["reason"] = incident.reason.as_str().into();
        details["capabilities"] = capabilities.into();
        details["opened_at"] = incident.opened_at.to_string().into();
    }
    details
}

impl Notifier for PagerdutyNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Pagerduty
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.deps.redacted(self.attempt(delivery, now).await) })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        let bodies = self.actions(delivery).iter().map(|action| self.body(delivery, *action, now));
        bodies.map(|body| format!("{body:#}")).collect::<Vec<_>>().join("\n\n")
    }
}
