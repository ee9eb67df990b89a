//! v1 and v2: gone since November 2026, but for the Studio and Template calls.
//!
//! Invariant: a retired route answers without the envelope, a living one carries the sunset headers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::json;

use super::{World, is_accepted};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v2/templates", get(templates))
        .route("/v2/template/{id}", get(template))
        .route("/v1/{*rest}", any(retired))
        .route("/v2/{*rest}", any(retired))
}

async fn retired() -> Response {
    let page = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not \
                Found</h1></center>\r\n</body>\r\n</html>\r\n";
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

async fn templates(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    living(&world, &headers, json!({"error": null, "data": {"templates": []}}))
}

async fn template(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let body = json!({"error": null, "data": {"version": "v4", "variables": {}}});
    living(&world, &headers, body)
}

fn living(world: &World, headers: &HeaderMap, body: serde_json::Value) -> Response {
    if !is_accepted(world, headers) {
        let body = json!({"code": 401, "message": "Unauthorized"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let sunset = header::HeaderName::from_static("sunset");
    let deprecation = header::HeaderName::from_static("deprecation");
    let headers = [(deprecation, "true"), (sunset, "Sat, 31 Oct 2026 00:00:00 GMT")];
    (headers, Json(body)).into_response()
}
