//! Fetches documents of a status page: conditional requests, redirects, `Retry-After`, challenges.
//!
//! Owns the bounds of politeness. Knows no product. Invariants: no credential and nothing of the
//! configuration but the address goes out; a document is asked for at most once per run; a host
//! that said when to come back is not asked before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use url::Url;

use super::form::Media;
use super::trouble::{Reach, Trouble};
use crate::http_client::{Connection, Exchange, HttpClient, Limits, Request};
use crate::model::{Outcome, Phases, Timestamp, http_date, retry_after_secs};

/// Longest document that tells how things are now.
const BODY_BYTES: usize = 2 << 20;
/// Longest document that holds a history: Google Cloud's grows with every incident. Read, it takes
/// several times its size, and the service may have 256 MB.
const ARCHIVE_BYTES: usize = 8 << 20;
/// Longest time for one document.
const PER_DOCUMENT: Duration = Duration::from_secs(10);
/// Redirects that are followed within the host.
const MOST_REDIRECTS: usize = 3;
/// Our own next try waits at most this long (verdicts.md, section 5).
const LONGEST_WAIT_SECS: u64 = 3_600;
/// What challenge pages contain and ordinary pages do not, in lower case.
const CHALLENGE_MARKS: [&str; 6] = [
    "_cf_chl_opt",
    "<title>just a moment...</title>",
    "<title>attention required! | cloudflare</title>",
    "window.gokuprops",
    "incapsula incident id",
    "geo.captcha-delivery.com",
];

/// What is remembered of documents and hosts between runs.
#[derive(Debug, Clone, Default)]
pub(super) struct FetchMemory {
    documents: BTreeMap<Url, Arc<Kept>>,
    not_before: BTreeMap<String, (Timestamp, Trouble)>,
}

/// A document with its validators.
#[derive(Debug)]
struct Kept {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    document: Document,
}

/// A document that was answered with 200 (or is unchanged since).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// Content type, in lower case.
    pub(super) content_type: String,
    /// Decoded body.
    pub(super) body: Arc<[u8]>,
}

/// The documents of one run.
pub(super) struct Fetcher<'a> {
    http: &'a HttpClient,
    memory: FetchMemory,
    deadline: Instant,
    connection: Connection,
    pub(super) now: Timestamp,
    /// Of the first answer of the run.
    pub(super) first: Option<FirstAnswer>,
    asked: BTreeMap<Url, Result<Document, Trouble>>,
}

