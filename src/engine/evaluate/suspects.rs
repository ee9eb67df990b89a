//! Which probes deserve another look soon.
//!
//! Owns the list of probes that run at their `recheck` interval, and for a one-shot `check` when
//! there is nothing left to look at. Invariant: `Retry-After` is obeyed.

use std::collections::BTreeMap;

use super::{Memory, Suspect};
use crate::engine::alert::{Line, Meaning};
use crate::engine::settings::{Cadence, Settings, Watch};
use crate::model::{ProbeKind, Timestamp};

/// Probes to run at their `recheck` interval.
pub(super) fn suspects(memory: &Memory, settings: &Settings, now: Timestamp) -> Vec<Suspect> {
    let bad: Vec<&Watch> = settings.probes.iter().filter(|one| is_suspect(memory, one)).collect();
    let asked_along = asked_along(memory, &bad);
    let is_named = |watch: &&Watch| match settings.cadence {
        _ if !watch.kind.is_scheduled() => false,
        Cadence::Daemon => {
            bad.iter().any(|one| one.name == watch.name)
                || asked_along.iter().any(|(host, along)| is_asked(watch, host, *along))
                || is_lost(memory, watch)
                || looks_again(memory, watch, &bad)
        }
        Cadence::Check { .. } => {
            is_of_interest(memory, settings, watch, now) || is_silent_once(memory, watch)
        }
    };
    let asks_peers = settings.cadence == Cadence::Daemon && is_worth_asking(memory, &bad);
    let peers = settings.peers().filter(|_| asks_peers);
    let peers = peers.map(|peer| Suspect { probe: peer.name.clone(), not_before: None });
    settings
        .probes
        .iter()
        .filter(is_named)
        .map(|watch| Suspect {
            probe: watch.name.clone(),
            not_before: memory
                .lines_of(&watch.name)
                .filter_map(Line::not_before)
                .max()
                .filter(|at| *at > now),
        })
        .chain(peers)
        .collect()
}

/// Whether others may see what fails here.
fn is_worth_asking(memory: &Memory, bad: &[&Watch]) -> bool {
    bad.iter().any(|one| !one.target.is_empty() && is_down(memory, one))
}

/// One of its lines has a bad state that is not closed, or cannot be told.
fn is_suspect(memory: &Memory, watch: &Watch) -> bool {
    watch.is_of_heygen()
        && memory.lines_of(&watch.name).any(|line| {
            line.is_pending()
                || line.is_firing()
                || line.limited.in_a_row() > 0
                || (line.between_in_a_row > 0 && !is_blocked(line))
        })
}

/// Asking a challenge page again every ten seconds only makes it last.
fn is_blocked(line: &Line) -> bool {
    line.last_of
        .get(&Meaning::Blocked)
        .is_some_and(|seen| seen.series == line.last.series && seen.begun_at == line.last.begun_at)
}

/// Which reads of a host are asked along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Along {
    /// The anonymous call: it tells a key problem from an outage.
    Anonymous,
    /// Every read: a failure waits for a second probe that agrees.
    Every,
}

/// The hosts with a suspect, and which of their reads are asked along.
fn asked_along(memory: &Memory, bad: &[&Watch]) -> BTreeMap<String, Along> {
    let mut hosts = BTreeMap::new();
    for watch in bad {
        let is_waiting = memory.lines_of(&watch.name).any(|line| line.down.is_pending());
        let along = hosts.entry(watch.host.clone()).or_insert(Along::Anonymous);
        if is_waiting {
            *along = Along::Every;
        }
    }
    hosts
}

fn is_asked(watch: &Watch, host: &str, along: Along) -> bool {
    watch.kind == ProbeKind::Api
        && watch.is_of_heygen()
        && watch.host == host
        && (watch.anonymous || along == Along::Every)
}

/// A paid create is looked at again by the submit probe, which costs nothing.
fn looks_again(memory: &Memory, watch: &Watch, bad: &[&Watch]) -> bool {
    watch.kind == ProbeKind::Submit
        && bad.iter().any(|paid| {
            !paid.kind.is_scheduled()
                && paid.capabilities.iter().any(|one| watch.capabilities.contains(one))
                && is_down(memory, paid)
        })
}

fn is_down(memory: &Memory, watch: &Watch) -> bool {
    memory.lines_of(&watch.name).any(|line| line.down.is_open())
}

/// The way back is looked for as often as the way to HeyGen.
fn is_lost(memory: &Memory, watch: &Watch) -> bool {
    watch.kind == ProbeKind::Control && (memory.network.is_offline() || !memory.network.is_fine())
}

/// `check`: silence is believed the second time.
fn is_silent_once(memory: &Memory, watch: &Watch) -> bool {
    watch.kind == ProbeKind::Control && memory.network.silent_runs() == 1
}

fn is_of_interest(memory: &Memory, settings: &Settings, watch: &Watch, now: Timestamp) -> bool {
    watch.is_of_heygen()
        && memory.lines_of(&watch.name).any(|line| needs_another_look(memory, settings, line, now))
}

/// `check`: neither confirmed nor cleared, and there is time for another look.
fn needs_another_look(memory: &Memory, settings: &Settings, line: &Line, now: Timestamp) -> bool {
    let Some(deadline) = settings.deadline() else {
        return false;
    };
    if now >= deadline || line.not_before().is_some_and(|at| at > deadline) {
        return false;
    }
    line.is_pending() || line.between_in_a_row == 1 || may_be_throttled(memory, settings, line)
}

/// Limited once with and without the key: the second time tells whose side it is.
fn may_be_throttled(memory: &Memory, settings: &Settings, line: &Line) -> bool {
    let is_limited = |anonymous| {
        memory.of_heygen(settings).any(|(line, watch)| {
            watch.kind == ProbeKind::Api
                && watch.anonymous == anonymous
                && line.limited.in_a_row() > 0
        })
    };
    line.limited.in_a_row() == 1 && is_limited(true) && is_limited(false)
}

/// For a one-shot `check`: true when every probe has been seen and nothing is pending any more,
/// all of it confirmed or cleared, so that it can stop before its deadline.
pub fn is_settled(memory: &Memory, settings: &Settings, now: Timestamp) -> bool {
    if settings.deadline().is_none_or(|deadline| now >= deadline) {
        return true;
    }
    let is_open = |watch: &Watch| {
        memory.lines_of(&watch.name).next().is_none()
            || is_of_interest(memory, settings, watch, now)
            || is_silent_once(memory, watch)
    };
    !settings.probes.iter().any(is_open)
}
