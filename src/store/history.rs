//! Observations and heartbeats: what was seen, and when anybody was looking.
//!
//! Owns the tables `series`, `observations`, `details` and `heartbeats`. A plain success is one
//! compact row without its phases and certificate; everything else keeps all it had.
//! Invariant: within a series the stored ends are strictly increasing, and nothing is ever edited.

use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};
use std::time::Duration;

use super::rows::{
    ControlRow, EvidenceRow, PhasesRow, TransportRow, from_json, instant, millis, span, to_json,
    word,
};
use crate::model::{
    ControlReading, Evidence, Observation, Outcome, Phases, Series, SkipReason, Timestamp,
    Transport,
};

/// Heartbeats further apart than this leave a gap: three missed ones at the daemon's 30 s.
pub(super) const LONGEST_BEAT: Duration = Duration::from_secs(90);

const ADD_SERIES: &str = "
    INSERT INTO series (probe, subject, kind, anonymous, capabilities)
    VALUES (:probe, :subject, :kind, :anonymous, :capabilities)
    ON CONFLICT DO NOTHING";

pub(super) const FIND_SERIES: &str = "
    SELECT id FROM series
    WHERE probe = :probe AND subject = :subject AND kind = :kind AND anonymous = :anonymous
        AND capabilities = :capabilities";

pub(super) const LAST_END: &str = "
    SELECT ended_at_ms FROM observations WHERE series_id = ?1 ORDER BY ended_at_ms DESC LIMIT 1";

const ADD_OBSERVATION: &str = "
    INSERT INTO observations (series_id, ended_at_ms, duration_ms, outcome)
    VALUES (?1, ?2, ?3, ?4)";

const ADD_DETAILS: &str = "
    INSERT INTO details (series_id, ended_at_ms, skipped, answered, phases, evidence, transport,
        control, certificate_expires_at_ms)
    VALUES (:series_id, :ended_at_ms, :skipped, :answered, :phases, :evidence, :transport,
        :control, :certificate_expires_at_ms)";

pub(super) const ALL_SERIES: &str =
    "SELECT id, probe, subject, kind, anonymous, capabilities FROM series ORDER BY id";

pub(super) const SERIES_OF: &str = "
    SELECT id, probe, subject, kind, anonymous, capabilities FROM series
    WHERE probe = ?1 AND subject = ?2 ORDER BY id";

pub(super) const OBSERVATIONS: &str = "
    SELECT o.ended_at_ms, o.duration_ms, o.outcome, d.skipped, d.answered, d.phases, d.evidence,
        d.transport, d.control, d.certificate_expires_at_ms
    FROM observations AS o
    LEFT JOIN details AS d ON d.series_id = o.series_id AND d.ended_at_ms = o.ended_at_ms
    WHERE o.series_id = ?1 AND o.ended_at_ms >= ?2
    ORDER BY o.ended_at_ms";

/// A stretch that has not begun yet was written under a wrong clock, and must not hide this one.
pub(super) const LAST_BEAT: &str = "
    SELECT begun_at_ms, ended_at_ms FROM heartbeats
    WHERE begun_at_ms <= ?1 ORDER BY begun_at_ms DESC LIMIT 1";

/// Stores an observation.
pub(super) fn add(connection: &Connection, observation: &Observation) -> Result<()> {
    let series_id = series_id(connection, observation)?;
    let last: Option<i64> =
        connection.prepare_cached(LAST_END)?.query_row([series_id], |row| row.get(0)).optional()?;
    // The end moves, never the beginning: incidents are back-dated to it.
    let ended_at_ms = last.map_or(i64::MIN, |last| last + 1).max(millis(observation.ended_at));
    let duration_ms = (ended_at_ms - millis(observation.begun_at)).max(0);
    let outcome = match observation.outcome {
        Outcome::Ok => None,
        other => Some(other.as_str()),
    };
    connection.prepare_cached(ADD_OBSERVATION)?.execute(params![
        series_id,
        ended_at_ms,
        duration_ms,
        outcome
    ])?;
    if is_plain(observation) {
        return Ok(());
    }
    add_details(connection, series_id, ended_at_ms, observation)
}

/// True when the compact row says it all.
fn is_plain(observation: &Observation) -> bool {
    observation.outcome == Outcome::Ok
        && observation.answered
        && observation.evidence.is_none()
        && observation.transport.is_none()
        && observation.control.is_none()
}

fn series_id(connection: &Connection, observation: &Observation) -> Result<i64> {
    let capabilities = to_json(&observation.capabilities)?;
    let description = named_params! {
        ":probe": observation.series.probe,
        ":subject": observation.series.subject,
        ":kind": observation.kind.as_str(),
        ":anonymous": observation.anonymous,
        ":capabilities": capabilities,
    };
    let find = || {
        let mut statement = connection.prepare_cached(FIND_SERIES)?;
        statement.query_row(description, |row| row.get(0)).optional()
    };
    if let Some(id) = find()? {
        return Ok(id);
    }
    connection.execute(ADD_SERIES, description)?;
    Ok(connection.last_insert_rowid())
}

fn add_details(
    connection: &Connection,
    series_id: i64,
    ended_at_ms: i64,
    observation: &Observation,
) -> Result<()> {
    let phases = match observation.phases {
        phases if phases == Phases::default() => None,
        phases => Some(to_json(&PhasesRow::from(&phases))?),
    };
    let evidence = observation.evidence.as_deref().map(EvidenceRow::from);
    let transport = observation.transport.as_ref().map(TransportRow::from);
    let control = observation.control.as_ref().map(ControlRow::from);
    connection.prepare_cached(ADD_DETAILS)?.execute(named_params! {
        ":series_id": series_id,
        ":ended_at_ms": ended_at_ms,
        ":skipped": observation.skipped.map(SkipReason::as_str),
        ":answered": observation.answered,
        ":phases": phases,
        ":evidence": evidence.as_ref().map(to_json).transpose()?,
        ":transport": transport.as_ref().map(to_json).transpose()?,
        ":control": control.as_ref().map(to_json).transpose()?,
        ":certificate_expires_at_ms": observation.certificate_expires_at.map(millis),
    })?;
    Ok(())
}

