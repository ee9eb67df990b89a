//! The small neighbours: the web app, the control targets, Slack's incoming webhook.
//!
//! Owns what they answer on a good day. Invariant: Slack accepts what Slack accepts and nothing else,
//! so that a message that Slack would refuse fails a test.

use axum::Json;
use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::Value;

use super::SLACK_PATH;

/// Slack: "no more than 50 blocks" (docs.slack.dev/reference/block-kit/blocks).
const SLACK_BLOCKS: usize = 50;

/// Slack cuts texts above this many characters (docs.slack.dev, chat.postMessage).
const SLACK_TEXT_CHARS: usize = 40_000;

/// Slack: the text of a section holds at most 3,000 characters, a header 150.
const SLACK_SECTION_CHARS: usize = 3_000;
const SLACK_HEADER_CHARS: usize = 150;

pub(super) fn web_app() -> Router {
    let page = "<!DOCTYPE html><html lang=\"en\"><head><title>HeyGen</title></head>\
                <body><div id=\"root\">HeyGen - AI Video Generator</div></body></html>";
    Router::new().fallback(move || async move { Html(page) })
}

/// Answers like a captive-portal check.
pub(super) fn control() -> Router {
    Router::new().fallback(any(|| async { StatusCode::NO_CONTENT }))
}

pub(super) fn slack() -> Router {
    Router::new()
        .route(SLACK_PATH, post(incoming_webhook))
        .fallback(|| async { plain(StatusCode::NOT_FOUND, "no_team") })
}

async fn incoming_webhook(body: Result<Json<Value>, JsonRejection>) -> Response {
    let Ok(Json(message)) = body else {
        return plain(StatusCode::BAD_REQUEST, "invalid_payload");
    };
    match refusal(&message) {
        Some(word) => plain(StatusCode::BAD_REQUEST, word),
        None => plain(StatusCode::OK, "ok"),
    }
}

fn refusal(message: &Value) -> Option<&'static str> {
    let text = message.get("text").and_then(Value::as_str).unwrap_or_default();
    let blocks = message.get("blocks").and_then(Value::as_array);
    if text.is_empty() && blocks.is_none_or(Vec::is_empty) {
        return Some("no_text");
    }
    if text.chars().count() > SLACK_TEXT_CHARS {
        return Some("msg_too_long");
    }
    let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
    let are_too_many = blocks.len() > SLACK_BLOCKS;
    (are_too_many || blocks.iter().any(is_invalid_block)).then_some("invalid_blocks")
}

fn is_invalid_block(block: &Value) -> bool {
    let limit = match block.get("type").and_then(Value::as_str) {
        None => return true,
        Some("header") => SLACK_HEADER_CHARS,
        Some(_) => SLACK_SECTION_CHARS,
    };
    let text = block.pointer("/text/text").and_then(Value::as_str);
    text.is_some_and(|text| text.is_empty() || text.chars().count() > limit)
}

fn plain(status: StatusCode, word: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html")], word).into_response()
}
