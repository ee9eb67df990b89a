//! What a message says when it comes to be owed.
//!
//! Owns the snapshot. Does not decide that it is owed. Invariant: self-contained, so that it can be
//! sent hours later and still say what was true.

use crate::engine::evaluate::Owed;
use crate::engine::incident::ongoing::is_official;
use crate::engine::jobs::NEW_NORMAL;
use crate::engine::settings::Settings;
use crate::engine::words;
use crate::model::{
    Blame, CapabilityVerdict, EventKind, Incident, Message, MessageIncident, Reason, Timestamp,
    Verdict,
};

/// The message about an incident.
pub(super) fn message(
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
            cause: incident.cause.clone(),
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
    if let Some((_, now_usual)) = incident.headline.split_once(NEW_NORMAL)
        && incident.resolved_at.is_some()
    {
        notes.push(format!("{NEW_NORMAL}{now_usual}"));
    }
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
