//! A host on loopback that serves documents at chosen paths, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use url::Url;

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }.header("content-type", content_type)
    }

    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("application/json; charset=utf-8", body)
    }

    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    pub(crate) fn xml(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("application/xml", body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

#[derive(Debug, Default)]
struct Inside {
    replies: BTreeMap<String, Reply>,
    elsewhere: Option<Reply>,
    requests: Vec<Asked>,
}

/// One request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The host.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    inside: Arc<Mutex<Inside>>,
    pub(crate) url: Url,
}

impl Site {
    /// A host that answers 404 everywhere.
    pub(crate) async fn start() -> Self {
        let inside = Arc::new(Mutex::new(Inside::default()));
        let app = Router::new().fallback(answer).with_state(inside.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test server ends with its runtime")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { inside, url }
    }

    pub(crate) async fn with(replies: impl IntoIterator<Item = (&str, Reply)>) -> Self {
        let site = Self::start().await;
        for (path, reply) in replies {
            site.set(path, reply);
        }
        site
    }

    pub(crate) fn set(&self, path: &str, reply: Reply) {
        self.inside.lock().unwrap().replies.insert(path.to_owned(), reply);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.inside.lock().unwrap().replies.remove(path);
    }

    /// What every other path answers.
    pub(crate) fn set_elsewhere(&self, reply: Reply) {
        self.inside.lock().unwrap().elsewhere = Some(reply);
    }

    /// The requests since the last call.
    pub(crate) fn take_requests(&self) -> Vec<Asked> {
        std::mem::take(&mut self.inside.lock().unwrap().requests)
    }

    pub(crate) fn take_paths(&self) -> Vec<String> {
        self.take_requests().into_iter().map(|asked| asked.path).collect()
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }
}

async fn answer(State(inside): State<Arc<Mutex<Inside>>>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let text =
        |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers =
        request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let mut inside = inside.lock().unwrap();
    inside.requests.push(Asked { path: path.clone(), headers });
    let asked = inside.requests.last().unwrap().clone();
    let reply = inside.replies.get(&path).or(inside.elsewhere.as_ref()).cloned();
    let mut reply = reply.unwrap_or_else(|| Reply::status(404));
    let etag = reply.headers.iter().find(|(name, _)| name == "etag");
    if etag.is_some_and(|(_, etag)| asked.header("if-none-match") == Some(etag)) {
        reply = Reply::status(304);
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}