/// What the first answer of a run tells of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct FirstAnswer {
    pub(super) phases: Phases,
    pub(super) certificate_expires_at: Option<Timestamp>,
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(
        http: &'a HttpClient,
        memory: FetchMemory,
        deadline: Instant,
        connection: Connection,
        now: Timestamp,
    ) -> Self {
        Self { http, memory, deadline, connection, now, first: None, asked: BTreeMap::new() }
    }

    /// What is to be remembered: the documents that were asked for in this run, and no others.
    pub(super) fn into_memory(mut self) -> FetchMemory {
        self.memory.documents.retain(|url, _| self.asked.contains_key(url));
        self.memory
    }

    /// A document of the wanted kind.
    pub(super) async fn get(&mut self, url: &Url, media: Media) -> Result<Document, Trouble> {
        let body_bytes = if media == Media::Archive { ARCHIVE_BYTES } else { BODY_BYTES };
        fit(self.up_to(url, body_bytes).await?, url, media)
    }

    /// A document of whatever kind.
    pub(super) async fn any(&mut self, url: &Url) -> Result<Document, Trouble> {
        self.up_to(url, BODY_BYTES).await
    }

    async fn up_to(&mut self, url: &Url, body_bytes: usize) -> Result<Document, Trouble> {
        if let Some(answer) = self.asked.get(url) {
            return answer.clone();
        }
        let answer = self.follow(url, body_bytes).await;
        self.asked.insert(url.clone(), answer.clone());
        answer
    }

    async fn follow(&mut self, url: &Url, body_bytes: usize) -> Result<Document, Trouble> {
        let mut at = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            match self.once(&at, url, body_bytes).await? {
                Answer::Document(document) => return Ok(document),
                Answer::Moved(to) => at = to,
            }
        }
        let host = url.host_str().unwrap_or_default();
        Err(Trouble::malformed(host, format!("{host}{} redirects in circles", url.path())))
    }

    /// One request; `url` is what was asked first, under which the document is kept.
    async fn once(&mut self, at: &Url, url: &Url, body_bytes: usize) -> Result<Answer, Trouble> {
        let host = at.host_str().unwrap_or_default().to_owned();
        if let Some((not_before, trouble)) = self.memory.not_before.get(&host)
            && *not_before > self.now
        {
            return Err(trouble.clone());
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::out_of_time(&host));
        }
        let kept = self.memory.documents.get(url).cloned();
        let total = left.min(PER_DOCUMENT);
        let limits = Limits { connect: total, idle: total, total, body_bytes };
        let request = self.request(at, kept.as_deref(), limits);
        let exchange = self.http.send(request).await;
        let exchange = exchange.map_err(|failure| Trouble::transport(&host, &failure))?;
        self.first.get_or_insert(FirstAnswer {
            phases: exchange.phases,
            certificate_expires_at: exchange.certificate_expires_at,
        });
        self.judge(&exchange, at, url, kept)
    }

    fn request(&self, at: &Url, kept: Option<&Kept>, limits: Limits) -> Request {
        let mut headers = HeaderMap::new();
        headers.insert(
            "accept",
            HeaderValue::from_static("application/json, text/html;q=0.9, */*;q=0.8"),
        );
        if let Some(etag) = kept.and_then(|kept| kept.etag.clone()) {
            headers.insert("if-none-match", etag);
        }
        if let Some(date) = kept.and_then(|kept| kept.last_modified.clone()) {
            headers.insert("if-modified-since", date);
        }
        Request { headers, connection: self.connection, ..Request::get(at.clone(), limits) }
    }

    fn judge(
        &mut self,
        exchange: &Exchange,
        at: &Url,
        url: &Url,
        kept: Option<Arc<Kept>>,
    ) -> Result<Answer, Trouble> {
        let host = at.host_str().unwrap_or_default();
        match (exchange.status, kept) {
            (200 | 202, _) if has_challenge_header(exchange) => Err(blocked(host, exchange.status)),
            (200, _) => self.keep(exchange, url, host).map(Answer::Document),
            // StatusDashboard answers a match with 204.
            (304 | 204, Some(kept)) => Ok(Answer::Document(kept.document.clone())),
            (301 | 302 | 303 | 307 | 308, _) => moved(exchange, at),
            _ => Err(self.refused(exchange, at)),
        }
    }

    fn keep(&mut self, exchange: &Exchange, url: &Url, host: &str) -> Result<Document, Trouble> {
        if exchange.truncated {
            let text = format!("{host}{} is too large or cut short", url.path());
            return Err(Trouble::malformed(host, text));
        }
        let content_type = exchange.header("content-type").unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default();
        let document = Document {
            content_type: super::words::line(&content_type.to_lowercase()),
            body: exchange.body.as_slice().into(),
        };
        let validator = |name: &str| exchange.headers.get(name).cloned();
        let (etag, last_modified) = (validator("etag"), validator("last-modified"));
        if etag.is_some() || last_modified.is_some() {
            let kept = Kept { etag, last_modified, document: document.clone() };
            self.memory.documents.insert(url.clone(), Arc::new(kept));
        } else {
            self.memory.documents.remove(url);
        }
        Ok(document)
    }

    /// Every other status.
    fn refused(&mut self, exchange: &Exchange, at: &Url) -> Trouble {
        let host = at.host_str().unwrap_or_default();
        let status = exchange.status;
        let is_challenge = has_challenge_header(exchange) || is_challenge(&exchange.body);
        let (outcome, reach) = match status {
            429 => (Outcome::RateLimited, Reach::Host),
            403 | 405 | 503 if is_challenge => (Outcome::Blocked, Reach::Host),
            405 => (Outcome::Blocked, Reach::Host),
            // Some stores answer 403 for what is not there.
            202 | 403 => (Outcome::Blocked, Reach::Document),
            503 => (Outcome::Unavailable, Reach::Passing),
            500 => (Outcome::ServerError, Reach::Passing),
            501..=599 => (Outcome::GatewayError, Reach::Passing),
            _ => (Outcome::Malformed, Reach::Document),
        };
        let mut trouble = Trouble {
            outcome,
            status: Some(status),
            reach,
            ..Trouble::malformed(host, format!("{host}{} answers {status}", at.path()))
        };
        if matches!(status, 429 | 503) {
            self.obey_retry_after(exchange, &mut trouble);
        }
        trouble
    }

    fn obey_retry_after(&mut self, exchange: &Exchange, trouble: &mut Trouble) {
        let sent_at = exchange.header("date").and_then(http_date).unwrap_or(self.now);
        let wait =
            exchange.header("retry-after").and_then(|value| retry_after_secs(value, sent_at));
        let Some(wait) = wait.filter(|wait| *wait > 0) else {
            return;
        };
        trouble.retry_after_secs = Some(wait);
        let wait = Duration::from_secs(wait.min(LONGEST_WAIT_SECS));
        if let Ok(not_before) = self.now.checked_add(wait) {
            let said = format!("{} and is not asked before {not_before:.0}", trouble.text);
            let later = Trouble { text: said, reach: Reach::Host, ..trouble.clone() };
            self.memory.not_before.insert(trouble.host.clone(), (not_before, later));
        }
    }

    /// Drops the validators of a document that could not be read, so that it comes whole next time.
    pub(super) fn forget(&mut self, url: &Url) {
        self.memory.documents.remove(url);
    }

    /// The HTML that was fetched from this address in this run, if it was.
    pub(super) fn fetched(&self, url: &Url) -> Option<Document> {
        self.asked.get(url)?.as_ref().ok().cloned()
    }
}

