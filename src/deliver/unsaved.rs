//! What the store has to know and does not know yet.
//!
//! Owns the queue of refused writes, and what it means for what is sent meanwhile. Writes nothing
//! itself. Invariant: what ended is not sent again by this process, whatever the disk says of it.

use std::collections::VecDeque;

use crate::engine::Owed;
use crate::model::{Attempt, AttemptResult, Delivery, Timestamp};

/// Something the store has to know.
pub(super) enum Write {
    Finish(Box<Finish>),
    /// A channel refuses for good, and who is to know it.
    Broken {
        channel: String,
        owed: Vec<Owed>,
    },
}

/// An attempt to send a delivery that has a row, and when it is tried again.
pub(super) struct Finish {
    pub(super) delivery: Delivery,
    pub(super) attempt: Attempt,
    pub(super) next_at: Option<Timestamp>,
}

/// Writes, oldest first.
#[derive(Default)]
pub(super) struct Unsaved {
    writes: VecDeque<Write>,
}

impl Unsaved {
    pub(super) fn push(&mut self, write: Write) {
        self.writes.push_back(write);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(super) fn pop(&mut self) -> Option<Write> {
        self.writes.pop_front()
    }

    pub(super) fn finish(
        &mut self,
        delivery: Delivery,
        attempt: Attempt,
        next_at: Option<Timestamp>,
    ) {
        self.push(Write::Finish(Box::new(Finish { delivery, attempt, next_at })));
    }

    fn finishes(&self) -> impl DoubleEndedIterator<Item = &Finish> {
        self.writes.iter().filter_map(|write| match write {
            Write::Finish(finish) => Some(finish.as_ref()),
            Write::Broken { .. } => None,
        })
    }

    /// The rows that are not owed any more, though the disk says so.
    pub(super) fn ended(&self) -> Vec<i64> {
        let ended = self.finishes().filter(|finish| finish.next_at.is_none());
        ended.map(|finish| finish.delivery.id).collect()
    }

    /// How often a row was tried besides what it says itself; `None` while it is not to be tried.
    pub(super) fn attempts(&self, delivery_id: i64, now: Timestamp) -> Option<u32> {
        let mut of_row = self.finishes().filter(|finish| finish.delivery.id == delivery_id);
        of_row.try_fold(0, |attempts, finish| {
            finish.next_at.is_some_and(|next_at| next_at <= now).then_some(attempts + 1)
        })
    }

    /// What the channel calls the thread of `delivery`, as far as the disk does not know it.
    pub(super) fn thread_ref(&self, delivery: &Delivery) -> Option<String> {
        let thread = delivery.message.thread();
        let is_of_it = |told: &Delivery| {
            thread != 0 && told.channel == delivery.channel && told.message.thread() == thread
        };
        let told = self.finishes().rev().filter(|finish| is_of_it(&finish.delivery));
        let mut refs = told.filter_map(|finish| match &finish.attempt.result {
            AttemptResult::Accepted { provider_ref } => provider_ref.clone(),
            AttemptResult::Retry { .. } | AttemptResult::Dead { .. } => None,
        });
        refs.next()
    }
}
