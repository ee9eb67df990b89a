//! When a probe is due next: fixed rate with a phase by hash, or cron with a time zone.
//!
//! Owns due times, phases and backoff. Does not wait and does not run anything. Invariant: a due
//! time is strictly later than the instant it was asked for, whatever the time zone does.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jiff::Zoned;
use jiff::civil;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::model::Timestamp;

/// Gaps looked at to find the usual distance between two firings of a cron expression.
const SAMPLED_GAPS: usize = 200;

/// When something runs.
#[derive(Debug, Clone)]
pub enum Schedule {
    /// Fixed rate.
    Every(Duration),
    /// Cron with seconds, in a zone.
    Cron(Box<CronSchedule>),
}

/// A cron expression that is known to fire.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    /// The expression as written.
    pub expression: String,
    schedule: cron::Schedule,
    zone: TimeZone,
}

impl Schedule {
    /// The first due time strictly after `after`. Fixed rate: the multiples of the interval since
    /// the epoch, shifted by the phase; missed ones are skipped, never replayed.
    pub fn next_due(&self, phase: Duration, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => next_on_grid(*interval, phase, after),
            Self::Cron(cron) => cron.next_after(after),
        }
    }

    /// The longest usual gap between two runs from `now` on, for freshness.
    pub fn interval(&self, now: Timestamp) -> Duration {
        match self {
            Self::Every(interval) => *interval,
            Self::Cron(cron) => cron.longest_gap(now),
        }
    }
}

fn next_on_grid(interval: Duration, phase: Duration, after: Timestamp) -> Option<Timestamp> {
    let step = i128::try_from(interval.as_nanos()).ok().filter(|step| *step > 0)?;
    let shift = i128::try_from(phase.as_nanos()).ok()? % step;
    let passed = (after.as_nanosecond() - shift).div_euclid(step);
    Timestamp::from_nanosecond((passed + 1) * step + shift).ok()
}

impl CronSchedule {
    /// Parses a cron expression with seconds (five fields get `0` seconds). Weekday digits are
    /// refused (the crate's 1 is Sunday), and so is an expression that never fires.
    ///
    /// # Errors
    /// One sentence that says what is wrong.
    pub fn parse(expression: &str, zone: TimeZone, now: Timestamp) -> Result<Self, String> {
        let expression = expression.trim();
        let with_seconds = with_seconds(expression)?;
        let schedule = cron::Schedule::from_str(&with_seconds)
            .map_err(|error| format!("`{expression}` is not a cron expression: {error}"))?;
        let parsed = Self { expression: expression.to_owned(), schedule, zone };
        if parsed.next_after(now).is_none() {
            return Err(format!("`{expression}` never fires"));
        }
        Ok(parsed)
    }

    /// The first firing after `after`, DST-safe: a time that the clock skips fires when the clock
    /// has moved on, a time that it repeats fires once; an expression for every hour keeps its
    /// pace through both.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        if let Some(steady) = self.next_at_steady_offset(after) {
            return Some(steady);
        }
        let local = after.to_zoned(self.zone.clone()).datetime();
        // The crate may run backwards around a change of the clock, so it sees a plain calendar
        // only. Starting a little early finds what the clock skipped and still owes.
        let start = on_calendar(local)?.checked_sub_signed(TimeDelta::hours(3))?;
        self.schedule.after(&start).find_map(|firing| {
            let firing = off_calendar(firing)?;
            let instant = firing.to_zoned(self.zone.clone()).ok()?.timestamp();
            (instant > after).then_some(instant)
        })
    }

    /// For expressions that fire in every hour: the next firing on the wall clock as it runs now,
    /// if it is still a firing on the wall clock as it runs then.
    fn next_at_steady_offset(&self, after: Timestamp) -> Option<Timestamp> {
        use cron::TimeUnitSpec;
        if !self.schedule.hours().is_all() {
            return None;
        }
        let fixed = self.zone.to_offset(after).to_time_zone();
        let local = after.to_zoned(fixed.clone()).datetime();
        let firing = off_calendar(self.schedule.after(&on_calendar(local)?).next()?)?;
        let instant = firing.to_zoned(fixed).ok()?.timestamp();
        let then: Zoned = instant.to_zoned(self.zone.clone());
        let holds = self.schedule.includes(on_calendar(then.datetime())?);
        (holds && instant > after).then_some(instant)
    }

    fn longest_gap(&self, now: Timestamp) -> Duration {
        let mut longest = Duration::ZERO;
        let mut previous = self.next_after(now);
        for _ in 0..SAMPLED_GAPS {
            let Some((from, to)) = previous.and_then(|from| Some((from, self.next_after(from)?)))
            else {
                break;
            };
            longest = longest.max(Duration::try_from(to.duration_since(from)).unwrap_or_default());
            previous = Some(to);
        }
        longest
    }
}

