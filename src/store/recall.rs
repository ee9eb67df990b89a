//! What the core needs to go on where it stopped, in one consistent read.

use std::time::Duration;

use rusqlite::{Connection, Result};

use super::{history, incidents, readings};
use crate::engine::Recollection;
use crate::model::Timestamp;

/// The farthest look back; older bad observations of an open incident stand in the incident itself.
pub const MAX_RECALL: Duration = Duration::from_hours(7 * 24);

/// The least look back: a day and the two hours within which flapping is judged.
const MIN_RECALL: Duration = Duration::from_hours(26);

/// What came before an incident's first bad observation, so that it is seen to be the first.
const BEFORE_INCIDENT: Duration = Duration::from_hours(1);

/// Resolved incidents that may still be flapping.
const RESOLVED_WITHIN: Duration = Duration::from_hours(2);

/// Reads it.
pub(super) fn recall(connection: &Connection, now: Timestamp) -> Result<Recollection> {
    let incidents = incidents::recent(connection, ago(now, RESOLVED_WITHIN))?;
    let earliest_open = incidents
        .iter()
        .filter(|incident| incident.is_open())
        .map(|incident| ago(incident.opened_at, BEFORE_INCIDENT))
        .min()
        .unwrap_or(now);
    let since = earliest_open.min(ago(now, MIN_RECALL)).max(ago(now, MAX_RECALL));
    Ok(Recollection {
        observations: history::all_since(connection, since)?,
        readings: readings::last_good(connection)?,
        next_incident_id: incidents::next_id(connection)?,
        incidents,
    })
}

fn ago(now: Timestamp, age: Duration) -> Timestamp {
    now.saturating_sub(age).unwrap_or(now)
}
