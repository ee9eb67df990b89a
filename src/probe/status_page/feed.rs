//! Atom and RSS: of incident.io, of Statuspage, or of anybody.
//!
//! Invariant: a feed never says that something works now. It yields open incidents, no components,
//! and no state but what an open incident says; an entry that does not say whether it is over is
//! no incident.

use std::collections::BTreeMap;

use feed_rs::model::{Entry, Feed, Link};
use jiff::Timestamp;
use scraper::Html;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, event as blank};
use super::json::MOST_ROWS;
use super::{markup, words};
use crate::engine::page::{impact_of_state, worst};
use crate::model::{Impact, PageEvent, PageUpdate, Phase, Product};

/// What every feed lacks.
pub(super) const NO_COMPONENTS: &str = "a feed lists no components and never says that all is well";
/// Media groups of a feed: the parser calls itself for each that stands in another one, and its
/// stack is not endless. Status pages have none.
const MOST_MEDIA_GROUPS: usize = 100;

/// The feeds in the order in which they say most.
pub(super) const FORMS: [Form; 4] = [
    Form::feed("history.atom", &["history.atom"], read),
    Form::feed("feed.atom", &["feed.atom"], read),
    Form::feed("history.rss", &["history.rss"], read),
    Form::feed("feed.rss", &["feed.rss"], read),
];

/// Reads a feed; the product is the one that wrote it.
pub(super) fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let feed = parse(documents)?;
    let mut warnings = Warnings::of(NO_COMPONENTS);
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
        warnings.say(format!("{unclear} entries do not say whether they are over"));
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
    let text = documents.text();
    let groups = ["<group", ":group"].map(|tag| text.matches(tag).count());
    if groups.iter().sum::<usize>() > MOST_MEDIA_GROUPS {
        return Err("is a feed of media".into());
    }
    let feed = feed_rs::parser::parse(documents.main());
    let mut feed = feed.map_err(|error| format!("is no feed: {error}"))?;
    feed.entries.truncate(MOST_ROWS);
    Ok(feed)
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
    let content = entry.content.as_ref().and_then(|content| content.body.as_deref());
    let summary = entry.summary.as_ref().map(|summary| summary.content.as_str());
    let whole = [content, summary].into_iter().flatten().collect::<Vec<_>>().join("\n");
    let whole = markup::fragment(&whole).ok();
    let phase = whole.as_ref().and_then(phase_in).or_else(|| phase_before(&title));
    let phase = phase.unwrap_or(Phase::Unknown);
    let updated_at = entry.updated.or(entry.published).and_then(to_timestamp);
    let (components, impact) = whole.as_ref().map_or((Vec::new(), Impact::Unknown), affected);
    let text = words::plain_text(content.or(summary).unwrap_or_default());
    (!id.is_empty()).then(|| PageEvent {
        phase,
        impact,
        started_at: entry.published.and_then(to_timestamp),
        updated_at,
        components,
        updates: vec![PageUpdate { at: updated_at, phase, text }],
        ..blank(id, title)
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
fn phase_in(html: &Html) -> Option<Phase> {
    markup::all(html, "strong, b").into_iter().map(markup::text_of).find_map(|text| {
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
fn affected(html: &Html) -> (Vec<String>, Impact) {
    let mut names: Vec<String> = Vec::new();
    let mut states = Vec::new();
    let items = markup::all(html, "li").into_iter().take(MOST_ROWS);
    for item in items.map(markup::text_of) {
        if let Some((name, state)) = item.strip_suffix(')').and_then(|item| item.rsplit_once(" ("))
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
            states.push(words::state_of(state));
        }
    }
    (names, worst(states).map_or(Impact::Unknown, impact_of_state))
}
