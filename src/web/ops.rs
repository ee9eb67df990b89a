//! What machines that look after machines read: metrics and health.
//!
//! Owns the texts of `/metrics`, `/-/healthy` and `/-/ready`. Answers from memory alone.
//! Invariant: healthy and ready say the same as the watchdog does.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::access::Trusted;

/// The Prometheus text format's own type.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// They tell the balance and what was spent: not for everybody.
pub(super) async fn metrics(_: Trusted, State(state): State<WebState>) -> Response {
    ([(CONTENT_TYPE, METRICS_TYPE)], state.metrics.render()).into_response()
}

pub(super) async fn healthy(State(state): State<WebState>) -> Response {
    let complaints = state.health.complaints();
    if complaints.is_empty() {
        (StatusCode::OK, "healthy\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, lines(&complaints)).into_response()
    }
}

pub(super) async fn ready(State(state): State<WebState>) -> Response {
    if state.health.is_ready() {
        return (StatusCode::OK, "ready\n").into_response();
    }
    let complaints = state.health.complaints();
    let why = if complaints.is_empty() { "starting\n".to_owned() } else { lines(&complaints) };
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

fn lines(complaints: &[String]) -> String {
    let mut text = complaints.join("\n");
    text.push('\n');
    text
}
