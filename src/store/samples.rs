//! How long completed jobs took: what baselines are made of.
//!
//! Reads the table `jobs`, owns none. Which jobs count was decided when they were written. Invariant:
//! every query is answered by the index `jobs_samples` alone, however many jobs there are.

use std::time::Duration;

use rusqlite::{Connection, Result, params};

use super::rows::{instant, millis};
use crate::engine::jobs::limits::{MOST_SAMPLES, MOST_WAITING, SETTLED_AFTER};
use crate::model::{JobKind, Origin, Sample, Stage, Timestamp};

/// From its creation to the first look after it began.
pub(super) const QUEUE: &str = "
    SELECT started_latest_at_ms - created_at_ms AS duration_ms, finished_at_ms FROM jobs
    WHERE sample = 1 AND state = 'completed' AND kind = ?1 AND origin = ?2
        AND finished_at_ms >= ?3 AND finished_at_ms < ?4 AND started_latest_at_ms IS NOT NULL
    ORDER BY finished_at_ms DESC LIMIT ?5";

/// From the last look before it began to the first after its end.
pub(super) const PROCESSING: &str = "
    SELECT ended_latest_at_ms - started_earliest_at_ms AS duration_ms, finished_at_ms FROM jobs
    WHERE sample = 1 AND state = 'completed' AND kind = ?1 AND origin = ?2
        AND finished_at_ms >= ?3 AND finished_at_ms < ?4 AND started_earliest_at_ms IS NOT NULL
        AND ended_latest_at_ms IS NOT NULL
    ORDER BY finished_at_ms DESC LIMIT ?5";

/// From its creation to the first look after its end.
pub(super) const LIFE: &str = "
    SELECT ended_latest_at_ms - created_at_ms AS duration_ms, finished_at_ms FROM jobs
    WHERE sample = 1 AND state = 'completed' AND kind = ?1 AND origin = ?2
        AND finished_at_ms >= ?3 AND finished_at_ms < ?4 AND ended_latest_at_ms IS NOT NULL
    ORDER BY finished_at_ms DESC LIMIT ?5";

/// The last samples of each kind, origin and stage since `since`, oldest first: those that are
/// settled by `now`, and those that wait for it. All samples of a job are dated by its end.
pub(super) fn since(
    connection: &Connection,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Sample>> {
    let settled_at = now.saturating_sub(SETTLED_AFTER).unwrap_or(now);
    let parts = [(since, settled_at, MOST_SAMPLES), (settled_at, Timestamp::MAX, MOST_WAITING)];
    let stages = [(Some(Stage::Queue), QUEUE), (Some(Stage::Processing), PROCESSING), (None, LIFE)];
    let mut samples = Vec::new();
    for kind in JobKind::ALL {
        for origin in Origin::ALL {
            for (stage, statement) in stages {
                let blank = Sample { kind, origin, stage, duration: Duration::ZERO, at: since };
                for part in parts {
                    samples.extend(of_stage(connection, statement, blank, part)?);
                }
            }
        }
    }
    samples.sort_by_key(|sample| sample.at);
    Ok(samples)
}

fn of_stage(
    connection: &Connection,
    statement: &str,
    blank: Sample,
    (since, until, most): (Timestamp, Timestamp, usize),
) -> Result<Vec<Sample>> {
    let (kind, origin) = (blank.kind.as_str(), blank.origin.as_str());
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection
        .prepare_cached(statement)?
        .query_map(params![kind, origin, millis(since), millis(until), most], |row| {
            let duration_ms: i64 = row.get("duration_ms")?;
            Ok(Sample {
                duration: Duration::from_millis(u64::try_from(duration_ms).unwrap_or_default()),
                at: instant(row.get("finished_at_ms")?)?,
                ..blank
            })
        })?
        .collect()
}
