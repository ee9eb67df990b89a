//! What the messages of one thread on one channel have to do with each other.
//!
//! Owns which waiting messages are told by a later one (they become `merged`), what a message tells
//! besides itself, and which messages stand. Decides nothing about sending. Invariants: a message
//! that may have been sent already is never merged away while its attempt runs; an end is never
//! merged away; what is merged is told by a row that is still owed.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::from_row;
use crate::model::{Delivery, EventKind, IncidentId, Merged, Timestamp};
use crate::store::Thread;
use crate::store::rows::{from_json, instant, millis, to_json};
use crate::wire::MessageJson;

/// A message that has waited this long is late (facts I4) even when nobody has tried to send it.
const LATE: Duration = Duration::from_mins(2);

/// The oldest owed row of each thread and channel that is due, and failed or late. A row that is
/// leased is being sent.
pub(in crate::store) const LATE_HEADS: &str = "
    SELECT thread, channel FROM deliveries
    WHERE id IN (
            SELECT min(id) FROM deliveries WHERE finished_at_ms IS NULL GROUP BY thread, channel)
        AND thread <> 0 AND state = 'pending' AND next_at_ms <= :now_ms
        AND (attempts > 0 OR created_at_ms <= :late_ms)";

pub(in crate::store) const WAITING: &str = "
    SELECT id, message FROM deliveries
    WHERE thread = ?1 AND channel = ?2 AND finished_at_ms IS NULL ORDER BY id";

const MERGE: &str = "UPDATE deliveries SET state = 'merged', finished_at_ms = ?2 WHERE id = ?1 AND state = 'pending'";

pub(in crate::store) const THREAD_REF: &str = "
    SELECT provider_ref FROM deliveries
    WHERE thread = ?1 AND channel = ?2 AND state = 'delivered' AND provider_ref IS NOT NULL
    ORDER BY seq DESC LIMIT 1";

pub(in crate::store) const IS_OWED: &str = "
    SELECT 1 FROM deliveries
    WHERE thread = ?1 AND channel = ?2 AND finished_at_ms IS NULL
        AND id NOT IN (SELECT value FROM json_each(?3))
    LIMIT 1";

/// What was merged since the channel last took something of this thread.
pub(in crate::store) const MERGED: &str = "
    SELECT message, attempts, created_at_ms FROM deliveries
    WHERE thread = :thread AND channel = :channel AND state = 'merged' AND id < :id
        AND id > coalesce((
            SELECT max(id) FROM deliveries
            WHERE thread = :thread AND channel = :channel AND state = 'delivered' AND id < :id), 0)
    ORDER BY seq";

/// The last accepted row of each open incident on one channel. `CROSS`: what is open is little, and
/// comes first.
pub(in crate::store) const STANDING: &str = "
    SELECT * FROM deliveries WHERE id IN (
        SELECT max(d.id) FROM incidents AS i CROSS JOIN deliveries AS d
        WHERE i.resolved_at_ms IS NULL AND d.thread = i.id AND d.channel = ?1
            AND d.state = 'delivered'
        GROUP BY i.id)";

/// Merges away what is told by something later in its queue, where the queue is late.
pub(super) fn merge(connection: &Connection, now: Timestamp) -> Result<()> {
    let late = now.saturating_sub(LATE).unwrap_or(now);
    let heads: Vec<(i64, String)> = connection
        .prepare_cached(LATE_HEADS)?
        .query_map(
            rusqlite::named_params! { ":now_ms": millis(now), ":late_ms": millis(late) },
            |row| Ok((row.get("thread")?, row.get("channel")?)),
        )?
        .collect::<Result<_>>()?;
    for (thread, channel) in heads {
        let queue = waiting(connection, thread, &channel)?;
        for (position, (id, news)) in queue.iter().enumerate() {
            let later = queue.iter().skip(position + 1).filter_map(|(_, news)| *news);
            if news.is_some_and(|news| news.is_told_by(later)) {
                connection.prepare_cached(MERGE)?.execute(params![id, millis(now)])?;
            }
        }
    }
    Ok(())
}

/// What a waiting message would tell; `None` for one that cannot be read.
fn waiting(
    connection: &Connection,
    thread: i64,
    channel: &str,
) -> Result<Vec<(i64, Option<News>)>> {
    connection
        .prepare_cached(WAITING)?
        .query_map(params![thread, channel], |row| {
            let message = from_json::<MessageJson>(row.get_ref("message")?.as_str()?).ok();
            Ok((row.get("id")?, message.map(|message| News::of(&message))))
        })?
        .collect()
}

/// Fills in what a leased delivery has to know of its thread.
pub(super) fn recall(connection: &Connection, delivery: &mut Delivery) -> Result<()> {
    let thread = delivery.message.thread();
    if thread == 0 {
        return Ok(());
    }
    delivery.thread_ref = thread_ref(connection, &delivery.channel, thread)?;
    delivery.merged = merged(connection, delivery)?;
    Ok(())
}

fn thread_ref(connection: &Connection, channel: &str, id: IncidentId) -> Result<Option<String>> {
    connection
        .prepare_cached(THREAD_REF)?
        .query_row(params![id, channel], |row| row.get(0))
        .optional()
}

