//! An HTTP service on loopback that answers as told and remembers what it was asked.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// How it answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, `Retry-After`, body.
    Answer(u16, Option<&'static str>, String),
    /// Status, and the address it leads to.
    Redirect(u16, String),
    /// Never.
    Hang,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, None, String::new())
    }

    pub(crate) fn body(status: u16, body: &str) -> Self {
        Self::Answer(status, None, body.to_owned())
    }

    /// Slack's way to refuse: in a 200.
    pub(crate) fn slack(error: &str) -> Self {
        Self::body(200, &json!({"ok": false, "error": error}).to_string())
    }
}

/// Answers what is queued, then what is usual.
#[derive(Clone)]
pub(crate) struct HttpStub {
    /// With a slash at its end.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    always: Arc<Mutex<Option<Reply>>>,
}

impl HttpStub {
    #[expect(clippy::disallowed_methods, reason = "the stub lives as long as its test")]
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let stub = Self {
            url: format!("http://{}/", listener.local_addr().unwrap()),
            seen: Arc::default(),
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            always: Arc::default(),
        };
        let service = stub.clone();
        let handler = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
            service.answer(Seen { path: uri.path().to_owned(), headers, body: body.to_vec() }).await
        };
        let app = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await });
        stub
    }

    /// From now on it answers this; `None`: what is usual.
    pub(crate) fn always(&self, reply: Option<Reply>) {
        *self.always.lock().unwrap() = reply;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    async fn answer(&self, seen: Seen) -> Response {
        let number = {
            let mut all = self.seen.lock().unwrap();
            all.push(seen.clone());
            all.len()
        };
        let queued = self.replies.lock().unwrap().pop_front();
        let reply = queued.or_else(|| self.always.lock().unwrap().clone());
        match reply.unwrap_or_else(|| usual(&seen, number)) {
            Reply::Hang => std::future::pending().await,
            Reply::Redirect(status, address) => {
                (StatusCode::from_u16(status).unwrap(), [("location", address)]).into_response()
            }
            Reply::Answer(status, retry_after, body) => {
                let status = StatusCode::from_u16(status).unwrap();
                match retry_after {
                    Some(value) => (status, [("retry-after", value)], body).into_response(),
                    None => (status, body).into_response(),
                }
            }
        }
    }
}

/// What the real services answer to what is right.
fn usual(seen: &Seen, number: usize) -> Reply {
    match seen.path.as_str() {
        "/chat.postMessage" => {
            let answer = json!({"ok": true, "channel": "C042", "ts": format!("1763.{number:06}")});
            Reply::body(200, &answer.to_string())
        }
        "/chat.update" => {
            let asked = seen.json();
            let answer = json!({"ok": true, "channel": asked["channel"], "ts": asked["ts"]});
            Reply::body(200, &answer.to_string())
        }
        "/auth.test" => Reply::body(200, r#"{"ok":true}"#),
        "/v2/enqueue" => Reply::body(202, r#"{"status":"success"}"#),
        "/" => Reply::body(200, r#"{"id":"ntfy0001"}"#),
        "/services/T0/B0/SECRETSECRET" => Reply::body(200, "ok"),
        _ => Reply::status(200),
    }
}
