//! What has to be done whatever happens: every ten seconds the heartbeat row, room and gauges of the
//! storage, gauges of the outbox, the look at the wall clock; now and then retention and a backup.
//!
//! Invariant: the heartbeat waits for neither of the latter, which take minutes on a long history: a
//! beat that stays away for 30 s counts as a loop that hangs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::clock::Clock;
use crate::error_chain;
use crate::metrics::Metrics;
use crate::model::Timestamp;
use crate::store::{Retention, Store, StoreError};

/// The heartbeat stretch is extended this often (facts I20 asks for 30 s, the watchdog for 20 s).
const BEAT: Duration = Duration::from_secs(10);
/// The history is backed up this often (facts I30).
const BACK_UP_EVERY: Duration = Duration::from_hours(24);
/// The first backup is made this long after a start, so that there is something in it.
const FIRST_BACK_UP_AFTER: Duration = Duration::from_hours(1);
/// Retention runs this often.
const RETAIN_EVERY: Duration = Duration::from_hours(1);

pub(super) struct Upkeep {
    pub(super) store: Store,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
    pub(super) retention: Retention,
    /// Called after a heartbeat was committed.
    pub(super) beat: Box<dyn Fn() + Send + Sync>,
    /// Called with whether the database refuses writes.
    pub(super) storage_degraded: Box<dyn Fn(bool) + Send + Sync>,
    /// Errors of the database that were counted, by operation; starts empty.
    pub(super) errors: BTreeMap<&'static str, u64>,
}

impl Upkeep {
    pub(super) async fn run(self, cancel: CancellationToken) {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let care = Care { store, clock, retention: self.retention };
        tokio::join!(self.watch(cancel.clone()), care.run(cancel));
    }

    async fn watch(mut self, cancel: CancellationToken) {
        loop {
            self.beat().await;
            self.count_errors();
            self.look_at_the_clock();
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(BEAT) => {}
            }
        }
    }

    async fn beat(&self) {
        self.store.look_at_room().await;
        match self.store.heartbeat(self.clock.now()).await {
            Ok(()) => (self.beat)(),
            Err(failure) => warn_of(&failure),
        }
        let (database_bytes, wal_bytes) = self.store.sizes();
        self.metrics.storage_sizes(database_bytes, wal_bytes);
        match self.store.outbox().await {
            Ok(lines) => self.metrics.outbox(&lines),
            Err(failure) => warn_of(&failure),
        }
    }

    /// Errors of the database since the last look, whoever met them.
    fn count_errors(&mut self) {
        let health = self.store.health();
        for (operation, errors) in health.errors {
            let known = self.errors.insert(operation, errors).unwrap_or(0);
            for _ in known..errors {
                self.metrics.storage_failed(operation);
            }
        }
        (self.storage_degraded)(health.is_degraded);
    }

    fn look_at_the_clock(&self) {
        if let Some(step) = self.clock.follow_wall_clock() {
            self.metrics.clock_stepped();
            warn!("the wall clock is {:.1} s ahead of where it should be", step.seconds);
        }
    }
}

/// What a long history needs now and then.
struct Care {
    store: Store,
    clock: Clock,
    retention: Retention,
}

impl Care {
    async fn run(self, cancel: CancellationToken) {
        let mut retain_at = self.clock.now();
        let mut back_up_at = back_up_due(self.store.backed_up_at().await, retain_at);
        loop {
            if self.clock.now() >= retain_at {
                self.retain().await;
                retain_at = later(self.clock.now(), RETAIN_EVERY);
            }
            if self.clock.now() >= back_up_at {
                self.back_up().await;
                back_up_at = later(self.clock.now(), BACK_UP_EVERY);
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = self.clock.sleep(BEAT) => {}
            }
        }
    }

    async fn back_up(&self) {
        match self.store.back_up(self.clock.now()).await {
            Ok(path) => debug!("the history was backed up to {}", path.display()),
            Err(failure) => warn!("the history cannot be backed up: {}", error_chain(&failure)),
        }
    }

    async fn retain(&self) {
        match self.store.retain(self.clock.now(), self.retention).await {
            Ok(0) => {}
            Ok(rows) => debug!("retention deleted {rows} rows"),
            Err(failure) => warn_of(&failure),
        }
    }
}

fn warn_of(failure: &StoreError) {
    warn!(operation = failure.operation, "upkeep of the history: {}", error_chain(failure));
}

/// When the next backup is due: starts do not put it off, and a clock that was set back does not
/// for longer than one round.
fn back_up_due(newest: Option<Timestamp>, now: Timestamp) -> Timestamp {
    match newest {
        Some(newest) => later(newest.min(now), BACK_UP_EVERY),
        None => later(now, FIRST_BACK_UP_AFTER),
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.saturating_add(by).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_due_a_day_after_the_newest_however_often_it_was_started_since() {
        let at = |time: &str| format!("2026-11-{time}:00Z").parse::<Timestamp>().unwrap();
        let now = at("20T12:00");
        assert_eq!(back_up_due(Some(at("19T15:00")), now), at("20T15:00"));
        assert!(back_up_due(Some(at("12T15:00")), now) < now, "overdue: at once");
        assert_eq!(
            back_up_due(Some(at("29T15:00")), now),
            at("21T12:00"),
            "the clock was set back"
        );
        assert_eq!(back_up_due(None, now), at("20T13:00"));
    }
}
