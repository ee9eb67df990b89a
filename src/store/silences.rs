//! Silences: what people want to hear nothing of.
//!
//! Owns the table `silences`. Invariant: a row is never deleted; one that was expired by hand ends
//! earlier than it was meant to.

use rusqlite::{Connection, Result, Row, named_params};

use super::rows::{from_json, millis, time, to_json, word_or_null};
use crate::model::{Matchers, Reason, Silence, Timestamp};

const PUT: &str = "
    INSERT INTO silences (id, incident_id, capabilities, blames, reason, starts_at_ms, ends_at_ms,
        author, comment)
    VALUES (:id, :incident_id, :capabilities, :blames, :reason, :starts_at_ms, :ends_at_ms,
        :author, :comment)
    ON CONFLICT (id) DO UPDATE SET ends_at_ms = excluded.ends_at_ms";

/// Those that end at or after an instant.
pub(super) const SINCE: &str = "SELECT * FROM silences WHERE ends_at_ms >= ?1 ORDER BY ends_at_ms";

const LAST_ID: &str = "SELECT coalesce(max(id), 0) FROM silences";

/// Writes a silence as it is now.
pub(super) fn put(connection: &Connection, silence: &Silence) -> Result<()> {
    connection.prepare_cached(PUT)?.execute(named_params! {
        ":id": silence.id,
        ":incident_id": silence.matchers.incident,
        ":capabilities": to_json(&silence.matchers.capabilities)?,
        ":blames": to_json(&silence.matchers.blames)?,
        ":reason": silence.matchers.reason.map(Reason::as_str),
        ":starts_at_ms": millis(silence.starts_at),
        ":ends_at_ms": millis(silence.ends_at),
        ":author": silence.author,
        ":comment": silence.comment,
    })?;
    Ok(())
}

/// Silences that had not ended at `since`.
pub(super) fn since(connection: &Connection, since: Timestamp) -> Result<Vec<Silence>> {
    connection.prepare_cached(SINCE)?.query_map([millis(since)], from_row)?.collect()
}

/// The number that the next silence gets.
pub(super) fn next_id(connection: &Connection) -> Result<i64> {
    let last: i64 = connection.query_row(LAST_ID, [], |row| row.get(0))?;
    Ok(last + 1)
}

fn from_row(row: &Row<'_>) -> Result<Silence> {
    Ok(Silence {
        id: row.get("id")?,
        matchers: Matchers {
            incident: row.get("incident_id")?,
            capabilities: from_json(row.get_ref("capabilities")?.as_str()?)?,
            blames: from_json(row.get_ref("blames")?.as_str()?)?,
            reason: word_or_null(row, "reason")?,
        },
        starts_at: time(row, "starts_at_ms")?,
        ends_at: time(row, "ends_at_ms")?,
        author: row.get("author")?,
        comment: row.get("comment")?,
    })
}
