//! Who is told what, and when (contract, section 8: the defaults without routes).
//!
//! Owns when an event falls due and which channels it is owed to. Does not send. Invariant: a
//! `resolved` is owed only where the opening was told, and every message is self-contained.

use jiff::SignedDuration;

use super::evaluate::Owed;
use super::incident::ongoing::is_official;
use super::settings::{ChannelInfo, Settings};
use super::words;
use crate::model::{
    Blame, CapabilityVerdict, ChannelKind, EventKind, Incident, IncidentEvent, Message,
    MessageIncident, Reason, State, Timestamp, Verdict,
};

/// What is merely degraded (or known from the page alone) is told when it is still open after this.
pub const DEGRADED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// When the opening of an incident is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Urgency {
    /// As soon as it is confirmed.
    AtOnce,
    /// When it is still open after this long.
    After(SignedDuration),
    /// Not before its end.
    AtTheEnd,
}

fn urgency(incident: &Incident) -> Urgency {
    match (incident.reason, incident.blame, incident.worst_state) {
        (Reason::MonitorOffline, _, _) => Urgency::AtTheEnd,
        // Opened only once half of ten minutes were limited, or ten minutes unknown.
        (Reason::ProviderThrottling, _, _)
        | (_, Blame::Network | Blame::Monitor | Blame::Account, _)
        | (_, Blame::Provider, State::Outage) => Urgency::AtOnce,
        (_, Blame::Provider | Blame::Client | Blame::None, _) => Urgency::After(DEGRADED_AFTER),
    }
}

/// True when its opening was told.
pub fn is_told(incident: &Incident) -> bool {
    incident
        .events
        .iter()
        .any(|event| matches!(event.kind, EventKind::Opened | EventKind::Flapping))
}

/// The state that channels were last told; `None` when they were told nothing.
pub fn last_told_state(incident: &Incident) -> Option<State> {
    if !is_told(incident) {
        return None;
    }
    let has_worsened = incident.events.iter().any(|event| event.kind == EventKind::Worsened);
    let last = incident.events.iter().rev().find_map(|event| match event.kind {
        // An outage that was opened as one never worsened.
        EventKind::Opened if has_worsened => Some(State::Degraded),
        EventKind::Eased => Some(State::Degraded),
        EventKind::Opened | EventKind::Worsened | EventKind::Reminder => Some(incident.worst_state),
        _ => None,
    });
    Some(last.unwrap_or(incident.worst_state))
}

/// The event that is due now, given what happened to the incident in this step.
pub fn due(
    settings: &Settings,
    incident: &Incident,
    happened: Option<EventKind>,
    now: Timestamp,
) -> Option<EventKind> {
    if !incident.capabilities.iter().any(|one| settings.uses.contains(one)) {
        return None;
    }
    let urgency = urgency(incident);
    match happened {
        Some(EventKind::Resolved) if urgency == Urgency::AtTheEnd => Some(EventKind::Resolved),
        Some(EventKind::Resolved) => {
            let is_told_of_the_end = is_told(incident) && is_told_twice(incident);
            is_told_of_the_end.then_some(EventKind::Resolved)
        }
        Some(EventKind::Flapping) => Some(EventKind::Flapping),
        Some(kind) if is_told(incident) && is_told_twice(incident) => Some(kind),
        Some(_) | None if is_told(incident) || incident.flapping => None,
        Some(_) | None => {
            let opens_at = opens_at(incident)?;
            let is_due = incident.is_open() && incident.suspended.is_none() && now >= opens_at;
            is_due.then_some(EventKind::Opened)
        }
    }
}

/// When the opening falls due; `None` when that is never, or was told.
pub fn opens_at(incident: &Incident) -> Option<Timestamp> {
    if is_told(incident) || incident.flapping || !incident.is_open() {
        return None;
    }
    match urgency(incident) {
        Urgency::AtOnce => Some(incident.confirmed_at),
        Urgency::After(wait) => incident.confirmed_at.checked_add(wait).ok(),
        Urgency::AtTheEnd => None,
    }
}

/// Network and monitor trouble, and our own requests, are told once.
fn is_told_twice(incident: &Incident) -> bool {
    match incident.blame {
        Blame::Provider | Blame::Account => true,
        Blame::None | Blame::Client | Blame::Network | Blame::Monitor => false,
    }
}

/// The channels that an incident concerns.
fn channels<'a>(
    settings: &'a Settings,
    incident: &'a Incident,
) -> impl Iterator<Item = &'a ChannelInfo> {
    settings.channels.iter().filter(|channel| {
        !is_official(&incident.cause)
            || matches!(channel.kind, ChannelKind::Slack | ChannelKind::Webhook)
    })
}

