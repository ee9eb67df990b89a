//! Where finished files are fetched: `files.heygen.ai`, as CloudFront in front of a bucket serves it.
//!
//! Owns signed URLs and byte ranges; the bytes are `artefact`'s. Invariant: what is not signed, has
//! run out or is not there gets the same 403, as a bucket that may not be listed answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;

use super::artefact::{Artefact, File, FileKind};
use super::job::JobKind;
use super::{World, locked};

/// Path of the source of translations; public.
pub(super) const SOURCE_PATH: &str = "/source.mp4";

type Signature = Query<BTreeMap<String, String>>;

pub(super) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route(SOURCE_PATH, get(source))
        .route("/{name}", get(file))
        .fallback(|| async { denied() })
        .with_state(world)
}

async fn source(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let length = seconds(locked(&world.account).translation_secs);
    served(&headers, Artefact::Sound.file(FileKind::Mp4, length))
}

async fn file(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    query: Signature,
    headers: HeaderMap,
) -> Response {
    let now = world.clock.now();
    if !is_signed(&query, now) {
        return denied();
    }
    match find(&world, &name, now) {
        Some(file) => served(&headers, file),
        None => denied(),
    }
}

fn is_signed(query: &Signature, now: Timestamp) -> bool {
    let expires = query.get("Expires").and_then(|text| text.parse::<i64>().ok());
    let has_signature = query.get("Signature").is_some_and(|text| !text.is_empty());
    has_signature && expires.is_some_and(|expires| now.as_second() < expires)
}

/// The file of a finished job or of a text that was spoken, unless it is to be refused.
fn find(world: &World, name: &str, now: Timestamp) -> Option<File> {
    let (id, extension) = name.split_once('.')?;
    let mut account = locked(&world.account);
    if let Some(length) = account.speech(id) {
        let artefact = account.artefact.clone();
        let is_refused = account.refuses_fetch(name, &artefact);
        return (!is_refused).then(|| artefact.file(FileKind::Mp3, length));
    }
    let kinds = [JobKind::Video, JobKind::Translation];
    let job = kinds.into_iter().find_map(|kind| account.find(kind, id, now))?.clone();
    if !job.has_url(now) || job.file_kind().extension() != extension {
        return None;
    }
    let is_refused = account.refuses_fetch(name, &job.artefact);
    (!is_refused).then(|| job.artefact.file(job.file_kind(), seconds(job.duration_secs)))
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// CloudFront's answer to a URL that is not valid (any more).
fn denied() -> Response {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>\
                <Message>Access Denied</Message></Error>";
    let headers = [(header::CONTENT_TYPE, "text/xml"), (header::SERVER, "CloudFront")];
    (StatusCode::FORBIDDEN, headers, body).into_response()
}

/// The whole file, or the range that was asked for.
fn served(headers: &HeaderMap, file: File) -> Response {
    let total = file.bytes.len();
    let common = [
        (header::CONTENT_TYPE, file.content_type),
        (header::ACCEPT_RANGES, "bytes"),
        (header::SERVER, "CloudFront"),
    ];
    let wanted = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    match wanted.map_or(Wanted::Whole, |range| wanted_range(range, total)) {
        Wanted::Whole => (common, file.bytes).into_response(),
        Wanted::Part(from, to) => {
            let part = file.bytes.get(from..=to).unwrap_or_default().to_vec();
            let range = [(header::CONTENT_RANGE, format!("bytes {from}-{to}/{total}"))];
            (StatusCode::PARTIAL_CONTENT, common, range, part).into_response()
        }
        Wanted::Nothing => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response()
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    /// First and last byte.
    Part(usize, usize),
    Nothing,
}

/// RFC 9110, section 14: one range; several, or what is no range, get the whole.
fn wanted_range(text: &str, total: usize) -> Wanted {
    let Some((from, to)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let last = total.saturating_sub(1);
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) if from <= to => (from, to.min(last)),
        (Ok(from), Err(_)) if to.is_empty() => (from, last),
        (Err(_), Ok(0)) if from.is_empty() => return Wanted::Nothing,
        (Err(_), Ok(suffix)) if from.is_empty() => (total.saturating_sub(suffix), last),
        _ => return Wanted::Whole,
    };
    if from < total { Wanted::Part(from, to) } else { Wanted::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_what_there_is() {
        assert_eq!(wanted_range("bytes=0-9", 100), Wanted::Part(0, 9));
        assert_eq!(wanted_range("bytes=90-199", 100), Wanted::Part(90, 99));
        assert_eq!(wanted_range("bytes=90-", 100), Wanted::Part(90, 99));
        assert_eq!(wanted_range("bytes=-10", 100), Wanted::Part(90, 99));
        assert_eq!(wanted_range("bytes=100-", 100), Wanted::Nothing);
        assert_eq!(wanted_range("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(wanted_range("bytes=0-1,4-5", 100), Wanted::Whole);
        assert_eq!(wanted_range("nonsense", 100), Wanted::Whole);
    }
}
