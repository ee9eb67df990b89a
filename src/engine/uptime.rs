//! The past in figures: how long each capability was up, degraded or down, and on whose side.
//!
//! Owns how changes, incidents and heartbeats become time, whole and by calendar day. Looks at no
//! observation, so that what it costs depends on how much changed. Invariant: every instant of a
//! window falls into exactly one class, so the classes add up to the window exactly.

mod claim;
mod steps;
mod tally;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::page::ComponentMap;
use super::settings::Settings;
use super::words;
use crate::model::{
    Blame, Capability, CapabilityChange, ComponentChange, IncidentId, Reason, State, Timestamp,
};
use steps::Steps;

pub use claim::Claimed;
pub use tally::{Availability, Class, Sides, Spent};

/// A decision may follow the confirmation that it rests on by so much.
const DECIDED_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

/// A stretch of time; empty when `until` is not later than `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first instant.
    pub since: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

impl Window {
    /// From the beginning of the day that is `days` - 1 before today's until now: a strip of bars.
    pub fn of_days(days: u16, zone: &TimeZone, now: Timestamp) -> Self {
        let today = now.to_zoned(zone.clone()).date();
        let first = today.checked_sub((i32::from(days) - 1).max(0).days()).unwrap_or(today);
        Self { since: begin_of(first, zone).unwrap_or(now).min(now), until: now }
    }

    /// How long it is.
    pub fn length(self) -> std::time::Duration {
        words::between(self.since, self.until)
    }

    /// Its calendar days, the first and the last perhaps not whole. Days of 23 and 25 hours are
    /// days.
    fn days(self, zone: &TimeZone) -> Vec<(Date, Self)> {
        let mut days = Vec::new();
        let mut date = self.since.to_zoned(zone.clone()).date();
        let mut since = self.since;
        while since < self.until {
            let tomorrow = date.checked_add(1.day()).ok();
            let next = tomorrow.and_then(|date| begin_of(date, zone)).unwrap_or(self.until);
            let until = next.clamp(since, self.until);
            if since < until {
                days.push((date, Self { since, until }));
            }
            let Some(tomorrow) = tomorrow else { return days };
            (date, since) = (tomorrow, until);
        }
        days
    }
}

fn begin_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    date.to_zoned(zone.clone()).ok().map(|begin| begin.timestamp())
}

/// What of the configuration the past is seen with.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Zone whose calendar days are counted.
    pub zone: TimeZone,
    /// The capabilities this team depends on.
    pub uses: Vec<Capability>,
    /// HeyGen's own pages: name, and which row stands for which capability.
    pub pages: Vec<(String, ComponentMap)>,
}

impl From<&Settings> for Scope {
    fn from(settings: &Settings) -> Self {
        let pages = settings.primary_sources();
        Self {
            zone: settings.timezone.clone(),
            uses: settings.uses.clone(),
            pages: pages.map(|source| (source.name.clone(), source.map.clone())).collect(),
        }
    }
}

/// What is known of a stretch of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Past {
    /// What the verdict said: the changes within it and the last one before it, in order of time
    /// for each capability.
    pub changes: Vec<CapabilityChange>,
    /// Since when and until when the monitor was alive, oldest first.
    pub alive: Vec<(Timestamp, Timestamp)>,
    /// Incidents that were open at some time of it, by number.
    pub spells: Vec<Spell>,
    /// What rows of pages showed, as `changes`.
    pub claims: Vec<ComponentChange>,
}

impl Past {
    /// When nobody looked.
    fn dark(&self, window: Window) -> Vec<(Timestamp, Timestamp)> {
        let mut dark = Vec::new();
        let mut since = window.since;
        for (begun_at, ended_at) in &self.alive {
            dark.push((since, (*begun_at).min(window.until)));
            since = since.max(*ended_at);
        }
        dark.push((since, window.until));
        dark
    }
}

/// When an incident was, and what it touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// Its number.
    pub id: IncidentId,
    /// Whose side.
    pub blame: Blame,
    /// What it touched.
    pub capabilities: Vec<Capability>,
    /// The first bad observation.
    pub opened_at: Timestamp,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// The first good observation; `None` while it is open.
    pub resolved_at: Option<Timestamp>,
    /// When HeyGen's page admitted it.
    pub acknowledged_at: Option<Timestamp>,
}

/// The past of one capability.
#[derive(Debug, Clone, PartialEq)]
pub struct CapabilityUptime {
    /// Which.
    pub capability: Capability,
    /// Whether this team depends on it (`uses`).
    pub used: bool,
    /// Where the time went, by our own checks.
    pub spent: Spent,
    /// What HeyGen's page said of the same time; `None` when no row of it stands for this.
    pub claimed: Option<Claimed>,
    /// Calendar days of the configured zone, oldest first, without a gap.
    pub days: Vec<Day>,
}

