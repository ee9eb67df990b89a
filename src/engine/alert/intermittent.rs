//! Errors now and then: a share of failures within half an hour (verdicts.md, section 2).
//!
//! Owns one window per series. Does not see confirmed outages: the caller clears it then, so that
//! the failures of an outage are not told a second time. Invariant: fires on at least
//! `ENOUGH` observations of which at least a tenth failed.

use std::collections::VecDeque;
use std::time::Duration;

use super::streak::{Ended, Firing};
use crate::model::Timestamp;

/// How far it looks back.
const WINDOW: Duration = Duration::from_mins(30);
/// Observations without which a share means nothing, and over which the end is measured.
const ENOUGH: usize = 20;
/// Bound of the window: half an hour at one observation a second, for short test intervals.
const MOST: usize = 1_800;

/// Errors now and then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intermittent {
    samples: VecDeque<(Timestamp, bool)>,
    firing: Option<Firing>,
    ended: Option<Ended>,
}

impl Intermittent {
    /// Takes in one observation that counted.
    pub fn take(&mut self, is_bad: bool, begun_at: Timestamp, known_at: Timestamp) {
        self.samples.push_back((begun_at, is_bad));
        while self.samples.len() > MOST || self.front_is_out_of_reach(begun_at) {
            self.samples.pop_front();
        }
        match self.firing {
            None => self.open(known_at),
            Some(_) => self.close(known_at),
        }
    }

    fn front_is_out_of_reach(&self, now: Timestamp) -> bool {
        self.samples.len() > ENOUGH
            && self.samples.front().is_some_and(|(at, _)| !is_within(*at, now))
    }

    fn open(&mut self, now: Timestamp) {
        let recent = || self.samples.iter().filter(|(at, _)| is_within(*at, now));
        let (seen, bad) = (recent().count(), recent().filter(|(_, is_bad)| *is_bad).count());
        if seen < ENOUGH || bad * 10 < seen {
            return;
        }
        let since = recent().find(|(_, is_bad)| *is_bad).map_or(now, |(at, _)| *at);
        self.firing = Some(Firing { since, confirmed_at: now });
    }

    fn close(&mut self, now: Timestamp) {
        let last = self.samples.iter().rev().take(ENOUGH);
        // Below 5 % of the last 20 is none of them.
        if self.samples.len() < ENOUGH || last.clone().any(|(_, is_bad)| *is_bad) {
            return;
        }
        // What is over must not open it again: only what came after the last bad one is kept.
        let kept = self.samples.iter().rev().take_while(|(_, is_bad)| !is_bad).count();
        self.samples.drain(..self.samples.len() - kept);
        let at = self.samples.front().map_or(now, |(at, _)| *at);
        self.ended = Some(Ended { at, confirmed_at: now });
        self.firing = None;
    }

    /// Fires without a full window: `check` at its deadline, with good and bad mixed.
    pub fn confirm(&mut self, since: Timestamp, now: Timestamp) {
        self.firing.get_or_insert(Firing { since, confirmed_at: now });
    }

    /// Forgets everything but the last end: an outage took over.
    pub fn clear(&mut self) {
        *self = Self { ended: self.ended, ..Self::default() };
    }

    /// The confirmed stretch, if there is one.
    pub fn firing(&self) -> Option<Firing> {
        self.firing
    }

    /// How the last confirmed stretch ended.
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }

    /// Failures and observations within the window.
    pub fn share(&self, now: Timestamp) -> (usize, usize) {
        let recent = || self.samples.iter().filter(|(at, _)| is_within(*at, now));
        (recent().filter(|(_, is_bad)| *is_bad).count(), recent().count())
    }
}

fn is_within(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) <= jiff::SignedDuration::try_from(WINDOW).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One observation a minute, `x` bad, `.` good.
    fn run(script: &str) -> String {
        let mut window = Intermittent::default();
        let mut said = Vec::new();
        for (index, letter) in script.chars().enumerate() {
            let at = Timestamp::from_second(60 * i64::try_from(index).unwrap()).unwrap();
            let was = window.firing();
            window.take(letter == 'x', at, at);
            match (was, window.firing()) {
                (None, Some(firing)) => {
                    said.push(format!("{index}:fired({})", firing.since.as_second() / 60));
                }
                (Some(_), None) => {
                    let ended = window.ended().unwrap();
                    said.push(format!("{index}:resolved({})", ended.at.as_second() / 60));
                }
                _ => {}
            }
        }
        said.join(" ")
    }

    #[test]
    fn one_error_among_successes_is_silent() {
        assert_eq!(run("..........x............................."), "");
    }

    #[test]
    fn one_in_four_fires_once_and_ends_after_twenty_good_ones() {
        let script = format!("{}{}", "...x".repeat(6), ".".repeat(20));
        assert_eq!(run(&script), "19:fired(3) 43:resolved(24)");
    }

    #[test]
    fn few_observations_prove_nothing() {
        assert_eq!(run("x.x.x.x.x.x.x.x.x."), "");
    }

    proptest! {
        #[test]
        fn it_never_fires_below_a_tenth(gaps in prop::collection::vec(11_usize..30, 0..8)) {
            let runs: Vec<String> = gaps.iter().map(|gap| ".".repeat(*gap)).collect();
            let script = runs.join("x");
            prop_assert_eq!(run(&script), "");
        }

        #[test]
        fn twenty_good_ones_always_end_it(script in "[x.]{0,80}") {
            let said = run(&format!("{script}{}", ".".repeat(20)));
            prop_assert_eq!(said.matches("fired").count(), said.matches("resolved").count());
        }
    }
}
