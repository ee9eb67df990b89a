//! What the core needs to go on where it stopped, in one consistent read.

use std::time::Duration;

use rusqlite::{Connection, Result};

use super::{
    account, changes, history, incidents, intents, jobs, migrate, readings, samples, silences, told,
};
use crate::engine::Recollection;
use crate::model::Timestamp;

/// The farthest look back; older bad observations of an open incident stand in the incident itself.
pub const MAX_RECALL: Duration = Duration::from_hours(7 * 24);

/// The least look back: a day and the two hours within which flapping is judged.
const MIN_RECALL: Duration = Duration::from_hours(26);

/// What came before an incident's first bad observation, so that it is seen to be the first.
const BEFORE_INCIDENT: Duration = Duration::from_hours(1);

/// Resolved incidents that may still be flapping, or that some channel believes to be open: a
/// silence may last for days.
const RESOLVED_WITHIN: Duration = Duration::from_hours(7 * 24);

/// Jobs that ended within this may still be evidence (verdicts.md, section 1: at most 26 h).
const ENDED_WITHIN: Duration = Duration::from_hours(26);

/// How far baselines look back (verdicts.md, section 4).
const SAMPLES_WITHIN: Duration = Duration::from_hours(30 * 24);

/// Whatever the day, the whole of this month and of the last one: for the caps.
const SPENT_WITHIN: Duration = Duration::from_hours(62 * 24);

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
    let mut recollection = Recollection {
        observations: history::all_since(connection, since)?,
        readings: readings::last_good(connection)?,
        next_incident_id: incidents::next_id(connection)?,
        past: incidents::past(connection)?,
        incidents,
        ..Recollection::default()
    };
    if migrate::has_jobs(connection)? {
        recollection.jobs = jobs::recent(connection, ago(now, ENDED_WITHIN))?;
        recollection.samples = samples::since(connection, ago(now, SAMPLES_WITHIN), now)?;
        recollection.positions = jobs::positions(connection)?;
        recollection.intents = intents::recent(connection, ago(now, SPENT_WITHIN))?;
        recollection.told = told::all(connection)?;
        recollection.account = account::latest(connection, now)?;
    }
    if migrate::has_silences(connection)? {
        recollection.silences = silences::since(connection, now)?;
        recollection.next_silence_id = silences::next_id(connection)?;
    }
    if migrate::has_changes(connection)? {
        recollection.standings = changes::last(connection, now)?;
    }
    Ok(recollection)
}

fn ago(now: Timestamp, age: Duration) -> Timestamp {
    now.saturating_sub(age).unwrap_or(now)
}
