//! `/incidents` and `/incidents/{id}`: what happened, what it rested on, who was told.
//!
//! Invariant: a page of the list reads a page of rows; names of channels and of people are for
//! trusted readers alone.

use askama::Template;

use super::super::problem::{Problem, unreadable};
use super::super::segment::Segment;
use super::frame::Frame;
use super::parts::{Mark, Moment};
use super::probe::{Proof, proofs};
use super::{Answer, Before, Visit, outside, rendered};
use crate::engine::words;
use crate::model::{
    Blame, EventKind, Incident, IncidentId, State as Condition, SuspendReason, Timestamp,
};
use crate::store::Trace;

/// Incidents on one page of the list.
const PAGE: usize = 25;

/// What happened to one incident, at most; reminders of a long one are many.
const TIMELINE: usize = 40;

/// Messages of one incident that are shown, the last ones, each with its last attempts.
const DELIVERIES: usize = 25;
const ATTEMPTS: usize = 2;

#[derive(Template)]
#[template(path = "incidents.html")]
struct List {
    frame: Frame,
    rows: Vec<Line>,
    /// The number before which the next page begins.
    older: Option<IncidentId>,
    is_first: bool,
}

/// One incident in the list.
pub(super) struct Line {
    pub(super) id: IncidentId,
    pub(super) headline: String,
    pub(super) mark: Mark,
    pub(super) side: &'static str,
    pub(super) touches: String,
    pub(super) since: Moment,
    pub(super) lasted: String,
    pub(super) is_open: bool,
}

/// One thing that happened.
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) moment: Moment,
    pub(super) text: String,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct One {
    frame: Frame,
    line: Line,
    reason: &'static str,
    until: Option<Moment>,
    remark: Option<&'static str>,
    official: String,
    timeline: Vec<Entry>,
    evidence: Vec<Proof>,
    deliveries: Vec<DeliveryRow>,
    /// There are messages before those.
    has_earlier: bool,
}

struct DeliveryRow {
    channel: String,
    event: &'static str,
    state: &'static str,
    created: Moment,
    /// How many attempts are not shown.
    earlier: usize,
    attempts: Vec<(Moment, String)>,
}

pub(super) async fn list(visit: Visit, Before(before): Before<IncidentId>) -> Answer {
    let found = visit.state.store.incidents(Timestamp::MIN, before, PAGE + 1).await;
    let mut found = found.map_err(|error| unreadable(&error))?;
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let page = List {
        frame: Frame::of(&visit, "incidents"),
        older: found.last().filter(|_| has_more).map(|incident| incident.id),
        is_first: before.is_none(),
        rows: found
            .into_iter()
            .map(|incident| line(&visit, &visit.reader.incident(incident)))
            .collect(),
    };
    rendered(&page)
}

pub(super) async fn one(visit: Visit, Segment(id): Segment) -> Answer {
    let missing = || Problem::not_found("there is no such incident");
    let id = id.parse().map_err(|_| missing())?;
    let found = visit.state.store.incident(id).await.map_err(|error| unreadable(&error))?;
    let incident = visit.reader.incident(found.ok_or_else(missing)?);
    let traces = if visit.is_trusted() {
        visit.state.store.trace(id, DELIVERIES + 1).await.unwrap_or_default()
    } else {
        Vec::new()
    };
    let last = traces.len().saturating_sub(DELIVERIES);
    let page = One {
        frame: Frame::of(&visit, &format!("incident #{id}")),
        line: line(&visit, &incident),
        reason: incident.reason.as_str(),
        until: incident.resolved_at.map(|end| visit.moment(end)),
        remark: remark(&incident),
        official: official(&incident),
        timeline: shortened(timeline(&visit, &incident), TIMELINE),
        evidence: proofs(&visit, &incident.evidence),
        deliveries: traces.iter().skip(last).map(|one| delivery(&visit, one)).collect(),
        has_earlier: last > 0,
    };
    rendered(&page)
}

pub(super) fn line(visit: &Visit, incident: &Incident) -> Line {
    let until = incident.resolved_at.unwrap_or(visit.now);
    let mark = if incident.is_open() {
        Mark::of(incident.state, incident.blame)
    } else {
        Mark::of(incident.worst_state, incident.blame)
    };
    Line {
        id: incident.id,
        headline: outside(&incident.headline),
        mark,
        side: words::side(incident.blame),
        touches: words::capabilities(&incident.capabilities),
        since: visit.moment(incident.opened_at),
        lasted: words::duration(words::between(incident.opened_at, until)),
        is_open: incident.is_open(),
    }
}

