//! What was told once by day and is repeated weekly.
//!
//! Owns the table `told`, which holds one row per thing that can be told. Nothing is ever forgotten
//! here: what was forgotten would be told again.

use rusqlite::{Connection, Result, params};

use super::rows::{millis, time};
use crate::model::Told;

const PUT: &str = "
    INSERT INTO told (key, at_ms) VALUES (?1, ?2)
    ON CONFLICT (key) DO UPDATE SET at_ms = excluded.at_ms";

pub(super) const ALL: &str = "SELECT key, at_ms FROM told ORDER BY key";

/// Notes when something was told.
pub(super) fn put(connection: &Connection, told: &Told) -> Result<()> {
    connection.prepare_cached(PUT)?.execute(params![told.key, millis(told.at)])?;
    Ok(())
}

/// Everything that was told.
pub(super) fn all(connection: &Connection) -> Result<Vec<Told>> {
    connection
        .prepare_cached(ALL)?
        .query_map([], |row| Ok(Told { key: row.get("key")?, at: time(row, "at_ms")? }))?
        .collect()
}
