//! The operations that make, show and delete jobs.
//!
//! Owns the HTTP side; the jobs themselves are the account's. Invariant: one accepted create is one
//! job, however often its `Idempotency-Key` comes again within 24 hours.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::account::Claim;
use super::super::job::JobKind;
use super::{Answered, Page, Parameters, Refusal, World, body, locked, paged};

/// The bulk operations take at most this many ids.
const BULK: usize = 100;

type Shared = State<Arc<World>>;

pub(super) async fn videos(State(world): Shared, query: Parameters) -> Answered {
    list(&world, JobKind::Video, &query)
}

pub(super) async fn translations(State(world): Shared, query: Parameters) -> Answered {
    list(&world, JobKind::Translation, &query)
}

pub(super) async fn video(State(world): Shared, Path(id): Path<String>) -> Answered {
    detail(&world, JobKind::Video, &id)
}

pub(super) async fn translation(State(world): Shared, Path(id): Path<String>) -> Answered {
    detail(&world, JobKind::Translation, &id)
}

pub(super) async fn video_statuses(State(world): Shared, query: Parameters) -> Answered {
    statuses(&world, JobKind::Video, &query)
}

pub(super) async fn translation_statuses(State(world): Shared, query: Parameters) -> Answered {
    statuses(&world, JobKind::Translation, &query)
}

pub(super) async fn delete_video(State(world): Shared, Path(id): Path<String>) -> Answered {
    delete(&world, JobKind::Video, &id)?;
    Ok(Json(json!({"data": {"id": id, "deleted": true}})))
}

pub(super) async fn delete_translation(State(world): Shared, Path(id): Path<String>) -> Answered {
    delete(&world, JobKind::Translation, &id)?;
    Ok(Json(json!({"data": {"id": id}})))
}

pub(super) async fn create_video(
    State(world): Shared,
    headers: HeaderMap,
    sent: Bytes,
) -> Answered {
    let wanted = body::video(&sent)?;
    create(&world, "/v3/videos", &headers, move |world| {
        let now = world.clock.now();
        let mut account = locked(&world.account);
        let own = wanted.avatar.as_ref().and_then(|avatar| account.by_avatar.get(avatar).cloned());
        let lifecycle = own.unwrap_or_else(|| account.video.clone());
        let mut job = account.new_job(JobKind::Video, now, lifecycle);
        job.title = wanted.title;
        let data = json!({"video_id": job.id, "status": "waiting",
                          "output_format": wanted.output_format});
        account.add(job);
        json!({"data": data})
    })
    .await
}

pub(super) async fn create_translation(
    State(world): Shared,
    headers: HeaderMap,
    sent: Bytes,
) -> Answered {
    let wanted = body::translation(&sent)?;
    create(&world, "/v3/video-translations", &headers, move |world| {
        let now = world.clock.now();
        let mut account = locked(&world.account);
        let mut ids = Vec::new();
        for language in wanted.languages {
            let lifecycle = account.translation.clone();
            let mut job = account.new_job(JobKind::Translation, now, lifecycle);
            job.title.clone_from(&wanted.title);
            job.output_language = Some(language);
            job.is_audio_only = wanted.is_audio_only;
            ids.push(job.id.clone());
            account.add(job);
        }
        json!({"data": {"video_translation_ids": ids}})
    })
    .await
}

/// Text to speech answers at once and knows no `Idempotency-Key`.
pub(super) async fn speech(State(world): Shared, sent: Bytes) -> Answered {
    let text = body::speech(&sent)?;
    has_credit(&world)?;
    let words = f64::from(u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX));
    let number = world.clock.now().as_millisecond();
    Ok(Json(json!({"data": {
        "audio_url": format!("{}/tts_{number}.mp3", locked(&world.account).files_url),
        "duration": 0.4 * words,
        "request_id": format!("req_{number}"),
        "word_timestamps": [],
    }})))
}

async fn create(
    world: &World,
    endpoint: &str,
    headers: &HeaderMap,
    make: impl FnOnce(&World) -> Value,
) -> Answered {
    has_credit(world)?;
    let key = idempotency_key(headers)?;
    if let Some(key) = &key {
        match locked(&world.account).claim(endpoint, key, world.clock.now()) {
            Claim::New => {}
            Claim::Replayed(body) => return Ok(Json(body)),
            Claim::InProgress => {
                let message = "A request with this Idempotency-Key is already in progress.";
                return Err(Refusal::new(StatusCode::CONFLICT, "request_in_progress", message));
            }
        }
    }
    let delay = locked(&world.account).accept_delay;
    tokio::time::sleep(delay).await;
    let body = make(world);
    if let Some(key) = &key {
        locked(&world.account).settle(endpoint, key, Some(body.clone()), world.clock.now());
    }
    Ok(Json(body))
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

fn has_credit(world: &World) -> Result<(), Refusal> {
    if locked(&world.account).wallet.balance_usd > 0.0 {
        return Ok(());
    }
    let message = "Your account has 0 credits but this video requires 10 credits.";
    Err(Refusal::new(StatusCode::PAYMENT_REQUIRED, "insufficient_credit", message))
}

fn list(world: &World, kind: JobKind, query: &Parameters) -> Answered {
    let page = Page::of(query, 10, 100)?;
    let title = query.get("title").map(String::as_str).filter(|_| kind == JobKind::Video);
    let now = world.clock.now();
    let account = locked(&world.account);
    let part = account.part(kind, title, page.before, page.limit);
    let rows: Vec<Value> = part.jobs.iter().map(|job| job.detail(now)).collect();
    Ok(paged(&rows, part.next))
}

fn detail(world: &World, kind: JobKind, id: &str) -> Answered {
    let account = locked(&world.account);
    let job = account.find(kind, id).ok_or_else(|| missing(kind, id))?;
    Ok(Json(json!({"data": job.detail(world.clock.now())})))
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
    let status =
        |id: &&str| account.find(kind, id).map_or_else(|| unknown(id), |job| job.bulk_status(now));
    let rows: Vec<Value> = ids.iter().map(status).collect();
    Ok(paged(&rows, None))
}

fn delete(world: &World, kind: JobKind, id: &str) -> Result<(), Refusal> {
    let was_there = locked(&world.account).delete(kind, id);
    if was_there { Ok(()) } else { Err(missing(kind, id)) }
}

fn missing(kind: JobKind, id: &str) -> Refusal {
    let (code, word) = match kind {
        JobKind::Video => ("video_not_found", "Video"),
        JobKind::Translation => ("resource_not_found", "Video translation"),
    };
    Refusal::new(StatusCode::NOT_FOUND, code, &format!("{word} {id} not found"))
}