/// Every observation of every series that ended at or after `since`, in the order of their ends.
pub(super) fn all_since(connection: &Connection, since: Timestamp) -> Result<Vec<Observation>> {
    let series = all_series(connection)?;
    collect(connection, &series, since)
}

/// Every series there ever was: its number, and an observation of it before anything was seen.
pub(super) fn all_series(connection: &Connection) -> Result<Vec<(i64, Observation)>> {
    connection
        .prepare_cached(ALL_SERIES)?
        .query_map([], |row| Ok((row.get(0)?, blank(row)?)))?
        .collect()
}

/// The observations of one series that ended at or after `since`, in the order of their ends.
pub(super) fn since(
    connection: &Connection,
    series: &Series,
    since: Timestamp,
) -> Result<Vec<Observation>> {
    collect(connection, &series_of(connection, series)?, since)
}

/// As [`all_series`], of one line of observations: it has several when its probe changed.
pub(super) fn series_of(
    connection: &Connection,
    series: &Series,
) -> Result<Vec<(i64, Observation)>> {
    connection
        .prepare_cached(SERIES_OF)?
        .query_map(params![series.probe, series.subject], |row| Ok((row.get(0)?, blank(row)?)))?
        .collect()
}

fn collect(
    connection: &Connection,
    series: &[(i64, Observation)],
    since: Timestamp,
) -> Result<Vec<Observation>> {
    let mut observations = Vec::new();
    let mut statement = connection.prepare_cached(OBSERVATIONS)?;
    for (id, blank) in series {
        let mut rows = statement.query(params![id, millis(since)])?;
        while let Some(row) = rows.next()? {
            observations.push(filled(blank.clone(), row)?);
        }
    }
    observations.sort_by_key(|observation| (observation.ended_at, observation.begun_at));
    Ok(observations)
}

/// An observation of a series before anything was seen.
fn blank(row: &Row<'_>) -> Result<Observation> {
    let series = Series { probe: row.get(1)?, subject: row.get(2)? };
    let kind = word(row.get_ref(3)?.as_str()?)?;
    Ok(Observation {
        anonymous: row.get(4)?,
        capabilities: from_json(row.get_ref(5)?.as_str()?)?,
        outcome: Outcome::Ok,
        answered: true,
        ..Observation::blank(series, kind, Timestamp::UNIX_EPOCH)
    })
}

/// The observation that stands in a row of [`OBSERVATIONS`].
pub(super) fn filled(mut observation: Observation, row: &Row<'_>) -> Result<Observation> {
    let ended_at_ms: i64 = row.get(0)?;
    let duration_ms: i64 = row.get(1)?;
    observation.ended_at = instant(ended_at_ms)?;
    observation.begun_at = instant(ended_at_ms - duration_ms)?;
    if let Some(outcome) = row.get_ref(2)?.as_str_or_null()? {
        observation.outcome = word(outcome)?;
    }
    let Some(answered) = row.get(4)? else {
        return Ok(observation);
    };
    observation.answered = answered;
    observation.skipped = row.get_ref(3)?.as_str_or_null()?.map(word).transpose()?;
    if let Some(phases) = row.get_ref(5)?.as_str_or_null()? {
        observation.phases = from_json::<PhasesRow>(phases)?.into();
    }
    if let Some(evidence) = row.get_ref(6)?.as_str_or_null()? {
        observation.evidence = Some(Box::new(Evidence::from(from_json::<EvidenceRow>(evidence)?)));
    }
    if let Some(transport) = row.get_ref(7)?.as_str_or_null()? {
        observation.transport = Some(Transport::try_from(from_json::<TransportRow>(transport)?)?);
    }
    if let Some(control) = row.get_ref(8)?.as_str_or_null()? {
        observation.control = Some(ControlReading::try_from(from_json::<ControlRow>(control)?)?);
    }
    let expires_at_ms: Option<i64> = row.get(9)?;
    observation.certificate_expires_at = expires_at_ms.map(instant).transpose()?;
    Ok(observation)
}

/// A stretch of time in which we were alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alive {
    /// Its first heartbeat.
    pub(super) begun_at_ms: i64,
    /// Its last heartbeat.
    pub(super) ended_at_ms: i64,
}

impl Alive {
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self> {
        Ok(Self { begun_at_ms: row.get(0)?, ended_at_ms: row.get(1)? })
    }
}

/// Extends the current stretch, or begins a new one after a gap.
pub(super) fn beat(connection: &Connection, now: Timestamp) -> Result<()> {
    let now_ms = millis(now);
    let last =
        connection.prepare_cached(LAST_BEAT)?.query_row([now_ms], Alive::from_row).optional()?;
    match last {
        Some(alive) if now_ms <= alive.ended_at_ms => {}
        Some(alive) if now_ms - alive.ended_at_ms <= span(LONGEST_BEAT) => {
            connection.execute(
                "UPDATE heartbeats SET ended_at_ms = ?2 WHERE begun_at_ms = ?1",
                [alive.begun_at_ms, now_ms],
            )?;
        }
        Some(_) | None => {
            connection.execute(
                "INSERT INTO heartbeats (begun_at_ms, ended_at_ms) VALUES (?1, ?1)",
                [now_ms],
            )?;
        }
    }
    Ok(())
}
