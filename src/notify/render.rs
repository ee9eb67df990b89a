//! Messages as texts: what each channel shows of a message. Pure.
//!
//! Owns the order in which a message is read (what, whose side, since when, what to do; then the
//! evidence in HeyGen's own words; then the official page's view) and the words around it. Does
//! not own the words for states and sides (`engine::words`) nor what is true (`engine`).
//! Invariant: the same delivery, place and time always give the same text, and everything that
//! came from outside passes [`clean`] here and an encoder in the channel's own file.

use std::time::Duration;

use jiff::tz::TimeZone;
use url::Url;

use crate::engine::words;
use crate::model::text::clean;
use crate::model::{
    Delivery, EventKind, EvidenceItem, Merged, Message, MessageIncident, OfficialView, State,
    Timestamp,
};

pub(crate) mod blocks;
pub(crate) mod brief;
pub(crate) mod mail;

/// A message that comes later than this after its event says so.
const LATE: Duration = Duration::from_mins(2);

/// Evidence beyond this is counted, not shown: a message is read on a telephone.
const EVIDENCE_SHOWN: usize = 4;

/// Notes beyond this are left out.
const NOTES_SHOWN: usize = 4;

/// Where and when a message is rendered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// Zone in which people read times.
    pub(super) zone: &'a TimeZone,
    /// Address of our own pages; no links to them without it.
    pub(super) public_url: Option<&'a Url>,
    /// The time.
    pub(super) now: Timestamp,
}

/// What a message says, before any channel's own form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    /// What the sign in front of the news shows; never the only carrier of the state.
    pub(super) tone: Tone,
    /// Subject of the thread, the same for every message of an incident.
    pub(super) subject: String,
    /// The news in one sentence, the state first: what a lock screen shows.
    pub(super) news: String,
    /// Whose side; messages about an incident alone.
    pub(super) side: Option<&'static str>,
    /// What it touches.
    pub(super) touches: Option<String>,
    /// The first bad observation.
    pub(super) since: Option<Timestamp>,
    /// The first good one.
    pub(super) until: Option<Timestamp>,
    /// What to do.
    pub(super) advice: Option<String>,
    /// What it rests on, decisive first.
    pub(super) evidence: Vec<Proof>,
    /// Pieces of evidence that are not shown.
    pub(super) evidence_left_out: usize,
    /// What the official page says.
    pub(super) official: Option<String>,
    /// Further sentences.
    pub(super) notes: Vec<String>,
    /// How late this message is, when it is.
    pub(super) delay: Option<String>,
    /// Our own page about it.
    pub(super) link: Option<Url>,
    /// Where it was seen from.
    pub(super) origin: String,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proof {
    /// When and by which probe it was seen, and what.
    pub(super) seen: String,
    /// HeyGen's own words, quoted, with what helps its support.
    pub(super) quote: Option<String>,
    /// HeyGen's documentation of it: `https` and HeyGen's own host alone.
    pub(super) doc_url: Option<Url>,
}

/// What the sign in front of the news shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Bad,
    Degraded,
    Good,
    Unclear,
    Drill,
    Warning,
}

impl Tone {
    /// How urgent it is, in the words that Alertmanager's users and PagerDuty share.
    pub(super) fn severity(self) -> &'static str {
        match self {
            Self::Bad => "critical",
            Self::Degraded | Self::Warning => "warning",
            Self::Good | Self::Unclear | Self::Drill => "info",
        }
    }
}

/// Composes what a delivery says.
pub(super) fn compose(delivery: &Delivery, place: Place<'_>) -> Text {
    let message = &delivery.message;
    let incident = message.incident.as_ref();
    Text {
        tone: tone(message),
        subject: subject(message),
        news: news(delivery, place),
        side: incident.map(|incident| words::side(incident.blame)),
        touches: incident.and_then(touches),
        since: incident.map(|incident| incident.opened_at),
        until: incident.and_then(|incident| incident.resolved_at),
        advice: advice(message),
        evidence: message
            .evidence
            .iter()
            .take(EVIDENCE_SHOWN)
            .map(|item| proof(item, place))
            .collect(),
        evidence_left_out: message.evidence.len().saturating_sub(EVIDENCE_SHOWN),
        official: message.official.as_ref().map(|view| official(view, incident)),
        notes: notes(message),
        delay: delay(delivery, place),
        link: incident.and_then(|incident| link(incident, place)),
        origin: origin(message),
    }
}

/// `09:00 (08:00 UTC)`, or `09:00 UTC` where the two are the same.
pub(super) fn moment(at: Timestamp, place: Place<'_>) -> String {
    let utc = words::time(at, &TimeZone::UTC, place.now);
    if place.zone.to_offset(at).is_zero() {
        return format!("{utc} UTC");
    }
    format!("{} ({utc} UTC)", words::time(at, place.zone, place.now))
}

/// The time from `begin` to `end`, in words.
pub(super) fn span(begin: Timestamp, end: Timestamp) -> String {
    words::duration(words::between(begin, end))
}

