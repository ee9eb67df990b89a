//! What the verdict said of each capability, change by change.
//!
//! Owns the table `capability_changes`. Decides nothing: what is a change was decided by the engine.
//! Invariant: rows are kept for ever, so that a report of last year can be made.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::rows::{millis, time, word_in};
use crate::engine::uptime::Window;
use crate::model::{Capability, CapabilityChange, Timestamp};

const PUT_CHANGE: &str = "
    INSERT INTO capability_changes (capability, at_ms, state, blame, reason)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT DO UPDATE SET
        state = excluded.state, blame = excluded.blame, reason = excluded.reason";

pub(super) const LAST_CHANGE: &str = "
    SELECT capability, at_ms, state, blame, reason FROM capability_changes
    WHERE capability = ?1 AND at_ms <= ?2 ORDER BY at_ms DESC LIMIT 1";

pub(super) const CHANGES: &str = "
    SELECT capability, at_ms, state, blame, reason FROM capability_changes
    WHERE capability = ?1 AND at_ms > ?2 AND at_ms < ?3 ORDER BY at_ms";

/// Writes a change.
pub(super) fn put(connection: &Connection, change: &CapabilityChange) -> Result<()> {
    connection.prepare_cached(PUT_CHANGE)?.execute(params![
        change.capability.as_str(),
        millis(change.at),
        change.state.as_str(),
        change.blame.as_str(),
        change.reason.as_str()
    ])?;
    Ok(())
}

/// What was last written of each capability, up to an instant: what lies ahead was written under a
/// wrong clock.
pub(super) fn last(connection: &Connection, now: Timestamp) -> Result<Vec<CapabilityChange>> {
    let of = |capability: Capability| last_of(connection, capability, now).transpose();
    Capability::ALL.into_iter().filter_map(of).collect()
}

fn last_of(
    connection: &Connection,
    capability: Capability,
    now: Timestamp,
) -> Result<Option<CapabilityChange>> {
    let mut statement = connection.prepare_cached(LAST_CHANGE)?;
    statement.query_row(params![capability.as_str(), millis(now)], from_row).optional()
}

/// The changes within a window and the last one before it, by capability and time.
pub(super) fn within(connection: &Connection, window: Window) -> Result<Vec<CapabilityChange>> {
    let mut changes = Vec::new();
    let mut statement = connection.prepare_cached(CHANGES)?;
    for capability in Capability::ALL {
        changes.extend(last_of(connection, capability, window.since)?);
        let place = params![capability.as_str(), millis(window.since), millis(window.until)];
        for change in statement.query_map(place, from_row)? {
            changes.push(change?);
        }
    }
    Ok(changes)
}

fn from_row(row: &Row<'_>) -> Result<CapabilityChange> {
    Ok(CapabilityChange {
        capability: word_in(row, "capability")?,
        at: time(row, "at_ms")?,
        state: word_in(row, "state")?,
        blame: word_in(row, "blame")?,
        reason: word_in(row, "reason")?,
    })
}
