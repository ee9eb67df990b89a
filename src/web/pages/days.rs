//! The last 90 days of each capability, by our checks and by HeyGen's page.
//!
//! Owns how a day is drawn and said; the figures are the core's. Invariant: a day that nobody
//! looked at is neither good nor bad, and where the two differ it is said.

use std::time::Duration;

use super::Visit;
use super::chart::{Bar, Strip};
use crate::engine::uptime::{CapabilityUptime, Day, Window, uptime};
use crate::engine::words;
use crate::model::{Blame, Capability, ComponentState, State};

/// As many days as a strip shows.
const DAYS: u16 = 90;

/// The last days of every capability.
pub(super) struct Calendar {
    capabilities: Vec<CapabilityUptime>,
}

/// A day on which somebody saw trouble.
pub(super) struct BadDay {
    pub(super) date: String,
    pub(super) ours: String,
    pub(super) theirs: String,
    pub(super) differs: bool,
}

/// `None` when the history cannot be read, which the store has counted: the rest of a page stands.
pub(super) async fn calendar(visit: &Visit) -> Option<Calendar> {
    let window = Window::of_days(DAYS, &visit.settings.timezone, visit.now);
    let past = visit.state.store.past(window).await.ok()?;
    Some(Calendar { capabilities: uptime(&past, &visit.settings.scope, window) })
}

impl Calendar {
    fn of(&self, capability: Capability) -> Option<&CapabilityUptime> {
        self.capabilities.iter().find(|one| one.capability == capability)
    }

    /// The days as bars.
    pub(super) fn strip(&self, capability: Capability) -> Option<Strip> {
        let uptime = self.of(capability)?;
        let bars: Vec<Bar> = uptime.days.iter().map(bar).collect();
        let ours = uptime.spent.availability().map(|availability| percent(availability.share));
        let theirs = uptime.claimed.and_then(|claimed| claimed.declared()).map(percent);
        let caption = match (&ours, &theirs) {
            (Some(ours), Some(theirs)) => {
                format!("{ours} by our checks, {theirs} by HeyGen's page")
            }
            (Some(ours), None) => format!("{ours} by our checks"),
            (None, _) => "nothing is known yet".to_owned(),
        };
        let bad = uptime.days.iter().filter(|day| is_bad(day)).count();
        let differing = uptime.days.iter().filter(|day| differs(day)).count();
        let name = words::capability(capability);
        let days = uptime.days.len();
        let otherwise = match differing {
            0 => String::new(),
            _ => format!("; on {differing} HeyGen's page said otherwise"),
        };
        let label =
            format!("{name}, the last {days} days: {caption}; {bad} with trouble{otherwise}");
        Some(Strip::new(&bars, label, caption))
    }

    /// Days with trouble, the last first.
    pub(super) fn bad_days(&self, capability: Capability) -> Vec<BadDay> {
        let days = self.of(capability).map(|uptime| uptime.days.as_slice()).unwrap_or_default();
        let bad = days.iter().rev().filter(|day| is_bad(day));
        bad.map(|day| BadDay {
            date: day.date.to_string(),
            ours: ours(day),
            theirs: theirs(day).to_owned(),
            differs: differs(day),
        })
        .collect()
    }
}

fn bar(day: &Day) -> Bar {
    let date = day.date.to_string();
    let said = if is_bad(day) {
        format!("{date}: {}. HeyGen's page: {}.", ours(day), theirs(day))
    } else {
        String::new()
    };
    Bar { ours: day.worst.map(|(state, _)| state), theirs: claim(day), date, said }
}

/// What HeyGen's page showed, in our words; `None` where that is not known.
fn claim(day: &Day) -> Option<State> {
    match day.claimed?.worst {
        ComponentState::Operational => Some(State::Operational),
        ComponentState::DegradedPerformance => Some(State::Degraded),
        ComponentState::PartialOutage | ComponentState::MajorOutage => Some(State::Outage),
        ComponentState::UnderMaintenance => Some(State::Maintenance),
        ComponentState::Unknown => None,
    }
}

fn is_trouble(state: State) -> bool {
    !matches!(state, State::Operational | State::Unknown)
}

fn is_bad(day: &Day) -> bool {
    day.worst.is_some_and(|(state, _)| is_trouble(state)) || claim(day).is_some_and(is_trouble)
}

/// One side saw trouble of HeyGen's where the other said that all works.
fn differs(day: &Day) -> bool {
    match (day.worst, claim(day)) {
        (Some((state, Blame::Provider)), Some(State::Operational)) => is_trouble(state),
        (Some((State::Operational, _)), Some(claimed)) => is_trouble(claimed),
        _ => false,
    }
}

fn ours(day: &Day) -> String {
    let spent = &day.spent;
    let side = day.worst.map_or("", |(_, blame)| words::side(blame));
    let parts = [
        ("down", spent.down.total()),
        ("degraded", spent.degraded.total()),
        ("maintenance", spent.maintenance),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, time)| *time > Duration::ZERO)
        .map(|(word, time)| format!("{word} {}", words::duration(time)))
        .collect();
    if parts.is_empty() {
        "no trouble".to_owned()
    } else {
        format!("{} ({side})", parts.join(", "))
    }
}

fn theirs(day: &Day) -> &'static str {
    day.claimed.map_or("no row for it", |claimed| words::component_state(claimed.worst))
}

/// Rounded down, so that 100 % is 100 %.
fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0).floor() / 100.0;
    if hundredths >= 100.0 { "100 %".to_owned() } else { format!("{hundredths:.2} %") }
}