fn subject(message: &Message) -> String {
    let fixed = message.incident.as_ref().map(|incident| incident.subject.as_str());
    let subject = fixed.unwrap_or(match message.event {
        EventKind::Drill => "DRILL from the HeyGen monitor: nothing is wrong",
        EventKind::ChannelBroken => "HeyGen monitor: a channel no longer takes messages",
        _ => "HeyGen monitor: warning",
    });
    clean(subject, 150)
}

fn news(delivery: &Delivery, place: Place<'_>) -> String {
    let message = &delivery.message;
    let headline = clean(&message.headline, 600);
    let first = told_at_once(delivery, place).unwrap_or_else(|| first_words(message));
    let first_word = first.split_whitespace().next().unwrap_or_default();
    if headline.to_lowercase().starts_with(&first_word.to_lowercase()) {
        return headline;
    }
    format!("{first} – {headline}")
}

/// The whole story of an incident whose beginning the channel was never told.
fn told_at_once(delivery: &Delivery, place: Place<'_>) -> Option<String> {
    let merged = delivery.merged.as_ref().filter(|merged| merged.has_opening())?;
    let incident = delivery.message.incident.as_ref()?;
    let end = incident.resolved_at?;
    let state = match incident.state {
        State::Outage | State::Degraded => words::state(incident.state, incident.blame),
        State::Operational | State::Maintenance | State::Unknown => "in trouble",
    };
    let at = |instant| words::time(instant, place.zone, place.now);
    let (from, to, took) = (at(incident.opened_at), at(end), span(incident.opened_at, end));
    let why = because(merged);
    Some(format!("Over: was {state} from {from} to {to}, {took} (told late{why})"))
}

fn because(merged: &Merged) -> &'static str {
    if merged.attempts > 0 { " because this channel failed" } else { "" }
}

/// The news in a few words, the state first.
fn first_words(message: &Message) -> String {
    let Some(incident) = &message.incident else {
        return match message.event {
            EventKind::Drill => "DRILL, nothing is wrong".to_owned(),
            EventKind::ChannelBroken => "Channel broken".to_owned(),
            _ => "Warning".to_owned(),
        };
    };
    let state = words::state(incident.state, incident.blame);
    let open_for = span(incident.opened_at, message.at);
    match message.event {
        EventKind::Opened => capitalised(state),
        EventKind::AcknowledgedOfficially => "HeyGen's page admits it now".to_owned(),
        EventKind::Worsened => format!("Worse, now {state}"),
        EventKind::Eased => format!("Better, now {state}"),
        EventKind::Reminder => format!("Still {state} after {open_for}"),
        EventKind::Flapping => "Flapping, up and down".to_owned(),
        EventKind::Resolved => resolved_after(incident),
        EventKind::SuppressionEnded if incident.resolved_at.is_some() => resolved_after(incident),
        EventKind::SuppressionEnded => format!("Silence over, {state} for {open_for}"),
        EventKind::ChannelBroken => "Channel broken".to_owned(),
        EventKind::Warning => "Warning".to_owned(),
        EventKind::Drill => "DRILL, nothing is wrong".to_owned(),
    }
}

fn resolved_after(incident: &MessageIncident) -> String {
    match incident.resolved_at {
        Some(end) => format!("Resolved after {}", span(incident.opened_at, end)),
        None => "Resolved".to_owned(),
    }
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What the sign in front of the news shows.
pub(super) fn tone(message: &Message) -> Tone {
    match (message.event, &message.incident) {
        (EventKind::Drill, _) => Tone::Drill,
        (EventKind::Resolved, _) => Tone::Good,
        (EventKind::Flapping, _) => Tone::Degraded,
        (EventKind::Warning | EventKind::ChannelBroken, _) | (_, None) => Tone::Warning,
        (_, Some(incident)) if incident.resolved_at.is_some() => Tone::Good,
        (_, Some(incident)) => match incident.state {
            State::Outage => Tone::Bad,
            State::Degraded => Tone::Degraded,
            State::Operational => Tone::Good,
            State::Maintenance | State::Unknown => Tone::Unclear,
        },
    }
}

fn touches(incident: &MessageIncident) -> Option<String> {
    let names = words::capabilities(&incident.capabilities);
    (!names.is_empty()).then_some(names)
}

fn advice(message: &Message) -> Option<String> {
    let text = clean(&message.advice.as_ref()?.text, 1_200);
    (!text.is_empty()).then_some(text)
}

fn notes(message: &Message) -> Vec<String> {
    let clean = message.notes.iter().map(|note| clean(note, 300));
    clean.filter(|note| !note.is_empty()).take(NOTES_SHOWN).collect()
}

fn proof(item: &EvidenceItem, place: Place<'_>) -> Proof {
    let text = if item.text.trim().is_empty() { &item.detail.text } else { &item.text };
    let text = if text.trim().is_empty() { item.outcome.as_str() } else { text };
    Proof {
        seen: format!(
            "{} {}: {}",
            words::time(item.at, place.zone, place.now),
            clean(&item.probe, 60),
            clean(text, 300)
        ),
        quote: quote(item),
        doc_url: item.detail.doc_url.as_deref().and_then(heygens_own),
    }
}

fn quote(item: &EvidenceItem) -> Option<String> {
    let detail = &item.detail;
    let fact = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("{name} {}", clean(value, 80)))
    };
    let facts: Vec<String> = [
        fact("code", &detail.code),
        fact("parameter", &detail.param),
        detail
            .retry_after_secs
            .map(|secs| format!("asks to wait {}", words::duration(Duration::from_secs(secs)))),
        fact("job", &detail.job_id),
        fact("request", &detail.request_id),
    ]
    .into_iter()
    .flatten()
    .collect();
    let facts = (!facts.is_empty()).then(|| facts.join(", "));
    let message = detail.message.as_ref().map(|message| clean(message, 400));
    match (message.filter(|message| !message.is_empty()), facts) {
        (Some(message), Some(facts)) => {
            Some(format!("HeyGen says: \u{201c}{message}\u{201d} ({facts})"))
        }
        (Some(message), None) => Some(format!("HeyGen says: \u{201c}{message}\u{201d}")),
        (None, facts) => facts,
    }
}

