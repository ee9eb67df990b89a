//! A webhook of one's own: versioned JSON, signed.
//!
//! Owns the shape of the body (version 1, the names of the API), the signature and the idempotency
//! key. Does not own the model's JSON shapes (`wire`). Invariants: a receiver that knows the secret
//! can tell our requests from others and old ones from new; every attempt of a delivery carries the
//! same key; the address, a secret, leaves only onto the wire, and never for another host.

use std::fmt::Write as _;

use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use sha2::Sha256;

use super::render::{compose, sent_late};
use super::{Notifier, NotifyDeps, answer};
use crate::http_client::Request;
use crate::model::{AttemptResult, ChannelKind, Delivery, Timestamp};
use crate::secret::Secret;
use crate::wire::MessageJson;

/// The version of the body: receivers may rely on the meaning of its fields.
const VERSION: u32 = 1;

const WHO: &str = "the webhook";

/// `channel.webhook` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookTarget {
    /// Where it is; the whole URL is a secret.
    pub url: Secret,
    /// Signs every request, if there is one.
    pub secret: Option<Secret>,
}

/// Sends a channel's deliveries to a webhook.
pub(super) struct WebhookNotifier {
    target: WebhookTarget,
    deps: NotifyDeps,
}

impl WebhookNotifier {
    pub(super) fn new(target: WebhookTarget, deps: NotifyDeps) -> Self {
        Self { target, deps }
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let url = match answer::address(&self.target.url, WHO) {
            Ok(url) => url,
            Err(result) => return result,
        };
        let request = answer::json_post(url, &self.body(delivery, now));
        answer::told(&self.deps, self.signed(request, delivery, now), WHO, now).await
    }

    fn body(&self, delivery: &Delivery, now: Timestamp) -> Value {
        let text = compose(delivery, self.deps.place(now));
        let mut body = serde_json::to_value(MessageJson::from(&delivery.message))
            .unwrap_or_else(|_| json!({}));
        body["version"] = VERSION.into();
        body["id"] = self.key(delivery).into();
        body["channel"] = delivery.channel.clone().into();
        body["monitor"] = self.deps.monitor_id.clone().into();
        body["text"] = text.news.into();
        body["late"] = sent_late(delivery, now).map_or(Value::Null, |late| {
            json!({
                "seconds": late.as_secs(),
                "merged": delivery.merged.as_ref().map(|merged| merged.events.clone()),
            })
        });
        body["links"] = text.link.map_or_else(|| json!({}), |url| json!({"incident": url}));
        body
    }

    /// The same for every attempt of a delivery, and for no other delivery.
    fn key(&self, delivery: &Delivery) -> String {
        format!("{}-{}", self.deps.monitor_id, delivery.id)
    }

    fn signed(&self, request: Request, delivery: &Delivery, now: Timestamp) -> Request {
        let mut request = request;
        if let Ok(key) = HeaderValue::from_str(&self.key(delivery)) {
            request = request.header("idempotency-key", key);
        }
        let signature = self.target.secret.as_ref().and_then(|secret| {
            signature(secret, now.as_second(), request.body.as_deref().unwrap_or_default())
        });
        match signature {
            Some(signature) => request.header("x-heygen-monitor-signature", signature),
            None => request,
        }
    }
}

/// `t=<unix seconds>,v1=<hex of HMAC-SHA256 over "t.body">`: the time is signed too, so that what
/// was recorded cannot be sent again later.
fn signature(secret: &Secret, at: i64, body: &[u8]) -> Option<HeaderValue> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    let mut hex = String::new();
    for byte in mac.finalize().into_bytes() {
        write!(hex, "{byte:02x}").ok()?;
    }
    HeaderValue::from_str(&format!("t={at},v1={hex}")).ok()
}

impl Notifier for WebhookNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Webhook
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.deps.redacted(self.attempt(delivery, now).await) })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        format!("{:#}", self.body(delivery, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_time_and_body() {
        let secret = Secret::new("whsec-example");
        let signed = signature(&secret, 1_763_625_600, br#"{"version":1}"#).unwrap();
        // printf '1763625600.{"version":1}' | openssl dgst -sha256 -hmac whsec-example
        insta::assert_snapshot!(signed.to_str().unwrap(), @"t=1763625600,v1=e07a14801163c3e4e6b213eba7424a44aeaf98a94c227ca4b43978cd9aeba53e");
        assert_ne!(signed, signature(&secret, 1_763_625_601, br#"{"version":1}"#).unwrap());
        assert_ne!(signed, signature(&secret, 1_763_625_600, br#"{"version":2}"#).unwrap());
    }
}