/// Where a thread stands on a channel, when nothing of `ended` is owed any more; what is about no
/// incident has no thread.
pub(in crate::store) fn thread(
    connection: &Connection,
    channel: &str,
    id: IncidentId,
    ended: &[i64],
) -> Result<Thread> {
    let ended = to_json(&ended)?;
    let is_owed = connection.prepare_cached(IS_OWED)?.exists(params![id, channel, ended])?;
    let provider_ref = if id == 0 { None } else { thread_ref(connection, channel, id)? };
    Ok(Thread { is_owed, provider_ref })
}

fn merged(connection: &Connection, delivery: &Delivery) -> Result<Option<Merged>> {
    let mut statement = connection.prepare_cached(MERGED)?;
    let mut rows = statement.query(rusqlite::named_params! {
        ":thread": delivery.message.thread(),
        ":channel": delivery.channel,
        ":id": delivery.id,
    })?;
    let mut merged: Option<Merged> = None;
    while let Some(row) = rows.next()? {
        let message: MessageJson = from_json(row.get_ref("message")?.as_str()?)?;
        let since = instant(row.get("created_at_ms")?)?;
        let all = merged.get_or_insert(Merged { events: Vec::new(), since, attempts: 0 });
        all.events.push(message.event);
        all.attempts = all.attempts.saturating_add(row.get("attempts")?);
    }
    Ok(merged)
}

/// The last accepted delivery of each open incident on `channel`, but for those that told its end.
pub(in crate::store) fn standing(connection: &Connection, channel: &str) -> Result<Vec<Delivery>> {
    let deliveries: Vec<Delivery> = connection
        .prepare_cached(STANDING)?
        .query_map([channel], from_row)?
        .collect::<Result<_>>()?;
    let is_end = |delivery: &Delivery| {
        let incident = delivery.message.incident.as_ref();
        incident.is_some_and(|incident| incident.resolved_at.is_some())
    };
    Ok(deliveries.into_iter().filter(|delivery| !is_end(delivery)).collect())
}

/// What a message tells, as far as it matters to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct News {
    event: EventKind,
    /// The incident is over.
    is_end: bool,
}

impl News {
    fn of(message: &MessageJson) -> Self {
        let incident = message.incident.as_ref();
        let is_end = incident.is_some_and(|incident| incident.resolved_at.is_some());
        Self { event: message.event, is_end }
    }

    /// True when nobody who reads the `later` ones misses anything without this one.
    fn is_told_by(self, later: impl Iterator<Item = Self> + Clone) -> bool {
        let mut ends = later.clone().filter(|news| news.is_end);
        let mut states = later.filter(|news| news.tells_the_state());
        match self.event {
            _ if self.is_end => false,
            EventKind::Opened | EventKind::AcknowledgedOfficially | EventKind::Flapping => {
                ends.next().is_some()
            }
            EventKind::Worsened
            | EventKind::Eased
            | EventKind::Reminder
            | EventKind::SuppressionEnded => ends.next().is_some() || states.next().is_some(),
            EventKind::Resolved
            | EventKind::ChannelBroken
            | EventKind::Warning
            | EventKind::Drill => false,
        }
    }

    fn tells_the_state(self) -> bool {
        match self.event {
            EventKind::Worsened
            | EventKind::Eased
            | EventKind::Reminder
            | EventKind::SuppressionEnded => true,
            EventKind::Opened
            | EventKind::AcknowledgedOfficially
            | EventKind::Flapping
            | EventKind::Resolved
            | EventKind::ChannelBroken
            | EventKind::Warning
            | EventKind::Drill => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a queue; `r` ends the incident.
    fn left(queue: &str) -> String {
        let all: Vec<(char, News)> = queue
            .chars()
            .map(|letter| {
                let event = match letter {
                    'o' => EventKind::Opened,
                    'a' => EventKind::AcknowledgedOfficially,
                    'w' => EventKind::Worsened,
                    'e' => EventKind::Eased,
                    'm' => EventKind::Reminder,
                    'f' => EventKind::Flapping,
                    _ => EventKind::Resolved,
                };
                (letter, News { event, is_end: letter == 'r' })
            })
            .collect();
        let is_left = |position: usize, news: News| {
            !news.is_told_by(all.iter().skip(position + 1).map(|(_, news)| *news))
        };
        let kept = all.iter().enumerate().filter(|(i, (_, news))| is_left(*i, *news));
        kept.map(|(_, (letter, _))| *letter).collect()
    }

    #[test]
    fn a_queue_keeps_its_beginning_its_last_state_and_its_end() {
        for (queue, expected) in [
            ("o", "o"),
            ("or", "r"),
            ("oawmmr", "r"),
            ("owmmm", "om"),
            ("oamm", "oam"),
            ("mmm", "m"),
            ("ofr", "r"),
            ("we", "e"),
            ("r", "r"),
            ("orf", "rf"),
        ] {
            assert_eq!(left(queue), expected, "{queue}");
        }
    }
}