/// The address, when it is `https` and HeyGen's own: a link in a message is a promise.
fn heygens_own(address: &str) -> Option<Url> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https")?;
    let host = url.host_str()?;
    let is_own = host == "heygen.com" || host.ends_with(".heygen.com");
    let is_plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    (is_own && is_plain && url.as_str().len() <= 300).then_some(url)
}

fn official(view: &OfficialView, incident: Option<&MessageIncident>) -> String {
    let says = words::component_state(view.state);
    let lead = view.lead_seconds.unwrap_or_default();
    let ahead = words::duration(Duration::from_secs(lead.unsigned_abs()));
    let is_over = incident.is_some_and(|incident| incident.resolved_at.is_some());
    let text = match (view.acknowledged, is_over, lead) {
        (true, false, 1..) => {
            format!("HeyGen's page admits it ({says}); known here {ahead} before")
        }
        (true, false, ..0) => format!("HeyGen's page admits it ({says}); it was first, by {ahead}"),
        (true, false, 0) => format!("HeyGen's page admits it ({says})"),
        (true, true, 1..) => format!("Known here {ahead} before HeyGen's page"),
        (true, true, ..=0) => "HeyGen's page admitted it".to_owned(),
        (false, false, 1..) => format!("HeyGen's page does not admit it ({says}), {ahead} so far"),
        (false, true, 1..) => "No matching notice found on HeyGen's page".to_owned(),
        (false, _, ..=0) => format!("HeyGen's page says: {says}"),
    };
    let notice = view.notice.as_ref().map(|notice| clean(notice, 250));
    match notice.filter(|notice| !notice.is_empty()) {
        Some(notice) => format!("{text}: {notice}"),
        None => text,
    }
}

/// How late a delivery is, when it is or stands for others: by the oldest news it tells.
pub(super) fn sent_late(delivery: &Delivery, now: Timestamp) -> Option<Duration> {
    let since = delivery.merged.as_ref().map_or(delivery.message.at, |merged| merged.since);
    Some(words::between(since, now)).filter(|late| *late > LATE || delivery.merged.is_some())
}

fn delay(delivery: &Delivery, place: Place<'_>) -> Option<String> {
    let is_worth_saying =
        |merged: &&Merged| merged.has_opening() || words::between(merged.since, place.now) > LATE;
    if let Some(merged) = delivery.merged.as_ref().filter(is_worth_saying) {
        let events = counted(&merged.events);
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        return Some(format!(
            "This message is late: what was due since {} could be sent only {} later{}. It stands \
             also for what was not delivered before: {}.",
            moment(merged.since, place),
            span(merged.since, place.now),
            because(merged),
            words::listed(&events)
        ));
    }
    let at = delivery.message.at;
    let late = words::between(at, place.now);
    (late > LATE).then(|| {
        format!(
            "This message is late: it was due {} and could be sent only {} later; read it as of then.",
            moment(at, place),
            words::duration(late)
        )
    })
}

/// `opened`, `reminder (4 times)`: each kind once, in the order of its first.
fn counted(events: &[EventKind]) -> Vec<String> {
    let mut counts: Vec<(EventKind, usize)> = Vec::new();
    for event in events {
        match counts.iter_mut().find(|(known, _)| known == event) {
            Some((_, count)) => *count += 1,
            None => counts.push((*event, 1)),
        }
    }
    let words = counts.into_iter().map(|(event, count)| {
        let word = event.as_str().replace('_', " ");
        if count == 1 { word } else { format!("{word} ({count} times)") }
    });
    words.collect()
}

fn link(incident: &MessageIncident, place: Place<'_>) -> Option<Url> {
    let mut url = place.public_url?.clone();
    url.path_segments_mut().ok()?.pop_if_empty().push("incidents").push(&incident.id.to_string());
    Some(url)
}

fn origin(message: &Message) -> String {
    let mut text = format!("Checked from {}", clean(&message.vantage, 60));
    let account = clean(&message.account, 60);
    if !account.is_empty() {
        text = format!("{text}, account {account}");
    }
    match &message.incident {
        Some(incident) => {
            format!("{text}. Message {} about incident #{}.", message.seq, incident.id)
        }
        None => format!("{text}."),
    }
}
