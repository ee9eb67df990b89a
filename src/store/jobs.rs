//! Jobs, and where the look at them stands.
//!
//! Owns the tables `jobs` and `job_positions`. A job is written whole at each change. Decides
//! nothing about them, not even which are late. Invariants: a job that lives is never forgotten;
//! every list is read along an index, however many jobs there are.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, Result, Row, named_params, params};

use super::migrate;
use super::rows::{limit_of, millis, time, time_or_null, unreadable, word_in};
use crate::engine::uptime::Window;
use crate::model::{
    Backfill, Interval, Job, JobFailure, JobKind, JobPosition, Origin, Timestamp, UnknownWord,
};

/// Which jobs to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those that have not ended.
    pub live_only: bool,
    /// Of this kind; `None`: of every kind.
    pub kind: Option<JobKind>,
    /// Of this origin; `None`: of both.
    pub origin: Option<Origin>,
    /// Only what comes after this one.
    pub before: Option<JobCursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in the list of jobs, newest first: that of the last job of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCursor {
    /// When that job was created.
    pub created_at: Timestamp,
    /// Its kind.
    pub kind: JobKind,
    /// Its id.
    pub id: String,
}

impl JobCursor {
    /// The place of a job that the store gave.
    pub fn of(job: &Job) -> Self {
        Self { created_at: job.created_at, kind: job.kind, id: job.id.clone() }
    }

    /// What the ids of `kind` that come after this place are compared with.
    fn bound(&self, kind: JobKind) -> (i64, &str) {
        let created_at_ms = millis(self.created_at);
        match kind.cmp(&self.kind) {
            Ordering::Equal => (created_at_ms, self.id.as_str()),
            // Of the same instant these come later, whatever their ids.
            Ordering::Less => (created_at_ms.saturating_add(1), ""),
            Ordering::Greater => (created_at_ms, ""),
        }
    }
}

impl fmt::Display for JobCursor {
    /// `1790000000000.video.v_1`: the token of a next page.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", millis(self.created_at), self.kind, self.id)
    }
}

impl FromStr for JobCursor {
    type Err = UnknownWord;

    fn from_str(token: &str) -> std::result::Result<Self, UnknownWord> {
        let mut parts = token.splitn(3, '.');
        let mut read = || {
            let created_at = parts.next()?.parse().ok()?;
            Some(Self {
                created_at: Timestamp::from_millisecond(created_at).ok()?,
                kind: parts.next()?.parse().ok()?,
                id: parts.next()?.to_owned(),
            })
        };
        read().ok_or_else(|| UnknownWord {
            kind: "place in the list of jobs",
            word: token.to_owned(),
        })
    }
}

/// How many jobs that have ended are given back at start: days of a very busy account.
const MAX_ENDED: i64 = 20_000;

const PUT_JOB: &str = "
    INSERT INTO jobs (kind, id, origin, title, created_at_ms, first_seen_at_ms, seen_at_ms, state,
        started_earliest_at_ms, started_latest_at_ms, ended_earliest_at_ms, ended_latest_at_ms,
        finished_at_ms, abandoned, sample, has_failure, failure_code, failure_message)
    VALUES (:kind, :id, :origin, :title, :created_at_ms, :first_seen_at_ms, :seen_at_ms, :state,
        :started_earliest_at_ms, :started_latest_at_ms, :ended_earliest_at_ms,
        :ended_latest_at_ms, :finished_at_ms, :abandoned, :sample, :has_failure, :failure_code,
        :failure_message)
    ON CONFLICT (kind, id) DO UPDATE SET
        origin = excluded.origin, title = excluded.title, created_at_ms = excluded.created_at_ms,
        first_seen_at_ms = excluded.first_seen_at_ms, seen_at_ms = excluded.seen_at_ms,
        state = excluded.state, started_earliest_at_ms = excluded.started_earliest_at_ms,
        started_latest_at_ms = excluded.started_latest_at_ms,
        ended_earliest_at_ms = excluded.ended_earliest_at_ms,
        ended_latest_at_ms = excluded.ended_latest_at_ms,
        finished_at_ms = excluded.finished_at_ms, abandoned = excluded.abandoned,
        sample = excluded.sample, has_failure = excluded.has_failure,
        failure_code = excluded.failure_code, failure_message = excluded.failure_message";

pub(super) const LIVE: &str =
    "SELECT * FROM jobs INDEXED BY jobs_live WHERE finished_at_ms IS NULL";

