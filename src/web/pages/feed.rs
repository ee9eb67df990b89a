//! `/feed.atom`: incidents for feed readers (RFC 4287).
//!
//! Invariants: the id of an entry never changes, its `updated` changes when something happened to
//! the incident, and texts are of type `text`.

use askama::Template;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use url::Url;

use super::super::problem::{Problem, unreadable};
use super::incidents::timeline;
use super::{Answer, Visit, outside};
use crate::engine::words;
use crate::model::{Incident, Timestamp};

/// Incidents in the feed: readers ask far more often than so many happen.
const ENTRIES: usize = 30;

#[derive(Template)]
#[template(path = "feed.xml")]
struct Feed {
    name: String,
    id: String,
    /// Where the pages are, with a slash at the end; empty when nobody told.
    base: String,
    updated: String,
    entries: Vec<Entry>,
}

struct Entry {
    number: i64,
    id: String,
    title: String,
    published: String,
    updated: String,
    lines: Vec<String>,
}

pub(super) async fn feed(visit: Visit) -> Answer {
    let found = visit.state.store.incidents(Timestamp::MIN, None, ENTRIES).await;
    let incidents = found.map_err(|error| unreadable(&error))?;
    let entries: Vec<Entry> =
        incidents.into_iter().map(|one| entry(&visit, &visit.reader.incident(one))).collect();
    let newest = entries.iter().map(|entry| entry.updated.as_str()).max();
    let feed = Feed {
        name: outside(&visit.settings.brand.name),
        id: "tag:heygen-monitor.invalid,2026:incidents".to_owned(),
        base: visit.settings.public_url.as_ref().map(base).unwrap_or_default(),
        updated: newest.unwrap_or("2026-01-01T00:00:00Z").to_owned(),
        entries,
    };
    let text = feed.render().map_err(|_| Problem::internal())?;
    Ok(([(CONTENT_TYPE, "application/atom+xml; charset=utf-8")], text).into_response())
}

fn base(url: &Url) -> String {
    format!("{}/", url.as_str().trim_end_matches('/'))
}

fn entry(visit: &Visit, incident: &Incident) -> Entry {
    let word = words::state(incident.worst_state, incident.blame);
    let touches = words::capabilities(&incident.capabilities);
    let mut lines = vec![
        format!("{}. {}", outside(&incident.headline), words::side(incident.blame)),
        format!("At worst: {word}. Touches: {touches}."),
    ];
    let timeline = timeline(visit, incident);
    lines.extend(timeline.iter().map(|entry| format!("{:.0} {}", entry.at, entry.text)));
    let happened = timeline.iter().map(|entry| entry.at);
    let updated = happened.chain([incident.confirmed_at]).max().unwrap_or(incident.confirmed_at);
    let prefix = if incident.is_open() { "" } else { "Resolved: " };
    Entry {
        number: incident.id,
        // The moment of its confirmation tells it from incidents of other monitors.
        id: format!(
            "tag:heygen-monitor.invalid,2026:incident:{}:{}",
            incident.id,
            incident.confirmed_at.as_millisecond()
        ),
        title: format!("{prefix}{}", outside(&incident.headline)),
        published: format!("{:.0}", incident.confirmed_at),
        updated: format!("{updated:.0}"),
        lines,
    }
}
