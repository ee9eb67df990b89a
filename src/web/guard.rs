//! What every request must be, and what every answer carries.
//!
//! Owns the method, host, size and time limits and the security headers. Knows no route.
//! Invariant: an answer without the headers cannot leave, whatever went wrong inside.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY,
    TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::{WebSettings, WebState};

/// Everything is answered from memory or by one indexed query; longer means that the disk hangs.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest request target; our own longest is under 100 bytes.
const TARGET_BYTES_MAX: usize = 2_048;

/// No inline code or style, nothing from elsewhere, no frames, no forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("interest-cohort=(), geolocation=(), camera=(), microphone=()"),
    ),
];

/// Lets a request in that is plain reading of a host that we are.
pub(super) async fn admit(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let checked = check(&request, &state.settings.borrow());
    if let Err(refusal) = checked {
        return refusal;
    }
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => Problem::unavailable("the answer took too long", 5).into_response(),
    }
}

/// Says in every answer where this monitor stands, as every message does.
const VANTAGE: HeaderName = HeaderName::from_static("x-heygen-monitor-vantage");

/// Adds what every answer carries; as far as the route did not say it more
/// narrowly itself.
pub(super) async fn add_headers(State(state): State<WebState>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let view = state.view.borrow().clone();
    let vantage = view.map(|view| HeaderValue::from_bytes(view.verdict.vantage.as_bytes()));
    if let Some(Ok(vantage)) = vantage {
        headers.insert(VANTAGE, vantage);
    }
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once per refusal")]
fn check(request: &Request, settings: &WebSettings) -> Result<(), Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let problem = Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "this address only reads; changes go through the command line",
        );
        let allow = [(ALLOW, HeaderValue::from_static("GET, HEAD"))];
        return Err((allow, problem).into_response());
    }
    check_host(request.uri(), request.headers(), settings)
        .and_then(|()| check_size(request.uri(), request.headers()))
        .map_err(IntoResponse::into_response)
}

/// A page of another name that resolves to us (DNS rebinding) must not read us through its
/// visitor's browser.
fn check_host(uri: &Uri, headers: &HeaderMap, settings: &WebSettings) -> Result<(), Problem> {
    let mut named = headers.get_all(HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else {
        return Err(Problem::bad_request("exactly one Host header is needed"));
    };
    let authority = uri.authority().map(axum::http::uri::Authority::as_str);
    for name in host.to_str().ok().into_iter().chain(authority) {
        if !allows(settings, name) {
            return Err(refused_host());
        }
    }
    if host.to_str().is_ok() { Ok(()) } else { Err(refused_host()) }
}

fn refused_host() -> Problem {
    let detail = "this host name is not one of ours; add it to `web.hosts` in the configuration";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail)
}

/// Names that we are: `localhost`, loopback addresses, the listener's address (any literal address
/// when it listens on all: only names can be rebound) and the configured hosts.
fn allows(settings: &WebSettings, authority: &str) -> bool {
    let name = without_port(authority).trim_end_matches('.').to_ascii_lowercase();
    let literal = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = literal.parse::<IpAddr>() {
        let ours = settings.address;
        if address.is_loopback() || address == ours || ours.is_unspecified() {
            return true;
        }
    }
    name == "localhost" || settings.hosts.iter().any(|host| host.eq_ignore_ascii_case(&name))
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

fn check_size(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let target_bytes = uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target_bytes > TARGET_BYTES_MAX {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "the address is too long"));
    }
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    if has_body {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "a request carries no body here"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(address: &str) -> WebSettings {
        WebSettings {
            address: address.parse().unwrap(),
            hosts: vec!["status.example.org".to_owned()],
            timezone: jiff::tz::TimeZone::UTC,
            scope: std::sync::Arc::new(crate::engine::uptime::Scope {
                zone: jiff::tz::TimeZone::UTC,
                uses: Vec::new(),
                pages: Vec::new(),
            }),
            titles: crate::wire::Titles::Hidden,
            auth: None,
            public_url: None,
            brand: crate::web::Brand::default(),
        }
    }

    #[test]
    fn only_names_that_we_are_may_be_asked() {
        let loopback = settings("127.0.0.1");
        for ours in [
            "localhost",
            "LOCALHOST:10043",
            "127.0.0.1:1",
            "[::1]:10043",
            "[::1]",
            "status.example.org",
            "status.example.org.:443",
        ] {
            assert!(allows(&loopback, ours), "{ours}");
        }
        for foreign in ["evil.example", "localhost.evil.example", "10.0.0.7", "", ":80", "[::2]"] {
            assert!(!allows(&loopback, foreign), "{foreign}");
        }
    }

    #[test]
    fn a_listener_on_every_address_may_be_asked_by_any_address_but_by_no_other_name() {
        let everywhere = settings("0.0.0.0");
        assert!(allows(&everywhere, "10.0.0.7:10043"));
        assert!(!allows(&everywhere, "evil.example"));
    }
}
