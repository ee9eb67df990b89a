//! Atom and RSS: of incident.io, of Statuspage, or of anybody.
//!
//! Invariant: a feed never says that something works now. It yields open incidents, no components,
//! and no state but what an open incident says; an entry that does not say whether it is over is
//! no incident.

use std::collections::BTreeMap;

use feed_rs::model::{Entry, Feed, Link};
use jiff::Timestamp;
use scraper::Html;

use super::form::{ANYWHERE, Documents, Form, Found, Media, Reading, Refusal};
use super::{markup, words};
use crate::engine::page::{impact_of_state, worst};
use crate::model::{Impact, PageEvent, PageUpdate, Phase, Product};

/// The feeds in the order in which they say most.
pub(super) const FORMS: [Form; 4] = [
    form("history.atom", &["history.atom"]),
    form("feed.atom", &["feed.atom"]),
    form("history.rss", &["history.rss"]),
    form("feed.rss", &["feed.rss"]),
];

const fn form(name: &'static str, paths: &'static [&'static str]) -> Form {
    Form { name, paths, hosts: ANYWHERE, media: Media::Feed, read }
}

/// Reads a feed; the product is the one that wrote it.
pub(super) fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let feed = parse(documents)?;
    let mut warnings =
        vec!["a feed lists no components and never says that all is well".to_owned()];
    let (mut incidents, mut maintenances) = (Vec::new(), Vec::new());
    let mut unclear = 0_usize;
    for event in newest_by_incident(&feed) {
        match event.phase {
            Phase::Unknown => unclear += 1,
            Phase::Scheduled | Phase::InProgress | Phase::Verifying => maintenances.push(event),
            _ => incidents.push(event),
        }
    }
    if unclear > 0 {
        warnings.push(format!("{unclear} entries do not say whether they are over"));
    }
    let title = feed.title.as_ref().map(|title| words::line(&title.content));
    let url = link_of(&feed.links);
    let found = Found { name: title, url, incidents, maintenances, warnings, ..Found::default() };
    Ok(found.on(documents, product_of(&feed)))
}

/// The feed, whoever wrote it.
pub(super) fn parse(documents: &Documents<'_>) -> Result<Feed, Refusal> {
    if !looks_like_a_feed(documents.main()) {
        return Err("is no feed".into());
    }
    let feed = feed_rs::parser::parse(documents.main());
    Ok(feed.map_err(|error| format!("is no feed: {error}"))?)
}

/// A cheap look before the parser, which takes any XML for a reason to try.
fn looks_like_a_feed(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(2_000)).unwrap_or_default());
    ["<rss", "<feed", "<rdf:RDF"].iter().any(|mark| head.contains(mark))
}

fn product_of(feed: &Feed) -> Product {
    let generator = feed.generator.as_ref().map(|generator| generator.content.trim());
    if generator.is_some_and(|name| name.eq_ignore_ascii_case("incident.io")) {
        return Product::INCIDENT_IO;
    }
    let is_statuspage =
        |entry: &Entry| entry.id.starts_with("tag:") && entry.id.contains(":Incident/");
    if feed.entries.iter().any(is_statuspage) { Product::STATUSPAGE } else { Product::FEED }
}

/// The address people would open: not the feed's own.
fn link_of(links: &[Link]) -> Option<String> {
    let is_for_people = |link: &&Link| link.rel.as_deref().is_none_or(|rel| rel == "alternate");
    links
        .iter()
        .find(is_for_people)
        .map(|link| words::line(&link.href))
        .filter(|link| !link.is_empty())
}

/// Some feeds have a new entry for every change: of each incident the newest counts.
fn newest_by_incident(feed: &Feed) -> Vec<PageEvent> {
    let mut events: Vec<PageEvent> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    for event in feed.entries.iter().filter_map(event) {
        match place.get(&event.id).and_then(|at| events.get_mut(*at)) {
            Some(known) if event.updated_at > known.updated_at => *known = event,
            Some(_) => {}
            None => {
                place.insert(event.id.clone(), events.len());
                events.push(event);
            }
        }
    }
    events
}

/// What an entry says; its phase is unknown where it does not say how far it is.
pub(super) fn event(entry: &Entry) -> Option<PageEvent> {
    let link = link_of(&entry.links);
    let title =
        entry.title.as_ref().map(|title| words::plain_text(&title.content).replace('\n', " "));
    let title = title.filter(|title| !title.is_empty());
    let id = link.as_deref().map_or_else(|| words::line(&entry.id), incident_id);
    let title = title.unwrap_or_else(|| id.clone());
    let content = entry.content.as_ref().and_then(|content| content.body.clone());
    let summary = entry.summary.as_ref().map(|summary| summary.content.clone());
    let markup: String =
        [&content, &summary].into_iter().flatten().cloned().collect::<Vec<_>>().join("\n");
    let phase = phase_in(&markup).or_else(|| phase_before(&title)).unwrap_or(Phase::Unknown);
    let updated_at = entry.updated.or(entry.published).and_then(to_timestamp);
    let (components, impact) = affected(&markup);
    let text = words::plain_text(&content.or(summary).unwrap_or_default());
    (!id.is_empty()).then_some(PageEvent {
        id,
        title,
        phase,
        impact,
        started_at: entry.published.and_then(to_timestamp),
        updated_at,
        ends_at: None,
        components,
        updates: vec![PageUpdate { at: updated_at, phase, text }],
    })
}

/// The last part of an incident's address, which is its id in every product that has one.
fn incident_id(link: &str) -> String {
    match link.split_once("/incidents/") {
        Some((_, id)) => id.trim_end_matches('/').to_owned(),
        None => link.to_owned(),
    }
}

fn to_timestamp(time: chrono::DateTime<chrono::Utc>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time.timestamp_millis()).ok()
}

/// The first emphasised word that is a phase: Statuspage's `<strong>Resolved</strong>` of the
/// newest update, incident.io's `<b>Status: Investigating</b>`.
fn phase_in(markup: &str) -> Option<Phase> {
    let html = Html::parse_fragment(markup);
    markup::all(&html, "strong, b").into_iter().map(markup::text_of).find_map(|text| {
        let word = text.split_once(':').map_or(text.as_str(), |(_, word)| word);
        known_phase(word)
    })
}

/// A phase in front of a title: `[Resolved] …`, `Investigating - …`.
fn phase_before(title: &str) -> Option<Phase> {
    let (head, _) = title.trim_start_matches('[').split_once([']', ':', '-', '–', '—'])?;
    known_phase(head)
}

fn known_phase(word: &str) -> Option<Phase> {
    Some(words::phase_of(word)).filter(|phase| *phase != Phase::Unknown)
}

/// Names of the rows in `<li>Search (Degraded performance)</li>`, and the worst state among them.
fn affected(markup: &str) -> (Vec<String>, Impact) {
    let html = Html::parse_fragment(markup);
    let mut names: Vec<String> = Vec::new();
    let mut states = Vec::new();
    for item in markup::all(&html, "li").into_iter().map(markup::text_of) {
        if let Some((name, state)) = item.strip_suffix(')').and_then(|item| item.rsplit_once(" ("))
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
            states.push(words::state_of(state));
        }
    }
    (names, worst(states).map_or(Impact::Unknown, impact_of_state))
}
