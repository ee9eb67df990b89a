//! Requests that were limited (429): shown at once, told when it lasts.
//!
//! Owns when a series was limited within the last ten minutes. Invariant: it is over five minutes
//! after the last limited answer, and it is told only when half of ten minutes were limited.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::SignedDuration;

use crate::model::Timestamp;

/// Without a limited answer for this long it is over.
pub const OVER_AFTER: SignedDuration = SignedDuration::from_mins(5);
const LOOKED_AT: SignedDuration = SignedDuration::from_mins(10);
const ENOUGH: Duration = Duration::from_mins(5);
/// Bound of the window: ten minutes at one observation a second.
const MOST: usize = 600;

/// Requests that were limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limited {
    samples: VecDeque<(Timestamp, bool)>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    in_a_row: u32,
}

impl Limited {
    /// Takes in one answer, or one failure to get any.
    pub fn take(&mut self, is_limited: bool, at: Timestamp) {
        if is_limited {
            if !self.is_active(at) {
                self.first = Some(at);
            }
            self.last = Some(at);
            self.in_a_row += 1;
        } else {
            self.in_a_row = 0;
        }
        self.samples.push_back((at, is_limited));
        // One sample from before the window says what held at its beginning.
        while self.samples.len() > MOST
            || self.samples.get(1).is_some_and(|(second, _)| at.duration_since(*second) > LOOKED_AT)
        {
            self.samples.pop_front();
        }
    }

    /// True until five minutes after the last limited answer.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.last.is_some_and(|last| now.duration_since(last) < OVER_AFTER)
    }

    /// The first limited answer of the stretch.
    pub fn since(&self) -> Option<Timestamp> {
        self.first
    }

    /// The last limited answer.
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Limited answers in a row up to now.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// True when half of the last ten minutes were limited, each answer holding until the next.
    pub fn is_lasting(&self, now: Timestamp) -> bool {
        let Ok(begin) = now.checked_sub(LOOKED_AT) else {
            return false;
        };
        let ends = self.samples.iter().skip(1).map(|(at, _)| *at).chain([now]);
        let limited: Duration = self
            .samples
            .iter()
            .zip(ends)
            .filter(|((_, is_limited), _)| *is_limited)
            .map(|((at, _), end)| {
                Duration::try_from(end.duration_since(begin.max(*at))).unwrap_or_default()
            })
            .sum();
        limited >= ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: usize) -> Timestamp {
        Timestamp::from_second(1_000_000 + i64::try_from(second).unwrap()).unwrap()
    }

    /// One answer every 30 s: `l` limited, `.` not. Says when it lasts and when it is over.
    fn run(script: &str) -> String {
        let mut limited = Limited::default();
        let (mut said, mut was_active, mut was_lasting) = (Vec::new(), false, false);
        for (index, letter) in script.chars().enumerate() {
            limited.take(letter == 'l', at(30 * index));
            let (active, lasting) =
                (limited.is_active(at(30 * index)), limited.is_lasting(at(30 * index)));
            if active != was_active {
                said.push(format!("{index}:{}", if active { "shown" } else { "over" }));
            }
            if lasting && !was_lasting {
                said.push(format!("{index}:lasting"));
            }
            (was_active, was_lasting) = (active, lasting);
        }
        said.join(" ")
    }

    #[test]
    fn one_is_shown_and_over_after_five_minutes() {
        assert_eq!(run("..l............"), "2:shown 12:over");
    }

    #[test]
    fn half_of_ten_minutes_is_lasting() {
        assert_eq!(run("lllllllllllll"), "0:shown 10:lasting");
        assert_eq!(run("l..l..l..l..l..l..l..l..l"), "0:shown");
    }

    proptest! {
        #[test]
        fn it_lasts_only_with_ten_of_twenty(script in "[l.]{0,60}") {
            let letters: Vec<char> = script.chars().collect();
            // Twenty answers hold for ten minutes.
            let dense = (0..letters.len()).any(|end| {
                let last = &letters[end.saturating_sub(20)..end];
                last.iter().filter(|letter| **letter == 'l').count() >= 10
            });
            prop_assert_eq!(run(&script).contains("lasting"), dense);
        }
    }
}
