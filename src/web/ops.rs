//! What machines that look after machines read: metrics and health.
//!
//! Owns the texts of `/metrics`, `/-/healthy` and `/-/ready`. Answers from memory alone.
//! Invariant: healthy says the same as the watchdog does; what is not healthy is not ready either.

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
    let obstacles = state.health.obstacles();
    if obstacles.is_empty() {
        (StatusCode::OK, "ready\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, lines(&obstacles)).into_response()
    }
}

fn lines(complaints: &[String]) -> String {
    let mut text = complaints.join("\n");
    text.push('\n');
    text
}
