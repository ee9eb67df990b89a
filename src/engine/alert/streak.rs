//! Inactive → Pending → Firing by observations in a row.
//!
//! Owns one small state machine and its back-dating. Does not know what is good or bad, nor how
//! many are enough to fire: the caller says. Invariant: it fires only when it is told to, and
//! never on fewer bad ones in a row than it counted.

use crate::model::Timestamp;

/// What an observation is to one family of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// Counts against.
    Bad,
    /// Counts for.
    Good,
    /// Ends what is only pending; neither confirms nor closes.
    Break,
    /// Neither counts nor resets.
    Neutral,
}

/// A stretch that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The first good observation.
    pub at: Timestamp,
    /// When the end was confirmed.
    pub confirmed_at: Timestamp,
}

/// A confirmed stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// The first bad observation.
    pub since: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
}

/// Where a streak stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Inactive,
    Pending,
    Firing(Firing),
}

/// Inactive → Pending → Firing by observations in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Streak {
    phase: Phase,
    bad: u32,
    good: u32,
    first_bad: Option<Timestamp>,
    first_good: Option<Timestamp>,
    ended: Option<Ended>,
}

impl Streak {
    /// Takes in one observation that began at `begun_at` and was known at `known_at`;
    /// `successes` good ones in a row end it.
    pub fn take(
        &mut self,
        polarity: Polarity,
        begun_at: Timestamp,
        known_at: Timestamp,
        successes: u32,
    ) {
        match polarity {
            Polarity::Bad => self.take_bad(begun_at),
            Polarity::Good => self.take_good(begun_at, known_at, successes),
            Polarity::Break if self.phase == Phase::Pending => self.forget(),
            Polarity::Break | Polarity::Neutral => {}
        }
    }

    fn take_bad(&mut self, begun_at: Timestamp) {
        if self.phase == Phase::Inactive {
            self.phase = Phase::Pending;
            self.bad = 0;
        }
        if self.bad == 0 {
            self.first_bad = Some(begun_at);
        }
        self.bad += 1;
        self.good = 0;
        self.first_good = None;
    }

    fn take_good(&mut self, begun_at: Timestamp, known_at: Timestamp, successes: u32) {
        if self.phase == Phase::Inactive {
            return;
        }
        self.bad = 0;
        self.good += 1;
        let first_good = *self.first_good.get_or_insert(begun_at);
        if self.good < successes {
            return;
        }
        if let Phase::Firing(_) = self.phase {
            self.ended = Some(Ended { at: first_good, confirmed_at: known_at });
        }
        self.forget();
    }

    /// Confirms what is pending.
    pub fn confirm(&mut self, now: Timestamp) {
        if let (Phase::Pending, Some(since)) = (self.phase, self.first_bad) {
            self.phase = Phase::Firing(Firing { since, confirmed_at: now });
        }
    }

    /// Drops what is only pending, because what it rests on is too long ago.
    pub fn expire(&mut self) {
        if self.phase == Phase::Pending {
            self.forget();
        }
    }

    /// Back to inactive, keeping the last end.
    fn forget(&mut self) {
        *self = Self { ended: self.ended, ..Self::default() };
    }

    /// Ends a firing stretch from outside (something else took its place).
    pub fn supersede(&mut self, at: Timestamp) {
        if let Phase::Firing(_) = self.phase {
            self.ended = Some(Ended { at, confirmed_at: at });
        }
        self.forget();
    }

    /// The confirmed stretch, if there is one.
    pub fn firing(&self) -> Option<Firing> {
        match self.phase {
            Phase::Firing(firing) => Some(firing),
            Phase::Inactive | Phase::Pending => None,
        }
    }

    /// True from the first bad observation until it is confirmed or cleared.
    pub fn is_pending(&self) -> bool {
        self.phase == Phase::Pending
    }

    /// True from the first bad observation until it is cleared or has ended.
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Inactive
    }

    /// Bad ones in a row up to now.
    pub fn bad_in_a_row(&self) -> u32 {
        self.bad
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

    fn at(second: usize) -> Timestamp {
        Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
    }

    /// `x` bad, `.` good, `-` neutral, `|` break; fires at 3 bad, ends at 2 good.
    fn run(script: &str) -> String {
        let mut streak = Streak::default();
        let mut said = Vec::new();
        for (index, letter) in script.chars().enumerate() {
            let polarity = match letter {
                'x' => Polarity::Bad,
                '.' => Polarity::Good,
                '|' => Polarity::Break,
                _ => Polarity::Neutral,
            };
            let was_firing = streak.firing().is_some();
            streak.take(polarity, at(index), at(index), 2);
            if streak.bad_in_a_row() >= 3 {
                streak.confirm(at(index));
            }
            match (was_firing, streak.firing()) {
                (false, Some(firing)) => {
                    said.push(format!("{index}:fired({})", firing.since.as_second()));
                }
                (true, None) => {
                    let ended = streak.ended().unwrap();
                    said.push(format!("{index}:resolved({})", ended.at.as_second()));
                }
                _ => {}
            }
        }
        said.join(" ")
    }

    #[test]
    fn bad_in_a_row_fire_and_good_in_a_row_resolve_both_back_dated() {
        assert_eq!(run(".xxx.."), "3:fired(1) 5:resolved(4)");
    }

    #[test]
    fn one_blip_is_silent() {
        assert_eq!(run("..x...xx..."), "");
    }

    #[test]
    fn a_good_one_restarts_the_count() {
        assert_eq!(run("xx.xxx"), "5:fired(3)");
        assert_eq!(run("xxx.x.x.."), "2:fired(0) 8:resolved(7)");
    }

    #[test]
    fn neutral_ones_neither_count_nor_reset() {
        assert_eq!(run("x--x--x"), "6:fired(0)");
        assert_eq!(run("xxx.--."), "2:fired(0) 6:resolved(3)");
    }

    #[test]
    fn a_break_ends_what_is_pending_alone() {
        assert_eq!(run("xx|xx"), "");
        assert_eq!(run("xxx|.."), "2:fired(0) 5:resolved(4)");
    }

    proptest! {
        #[test]
        fn it_never_fires_on_fewer_than_the_threshold(script in "[x.|-]{0,60}") {
            let counted: String = script.chars().filter(|letter| *letter != '-').collect();
            let fired = run(&script).contains("fired");
            prop_assert_eq!(fired, counted.contains("xxx"));
        }

        #[test]
        fn enough_good_ones_always_end_it(script in "[x.|-]{0,60}") {
            let said = run(&format!("{script}.."));
            prop_assert_eq!(said.matches("fired").count(), said.matches("resolved").count());
        }
    }
}
