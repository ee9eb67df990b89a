//! `[[route]]`, `[[maintenance]]` and `[heartbeat]`.
//!
//! Invariant: a route names channels that exist, and each of them once.

use std::time::Duration;

use jiff::civil::{Time, Weekday};

use super::Check;
use crate::config::HeartbeatConfig;
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::route::{RawHeartbeat, RawMaintenance, RawRoute};
use crate::config::secrets::HEARTBEAT_URL;
use crate::engine::schedule::CronSchedule;
use crate::engine::{Hours, Route, Window};
use crate::notify::ChannelSpec;

/// A sign of life is given this often.
const HEARTBEAT_EVERY: Duration = Duration::from_mins(1);
const HOURS_HINT: &str = "write days and times: \"Mon-Fri 08:00-18:00\", \"Sat,Sun 10:00-16:00\"";
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Check<'_> {
    /// Every route, in the order of the file.
    pub(super) fn routes(&mut self, raw: &[RawRoute], channels: &[ChannelSpec]) -> Vec<Route> {
        let at = At::root().key("route");
        raw.iter().enumerate().map(|(i, raw)| self.route(raw, &at.index(i), channels)).collect()
    }

    fn route(&mut self, raw: &RawRoute, at: &At, channels: &[ChannelSpec]) -> Route {
        let named = raw.channels.clone().unwrap_or_default();
        for (i, name) in named.iter().enumerate() {
            if !channels.iter().any(|channel| channel.name == *name) {
                let known: Vec<&str> = channels.iter().map(|one| one.name.as_str()).collect();
                let hint = if known.is_empty() {
                    "add a [[channel]] of this name".to_owned()
                } else {
                    format!("the channels are {}", known.join(", "))
                };
                let fault = Fault::new(format!("there is no channel \"{name}\""), hint);
                self.fail(&at.key("channels").index(i), fault);
            }
        }
        let hours = raw.hours.as_deref().and_then(|text| self.value(&at.key("hours"), hours(text)));
        Route {
            capabilities: super::in_order(raw.capability.as_deref().unwrap_or_default()),
            blames: raw.blame.iter().flatten().map(|word| word.0).collect(),
            min_state: raw.min_state.map(|word| word.0),
            after: self.duration(&at.key("after"), raw.after.as_ref()).unwrap_or_default(),
            hours,
            channels: named,
            remind_every: self.duration(&at.key("remind_every"), raw.remind_every.as_ref()),
        }
    }

    /// Every window, in the order of the file.
    pub(super) fn windows(&mut self, raw: &[RawMaintenance]) -> Vec<Window> {
        let at = At::root().key("maintenance");
        raw.iter().enumerate().filter_map(|(i, raw)| self.window(raw, &at.index(i))).collect()
    }

    fn window(&mut self, raw: &RawMaintenance, at: &At) -> Option<Window> {
        let duration = self.duration(&at.key("duration"), raw.duration.as_ref());
        let parsed = CronSchedule::parse(raw.schedule.as_deref()?, self.zone.clone(), self.now);
        let hint = "six fields, seconds first, weekdays by name: \"0 0 3 * * Sun\"";
        let schedule = self.value(&at.key("schedule"), parsed.map_err(|why| Fault::new(why, hint)));
        Some(Window { schedule: schedule?, duration: duration? })
    }

    /// The sign of life; none where no address is given.
    pub(super) fn heartbeat(&mut self, raw: Option<&RawHeartbeat>) -> Option<HeartbeatConfig> {
        let at = At::root().key("heartbeat");
        let is_offered = !self.vault.offers(&HEARTBEAT_URL, None).is_empty();
        let file = raw.and_then(|raw| raw.url_file.as_deref());
        if raw.is_none() && !is_offered {
            return None;
        }
        let every = raw.and_then(|raw| self.interval(&at.key("every"), raw.every.as_ref()));
        let claimed = (file, &at, "url_file");
        let url = self.file_or_offered(&HEARTBEAT_URL, "heartbeat", claimed, false)?;
        Some(HeartbeatConfig { url, every: every.unwrap_or(HEARTBEAT_EVERY) })
    }
}

/// `Mon-Fri 08:00-18:00`.
fn hours(text: &str) -> Result<Hours, Fault> {
    let wrong = || Fault::new(format!("\"{text}\" are no hours"), HOURS_HINT);
    let (days, times) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let (from, until) = times.trim().split_once('-').ok_or_else(wrong)?;
    let time = |text: &str| {
        let text = if text.trim() == "24:00" { "00:00" } else { text.trim() };
        text.parse::<Time>().map_err(|_| wrong())
    };
    Ok(Hours { days: days_of(days).ok_or_else(wrong)?, from: time(from)?, until: time(until)? })
}

fn days_of(text: &str) -> Option<Vec<Weekday>> {
    let index = |name: &str| {
        let name = name.trim().to_ascii_lowercase();
        DAYS.iter().position(|(known, _)| *known == name)
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (index(first)?, index(last)?);
        let count = (last + 7 - first) % 7 + 1;
        days.extend((first..first + count).map(|i| DAYS[i % 7].1));
    }
    Some(days)
}

/// `Mon-Fri 08:00-18:00`, as it would be written.
pub(in crate::config) fn hours_text(hours: &Hours) -> String {
    let name = |day: &Weekday| {
        let found = DAYS.iter().find(|(_, known)| known == day);
        let name = found.map_or("", |(name, _)| *name);
        crate::engine::headline::capitalised(name)
    };
    let days: Vec<String> = hours.days.iter().map(name).collect();
    let time = |time: Time| time.strftime("%H:%M").to_string();
    format!("{} {}-{}", days.join(","), time(hours.from), time(hours.until))
}