/// Prepends the seconds to five fields and refuses weekdays as digits.
fn with_seconds(expression: &str) -> Result<String, String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let (seconds, weekday) = match fields.len() {
        1 if expression.starts_with('@') => return Ok(expression.to_owned()),
        5 => ("0 ", fields[4]),
        6 | 7 => ("", fields[5]),
        count => {
            return Err(format!("`{expression}` has {count} fields where cron has five or six"));
        }
    };
    // A step (`*/2`) is a digit too, and counts days from Sunday: as easily misread.
    if weekday.contains(|letter: char| letter.is_ascii_digit()) {
        return Err(format!("weekday `{weekday}` in `{expression}`: write names (Mon, Tue, …)"));
    }
    Ok(format!("{seconds}{}", fields.join(" ")))
}

/// Civil time as if it were UTC: the only zone in which the crate is asked.
fn on_calendar(local: civil::DateTime) -> Option<DateTime<Utc>> {
    let as_utc = TimeZone::UTC.to_timestamp(local).ok()?;
    DateTime::from_timestamp(as_utc.as_second(), u32::try_from(as_utc.subsec_nanosecond()).ok()?)
}

fn off_calendar(firing: DateTime<Utc>) -> Option<civil::DateTime> {
    let as_utc = Timestamp::from_second(firing.timestamp()).ok()?;
    Some(TimeZone::UTC.to_datetime(as_utc))
}

/// Phase of a probe within its interval: `hash(monitor, probe) mod interval`, stable across
/// restarts and versions.
pub fn phase(monitor: &str, probe: &str, interval: Duration) -> Duration {
    let interval_nanos = interval.as_nanos();
    if interval_nanos == 0 {
        return Duration::ZERO;
    }
    let nanos = u128::from(hash(&[monitor, probe])) % interval_nanos;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

/// How long to wait before attempt `attempt + 1` after `attempt` (from 1) failed: doubling from
/// `base` up to `max`, of which the upper half is jitter that depends on key and attempt alone.
pub fn backoff(attempt: u32, base: Duration, max: Duration, jitter_key: &str) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let full = base.saturating_mul(1 << doublings).min(max);
    let share = hash(&[jitter_key, &attempt.to_string()]) % 1_000;
    let jitter = full / 2 * u32::try_from(share).unwrap_or(0) / 1_000;
    full / 2 + jitter
}

