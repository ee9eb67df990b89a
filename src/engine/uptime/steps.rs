//! A value that changes from time to time.
//!
//! Owns the painting of stretches over one another. Knows nothing of what the values mean.
//! Invariant: it has a value at every instant.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Window;
use crate::engine::words;
use crate::model::Timestamp;

/// A value for every instant; each holds from its instant until the next.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps<T>(BTreeMap<Timestamp, T>);

impl<T: Copy> Steps<T> {
    /// One value, always.
    pub(super) fn of(value: T) -> Self {
        Self(BTreeMap::from([(Timestamp::MIN, value)]))
    }

    /// What `of` makes, at each instant, of `blank` and all of their values.
    pub(super) fn merged(all: &[Self], blank: T, of: impl Fn(T, T) -> T) -> Self {
        let mut merged = Self::of(blank);
        for at in all.iter().flat_map(|steps| steps.0.keys().copied()) {
            merged.set(at, all.iter().map(|steps| steps.at(at)).fold(blank, &of));
        }
        merged
    }

    /// From `at` on, until the next change.
    pub(super) fn set(&mut self, at: Timestamp, value: T) {
        self.0.insert(at, value);
    }

    /// From `since` until `until`, whatever was there; nothing when that is empty.
    pub(super) fn paint(&mut self, since: Timestamp, until: Timestamp, value: T) {
        if since >= until {
            return;
        }
        let after = self.at(until);
        let covered: Vec<Timestamp> = self.0.range(since..until).map(|(at, _)| *at).collect();
        for at in covered {
            self.0.remove(&at);
        }
        self.0.insert(since, value);
        self.0.insert(until, after);
    }

    /// The value at an instant.
    pub(super) fn at(&self, instant: Timestamp) -> T {
        let last = self.0.range(..=instant).next_back();
        let (_, value) = last.expect("there is a value from the beginning of time on");
        *value
    }

    /// When it changes next.
    pub(super) fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let later = (std::ops::Bound::Excluded(instant), std::ops::Bound::Unbounded);
        self.0.range(later).next().map(|(at, _)| *at)
    }

    /// Since when, up to an instant, it has been `as_asked` without a break.
    pub(super) fn run_start(
        &self,
        instant: Timestamp,
        as_asked: impl Fn(T) -> bool,
    ) -> Option<Timestamp> {
        let back = self.0.range(..=instant).rev();
        back.take_while(|(_, value)| as_asked(**value)).last().map(|(at, _)| *at)
    }

    /// What a window is made of: each value and how long it held, in order.
    pub(super) fn pieces(&self, window: Window) -> Vec<(Duration, T)> {
        let mut pieces = Vec::new();
        if window.since >= window.until {
            return pieces;
        }
        let (mut since, mut value) = (window.since, self.at(window.since));
        let inside =
            (std::ops::Bound::Excluded(window.since), std::ops::Bound::Excluded(window.until));
        for (at, next) in self.0.range(inside) {
            pieces.push((words::between(since, *at), value));
            (since, value) = (*at, *next);
        }
        pieces.push((words::between(since, window.until), value));
        pieces
    }
}
