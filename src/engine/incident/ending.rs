//! Whether an incident whose cause is not to be seen any more has ended.
//!
//! Owns the difference between "it is good again" and "we do not see it". Invariant: absence of
//! data never resolves anything; every end rests on a good observation after the beginning.

use crate::engine::alert::{Ended, Line};
use crate::engine::attribute::{Held, Standing};
use crate::engine::evaluate::Memory;
use crate::engine::network::BACK_AFTER;
use crate::engine::settings::{JobsWatch, Settings, Watch};
use crate::engine::{canary, jobs};
use crate::model::{
    Blame, Capability, Incident, JobKind, Outcome, Reason, State, SuspendReason, Timestamp,
};

use super::ongoing::{PLATFORM, is_official, of_jobs};

/// Jobs that were seen within this are still looked at.
const SEEN_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// What becomes of an incident whose cause is not to be seen any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is over.
    Resolved(Ended),
    /// It can neither go on nor end for the moment.
    Suspended(SuspendReason),
    /// It goes on: not enough good evidence yet.
    GoesOn,
}

/// What becomes of an open incident that is not among what is going on.
pub fn ending(memory: &Memory, settings: &Settings, incident: &Incident, now: Timestamp) -> Ending {
    if incident.reason == Reason::MonitorOffline {
        return back_online(memory, now);
    }
    if memory.network.is_offline() {
        return Ending::Suspended(SuspendReason::Offline);
    }
    if is_official(&incident.cause) {
        return off_the_page(memory, settings, incident, now);
    }
    if let Some(capability) = of_jobs(&incident.cause) {
        return jobs_go_on(memory, settings, incident, capability, now);
    }
    match incident.blame {
        Blame::Network | Blame::Monitor => known_again(memory, incident, now),
        Blame::Provider | Blame::Account | Blame::Client | Blame::None => {
            good_again(memory, settings, incident, now)
        }
    }
}

/// Two jobs that entered later left in time, or a later test of ours was good (for speech there are
/// tests alone). Where no job came any more nothing is known.
fn jobs_go_on(
    memory: &Memory,
    settings: &Settings,
    incident: &Incident,
    capability: Capability,
    now: Timestamp,
) -> Ending {
    let ledger = &memory.jobs.ledger;
    let is_of_tests = matches!(
        incident.reason,
        Reason::AvatarSpecific
            | Reason::JobsFailing
            | Reason::Outcome(_)
            | Reason::IntermittentErrors
    );
    let by_tests =
        is_of_tests.then(|| tested_again(memory, settings, incident, capability)).flatten();
    let kind = JobKind::of(capability);
    let by_jobs = kind.and_then(|kind| jobs::recovered(ledger, settings, kind, incident.opened_at));
    if let Some(at) = by_tests.into_iter().chain(by_jobs).min() {
        return Ending::Resolved(Ended { at: at.max(incident.opened_at), confirmed_at: now });
    }
    let is_seen = kind.is_some_and(|kind| {
        ledger.of(kind).any(|job| now.duration_since(job.seen_at) <= SEEN_WITHIN)
    });
    if is_seen { Ending::GoesOn } else { Ending::Suspended(SuspendReason::NoData) }
}

/// When a test of ours that was sent after the trouble began was good.
fn tested_again(
    memory: &Memory,
    settings: &Settings,
    incident: &Incident,
    capability: Capability,
) -> Option<Timestamp> {
    if capability == Capability::Webhooks {
        let watch = settings.probes.iter().find(|watch| matches!(watch.jobs, JobsWatch::Events))?;
        let heard = memory.lines_of(&watch.name).filter_map(Line::last_success);
        let heard = heard.map(|seen| seen.ended_at).max();
        return heard.filter(|at| *at > incident.opened_at && memory.jobs.events.is_hearing());
    }
    canary::paid(settings)
        .filter(|(watch, _)| watch.capabilities.contains(&capability))
        .flat_map(|(watch, _)| memory.jobs.canaries.of(&watch.name))
        .filter(|intent| intent.created_at > incident.opened_at)
        .filter(|intent| intent.outcome.is_some_and(canary::is_good))
        .map(|intent| intent.changed_at)
        .max()
}

fn back_online(memory: &Memory, now: Timestamp) -> Ending {
    let until = memory.network.last_spell().and_then(|spell| spell.until);
    match until {
        Some(at) if now.duration_since(at) >= BACK_AFTER => {
            Ending::Resolved(Ended { at, confirmed_at: now })
        }
        // Restarted after the end: nothing is left of the spell, but the controls answer.
        None if memory.network.internet_up() == Some(true) => {
            Ending::Resolved(Ended { at: now, confirmed_at: now })
        }
        Some(_) | None => Ending::GoesOn,
    }
}

fn off_the_page(
    memory: &Memory,
    settings: &Settings,
    incident: &Incident,
    now: Timestamp,
) -> Ending {
    let is_its_page = |name: &str| incident.cause.0.starts_with(&format!("official:{name}:"));
    let source = settings.sources.iter().find(|source| is_its_page(&source.name));
    let Some(source) = source.filter(|source| !memory.official.is_unreadable(source, now)) else {
        return Ending::Suspended(SuspendReason::SourceUnreadable);
    };
    let read_at = memory.official.source(&source.name).map_or(now, |state| state.last.at);
    Ending::Resolved(Ended { at: read_at, confirmed_at: read_at })
}

