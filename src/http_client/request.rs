//! What is to be sent, and within which bounds.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::secret::Secret;

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: reqwest::Method,
    /// Address; `http` for literal loopback addresses alone.
    pub url: Url,
    /// Plain headers.
    pub headers: HeaderMap,
    /// Headers whose value is a secret; marked sensitive, never logged.
    pub secret_headers: Vec<(HeaderName, Secret)>,
    /// Body, sent as is.
    pub body: Option<Vec<u8>>,
    /// Deadlines and caps.
    pub limits: Limits,
    /// Whether a kept connection may be used.
    pub connection: Connection,
}

impl Request {
    /// A GET on a fresh connection.
    pub fn get(url: Url, limits: Limits) -> Self {
        Self {
            method: reqwest::Method::GET,
            url,
            headers: HeaderMap::new(),
            secret_headers: Vec::new(),
            body: None,
            limits,
            connection: Connection::Fresh,
        }
    }

    /// A POST on a fresh connection.
    pub fn post(url: Url, content_type: &'static str, body: Vec<u8>, limits: Limits) -> Self {
        let mut request = Self::get(url, limits);
        request.method = reqwest::Method::POST;
        request.headers.insert("content-type", HeaderValue::from_static(content_type));
        request.body = Some(body);
        request
    }

    /// With one more plain header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: HeaderValue) -> Self {
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// With one more header whose value is a secret.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, value: Secret) -> Self {
        self.secret_headers.push((HeaderName::from_static(name), value));
        self
    }

    /// On this connection.
    #[must_use]
    pub fn on(mut self, connection: Connection) -> Self {
        self.connection = connection;
        self
    }
}

/// Deadlines and caps of one request (facts B3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name, TCP and TLS together.
    pub connect: Duration,
    /// Between two chunks of the answer.
    pub idle: Duration,
    /// The whole exchange.
    pub total: Duration,
    /// Decoded bytes; the rest is cut and [`super::Exchange::truncated`] set.
    pub body_bytes: usize,
}

impl Limits {
    /// HeyGen's API.
    pub const API: Self = Self::seconds(30, 1 << 20);
    /// HeyGen's submit calls, which work before they answer (p99 about 30 s).
    pub const SUBMIT: Self = Self::seconds(120, 1 << 20);
    /// A public page: status page, web application.
    pub const PAGE: Self = Self::seconds(20, 2 << 20);
    /// A channel that is told something.
    pub const WEBHOOK: Self = Self::seconds(20, 64 << 10);
    /// A control target: that it answers is all that matters.
    pub const CONTROL: Self = Self::seconds(3, 1 << 10);

    /// A part of a file that HeyGen made.
    pub const FILE_PART: Self = Self::seconds(15, 64 << 10);

    const fn seconds(total: u64, body_bytes: usize) -> Self {
        Self {
            connect: super::CONNECT,
            idle: Duration::from_secs(10),
            total: Duration::from_secs(total),
            body_bytes,
        }
    }

    /// These limits, with a whole exchange no longer than `total`.
    #[must_use]
    pub fn within(self, total: Duration) -> Self {
        let total = self.total.min(total);
        Self { connect: self.connect.min(total), idle: self.idle.min(total), total, ..self }
    }
}

/// Whether a kept connection may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// A new one: the default, and every re-check.
    Fresh,
    /// One kept from a run less than a minute ago, where there is one. A failure on it before the
    /// first byte is tried once on a fresh one and is never seen. GET and HEAD alone: anything
    /// else goes out once, on a fresh one.
    Kept,
}
