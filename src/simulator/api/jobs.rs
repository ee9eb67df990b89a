//! The operations that make, show and delete jobs.
//!
//! Owns the HTTP side; the jobs themselves are the account's. Invariant: one accepted create is one
//! job, however often its `Idempotency-Key` comes again within 24 hours.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::super::account::{Claim, CreateKind, Cursor, Order, OutOfCredit, Wanted};
use super::super::artefact::FileKind;
use super::super::dialect::Dialect;
use super::super::job::JobKind;
use super::{Answered, Parameters, Refusal, World, body, limit, locked, paged, token};

/// The bulk operations take at most this many ids.
const BULK: usize = 100;

/// A brisk speaker's.
const SECONDS_PER_WORD: Duration = Duration::from_millis(400);

type Shared = State<Arc<World>>;

/// What videos and translations have in common, below their path.
pub(super) fn router(kind: JobKind) -> Router<Arc<World>> {
    let listed = async move |State(world): Shared, query: Parameters| list(&world, kind, &query);
    let looked_up =
        async move |State(world): Shared, query: Parameters| statuses(&world, kind, &query);
    let one = async move |State(world): Shared, Path(id): Path<String>| detail(&world, kind, &id);
    let gone = async move |State(world): Shared, Path(id): Path<String>| delete(&world, kind, &id);
    Router::new()
        .route("/", get(listed))
        .route("/statuses", get(looked_up))
        .route("/{id}", get(one).delete(gone))
}

pub(super) async fn create_video(
    State(world): Shared,
    headers: HeaderMap,
    sent: Bytes,
) -> Answered {
    let wanted = body::video(&sent)?;
    let output_format = wanted.output_format;
    let created = |ids: &[String], _: &Dialect| {
        json!({"data": {"video_id": ids.first(), "status": "waiting",
                        "output_format": output_format}})
    };
    create(&world, CreateKind::Video, &headers, wanted.order, created).await
}

pub(super) async fn create_translation(
    State(world): Shared,
    headers: HeaderMap,
    sent: Bytes,
) -> Answered {
    let order = body::translation(&sent)?;
    let created = |ids: &[String], dialect: &Dialect| dialect.created(ids);
    create(&world, CreateKind::Translation, &headers, order, created).await
}

/// Text to speech answers at once and knows no `Idempotency-Key`.
pub(super) async fn speech(State(world): Shared, sent: Bytes) -> Answered {
    let text = body::speech(&sent)?;
    let words = u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX);
    let length = SECONDS_PER_WORD * words;
    let now = world.clock.now();
    let delay = locked(&world.account).accept_delay;
    tokio::time::sleep(delay).await;
    let mut account = locked(&world.account);
    pay(account.accept(CreateKind::Speech, Order::default(), now))?;
    let name = account.add_speech(length);
    let url = account.view(&world.files, now).signed(&name, FileKind::Mp3);
    Ok(Json(json!({"data": {
        "audio_url": url,
        "duration": length.as_secs_f64(),
        "request_id": format!("req_{name}"),
        "word_timestamps": [],
    }})))
}

async fn create(
    world: &World,
    kind: CreateKind,
    headers: &HeaderMap,
    mut order: Order,
    answer: impl FnOnce(&[String], &Dialect) -> Value,
) -> Answered {
    order.key = idempotency_key(headers)?;
    let claimed = match &order.key {
        None => None,
        Some(key) => match locked(&world.account).claim(kind, key, world.clock.now()) {
            Claim::New => Some(Claimed { world, kind, key: key.clone() }),
            Claim::Replayed(body) => return Ok(Json(body)),
            Claim::InProgress => {
                let message = "A request with this Idempotency-Key is already in progress.";
                return Err(Refusal::new(StatusCode::CONFLICT, "request_in_progress", message));
            }
        },
    };
    let delay = locked(&world.account).accept_delay;
    tokio::time::sleep(delay).await;
    let mut account = locked(&world.account);
    let now = world.clock.now();
    let accepted = account.accept(kind, order, now);
    let body = accepted.map(|ids| answer(&ids, &account.dialect));
    if let (Ok(body), Some(claimed)) = (&body, &claimed) {
        account.settle(kind, &claimed.key, body.clone(), now);
    }
    drop(account);
    Ok(Json(pay(body)?))
}

