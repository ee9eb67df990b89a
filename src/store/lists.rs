//! Lists for pages and scripts, newest first, a page at a time.
//!
//! Owns what may be asked for and the places between two pages. Invariants: every list is read
//! along a key, so a page of it reads about a page of rows; a place stays where it is while rows
//! arrive, so no row is listed twice and none is left out that was there.

use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, Result, params};

use super::rows::{limit_of, millis};
use super::{Store, StoreError, history, incidents, outbox};
use crate::model::{
    Blame, Capability, Delivery, DeliveryState, Incident, IncidentId, Observation, Outcome,
    Timestamp, UnknownWord,
};

/// Which observations to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservationFilter {
    /// Of this probe.
    pub probe: Option<String>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// That inform this capability.
    pub capability: Option<Capability>,
    /// That ended then or later.
    pub since: Option<Timestamp>,
    /// That ended before.
    pub until: Option<Timestamp>,
    /// Only what comes after this one.
    pub before: Option<ObservationCursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in the list of observations: that of the last one of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservationCursor {
    ended_at_ms: i64,
    series_id: i64,
}

impl ObservationCursor {
    /// The ends of this series that come after this place are below.
    fn bound(self, series_id: i64) -> i64 {
        // Of the same instant, series with a smaller number come later.
        self.ended_at_ms.saturating_add(i64::from(series_id < self.series_id))
    }
}

impl fmt::Display for ObservationCursor {
    /// `1790000000000.7`: the token of a next page.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.ended_at_ms, self.series_id)
    }
}

impl FromStr for ObservationCursor {
    type Err = UnknownWord;

    fn from_str(token: &str) -> std::result::Result<Self, UnknownWord> {
        let read = || {
            let (ended_at, series) = token.split_once('.')?;
            Some(Self { ended_at_ms: ended_at.parse().ok()?, series_id: series.parse().ok()? })
        };
        read().ok_or_else(|| UnknownWord {
            kind: "place in the list of observations",
            word: token.to_owned(),
        })
    }
}

/// Which deliveries to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Owed to this channel.
    pub channel: Option<String>,
    /// That stand there.
    pub state: Option<DeliveryState>,
    /// Of this incident.
    pub incident: Option<IncidentId>,
    /// Only those with a smaller id.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// Which incidents to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Open at some time since then.
    pub since: Option<Timestamp>,
    /// That began before.
    pub until: Option<Timestamp>,
    /// Of this side.
    pub blame: Option<Blame>,
    /// That touch this capability.
    pub capability: Option<Capability>,
    /// Open ones (`true`), or resolved ones.
    pub is_open: Option<bool>,
    /// Only those with a smaller number.
    pub before: Option<IncidentId>,
    /// At most so many.
    pub limit: usize,
}

/// Whatever their outcome.
pub(super) const OBSERVATIONS: &str = "
    SELECT o.ended_at_ms, o.duration_ms, o.outcome, d.skipped, d.answered, d.phases, d.evidence,
        d.transport, d.control, d.certificate_expires_at_ms
    FROM observations AS o
    LEFT JOIN details AS d ON d.series_id = o.series_id AND d.ended_at_ms = o.ended_at_ms
    WHERE o.series_id = ?1 AND o.ended_at_ms >= ?2 AND o.ended_at_ms < ?3 AND ?5 IS NULL
    ORDER BY o.ended_at_ms DESC LIMIT ?4";

/// Good ones are nearly all there are.
pub(super) const GOOD_OBSERVATIONS: &str = "
    SELECT o.ended_at_ms, o.duration_ms, o.outcome, d.skipped, d.answered, d.phases, d.evidence,
        d.transport, d.control, d.certificate_expires_at_ms
    FROM observations AS o
    LEFT JOIN details AS d ON d.series_id = o.series_id AND d.ended_at_ms = o.ended_at_ms
    WHERE o.series_id = ?1 AND o.ended_at_ms >= ?2 AND o.ended_at_ms < ?3 AND o.outcome IS NULL
        AND ?5 = 'ok'
    ORDER BY o.ended_at_ms DESC LIMIT ?4";

/// All others have details, which are few: the walk is along those.
pub(super) const OTHER_OBSERVATIONS: &str = "
    SELECT o.ended_at_ms, o.duration_ms, o.outcome, d.skipped, d.answered, d.phases, d.evidence,
        d.transport, d.control, d.certificate_expires_at_ms
    FROM details AS d
    CROSS JOIN observations AS o ON o.series_id = d.series_id AND o.ended_at_ms = d.ended_at_ms
    WHERE d.series_id = ?1 AND d.ended_at_ms >= ?2 AND d.ended_at_ms < ?3 AND o.outcome = ?5
    ORDER BY d.ended_at_ms DESC LIMIT ?4";

