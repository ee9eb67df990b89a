//! Deliveries under way: one lane per channel, one delivery at a time in each.
//!
//! Owns which claimed deliveries wait and which are being sent. Invariants: a lane never waits for
//! another; nothing runs unless it is polled through [`Lanes::next`]; an attempt ends within its
//! deadline, even when the notifier hangs or panics.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::Notifiers;
use crate::fault;
use crate::model::{AttemptResult, ChannelKind, Delivery, FailureReason, Timestamp};
use crate::notify::Notifier;

/// Real time that one attempt may take (facts I9).
const DEADLINE: Duration = Duration::from_secs(30);

/// An attempt that ended.
pub(super) struct Sent {
    pub(super) delivery: Delivery,
    pub(super) kind: ChannelKind,
    pub(super) begun_at: Timestamp,
    pub(super) result: AttemptResult,
    pub(super) has_panicked: bool,
}

/// Deliveries under way.
#[derive(Default)]
pub(super) struct Lanes {
    waiting: BTreeMap<String, VecDeque<Delivery>>,
    flying: FuturesUnordered<BoxFuture<'static, Sent>>,
    /// Channels with a delivery in flight.
    busy: BTreeSet<String>,
    /// Ids that wait or fly: a lease that was renewed meanwhile adds nothing.
    held: BTreeSet<i64>,
}

impl Lanes {
    /// Queues a delivery, unless it is here already.
    pub(super) fn take_on(&mut self, delivery: Delivery) {
        if self.held.insert(delivery.id) {
            self.waiting.entry(delivery.channel.clone()).or_default().push_back(delivery);
        }
    }

    /// Queues a delivery no longer; what flies already lands.
    pub(super) fn let_go(&mut self, delivery: &Delivery) {
        let Some(queue) = self.waiting.get_mut(&delivery.channel) else {
            return;
        };
        let before = queue.len();
        queue.retain(|waiting| waiting.id != delivery.id);
        if queue.len() < before {
            self.held.remove(&delivery.id);
        }
    }

    /// Sends off the first delivery of every free lane. What waits for a channel that is not in the
    /// configuration goes on waiting: it may return.
    pub(super) fn depart(&mut self, now: Timestamp, notifiers: &Notifiers) {
        for (name, queue) in &mut self.waiting {
            if self.busy.contains(name) {
                continue;
            }
            let Some(notifier) = notifiers.get(name).cloned() else {
                continue;
            };
            if let Some(delivery) = queue.pop_front() {
                self.busy.insert(name.clone());
                self.flying.push(attempt(notifier, delivery, now).boxed());
            }
        }
        self.waiting.retain(|_, queue| !queue.is_empty());
    }

    /// The next attempt that ends; waits for ever when none is under way.
    pub(super) async fn next(&mut self) -> Sent {
        let Some(sent) = self.flying.next().await else {
            return std::future::pending().await;
        };
        self.busy.remove(&sent.delivery.channel);
        self.held.remove(&sent.delivery.id);
        sent
    }

    /// True when nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.flying.is_empty()
    }
}

async fn attempt(notifier: Arc<dyn Notifier>, delivery: Delivery, now: Timestamp) -> Sent {
    let kind = notifier.kind();
    fault::point("send.before");
    let sending = async { notifier.send(&delivery, now).await };
    let sending = AssertUnwindSafe(sending).catch_unwind();
    let retry = |reason, detail: &str| AttemptResult::Retry {
        reason,
        detail: detail.to_owned(),
        after: None,
    };
    let (result, has_panicked) = match tokio::time::timeout(DEADLINE, sending).await {
        Ok(Ok(result)) => (result, false),
        Ok(Err(_panic)) => {
            (retry(FailureReason::Unreachable, "this monitor failed while sending: a defect"), true)
        }
        Err(_elapsed) => (retry(FailureReason::Timeout, "no answer within 30 s"), false),
    };
    fault::point("send.after");
    Sent { delivery, kind, begun_at: now, result, has_panicked }
}
