//! The daily self-test: each channel is asked whether it would take a message (facts I38).
//!
//! Owns when a channel is asked and what its answer is worth. Does not own how it is asked
//! (`notify`), and tells nobody anything unless it fails. Invariant: an answer that proves nothing
//! (nobody there, too slow) is a failure only when it has come several times in a row.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Notifiers;
use crate::clock::Clock;
use crate::engine::Owed;
use crate::engine::schedule::{Schedule, phase};
use crate::model::{AttemptResult, FailureReason, Timestamp, View};
use crate::notify::Notifier;
use crate::notify::sample::{Speaker, channel_broken};
use crate::store::{Store, StoreError};

/// Each channel is asked this often, at its own time of the day.
const EVERY: Duration = Duration::from_hours(24);
/// One that failed is asked again after this, so that it is known when it works again.
const WHILE_FAILING: Duration = Duration::from_hours(1);
/// After an answer that proves nothing the next question comes after this …
const AGAIN: Duration = Duration::from_mins(10);
/// … and so many of them in a row are a failure.
const PATIENCE: u32 = 3;
/// Whether something is due is looked at this often.
const LOOK: Duration = Duration::from_mins(1);
/// Real time that one answer may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The loop that asks.
pub struct SelfTest {
    /// Where failures are noted and owed to the other channels.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Wakes the deliver loop.
    pub owed: Arc<Notify>,
    /// The channels of the current configuration.
    pub notifiers: watch::Receiver<Notifiers>,
    /// Who speaks, and whether there is a way out at all.
    pub view: watch::Receiver<Option<Arc<View>>>,
    /// Id of this installation: the phase depends on it.
    pub monitor_id: String,
}

/// When a channel is asked next.
#[derive(Debug, Clone, Copy)]
struct Turn {
    at: Timestamp,
    /// Answers in a row that prove nothing.
    unproven: u32,
}

impl SelfTest {
    /// Runs until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let mut turns = BTreeMap::new();
        let asking = async {
            loop {
                self.round(&mut turns).await;
                self.clock.sleep(LOOK).await;
            }
        };
        cancel.run_until_cancelled(asking).await;
    }

    async fn round(&self, turns: &mut BTreeMap<String, Turn>) {
        let notifiers = self.notifiers.borrow().clone();
        turns.retain(|name, _| notifiers.contains_key(name));
        let Some(view) = self.view.borrow().clone() else { return };
        for (name, notifier) in &notifiers {
            let now = self.clock.now();
            let first = || Turn { at: self.of_the_day(name, now), unproven: 0 };
            let turn = turns.entry(name.clone()).or_insert_with(first);
            if now < turn.at {
                continue;
            }
            if view.internet_up == Some(false) {
                turn.at = later(now, AGAIN);
                continue;
            }
            let answer = ask(notifier.as_ref(), now).await;
            *turn = self.after(name, *turn, answer.as_ref(), now);
            let noted = match answer {
                None => Ok(()),
                Some(AttemptResult::Accepted { .. }) => self.passed(name).await,
                Some(AttemptResult::Retry { .. }) if turn.unproven > 0 => Ok(()),
                Some(AttemptResult::Retry { detail, .. } | AttemptResult::Dead { detail, .. }) => {
                    self.failed(name, &detail, &view).await
                }
            };
            if let Err(failure) = noted {
                let reason = crate::error_chain(&failure);
                warn!(operation = failure.operation, "a self-test is not noted: {reason}");
            }
        }
    }

    fn after(
        &self,
        name: &str,
        turn: Turn,
        answer: Option<&AttemptResult>,
        now: Timestamp,
    ) -> Turn {
        match answer {
            None | Some(AttemptResult::Accepted { .. }) => {
                Turn { at: self.of_the_day(name, now), unproven: 0 }
            }
            Some(AttemptResult::Retry { .. }) if turn.unproven + 1 < PATIENCE => {
                Turn { at: later(now, AGAIN), unproven: turn.unproven + 1 }
            }
            Some(AttemptResult::Retry { .. } | AttemptResult::Dead { .. }) => {
                Turn { at: later(now, WHILE_FAILING), unproven: 0 }
            }
        }
    }

    /// The next time of the day that is this channel's own.
    fn of_the_day(&self, name: &str, now: Timestamp) -> Timestamp {
        let own = phase(&self.monitor_id, name, EVERY);
        Schedule::Every(EVERY).next_due(own, now).unwrap_or(Timestamp::MAX)
    }

    async fn passed(&self, channel: &str) -> Result<(), StoreError> {
        if self.store.self_test_passed(channel).await? {
            info!(channel, "channel {channel} passes its self-test again");
        }
        Ok(())
    }

    async fn failed(&self, channel: &str, detail: &str, view: &View) -> Result<(), StoreError> {
        error!(channel, "channel {channel} fails its self-test: {detail}");
        let now = self.clock.now();
        let speaker = Speaker { vantage: &view.verdict.vantage, account: &view.verdict.account };
        let message = channel_broken(channel, detail, speaker, now);
        let others: Vec<String> =
            self.notifiers.borrow().keys().filter(|name| *name != channel).cloned().collect();
        let owed: Vec<Owed> =
            others.into_iter().map(|channel| Owed { channel, message: message.clone() }).collect();
        self.store.self_test_failed(channel, &owed, now).await?;
        self.owed.notify_one();
        Ok(())
    }
}

/// Asks one channel; one that hangs or breaks has proven nothing.
async fn ask(notifier: &dyn Notifier, now: Timestamp) -> Option<AttemptResult> {
    let asking = AssertUnwindSafe(notifier.check(now)).catch_unwind();
    let unproven = |reason, detail: &str| {
        Some(AttemptResult::Retry { reason, detail: detail.to_owned(), after: None })
    };
    match tokio::time::timeout(DEADLINE, asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => {
            unproven(FailureReason::Unreachable, "this monitor failed while asking: a defect")
        }
        Err(_elapsed) => unproven(FailureReason::Timeout, "no answer within 30 s"),
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}
