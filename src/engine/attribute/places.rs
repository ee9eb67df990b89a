//! From one place to several: what other monitors see of our failures.
//!
//! Owns what their voices make of a confirmed failure. Invariants: without peers nothing changes;
//! what jobs say is everybody's, whoever sees it.

use super::facts::{Fact, Family};
use crate::engine::evaluate::Memory;
use crate::engine::peers::{Failure, PATIENCE, Voices};
use crate::engine::settings::{Cadence, Settings};
use crate::model::{Blame, Incident, Reason, State, Timestamp};

/// Brings in what peers on the same path see.
pub(super) fn weigh(fact: &mut Fact<'_>, memory: &Memory, settings: &Settings, now: Timestamp) {
    let target = fact.watch.target_of(fact.series).filter(|_| fact.family == Family::Down);
    let Some(target) = target else {
        return;
    };
    let failure = Failure {
        kind: fact.watch.kind,
        target: &target,
        anonymous: fact.watch.anonymous,
        outcome: fact.seen.outcome,
        since: match settings.cadence {
            Cadence::Daemon => fact.since,
            // Nobody looks again before a one-shot `check` is over, and what it sees began before it
            // looked: what others saw just before it counts.
            Cadence::Check { .. } => fact.since.saturating_sub(PATIENCE).unwrap_or(fact.since),
        },
    };
    let mut voices = memory.peers.voices(settings, &failure, now);
    if settings.cadence != Cadence::Daemon {
        (voices.not_yet, voices.unheard) = (0, 0);
    }
    // After a restart it stays what it was until the peers are asked.
    let stays = voices.unheard > 0 && memory.incidents.iter().any(is_local_view);
    if voices.failing == 0 && (voices.working > 0 || stays) {
        fact.family = Family::Local;
        (fact.state, fact.blame) = (State::Degraded, Blame::Network);
        fact.reason = Reason::LocalView;
    }
    if voices.failing == 0 && voices.not_yet + voices.unheard > 0 {
        fact.is_lasting = false;
    }
    let heard = in_words(voices);
    fact.how_often = fact
        .how_often
        .take()
        .into_iter()
        .chain(heard)
        .reduce(|often, heard| format!("{often}; {heard}"));
}

fn is_local_view(incident: &Incident) -> bool {
    incident.is_open() && incident.reason == Reason::LocalView
}

/// `2 of 3 places see it`; nothing where nobody else has a voice.
fn in_words(voices: Voices) -> Option<String> {
    let seeing = voices.failing + 1;
    let places = seeing + voices.working;
    let verb = if seeing == 1 { "sees" } else { "see" };
    match (places, voices.not_yet + voices.unheard) {
        (1, 0) => None,
        (1, _) => Some("other places are being asked".to_owned()),
        _ => Some(format!("{seeing} of {places} places {verb} it")),
    }
}
