//! What became of every message of an incident: for `explain`.

use rusqlite::{Connection, Result, Row};

use super::outbox::from_row;
use super::rows::{limit_of, time};
use crate::model::{Delivery, IncidentId, Timestamp};

/// One message and every try to deliver it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The message, and where it stands.
    pub delivery: Delivery,
    /// The last tries, oldest first.
    pub attempts: Vec<Try>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// When it began.
    pub at: Timestamp,
    /// `accepted`, `retry` or `dead`.
    pub result: String,
    /// What the channel said, redacted.
    pub detail: String,
}

pub(super) const OF_THREAD: &str =
    "SELECT * FROM deliveries WHERE thread = ?1 ORDER BY id DESC LIMIT ?2";

/// A message that no channel takes is tried hundreds of times a day; the last tries tell most.
pub(super) const TRIES: &str = "
    SELECT at_ms, result, detail FROM attempts WHERE delivery_id = ?1
    ORDER BY number DESC LIMIT ?2";

/// The last `limit` messages of a thread, oldest first, each with at most so many tries.
pub(super) fn of_thread(
    connection: &Connection,
    thread: IncidentId,
    limit: usize,
) -> Result<Vec<Trace>> {
    let mut deliveries: Vec<Delivery> = connection
        .prepare_cached(OF_THREAD)?
        .query_map([thread, limit_of(limit)], from_row)?
        .collect::<Result<_>>()?;
    deliveries.reverse();
    let mut statement = connection.prepare_cached(TRIES)?;
    let mut traces = Vec::new();
    for delivery in deliveries {
        let mut attempts: Vec<Try> =
            statement.query_map([delivery.id, limit_of(limit)], attempt)?.collect::<Result<_>>()?;
        attempts.reverse();
        traces.push(Trace { delivery, attempts });
    }
    Ok(traces)
}

fn attempt(row: &Row<'_>) -> Result<Try> {
    let detail: Option<String> = row.get("detail")?;
    Ok(Try {
        at: time(row, "at_ms")?,
        result: row.get("result")?,
        detail: detail.unwrap_or_default(),
    })
}
