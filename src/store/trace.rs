//! What became of every message of an incident: for `explain`.

use rusqlite::{Connection, Result, Row, params};

use super::outbox::from_row;
use super::rows::time;
use crate::model::{Delivery, IncidentId, Timestamp};

/// One message and every try to deliver it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The message, and where it stands.
    pub delivery: Delivery,
    /// Every try, oldest first.
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

pub(super) const OF_THREAD: &str = "SELECT * FROM deliveries WHERE thread = ?1 ORDER BY id";

pub(super) const TRIES: &str =
    "SELECT at_ms, result, detail FROM attempts WHERE delivery_id = ?1 ORDER BY number";

/// Every message of a thread, oldest first.
pub(super) fn of_thread(connection: &Connection, thread: IncidentId) -> Result<Vec<Trace>> {
    let deliveries: Vec<Delivery> = connection
        .prepare_cached(OF_THREAD)?
        .query_map([thread], from_row)?
        .collect::<Result<_>>()?;
    let mut statement = connection.prepare_cached(TRIES)?;
    let mut traces = Vec::new();
    for delivery in deliveries {
        let attempts =
            statement.query_map(params![delivery.id], attempt)?.collect::<Result<_>>()?;
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
