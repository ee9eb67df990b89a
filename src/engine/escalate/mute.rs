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

/// Whether nothing is said about an incident for now, on any channel: a silence fits, or a
/// maintenance window of ours is open.
pub(super) fn is_silenced(
    settings: &Settings,
    silences: &[Silence],
    incident: &Incident,
    now: Timestamp,
) -> bool {
    silences.iter().any(|silence| silence.is_active(now) && silence.matchers.fit(incident))
        || settings.windows.iter().any(|window| window.is_open(now))
}

/// Whether a channel was told too much lately.
pub(super) fn is_at_its_limit(incidents: &[Incident], channel: &str, now: Timestamp) -> bool {
    let events = incidents.iter().flat_map(|incident| &incident.events);
    let recent = events.filter(|event| event.reached(channel));
    recent.filter(|event| now.duration_since(event.at) <= WITHIN).count() >= MOST
}