/// Every capability it touched has been told from evidence for a minute.
fn known_again(memory: &Memory, incident: &Incident, now: Timestamp) -> Ending {
    let standings = incident.capabilities.iter().filter_map(|one| memory.held.get(one));
    let mut known_since = None;
    for standing in standings.map(Held::last) {
        if is_still_in_the_dark(standing) {
            return Ending::GoesOn;
        }
        known_since = known_since.max(Some(standing.since.max(incident.opened_at)));
    }
    match known_since {
        Some(at) if now.duration_since(at) >= BACK_AFTER => {
            Ending::Resolved(Ended { at, confirmed_at: now })
        }
        Some(_) | None => Ending::GoesOn,
    }
}

/// Requests that are accepted are all that can be known where no job was seen.
fn is_still_in_the_dark(standing: Standing) -> bool {
    standing.state == State::Unknown
        && !matches!(standing.reason, Reason::NoRecentJobs | Reason::NotWatched)
}

fn good_again(memory: &Memory, settings: &Settings, incident: &Incident, now: Timestamp) -> Ending {
    let members: Vec<(&Line, &Watch)> = memory
        .of_heygen(settings)
        .filter(|(line, watch)| is_member(incident, line, watch))
        .collect();
    let still_firing = members.iter().any(|(line, _)| is_firing(incident, line, now));
    if still_firing {
        let is_seen = members.iter().any(|(line, watch)| line.is_fresh(watch.fresh_for(), now));
        return if is_seen { Ending::GoesOn } else { Ending::Suspended(SuspendReason::NoData) };
    }
    let traces = members.iter().filter_map(|(line, _)| trace(incident, line));
    traces
        .max_by_key(|ended| ended.at)
        .or_else(|| recovered(incident, &members, now))
        .map_or(Ending::Suspended(SuspendReason::NoData), Ending::Resolved)
}

/// Without any trace of an end, runs of good ones on every line that belongs to it will do.
fn recovered(incident: &Incident, members: &[(&Line, &Watch)], now: Timestamp) -> Option<Ended> {
    // A line that never ran can neither show an end nor stand in its way.
    let ran = members.iter().filter(|(line, _)| line.last.outcome != Outcome::Skipped);
    let all: Option<Vec<Ended>> =
        ran.map(|(line, watch)| recovery(incident, line, watch, now)).collect();
    all?.into_iter().max_by_key(|ended| ended.at)
}

fn is_member(incident: &Incident, line: &Line, watch: &Watch) -> bool {
    match incident.cause.0.strip_prefix("host:") {
        Some(host) => watch.host == host,
        None if incident.cause.0 == PLATFORM => true,
        None => line.last.capabilities.iter().any(|one| incident.capabilities.contains(one)),
    }
}

fn is_firing(incident: &Incident, line: &Line, now: Timestamp) -> bool {
    match incident.blame {
        Blame::Client => line.client.firing().is_some(),
        _ if is_about_limits(incident) => line.limited.is_active(now),
        Blame::Account => line.accounts.iter().any(|(outcome, streak)| {
            outcome.as_str() == incident.cause.0 && streak.firing().is_some()
        }),
        Blame::Provider | Blame::Network | Blame::Monitor | Blame::None => {
            line.down.firing().is_some()
                || line.intermittent.firing().is_some()
                || line.sluggish.firing().is_some()
        }
    }
}

/// How this line's part in the incident ended.
fn trace(incident: &Incident, line: &Line) -> Option<Ended> {
    let ended = match incident.blame {
        Blame::Client => line.client.ended(),
        _ if is_about_limits(incident) => None,
        Blame::Account => line
            .accounts
            .iter()
            .find(|(outcome, _)| outcome.as_str() == incident.cause.0)
            .and_then(|(_, streak)| streak.ended()),
        Blame::Provider | Blame::Network | Blame::Monitor | Blame::None => {
            let all = [line.down.ended(), line.intermittent.ended(), line.sluggish.ended()];
            all.into_iter().flatten().max_by_key(|ended| ended.at)
        }
    };
    ended.filter(|ended| ended.at > incident.opened_at)
}

/// A run of good ones that began after the incident (and after the last limited answer).
fn recovery(incident: &Incident, line: &Line, watch: &Watch, now: Timestamp) -> Option<Ended> {
    let (count, since) = line.good_run?;
    let limited = line.limited.last().unwrap_or(incident.opened_at);
    let at = since.max(incident.opened_at).max(limited);
    let is_enough = count >= watch.thresholds.successes && line.is_fresh(watch.fresh_for(), now);
    is_enough.then_some(Ended { at, confirmed_at: at })
}

fn is_about_limits(incident: &Incident) -> bool {
    let cause = incident.cause.0.as_str();
    cause == "rate_limited" || cause == Reason::ProviderThrottling.as_str()
}
