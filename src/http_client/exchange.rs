//! One exchange: the request out, the head in, the body in, each within its bound.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::address::{Target, target};
use super::failure::{self, Peer};
use super::phases::{Marks, Progress};
use super::{
    Connection, Exchange, HttpClient, Limits, Request, TransportFailure, TransportKind, certificate,
};
use crate::model::Phases;

/// All header names and values of an answer together (facts B3).
const HEADER_BYTES: usize = 64 << 10;
/// How long it may take to tell a hanging handshake from a hanging connection.
const TCP_ALONE: Duration = Duration::from_millis(500);
/// How many addresses are tried for that.
const TCP_ADDRESSES: usize = 4;

/// Sends a request, to one address alone where one is given.
pub(super) async fn send(
    client: &HttpClient,
    request: Request,
    pinned: Option<SocketAddr>,
) -> Result<Exchange, TransportFailure> {
    let is_listed = |name: &str| client.resolver.is_listed(name);
    let literal = match target(&request.url, is_listed) {
        Target::Refused(text) => return Err(failure::refused(TransportKind::Address, text)),
        Target::Literal(address) => Some(address),
        Target::Name(_) => None,
    };
    let mut attempt = Attempt {
        client,
        peer: Peer {
            host: request.url.host_str().unwrap_or_default().to_owned(),
            tls: request.url.scheme() == "https",
        },
        limits: request.limits,
        progress: Progress::new(pinned),
        began: Instant::now(),
        literal,
        pool: Connection::Fresh,
    };
    let may_repeat = matches!(request.method, Method::GET | Method::HEAD);
    if pinned.is_none() && may_repeat && request.connection == Connection::Kept {
        attempt.pool = Connection::Kept;
        match attempt.run(&client.kept, &request).await {
            // A stale connection says nothing of the other side: once more, on a fresh one.
            Err(failed) if attempt.is_on_kept_connection() && !failed.answered => {
                attempt.pool = Connection::Fresh;
                attempt.progress = Progress::new(None);
            }
            done => return done,
        }
    }
    attempt.run(&client.fresh, &request).await
}

/// One attempt at an exchange.
struct Attempt<'a> {
    client: &'a HttpClient,
    peer: Peer,
    limits: Limits,
    progress: Progress,
    /// When the exchange began; a second attempt does not begin anew.
    began: Instant,
    /// The address, where the URL has a literal one.
    literal: Option<IpAddr>,
    /// Which connections may be used.
    pool: Connection,
}

