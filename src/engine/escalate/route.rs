//! Which channels an incident concerns by now.
//!
//! Owns the routes of the configuration and the defaults without any. Invariant: an incident that
//! no route matches concerns every channel.

use std::time::Duration;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::urgency_wait;
use crate::engine::incident::ongoing::is_official;
use crate::engine::settings::{ChannelInfo, Settings};
use crate::model::{Blame, Capability, ChannelKind, Incident, State, Timestamp};

/// One `[[route]]`: the first one that matches decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Incidents that touch one of these; empty: any.
    pub capabilities: Vec<Capability>,
    /// Incidents of one of these sides; empty: any.
    pub blames: Vec<Blame>,
    /// Incidents at least this bad.
    pub min_state: Option<State>,
    /// Incidents that are still open after this long.
    pub after: Duration,
    /// Opened within these hours alone.
    pub hours: Option<Hours>,
    /// Who is told.
    pub channels: Vec<String>,
    /// Told again while it is open; the gaps double.
    pub remind_every: Option<Duration>,
}

/// `Mon-Fri 08:00-18:00`, in the configured zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Days on which it begins.
    pub days: Vec<Weekday>,
    /// From.
    pub from: Time,
    /// Until; not later than `from` means the next morning.
    pub until: Time,
}

impl Hours {
    /// True when `now` lies within.
    pub fn hold(&self, zone: &TimeZone, now: Timestamp) -> bool {
        let local = now.to_zoned(zone.clone());
        let (today, time) = (local.weekday(), local.time());
        if self.from < self.until {
            return self.days.contains(&today) && (self.from..self.until).contains(&time);
        }
        let began_today = self.days.contains(&today) && time >= self.from;
        let began_yesterday = self.days.contains(&today.previous()) && time < self.until;
        began_today || began_yesterday
    }
}

/// What a channel has to do with an incident by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concern {
    /// Nothing (yet).
    None,
    /// It is to know of it.
    ToldOf {
        /// Told again after this.
        remind_every: Option<Duration>,
    },
}

/// What a channel has to do with an incident by now.
pub(super) fn concern(
    settings: &Settings,
    incident: &Incident,
    channel: &ChannelInfo,
    now: Timestamp,
) -> Concern {
    let is_of_route = |route: &&Route| fits(route, incident, now);
    let told_of = |remind_every| Concern::ToldOf { remind_every };
    match settings.routes.iter().find(is_of_route) {
        Some(route) if !route.channels.contains(&channel.name) => Concern::None,
        Some(route) => {
            let is_hour =
                route.hours.as_ref().is_none_or(|hours| hours.hold(&settings.timezone, now));
            if is_hour { told_of(route.remind_every) } else { Concern::None }
        }
        // A route that only waits for its time is no reason to tell everybody.
        None if settings.routes.iter().any(|route| will_fit(route, incident)) => Concern::None,
        None => {
            let is_concerned = !is_official(&incident.cause)
                || matches!(channel.kind, ChannelKind::Slack | ChannelKind::Webhook);
            let is_time = match urgency_wait(incident) {
                Some(wait) => incident.confirmed_at.checked_add(wait).is_ok_and(|at| now >= at),
                None => !incident.is_open(),
            };
            if is_concerned && is_time { told_of(None) } else { Concern::None }
        }
    }
}

fn fits(route: &Route, incident: &Incident, now: Timestamp) -> bool {
    let is_after = incident.confirmed_at.checked_add(route.after).is_ok_and(|at| now >= at);
    is_after && will_fit(route, incident)
}

fn will_fit(route: &Route, incident: &Incident) -> bool {
    let touches = |one: &Capability| incident.capabilities.contains(one);
    (route.capabilities.is_empty() || route.capabilities.iter().any(touches))
        && (route.blames.is_empty() || route.blames.contains(&incident.blame))
        && route.min_state.is_none_or(|least| incident.worst_state.severity() >= least.severity())
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[test]
    fn hours_may_pass_midnight() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let work = Hours {
            days: vec![Weekday::Monday, Weekday::Friday],
            from: time(8, 0, 0, 0),
            until: time(18, 0, 0, 0),
        };
        assert!(work.hold(&zone, at("2026-11-20T07:00:00Z")), "Friday 08:00");
        assert!(!work.hold(&zone, at("2026-11-20T17:00:00Z")), "Friday 18:00");
        assert!(!work.hold(&zone, at("2026-11-21T09:00:00Z")), "Saturday");
        let night = Hours { from: time(22, 0, 0, 0), until: time(6, 0, 0, 0), ..work };
        assert!(night.hold(&zone, at("2026-11-20T21:30:00Z")), "Friday 22:30");
        assert!(night.hold(&zone, at("2026-11-21T04:00:00Z")), "Saturday 05:00 began on Friday");
        assert!(!night.hold(&zone, at("2026-11-20T04:00:00Z")), "Friday 05:00 began on Thursday");
    }
}
