//! Brings events to their endpoints: watches for jobs that end, posts, tries again.
//!
//! Owns the time of each post and the plain HTTP of it (the simulator imports no client). Invariant: no
//! event tells of a job that ended before the simulation began.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::Url;

use super::super::account::Account;
use super::super::job::View;
use super::super::{World, locked};
use super::{Manner, WebhookEndpoint, WebhookEvent, webhook_signature};

/// How often ended jobs are looked for, in real time.
const TICK: Duration = Duration::from_millis(10);

/// HeyGen waits ten seconds for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Simulated time before the second attempt; it doubles from then on.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// With doubling from one minute, as many as come within HeyGen's 24 hours.
const ATTEMPTS: u32 = 11;

/// A post that is due: the event's place in [`Account::webhook_events`], and the attempt.
#[derive(Debug, Clone)]
struct Post {
    place: usize,
    endpoint: WebhookEndpoint,
    event_id: String,
    body: String,
    attempt: u32,
}

type Due = BTreeMap<(Timestamp, u64), Post>;

/// Brings events until the simulation stops.
pub(in crate::simulator) async fn run(world: Arc<World>) {
    let mut told_until = world.clock.now();
    let mut due = Due::new();
    let mut number = 0;
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            () = world.stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
        let now = world.clock.now();
        for (at, post) in ended(&world, told_until, now) {
            number += 1;
            due.insert((at, number), post);
        }
        told_until = now;
        while let Some(entry) = due.first_entry().filter(|entry| entry.key().0 <= now) {
            let post = entry.remove();
            under_way.spawn(bring(post, now));
        }
        while let Some(Ok((post, status))) = under_way.try_join_next() {
            if let Some(again) = settled(&world, post, status) {
                number += 1;
                let pause = RETRY_AFTER * 2_u32.saturating_pow(again.attempt - 2);
                due.insert((now.saturating_add(pause).unwrap_or(now), number), again);
            }
        }
    }
}

/// The posts that tell of jobs that ended after `after`, each with its time.
fn ended(world: &World, after: Timestamp, now: Timestamp) -> Vec<(Timestamp, Post)> {
    let mut account = locked(&world.account);
    let account = &mut *account;
    if account.webhooks.is_empty() {
        return Vec::new();
    }
    let mut posts = Vec::new();
    for endpoint in account.webhooks.clone() {
        for event in events(account, &world.files, after, now, &endpoint) {
            let place = account.webhook_events.len();
            let (event_id, body) = (event.event_id.clone(), event.body.clone());
            let post = Post { place, endpoint: endpoint.clone(), event_id, body, attempt: 1 };
            let copies = if endpoint.manner == Manner::Twice { 2 } else { 1 };
            let delay = match endpoint.manner {
                Manner::Late(delay) => delay,
                _ => Duration::ZERO,
            };
            let at = event.created_at.saturating_add(delay).unwrap_or(now);
            posts.extend(std::iter::repeat_n((at, post), copies));
            account.webhook_events.push(event);
        }
    }
    posts
}

fn events(
    account: &Account,
    files: &str,
    after: Timestamp,
    now: Timestamp,
    endpoint: &WebhookEndpoint,
) -> Vec<WebhookEvent> {
    if endpoint.manner == Manner::Silent {
        return Vec::new();
    }
    let view = account.view(files, now);
    let ended = account.ended(after, now);
    let told = account.webhook_events.len();
    let numbered = (told..).zip(ended);
    numbered.map(|(number, job)| event(number, job, &view, endpoint)).collect()
}

fn event(
    number: usize,
    job: &super::super::Job,
    view: &View<'_>,
    endpoint: &WebhookEndpoint,
) -> WebhookEvent {
    let (event_type, data) = job.event(view);
    WebhookEvent {
        event_id: format!("evt_{number:012x}"),
        created_at: job.ends_at().unwrap_or(view.now),
        job_id: job.id.clone(),
        event_type: event_type.to_owned(),
        body: json!({"event_type": event_type, "event_data": data}).to_string(),
        url: endpoint.url.clone(),
        attempts: 0,
        status: None,
    }
}

/// Notes what came of a post; the next attempt when it was not taken.
fn settled(world: &World, post: Post, status: Option<u16>) -> Option<Post> {
    let mut account = locked(&world.account);
    if let Some(event) = account.webhook_events.get_mut(post.place) {
        event.attempts += 1;
        event.status = status;
    }
    let is_taken = status.is_some_and(|status| (200..300).contains(&status));
    (!is_taken && post.attempt < ATTEMPTS).then(|| Post { attempt: post.attempt + 1, ..post })
}

async fn bring(post: Post, now: Timestamp) -> (Post, Option<u16>) {
    let answer = tokio::time::timeout(ANSWER_WITHIN, exchange(&post, now)).await;
    (post, answer.ok().flatten())
}

/// The status of the answer; `None` when there is none.
async fn exchange(post: &Post, now: Timestamp) -> Option<u16> {
    let url = Url::parse(&post.endpoint.url).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let mut stream = TcpStream::connect((host, port)).await.ok()?;
    let head = head(post, &url, now);
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(post.body.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1)?.parse().ok()
}

fn head(post: &Post, url: &Url, now: Timestamp) -> String {
    let timestamp = match post.endpoint.manner {
        Manner::Backdated(by) => now.saturating_sub(by).unwrap_or(now),
        _ => now,
    };
    let secret = match post.endpoint.manner {
        Manner::WronglySigned => "whsec_of_somebody_else",
        _ => &post.endpoint.secret,
    };
    let signature = match post.endpoint.manner {
        Manner::Unsigned => String::new(),
        _ => format!("Heygen-Signature: {}\r\n", webhook_signature(secret, post.body.as_bytes())),
    };
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\nUser-Agent: HeyGen-Webhook\r\n\
         Heygen-Timestamp: {timestamp}\r\nHeygen-Event-Id: {id}\r\n{signature}\r\n",
        path = url.path(),
        host = url.authority(),
        length = post.body.len(),
        timestamp = timestamp.as_second(),
        id = post.event_id,
    )
}
