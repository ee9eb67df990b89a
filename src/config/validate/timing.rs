//! When things run, how long they may take, and how patient confirmation is.
//!
//! Invariant: a deadline that was written ends before the next run is due.

use std::time::Duration;

use super::Check;
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::RawThresholds;
use crate::config::value;
use crate::config::word::DurationWord;
use crate::engine::Thresholds;
use crate::engine::schedule::{CronSchedule, Schedule};

/// Shorter intervals are allowed, with a warning.
const SHORTEST_USUAL: Duration = Duration::from_secs(1);

/// Below this a deadline says more of the machine than of the peer.
const SHORTEST_DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

impl Check<'_> {
    /// Thresholds over those they refine.
    pub(super) fn thresholds(
        &mut self,
        raw: Option<&RawThresholds>,
        base: Thresholds,
        at: &At,
    ) -> Thresholds {
        let Some(raw) = raw else { return base };
        let failures = raw.failures.unwrap_or(base.failures);
        let corroborated = raw.corroborated.unwrap_or(base.corroborated.min(failures));
        if corroborated > failures {
            self.fail(
                &at.key("corroborated"),
                Fault::new(
                    format!("`corroborated` ({corroborated}) is above `failures` ({failures})"),
                    "with a second witness fewer failures are needed, not more",
                ),
            );
        }
        Thresholds {
            failures,
            corroborated,
            successes: raw.successes.unwrap_or(base.successes),
            recheck: self
                .interval(&at.key("recheck"), raw.recheck.as_ref())
                .unwrap_or(base.recheck),
        }
    }

    /// `every` or `schedule`, else `usual`.
    pub(super) fn schedule(
        &mut self,
        every: Option<&DurationWord>,
        cron: Option<&str>,
        usual: Duration,
        at: &At,
    ) -> Schedule {
        if every.is_some() && cron.is_some() {
            self.problems.add_at_key(
                self.document,
                &at.key("schedule"),
                Fault::new("`every` and `schedule` exclude each other", "keep one of them"),
            );
        }
        let every = self.interval(&at.key("every"), every);
        let cron = cron.and_then(|expression| {
            let parsed = CronSchedule::parse(expression, self.zone.clone(), self.now);
            let hint = "six fields, seconds first, weekdays by name: \"0 */5 * * * Mon-Fri\"";
            self.value(&at.key("schedule"), parsed.map_err(|why| Fault::new(why, hint)))
        });
        match (every, cron) {
            (Some(every), _) => Schedule::Every(every),
            (None, Some(cron)) => Schedule::Cron(Box::new(cron)),
            (None, None) => Schedule::Every(usual),
        }
    }

    /// A deadline that ends before the next run is due.
    pub(super) fn timeout(
        &mut self,
        written: Option<&DurationWord>,
        usual: Duration,
        schedule: &Schedule,
        at: &At,
    ) -> Duration {
        let written = self.duration(&at.key("timeout"), written);
        let Schedule::Every(every) = schedule else {
            return written.unwrap_or(usual);
        };
        match written {
            Some(timeout) if timeout >= *every => {
                let message = format!(
                    "`timeout` ({}) is not below `every` ({})",
                    value::duration_text(timeout),
                    value::duration_text(*every)
                );
                let hint = "a run must have ended before the next one is due";
                self.fail(&at.key("timeout"), Fault::new(message, hint));
                timeout
            }
            Some(timeout) => timeout,
            None => usual.min((*every / 10 * 9).max(SHORTEST_DEFAULT_TIMEOUT)),
        }
    }

    pub(super) fn warn_of_fast_time(&mut self) {
        if self.is_fast {
            self.warnings.push(
                "intervals below one second are meant for tests: HeyGen and others may limit or \
                 block who asks that often"
                    .to_owned(),
            );
        }
    }

    pub(super) fn duration(&mut self, at: &At, word: Option<&DurationWord>) -> Option<Duration> {
        word.and_then(|word| self.value(at, value::duration(&word.0)))
    }

    /// A duration at which something is repeated, or a limit of that order.
    pub(super) fn interval(&mut self, at: &At, word: Option<&DurationWord>) -> Option<Duration> {
        let interval = self.duration(at, word);
        self.is_fast |= interval.is_some_and(|interval| interval < SHORTEST_USUAL);
        interval
    }
}
