//! Forgetting old history, in steps so small that nothing waits for them.
//!
//! Owns no table. Invariant: nothing is deleted on the word of a clock that may be wrong: not when
//! `now` is far ahead of the last heartbeat, and after such a gap not before an hour of steady time.

use rusqlite::{Connection, Result, params};
use std::time::Duration;

use super::Retention;
use super::history::Alive;
use super::rows::{millis, span};
use crate::model::Timestamp;

/// Rows that one step looks at (measured: a writer beside it waits 20 ms at the 99th percentile).
pub(super) const STEP_ROWS: i64 = 1_000;

/// Pages given back to the file system after one step.
const STEP_PAGES: i64 = 200;

/// A clock this far ahead of the last heartbeat is not believed.
const LONGEST_SILENCE: Duration = Duration::from_hours(48);

/// How long time must have run steadily before it is believed again.
const STEADY: Duration = Duration::from_hours(1);

pub(super) const LAST_BEATS: &str =
    "SELECT begun_at_ms, ended_at_ms FROM heartbeats ORDER BY begun_at_ms DESC LIMIT 2";

pub(super) const SERIES_IDS: &str = "SELECT id FROM series ORDER BY id";

pub(super) const STEP_END: &str = "
    SELECT max(ended_at_ms) FROM (
        SELECT ended_at_ms FROM observations
        WHERE series_id = ?1 AND ended_at_ms > ?2 AND ended_at_ms < ?3
        ORDER BY ended_at_ms LIMIT ?4)";

/// Failures outlive the rest; a skipped run is no failure.
pub(super) const FORGET_PLAIN: &str = "
    DELETE FROM observations
    WHERE series_id = ?1 AND ended_at_ms > ?2 AND ended_at_ms <= ?3
        AND (outcome IS NULL OR outcome = 'skipped')";

pub(super) const FORGET_ALL: &str = "
    DELETE FROM observations WHERE series_id = ?1 AND ended_at_ms > ?2 AND ended_at_ms <= ?3";

pub(super) const FORGET_DELIVERIES: &str = "
    DELETE FROM deliveries WHERE id IN (
        SELECT id FROM deliveries
        WHERE finished_at_ms IS NOT NULL AND finished_at_ms < ?1
        ORDER BY finished_at_ms LIMIT ?2)";

/// A job that lives has no end, so it is never among them.
pub(super) const FORGET_JOBS: &str = "
    DELETE FROM jobs WHERE (kind, id) IN (
        SELECT kind, id FROM jobs
        WHERE finished_at_ms IS NOT NULL AND finished_at_ms < ?1
        ORDER BY finished_at_ms LIMIT ?2)";

/// What is still to be forgotten; each step takes the next piece.
#[derive(Debug)]
pub(super) struct Sweep {
    passes: Vec<Pass>,
    /// What goes by its end alone: statement and horizon.
    ended: [(&'static str, i64); 2],
}

/// One walk along one series.
#[derive(Debug, Clone, Copy)]
struct Pass {
    series_id: i64,
    statement: &'static str,
    after_ms: i64,
    before_ms: i64,
}

/// What a step did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It deleted so many rows, and there may be more.
    Deleted(u64),
    /// Nothing is left.
    Done,
}

impl Sweep {
    /// Plans a sweep; `None` when the clock cannot be believed.
    pub(super) fn plan(
        connection: &Connection,
        now: Timestamp,
        retention: Retention,
    ) -> Result<Option<Self>> {
        if !is_clock_steady(connection, now)? {
            return Ok(None);
        }
        let plain_before_ms = horizon(now, retention.observations);
        let all_before_ms = horizon(now, retention.failures);
        let ids: Vec<i64> = connection
            .prepare_cached(SERIES_IDS)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_>>()?;
        let passes = ids
            .into_iter()
            .flat_map(|series_id| {
                let pass = |statement, before_ms| Pass {
                    series_id,
                    statement,
                    after_ms: i64::MIN,
                    before_ms,
                };
                [pass(FORGET_PLAIN, plain_before_ms), pass(FORGET_ALL, all_before_ms)]
            })
            .collect();
        let ended = [(FORGET_DELIVERIES, all_before_ms), (FORGET_JOBS, plain_before_ms)];
        Ok(Some(Self { passes, ended }))
    }

    /// Takes the next step.
    pub(super) fn step(&mut self, connection: &Connection) -> Result<Step> {
        while let Some(pass) = self.passes.last_mut() {
            let end: Option<i64> = connection.prepare_cached(STEP_END)?.query_row(
                params![pass.series_id, pass.after_ms, pass.before_ms, STEP_ROWS],
                |row| row.get(0),
            )?;
            let Some(end) = end else {
                self.passes.pop();
                continue;
            };
            let deleted = connection.prepare_cached(pass.statement)?.execute(params![
                pass.series_id,
                pass.after_ms,
                end
            ])?;
            pass.after_ms = end;
            return Ok(Step::Deleted(deleted as u64));
        }
        for (statement, before_ms) in self.ended {
            let deleted =
                connection.prepare_cached(statement)?.execute(params![before_ms, STEP_ROWS])?;
            if deleted > 0 {
                return Ok(Step::Deleted(deleted as u64));
            }
        }
        Ok(Step::Done)
    }
}

/// Gives free pages back to the file system. Outside a transaction.
pub(super) fn shrink(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({STEP_PAGES})"))?;
    let mut rows = statement.query([])?;
    // Each step of the statement frees one page.
    while rows.next()?.is_some() {}
    Ok(())
}

fn horizon(now: Timestamp, age: Duration) -> i64 {
    millis(now).saturating_sub(span(age))
}

fn is_clock_steady(connection: &Connection, now: Timestamp) -> Result<bool> {
    let now_ms = millis(now);
    let mut statement = connection.prepare_cached(LAST_BEATS)?;
    let mut rows = statement.query_map([], Alive::from_row)?;
    let Some(current) = rows.next().transpose()? else {
        return Ok(false);
    };
    let previous = rows.next().transpose()?;
    let silence_ms = span(LONGEST_SILENCE);
    if now_ms - current.ended_at_ms > silence_ms {
        return Ok(false);
    }
    let was_long_silent =
        previous.is_some_and(|previous| current.begun_at_ms - previous.ended_at_ms > silence_ms);
    Ok(!was_long_silent || now_ms - current.begun_at_ms >= span(STEADY))
}
