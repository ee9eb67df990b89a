//! Who is told what, and when (contract, section 8: routes, and the defaults without any).
//!
//! Owns which event falls due for which channel. Routes, what keeps messages back and the texts have
//! files of their own. Does not send. Invariant: what a channel was last told and what is true
//! never differ for longer than something keeps it back.

use jiff::SignedDuration;

use super::evaluate::Owed;
use super::settings::{ChannelInfo, Settings};
use crate::model::{
    Blame, EventKind, Incident, IncidentEvent, Reason, Silence, State, Timestamp, Verdict,
};

mod message;
pub mod mute;
pub mod route;

pub use message::warn;

use message::message;
use route::{Concern, concern};

/// What is merely degraded (or known from the page alone) is told when it is still open after this.
pub const DEGRADED_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// The longest gap between two reminders.
const RAREST_REMINDER: SignedDuration = SignedDuration::from_hours(24);
/// So many of the account's jobs are named.
const NAMED: usize = 5;
/// More at once on one channel are told in one message.
const DIGEST_FROM: usize = 5;

/// When the opening of an incident is told, without routes.
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

/// How long the opening waits, without routes; `None`: it is never told.
fn urgency_wait(incident: &Incident) -> Option<SignedDuration> {
    match urgency(incident) {
        Urgency::AtOnce => Some(SignedDuration::ZERO),
        Urgency::After(wait) => Some(wait),
        Urgency::AtTheEnd => None,
    }
}

/// True when its opening was told.
pub fn is_told(incident: &Incident) -> bool {
    incident
        .events
        .iter()
        .any(|event| matches!(event.kind, EventKind::Opened | EventKind::Flapping))
}

/// The state that was last told of; `None` when nothing was.
pub fn last_told_state(incident: &Incident) -> Option<State> {
    incident.events.last().filter(|_| is_told(incident)).map(|event| event.state)
}

/// When the opening falls due without routes; `None` when that is never, or was told.
pub fn opens_at(incident: &Incident) -> Option<Timestamp> {
    if is_told(incident) || incident.flapping || !incident.is_open() {
        return None;
    }
    incident.confirmed_at.checked_add(urgency_wait(incident)?).ok()
}

/// True when some channel believes that a resolved incident is still open.
pub fn is_unsettled(incident: &Incident, channels: &[ChannelInfo]) -> bool {
    let believes = |channel: &ChannelInfo| {
        last_to(incident, &channel.name).is_some_and(|told| told.kind != EventKind::Resolved)
    };
    !incident.is_open() && is_told_twice(incident) && channels.iter().any(believes)
}

/// Network and monitor trouble, and our own requests, are told once.
fn is_told_twice(incident: &Incident) -> bool {
    match incident.blame {
        Blame::Provider | Blame::Account => true,
        Blame::None | Blame::Client | Blame::Network | Blame::Monitor => false,
    }
}

fn last_to<'a>(incident: &'a Incident, channel: &str) -> Option<&'a IncidentEvent> {
    incident.events.iter().rev().find(|event| event.reached(channel))
}

/// What is told depends on this besides the incident.
#[derive(Debug, Clone)]
pub struct Telling<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// What people want to hear nothing of.
    pub silences: &'a [Silence],
    /// Every incident that is remembered: what a channel was told lately is counted by them.
    pub incidents: &'a [Incident],
    /// The verdict.
    pub verdict: &'a Verdict,
    /// Ids of the account's own jobs that wait, oldest first.
    pub at_stake: Vec<String>,
    /// As of when.
    pub now: Timestamp,
}