/// A claimed `Idempotency-Key`: free again when its create was not accepted, be it that its caller
/// went away meanwhile.
struct Claimed<'a> {
    world: &'a World,
    kind: CreateKind,
    key: String,
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        locked(&self.world.account).release(self.kind, &self.key);
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-:.".contains(c);
    let key = value.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    if let Some(key) = key.filter(|key| key.chars().all(is_allowed)) {
        return Ok(Some(key.to_owned()));
    }
    let message = "'Idempotency-Key' must match ^[A-Za-z0-9_\\-:.]{1,255}$.";
    Err(Refusal::invalid("Idempotency-Key", message.to_owned()))
}

/// An order that cannot be paid is refused.
fn pay<T>(accepted: Result<T, OutOfCredit>) -> Result<T, Refusal> {
    let message = "Your account has 0 credits but this video requires 10 credits.";
    let refusal = Refusal::new(StatusCode::PAYMENT_REQUIRED, "insufficient_credit", message);
    accepted.map_err(|OutOfCredit| refusal)
}

fn list(world: &World, kind: JobKind, query: &Parameters) -> Answered {
    let limit = limit(query, 10, 100)?;
    let after = token(query, Cursor::parse)?;
    let title = query.get("title").map(String::as_str).filter(|_| kind == JobKind::Video);
    let now = world.clock.now();
    let account = locked(&world.account);
    let view = account.view(&world.files, now);
    let part = account.part(&Wanted { kind, title, after }, limit, now);
    let rows: Vec<Value> = part.jobs.iter().map(|job| job.detail(&view)).collect();
    Ok(paged(&rows, part.next.map(Cursor::token).as_deref()))
}

fn detail(world: &World, kind: JobKind, id: &str) -> Answered {
    let now = world.clock.now();
    let account = locked(&world.account);
    let job = account.find(kind, id, now).ok_or_else(|| missing(kind, id))?;
    Ok(Json(json!({"data": job.detail(&account.view(&world.files, now))})))
}

fn statuses(world: &World, kind: JobKind, query: &Parameters) -> Answered {
    let names = ["video_ids", "video_translation_ids"];
    let wanted = names.iter().find_map(|name| query.get(*name)).map_or("", String::as_str);
    let ids: Vec<&str> = wanted.split(',').filter(|id| !id.is_empty()).collect();
    if ids.is_empty() || ids.len() > BULK {
        let message = format!("'video_ids' must hold 1 to {BULK} ids.");
        return Err(Refusal::invalid("video_ids", message));
    }
    let now = world.clock.now();
    let account = locked(&world.account);
    let unknown = |id: &str| {
        json!({"video_id": id, "status": "not_found", "batch_id": null, "item_index": null,
               "error": null})
    };
    let status = |id: &&str| {
        account.find(kind, id, now).map_or_else(|| unknown(id), |job| job.bulk_status(now))
    };
    let rows: Vec<Value> = ids.iter().map(status).collect();
    Ok(paged(&rows, None))
}

fn delete(world: &World, kind: JobKind, id: &str) -> Answered {
    let now = world.clock.now();
    if !locked(&world.account).delete(kind, id, now) {
        return Err(missing(kind, id));
    }
    Ok(Json(match kind {
        JobKind::Video => json!({"data": {"id": id, "deleted": true}}),
        JobKind::Translation => json!({"data": {"id": id}}),
    }))
}

fn missing(kind: JobKind, id: &str) -> Refusal {
    let (code, word) = match kind {
        JobKind::Video => ("video_not_found", "Video"),
        JobKind::Translation => ("resource_not_found", "Video translation"),
    };
    Refusal::new(StatusCode::NOT_FOUND, code, &format!("{word} {id} not found"))
}
