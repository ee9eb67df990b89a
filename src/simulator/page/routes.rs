//! The paths of an incident.io page, and what each serves: JSON with `ETag`, HTML, Atom, nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::{World, locked};
use super::{Format, StatusPage};

/// What a path is asked for.
#[derive(Debug, Clone, Copy)]
enum Document {
    Summary,
    Components,
    Incidents,
    Status,
    Native,
    NativeIncidents,
}

pub(in super::super) fn router(world: Arc<World>) -> Router {
    let json = |document: Document| {
        get(move |State(world): State<Arc<World>>, headers: HeaderMap| async move {
            serve(&world, &headers, document)
        })
    };
    Router::new()
        .route("/api/v2/summary.json", json(Document::Summary))
        .route("/api/v2/components.json", json(Document::Components))
        .route("/api/v2/incidents.json", json(Document::Incidents))
        .route("/api/v2/status.json", json(Document::Status))
        .route("/proxy/{host}", json(Document::Native))
        .route("/proxy/{host}/incidents", json(Document::NativeIncidents))
        .route("/feed.atom", get(atom))
        .route("/history.atom", get(atom))
        .route("/", get(html))
        .fallback(elsewhere)
        .with_state(world)
}

fn serve(world: &World, headers: &HeaderMap, document: Document) -> Response {
    let now = world.clock.now();
    let page = locked(&world.page);
    if page.format != Format::Json {
        return Html(page.html(&address(&page, headers), now)).into_response();
    }
    let url = address(&page, headers);
    let body = match document {
        Document::Summary => page.summary(&url, now),
        Document::Components => page.component_list(&url, now),
        Document::Incidents => page.incident_list(&url, now),
        Document::Status => page.status_line(&url, now),
        Document::Native => page.native(&url, now),
        Document::NativeIncidents => page.native_incidents(now),
    };
    cached(&body, headers)
}

/// The body, or 304 when the caller has it already.
fn cached(body: &Value, headers: &HeaderMap) -> Response {
    let text = body.to_string();
    let digest = Sha256::digest(text.as_bytes());
    let prefix = digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    let etag = format!("\"{prefix:016x}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fresh = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, "public, max-age=0, must-revalidate".to_owned()),
    ];
    if known.is_some_and(|known| known.contains(&etag)) {
        return (StatusCode::NOT_MODIFIED, fresh).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, fresh, kind, text).into_response()
}

async fn html(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let page = locked(&world.page);
    Html(page.html(&address(&page, &headers), world.clock.now())).into_response()
}

async fn atom(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let page = locked(&world.page);
    let url = address(&page, &headers);
    if page.format == Format::Landing {
        return Html(page.html(&url, world.clock.now())).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    (kind, page.atom(&url, world.clock.now())).into_response()
}

/// incident.io answers unknown paths with 404 and not a byte.
async fn elsewhere(State(world): State<Arc<World>>, request: Request) -> Response {
    let page = locked(&world.page);
    if page.format != Format::Landing {
        return StatusCode::NOT_FOUND.into_response();
    }
    Html(page.html(&address(&page, request.headers()), world.clock.now())).into_response()
}

fn address(page: &StatusPage, headers: &HeaderMap) -> String {
    let asked = || {
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        format!("http://{}/", host.unwrap_or("localhost"))
    };
    page.url.clone().unwrap_or_else(asked)
}
