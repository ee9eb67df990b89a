//! Incidents: what is going on, compared with what is known.
//!
//! Owns opening, updating, suspending, resolving and flapping. Does not decide who is told.
//! Invariant: at most one open incident per blame and cause, and none ends without evidence.

use jiff::SignedDuration;

use super::evaluate::{Memory, Owed};
use super::official::Notice;
use super::settings::{Cadence, Settings};
use super::{escalate, jobs};
use crate::model::{
    Blame, Capability, EventKind, Incident, IncidentChange, JobKind, Origin, Reason, Timestamp,
    Verdict,
};

pub mod ending;
pub mod flapping;
pub mod ongoing;

use ending::{Ending, ending};
use ongoing::{Ongoing, PLATFORM, is_official, is_same};

/// Resolved incidents are kept in memory for this long: flapping and late pages look at them.
const KEPT: SignedDuration = SignedDuration::from_hours(2);

/// What changed, and who is owed what for it.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// Incidents that opened or changed.
    pub changes: Vec<IncidentChange>,
    /// Who is owed what.
    pub owed: Vec<Owed>,
}

/// Brings the incidents in memory in line with what is going on.
pub fn reconcile(
    memory: &mut Memory,
    settings: &Settings,
    all: &[Ongoing],
    (verdict, notices): (&Verdict, &[Notice]),
    now: Timestamp,
) -> Reconciled {
    let before = memory.incidents.clone();
    let mut steps: Vec<Step> = Vec::new();
    let mut open: Vec<Incident> = before.iter().filter(|one| one.is_open()).cloned().collect();
    let mut has_grown = open.iter().any(|one| one.cause.0 == PLATFORM);
    for incident in &mut open {
        let current = all.iter().find(|one| is_same(incident.blame, &incident.cause, one));
        let event = match current {
            Some(current) if has_grown && grows(incident, current) => {
                // Another one tells of everything: this one stays the part that it is.
                incident.suspended = None;
                None
            }
            Some(current) => go_on(memory, incident, current, now),
            None => end(memory, settings, incident, now),
        };
        has_grown |= incident.cause.0 == PLATFORM;
        let event = acknowledge(incident, notices, now).or(event);
        steps.push(Step { incident: incident.clone(), event });
    }
    for current in all.iter().filter(|one| one.may_open) {
        let is_known = open.iter().any(|one| is_same(one.blame, &one.cause, current));
        if !is_known {
            let mut incident = opened(memory, current, now);
            let event = (incident.flapping).then_some(EventKind::Flapping);
            acknowledge(&mut incident, notices, now);
            open.push(incident.clone());
            steps.push(Step { incident, event });
        }
    }
    // What was resolved while nobody was to be told.
    let unsettled = before.iter().filter(|one| escalate::is_unsettled(one, &settings.channels));
    steps.extend(unsettled.map(|one| Step { incident: one.clone(), event: None }));
    tell_all(memory, settings, (&before, steps), verdict, now)
}

/// Tells what is due, and remembers what became of it.
fn tell_all(
    memory: &mut Memory,
    settings: &Settings,
    (before, steps): (&[Incident], Vec<Step>),
    verdict: &Verdict,
    now: Timestamp,
) -> Reconciled {
    let mut reconciled = Reconciled::default();
    for mut step in steps {
        let previous = before.iter().find(|one| one.id == step.incident.id);
        if settings.cadence == Cadence::Daemon {
            let at_stake = at_stake(memory, &step.incident);
            let (silences, incidents) = (&memory.silences, &memory.incidents);
            let telling =
                escalate::Telling { settings, silences, incidents, verdict, at_stake, now };
            for due in telling.due(&step.incident, step.event) {
                reconciled.owed.extend(escalate::owe(&telling, &mut step.incident, due));
            }
        }
        if previous.is_none_or(|previous| is_changed(previous, &step.incident)) {
            reconciled.changes.push(IncidentChange { incident: step.incident.clone() });
        }
        remember(memory, step.incident);
    }
    reconciled.owed = escalate::digested(settings, &reconciled.owed, now);
    let is_kept = |one: &Incident| {
        one.resolved_at.is_none_or(|at| now.duration_since(at) < KEPT)
            || escalate::is_unsettled(one, &settings.channels)
    };
    memory.incidents.retain(is_kept);
    reconciled
}

/// An incident as it is now, and what happened to it that may be told.
#[derive(Debug)]
struct Step {
    incident: Incident,
    event: Option<EventKind>,
}

fn opened(memory: &mut Memory, current: &Ongoing, now: Timestamp) -> Incident {
    let id = memory.next_incident_id.max(1);
    memory.next_incident_id = id + 1;
    let about = (current.blame, &current.cause);
    let flapping = flapping::is_one_too_many(memory, about, flapping::Next::Change, now);
    Incident {
        id,
        blame: current.blame,
        cause: current.cause.clone(),
        reason: current.reason,
        state: current.state,
        worst_state: current.state,
        capabilities: current.capabilities.clone(),
        opened_at: current.since.min(now),
        confirmed_at: now,
        resolved_at: None,
        acknowledged_at: None,
        suspended: None,
        flapping,
        subject: format!("{} (#{id})", current.subject),
        headline: current.headline.clone(),
        evidence: current.evidence.clone(),
        ack: None,
        events: Vec::new(),
    }
}

/// The failure of a host has become one of everything.
fn grows(incident: &Incident, current: &Ongoing) -> bool {
    current.cause.0 == PLATFORM && incident.cause.0 != PLATFORM
}

