//! The last good reading of each status page, and when its rows changed their state.
//!
//! Owns the tables `readings` and `component_changes`. A reading that failed changes neither: what
//! a page last said stays until it says something else.

use rusqlite::{Connection, Result, named_params, params};

use super::rows::{PageRow, from_json, millis, time, to_json, word_in};
use crate::model::{Page, SourceReading};

const PUT_READING: &str = "
    INSERT INTO readings (source, at_ms, role, replaces, page)
    VALUES (:source, :at_ms, :role, :replaces, :page)
    ON CONFLICT (source) DO UPDATE SET
        at_ms = excluded.at_ms, role = excluded.role, replaces = excluded.replaces,
        page = excluded.page";

/// Writes nothing while the row stays as it was, which is nearly always.
pub(super) const PUT_CHANGE: &str = "
    INSERT INTO component_changes (source, component, at_ms, name, state, raw)
    SELECT :source, :component, :at_ms, :name, :state, :raw
    WHERE :state IS NOT (
        SELECT state FROM component_changes
        WHERE source = :source AND component = :component ORDER BY at_ms DESC LIMIT 1)
    ON CONFLICT DO UPDATE SET name = excluded.name, state = excluded.state, raw = excluded.raw";

const READINGS: &str = "SELECT source, at_ms, role, replaces, page FROM readings ORDER BY source";

/// Stores a reading if it is a good one.
pub(super) fn put(connection: &Connection, reading: &SourceReading) -> Result<()> {
    let Ok(page) = &reading.page else {
        return Ok(());
    };
    connection.prepare_cached(PUT_READING)?.execute(named_params! {
        ":source": reading.source,
        ":at_ms": millis(reading.at),
        ":role": reading.role.as_str(),
        ":replaces": to_json(&reading.replaces)?,
        ":page": to_json(&PageRow::from(page))?,
    })?;
    let mut statement = connection.prepare_cached(PUT_CHANGE)?;
    for component in &page.components {
        statement.execute(named_params! {
            ":source": reading.source,
            ":component": component.id,
            ":at_ms": millis(reading.at),
            ":name": component.name,
            ":state": component.state.as_str(),
            ":raw": component.raw,
        })?;
    }
    Ok(())
}

/// The last good reading of every source.
pub(super) fn last_good(connection: &Connection) -> Result<Vec<SourceReading>> {
    connection
        .prepare_cached(READINGS)?
        .query_map(params![], |row| {
            Ok(SourceReading {
                source: row.get("source")?,
                role: word_in(row, "role")?,
                replaces: from_json(row.get_ref("replaces")?.as_str()?)?,
                at: time(row, "at_ms")?,
                page: Ok(Page::from(from_json::<PageRow>(row.get_ref("page")?.as_str()?)?)),
            })
        })?
        .collect()
}
