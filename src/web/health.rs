//! Whether the daemon makes progress: the base of `/-/healthy`, `/-/ready` and the watchdog.
//!
//! Owns when each loop last turned. Does not know what the loops do. Invariant: progress is only
//! ever reported by the loop that made it, so a loop that hangs cannot look alive.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// A loop that has not turned for this long is called hung. All of them turn at least every 10 s;
/// a unit's `WatchdogSec=60` then still leaves time for two missed turns.
const HUNG_AFTER: Duration = Duration::from_secs(20);

/// When each loop last turned; shared by all of them.
#[derive(Debug)]
pub struct Health {
    started: Instant,
    monitor_ms: AtomicU64,
    deliver_ms: AtomicU64,
    store_ms: AtomicU64,
    is_storage_degraded: AtomicBool,
    is_planned: AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// Nothing has turned yet; the first turns are owed from now on.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            monitor_ms: AtomicU64::new(0),
            deliver_ms: AtomicU64::new(0),
            store_ms: AtomicU64::new(0),
            is_storage_degraded: AtomicBool::new(false),
            is_planned: AtomicBool::new(false),
        }
    }

    /// The monitor loop turned.
    pub fn monitor_turned(&self) {
        self.stamp(&self.monitor_ms);
    }

    /// The deliver loop turned.
    pub fn deliver_turned(&self) {
        self.stamp(&self.deliver_ms);
    }

    /// A heartbeat was committed to the database.
    pub fn store_beat(&self) {
        self.stamp(&self.store_ms);
    }

    /// Whether the daemon knows that it runs without its database; then no heartbeat is owed.
    pub fn storage_degraded(&self, is_degraded: bool) {
        self.is_storage_degraded.store(is_degraded, Ordering::Relaxed);
    }

    /// The database is open, the configuration valid and the first run planned.
    pub fn planned(&self) {
        self.is_planned.store(true, Ordering::Relaxed);
    }

    /// What hangs, one sentence each; empty while everything turns.
    pub fn complaints(&self) -> Vec<String> {
        let loops = [
            ("the monitor loop has not turned", &self.monitor_ms),
            ("the deliver loop has not turned", &self.deliver_ms),
        ];
        let store = ("no heartbeat was committed to the database", &self.store_ms);
        let degraded = self.is_storage_degraded.load(Ordering::Relaxed);
        loops
            .into_iter()
            .chain((!degraded).then_some(store))
            .filter_map(|(complaint, stamp)| {
                let age = self.age(stamp);
                (age > HUNG_AFTER).then(|| format!("{complaint} for {} s", age.as_secs()))
            })
            .collect()
    }

    /// True while everything turns.
    pub fn is_alive(&self) -> bool {
        self.complaints().is_empty()
    }

    /// What stands in the way of relying on it, one sentence each: what hangs, a database that
    /// refuses writes, or that not everything is in place yet.
    pub fn obstacles(&self) -> Vec<String> {
        let mut obstacles = self.complaints();
        if self.is_storage_degraded.load(Ordering::Relaxed) {
            obstacles.push("the database refuses writes".to_owned());
        }
        if obstacles.is_empty() && !self.is_planned.load(Ordering::Relaxed) {
            obstacles.push("starting".to_owned());
        }
        obstacles
    }

    fn stamp(&self, stamp: &AtomicU64) {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        stamp.store(elapsed, Ordering::Relaxed);
    }

    fn age(&self, stamp: &AtomicU64) -> Duration {
        let turned = Duration::from_millis(stamp.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(turned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn_all(health: &Health) {
        health.monitor_turned();
        health.deliver_turned();
        health.store_beat();
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_hangs_is_named_and_the_others_cannot_hide_it() {
        let health = Health::new();
        assert!(health.is_alive(), "the first turns are not owed at once");
        assert_eq!(health.obstacles(), ["starting"]);
        health.planned();
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(10)).await;
            turn_all(&health);
            assert!(health.obstacles().is_empty());
        }
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(10)).await;
            health.monitor_turned();
            health.store_beat();
        }
        assert_eq!(health.complaints(), ["the deliver loop has not turned for 30 s"]);
        assert_eq!(health.obstacles(), health.complaints());
    }

    #[tokio::test(start_paused = true)]
    async fn a_declared_loss_of_the_database_is_no_hang() {
        let health = Health::new();
        tokio::time::advance(Duration::from_secs(30)).await;
        health.monitor_turned();
        health.deliver_turned();
        assert!(!health.is_alive());
        health.storage_degraded(true);
        assert!(health.is_alive());
    }
}
