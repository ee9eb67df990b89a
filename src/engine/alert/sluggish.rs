//! Answers that come too late: three of five (verdicts.md, section 2, `slow`).
//!
//! Owns the last five answers of a series. Does not decide what is slow. Invariant: fires on three
//! slow ones of five, ends on three good ones of five.

use std::collections::VecDeque;

use super::streak::{Ended, Firing};
use crate::model::Timestamp;

const LOOKED_AT: usize = 5;
const ENOUGH: usize = 3;
/// Good ones in a row after which nothing is suspected any more.
const CLEARED: usize = 2;

/// Answers that come too late.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sluggish {
    answers: VecDeque<(Timestamp, bool)>,
    firing: Option<Firing>,
    ended: Option<Ended>,
}

impl Sluggish {
    /// Takes in one answer.
    pub fn take(&mut self, is_slow: bool, begun_at: Timestamp, known_at: Timestamp) {
        self.answers.push_back((begun_at, is_slow));
        if self.answers.len() > LOOKED_AT {
            self.answers.pop_front();
        }
        let slow = self.answers.iter().filter(|(_, is_slow)| *is_slow).count();
        match self.firing {
            None if slow >= ENOUGH => self.confirm(known_at),
            Some(_) if self.answers.len() - slow >= ENOUGH => {
                let since_the_last_slow =
                    self.answers.iter().rev().take_while(|(_, is_slow)| !is_slow);
                let at = since_the_last_slow.last().map_or(begun_at, |(at, _)| *at);
                self.ended = Some(Ended { at, confirmed_at: known_at });
                self.firing = None;
            }
            None | Some(_) => {}
        }
    }

    /// Fires on what there is.
    pub fn confirm(&mut self, now: Timestamp) {
        let first = self.answers.iter().find(|(_, is_slow)| *is_slow);
        let since = first.map_or(now, |(at, _)| *at);
        self.firing.get_or_insert(Firing { since, confirmed_at: now });
    }

    /// Forgets everything but the last end: an outage took over.
    pub fn clear(&mut self) {
        *self = Self { ended: self.ended, ..Self::default() };
    }

    /// True from a slow answer until it is confirmed or two good ones followed.
    pub fn is_pending(&self) -> bool {
        self.firing.is_none()
            && self.answers.iter().rev().take(CLEARED).any(|(_, is_slow)| *is_slow)
    }

    /// The confirmed stretch, if there is one.
    pub fn firing(&self) -> Option<Firing> {
        self.firing
    }

    /// How the last confirmed stretch ended.
    pub fn ended(&self) -> Option<Ended> {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `s` slow, `.` in time.
    fn run(script: &str) -> String {
        let mut sluggish = Sluggish::default();
        let mut said = Vec::new();
        for (index, letter) in script.chars().enumerate() {
            let at = Timestamp::from_second(i64::try_from(index).unwrap()).unwrap();
            let was = sluggish.firing();
            sluggish.take(letter == 's', at, at);
            match (was, sluggish.firing()) {
                (None, Some(firing)) => {
                    said.push(format!("{index}:fired({})", firing.since.as_second()));
                }
                (Some(_), None) => {
                    let ended = sluggish.ended().unwrap();
                    said.push(format!("{index}:resolved({})", ended.at.as_second()));
                }
                _ => {}
            }
        }
        said.join(" ")
    }

    #[test]
    fn three_of_five_fire_and_three_good_of_five_end_it() {
        assert_eq!(run("..s.ss"), "5:fired(2)");
        assert_eq!(run("sss..."), "2:fired(0) 5:resolved(3)");
    }

    #[test]
    fn two_of_five_are_silent() {
        assert_eq!(run("s..s...s.."), "");
    }

    proptest! {
        #[test]
        fn it_fires_exactly_on_three_of_five(script in "[s.]{0,40}") {
            let letters: Vec<char> = script.chars().collect();
            let dense = (0..letters.len()).any(|end| {
                let last = &letters[end.saturating_sub(4)..=end];
                last.iter().filter(|letter| **letter == 's').count() >= 3
            });
            prop_assert_eq!(run(&script).contains("fired"), dense);
        }

        #[test]
        fn three_good_ones_always_end_it(script in "[s.]{0,40}") {
            let said = run(&format!("{script}..."));
            prop_assert_eq!(said.matches("fired").count(), said.matches("resolved").count());
        }
    }
}