fn hash(parts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let digest = hasher.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn cron_in(zone: &str, expression: &str) -> CronSchedule {
        let zone = TimeZone::get(zone).unwrap();
        CronSchedule::parse(expression, zone, at("2026-01-01T00:00:00Z")).unwrap()
    }

    fn firings(schedule: &CronSchedule, from: &str, count: usize) -> Vec<String> {
        let mut after = at(from);
        let mut all = Vec::new();
        for _ in 0..count {
            after = schedule.next_after(after).unwrap();
            all.push(after.to_string());
        }
        all
    }

    fn refusal(expression: &str) -> String {
        CronSchedule::parse(expression, TimeZone::UTC, at("2026-11-20T00:00:00Z")).unwrap_err()
    }

    #[test]
    fn the_repeated_hour_runs_forward_at_an_even_pace() {
        // New York falls back on 2026-11-01 at 06:00Z: 01:00 to 02:00 happens twice.
        let schedule = cron_in("America/New_York", "0 */20 * * * *");
        let got = firings(&schedule, "2026-11-01T05:25:00Z", 6);
        let expected = ["05:40", "06:00", "06:20", "06:40", "07:00", "07:20"];
        let expected: Vec<_> = expected.iter().map(|t| format!("2026-11-01T{t}:00Z")).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_daily_job_in_the_repeated_hour_fires_once() {
        let schedule = cron_in("America/New_York", "0 30 1 * * *");
        let got = firings(&schedule, "2026-10-31T12:00:00Z", 2);
        assert_eq!(got, ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]);
        let in_the_second_pass = schedule.next_after(at("2026-11-01T06:05:00Z")).unwrap();
        assert_eq!(in_the_second_pass, at("2026-11-02T06:30:00Z"));
    }

    #[test]
    fn a_daily_job_in_the_skipped_hour_fires_after_it() {
        // New York springs forward on 2026-03-08: 02:00 to 03:00 does not happen.
        let schedule = cron_in("America/New_York", "0 30 2 * * *");
        let got = firings(&schedule, "2026-03-07T12:00:00Z", 2);
        assert_eq!(got, ["2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"]);
        let just_past_the_gap = schedule.next_after(at("2026-03-08T07:05:00Z")).unwrap();
        assert_eq!(just_past_the_gap, at("2026-03-08T07:30:00Z"));
    }

    #[test]
    fn an_hourly_job_keeps_its_pace_over_the_skipped_hour() {
        let schedule = cron_in("America/New_York", "0 0 * * * *");
        let got = firings(&schedule, "2026-03-08T05:30:00Z", 3);
        assert_eq!(got, ["2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"]);
    }

    #[test]
    fn five_fields_are_accepted() {
        let got = firings(&cron_in("UTC", "*/5 * * * *"), "2026-11-20T12:01:00Z", 1);
        assert_eq!(got, ["2026-11-20T12:05:00Z"]);
    }

    #[test]
    fn weekdays_are_names() {
        assert!(refusal("0 0 3 * * 1").contains("write names"));
        assert!(refusal("0 3 * * 0").contains("write names"));
        let sundays =
            firings(&cron_in("Europe/Berlin", "0 0 3 * * Sun"), "2026-11-20T12:00:00Z", 1);
        assert_eq!(sundays, ["2026-11-22T02:00:00Z"]);
    }

    #[test]
    fn what_never_fires_or_is_no_cron_is_refused() {
        assert!(refusal("0 0 0 31 Feb *").contains("never fires"));
        assert!(refusal("every minute").contains("fields"));
        assert!(refusal("0 99 * * * *").contains("not a cron expression"));
    }

    #[test]
    fn the_interval_of_a_cron_schedule_is_its_longest_gap() {
        let schedule = Schedule::Cron(Box::new(cron_in("UTC", "0 0 8-18 * * Mon-Fri")));
        let weekend = schedule.interval(at("2026-11-20T12:00:00Z"));
        assert_eq!(weekend, Duration::from_hours(62));
    }

    #[test]
    fn fixed_rate_stays_on_its_grid() {
        let schedule = Schedule::Every(Duration::from_mins(1));
        let phase = Duration::from_secs(17);
        let due = schedule.next_due(phase, at("2026-11-20T12:00:17Z")).unwrap();
        assert_eq!(due, at("2026-11-20T12:01:17Z"));
        assert_eq!(
            schedule.next_due(phase, at("2026-11-20T12:00:16.9Z")).unwrap(),
            at("2026-11-20T12:00:17Z")
        );
    }

    #[test]
    fn phases_are_stable_and_spread() {
        let minute = Duration::from_mins(1);
        assert_eq!(phase("m", "api-read", minute), phase("m", "api-read", minute));
        let mut buckets = [0; 6];
        for n in 0..600 {
            let secs = phase("m", &format!("probe-{n}"), minute).as_secs();
            buckets[usize::try_from(secs / 10).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|count| (60..=140).contains(count)), "{buckets:?}");
    }

    proptest! {
        #[test]
        fn due_times_are_later_and_at_most_one_interval_away(
            interval_ms in 1_u64..100_000_000, phase_ms in 0_u64..100_000_000, now in 0_i64..4_000_000_000,
        ) {
            let (interval, after) = (Duration::from_millis(interval_ms), Timestamp::from_second(now).unwrap());
            let due = Schedule::Every(interval).next_due(Duration::from_millis(phase_ms), after).unwrap();
            let wait = Duration::try_from(due.duration_since(after)).unwrap();
            prop_assert!(wait > Duration::ZERO && wait <= interval);
        }

        #[test]
        fn cron_always_moves_forward(start in 1_760_000_000_i64..1_840_000_000) {
            let mut after = Timestamp::from_second(start).unwrap();
            for expression in ["0 */7 * * * *", "0 30 1,2 * * *", "30 0 0 * * Sun"] {
                let schedule = cron_in("America/New_York", expression);
                for _ in 0..5 {
                    let next = schedule.next_after(after).unwrap();
                    prop_assert!(next > after);
                    after = next;
                }
            }
        }

        #[test]
        fn backoff_stays_within_half_and_whole(attempt in 1_u32..100, key in "[a-z0-9]{1,8}") {
            let (base, max) = (Duration::from_secs(2), Duration::from_mins(5));
            let wait = backoff(attempt, base, max, &key);
            let full = base.saturating_mul(1 << (attempt - 1).min(20)).min(max);
            prop_assert!(wait >= full / 2 && wait <= full);
            prop_assert_eq!(wait, backoff(attempt, base, max, &key));
        }
    }
}
