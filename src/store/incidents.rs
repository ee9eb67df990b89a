//! Incidents and what happened to them.
//!
//! Owns the tables `incidents` and `incident_events`. An incident is written whole at each change;
//! its number comes from the engine and is never given twice, because incidents are never deleted.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};

use super::rows::{from_json, millis, time, time_or_null, to_json, word_in, word_or_null};
use crate::model::{
    Ack, Cause, EvidenceItem, Incident, IncidentEvent, IncidentId, SuspendReason, Timestamp,
};
use crate::wire::EvidenceJson;

const PUT_INCIDENT: &str = "
    INSERT INTO incidents (id, blame, cause, reason, state, worst_state, capabilities,
        opened_at_ms, confirmed_at_ms, resolved_at_ms, acknowledged_at_ms, suspended, flapping,
        subject, headline, evidence, acked_at_ms, acked_by, ack_comment)
    VALUES (:id, :blame, :cause, :reason, :state, :worst_state, :capabilities,
        :opened_at_ms, :confirmed_at_ms, :resolved_at_ms, :acknowledged_at_ms, :suspended,
        :flapping, :subject, :headline, :evidence, :acked_at_ms, :acked_by, :ack_comment)
    ON CONFLICT (id) DO UPDATE SET
        blame = excluded.blame, cause = excluded.cause, reason = excluded.reason,
        state = excluded.state, worst_state = excluded.worst_state,
        capabilities = excluded.capabilities, opened_at_ms = excluded.opened_at_ms,
        confirmed_at_ms = excluded.confirmed_at_ms, resolved_at_ms = excluded.resolved_at_ms,
        acknowledged_at_ms = excluded.acknowledged_at_ms, suspended = excluded.suspended,
        flapping = excluded.flapping, subject = excluded.subject, headline = excluded.headline,
        evidence = excluded.evidence, acked_at_ms = excluded.acked_at_ms,
        acked_by = excluded.acked_by, ack_comment = excluded.ack_comment";

const PUT_EVENT: &str = "
    INSERT INTO incident_events (incident_id, seq, kind, at_ms, state, channels)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT DO NOTHING";

pub(super) const EVENTS: &str = "SELECT * FROM incident_events WHERE incident_id = ?1 ORDER BY seq";

pub(super) const ONE: &str = "SELECT * FROM incidents WHERE id = ?1";

pub(super) const OPEN: &str = "SELECT * FROM incidents WHERE resolved_at_ms IS NULL ORDER BY id";

pub(super) const RESOLVED_SINCE: &str =
    "SELECT * FROM incidents WHERE resolved_at_ms IS NOT NULL AND resolved_at_ms >= ?1";

/// By number: the last hundred rows or so, whatever the history.
const PAST: &str = "
    SELECT cause, resolved_at_ms - opened_at_ms AS lasted_ms FROM incidents
    WHERE resolved_at_ms IS NOT NULL AND blame = 'provider' ORDER BY id DESC LIMIT 100";

pub(super) const LAST_ID: &str = "SELECT coalesce(max(id), 0) FROM incidents";

/// Writes an incident as it is now, with its events.
pub(super) fn put(connection: &Connection, incident: &Incident) -> Result<()> {
    let evidence: Vec<EvidenceJson> = incident.evidence.iter().map(EvidenceJson::from).collect();
    connection.prepare_cached(PUT_INCIDENT)?.execute(named_params! {
        ":id": incident.id,
        ":blame": incident.blame.as_str(),
        ":cause": incident.cause.0,
        ":reason": incident.reason.as_str(),
        ":state": incident.state.as_str(),
        ":worst_state": incident.worst_state.as_str(),
        ":capabilities": to_json(&incident.capabilities)?,
        ":opened_at_ms": millis(incident.opened_at),
        ":confirmed_at_ms": millis(incident.confirmed_at),
        ":resolved_at_ms": incident.resolved_at.map(millis),
        ":acknowledged_at_ms": incident.acknowledged_at.map(millis),
        ":suspended": incident.suspended.map(SuspendReason::as_str),
        ":flapping": incident.flapping,
        ":subject": incident.subject,
        ":headline": incident.headline,
        ":evidence": to_json(&evidence)?,
        ":acked_at_ms": incident.ack.as_ref().map(|ack| millis(ack.at)),
        ":acked_by": incident.ack.as_ref().map(|ack| ack.author.as_str()),
        ":ack_comment": incident.ack.as_ref().map(|ack| ack.comment.as_str()),
    })?;
    let mut statement = connection.prepare_cached(PUT_EVENT)?;
    for event in &incident.events {
        statement.execute(params![
            incident.id,
            event.seq,
            event.kind.as_str(),
            millis(event.at),
            event.state.as_str(),
            to_json(&event.channels)?
        ])?;
    }
    Ok(())
}

