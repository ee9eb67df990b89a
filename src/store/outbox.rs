//! The outbox: what is owed to whom, leased, tried and told.
//!
//! Owns the tables `deliveries` and `attempts`. Decides nothing about when to try again: `finish`
//! is told. Invariants: a row that was committed ends delivered, dead or merged, never forgotten;
//! of one thread and channel only the oldest owed row is ever leased, so order is kept; the same
//! event is owed to the same channel once, however often it is committed.

use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};
use std::time::Duration;

mod broken;
mod thread;

#[cfg(test)]
pub(super) use broken::{FAILED, REFUSED, TAKEN_SINCE, WHY};
pub(super) use broken::{broken, self_test_failed, self_test_passed, tell_broken};
#[cfg(test)]
pub(super) use thread::{IS_OWED, LATE_HEADS, MERGED, STANDING, THREAD_REF, WAITING};
pub(super) use thread::{standing, thread};

use super::OutboxLine;
use super::rows::{from_json, instant, millis, time, to_json, unreadable, word_in};
use crate::engine::Owed;
use crate::fault;
use crate::model::{Attempt, AttemptResult, Delivery, Message, Timestamp};
use crate::wire::MessageJson;

const ADD_DELIVERY: &str = "
    INSERT INTO deliveries (thread, seq, channel, message, state, next_at_ms, created_at_ms)
    VALUES (:thread, :seq, :channel, :message, 'pending', :now_ms, :now_ms)
    ON CONFLICT (thread, seq, channel) DO NOTHING";

pub(super) const FIND_DELIVERY: &str =
    "SELECT id FROM deliveries WHERE thread = ?1 AND seq = ?2 AND channel = ?3";

/// What is said about the monitor has no incident that counts its events.
pub(super) const NEXT_LOOSE_SEQ: &str =
    "SELECT coalesce(max(seq), 0) + 1 FROM deliveries WHERE thread = 0";

pub(super) const LEASE_DUE: &str = "
    UPDATE deliveries SET state = 'leased', lease_until_ms = :lease_until_ms
    WHERE id IN (
            SELECT min(id) FROM deliveries WHERE finished_at_ms IS NULL GROUP BY thread, channel)
        AND coalesce(lease_until_ms, next_at_ms) <= :now_ms
    RETURNING *";

pub(super) const NEXT_DUE: &str = "
    SELECT min(coalesce(lease_until_ms, next_at_ms)) FROM deliveries
    WHERE id IN (
        SELECT min(id) FROM deliveries WHERE finished_at_ms IS NULL GROUP BY thread, channel)";

/// What `LEASE_DUE` would lease if nothing of `:ended` were owed.
pub(super) const DUE: &str = "
    SELECT * FROM deliveries
    WHERE id IN (
            SELECT min(id) FROM deliveries
            WHERE finished_at_ms IS NULL AND id NOT IN (SELECT value FROM json_each(:ended))
            GROUP BY thread, channel)
        AND coalesce(lease_until_ms, next_at_ms) <= :now_ms
    ORDER BY id";

/// What waits for a time that only a clock which ran ahead can have meant is due now.
pub(super) const RELEASE_ALL: &str = "
    UPDATE deliveries
    SET state = 'pending', lease_until_ms = NULL,
        next_at_ms = iif(
            created_at_ms > :now_ms OR next_at_ms > :latest_ms, :now_ms, next_at_ms)
    WHERE finished_at_ms IS NULL";

/// No attempt is put off for longer.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

const COUNT_ATTEMPT: &str =
    "UPDATE deliveries SET attempts = attempts + 1 WHERE id = ?1 RETURNING attempts";

const ADD_ATTEMPT: &str = "
    INSERT INTO attempts (delivery_id, number, at_ms, result, reason, detail)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// An acceptance always holds, even one that arrives after the lease went to somebody else.
const DELIVERED: &str = "
    UPDATE deliveries
    SET state = 'delivered', lease_until_ms = NULL, finished_at_ms = ?2,
        provider_ref = coalesce(?3, provider_ref)
    WHERE id = ?1 AND state <> 'delivered'";

const RETRY: &str = "
    UPDATE deliveries
    SET state = 'pending', lease_until_ms = NULL, next_at_ms = ?2, last_error = ?3
    WHERE id = ?1 AND finished_at_ms IS NULL";

pub(super) const DEAD: &str = "
    UPDATE deliveries
    SET state = 'dead', lease_until_ms = NULL, finished_at_ms = ?2, last_error = ?3
    WHERE id = ?1 AND finished_at_ms IS NULL";

pub(super) const ONE: &str = "SELECT * FROM deliveries WHERE id = ?1";

pub(super) const LINES: &str = "
    SELECT channel, count(*) AS pending, min(created_at_ms) AS oldest_at_ms FROM deliveries
    WHERE finished_at_ms IS NULL GROUP BY channel ORDER BY channel";

/// Adds what is owed and answers its row's id; the id of the existing row when it is owed already.
pub(super) fn owe(connection: &Connection, owed: &Owed, now: Timestamp) -> Result<i64> {
    let mut message = MessageJson::from(&owed.message);
    let thread = owed.message.thread();
    if thread == 0 {
        message.seq = connection.prepare_cached(NEXT_LOOSE_SEQ)?.query_row([], |row| row.get(0))?;
    }
    let added = connection.prepare_cached(ADD_DELIVERY)?.execute(named_params! {
        ":thread": thread,
        ":seq": message.seq,
        ":channel": owed.channel,
        ":message": to_json(&message)?,
        ":now_ms": millis(now),
    })?;
    if added == 1 {
        return Ok(connection.last_insert_rowid());
    }
    connection
        .prepare_cached(FIND_DELIVERY)?
        .query_row(params![thread, message.seq, owed.channel], |row| row.get(0))
}