impl Telling<'_> {
    /// The events that are due for an incident, each with the channels that it is due for. Nothing
    /// is noted yet.
    pub fn due(
        &self,
        incident: &Incident,
        happened: Option<EventKind>,
    ) -> Vec<(EventKind, Vec<String>)> {
        if !incident.capabilities.iter().any(|one| self.settings.uses.contains(one)) {
            return Vec::new();
        }
        let mut due: Vec<(EventKind, Vec<String>)> = Vec::new();
        if self.settings.channels.is_empty() {
            // Nobody listens, but what would be told is history.
            let nobody =
                ChannelInfo { name: String::new(), kind: crate::model::ChannelKind::Slack };
            let kind = self.due_to(incident, &nobody, happened);
            return kind.map(|kind| (kind, vec![String::new()])).into_iter().collect();
        }
        for channel in &self.settings.channels {
            let Some(kind) = self.due_to(incident, channel, happened) else { continue };
            match due.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, channels)) => channels.push(channel.name.clone()),
                None => due.push((kind, vec![channel.name.clone()])),
            }
        }
        due
    }

    fn due_to(
        &self,
        incident: &Incident,
        channel: &ChannelInfo,
        happened: Option<EventKind>,
    ) -> Option<EventKind> {
        let kind = match last_to(incident, &channel.name) {
            None => self.first(incident, channel, happened),
            Some(told) => self.further(incident, channel, told, happened),
        }?;
        let is_muted = mute::is_silenced(self.settings, self.silences, incident, self.now)
            || mute::is_at_its_limit(self.incidents, &channel.name, self.now);
        (!is_muted).then_some(kind)
    }

    /// The channel knows nothing of it yet.
    fn first(
        &self,
        incident: &Incident,
        channel: &ChannelInfo,
        happened: Option<EventKind>,
    ) -> Option<EventKind> {
        if concern(self.settings, incident, channel, self.now) == Concern::None {
            return None;
        }
        if urgency(incident) == Urgency::AtTheEnd {
            return happened.filter(|kind| *kind == EventKind::Resolved);
        }
        let is_due = incident.is_open() && incident.suspended.is_none() && incident.ack.is_none();
        let kind = if incident.flapping { EventKind::Flapping } else { EventKind::Opened };
        is_due.then_some(kind)
    }

    /// The channel was told before.
    fn further(
        &self,
        incident: &Incident,
        channel: &ChannelInfo,
        told: &IncidentEvent,
        happened: Option<EventKind>,
    ) -> Option<EventKind> {
        if !is_told_twice(incident) || told.kind == EventKind::Resolved {
            return None;
        }
        if !incident.is_open() {
            return Some(EventKind::Resolved);
        }
        if let Some(kind) = happened {
            return Some(kind);
        }
        if incident.flapping {
            return None;
        }
        if told.state.severity() != incident.state.severity() {
            return Some(EventKind::SuppressionEnded);
        }
        self.is_to_be_reminded(incident, channel, told).then_some(EventKind::Reminder)
    }

    fn is_to_be_reminded(
        &self,
        incident: &Incident,
        channel: &ChannelInfo,
        told: &IncidentEvent,
    ) -> bool {
        let Concern::ToldOf { remind_every: Some(gap) } =
            concern(self.settings, incident, channel, self.now)
        else {
            return false;
        };
        let reminded = incident
            .events
            .iter()
            .filter(|event| event.kind == EventKind::Reminder && event.reached(&channel.name))
            .count();
        let gap = SignedDuration::try_from(gap).unwrap_or(RAREST_REMINDER);
        let doublings = 1_i32 << reminded.min(8);
        let gap =
            gap.checked_mul(doublings).unwrap_or(RAREST_REMINDER).min(RAREST_REMINDER.max(gap));
        incident.ack.is_none() && self.now.duration_since(told.at) >= gap
    }
}

/// Notes an event on the incident and answers a message for every channel concerned.
pub fn owe(
    telling: &Telling<'_>,
    incident: &mut Incident,
    (kind, channels): (EventKind, Vec<String>),
) -> Vec<Owed> {
    note(incident, kind, channels.clone(), telling.now);
    let mut message = message(telling.settings, incident, kind, telling.verdict, telling.now);
    if kind != EventKind::Resolved {
        message.notes.extend(of_jobs(&telling.at_stake));
    }
    let is_real = |channel: &String| !channel.is_empty();
    channels
        .into_iter()
        .filter(is_real)
        .map(|channel| Owed { channel, message: message.clone() })
        .collect()
}

/// `Your jobs that wait: v_1, v_2 and 7 more.`
fn of_jobs(ids: &[String]) -> Option<String> {
    let named: Vec<&str> = ids.iter().take(NAMED).map(String::as_str).collect();
    let more = match ids.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    (!named.is_empty()).then(|| format!("Your jobs that wait: {}{more}.", named.join(", ")))
}

fn note(incident: &mut Incident, kind: EventKind, channels: Vec<String>, now: Timestamp) {
    let last_seq = incident.events.last().map_or(0, |event| event.seq);
    let state = incident.state;
    incident.events.push(IncidentEvent { seq: last_seq + 1, kind, at: now, state, channels });
}

/// More than a few messages for one channel at once become one that names them all: what was held
/// back is never dropped, and never a storm.
pub fn digested(settings: &Settings, owed: &[Owed], now: Timestamp) -> Vec<Owed> {
    let count = |channel: &str| owed.iter().filter(|one| one.channel == channel).count();
    let (full, single): (Vec<Owed>, Vec<Owed>) =
        owed.iter().cloned().partition(|one| count(&one.channel) > DIGEST_FROM);
    let mut all = single;
    for channel in &settings.channels {
        let of_channel: Vec<&Owed> =
            full.iter().filter(|one| one.channel == channel.name).collect();
        if of_channel.is_empty() {
            continue;
        }
        let said: Vec<&str> = of_channel.iter().map(|one| one.message.headline.as_str()).collect();
        let text = format!("{} messages in one: {}", said.len(), said.join(" · "));
        let digest = warn(settings, &text, now);
        all.extend(digest.into_iter().filter(|one| one.channel == channel.name));
    }
    all
}
