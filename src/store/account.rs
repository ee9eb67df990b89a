//! What the account held, day by day.
//!
//! Owns the tables `account_readings` (the last reading of each day of UTC) and `incident_accounts`
//! (the last reading when an incident opened, and when it was resolved), kept for ever, because
//! what a refund is claimed with lies weeks back.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::migrate;
use super::rows::{AccountRow, from_json, millis, to_json};
use crate::model::{AccountReading, Incident, Timestamp};

const DAY_MS: i64 = 86_400_000;

const PUT_READING: &str = "
    INSERT INTO account_readings (day_at_ms, at_ms, reading) VALUES (?1, ?2, ?3)
    ON CONFLICT (day_at_ms) DO UPDATE SET at_ms = excluded.at_ms, reading = excluded.reading";

/// A day that has not come yet was written under a wrong clock.
pub(super) const LATEST: &str = "
    SELECT reading FROM account_readings WHERE day_at_ms <= ?1 ORDER BY day_at_ms DESC LIMIT 1";

/// Stores a reading in place of an earlier one of its day.
pub(super) fn put(connection: &Connection, reading: &AccountReading) -> Result<()> {
    let at_ms = millis(reading.at);
    let day_at_ms = at_ms.div_euclid(DAY_MS) * DAY_MS;
    let json = to_json(&AccountRow::from(reading))?;
    connection.prepare_cached(PUT_READING)?.execute(params![day_at_ms, at_ms, json])?;
    Ok(())
}

/// The last reading.
pub(super) fn latest(connection: &Connection, now: Timestamp) -> Result<Option<AccountReading>> {
    connection.prepare_cached(LATEST)?.query_row([millis(now)], from_row).optional()
}

fn from_row(row: &Row<'_>) -> Result<AccountReading> {
    from_json::<AccountRow>(row.get_ref("reading")?.as_str()?)?.try_into()
}

pub(super) const KEPT: &str =
    "SELECT reading FROM incident_accounts WHERE incident_id = ?1 AND moment = ?2";

/// What the account held when an incident opened, and when it was resolved. Without a reading of its
/// own: the last one of the day before it.
pub(super) fn around(
    connection: &Connection,
    incident: &Incident,
) -> Result<[Option<AccountReading>; 2]> {
    if !migrate::has_jobs(connection)? {
        return Ok([None, None]);
    }
    let has_kept = migrate::has_changes(connection)?;
    let kept = |moment: &str| -> Result<Option<AccountReading>> {
        if !has_kept {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached(KEPT)?;
        statement.query_row(params![incident.id, moment], from_row).optional()
    };
    let before = match kept("opened")? {
        Some(reading) => Some(reading),
        None => latest(connection, day_before(incident.opened_at))?,
    };
    Ok([before, kept("resolved")?])
}

/// A day's row is its last reading, which may be later than what happened on that day.
fn day_before(at: Timestamp) -> Timestamp {
    at.saturating_sub(Duration::from_hours(24)).unwrap_or(at)
}

/// The last reading when an incident was decided to be open, or over; written once.
const KEEP: &str = "
    INSERT INTO incident_accounts (incident_id, moment, at_ms, reading)
    SELECT ?1, ?2, at_ms, reading FROM account_readings
    WHERE day_at_ms <= ?3 ORDER BY day_at_ms DESC LIMIT 1
    ON CONFLICT DO NOTHING";

/// Keeps what the account held when an incident opened and when it was resolved.
pub(super) fn keep_for(connection: &Connection, incident: &Incident, now: Timestamp) -> Result<()> {
    let moment = if incident.is_open() { "opened" } else { "resolved" };
    connection.prepare_cached(KEEP)?.execute(params![incident.id, moment, millis(now)])?;
    Ok(())
}