/// Leases the oldest owed delivery of every thread and channel whose time has come.
pub(super) fn claim(
    connection: &Connection,
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Delivery>> {
    thread::merge(connection, now)?;
    let until = now.saturating_add(lease).unwrap_or(now);
    let mut leased = Vec::new();
    let mut unreadable = Vec::new();
    {
        let mut statement = connection.prepare_cached(LEASE_DUE)?;
        let mut rows = statement.query(named_params! {
            ":lease_until_ms": millis(until),
            ":now_ms": millis(now),
        })?;
        while let Some(row) = rows.next()? {
            match from_row(row) {
                Ok(delivery) => leased.push(delivery),
                Err(error) => unreadable.push((row.get::<_, i64>("id")?, error.to_string())),
            }
        }
    }
    for (id, error) in unreadable {
        // One row that nobody can read must not hold up its thread for ever.
        connection.execute(DEAD, params![id, millis(now), error])?;
    }
    leased.sort_by_key(|delivery| delivery.id);
    for delivery in &mut leased {
        thread::recall(connection, delivery)?;
    }
    if !leased.is_empty() {
        fault::point("claim.before");
    }
    Ok(leased)
}

/// When the next delivery falls due.
pub(super) fn next_due(connection: &Connection) -> Result<Option<Timestamp>> {
    let at_ms: Option<i64> =
        connection.prepare_cached(NEXT_DUE)?.query_row([], |row| row.get(0))?;
    at_ms.map(instant).transpose()
}

/// What is due of everything that is owed but for `ended`, the oldest of each thread and channel:
/// to be sent without a lease while none can be written.
pub(super) fn due(connection: &Connection, now: Timestamp, ended: &[i64]) -> Result<Vec<Delivery>> {
    let mut statement = connection.prepare_cached(DUE)?;
    let rows = statement.query_map(
        named_params! { ":ended": to_json(&ended)?, ":now_ms": millis(now) },
        from_row,
    )?;
    // A row that nobody can read is buried by the next claim.
    let mut due: Vec<Delivery> = rows.filter_map(Result::ok).collect();
    for delivery in &mut due {
        thread::recall(connection, delivery)?;
    }
    Ok(due)
}

/// Gives leases back: whoever held them is gone.
pub(super) fn release_all(connection: &Connection, now: Timestamp) -> Result<usize> {
    let latest = now.saturating_add(LONGEST_PAUSE).unwrap_or(now);
    connection.execute(
        RELEASE_ALL,
        named_params! { ":now_ms": millis(now), ":latest_ms": millis(latest) },
    )
}

/// Records an attempt and where the delivery stands after it.
pub(super) fn finish(
    connection: &Connection,
    id: i64,
    attempt: &Attempt,
    next_at: Option<Timestamp>,
) -> Result<()> {
    let at_ms = millis(attempt.at);
    let number: i64 =
        connection.prepare_cached(COUNT_ATTEMPT)?.query_row([id], |row| row.get(0))?;
    let (word, reason, detail) = match &attempt.result {
        AttemptResult::Accepted { .. } => ("accepted", None, None),
        AttemptResult::Retry { reason, detail, .. } => ("retry", Some(*reason), Some(detail)),
        AttemptResult::Dead { reason, detail } => ("dead", Some(*reason), Some(detail)),
    };
    let reason = reason.map(crate::model::FailureReason::as_str);
    connection
        .prepare_cached(ADD_ATTEMPT)?
        .execute(params![id, number, at_ms, word, reason, detail])?;
    match &attempt.result {
        AttemptResult::Accepted { provider_ref } => {
            connection.execute(DELIVERED, params![id, at_ms, provider_ref])?;
        }
        AttemptResult::Retry { detail, after, .. } => {
            let earliest = attempt.at.saturating_add(after.unwrap_or_default());
            let next_at = next_at.unwrap_or_else(|| earliest.unwrap_or(attempt.at));
            connection.execute(RETRY, params![id, millis(next_at), detail])?;
        }
        AttemptResult::Dead { detail, .. } => {
            connection.execute(DEAD, params![id, at_ms, detail])?;
        }
    }
    Ok(())
}

/// One delivery.
pub(super) fn one(connection: &Connection, id: i64) -> Result<Option<Delivery>> {
    connection.prepare_cached(ONE)?.query_row([id], from_row).optional()
}

/// What each channel still owes.
pub(super) fn lines(connection: &Connection) -> Result<Vec<OutboxLine>> {
    connection
        .prepare_cached(LINES)?
        .query_map([], |row| {
            Ok(OutboxLine {
                channel: row.get("channel")?,
                pending: row.get::<_, u32>("pending")?.into(),
                oldest_at: super::rows::time_or_null(row, "oldest_at_ms")?,
            })
        })?
        .collect()
}

pub(super) fn from_row(row: &Row<'_>) -> Result<Delivery> {
    let message: MessageJson = from_json(row.get_ref("message")?.as_str()?)?;
    Ok(Delivery {
        id: row.get("id")?,
        channel: row.get("channel")?,
        message: Message::try_from(message).map_err(unreadable)?,
        state: word_in(row, "state")?,
        attempts: row.get("attempts")?,
        next_at: time(row, "next_at_ms")?,
        created_at: time(row, "created_at_ms")?,
        last_error: row.get("last_error")?,
        provider_ref: row.get("provider_ref")?,
        thread_ref: None,
        merged: None,
    })
}
