//! The only reader of the wall clock.
//!
//! Owns the mapping from the monotonic clock to UTC, and the factor by which `demo` and the
//! simulator let time run faster. Network deadlines are real and do not pass through here.
//! Invariant: [`Clock::now`] never goes backwards, whatever happens to the wall clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A difference between wall and monotonic clock from which on it is called a step.
const STEP: Duration = Duration::from_secs(2);

/// Tells the time and sleeps; cheap to clone, all clones agree.
#[derive(Debug, Clone)]
pub struct Clock {
    anchor: Arc<Mutex<Anchor>>,
    started: Instant,
    factor: f64,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    wall: Timestamp,
    monotonic: Instant,
    /// By how much the wall clock is known to be ahead of ours: behind it stays, and is told once.
    known: SignedDuration,
}

/// The wall clock was set while we ran.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClockStep {
    /// Seconds by which the wall clock is ahead of ours (negative: behind).
    pub seconds: f64,
}

impl Clock {
    /// The production clock: starts at the wall clock's time, runs in real time.
    pub fn system() -> Self {
        Self::starting_at(wall_clock(), 1.0)
    }

    /// A clock that starts at `origin` and runs `factor` times as fast as real time
    /// (`factor` > 0).
    pub fn starting_at(origin: Timestamp, factor: f64) -> Self {
        let started = Instant::now();
        let anchor = Anchor { wall: origin, monotonic: started, known: SignedDuration::ZERO };
        Self { anchor: Arc::new(Mutex::new(anchor)), started, factor }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let anchor = self.anchor();
        let elapsed = anchor.monotonic.elapsed().mul_f64(self.factor);
        anchor.wall.saturating_add(elapsed).unwrap_or(anchor.wall)
    }

    /// How long this clock has run, in its own time; no step of the wall clock changes it.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed().mul_f64(self.factor)
    }

    /// Sleeps for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.real(duration)).await;
    }

    /// Sleeps until `at`; returns at once when that has passed.
    pub async fn sleep_until(&self, at: Timestamp) {
        let wait = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        self.sleep(wait).await;
    }

    /// How long `duration` of this clock's time takes in real time.
    pub fn real(&self, duration: Duration) -> Duration {
        duration.div_f64(self.factor)
    }

    /// Compares with the wall clock. A step forward (a resumed machine, a corrected clock) is
    /// followed; a step backward is not, so that nothing is ever stored before what precedes it.
    /// Answers the step when there was one since the last look; always `None` in fast time.
    pub fn follow_wall_clock(&self) -> Option<ClockStep> {
        if (self.factor - 1.0).abs() > f64::EPSILON {
            return None;
        }
        let ours = self.now();
        let wall = wall_clock();
        let ahead = wall.duration_since(ours);
        let known = self.anchor().known;
        if ahead.saturating_sub(known).unsigned_abs() <= STEP {
            return None;
        }
        if ahead.unsigned_abs() > STEP && ahead.is_positive() {
            self.set(wall);
        } else {
            self.locked().known = ahead;
        }
        Some(ClockStep { seconds: ahead.as_secs_f64() })
    }

    /// Goes ahead by `by` at once, as [`Self::follow_wall_clock`] does after such a step of the wall
    /// clock: for simulations.
    pub fn step(&self, by: Duration) {
        let now = self.now();
        self.set(now.saturating_add(by).unwrap_or(now));
    }

    fn set(&self, wall: Timestamp) {
        *self.locked() = Anchor { wall, monotonic: Instant::now(), known: SignedDuration::ZERO };
    }

    fn anchor(&self) -> Anchor {
        *self.locked()
    }

    fn locked(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn fast_time_runs_by_its_factor() {
        let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(origin, 60.0);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(clock.now().duration_since(origin).as_secs(), 120);
        assert_eq!(clock.real(Duration::from_mins(1)), Duration::from_secs(1));
    }

    #[test]
    fn a_wall_clock_that_was_set_back_is_told_once_and_not_followed() {
        let ahead = wall_clock() + SignedDuration::from_mins(1);
        let clock = Clock::starting_at(ahead, 1.0);
        let step = clock.follow_wall_clock().unwrap();
        assert!((-90.0..-55.0).contains(&step.seconds), "{step:?}");
        assert_eq!(clock.follow_wall_clock(), None);
        assert!(clock.now() >= ahead);
    }

    #[test]
    fn a_wall_clock_that_was_set_ahead_is_followed() {
        let behind = wall_clock() - SignedDuration::from_mins(1);
        let clock = Clock::starting_at(behind, 1.0);
        assert!(clock.follow_wall_clock().unwrap().seconds > 55.0);
        assert!(clock.now() >= behind + SignedDuration::from_secs(55));
        assert_eq!(clock.follow_wall_clock(), None);
    }
}