/// By number, which is the order in which they came to be owed.
pub(super) const DELIVERIES: &str = "
    SELECT * FROM deliveries
    WHERE id < ?1 AND (?2 IS NULL OR channel = ?2) AND (?3 IS NULL OR state = ?3)
    ORDER BY id DESC LIMIT ?4";

/// Those of one incident are a handful.
pub(super) const DELIVERIES_OF_INCIDENT: &str = "
    SELECT * FROM deliveries
    WHERE thread = ?5 AND id < ?1 AND (?2 IS NULL OR channel = ?2) AND (?3 IS NULL OR state = ?3)
    ORDER BY id DESC LIMIT ?4";

/// By number, which bounds the walk; there are few incidents in a year.
pub(super) const INCIDENTS: &str = "
    SELECT * FROM incidents
    WHERE id < ?1 AND (resolved_at_ms IS NULL OR resolved_at_ms >= ?2) AND opened_at_ms < ?3
        AND (?4 IS NULL OR blame = ?4)
        AND (?5 IS NULL OR instr(capabilities, '\"' || ?5 || '\"') > 0)
        AND (?6 IS NULL OR (resolved_at_ms IS NULL) = ?6)
    ORDER BY id DESC LIMIT ?7";

impl Store {
    /// The observations that `filter` names, newest first, each with its place. New ones appear at
    /// most 250 ms late ([`Store::flush`]); a success comes back without its phases.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list_observations(
        &self,
        filter: ObservationFilter,
    ) -> std::result::Result<Vec<(ObservationCursor, Observation)>, StoreError> {
        self.read("observations", move |connection| observations(connection, &filter)).await
    }

    /// The deliveries that `filter` names, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list_deliveries(
        &self,
        filter: DeliveryFilter,
    ) -> std::result::Result<Vec<Delivery>, StoreError> {
        self.read("outbox", move |connection| deliveries(connection, &filter)).await
    }

    /// The incidents that `filter` names, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn list_incidents(
        &self,
        filter: IncidentFilter,
    ) -> std::result::Result<Vec<Incident>, StoreError> {
        self.read("incidents", move |connection| listed_incidents(connection, &filter)).await
    }
}

fn observations(
    connection: &Connection,
    filter: &ObservationFilter,
) -> Result<Vec<(ObservationCursor, Observation)>> {
    let mut statement = connection.prepare_cached(match filter.outcome {
        None => OBSERVATIONS,
        Some(Outcome::Ok) => GOOD_OBSERVATIONS,
        Some(_) => OTHER_OBSERVATIONS,
    })?;
    let since_ms = filter.since.map_or(i64::MIN, millis);
    let until_ms = filter.until.map_or(i64::MAX, millis);
    let outcome = filter.outcome.map(Outcome::as_str);
    let mut found = Vec::new();
    for (series_id, blank) in history::all_series(connection)? {
        if !is_wanted(filter, &blank) {
            continue;
        }
        let before = filter.before.map_or(until_ms, |place| place.bound(series_id).min(until_ms));
        let range = params![series_id, since_ms, before, limit_of(filter.limit), outcome];
        let mut rows = statement.query(range)?;
        while let Some(row) = rows.next()? {
            let place = ObservationCursor { ended_at_ms: row.get(0)?, series_id };
            found.push((place, history::filled(blank.clone(), row)?));
        }
    }
    found.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    found.truncate(filter.limit);
    Ok(found)
}

fn is_wanted(filter: &ObservationFilter, series: &Observation) -> bool {
    filter.probe.as_ref().is_none_or(|probe| *probe == series.series.probe)
        && filter.capability.is_none_or(|one| series.capabilities.contains(&one))
}

fn deliveries(connection: &Connection, filter: &DeliveryFilter) -> Result<Vec<Delivery>> {
    let before = filter.before.unwrap_or(i64::MAX);
    let state = filter.state.map(DeliveryState::as_str);
    let limit = limit_of(filter.limit);
    match filter.incident {
        None => connection
            .prepare_cached(DELIVERIES)?
            .query_map(params![before, filter.channel, state, limit], outbox::from_row)?
            .collect(),
        Some(id) => connection
            .prepare_cached(DELIVERIES_OF_INCIDENT)?
            .query_map(params![before, filter.channel, state, limit, id], outbox::from_row)?
            .collect(),
    }
}

fn listed_incidents(connection: &Connection, filter: &IncidentFilter) -> Result<Vec<Incident>> {
    let mut statement = connection.prepare_cached(INCIDENTS)?;
    let found = statement.query_map(
        params![
            filter.before.unwrap_or(i64::MAX),
            filter.since.map_or(i64::MIN, millis),
            filter.until.map_or(i64::MAX, millis),
            filter.blame.map(Blame::as_str),
            filter.capability.map(Capability::as_str),
            filter.is_open,
            limit_of(filter.limit),
        ],
        incidents::from_row,
    )?;
    incidents::all_with_events(connection, found.collect::<Result<_>>()?)
}
