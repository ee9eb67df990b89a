//! Channels that refuse for good: told to the others once a day, and listed until they work again.
//!
//! Owns the rule of once a day, which holds across restarts, and two kinds of keys in `told`. Does
//! not own what is said. Invariant: that a channel is broken is noted and owed in one transaction.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::owe;
use crate::engine::Owed;
use crate::model::{Timestamp, Told};
use crate::store::rows::{instant, millis};
use crate::store::{BrokenChannel, migrate, told};

/// The others are told again after this, when it is still so.
const AGAIN_AFTER: Duration = Duration::from_hours(24);
/// What the others were told.
const TOLD: &str = "channel_broken:";
/// When a channel that had worked refused.
const REFUSED_AT: &str = "channel_refused:";
/// Since when a channel fails its self-test.
const FAILED_AT: &str = "channel_failed:";

const TOLD_AT: &str = "SELECT at_ms FROM told WHERE key = ?1";

pub(in crate::store) const REFUSED: &str =
    "SELECT key, at_ms FROM told WHERE key GLOB 'channel_refused:*' ORDER BY key";

pub(in crate::store) const FAILED: &str =
    "SELECT key, at_ms FROM told WHERE key GLOB 'channel_failed:*' ORDER BY key";

/// The first failure counts: since then it does not work.
const NOTE_FAILED: &str = "INSERT INTO told (key, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

const FORGET_FAILED: &str = "DELETE FROM told WHERE key = ?1";

/// What a channel has taken since.
pub(in crate::store) const TAKEN_SINCE: &str = "
    SELECT 1 FROM deliveries
    WHERE finished_at_ms >= ?2 AND channel = ?1 AND state = 'delivered' LIMIT 1";

/// Why it refused last: its dead rows end when their last attempt began.
pub(in crate::store) const WHY: &str = "
    SELECT last_error FROM deliveries
    WHERE finished_at_ms >= ?2 AND channel = ?1 AND state = 'dead'
    ORDER BY finished_at_ms DESC LIMIT 1";

/// An attempt that made a channel broken began at most this long before.
const LONGEST_ATTEMPT: Duration = Duration::from_mins(10);

/// Notes that `channel` refuses for good and owes that to the others, unless they were told within
/// a day; answers how many messages that are.
pub(in crate::store) fn tell_broken(
    connection: &Connection,
    channel: &str,
    owed: &[Owed],
    now: Timestamp,
) -> Result<usize> {
    told::put(connection, &Told { key: format!("{REFUSED_AT}{channel}"), at: now })?;
    tell_once_a_day(connection, channel, owed, now)
}

/// The same of one that fails its self-test.
pub(in crate::store) fn self_test_failed(
    connection: &Connection,
    channel: &str,
    owed: &[Owed],
    now: Timestamp,
) -> Result<usize> {
    connection
        .prepare_cached(NOTE_FAILED)?
        .execute(params![format!("{FAILED_AT}{channel}"), millis(now)])?;
    tell_once_a_day(connection, channel, owed, now)
}

/// Forgets that `channel` failed its self-test; answers whether it did.
pub(in crate::store) fn self_test_passed(connection: &Connection, channel: &str) -> Result<bool> {
    let key = format!("{FAILED_AT}{channel}");
    Ok(connection.prepare_cached(FORGET_FAILED)?.execute([key])? > 0)
}

fn tell_once_a_day(
    connection: &Connection,
    channel: &str,
    owed: &[Owed],
    now: Timestamp,
) -> Result<usize> {
    let key = format!("{TOLD}{channel}");
    let told_at: Option<i64> =
        connection.prepare_cached(TOLD_AT)?.query_row([&key], |row| row.get(0)).optional()?;
    let again_at = now.saturating_sub(AGAIN_AFTER).unwrap_or(now);
    if owed.is_empty() || told_at.is_some_and(|at_ms| at_ms > millis(again_at)) {
        return Ok(0);
    }
    told::put(connection, &Told { key, at: now })?;
    for one in owed {
        owe(connection, one, now)?;
    }
    Ok(owed.len())
}

/// The channels that refused for good, or failed their self-test, and have taken nothing since.
pub(in crate::store) fn broken(connection: &Connection) -> Result<Vec<BrokenChannel>> {
    if !migrate::has_jobs(connection)? {
        return Ok(Vec::new());
    }
    let mut refused: Vec<(String, i64)> = Vec::new();
    for (query, prefix) in [(REFUSED, REFUSED_AT), (FAILED, FAILED_AT)] {
        let mut statement = connection.prepare_cached(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key: String = row.get("key")?;
            refused.push((key.strip_prefix(prefix).unwrap_or(&key).to_owned(), row.get("at_ms")?));
        }
    }
    let mut broken: Vec<BrokenChannel> = Vec::new();
    for (channel, at_ms) in refused {
        let is_taken = connection.prepare_cached(TAKEN_SINCE)?.exists(params![channel, at_ms])?;
        if is_taken || broken.iter().any(|known| known.channel == channel) {
            continue;
        }
        let refused_at = instant(at_ms)?;
        let begin = refused_at.saturating_sub(LONGEST_ATTEMPT).unwrap_or(refused_at);
        let why: Option<Option<String>> = connection
            .prepare_cached(WHY)?
            .query_row(params![channel, millis(begin)], |row| row.get(0))
            .optional()?;
        let reason = why.flatten().unwrap_or_default();
        broken.push(BrokenChannel { channel, refused_at, reason });
    }
    Ok(broken)
}
