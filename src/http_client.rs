//! The only builder of HTTP clients: deadlines, caps, addresses, proxy, phases.
//!
//! Owns how a request travels. Decides nothing about what an answer means, follows no redirect,
//! retries nothing that was seen to fail, and reads no environment (its proxy least of all).
//! Speaks HTTP/1.1 alone: one connection carries one exchange, so a stalled connection cannot
//! outlive the run that met it, and the phases of an exchange are its own.
//! Invariant: a secret header goes to the host of its request and nowhere else, and no text that
//! leaves this room contains a URL.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use url::Url;

use crate::model::{Phases, Timestamp};

mod address;
mod certificate;
mod exchange;
mod failure;
mod phases;
mod request;
mod resolve;

pub use address::{is_loopback, is_public as is_public_address};
pub use request::{Connection, Limits, Request};
pub use resolve::{HostEntry, HostTable};

/// The longest time for name, TCP and TLS together; [`Limits::connect`] may be shorter. Several
/// addresses of a host share it, so that one dead address does not eat it whole.
const CONNECT: Duration = Duration::from_secs(5);
/// A kept connection is closed after this: "runs less than a minute apart" (issue 2, item 4).
const KEPT_FOR: Duration = Duration::from_secs(59);
/// Kept connections per host; probes of one host rarely run at the same moment.
const KEPT_PER_HOST: usize = 4;
/// What no proxy is asked for: there, the same addresses are another machine, and what is sent to
/// them in plain text, the key included, would be read on the way.
const THIS_MACHINE: &str = "127.0.0.0/8,::1,::ffff:127.0.0.0/104";
/// Header lines of an answer (facts B3).
const MAX_HEADERS: usize = 100;
/// How we name ourselves.
const USER_AGENT: &str = concat!("heygen-monitor/", env!("CARGO_PKG_VERSION"));

/// What all clients of this process share.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Proxy of the configuration, for everything but this machine; the environment's is ignored.
    pub proxy: Option<Url>,
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// Certificates (PEM) that are trusted besides those.
    pub ca_file: Option<PathBuf>,
    /// Names that are not looked up: for `demo` and tests, which have no names on loopback.
    pub hosts: HostTable,
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trust {
    /// The system's; it must have some.
    #[default]
    System,
    /// Nobody's: for `demo`, which speaks plain http on loopback and must run on a bare machine.
    Nobody,
}

/// No client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The system has no certificates to trust.
    #[error(
        "no trusted certificates on this system; hint: install `ca-certificates` or set SSL_CERT_FILE"
    )]
    NoRoots,
    /// The file of further certificates is of no use.
    #[error("cannot read certificates from {}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The proxy cannot be used.
    #[error("cannot use the configured proxy: {reason}")]
    Proxy {
        /// Why, without the proxy's URL (it may hold a password).
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {reason}")]
    Tls {
        /// Why.
        reason: String,
    },
}

/// Sends requests; cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpClient {
    fresh: reqwest::Client,
    kept: reqwest::Client,
    resolver: Arc<resolve::Resolver>,
    proxied: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Decoded body, up to the cap.
    pub body: Vec<u8>,
    /// True when the body was cut: at the cap, or where its compression was broken.
    pub truncated: bool,
    /// Where the time went.
    pub phases: Phases,
    /// From the start to the last byte, in real time.
    pub elapsed: Duration,
    /// Address that answered.
    pub remote: Option<SocketAddr>,
    /// When its leaf certificate expires.
    pub certificate_expires_at: Option<Timestamp>,
}

impl Exchange {
    /// A header that is text; the first one where there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// No whole answer came.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct TransportFailure {
    /// In which phase it failed.
    pub kind: TransportKind,
    /// One sentence without URL and secrets, e.g. `connection refused by api.heygen.com`.
    pub text: String,
    /// Where the time went, as far as it got.
    pub phases: Phases,
    /// True when the head of an answer had arrived.
    pub answered: bool,
    /// The addresses that the name stood for; empty for a literal or unresolved one.
    pub addresses: Vec<SocketAddr>,
}

impl TransportFailure {
    /// False when it is certain that nothing of the request went out: no connection ever stood.
    pub fn may_have_arrived(&self) -> bool {
        self.answered || self.phases.connect.is_some()
    }
}

/// In which phase an exchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// The name does not resolve (a time-out while resolving included).
    Dns,
    /// Every address it resolves to is private or link-local: refused (`blocked_address`).
    Address,
    /// No connection, or it was reset or closed before a whole answer.
    Connect,
    /// No TLS.
    Tls,
    /// Sent, but no whole answer within the deadline.
    Timeout,
    /// Our own limits: descriptors, memory.
    Local,
}

impl HttpClient {
    /// Makes the clients of this process.
    ///
    /// # Errors
    /// When there is nothing to trust, or an option cannot be used.
    pub fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let proxy_host = options.proxy.as_ref().and_then(Url::host_str).map(str::to_owned);
        let resolver = Arc::new(resolve::Resolver::new(options.hosts.clone(), proxy_host));
        let fresh = builder(options, &resolver)?.pool_max_idle_per_host(0);
        let kept = builder(options, &resolver)?
            .pool_max_idle_per_host(KEPT_PER_HOST)
            .pool_idle_timeout(KEPT_FOR);
        Ok(Self {
            fresh: build(fresh)?,
            kept: build(kept)?,
            resolver,
            proxied: options.proxy.is_some(),
        })
    }

    /// Sends a request and reads the answer, within the request's limits.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn send(&self, request: Request) -> Result<Exchange, TransportFailure> {
        exchange::send(self, request, None).await
    }

    /// As [`Self::send`], to one address of the host alone, on a connection of its own.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn send_to(
        &self,
        request: Request,
        address: SocketAddr,
    ) -> Result<Exchange, TransportFailure> {
        exchange::send(self, request, Some(address)).await
    }

    /// True when everything goes through a proxy: then names are not ours to look up.
    pub fn is_proxied(&self) -> bool {
        self.proxied
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that builds HTTP clients")]
fn builder(
    options: &ClientOptions,
    resolver: &Arc<resolve::Resolver>,
) -> Result<reqwest::ClientBuilder, ClientError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .http1_max_headers(MAX_HEADERS)
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        .tls_info(true)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .dns_resolver(Arc::clone(resolver))
        .connector_layer(phases::PhaseLayer);
    if let Some(url) = &options.proxy {
        let proxy = reqwest::Proxy::all(url.clone()).map_err(|error| ClientError::Proxy {
            reason: failure::sentence(&error.without_url()),
        })?;
        builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_string(THIS_MACHINE)));
    }
    if options.trust == Trust::Nobody {
        builder = builder.tls_certs_only(Vec::new());
    }
    if let Some(path) = &options.ca_file {
        builder = builder.tls_certs_merge(certificate::read_bundle(path)?);
    }
    Ok(builder)
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ClientError> {
    builder.build().map_err(|error| {
        let reason = failure::sentence(&error);
        // The words of rustls-platform-verifier 0.6, which has no kind for it.
        if reason.contains("No CA certificates") {
            ClientError::NoRoots
        } else {
            ClientError::Tls { reason }
        }
    })
}