pub(super) const ENDED_SINCE: &str = "
    SELECT * FROM jobs WHERE finished_at_ms IS NOT NULL AND finished_at_ms >= ?1
    ORDER BY finished_at_ms DESC LIMIT ?2";

/// One kind and origin at a time, newest first.
pub(super) const CREATED_WITHIN: &str = "
    SELECT * FROM jobs INDEXED BY jobs_by_creation
    WHERE kind = ?1 AND origin = ?2 AND created_at_ms >= ?3 AND created_at_ms < ?4
    ORDER BY created_at_ms DESC LIMIT ?5";

/// One kind and origin at a time, so that a page of jobs reads a page of rows.
pub(super) const LISTED: &str = "
    SELECT * FROM jobs INDEXED BY jobs_by_creation
    WHERE kind = ?1 AND origin = ?2 AND (created_at_ms, id) < (?3, ?4)
    ORDER BY created_at_ms DESC, id DESC LIMIT ?5";

pub(super) const LISTED_LIVE: &str = "
    SELECT * FROM jobs INDEXED BY jobs_live
    WHERE finished_at_ms IS NULL AND kind = ?1 AND origin = ?2
        AND (created_at_ms, id) < (?3, ?4)
    ORDER BY created_at_ms DESC, id DESC LIMIT ?5";

const PUT_POSITION: &str = "
    INSERT INTO job_positions (kind, newest_created_at_ms, backfill, backfill_cursor)
    VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (kind) DO UPDATE SET
        newest_created_at_ms = excluded.newest_created_at_ms, backfill = excluded.backfill,
        backfill_cursor = excluded.backfill_cursor";

pub(super) const POSITIONS: &str = "
    SELECT kind, newest_created_at_ms, backfill, backfill_cursor FROM job_positions ORDER BY kind";

/// Writes a job as it is now.
pub(super) fn put(connection: &Connection, job: &Job) -> Result<()> {
    let failure = job.failure.as_ref();
    connection.prepare_cached(PUT_JOB)?.execute(named_params! {
        ":kind": job.kind.as_str(),
        ":id": job.id,
        ":origin": job.origin.as_str(),
        ":title": job.title,
        ":created_at_ms": millis(job.created_at),
        ":first_seen_at_ms": millis(job.first_seen_at),
        ":seen_at_ms": millis(job.seen_at),
        ":state": job.state.as_str(),
        ":started_earliest_at_ms": job.started.map(|interval| millis(interval.earliest)),
        ":started_latest_at_ms": job.started.map(|interval| millis(interval.latest)),
        ":ended_earliest_at_ms": job.ended.map(|interval| millis(interval.earliest)),
        ":ended_latest_at_ms": job.ended.map(|interval| millis(interval.latest)),
        ":finished_at_ms": finished_at(job).map(millis),
        ":abandoned": job.is_abandoned,
        ":sample": job.is_sample,
        ":has_failure": failure.is_some(),
        ":failure_code": failure.and_then(|failure| failure.code.as_deref()),
        ":failure_message": failure.and_then(|failure| failure.message.as_deref()),
    })?;
    Ok(())
}

/// When it had ended at the latest; `None` while it lives.
fn finished_at(job: &Job) -> Option<Timestamp> {
    let last_known = || job.ended.map_or(job.seen_at, |interval| interval.latest);
    (!job.state.is_live()).then(last_known)
}

/// Jobs that live, and those that ended at or after `since`; oldest first.
pub(super) fn recent(connection: &Connection, since: Timestamp) -> Result<Vec<Job>> {
    let mut jobs: Vec<Job> =
        connection.prepare_cached(LIVE)?.query_map([], from_row)?.collect::<Result<_>>()?;
    let mut statement = connection.prepare_cached(ENDED_SINCE)?;
    for job in statement.query_map([millis(since), MAX_ENDED], from_row)? {
        jobs.push(job?);
    }
    jobs.sort_by(oldest_first);
    Ok(jobs)
}

/// The jobs that were created within a window, whatever became of them; at most `limit` of each kind
/// and origin, the newest.
pub(super) fn created_within(
    connection: &Connection,
    window: Window,
    limit: usize,
) -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    if !migrate::has_jobs(connection)? {
        return Ok(jobs);
    }
    let mut statement = connection.prepare_cached(CREATED_WITHIN)?;
    for kind in JobKind::ALL {
        for origin in Origin::ALL {
            let place = params![
                kind.as_str(),
                origin.as_str(),
                millis(window.since),
                millis(window.until),
                limit_of(limit)
            ];
            for job in statement.query_map(place, from_row)? {
                jobs.push(job?);
            }
        }
    }
    Ok(jobs)
}

