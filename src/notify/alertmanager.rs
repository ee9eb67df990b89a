//! Alertmanager by its API v2.
//!
//! Owns the alert (labels, annotations, times), to how many instances it goes, and that it is said
//! again while it stands. Does not own the words (`render`) nor which incidents stand (`deliver`
//! asks the store). Invariants: two monitors that see one outage send the same labels, so that a
//! cluster tells it once: neither vantage nor instance is among them, nor what each of them finds
//! first or last (which capabilities, which error); when the labels of an incident
//! change, the alert with the old ones is ended with the same request.

use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value, json};
use url::Url;

use super::render::{brief, compose};
use super::{Notifier, NotifyDeps, answer};
use crate::model::text::clean;
use crate::model::{AttemptResult, ChannelKind, Delivery, EventKind, MessageIncident, Timestamp};

/// How long a message about no incident stands there.
const LOOSE_STANDS: Duration = Duration::from_hours(1);
/// How long an incident stands there that was over before it could be told: longer than a usual
/// `group_wait`, or nobody would hear of it.
const OVER_STANDS: Duration = Duration::from_mins(2);

/// `channel.alertmanager` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct AlertmanagerTarget {
    /// Every instance of the cluster.
    pub urls: Vec<Url>,
}

/// Sends a channel's deliveries to every instance.
pub(super) struct AlertmanagerNotifier {
    target: AlertmanagerTarget,
    deps: NotifyDeps,
}

impl AlertmanagerNotifier {
    pub(super) fn new(target: AlertmanagerTarget, deps: NotifyDeps) -> Self {
        Self { target, deps }
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let alerts = Value::from(self.alerts(delivery, now));
        let posts = (1..).zip(&self.target.urls).map(|(i, url)| self.post(i, url, &alerts, now));
        let results = join_all(posts).await;
        if !results.iter().any(|one| matches!(one, AttemptResult::Accepted { .. })) {
            let may_pass = |one: &AttemptResult| matches!(one, AttemptResult::Retry { .. });
            let result = results.into_iter().max_by_key(may_pass);
            return result.unwrap_or_else(|| answer::rejected("no Alertmanager is configured"));
        }
        // One instance is enough: the others are told every minute while it stands, and what they
        // are told no more ends there by itself. Were this no delivery, it would not be said again,
        // and would end where it was taken.
        for result in results {
            if let AttemptResult::Retry { detail, .. } | AttemptResult::Dead { detail, .. } =
                self.deps.redacted(result)
            {
                tracing::warn!("one Alertmanager took the alert, another did not: {detail}");
            }
        }
        AttemptResult::Accepted { provider_ref: Some(Value::from(labels(delivery)).to_string()) }
    }

    /// Posts to one instance.
    async fn post(&self, i: usize, url: &Url, alerts: &Value, now: Timestamp) -> AttemptResult {
        let who = match self.target.urls.len() {
            1 => "Alertmanager".to_owned(),
            all => format!("Alertmanager {i} of {all}"),
        };
        let Some(url) = endpoint(url) else {
            return answer::rejected(format!("the address of {who} cannot have a path"));
        };
        answer::told(&self.deps, answer::json_post(url, alerts), &who, now).await
    }

    /// The alert as it is now, and the end of what it was called before.
    fn alerts(&self, delivery: &Delivery, now: Timestamp) -> Vec<Value> {
        let labels = labels(delivery);
        let mut alerts = vec![self.alert(delivery, &labels, now)];
        if let Some(before) = last_labels(delivery).filter(|before| *before != labels) {
            let incident = delivery.message.incident.as_ref();
            let starts_at = incident.map_or(delivery.message.at, |incident| incident.opened_at);
            alerts.push(json!({
                "labels": before,
                "annotations": {},
                "startsAt": starts_at.to_string(),
                "endsAt": now.to_string(),
            }));
        }
        alerts
    }