/// Its cause is still there.
fn go_on(
    memory: &Memory,
    incident: &mut Incident,
    current: &Ongoing,
    now: Timestamp,
) -> Option<EventKind> {
    let told_before = escalate::last_told_state(incident);
    let about = (incident.blame, &incident.cause);
    let is_one_too_many = flapping::is_one_too_many(memory, about, flapping::Next::Change, now);
    let grew = grows(incident, current);
    if grew {
        incident.cause = current.cause.clone();
    }
    incident.suspended = None;
    incident.state = current.state;
    incident.reason = current.reason;
    incident.headline.clone_from(&current.headline);
    incident.evidence.clone_from(&current.evidence);
    if current.state.severity() > incident.worst_state.severity() {
        incident.worst_state = current.state;
    }
    let touched = |one: &Capability| {
        incident.capabilities.contains(one) || current.capabilities.contains(one)
    };
    incident.capabilities = Capability::ALL.into_iter().filter(touched).collect();
    if incident.flapping {
        let is_stable = now.duration_since(current.changed_at) >= flapping::STABLE_AFTER;
        incident.flapping = !is_stable;
        return is_stable.then_some(EventKind::Reminder);
    }
    let told = told_before?;
    if !grew && current.state.severity() == told.severity() {
        return None;
    }
    if is_one_too_many && !grew {
        incident.flapping = true;
        return Some(EventKind::Flapping);
    }
    let is_worse = grew || current.state.severity() > told.severity();
    Some(if is_worse { EventKind::Worsened } else { EventKind::Eased })
}

/// Its cause is not to be seen any more.
fn end(
    memory: &Memory,
    settings: &Settings,
    incident: &mut Incident,
    now: Timestamp,
) -> Option<EventKind> {
    match ending(memory, settings, incident, now) {
        Ending::GoesOn => {
            incident.suspended = None;
            None
        }
        Ending::Suspended(reason) => {
            incident.suspended = Some(reason);
            None
        }
        Ending::Resolved(ended) => {
            incident.suspended = None;
            if incident.flapping {
                if now.duration_since(ended.confirmed_at) < flapping::STABLE_AFTER {
                    return None;
                }
                incident.flapping = false;
            } else {
                let about = (incident.blame, &incident.cause);
                if flapping::is_one_too_many(memory, about, flapping::Next::End, now) {
                    incident.flapping = true;
                    return Some(EventKind::Flapping);
                }
            }
            incident.resolved_at = Some(ended.at.max(incident.opened_at));
            if let Some(note) = new_normal(memory, settings, incident) {
                incident.headline = format!("{} {note}", incident.headline);
            }
            Some(EventKind::Resolved)
        }
    }
}

/// What is usual from now on, where an incident ends because that has changed.
fn new_normal(memory: &Memory, settings: &Settings, incident: &Incident) -> Option<String> {
    if !matches!(incident.reason, Reason::JobsLate | Reason::JobsStuck) {
        return None;
    }
    let mut kinds = incident.capabilities.iter().filter_map(|one| JobKind::of(*one));
    let ledger = &memory.jobs.ledger;
    kinds.find_map(|kind| jobs::new_normal(ledger, settings, kind, incident.opened_at))
}

/// The page admits what our probes see: once.
fn acknowledge(incident: &mut Incident, notices: &[Notice], now: Timestamp) -> Option<EventKind> {
    let may_be = incident.is_open()
        && incident.blame == Blame::Provider
        && incident.acknowledged_at.is_none()
        && incident.suspended.is_none()
        && !is_official(&incident.cause);
    if !may_be {
        return None;
    }
    let admits = |notice: &&Notice| {
        notice.names_nothing
            || notice.capabilities.iter().any(|one| incident.capabilities.contains(one))
    };
    let first = notices.iter().filter(admits).map(|notice| notice.since).min()?;
    incident.acknowledged_at = Some(first.min(now));
    (escalate::is_told(incident) && !incident.flapping).then_some(EventKind::AcknowledgedOfficially)
}

/// Whether there is anything to write: evidence and the wording alone are not worth a row.
fn is_changed(previous: &Incident, incident: &Incident) -> bool {
    let key = |one: &Incident| {
        (
            (one.cause.clone(), one.reason, one.state, one.worst_state),
            one.capabilities.clone(),
            (one.resolved_at, one.acknowledged_at, one.suspended, one.flapping),
            (one.events.len(), one.ack.is_some()),
        )
    };
    key(previous) != key(incident)
}

/// Ids of the account's own jobs that wait while this goes on, oldest first.
fn at_stake(memory: &Memory, incident: &Incident) -> Vec<String> {
    if incident.blame != Blame::Provider {
        return Vec::new();
    }
    let kinds = incident.capabilities.iter().filter_map(|one| JobKind::of(*one));
    let live = kinds
        .flat_map(|kind| memory.jobs.ledger.of(kind))
        .filter(|job| job.state.is_live() && !job.is_abandoned && job.origin == Origin::Natural);
    let mut live: Vec<_> = live.collect();
    live.sort_by_key(|job| job.created_at);
    live.into_iter().map(|job| job.id.clone()).collect()
}

fn remember(memory: &mut Memory, incident: Incident) {
    let was_open = memory.incidents.iter().any(|one| one.id == incident.id && one.is_open());
    if let Some(end) =
        incident.resolved_at.filter(|_| was_open && incident.blame == Blame::Provider)
    {
        let lasted = super::words::between(incident.opened_at, end);
        memory.past.entry(incident.cause.clone()).or_default().push(lasted);
    }
    match memory.incident_mut(incident.id) {
        Some(known) => *known = incident,
        None => memory.incidents.push(incident),
    }
}
