//! Messages that the database does not take: sent from memory (facts I8: fail open).
//!
//! Owns what was sent so, so that the rows that follow when the disk is well again are not sent
//! once more. Does not own why the disk fails. Invariants: of one thread and channel the oldest
//! message goes first here too; what was accepted is forgotten only when its row is; nothing of
//! this outlives the process, so a crash costs at most one duplicate each.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::backoff;
use crate::engine::Owed;
use crate::model::{
    AttemptResult, ChannelKind, Delivery, DeliveryState, EventKind, IncidentId, Message, Timestamp,
};

/// What such a message says of itself.
const NOTE: &str = "This monitor cannot write to its database (storage is degraded): this message \
                    was sent from memory, and history has a gap.";

/// What tells one owed message from another, whether it has a row or not.
type Key = (String, IncidentId, &'static str, i64);

fn key(channel: &str, message: &Message) -> Key {
    let event: EventKind = message.event;
    (channel.to_owned(), message.thread(), event.as_str(), message.at.as_millisecond())
}

/// What was, and is, sent from memory.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What was accepted, or refused for good.
    ended: BTreeMap<Key, Ended>,
    /// What is tried (again), and when.
    open: BTreeMap<Key, Open>,
}

/// How a message ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) at: Timestamp,
    pub(super) result: AttemptResult,
}

#[derive(Debug)]
struct Open {
    attempts: u32,
    next_at: Timestamp,
    is_flying: bool,
}

impl Memory {
    /// The deliveries that are due, of everything that is `held` and nothing else.
    pub(super) fn due(&mut self, held: &[Owed], now: Timestamp) -> Vec<Delivery> {
        let mut threads = BTreeSet::new();
        let mut due = Vec::new();
        for owed in held {
            let key = key(&owed.channel, &owed.message);
            if self.ended.contains_key(&key) {
                continue;
            }
            if !threads.insert((owed.channel.clone(), owed.message.thread())) {
                continue;
            }
            let fresh = Open { attempts: 0, next_at: now, is_flying: false };
            let id = id(&key);
            let open = self.open.entry(key).or_insert(fresh);
            if open.is_flying || open.next_at > now {
                continue;
            }
            open.is_flying = true;
            due.push(delivery(id, owed, open.attempts));
        }
        due
    }

    /// What the channel calls the thread, as far as it was told from memory.
    pub(super) fn thread_ref(&self, delivery: &Delivery) -> Option<String> {
        let thread = delivery.message.thread();
        let of_thread = self.ended.iter().filter(|((channel, id, ..), _)| {
            thread != 0 && *channel == delivery.channel && *id == thread
        });
        let accepted = of_thread.filter_map(|(_, ended)| match &ended.result {
            AttemptResult::Accepted { provider_ref } => Some((ended.at, provider_ref.clone()?)),
            AttemptResult::Retry { .. } | AttemptResult::Dead { .. } => None,
        });
        accepted.max().map(|(_, provider_ref)| provider_ref)
    }

    /// Notes how an attempt ended; answers when it comes again.
    pub(super) fn settle(
        &mut self,
        delivery: &Delivery,
        kind: ChannelKind,
        result: AttemptResult,
        now: Timestamp,
    ) -> (AttemptResult, Option<Timestamp>) {
        let (result, next_at) = backoff::after(kind, delivery, result, now);
        let key = key(&delivery.channel, &delivery.message);
        if let Some(next_at) = next_at {
            let attempts = delivery.attempts + 1;
            self.open.insert(key, Open { attempts, next_at, is_flying: false });
        } else {
            self.open.remove(&key);
            self.ended.insert(key, Ended { at: now, result: result.clone() });
        }
        (result, next_at)
    }

    /// How the message of a row ended that was sent from memory before the row was written.
    pub(super) fn ended(&mut self, delivery: &Delivery) -> Option<Ended> {
        let key = key(&delivery.channel, &delivery.message);
        self.open.remove(&key);
        self.ended.remove(&key)
    }

    /// True while the message of a row is being sent from memory.
    pub(super) fn is_flying(&self, delivery: &Delivery) -> bool {
        let open = self.open.get(&key(&delivery.channel, &delivery.message));
        open.is_some_and(|open| open.is_flying)
    }
}

/// An id that no row has: the same for every attempt, and for no other message of any process, for
/// channels tell by it what they know already.
fn id(key: &Key) -> i64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    -1 - (hasher.finish() >> 1).cast_signed()
}

/// True for a delivery that has no row.
pub(super) fn is_from_memory(delivery: &Delivery) -> bool {
    delivery.id < 0
}

fn delivery(id: i64, owed: &Owed, attempts: u32) -> Delivery {
    let mut message = owed.message.clone();
    message.notes.insert(0, NOTE.to_owned());
    Delivery {
        id,
        channel: owed.channel.clone(),
        created_at: message.at,
        next_at: message.at,
        message,
        state: DeliveryState::Leased,
        attempts,
        last_error: None,
        provider_ref: None,
        thread_ref: None,
        merged: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample::{Speaker, sample};

    #[test]
    fn a_message_has_one_id_in_every_attempt_and_process_and_shares_it_with_none() {
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let speaker = Speaker { vantage: "fra-1", account: "default" };
        let owed = |event| {
            let message = sample(event, speaker, now);
            Owed { channel: "hook".to_owned(), message }
        };
        let id = |memory: &mut Memory, event| memory.due(&[owed(event)], now)[0].clone();
        let (mut before, mut after) = (Memory::default(), Memory::default());
        let first = id(&mut before, EventKind::Opened);
        let again = AttemptResult::Retry {
            reason: crate::model::FailureReason::Timeout,
            detail: "no answer".to_owned(),
            after: None,
        };
        let (_, next_at) = before.settle(&first, ChannelKind::Webhook, again, now);
        let second = before.due(&[owed(EventKind::Opened)], next_at.unwrap());
        assert!(is_from_memory(&first));
        assert_eq!((first.id, second[0].attempts), (second[0].id, 1));
        assert_eq!(first.id, id(&mut after, EventKind::Opened).id);
        assert_ne!(first.id, id(&mut after, EventKind::Warning).id);
    }
}