impl Attempt<'_> {
    async fn run(
        &self,
        pool: &reqwest::Client,
        request: &Request,
    ) -> Result<Exchange, TransportFailure> {
        let sent = Instant::now();
        let response = self.head(pool, request).await?;
        let marks = self.progress.marks();
        let head_at = Instant::now();
        if header_bytes(response.headers()) > HEADER_BYTES {
            return Err(failure::head_too_large(&self.peer, &marks));
        }
        let mut phases = marks.phases();
        phases.ttfb = Some(head_at.duration_since(marks.connected.unwrap_or(sent)));
        let mut exchange = Exchange {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: Vec::new(),
            truncated: false,
            phases,
            elapsed: Duration::ZERO,
            remote: response.remote_addr(),
            certificate_expires_at: response
                .extensions()
                .get::<reqwest::tls::TlsInfo>()
                .and_then(reqwest::tls::TlsInfo::peer_certificate)
                .and_then(certificate::expires_at),
        };
        self.body(response, &mut exchange, &marks).await.map_err(|failed| TransportFailure {
            phases: Phases { body: Some(head_at.elapsed()), ..phases },
            ..failed
        })?;
        exchange.phases.body = Some(head_at.elapsed());
        exchange.elapsed = self.began.elapsed();
        Ok(exchange)
    }

    async fn head(
        &self,
        pool: &reqwest::Client,
        request: &Request,
    ) -> Result<Response, TransportFailure> {
        let outgoing = outgoing(pool, request)?;
        let head = self.progress.follow(pool.execute(outgoing));
        tokio::pin!(head);
        loop {
            let wake = self.next_deadline(Instant::now());
            tokio::select! {
                result = &mut head => {
                    return result.map_err(|error| {
                        failure::before_head(&error, &self.peer, &self.progress.marks())
                    });
                }
                () = sleep_until(wake) => {
                    let marks = self.progress.marks();
                    if self.is_overdue(Instant::now(), &marks) {
                        let waited = self.began.elapsed();
                        let tcp_stands = self.tcp_stands(request, &marks).await;
                        return Err(failure::too_slow(&self.peer, &marks, waited, tcp_stands));
                    }
                }
            }
        }
    }

    async fn body(
        &self,
        mut response: Response,
        exchange: &mut Exchange,
        marks: &Marks,
    ) -> Result<(), TransportFailure> {
        let end = self.began + self.limits.total;
        loop {
            let waiting_since = Instant::now();
            let idle_end = waiting_since + self.limits.idle;
            let chunk = match timeout_at(end.min(idle_end), response.chunk()).await {
                Err(_elapsed) => {
                    return Err(failure::stalled(&self.peer, marks, waiting_since.elapsed()));
                }
                Ok(Err(error)) if failure::is_broken_compression(&error) => {
                    exchange.truncated = true;
                    return Ok(());
                }
                Ok(Err(error)) => return Err(failure::within_body(&error, &self.peer, marks)),
                Ok(Ok(None)) => return Ok(()),
                Ok(Ok(Some(chunk))) => chunk,
            };
            let room = self.limits.body_bytes - exchange.body.len();
            exchange.body.extend(chunk.iter().take(room));
            if chunk.len() > room {
                exchange.truncated = true;
                return Ok(());
            }
        }
    }

    fn deadlines(&self) -> [Instant; 3] {
        let total = self.limits.total;
        [self.began + self.limits.connect, self.began + total / 2, self.began + total]
    }

    fn next_deadline(&self, now: Instant) -> Instant {
        let last = self.began + self.limits.total;
        self.deadlines().into_iter().filter(|deadline| *deadline > now).min().unwrap_or(last)
    }

    /// Whether to wait no longer: half of the time is kept for a fresh connection, in case the
    /// kept one is stale.
    fn is_overdue(&self, now: Instant, marks: &Marks) -> bool {
        let [connect, half, total] = self.deadlines();
        now >= total
            || (now >= connect && marks.is_connecting())
            || (now >= half && self.is_on_kept_connection())
    }

    fn is_on_kept_connection(&self) -> bool {
        self.pool == Connection::Kept && self.progress.marks().connect_began.is_none()
    }

    /// Whether TCP alone comes about where TCP and TLS together did not: the connector does not
    /// tell which of the two it waited for.
    async fn tcp_stands(&self, request: &Request, marks: &Marks) -> bool {
        let undecided = self.peer.tls && marks.is_connecting() && !marks.is_resolving();
        let Some(port) = request.url.port_or_known_default() else {
            return false;
        };
        if !undecided || self.client.is_proxied() {
            return false;
        }
        let literal = self.literal.map(|address| SocketAddr::new(address, port));
        let addresses = literal.into_iter().chain(marks.pinned).chain(marks.addresses.clone());
        let tries = addresses.take(TCP_ADDRESSES).map(|mut address| {
            if address.port() == 0 || request.url.port().is_some() {
                address.set_port(port);
            }
            timeout(TCP_ALONE, TcpStream::connect(address))
        });
        join_all(tries).await.iter().any(|tried| matches!(tried, Ok(Ok(_))))
    }
}

fn outgoing(
    pool: &reqwest::Client,
    request: &Request,
) -> Result<reqwest::Request, TransportFailure> {
    let mut headers = request.headers.clone();
    for (name, secret) in &request.secret_headers {
        let mut value = HeaderValue::from_str(secret.expose()).map_err(|_invalid| {
            let text = format!("the secret for the header {name} cannot be sent: it has line breaks or control characters");
            failure::refused(TransportKind::Local, text)
        })?;
        value.set_sensitive(true);
        headers.insert(name.clone(), value);
    }
    let mut builder = pool.request(request.method.clone(), request.url.clone()).headers(headers);
    if let Some(body) = &request.body {
        builder = builder.body(body.clone());
    }
    builder.build().map_err(|error| {
        let text =
            format!("the request cannot be made: {}", failure::sentence(&error.without_url()));
        failure::refused(TransportKind::Local, text)
    })
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}
