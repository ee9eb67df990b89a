//! Where time went, and what share of it HeyGen could be used.
//!
//! Owns the classes of time and their sums. Invariant: what is not HeyGen's never counts against
//! it, and what nobody could tell counts for nobody and is stated.

use std::time::Duration;

use crate::model::{Blame, State};

/// What an instant was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It worked.
    Up,
    /// It worked badly, on somebody's side.
    Degraded(Blame),
    /// It could not be used, on somebody's side.
    Down(Blame),
    /// HeyGen's announced work.
    Maintenance,
    /// Somebody looked and could not tell.
    Unknown,
    /// Nobody looked.
    NoData,
}

impl Class {
    /// Whose trouble it is, if it is any.
    pub(super) fn trouble(self) -> Option<Blame> {
        match self {
            Self::Degraded(blame) | Self::Down(blame) => Some(blame),
            Self::Up | Self::Maintenance | Self::Unknown | Self::NoData => None,
        }
    }

    /// How much it says of a whole that needs several, most highest.
    pub(super) fn gravity(self) -> (u8, std::cmp::Reverse<Blame>) {
        let rank = match self {
            Self::Down(Blame::Provider) => 7,
            Self::Down(_) => 6,
            Self::Degraded(Blame::Provider) => 5,
            Self::Degraded(_) => 4,
            Self::Maintenance => 3,
            Self::Unknown => 2,
            Self::Up => 1,
            Self::NoData => 0,
        };
        (rank, std::cmp::Reverse(self.trouble().unwrap_or(Blame::None)))
    }

    /// As a state, and whose move it is; `None` where nobody looked.
    pub(super) fn worst(self) -> Option<(State, Blame)> {
        match self {
            Self::Up => Some((State::Operational, Blame::None)),
            Self::Degraded(blame) => Some((State::Degraded, blame)),
            Self::Down(blame) => Some((State::Outage, blame)),
            Self::Maintenance => Some((State::Maintenance, Blame::Provider)),
            Self::Unknown => Some((State::Unknown, Blame::None)),
            Self::NoData => None,
        }
    }
}

/// How much a state says of a day, most highest: a moment in which nobody could tell must not hide
/// what was seen.
pub(super) fn rank(state: State) -> u8 {
    match state {
        State::Outage => 4,
        State::Degraded => 3,
        State::Maintenance => 2,
        State::Operational => 1,
        State::Unknown => 0,
    }
}

/// Time by whose move it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sides {
    /// HeyGen's.
    pub provider: Duration,
    /// The account's: key, quota, plan, credit.
    pub account: Duration,
    /// Our request's or file's.
    pub client: Duration,
    /// Our network's.
    pub network: Duration,
    /// This monitor's, or nobody's.
    pub monitor: Duration,
}

impl Sides {
    /// All of them.
    pub fn total(self) -> Duration {
        self.provider + self.account + self.client + self.network + self.monitor
    }

    fn of(&mut self, blame: Blame) -> &mut Duration {
        match blame {
            Blame::Provider => &mut self.provider,
            Blame::Account => &mut self.account,
            Blame::Client => &mut self.client,
            Blame::Network => &mut self.network,
            Blame::Monitor | Blame::None => &mut self.monitor,
        }
    }
}

/// Where the time of a window went. The fields add up to the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// It worked.
    pub up: Duration,
    /// It worked badly.
    pub degraded: Sides,
    /// It could not be used.
    pub down: Sides,
    /// HeyGen's announced work, as far as it kept anything from working.
    pub maintenance: Duration,
    /// Somebody looked and could not tell.
    pub unknown: Duration,
    /// Nobody looked: the monitor did not run, or nothing informs this capability.
    pub no_data: Duration,
}

impl Spent {
    /// Adds up.
    pub(super) fn of(pieces: &[(Duration, Class)]) -> Self {
        let mut spent = Self::default();
        for (length, class) in pieces {
            *spent.part(*class) += *length;
        }
        spent
    }

    fn part(&mut self, class: Class) -> &mut Duration {
        match class {
            Class::Up => &mut self.up,
            Class::Degraded(blame) => self.degraded.of(blame),
            Class::Down(blame) => self.down.of(blame),
            Class::Maintenance => &mut self.maintenance,
            Class::Unknown => &mut self.unknown,
            Class::NoData => &mut self.no_data,
        }
    }

    /// Everything.
    pub fn total(&self) -> Duration {
        self.watched() + self.no_data
    }

    /// The time in which somebody looked.
    pub fn watched(&self) -> Duration {
        let troubles = self.degraded.total() + self.down.total();
        self.up + troubles + self.maintenance + self.unknown
    }

    /// The share of the judged time in which HeyGen could be used; `None` when nothing was judged.
    /// Judged is what was up, degraded by HeyGen (usable) or down by HeyGen (not usable). All else is
    /// left out: unknown and no data, announced maintenance, and trouble on another side.
    pub fn availability(&self) -> Option<Availability> {
        let usable = self.up + self.degraded.provider;
        let judged = usable + self.down.provider;
        let of = |part: Duration, whole: Duration| {
            (!whole.is_zero()).then(|| part.as_secs_f64() / whole.as_secs_f64())
        };
        Some(Availability {
            share: of(usable, judged)?,
            low: of(usable, judged + self.unknown)?,
            high: of(usable + self.unknown, judged + self.unknown)?,
            judged,
            unknown: self.unknown,
        })
    }
}

/// A share of time. Time is no sample, so its interval is no confidence interval: the true share
/// lies between `low` and `high` whatever was the case while nobody could tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Availability {
    /// 0 to 1.
    pub share: f64,
    /// If HeyGen was down whenever nobody could tell.
    pub low: f64,
    /// If HeyGen was up whenever nobody could tell.
    pub high: f64,
    /// How much time the share is of.
    pub judged: Duration,
    /// The time in which nobody could tell.
    pub unknown: Duration,
}