/// Notes the event on the incident and answers a message for every channel concerned.
pub fn owe(
    settings: &Settings,
    incident: &mut Incident,
    kind: EventKind,
    verdict: &Verdict,
    now: Timestamp,
) -> Vec<Owed> {
    let last_seq = incident.events.last().map_or(0, |event| event.seq);
    let event = IncidentEvent { seq: last_seq + 1, kind, at: now };
    incident.events.push(event);
    let incident = &*incident;
    let message = message(settings, incident, kind, verdict, now);
    channels(settings, incident)
        .map(|channel| Owed { channel: channel.name.clone(), message: message.clone() })
        .collect()
}

fn message(
    settings: &Settings,
    incident: &Incident,
    kind: EventKind,
    verdict: &Verdict,
    now: Timestamp,
) -> Message {
    let told_of = verdict.capabilities.iter().find(|one| {
        one.used && incident.capabilities.contains(&one.capability) && one.blame == incident.blame
    });
    let any =
        || verdict.capabilities.iter().find(|one| incident.capabilities.contains(&one.capability));
    let capability = told_of.or_else(any);
    let is_over = kind == EventKind::Resolved;
    Message {
        event: kind,
        at: now,
        seq: incident.events.last().map_or(1, |event| event.seq),
        incident: Some(MessageIncident {
            id: incident.id,
            blame: incident.blame,
            reason: incident.reason,
            state: incident.state,
            capabilities: incident.capabilities.clone(),
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            subject: incident.subject.clone(),
        }),
        headline: headline(settings, incident, kind, capability, now),
        advice: capability.filter(|_| !is_over).map(|one| one.advice.clone()),
        evidence: incident.evidence.clone(),
        official: capability.and_then(|one| one.official.clone()),
        notes: notes(settings, incident, kind, now),
        vantage: settings.vantage.clone(),
        account: settings.account.clone(),
    }
}

fn headline(
    settings: &Settings,
    incident: &Incident,
    kind: EventKind,
    capability: Option<&CapabilityVerdict>,
    now: Timestamp,
) -> String {
    let at = |instant| words::time(instant, &settings.timezone, now);
    let names = words::capabilities(&incident.capabilities);
    match kind {
        EventKind::Resolved if incident.reason == Reason::MonitorOffline => format!(
            "Nothing is known about HeyGen from {} to {}: this monitor was offline. Your network.",
            at(incident.opened_at),
            at(incident.resolved_at.unwrap_or(now)),
        ),
        EventKind::Resolved => format!(
            "HeyGen: {names} fine again since {} (trouble since {}).",
            at(incident.resolved_at.unwrap_or(now)),
            at(incident.opened_at),
        ),
        EventKind::AcknowledgedOfficially => {
            let view = capability.and_then(|one| one.official.as_ref());
            let notice = view.and_then(|view| view.notice.clone());
            let notice = notice.map_or_else(String::new, |notice| format!(": {notice}"));
            match incident.acknowledged_at {
                Some(page_at) if page_at > incident.opened_at => format!(
                    "HeyGen's page admits it now{notice}. Known {} before HeyGen's page.",
                    words::duration(words::between(incident.opened_at, page_at)),
                ),
                Some(_) | None => format!("HeyGen's page admits it now{notice}."),
            }
        }
        EventKind::Flapping => format!(
            "HeyGen: {names} goes up and down; quiet from now on until it is stable for 30 min."
        ),
        EventKind::Opened
        | EventKind::Worsened
        | EventKind::Eased
        | EventKind::Reminder
        | EventKind::SuppressionEnded
        | EventKind::ChannelBroken
        | EventKind::Warning
        | EventKind::Drill => incident.headline.clone(),
    }
}

fn notes(settings: &Settings, incident: &Incident, kind: EventKind, now: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    if kind == EventKind::Resolved
        && incident.blame == Blame::Provider
        && !is_official(&incident.cause)
    {
        notes.push(match incident.acknowledged_at {
            Some(at) if at > incident.opened_at => format!(
                "Known {} before HeyGen's page.",
                words::duration(words::between(incident.opened_at, at))
            ),
            Some(at) => format!(
                "HeyGen's page showed it since {}.",
                words::time(at, &settings.timezone, now)
            ),
            None => "HeyGen's page never showed it: no matching notice found.".to_owned(),
        });
    }
    notes
}

/// A warning about the monitor's own view, for every channel.
pub fn warn(settings: &Settings, text: &str, now: Timestamp) -> Vec<Owed> {
    let message = Message {
        event: EventKind::Warning,
        at: now,
        // Unique among messages without an incident: one warning a second is plenty.
        seq: u32::try_from(now.as_second()).unwrap_or(u32::MAX),
        incident: None,
        headline: text.to_owned(),
        advice: None,
        evidence: Vec::new(),
        official: None,
        notes: Vec::new(),
        vantage: settings.vantage.clone(),
        account: settings.account.clone(),
    };
    let told = settings.channels.iter();
    told.map(|channel| Owed { channel: channel.name.clone(), message: message.clone() }).collect()
}
