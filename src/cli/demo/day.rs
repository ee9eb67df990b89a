//! The scripted day: what goes wrong when, and what the official page says of it.
//!
//! Owns the times alone, all relative to the morning. Pure. Invariant: every scene that is told is
//! also in the plan or on the page.

use std::time::Duration;

use jiff::Timestamp;

use crate::simulator::{
    Account, Caller, ComponentState, Effect, IncidentStatus, JobKind, Lifecycle, Notice, Plan,
    Rule, Service, StatusPage,
};

/// How long the day lasts.
pub(super) const LENGTH: Duration = Duration::from_hours(3);

const API: &str = "https://api.heygen.com";

/// Minutes from the start of the day at which something changes.
const API_FAILS: u32 = 20;
const PAGE_ADMITS: u32 = 34;
const PAGE_IDENTIFIES: u32 = 42;
const API_RECOVERS: u32 = 50;
const PAGE_MONITORS: u32 = 52;
const PAGE_RESOLVES: u32 = 60;
const LIMITED: u32 = 68;
const UNLIMITED: u32 = 84;
const NETWORK_LOST: u32 = 96;
const NETWORK_BACK: u32 = 106;
const QUEUE_STOPS: u32 = 116;
const QUEUE_MOVES: u32 = 148;
/// Minutes between two videos of the account, from half an hour before the morning on.
const VIDEO_EVERY: usize = 3;
const VIDEOS_SINCE: u32 = 30;

/// A day of trouble.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub(super) origin: Timestamp,
}

/// Something happens on stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) at: Timestamp,
    pub(super) text: &'static str,
}

/// Nine o'clock UTC of the day of `now`.
pub(super) fn morning_of(now: Timestamp) -> Timestamp {
    let midnight = now.as_second() - now.as_second().rem_euclid(86_400);
    Timestamp::from_second(midnight + 9 * 3_600).unwrap_or(now)
}

impl Day {
    pub(super) fn starting(origin: Timestamp) -> Self {
        Self { origin }
    }

    pub(super) fn end(&self) -> Timestamp {
        self.origin.saturating_add(LENGTH).unwrap_or(self.origin)
    }

    /// What goes wrong.
    pub(super) fn plan(&self) -> Plan {
        let down = Rule::on(Service::Api, "/v3/", Effect::unavailable());
        let limited = Rule::on(Service::Api, "/v3/", Effect::rate_limited(60));
        Plan::default()
            .with(down.from(self.at(API_FAILS)).until(self.at(API_RECOVERS)))
            .with(limited.caller(Caller::Keyed).from(self.at(LIMITED)).until(self.at(UNLIMITED)))
            .network_lost(self.at(NETWORK_LOST), self.at(NETWORK_BACK))
    }

    /// What the official page says.
    pub(super) fn page(&self) -> StatusPage {
        let mut page = StatusPage::heygen();
        page.turn(API, ComponentState::FullOutage, self.at(PAGE_ADMITS));
        page.turn(API, ComponentState::Operational, self.at(PAGE_RESOLVES));
        let notice = |minute, status, text| Notice::new(self.at(minute), status, text);
        let first = "We are investigating elevated error rates on the HeyGen API.";
        page.open_incident(
            "Elevated API error rates",
            "major",
            API,
            notice(PAGE_ADMITS, IncidentStatus::Investigating, first),
        );
        if let Some(incident) = page.incidents.last_mut() {
            let identified = "The cause has been identified and a fix is being rolled out.";
            let monitoring = "A fix is in place; we are watching the results.";
            incident.updates.extend([
                notice(PAGE_IDENTIFIES, IncidentStatus::Identified, identified),
                notice(PAGE_MONITORS, IncidentStatus::Monitoring, monitoring),
                notice(PAGE_RESOLVES, IncidentStatus::Resolved, "This incident is resolved."),
            ]);
        }
        page
    }

    /// The account's own videos: each waits a minute and takes two, until the queue stops.
    pub(super) fn account(&self) -> Account {
        let mut account = Account::default();
        let last = u32::try_from(LENGTH.as_secs() / 60).unwrap_or_default();
        for minute in (0..VIDEOS_SINCE + last).step_by(VIDEO_EVERY) {
            let offset = Duration::from_mins(minute.into());
            let before = Duration::from_mins(VIDEOS_SINCE.into());
            let begins = self.origin.saturating_sub(before).unwrap_or(self.origin);
            let created_at = begins.saturating_add(offset).unwrap_or(begins);
            let held_until = self.at(QUEUE_MOVES);
            let is_held = (self.at(QUEUE_STOPS)..held_until).contains(&created_at);
            let held = Duration::try_from(held_until.duration_since(created_at));
            let queue = held.ok().filter(|_| is_held).unwrap_or(Duration::from_mins(1));
            let lifecycle = Lifecycle::completing(queue, Duration::from_mins(2));
            account.seed(JobKind::Video, "spot", created_at, lifecycle);
        }
        account
    }

    /// What happens, in words, in order.
    pub(super) fn scenes(&self) -> Vec<Scene> {
        let scenes = [
            (0, "HeyGen works"),
            (API_FAILS, "HeyGen's API begins to answer 503; its status page stays green"),
            (PAGE_ADMITS, "HeyGen's status page admits a major outage"),
            (API_RECOVERS, "the API works again"),
            (PAGE_RESOLVES, "the status page says resolved"),
            (LIMITED, "HeyGen answers 429: your other clients use up the rate limit"),
            (UNLIMITED, "the rate limit is free again"),
            (NETWORK_LOST, "your own network goes down, HeyGen is fine"),
            (NETWORK_BACK, "the network is back"),
            (
                QUEUE_STOPS,
                "your videos are accepted and never start; HeyGen's status page stays green",
            ),
            (QUEUE_MOVES, "the queue moves again"),
        ];
        scenes.map(|(minute, text)| Scene { at: self.at(minute), text }).into()
    }

    fn at(&self, minute: u32) -> Timestamp {
        let offset = Duration::from_mins(minute.into());
        self.origin.saturating_add(offset).unwrap_or(self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_at_nine_and_its_scenes_are_in_order() {
        let day = Day::starting(morning_of("2026-11-20T17:45:12Z".parse().unwrap()));
        assert_eq!(day.origin.to_string(), "2026-11-20T09:00:00Z");
        assert_eq!(day.end().to_string(), "2026-11-20T12:00:00Z");
        let scenes = day.scenes();
        assert!(scenes.is_sorted_by_key(|scene| scene.at));
        assert!(scenes.iter().all(|scene| scene.at < day.end()));
    }

    #[test]
    fn no_video_starts_while_the_queue_stands_still() {
        let day = Day::starting(morning_of("2026-11-20T17:45:12Z".parse().unwrap()));
        let account = day.account();
        let starts: Vec<_> = account.jobs().iter().filter_map(|job| job.begins_at()).collect();
        let still = day.at(QUEUE_STOPS + 2)..day.at(QUEUE_MOVES);
        assert!(starts.len() > 60 && starts.iter().all(|at| !still.contains(at)));
    }
}
