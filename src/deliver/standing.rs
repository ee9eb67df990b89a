//! What stands, said again to channels that forget (Alertmanager does after `resolve_timeout`,
//! five minutes by default).
//!
//! Owns the rhythm alone: what stands is the store's, how it is said the notifier's. Decides
//! nothing. Invariants: a round never waits for another channel nor for a delivery; of one channel
//! at most one round is under way.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use super::Notifiers;
use crate::model::{Delivery, Timestamp};
use crate::notify::Notifier;

/// Between two rounds, in real time: the other side forgets in real time too. Prometheus says again
/// what fires every minute.
const EVERY: Duration = Duration::from_mins(1);
/// Real time that one round may take: less than the interval, so that two never overlap.
const DEADLINE: Duration = Duration::from_secs(30);

/// The rounds of every channel that forgets.
#[derive(Default)]
pub(super) struct Standing {
    /// When each channel was last told.
    last: BTreeMap<String, Instant>,
    flying: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl Standing {
    /// The channels whose round is due; the first comes at once, for who knows how long we were
    /// away.
    pub(super) fn due(&self, notifiers: &Notifiers) -> Vec<(String, Arc<dyn Notifier>)> {
        let now = Instant::now();
        let mut due = Vec::new();
        for (name, notifier) in notifiers.iter().filter(|(_, notifier)| notifier.forgets()) {
            let last = self.last.get(name);
            if last.is_none_or(|last| now.duration_since(*last) >= EVERY) {
                due.push((name.clone(), notifier.clone()));
            }
        }
        due
    }

    /// Sends a round off.
    pub(super) fn depart(
        &mut self,
        name: String,
        notifier: Arc<dyn Notifier>,
        standing: Vec<Delivery>,
        now: Timestamp,
    ) {
        self.last.insert(name, Instant::now());
        if standing.is_empty() {
            return;
        }
        let round = async move {
            let saying = AssertUnwindSafe(notifier.repeat(&standing, now)).catch_unwind();
            // A round that fails, hangs or panics is made up for by the next one.
            drop(tokio::time::timeout(DEADLINE, saying).await);
        };
        self.flying.push(round.boxed());
    }

    /// Moves the rounds on; answers when one has ended, and waits for ever when none is under way.
    pub(super) async fn next(&mut self) {
        if self.flying.next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AttemptResult, ChannelKind};

    struct Forgetful;

    impl Notifier for Forgetful {
        fn kind(&self) -> ChannelKind {
            ChannelKind::Alertmanager
        }

        fn send<'a>(&'a self, _: &'a Delivery, _: Timestamp) -> BoxFuture<'a, AttemptResult> {
            Box::pin(std::future::pending())
        }

        fn forgets(&self) -> bool {
            true
        }

        fn preview(&self, delivery: &Delivery, _: Timestamp) -> String {
            delivery.channel.clone()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_is_due_at_once_and_then_every_minute() {
        let notifier: Arc<dyn Notifier> = Arc::new(Forgetful);
        let notifiers: Notifiers = [("alerts".to_owned(), notifier)].into();
        let at: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let mut standing = Standing::default();
        let mut due = String::new();
        for _ in 0..13 {
            for (name, notifier) in standing.due(&notifiers) {
                due.push('x');
                standing.depart(name, notifier, Vec::new(), at);
            }
            due.push('.');
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        assert_eq!(due, "x......x......x.");
    }
}