/// One incident.
pub(super) fn one(connection: &Connection, id: IncidentId) -> Result<Option<Incident>> {
    let incident = connection.prepare_cached(ONE)?.query_row([id], from_row).optional()?;
    incident.map(|incident| with_events(connection, incident)).transpose()
}

/// Open incidents and those resolved at or after `since`, oldest first.
pub(super) fn recent(connection: &Connection, since: Timestamp) -> Result<Vec<Incident>> {
    let mut incidents: Vec<Incident> =
        connection.prepare_cached(OPEN)?.query_map([], from_row)?.collect::<Result<_>>()?;
    let mut statement = connection.prepare_cached(RESOLVED_SINCE)?;
    for incident in statement.query_map([millis(since)], from_row)? {
        incidents.push(incident?);
    }
    incidents.sort_by_key(|incident| incident.id);
    all_with_events(connection, incidents)
}

/// Cause and length of HeyGen's last incidents that ended, oldest first.
pub(super) fn past(connection: &Connection) -> Result<Vec<(Cause, Duration)>> {
    let mut past: Vec<(Cause, Duration)> = connection
        .prepare_cached(PAST)?
        .query_map([], |row| {
            let millis: i64 = row.get("lasted_ms")?;
            let lasted = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
            Ok((Cause(row.get("cause")?), lasted))
        })?
        .collect::<Result<_>>()?;
    past.reverse();
    Ok(past)
}

/// The number the next incident gets.
pub(super) fn next_id(connection: &Connection) -> Result<IncidentId> {
    let last: IncidentId = connection.query_row(LAST_ID, [], |row| row.get(0))?;
    Ok(last + 1)
}

/// Adds to each what happened to it.
pub(super) fn all_with_events(
    connection: &Connection,
    incidents: Vec<Incident>,
) -> Result<Vec<Incident>> {
    incidents.into_iter().map(|incident| with_events(connection, incident)).collect()
}

fn with_events(connection: &Connection, mut incident: Incident) -> Result<Incident> {
    let mut statement = connection.prepare_cached(EVENTS)?;
    let events = statement.query_map([incident.id], |row| {
        Ok(IncidentEvent {
            seq: row.get("seq")?,
            kind: word_in(row, "kind")?,
            at: time(row, "at_ms")?,
            // A file of an earlier schema, read beside its daemon, has neither.
            state: word_in(row, "state").unwrap_or(incident.worst_state),
            channels: row
                .get_ref("channels")
                .ok()
                .and_then(|value| from_json(value.as_str().ok()?).ok())
                .unwrap_or_else(|| vec![IncidentEvent::EVERYBODY.to_owned()]),
        })
    })?;
    incident.events = events.collect::<Result<_>>()?;
    Ok(incident)
}

/// An incident without its events.
pub(super) fn from_row(row: &Row<'_>) -> Result<Incident> {
    let evidence: Vec<EvidenceJson> = from_json(row.get_ref("evidence")?.as_str()?)?;
    Ok(Incident {
        id: row.get("id")?,
        blame: word_in(row, "blame")?,
        cause: Cause(row.get("cause")?),
        reason: word_in(row, "reason")?,
        state: word_in(row, "state")?,
        worst_state: word_in(row, "worst_state")?,
        capabilities: from_json(row.get_ref("capabilities")?.as_str()?)?,
        opened_at: time(row, "opened_at_ms")?,
        confirmed_at: time(row, "confirmed_at_ms")?,
        resolved_at: time_or_null(row, "resolved_at_ms")?,
        acknowledged_at: time_or_null(row, "acknowledged_at_ms")?,
        suspended: word_or_null(row, "suspended")?,
        flapping: row.get("flapping")?,
        subject: row.get("subject")?,
        headline: row.get("headline")?,
        evidence: evidence.into_iter().map(EvidenceItem::from).collect(),
        ack: ack(row),
        events: Vec::new(),
    })
}

/// Who has taken it on; nobody in a file of an earlier schema.
fn ack(row: &Row<'_>) -> Option<Ack> {
    let at = time_or_null(row, "acked_at_ms").ok()??;
    let text = |column| row.get::<_, Option<String>>(column).ok().flatten().unwrap_or_default();
    Some(Ack { at, author: text("acked_by"), comment: text("ack_comment") })
}