/// The jobs that the filter names, newest first.
pub(super) fn listed(connection: &Connection, filter: &JobFilter) -> Result<Vec<Job>> {
    if !migrate::has_jobs(connection)? {
        return Ok(Vec::new());
    }
    let mut statement =
        connection.prepare_cached(if filter.live_only { LISTED_LIVE } else { LISTED })?;
    let limit = limit_of(filter.limit);
    let mut jobs = Vec::new();
    for kind in JobKind::ALL.into_iter().filter(|kind| filter.kind.is_none_or(|one| one == *kind)) {
        let (created_at_ms, id) =
            filter.before.as_ref().map_or((i64::MAX, ""), |cursor| cursor.bound(kind));
        for origin in Origin::ALL {
            if filter.origin.is_some_and(|one| one != origin) {
                continue;
            }
            let place = params![kind.as_str(), origin.as_str(), created_at_ms, id, limit];
            for job in statement.query_map(place, from_row)? {
                jobs.push(job?);
            }
        }
    }
    jobs.sort_by(|one, other| oldest_first(other, one));
    jobs.truncate(filter.limit);
    Ok(jobs)
}

fn oldest_first(one: &Job, other: &Job) -> Ordering {
    let place = |job: &Job| (job.created_at, job.kind);
    place(one).cmp(&place(other)).then_with(|| one.id.cmp(&other.id))
}

/// Writes where the look at one kind stands.
pub(super) fn put_position(connection: &Connection, position: &JobPosition) -> Result<()> {
    let (backfill, cursor) = match &position.backfill {
        Backfill::Due => ("due", None),
        Backfill::At(cursor) => ("under_way", Some(cursor.as_str())),
        Backfill::Done => ("done", None),
    };
    connection.prepare_cached(PUT_POSITION)?.execute(params![
        position.kind.as_str(),
        position.newest_created_at.map(millis),
        backfill,
        cursor
    ])?;
    Ok(())
}

/// Where the look at each kind stands.
pub(super) fn positions(connection: &Connection) -> Result<Vec<JobPosition>> {
    connection
        .prepare_cached(POSITIONS)?
        .query_map([], |row| {
            Ok(JobPosition {
                kind: word_in(row, "kind")?,
                newest_created_at: time_or_null(row, "newest_created_at_ms")?,
                backfill: backfill(row)?,
            })
        })?
        .collect()
}

fn backfill(row: &Row<'_>) -> Result<Backfill> {
    let cursor: Option<String> = row.get("backfill_cursor")?;
    match (row.get_ref("backfill")?.as_str()?, cursor) {
        ("due", None) => Ok(Backfill::Due),
        ("under_way", Some(cursor)) => Ok(Backfill::At(cursor)),
        ("done", None) => Ok(Backfill::Done),
        (word, _) => Err(unreadable(UnknownWord { kind: "look back", word: word.to_owned() })),
    }
}

fn from_row(row: &Row<'_>) -> Result<Job> {
    let failure =
        JobFailure { code: row.get("failure_code")?, message: row.get("failure_message")? };
    Ok(Job {
        kind: word_in(row, "kind")?,
        id: row.get("id")?,
        origin: word_in(row, "origin")?,
        title: row.get("title")?,
        created_at: time(row, "created_at_ms")?,
        first_seen_at: time(row, "first_seen_at_ms")?,
        seen_at: time(row, "seen_at_ms")?,
        state: word_in(row, "state")?,
        started: interval(row, "started_earliest_at_ms", "started_latest_at_ms")?,
        ended: interval(row, "ended_earliest_at_ms", "ended_latest_at_ms")?,
        is_abandoned: row.get("abandoned")?,
        is_sample: row.get("sample")?,
        failure: row.get::<_, bool>("has_failure")?.then_some(failure),
    })
}

fn interval(row: &Row<'_>, earliest: &str, latest: &str) -> Result<Option<Interval>> {
    let ends = (time_or_null(row, earliest)?, time_or_null(row, latest)?);
    let (Some(earliest), Some(latest)) = ends else {
        return Ok(None);
    };
    Ok(Some(Interval { earliest, latest }))
}
