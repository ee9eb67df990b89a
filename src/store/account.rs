//! What the account held, day by day.
//!
//! Owns the table `account_readings`: the last reading of each day of UTC, kept for ever, because
//! what a refund is claimed with lies weeks back.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::rows::{AccountRow, from_json, millis, to_json};
use crate::model::{AccountReading, Timestamp};

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
    let reading: Option<String> =
        connection.prepare_cached(LATEST)?.query_row([millis(now)], |row| row.get(0)).optional()?;
    reading.map(|json| AccountReading::try_from(from_json::<AccountRow>(&json)?)).transpose()
}
