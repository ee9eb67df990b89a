//! HeyGen's API, v3: routes, authentication, the error envelope, pagination.
//!
//! Owns what its operations have in common; each family has its own file. Invariant: a missing and a
//! wrong key get byte-identical answers, as HeyGen's do.

mod body;
mod jobs;
mod legacy;
mod money;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{JobKind, World, catalogue, locked};

/// Query parameters by name.
type Parameters = Query<BTreeMap<String, String>>;

/// What an operation answers.
type Answered = Result<Json<Value>, Refusal>;

pub(super) fn router(world: Arc<World>) -> Router {
    let v3 = Router::new()
        .route("/v3/users/me", get(money::user))
        .route("/v3/api_keys/self", get(money::key))
        .route("/v3/voices", get(voices))
        .route("/v3/voices/speech", post(jobs::speech))
        .route("/v3/avatars", get(avatars))
        .route("/v3/avatars/looks", get(looks))
        .route("/v3/videos", post(jobs::create_video))
        .nest("/v3/videos", jobs::router(JobKind::Video))
        .route("/v3/video-translations", post(jobs::create_translation))
        .route("/v3/video-translations/languages", get(languages))
        .nest("/v3/video-translations", jobs::router(JobKind::Translation))
        .route("/v3/webhooks/endpoints", get(webhooks::endpoints))
        .route("/v3/webhooks/events", get(webhooks::events))
        .route_layer(from_fn_with_state(Arc::clone(&world), authenticate));
    v3.merge(legacy::router()).fallback(not_found).with_state(world)
}

async fn authenticate(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    if is_accepted(&world, request.headers()) {
        return next.run(request).await;
    }
    unauthorized().into_response()
}

/// True when the request carries the account's key, and the key has not ended.
fn is_accepted(world: &World, headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let key = text(header::HeaderName::from_static("x-api-key"));
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let ends = locked(&world.account).key_expires_at;
    let is_current = ends.is_none_or(|ends| world.clock.now() < ends);
    is_current && key.or(bearer) == Some(world.api_key.as_str())
}

fn unauthorized() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized")
}

/// A route that v3 does not have: no envelope, as a load balancer's default target answers.
async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain")], "Not Found").into_response()
}

async fn voices(query: Parameters) -> Answered {
    list(&query, 100, catalogue::voices())
}

async fn avatars(query: Parameters) -> Answered {
    list(&query, 50, catalogue::avatars())
}

async fn looks(query: Parameters) -> Answered {
    list(&query, 50, catalogue::looks())
}

async fn languages() -> Json<Value> {
    Json(json!({"data": {"languages": catalogue::LANGUAGES}}))
}

/// HeyGen's error envelope; `param` is left out where there is none, as live answers do.
pub(super) fn envelope(code: &str, message: &str, param: Option<&str>) -> Value {
    let anchor = code.replace('_', "-");
    let mut error = json!({
        "code": code,
        "doc_url": format!("https://developers.heygen.com/docs/error-codes#{anchor}"),
        "message": message,
    });
    if let (Some(param), Some(fields)) = (param, error.as_object_mut()) {
        fields.insert("param".to_owned(), param.into());
    }
    json!({"error": error})
}

/// An answer with the error envelope.
#[derive(Debug, PartialEq)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    param: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), param: None }
    }

    fn invalid(param: &str, message: String) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self { status, code: "invalid_parameter", message, param: Some(param.to_owned()) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = envelope(self.code, &self.message, self.param.as_deref());
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, 1.into());
        }
        response
    }
}

/// How many rows of a list are wanted.
fn limit(query: &Parameters, default: usize, maximum: usize) -> Result<usize, Refusal> {
    match query.get("limit").map(|text| text.parse::<usize>()) {
        None => Ok(default),
        Some(Ok(limit)) if (1..=maximum).contains(&limit) => Ok(limit),
        Some(_) => {
            let message = format!("'limit' must be between 1 and {maximum}.");
            Err(Refusal::invalid("limit", message))
        }
    }
}

/// From where a list is wanted; `None`: from the beginning.
fn token<T>(
    query: &Parameters,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let Some(token) = query.get("token") else {
        return Ok(None);
    };
    let invalid = || Refusal::invalid("token", "'token' is not a valid cursor.".to_owned());
    parse(token).map(Some).ok_or_else(invalid)
}

fn position(token: &str) -> Option<usize> {
    usize::from_str_radix(token.strip_prefix('c')?, 16).ok()
}

/// One page of a fixed list. Its cursor counts what is left.
fn list(query: &Parameters, maximum: usize, rows: Vec<Value>) -> Answered {
    let limit = limit(query, 20, maximum)?;
    let left = token(query, position)?.unwrap_or(rows.len()).min(rows.len());
    let from = rows.len() - left;
    let shown: Vec<Value> = rows.into_iter().skip(from).take(limit).collect();
    let rest = left - shown.len();
    let next = (rest > 0).then(|| format!("c{rest:x}"));
    Ok(paged(&shown, next.as_deref()))
}

fn paged(data: &[Value], next: Option<&str>) -> Json<Value> {
    Json(json!({"data": data, "has_more": next.is_some(), "next_token": next}))
}
