//! Answers that were read before are not sent again.
//!
//! Owns `ETag`, `If-None-Match` and HEAD. Invariant: a tag is of the bytes of the answer, so two
//! readers that see different things never share one.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// Bytes of the digest that make the tag.
const TAG_BYTES: usize = 16;

/// Tags a good answer, and leaves out the body that the reader has, or did not ask for.
pub(super) async fn conditional(mut request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    *request.method_mut() = Method::GET;
    let known = request.headers().clone();
    let (mut parts, body) = next.run(request).await.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        return Problem::internal().into_response();
    };
    if parts.status == StatusCode::OK {
        let tag = tag(&bytes);
        let is_known = names(&known, &tag);
        if let Ok(tag) = HeaderValue::try_from(tag) {
            parts.headers.insert(ETAG, tag);
        }
        if is_known {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.remove(CONTENT_TYPE);
            parts.headers.remove(CONTENT_LENGTH);
            return Response::from_parts(parts, Body::empty());
        }
    }
    if is_head {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn tag(bytes: &Bytes) -> String {
    let digest = Sha256::digest(bytes);
    let mut tag = String::from("\"");
    for byte in digest.iter().take(TAG_BYTES) {
        // Writing to a text cannot fail.
        write!(tag, "{byte:02x}").unwrap_or_default();
    }
    tag.push('"');
    tag
}

/// A proxy that compresses makes tags weak (`W/"…"`): compared as RFC 9110, 13.1.2 has it.
fn names(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}
