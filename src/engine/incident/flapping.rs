//! Up and down too often (verdicts.md, section 2).
//!
//! Owns the count of confirmed transitions. Invariant: it is derived from the incidents
//! themselves, so that a restart counts the same.

use jiff::SignedDuration;

use crate::engine::evaluate::Memory;
use crate::model::{Blame, Cause, EventKind, Timestamp};

/// The fourth transition within an hour is told as flapping.
const TOO_MANY: usize = 4;
/// Then it is quiet until it has been stable for this long.
pub const STABLE_AFTER: SignedDuration = SignedDuration::from_mins(30);
const WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What a count is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// An incident opens, or an open one worsens or eases: every change that was told counts.
    Change,
    /// An incident ends. That it worsened and eased on the way is no flapping; that it eased and
    /// worsened again is an end and a beginning in all but name.
    End,
}

/// Whether `next` would be one transition of this blame and cause too many within the hour.
pub fn is_one_too_many(
    memory: &Memory,
    (blame, cause): (Blame, &Cause),
    next: Next,
    now: Timestamp,
) -> bool {
    let is_recent = |at: Timestamp| now.duration_since(at) <= WITHIN;
    let of_cause = memory.incidents.iter().filter(|one| one.blame == blame && one.cause == *cause);
    let before: usize = of_cause
        .map(|one| {
            let ends = usize::from(is_recent(one.confirmed_at))
                + usize::from(one.resolved_at.is_some_and(is_recent));
            let degrees: Vec<EventKind> = one
                .events
                .iter()
                .filter(|event| is_recent(event.at) && is_degree(event.kind))
                .map(|event| event.kind)
                .collect();
            match next {
                Next::Change => ends + degrees.len(),
                Next::End => ends + 2 * relapses(&degrees),
            }
        })
        .sum();
    before + 1 >= TOO_MANY
}

fn is_degree(kind: EventKind) -> bool {
    matches!(kind, EventKind::Eased | EventKind::Worsened)
}

fn relapses(degrees: &[EventKind]) -> usize {
    let is_relapse = |pair: &&[EventKind]| *pair == [EventKind::Eased, EventKind::Worsened];
    degrees.windows(2).filter(is_relapse).count()
}
