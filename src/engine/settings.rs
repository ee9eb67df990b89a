//! What the core needs to know of the configuration.
//!
//! Owns the settings that judgement depends on and how long evidence is fresh. Reads no file.
//! Invariant: plain values, so that a reload is one assignment.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::page::ComponentMap;
use crate::model::{Capability, ChannelKind, ProbeKind, SourceRole, Timestamp};

/// What the core needs to know of the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the monitor runs.
    pub vantage: String,
    /// Which account it watches.
    pub account: String,
    /// The capabilities this team depends on, in the order of [`Capability::ALL`].
    pub uses: Vec<Capability>,
    /// Zone in which people read times.
    pub timezone: TimeZone,
    /// Every configured probe but the status pages.
    pub probes: Vec<Watch>,
    /// Every configured status page.
    pub sources: Vec<Source>,
    /// Every configured channel.
    pub channels: Vec<ChannelInfo>,
    /// How patient confirmation is.
    pub cadence: Cadence,
}

/// One configured probe, as the core sees it.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ProbeKind,
    /// True when it carries no key.
    pub anonymous: bool,
    /// What it informs.
    pub capabilities: Vec<Capability>,
    /// Its interval, for freshness: of a cron schedule the longest usual gap, of an adaptive probe
    /// its `max_silence`.
    pub interval: Duration,
    /// Host it asks, without port; empty for controls.
    pub host: String,
    /// How it is confirmed.
    pub thresholds: Thresholds,
    /// Substitute's check (`check.web.replaces`): never part of the verdict when not empty.
    pub replaces: Vec<Capability>,
}

/// How a failure is confirmed and its end believed (contract, section 8, `[thresholds]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Bad observations in a row.
    pub failures: u32,
    /// Bad in a row when a second probe of the capability is bad too.
    pub corroborated: u32,
    /// Good in a row that end it.
    pub successes: u32,
    /// Interval while a probe is suspect.
    pub recheck: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { failures: 5, corroborated: 3, successes: 2, recheck: Duration::from_secs(10) }
    }
}

/// One configured status page, as the core sees it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// What it is to us.
    pub role: SourceRole,
    /// What an alternative replaces.
    pub replaces: Vec<Capability>,
    /// Its interval.
    pub interval: Duration,
    /// Which row and which word stands for which capability.
    pub map: ComponentMap,
}

impl Watch {
    /// True for what may speak of HeyGen: neither a control nor a substitute's check.
    pub fn is_of_heygen(&self) -> bool {
        self.kind != ProbeKind::Control && self.replaces.is_empty()
    }

    /// How long an observation of it is fresh.
    pub fn fresh_for(&self) -> Duration {
        fresh_for(self.interval)
    }

    /// How near to the capability it looks, nearest highest; the anonymous twin is one below.
    pub fn nearness(&self) -> u8 {
        self.kind.nearness() * 2 - u8::from(self.anonymous && self.kind == ProbeKind::Api)
    }
}

/// How long something seen every `interval` is fresh (verdicts.md, section 1): twice the interval,
/// at least 2 min, at most 26 h.
pub fn fresh_for(interval: Duration) -> Duration {
    interval.saturating_mul(2).clamp(Duration::from_mins(2), Duration::from_hours(26))
}

impl Settings {
    /// The probe of that name.
    pub fn watch(&self, name: &str) -> Option<&Watch> {
        self.probes.iter().find(|watch| watch.name == name)
    }

    /// HeyGen's own pages.
    pub fn primary_sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.role == SourceRole::Primary)
    }

    /// The deadline of a one-shot `check`.
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.cadence {
            Cadence::Daemon => None,
            Cadence::Check { deadline } => Some(deadline),
        }
    }
}

/// One configured channel, as the core sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Its name.
    pub name: String,
    /// The code behind it.
    pub kind: ChannelKind,
}

/// How patient confirmation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    /// The thresholds' own spacing.
    Daemon,
    /// One shot: spacing of the smaller of `recheck` and 1 s, and at the deadline whatever the
    /// last two observations agree on is taken as confirmed (verdicts.md, section 2).
    Check {
        /// When it must have an answer.
        deadline: Timestamp,
    },
}