/// JSON that is served as HTML is no JSON; a challenge is said to be one.
fn fit(document: Document, url: &Url, media: Media) -> Result<Document, Trouble> {
    let host = url.host_str().unwrap_or_default();
    let begins_with = document.body.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_html = document.content_type.contains("html");
    let fits = match media {
        Media::Json | Media::Archive => {
            !is_html && matches!(begins_with, Some(b'{' | b'[' | 0xef | 0xfe | 0xff))
        }
        Media::Html => is_html || begins_with == Some(&b'<'),
        Media::Feed => !is_html && matches!(begins_with, Some(b'<' | 0xef)),
    };
    if fits {
        return Ok(document);
    }
    if is_challenge(&document.body) {
        return Err(blocked(host, 200));
    }
    let wanted = match media {
        Media::Json | Media::Archive => "JSON",
        Media::Html => "HTML",
        Media::Feed => "a feed",
    };
    let kind =
        if document.content_type.is_empty() { "something else" } else { &document.content_type };
    Err(Trouble::malformed(
        host,
        format!("{host}{} answers {kind} instead of {wanted}", url.path()),
    ))
}

enum Answer {
    Document(Document),
    Moved(Url),
}

fn has_challenge_header(exchange: &Exchange) -> bool {
    exchange.header("cf-mitigated").is_some() || exchange.header("x-amzn-waf-action").is_some()
}

/// Whether a body is the page of something that stands in front of the host and wants a human.
pub(super) fn is_challenge(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    CHALLENGE_MARKS.iter().any(|mark| text.contains(mark))
}

/// A challenge, answered with this status.
pub(super) fn blocked(host: &str, status: u16) -> Trouble {
    Trouble {
        outcome: Outcome::Blocked,
        status: Some(status),
        reach: Reach::Host,
        ..Trouble::malformed(host, format!("{host} wants a human to solve a challenge"))
    }
}

/// A redirect is followed within scheme, host and port; to anywhere else it is not: that is another
/// page until somebody says otherwise.
fn moved(exchange: &Exchange, at: &Url) -> Result<Answer, Trouble> {
    let host = at.host_str().unwrap_or_default();
    let to = exchange.header("location").and_then(|location| at.join(location).ok());
    let Some(mut to) = to else {
        return Err(Trouble::malformed(host, format!("{host}{} redirects to nowhere", at.path())));
    };
    if to.origin() != at.origin() {
        // What it asks for there is nobody's business.
        to.set_query(None);
        to.set_fragment(None);
        let text = format!("{host}{} has moved to {}", at.path(), super::words::line(to.as_str()));
        let trouble = Trouble::malformed(host, text);
        return Err(Trouble { status: Some(exchange.status), ..trouble });
    }
    if to.path().trim_end_matches('/').ends_with("/inactive") {
        let text = format!("{host} says that its status page is inactive");
        let trouble = Trouble::malformed(host, text);
        return Err(Trouble { reach: Reach::Host, ..trouble });
    }
    Ok(Answer::Moved(to))
}