    fn alert(&self, delivery: &Delivery, labels: &Map<String, Value>, now: Timestamp) -> Value {
        let place = self.deps.place(now);
        let text = compose(delivery, place);
        let incident = delivery.message.incident.as_ref();
        let starts_at = incident.map_or(delivery.message.at, |incident| incident.opened_at);
        let mut annotations = json!({
            "summary": text.news,
            "description": brief::lines(&text, place).join("\n"),
        });
        if let Some(incident) = incident {
            annotations["capability"] = capabilities(incident).into();
            annotations["reason"] = incident.reason.as_str().into();
        }
        if let Some(advice) = text.advice {
            annotations["runbook"] = advice.into();
        }
        let mut alert = json!({
            "labels": labels,
            "annotations": annotations,
            "startsAt": starts_at.to_string(),
        });
        if let Some(ends_at) = ends_at(delivery, now) {
            alert["endsAt"] = ends_at.to_string().into();
        }
        if let Some(link) = text.link {
            alert["generatorURL"] = link.to_string().into();
        }
        alert
    }
}

/// Where alerts are posted, below the address of the configuration.
fn endpoint(url: &Url) -> Option<Url> {
    let mut url = url.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["api", "v2", "alerts"]);
    Some(url)
}

/// When the alert ends; `None` while it stands: then Alertmanager forgets it by its own clock,
/// unless it is said again.
fn ends_at(delivery: &Delivery, now: Timestamp) -> Option<Timestamp> {
    let Some(incident) = &delivery.message.incident else {
        return delivery.message.at.max(now).saturating_add(LOOSE_STANDS).ok();
    };
    let end = incident.resolved_at?;
    // Alertmanager tells nobody of an alert that it first hears of when it is over.
    let is_news = last_labels(delivery).is_none();
    if is_news { now.saturating_add(OVER_STANDS).ok() } else { Some(end) }
}

/// Closed words, but for the account, which every monitor of it calls the same. An end goes by the
/// labels under which it was told last.
fn labels(delivery: &Delivery) -> Map<String, Value> {
    let message = &delivery.message;
    let is_over = message.incident.as_ref().is_some_and(|one| one.resolved_at.is_some());
    if let Some(labels) = last_labels(delivery).filter(|_| is_over) {
        return labels;
    }
    let mut labels = Map::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            labels.insert(name.to_owned(), value.into());
        }
    };
    put("account", clean(&message.account, 60));
    put("severity", super::render::tone(message).severity().to_owned());
    if let Some(incident) = &message.incident {
        put("alertname", "HeygenIncident".to_owned());
        put("blame", incident.blame.as_str().to_owned());
        put("cause", clean(&incident.cause.0, 200));
    } else {
        let name = match message.event {
            EventKind::Drill => "HeygenMonitorDrill",
            EventKind::ChannelBroken => "HeygenMonitorChannelBroken",
            _ => "HeygenMonitorWarning",
        };
        put("alertname", name.to_owned());
        // About one monitor, not about HeyGen: here each speaks for itself.
        put("vantage", clean(&message.vantage, 60));
        put("message", delivery.id.to_string());
    }
    labels
}

/// `api,authentication`
fn capabilities(incident: &MessageIncident) -> String {
    let mut names: Vec<&str> = incident.capabilities.iter().map(|one| one.as_str()).collect();
    names.sort_unstable();
    names.join(",")
}

/// What the incident was called when it was last told.
fn last_labels(delivery: &Delivery) -> Option<Map<String, Value>> {
    serde_json::from_str(delivery.thread_ref.as_deref()?).ok()
}

impl Notifier for AlertmanagerNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Alertmanager
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.deps.redacted(self.attempt(delivery, now).await) })
    }

    fn forgets(&self) -> bool {
        true
    }

    fn repeat<'a>(&'a self, standing: &'a [Delivery], now: Timestamp) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let alerts: Vec<Value> = standing
                .iter()
                .map(|delivery| {
                    // Said now, of now: it is not late.
                    let mut current = Delivery { merged: None, ..delivery.clone() };
                    current.message.at = now;
                    self.alert(&current, &labels(delivery), now)
                })
                .collect();
            let alerts = Value::from(alerts);
            let posts =
                (1..).zip(&self.target.urls).map(|(i, url)| self.post(i, url, &alerts, now));
            for result in join_all(posts).await {
                if let AttemptResult::Retry { detail, .. } | AttemptResult::Dead { detail, .. } =
                    self.deps.redacted(result)
                {
                    tracing::debug!("what stands could not be said again: {detail}");
                }
            }
        })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        format!("{:#}", Value::from(self.alerts(delivery, now)))
    }
}