/// What should be known of an open incident before it is believed.
pub(super) fn remark(incident: &Incident) -> Option<&'static str> {
    match incident.suspended {
        Some(SuspendReason::Offline) => {
            Some("nothing is known of it for the moment: we are offline")
        }
        Some(SuspendReason::NoData) => Some("nothing is known of it for the moment: no check ran"),
        Some(SuspendReason::SourceUnreadable) => {
            Some("nothing is known of it for the moment: the status page cannot be read")
        }
        None => incident.flapping.then_some("it goes up and down"),
    }
}

fn official(incident: &Incident) -> String {
    if incident.blame != Blame::Provider {
        return String::new();
    }
    match incident.acknowledged_at {
        Some(at) if at > incident.opened_at => {
            let lead = words::duration(words::between(incident.opened_at, at));
            format!("Known here {lead} before HeyGen's page.")
        }
        Some(_) => "HeyGen's page knew it first.".to_owned(),
        None if incident.is_open() => "HeyGen's page does not admit it yet.".to_owned(),
        None => "No matching notice was found on HeyGen's page.".to_owned(),
    }
}

/// What happened, newest first.
pub(super) fn timeline(visit: &Visit, incident: &Incident) -> Vec<Entry> {
    let entry = |at, text: String| Entry { at, moment: visit.moment(at), text };
    let word = |state| words::state(state, incident.blame);
    let side = words::side(incident.blame);
    let first = incident.events.first().map_or(incident.worst_state, |event| event.state);
    let mut entries = vec![
        entry(incident.opened_at, "First sign of trouble; it is dated back to here.".to_owned()),
        entry(incident.confirmed_at, format!("Confirmed: {}, {side}.", word(first))),
    ];
    for event in &incident.events {
        let text = match event.kind {
            EventKind::Worsened => format!("Got worse: {}.", word(event.state)),
            EventKind::Eased => format!("Got better: {}.", word(event.state)),
            EventKind::Flapping => "It goes up and down; quiet until it is stable.".to_owned(),
            EventKind::Reminder => "Still open; people were reminded.".to_owned(),
            EventKind::SuppressionEnded => "What kept the messages back has ended.".to_owned(),
            EventKind::Opened
            | EventKind::AcknowledgedOfficially
            | EventKind::Resolved
            | EventKind::ChannelBroken
            | EventKind::Warning
            | EventKind::Drill => continue,
        };
        entries.push(entry(event.at, text));
    }
    if let Some(at) = incident.acknowledged_at {
        entries.push(entry(at, "HeyGen's page admitted it.".to_owned()));
    }
    if let Some(ack) = incident.ack.as_ref().filter(|_| visit.is_trusted()) {
        let text = format!("Taken on by {}. {}", outside(&ack.author), outside(&ack.comment));
        entries.push(entry(ack.at, text.trim_end().to_owned()));
    }
    if let Some(at) = incident.resolved_at {
        let lasted = words::duration(words::between(incident.opened_at, at));
        let word = words::state(Condition::Operational, Blame::None);
        entries.push(entry(at, format!("Resolved: {word} again after {lasted}.")));
    }
    entries.sort_by_key(|entry| entry.at);
    entries.reverse();
    entries
}

/// At most `limit` lines: the last ones, and how it began.
pub(super) fn shortened(mut entries: Vec<Entry>, limit: usize) -> Vec<Entry> {
    let left_out = entries.len().saturating_sub(limit);
    if left_out > 0 {
        let (first, end) = (limit.saturating_sub(3), entries.len().saturating_sub(2));
        let mut more = entries.splice(first..end, []);
        if let Some(newest) = more.next() {
            let text = format!("… {} more until here.", left_out + 1);
            drop(more);
            entries.insert(first, Entry { text, ..newest });
        }
    }
    entries
}

fn delivery(visit: &Visit, trace: &Trace) -> DeliveryRow {
    let delivery = &trace.delivery;
    let earlier = trace.attempts.len().saturating_sub(ATTEMPTS);
    let attempts = trace.attempts.iter().skip(earlier).map(|attempt| {
        let text = format!("{} {}", attempt.result, outside(&attempt.detail));
        (visit.moment(attempt.at), text.trim_end().to_owned())
    });
    DeliveryRow {
        channel: outside(&delivery.channel),
        event: words::event(delivery.message.event),
        state: delivery.state.as_str(),
        created: visit.moment(delivery.created_at),
        earlier,
        attempts: attempts.collect(),
    }
}
