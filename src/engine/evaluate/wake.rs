//! When something falls due by time alone.
//!
//! Owns the next instant at which a [`Tick`](super::Input::Tick) changes something. Invariant:
//! always later than now; being late is harmless, since a tick comes every ten seconds anyway.

use super::Memory;
use crate::engine::alert::limited::OVER_AFTER;
use crate::engine::attribute::Held;
use crate::engine::escalate;
use crate::engine::incident::ongoing::UNKNOWN_AFTER;
use crate::engine::network::{BACK_AFTER, OFFLINE_AFTER};
use crate::engine::settings::Settings;
use crate::model::{Blame, State, Timestamp};

/// The next instant at which a tick changes something.
pub(super) fn wake_at(memory: &Memory, settings: &Settings, now: Timestamp) -> Option<Timestamp> {
    let stale = memory.of_heygen(settings).flat_map(|(line, watch)| {
        let evidence = line.evidence_at.and_then(|at| at.checked_add(watch.fresh_for()).ok());
        let last = line.last.ended_at.checked_add(watch.fresh_for()).ok();
        let limited = line.limited.last().and_then(|at| at.checked_add(OVER_AFTER).ok());
        [evidence, last, limited]
    });
    let told = memory.incidents.iter().map(escalate::opens_at);
    let unknown = memory.held.values().map(Held::last).map(|standing| {
        let is_told = standing.state == State::Unknown
            && matches!(standing.blame, Blame::Network | Blame::Monitor);
        standing.since.checked_add(UNKNOWN_AFTER).ok().filter(|_| is_told)
    });
    let spell = memory.network.last_spell();
    let offline = spell.and_then(|spell| spell.since.checked_add(OFFLINE_AFTER).ok());
    let back = spell.and_then(|spell| spell.until?.checked_add(BACK_AFTER).ok());
    let deadline = settings.deadline();
    stale
        .chain(told)
        .chain(unknown)
        .chain([offline, back, deadline])
        .flatten()
        .filter(|at| *at > now)
        .min()
}
