//! What went wrong with a request, as `application/problem+json` (RFC 9457).
//!
//! Owns every error answer of the HTTP side. How browsers are told is `pages`'. Invariant: the text
//! names neither files nor causes inside the machine; those go to the log.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Timestamp;
use crate::store::StoreError;

/// A refused or failed request; stands in the extensions of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    retry_after_secs: Option<u64>,
}

/// The wire shape.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct ProblemJson<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    /// What was wrong, and what to do.
    detail: &'a str,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after_secs: None }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// No address of ours.
    pub(super) fn nowhere() -> Self {
        Self::not_found("there is nothing here")
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "this monitor failed; its log says why")
    }

    /// Nothing has been seen yet.
    pub(super) fn starting() -> Self {
        Self::unavailable("starting: the first checks are running", 2)
    }

    /// The core has not reached a verdict for long; what it last said is no answer.
    pub(super) fn standstill(since: Timestamp) -> Self {
        let detail = format!("this monitor has reached no verdict since {since:.0}");
        Self::unavailable(detail, 30)
    }

    pub(super) fn unavailable(detail: impl Into<String>, retry_after_secs: u64) -> Self {
        Self {
            retry_after_secs: Some(retry_after_secs),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }
}

/// The history cannot be read: told to the log, and to the reader to come again.
pub(super) fn unreadable(error: &StoreError) -> Problem {
    tracing::warn!(
        error = crate::error_chain(error),
        "The web server could not read the history from the database."
    );
    Problem::unavailable("the history cannot be read at the moment", 5)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemJson {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_secs {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}
