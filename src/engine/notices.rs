//! What is told once by day and repeated weekly: silent loss of watching, a low balance, a key that
//! ends soon (verdicts.md, section 3); and a full disk, told at any hour and repeated daily.
//!
//! Owns the list of such things and when each is told. Sends nothing. Invariant: none of them is
//! ever an outage, and none but a full disk is told at night.

use std::collections::VecDeque;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::canary::paid;
use super::evaluate::Memory;
use super::settings::Settings;
use super::words;
use crate::model::{AccountReading, Capability, IntentState, Outcome, Timestamp, Told, Unit};

/// Told again after this.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A full disk is told again after this.
const DISK_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// By day: from this hour on, local time.
const DAY_BEGINS: i8 = 8;
/// Until this hour.
const DAY_ENDS: i8 = 20;
/// What lasts for less is not worth a message.
const LASTING: SignedDuration = SignedDuration::from_mins(30);
/// A balance that will be used up within so many days is low.
const FEW_DAYS: f64 = 3.0;
/// Days before the end of a key at which it is said (verdicts.md, section 3).
const KEY_DAYS: [i64; 2] = [3, 14];
/// The account's pace is measured over at least this.
const LEAST_SPAN: SignedDuration = SignedDuration::from_hours(24);
/// The account's pace is measured over at most this.
const MOST_SPAN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Balances are noted this far apart.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// What is to be told now: its key and its text.
pub(super) fn due(memory: &Memory, settings: &Settings, now: Timestamp) -> Vec<(Told, String)> {
    let last = |key: &str| memory.jobs.told.iter().find(|told| told.key == key).map(|told| told.at);
    let is_due = |key: &str, again_after| {
        last(key).is_none_or(|at| now.duration_since(at) >= again_after || at > now)
    };
    let disk = memory.room.warning().filter(|(key, _)| is_due(key, DISK_AGAIN_AFTER));
    let mut due: Vec<(String, String)> =
        disk.map(|(key, text)| (key.to_owned(), text.to_owned())).into_iter().collect();
    if is_day(&settings.timezone, now) {
        let current = current(memory, settings, now).into_iter();
        due.extend(current.filter(|(key, _)| is_due(key, AGAIN_AFTER)));
    }
    due.into_iter().map(|(key, text)| (Told { key, at: now }, text)).collect()
}

fn is_day(zone: &TimeZone, now: Timestamp) -> bool {
    (DAY_BEGINS..DAY_ENDS).contains(&now.to_zoned(zone.clone()).hour())
}

/// Everything that is worth telling, whether it was told or not.
fn current(memory: &Memory, settings: &Settings, now: Timestamp) -> Vec<(String, String)> {
    let stopped = stopped(memory, settings, now);
    let mut all: Vec<(String, String)> = stopped.iter().map(Stopped::told).collect();
    all.extend(key_ends(memory, settings, now));
    all.extend(balance_low(memory));
    all
}

/// Paid tests that are not sent any more, for a reason that people can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped<'a> {
    /// The probe.
    pub probe: &'a str,
    /// What it would inform.
    pub capabilities: &'a [Capability],
    /// One plain sentence without a full stop.
    pub why: String,
}

impl Stopped<'_> {
    fn told(&self) -> (String, String) {
        let what = words::capabilities(self.capabilities);
        let text = format!("We stopped testing {what}: {}.", self.why);
        (format!("not_watching:{}", self.probe), text)
    }
}

/// Every paid test that is not sent any more.
pub fn stopped<'a>(memory: &Memory, settings: &'a Settings, now: Timestamp) -> Vec<Stopped<'a>> {
    let mut all = Vec::new();
    for (watch, _) in paid(settings) {
        let name = &watch.name;
        let held = memory.jobs.canaries.hold(name).filter(|hold| hold.is_told);
        let held = held.filter(|hold| now.duration_since(hold.since) >= LASTING);
        let refused = memory.jobs.canaries.of(name).next_back().filter(|intent| {
            intent.state == IntentState::Refused
                && matches!(intent.outcome, Some(Outcome::BadRequest | Outcome::Forbidden))
        });
        let why = match (held, refused) {
            (Some(hold), _) => hold.text.clone(),
            (None, Some(intent)) => {
                let outcome = intent.outcome.unwrap_or(Outcome::BadRequest);
                format!("HeyGen refused the last test of `{name}`: {}", words::outcome(outcome))
            }
            (None, None) => continue,
        };
        all.push(Stopped { probe: name, capabilities: &watch.capabilities, why });
    }
    all
}

