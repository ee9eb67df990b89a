//! ntfy: a push message on a telephone.
//!
//! Owns the body that ntfy publishes (docs.ntfy.sh, "Publish as JSON"), its priorities and tags.
//! Does not own the words (`render`). Invariant: what is sent is within ntfy's limits (4096 bytes of
//! message; longer ones become a file that nobody reads), and is plain text.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use url::Url;

use super::render::{Tone, brief, compose};
use super::{Notifier, NotifyDeps, answer};
use crate::model::text::clean;
use crate::model::{AttemptResult, ChannelKind, Delivery, Timestamp};
use crate::secret::Secret;

/// Characters of a title that a lock screen shows.
const TITLE_CHARS: usize = 200;
/// Bytes of a message; ntfy allows 4096.
const MESSAGE_BYTES: usize = 3_800;

const WHO: &str = "ntfy";

/// `channel.ntfy` (contract, section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct NtfyTarget {
    /// The server.
    pub url: Url,
    /// The topic.
    pub topic: String,
    /// Access token, where the topic asks for one.
    pub token: Option<Secret>,
}

/// Sends a channel's deliveries to a topic.
pub(super) struct NtfyNotifier {
    target: NtfyTarget,
    authorization: Option<Secret>,
    deps: NotifyDeps,
}

impl NtfyNotifier {
    pub(super) fn new(target: NtfyTarget, deps: NotifyDeps) -> Self {
        let authorization =
            target.token.as_ref().map(|token| Secret::new(&format!("Bearer {}", token.expose())));
        Self { target, authorization, deps }
    }

    async fn attempt(&self, delivery: &Delivery, now: Timestamp) -> AttemptResult {
        let mut request = answer::json_post(self.target.url.clone(), &self.body(delivery, now));
        if let Some(authorization) = &self.authorization {
            request = request.secret_header("authorization", authorization.clone());
        }
        let exchange = match answer::posted(&self.deps, request, WHO).await {
            Ok(exchange) => exchange,
            Err(result) => return result,
        };
        match answer::by_status(WHO, &exchange, now) {
            AttemptResult::Accepted { .. } => {
                let id = answer::json(&exchange)["id"].as_str().map(|id| clean(id, 60));
                AttemptResult::Accepted { provider_ref: id }
            }
            result => result,
        }
    }

    fn body(&self, delivery: &Delivery, now: Timestamp) -> Value {
        let place = self.deps.place(now);
        let text = compose(delivery, place);
        let (priority, tag) = manner(text.tone);
        let mut body = json!({
            "topic": self.target.topic,
            "title": clean(&text.news, TITLE_CHARS),
            "message": fitting(&brief::lines(&text, place)),
            "priority": priority,
            "tags": [tag],
        });
        if let Some(link) = text.link {
            body["click"] = link.to_string().into();
        }
        body
    }
}

/// Priority (5 rings through, 3 is usual) and the tag that ntfy shows as a sign.
fn manner(tone: Tone) -> (u8, &'static str) {
    match tone {
        Tone::Bad => (5, "rotating_light"),
        Tone::Degraded => (4, "warning"),
        Tone::Good => (3, "white_check_mark"),
        Tone::Unclear => (3, "grey_question"),
        Tone::Warning => (3, "warning"),
        Tone::Drill => (3, "test_tube"),
    }
}

/// As many whole lines as fit.
fn fitting(lines: &[String]) -> String {
    let mut message = String::new();
    for line in lines {
        if message.len() + 1 + line.len() > MESSAGE_BYTES {
            break;
        }
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(line);
    }
    message
}

impl Notifier for NtfyNotifier {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Ntfy
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        Box::pin(async move { self.deps.redacted(self.attempt(delivery, now).await) })
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String {
        format!("{:#}", self.body(delivery, now))
    }
}
