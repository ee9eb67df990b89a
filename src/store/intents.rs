//! The ledger: every paid test that was ever intended.
//!
//! Owns the table `intents`. Sums up nothing: what may be spent is the engine's. Invariants: a row
//! is never deleted and never becomes that of another test, so a number is never given twice.

use std::collections::BTreeMap;

use rusqlite::{Connection, Error, OptionalExtension, Result, Row, ffi, named_params, params};

use super::migrate;
use super::rows::{limit_of, millis, time, word_in, word_or_null};
use crate::model::{Intent, IntentId, Outcome, Timestamp, Usd};

/// What a test is stays as it was first written; what comes of it moves.
const PUT_INTENT: &str = "
    INSERT INTO intents (id, probe, kind, nonce, look, price_micro_usd, trigger, state,
        created_at_ms, job_id, searches, misses, failed_deletes, outcome, changed_at_ms)
    VALUES (:id, :probe, :kind, :nonce, :look, :price_micro_usd, :trigger, :state,
        :created_at_ms, :job_id, :searches, :misses, :failed_deletes, :outcome, :changed_at_ms)
    ON CONFLICT (id) DO UPDATE SET
        price_micro_usd = excluded.price_micro_usd, state = excluded.state,
        job_id = excluded.job_id, searches = excluded.searches, misses = excluded.misses,
        failed_deletes = excluded.failed_deletes, outcome = excluded.outcome,
        changed_at_ms = excluded.changed_at_ms
    WHERE nonce = excluded.nonce";

pub(super) const OPEN: &str = "
    SELECT * FROM intents WHERE state IN ('intended', 'ambiguous', 'accepted', 'judged')";

pub(super) const CREATED_SINCE: &str = "SELECT * FROM intents WHERE created_at_ms >= ?1";

/// Goes from one probe and look to the next without reading what lies between.
pub(super) const NEXT_LOOK: &str = "
    SELECT probe, look FROM intents WHERE (probe, look) > (?1, ?2) ORDER BY probe, look LIMIT 1";

pub(super) const LAST_OF_LOOK: &str = "
    SELECT * FROM intents WHERE probe = ?1 AND look = ?2 ORDER BY id DESC LIMIT ?3";

pub(super) const LISTED: &str = "
    SELECT * FROM intents WHERE created_at_ms >= ?1 ORDER BY created_at_ms DESC, id DESC LIMIT ?2";

/// Of each probe and look: enough to tell whether a look failed twice.
const LAST_KEPT: i64 = 2;

/// Writes an intent as it is now.
///
/// # Errors
/// Besides those of the database: when its number belongs to another one.
pub(super) fn put(connection: &Connection, intent: &Intent) -> Result<()> {
    let written = connection.prepare_cached(PUT_INTENT)?.execute(named_params! {
        ":id": intent.id,
        ":probe": intent.probe,
        ":kind": intent.kind.as_str(),
        ":nonce": intent.nonce,
        ":look": intent.look,
        ":price_micro_usd": intent.price.0,
        ":trigger": intent.trigger.as_str(),
        ":state": intent.state.as_str(),
        ":created_at_ms": millis(intent.created_at),
        ":job_id": intent.job_id,
        ":searches": intent.searches,
        ":misses": intent.misses,
        ":failed_deletes": intent.failed_deletes,
        ":outcome": intent.outcome.map(Outcome::as_str),
        ":changed_at_ms": millis(intent.changed_at),
    })?;
    if written == 1 {
        return Ok(());
    }
    let code = ffi::Error::new(ffi::SQLITE_CONSTRAINT);
    Err(Error::SqliteFailure(code, Some(format!("intent {} is another one", intent.id))))
}

/// Open intents, those created at or after `since`, and the last ones of each probe and look;
/// oldest first.
pub(super) fn recent(connection: &Connection, since: Timestamp) -> Result<Vec<Intent>> {
    let mut intents: BTreeMap<IntentId, Intent> = BTreeMap::new();
    let mut keep = |intent: Intent| drop(intents.insert(intent.id, intent));
    let mut open = connection.prepare_cached(OPEN)?;
    for intent in open.query_map([], from_row)? {
        keep(intent?);
    }
    let mut created = connection.prepare_cached(CREATED_SINCE)?;
    for intent in created.query_map([millis(since)], from_row)? {
        keep(intent?);
    }
    let mut last = connection.prepare_cached(LAST_OF_LOOK)?;
    for (probe, look) in looks(connection)? {
        for intent in last.query_map(params![probe, look, LAST_KEPT], from_row)? {
            keep(intent?);
        }
    }
    Ok(intents.into_values().collect())
}

/// Every probe and look that was ever paid for.
fn looks(connection: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = connection.prepare_cached(NEXT_LOOK)?;
    let mut looks: Vec<(String, String)> = Vec::new();
    loop {
        let (probe, look) =
            looks.last().map_or(("", ""), |(probe, look)| (probe.as_str(), look.as_str()));
        let next =
            statement.query_row([probe, look], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match next {
            Some(next) => looks.push(next),
            None => return Ok(looks),
        }
    }
}

/// Intents created at or after `since`, newest first.
pub(super) fn listed(
    connection: &Connection,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<Intent>> {
    if !migrate::has_jobs(connection)? {
        return Ok(Vec::new());
    }
    connection
        .prepare_cached(LISTED)?
        .query_map(params![millis(since), limit_of(limit)], from_row)?
        .collect()
}

fn from_row(row: &Row<'_>) -> Result<Intent> {
    Ok(Intent {
        id: row.get("id")?,
        probe: row.get("probe")?,
        kind: word_in(row, "kind")?,
        nonce: row.get("nonce")?,
        look: row.get("look")?,
        price: Usd(row.get("price_micro_usd")?),
        trigger: word_in(row, "trigger")?,
        state: word_in(row, "state")?,
        created_at: time(row, "created_at_ms")?,
        job_id: row.get("job_id")?,
        searches: row.get("searches")?,
        misses: row.get("misses")?,
        failed_deletes: row.get("failed_deletes")?,
        outcome: word_or_null(row, "outcome")?,
        changed_at: time(row, "changed_at_ms")?,
    })
}
