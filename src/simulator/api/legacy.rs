//! v1 and v2: gone since November 2026, but for the Studio and Template calls.
//!
//! Invariant: a retired route answers without the envelope, a living one carries the sunset headers.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::account::{CreateKind, Order};
use super::super::catalogue::TEMPLATES;
use super::{World, body, is_accepted, locked};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/v2/templates", get(templates))
        .route("/v2/template/{id}", get(template))
        .route("/v2/template/{id}/generate", post(generate))
        .route("/v1/{*rest}", any(retired))
        .route("/v2/{*rest}", any(retired))
}

async fn retired() -> Response {
    let page = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not \
                Found</h1></center>\r\n</body>\r\n</html>\r\n";
    (StatusCode::NOT_FOUND, Html(page)).into_response()
}

async fn templates(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let row = |id: &str| json!({"template_id": id, "name": "Greeting", "thumbnail_image_url": ""});
    let rows: Vec<Value> = TEMPLATES.iter().copied().map(row).collect();
    living(&world, &headers, || {
        (StatusCode::OK, json!({"error": null, "data": {"templates": rows}}))
    })
}

async fn template(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    living(&world, &headers, || {
        if !TEMPLATES.contains(&id.as_str()) {
            return no_template(&id);
        }
        (StatusCode::OK, json!({"error": null, "data": {"version": "v4", "variables": {}}}))
    })
}

/// Makes a video; v2 knows no `Idempotency-Key`.
async fn generate(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    sent: Bytes,
) -> Response {
    living(&world, &headers, || {
        if !TEMPLATES.contains(&id.as_str()) {
            return no_template(&id);
        }
        let order = match body::template(&sent) {
            Ok(order) => Order { avatar: Some(id.clone()), ..order },
            Err(refusal) => return refused(refusal.status, refusal.code, &refusal.message),
        };
        let accepted =
            locked(&world.account).accept(CreateKind::Template, order, world.clock.now());
        if let Ok(ids) = accepted {
            return (StatusCode::OK, json!({"error": null, "data": {"video_id": ids.first()}}));
        }
        let status = StatusCode::PAYMENT_REQUIRED;
        refused(status, "insufficient_credit", "Insufficient credit.")
    })
}

fn no_template(id: &str) -> (StatusCode, Value) {
    refused(StatusCode::NOT_FOUND, "template_not_found", &format!("Template {id} not found"))
}

/// The envelope of v2.
fn refused(status: StatusCode, code: &str, message: &str) -> (StatusCode, Value) {
    (status, json!({"error": {"code": code, "message": message}, "data": null}))
}

fn living(
    world: &World,
    headers: &HeaderMap,
    answer: impl FnOnce() -> (StatusCode, Value),
) -> Response {
    if !is_accepted(world, headers) {
        let body = json!({"code": 401, "message": "Unauthorized"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let sunset = header::HeaderName::from_static("sunset");
    let deprecation = header::HeaderName::from_static("deprecation");
    let headers = [(deprecation, "true"), (sunset, "Sat, 31 Oct 2026 00:00:00 GMT")];
    let (status, body) = answer();
    (status, headers, Json(body)).into_response()
}
