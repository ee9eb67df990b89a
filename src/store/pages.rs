//! What the page of a probe needs beyond the lists: its last runs, its last failures.
//!
//! Owns no table. Invariant: every statement walks backwards along a key and stops at its limit,
//! so that a page costs the same however much was observed.

use std::time::Duration;

use rusqlite::{Connection, Result, params};

use super::history::{filled, series_of};
use super::rows::{instant, limit_of, millis, word};
use crate::model::{Observation, Outcome, Series, Timestamp};

/// One run, without what it saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// Rows with details in which failures are looked for: a control keeps details of every run.
const LOOKED_THROUGH: i64 = 500;

pub(super) const RUNS: &str = "
    SELECT ended_at_ms, duration_ms, outcome FROM observations
    WHERE series_id = ?1 AND ended_at_ms >= ?2 ORDER BY ended_at_ms DESC LIMIT ?3";

/// What is kept of failures alone is a small part of what was observed.
pub(super) const FAILURES: &str = "
    SELECT d.ended_at_ms, o.duration_ms, o.outcome, d.skipped, d.answered, d.phases, d.evidence,
        d.transport, d.control, d.certificate_expires_at_ms
    FROM details AS d CROSS JOIN observations AS o
        ON o.series_id = d.series_id AND o.ended_at_ms = d.ended_at_ms
    WHERE d.series_id = ?1 ORDER BY d.ended_at_ms DESC LIMIT ?2";

/// The last runs since `since`, newest first.
pub(super) fn runs(
    connection: &Connection,
    series: &Series,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    let mut statement = connection.prepare_cached(RUNS)?;
    for (id, _) in series_of(connection, series)? {
        let mut rows = statement.query(params![id, millis(since), limit_of(limit)])?;
        while let Some(row) = rows.next()? {
            let duration_ms: i64 = row.get(1)?;
            let outcome = row.get_ref(2)?.as_str_or_null()?;
            runs.push(Run {
                ended_at: instant(row.get(0)?)?,
                duration: Duration::from_millis(u64::try_from(duration_ms).unwrap_or_default()),
                outcome: outcome.map_or(Ok(Outcome::Ok), word)?,
            });
        }
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.ended_at));
    runs.truncate(limit);
    Ok(runs)
}

/// The last observations that were neither good nor skipped, newest first.
pub(super) fn failures(
    connection: &Connection,
    series: &Series,
    limit: usize,
) -> Result<Vec<Observation>> {
    let mut failures: Vec<Observation> = Vec::new();
    let mut statement = connection.prepare_cached(FAILURES)?;
    for (id, blank) in series_of(connection, series)? {
        let mut rows = statement.query(params![id, LOOKED_THROUGH])?;
        let enough = failures.len() + limit;
        while failures.len() < enough {
            let Some(row) = rows.next()? else { break };
            let observation = filled(blank.clone(), row)?;
            if !matches!(observation.outcome, Outcome::Ok | Outcome::Skipped) {
                failures.push(observation);
            }
        }
    }
    failures.sort_by_key(|observation| std::cmp::Reverse(observation.ended_at));
    failures.truncate(limit);
    Ok(failures)
}