fn key_ends(memory: &Memory, settings: &Settings, now: Timestamp) -> Option<(String, String)> {
    let ends = memory.jobs.account.as_ref()?.key_expires_at?;
    let left = ends.duration_since(now);
    let days = KEY_DAYS.into_iter().find(|days| left <= SignedDuration::from_hours(days * 24))?;
    let when = words::time(ends, &settings.timezone, now);
    let text = if left.is_negative() {
        format!("The HeyGen API key has ended ({when}): replace it.")
    } else {
        format!("The HeyGen API key ends {when}: replace it before.")
    };
    Some((format!("key_expires_soon:{days}"), text))
}

fn balance_low(memory: &Memory) -> Option<(String, String)> {
    let days = memory.jobs.pace.days_left()?;
    (days < FEW_DAYS).then(|| {
        let text = format!(
            "The HeyGen balance will be used up in about {days:.1} days at the account's pace: add \
             credit."
        );
        ("balance_low".to_owned(), text)
    })
}

/// How quickly the account's balance falls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    noted: VecDeque<(Timestamp, f64)>,
    now: Option<(Timestamp, f64)>,
}

impl Pace {
    /// Notes a balance.
    pub(super) fn note(&mut self, reading: &AccountReading) {
        let of = |unit| {
            let pools = reading.pools.iter().filter(move |pool| pool.unit == unit);
            let mut left = pools.map(|pool| pool.remaining).peekable();
            left.peek().is_some().then(|| left.sum::<f64>())
        };
        let Some(left) = of(Unit::Credits).or_else(|| of(Unit::Usd)) else {
            return;
        };
        // A top-up begins a new count.
        if self.now.is_some_and(|(_, before)| left > before) {
            self.noted.clear();
        }
        self.now = Some((reading.at, left));
        let is_apart =
            self.noted.back().is_none_or(|(at, _)| reading.at.duration_since(*at) >= NOTED_EVERY);
        if is_apart {
            self.noted.push_back((reading.at, left));
        }
        while self.noted.front().is_some_and(|(at, _)| reading.at.duration_since(*at) > MOST_SPAN) {
            self.noted.pop_front();
        }
    }

    /// Days until the balance is used up; `None` while that cannot be told.
    pub(super) fn days_left(&self) -> Option<f64> {
        let (now, left) = self.now?;
        let (first, before) = *self.noted.front()?;
        let span = now.duration_since(first);
        let used = before - left;
        if span < LEAST_SPAN || used <= 0.0 {
            return None;
        }
        Some(left * span.as_secs_f64() / 86_400.0 / used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Input, evaluate};
    use crate::model::Plan;

    fn at(hours: i64) -> Timestamp {
        let nine: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        nine + SignedDuration::from_hours(hours)
    }

    /// What is told when the account is read at these hours, each with the end of its key.
    fn told(readings: &[(i64, Option<i64>)], until: i64) -> String {
        let (mut memory, settings) = (Memory::default(), Settings::default());
        let mut told = Vec::new();
        for (hour, ends) in readings {
            let reading = AccountReading {
                at: at(*hour),
                pools: Vec::new(),
                plan: Plan::default(),
                auto_reload: None,
                key_expires_at: ends.map(at),
                clock_skew: None,
            };
            let input = Input::Told(Box::new(reading));
            told.extend(evaluate(&mut memory, &settings, input, at(*hour)).told);
        }
        told.extend(evaluate(&mut memory, &settings, Input::Tick, at(until)).told);
        told.into_iter().map(|one| one.key).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_end_of_a_key_is_told_fourteen_and_three_days_before_until_another_one_is_used() {
        assert_eq!(told(&[(0, Some(480))], 1), "");
        assert_eq!(told(&[(0, Some(240))], 1), "key_expires_soon:14");
        assert_eq!(told(&[(0, Some(48))], 1), "key_expires_soon:3");
        assert_eq!(told(&[(0, Some(240))], 264), "key_expires_soon:14 key_expires_soon:3");
        assert_eq!(told(&[(0, Some(240)), (264, None)], 265), "key_expires_soon:14");
    }
}