/// One calendar day of one capability.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// In the configured zone.
    pub date: Date,
    /// Where its time went; a day that is not over (or not wholly in the window) has less of it.
    pub spent: Spent,
    /// The worst that was seen, and whose move it was: `Unknown` only where nothing else was seen,
    /// `None` where nobody looked.
    pub worst: Option<(State, Blame)>,
    /// What HeyGen's page said on that day.
    pub claimed: Option<Claimed>,
}

/// The past of every capability, in the order of [`Capability::ALL`].
pub fn uptime(past: &Past, scope: &Scope, window: Window) -> Vec<CapabilityUptime> {
    let days = window.days(&scope.zone);
    let of = |capability| of_capability(past, scope, capability, (window, &days));
    Capability::ALL.into_iter().map(of).collect()
}

fn of_capability(
    past: &Past,
    scope: &Scope,
    capability: Capability,
    (window, days): (Window, &[(Date, Window)]),
) -> CapabilityUptime {
    let classes = classes(past, capability, window);
    let claims = claim::steps(past, scope, capability, window);
    let claimed = |window| claims.as_ref().map(|steps| Claimed::of(steps, window));
    let day = |(date, window): &(Date, Window)| {
        let pieces = classes.pieces(*window);
        Day {
            date: *date,
            spent: Spent::of(&pieces),
            worst: pieces.iter().filter_map(|(_, class)| class.worst()).max_by_key(|worst| {
                let (state, blame) = *worst;
                (tally::rank(state), std::cmp::Reverse(blame))
            }),
            claimed: claimed(*window),
        }
    };
    CapabilityUptime {
        capability,
        used: scope.uses.contains(&capability),
        spent: Spent::of(&classes.pieces(window)),
        claimed: claimed(window),
        days: days.iter().map(day).collect(),
    }
}

/// Where the time went when several capabilities are needed at once: each instant is what the worst of
/// them was, HeyGen's before all else.
pub fn together(past: &Past, capabilities: &[Capability], window: Window) -> Spent {
    let all: Vec<Steps<Class>> =
        capabilities.iter().map(|capability| classes(past, *capability, window)).collect();
    let graver = |one: Class, other: Class| {
        if other.gravity() > one.gravity() { other } else { one }
    };
    Spent::of(&Steps::merged(&all, Class::NoData, graver).pieces(window))
}

/// What each instant was.
fn classes(past: &Past, capability: Capability, window: Window) -> Steps<Class> {
    let mut said = Steps::of(Class::NoData);
    for change in past.changes.iter().filter(|change| change.capability == capability) {
        said.set(change.at, class_of(change));
    }
    let touches = |spell: &&Spell| spell.capabilities.contains(&capability);
    let spells: Vec<&Spell> = past.spells.iter().filter(touches).collect();
    let mut classes = said.clone();
    for spell in &spells {
        date_back(&mut classes, &said, spell);
        end_early(&mut classes, &said, spell, &spells);
    }
    for (since, until) in past.dark(window) {
        classes.paint(since, until, Class::NoData);
    }
    classes
}

fn class_of(change: &CapabilityChange) -> Class {
    match change.state {
        State::Operational => Class::Up,
        State::Degraded => Class::Degraded(change.blame),
        State::Outage => Class::Down(change.blame),
        State::Maintenance => Class::Maintenance,
        State::Unknown => match change.reason {
            Reason::NoData | Reason::NotWatched | Reason::NotWatching | Reason::NoRecentJobs => {
                Class::NoData
            }
            _ => Class::Unknown,
        },
    }
}

/// The verdict turns when a failure is confirmed; the failure began with the first bad observation.
fn date_back(classes: &mut Steps<Class>, said: &Steps<Class>, spell: &Spell) {
    let is_its = |class: Class| class.trouble() == Some(spell.blame);
    let confirmed_at = spell.confirmed_at;
    let begun_at = if is_its(said.at(confirmed_at)) {
        said.run_start(confirmed_at, is_its)
    } else {
        let latest = confirmed_at.saturating_add(DECIDED_WITHIN).unwrap_or(confirmed_at);
        said.next_after(confirmed_at).filter(|at| *at <= latest && is_its(said.at(*at)))
    };
    if let Some(begun_at) = begun_at {
        classes.paint(spell.opened_at, begun_at, said.at(begun_at));
    }
}

/// The verdict turns back with the second good observation; the failure ended with the first.
fn end_early(classes: &mut Steps<Class>, said: &Steps<Class>, spell: &Spell, all: &[&Spell]) {
    let Some(resolved_at) = spell.resolved_at else { return };
    let goes_on = |other: &&&Spell| {
        other.blame == spell.blame
            && other.opened_at <= resolved_at
            && other.resolved_at.is_none_or(|end| end > resolved_at)
    };
    if said.at(resolved_at).trouble() != Some(spell.blame) || all.iter().any(|one| goes_on(&one)) {
        return;
    }
    if let Some(turned_at) = said.next_after(resolved_at) {
        classes.paint(resolved_at, turned_at, said.at(turned_at));
    }
}
