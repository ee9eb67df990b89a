//! What keeps a message back for now.
//!
//! Owns silences, maintenance windows of ours and the limit per channel. Invariant: it mutes telling
//! alone; what was not told is told when it ends, if it is still true.

use std::time::Duration;

use jiff::SignedDuration;

use crate::engine::schedule::CronSchedule;
use crate::engine::settings::Settings;
use crate::model::{Incident, Silence, Timestamp};

/// A channel is told at most this often (facts, I7) …
const MOST: usize = 20;
/// … within this.
const WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// One `[[maintenance]]`: work of our own, announced to the monitor.
#[derive(Debug, Clone)]
pub struct Window {
    /// When it begins.
    pub schedule: CronSchedule,
    /// How long it lasts.
    pub duration: Duration,
}

impl Window {
    /// True while it is open.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let Ok(before) = now.checked_sub(self.duration) else {
            return false;
        };
        self.schedule.next_after(before).is_some_and(|begun| begun <= now)
    }

    /// When it opens next.
    pub fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.schedule.next_after(now)
    }
}

/// Why nothing is said for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mute {
    /// A silence fits.
    Silenced,
    /// A maintenance window of ours is open.
    Window,
    /// The channel was told too much lately.
    Limit,
}

/// Why nothing is said about an incident for now, on any channel.
pub(super) fn of_incident(
    settings: &Settings,
    silences: &[Silence],
    incident: &Incident,
    now: Timestamp,
) -> Option<Mute> {
    if silences.iter().any(|silence| silence.is_active(now) && silence.matchers.fit(incident)) {
        return Some(Mute::Silenced);
    }
    settings.windows.iter().any(|window| window.is_open(now)).then_some(Mute::Window)
}

/// Why nothing is said on a channel for now.
pub(super) fn of_channel(incidents: &[Incident], channel: &str, now: Timestamp) -> Option<Mute> {
    let events = incidents.iter().flat_map(|incident| &incident.events);
    let recent = events.filter(|event| event.reached(channel));
    let count = recent.filter(|event| now.duration_since(event.at) <= WITHIN).count();
    (count >= MOST).then_some(Mute::Limit)
}
