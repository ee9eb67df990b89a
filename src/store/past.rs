//! What is known of a stretch of time, without a look at a single observation.
//!
//! Owns no table: reads the changes of capabilities and of rows on pages, incidents and heartbeats.
//! Invariant: what it costs depends on how much changed, not on how much was observed.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::history::{Alive, LONGEST_BEAT};
use super::rows::{from_json, instant, millis, span, time, time_or_null, word_in};
use super::{changes, migrate};
use crate::engine::uptime::{Past, Spell, Window};
use crate::model::{ComponentChange, Timestamp};

/// Stretches never overlap: of those that begin before a window the last alone can reach into it.
pub(super) const BEATS: &str = "
    SELECT begun_at_ms, ended_at_ms FROM heartbeats
    WHERE begun_at_ms < ?2 AND begun_at_ms >= coalesce(
        (SELECT max(begun_at_ms) FROM heartbeats WHERE begun_at_ms <= ?1), ?1)
    ORDER BY begun_at_ms";

pub(super) const OPEN_SPELLS: &str = "
    SELECT id, blame, capabilities, opened_at_ms, confirmed_at_ms, resolved_at_ms,
        acknowledged_at_ms
    FROM incidents WHERE resolved_at_ms IS NULL ORDER BY id";

pub(super) const ENDED_SPELLS: &str = "
    SELECT id, blame, capabilities, opened_at_ms, confirmed_at_ms, resolved_at_ms,
        acknowledged_at_ms
    FROM incidents WHERE resolved_at_ms IS NOT NULL AND resolved_at_ms >= ?1";

/// Goes from one row of a page to the next without reading what lies between.
pub(super) const NEXT_COMPONENT: &str = "
    SELECT source, component FROM component_changes WHERE (source, component) > (?1, ?2)
    ORDER BY source, component LIMIT 1";

pub(super) const LAST_CLAIM: &str = "
    SELECT source, component, at_ms, name, state FROM component_changes
    WHERE source = ?1 AND component = ?2 AND at_ms <= ?3 ORDER BY at_ms DESC LIMIT 1";

pub(super) const CLAIMS: &str = "
    SELECT source, component, at_ms, name, state FROM component_changes
    WHERE source = ?1 AND component = ?2 AND at_ms > ?3 AND at_ms < ?4 ORDER BY at_ms";

/// Reads it.
pub(super) fn within(connection: &Connection, window: Window) -> Result<Past> {
    let changes = if migrate::has_changes(connection)? {
        changes::within(connection, window)?
    } else {
        Vec::new()
    };
    Ok(Past {
        changes,
        alive: alive(connection, window)?,
        spells: spells(connection, window)?,
        claims: claims(connection, window)?,
    })
}

/// When anybody was looking. The last heartbeat is good until the next one is overdue.
fn alive(connection: &Connection, window: Window) -> Result<Vec<(Timestamp, Timestamp)>> {
    let place = params![millis(window.since), millis(window.until)];
    let mut statement = connection.prepare_cached(BEATS)?;
    let stretches: Vec<Alive> =
        statement.query_map(place, Alive::from_row)?.collect::<Result<_>>()?;
    let mut alive = Vec::with_capacity(stretches.len());
    for (index, stretch) in stretches.iter().enumerate() {
        let is_last = index + 1 == stretches.len();
        let is_due = millis(window.until).saturating_sub(stretch.ended_at_ms) <= span(LONGEST_BEAT);
        let ended_at = if is_last && is_due {
            window.until.max(instant(stretch.ended_at_ms)?)
        } else {
            instant(stretch.ended_at_ms)?
        };
        alive.push((instant(stretch.begun_at_ms)?, ended_at));
    }
    Ok(alive)
}

fn spells(connection: &Connection, window: Window) -> Result<Vec<Spell>> {
    let mut spells: Vec<Spell> = connection
        .prepare_cached(ENDED_SPELLS)?
        .query_map([millis(window.since)], spell)?
        .collect::<Result<_>>()?;
    for open in connection.prepare_cached(OPEN_SPELLS)?.query_map([], spell)? {
        spells.push(open?);
    }
    spells.retain(|spell| spell.opened_at < window.until);
    spells.sort_by_key(|spell| spell.id);
    Ok(spells)
}

fn spell(row: &Row<'_>) -> Result<Spell> {
    Ok(Spell {
        id: row.get("id")?,
        blame: word_in(row, "blame")?,
        capabilities: from_json(row.get_ref("capabilities")?.as_str()?)?,
        opened_at: time(row, "opened_at_ms")?,
        confirmed_at: time(row, "confirmed_at_ms")?,
        resolved_at: time_or_null(row, "resolved_at_ms")?,
        acknowledged_at: time_or_null(row, "acknowledged_at_ms")?,
    })
}

fn claims(connection: &Connection, window: Window) -> Result<Vec<ComponentChange>> {
    let mut claims = Vec::new();
    let mut last = connection.prepare_cached(LAST_CLAIM)?;
    let mut later = connection.prepare_cached(CLAIMS)?;
    let (since_ms, until_ms) = (millis(window.since), millis(window.until));
    for (source, component) in components(connection)? {
        claims.extend(last.query_row(params![source, component, since_ms], claim).optional()?);
        let place = params![source, component, since_ms, until_ms];
        for change in later.query_map(place, claim)? {
            claims.push(change?);
        }
    }
    Ok(claims)
}

/// Every row that any page ever showed.
fn components(connection: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = connection.prepare_cached(NEXT_COMPONENT)?;
    let mut components: Vec<(String, String)> = Vec::new();
    loop {
        let (source, component) = components
            .last()
            .map_or(("", ""), |(source, component)| (source.as_str(), component.as_str()));
        let next = statement
            .query_row([source, component], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match next {
            Some(next) => components.push(next),
            None => return Ok(components),
        }
    }
}

fn claim(row: &Row<'_>) -> Result<ComponentChange> {
    Ok(ComponentChange {
        source: row.get("source")?,
        component: row.get("component")?,
        name: row.get("name")?,
        at: time(row, "at_ms")?,
        state: word_in(row, "state")?,
    })
}
