//! What the core needs to know of the configuration.
//!
//! Owns the settings that judgement depends on and how long evidence is fresh. Reads no file.
//! Invariant: plain values, so that a reload is one assignment.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::escalate::mute::Window;
use super::escalate::route::Route;
use super::page::ComponentMap;
use super::schedule::Schedule;
use crate::model::{
    Capability, ChannelKind, JobKind, Origin, ProbeKind, Series, SourceRole, Timestamp, Usd,
};

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
    /// What this installation signs its paid tests with; empty where none are sent.
    pub instance: String,
    /// Jobs that the account may have in flight at once.
    pub concurrency: u32,
    /// When a job is late or stuck.
    pub jobs: BTreeMap<JobKind, JobRules>,
    /// What may be spent.
    pub budget: BudgetRules,
    /// Who is told of what; the first that matches decides.
    pub routes: Vec<Route>,
    /// Work of our own, during which nobody is told.
    pub windows: Vec<Window>,
}

/// Nothing is watched and nobody is told; everything else as it is without a configuration.
impl Default for Settings {
    fn default() -> Self {
        Self {
            vantage: "default".to_owned(),
            account: "default".to_owned(),
            uses: Capability::ALL.to_vec(),
            timezone: TimeZone::UTC,
            probes: Vec::new(),
            sources: Vec::new(),
            channels: Vec::new(),
            cadence: Cadence::Daemon,
            instance: String::new(),
            concurrency: 10,
            jobs: JobRules::all_usual(),
            budget: BudgetRules::default(),
            routes: Vec::new(),
            windows: Vec::new(),
        }
    }
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
    /// Method and address that it asks, without query; a series' subject stands behind it. Empty
    /// where what it sees is no matter of the place it is seen from.
    pub target: String,
    /// How it is confirmed.
    pub thresholds: Thresholds,
    /// Substitute's check (`check.web.replaces`): never part of the verdict when not empty.
    pub replaces: Vec<Capability>,
    /// What it has to do with jobs.
    pub jobs: JobsWatch,
}

/// What a probe has to do with jobs.
#[derive(Debug, Clone, Default)]
pub enum JobsWatch {
    /// Nothing.
    #[default]
    None,
    /// It sees the account's own.
    Natural {
        /// Which.
        kinds: Vec<JobKind>,
        /// How long the last finished job is evidence.
        max_silence: Duration,
        /// A job older than this when first seen is never evidence.
        ignore_older_than: Duration,
    },
    /// It sends paid tests.
    Canary(CanaryRules),
    /// It hears of finished jobs.
    Events,
}

/// When a paid test is sent, and with what.
#[derive(Debug, Clone)]
pub struct CanaryRules {
    /// By need, or by schedule.
    pub mode: CanaryMode,
    /// Nothing else said anything for this long: one is sent (adaptive). Also how long its result
    /// is evidence.
    pub max_silence: Duration,
    /// What one costs.
    pub price: Usd,
    /// Avatars or languages, taken in turn; one empty string where there is no choice.
    pub looks: Vec<String>,
    /// Path of its create request: a `submit` probe of the same path is its re-check.
    pub path: String,
}

/// By need, or by schedule.
#[derive(Debug, Clone)]
pub enum CanaryMode {
    /// Only for information.
    Adaptive,
    /// By schedule, with the phase of this installation.
    Fixed(Schedule),
}

/// When a job of one kind is late or stuck (contract, section 8, `[jobs.*]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRules {
    /// Waiting to start, by origin.
    pub queue: BTreeMap<Origin, StageRules>,
    /// Being made, by origin.
    pub processing: BTreeMap<Origin, StageRules>,
    /// A create request may take this long.
    pub submit_timeout: Duration,
    /// First gap between two polls of a canary.
    pub poll_min: Duration,
    /// Longest gap between two polls of a canary.
    pub poll_max: Duration,
}

/// Limits of one stage (verdicts.md, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageRules {
    /// No learned limit falls under it.
    pub floor: Duration,
    /// Late without a baseline, and what a learned limit is measured against.
    pub late: Duration,
    /// Stuck without a baseline, and what a learned limit is measured against.
    pub stuck: Duration,
}

impl JobRules {
    /// A create request is slow above this: HeyGen works before it answers, its own p99 is about
    /// 30 s (verdicts.md, section 4).
    pub const SUBMIT_LATE: Duration = Duration::from_secs(45);

    /// The defaults of verdicts.md, section 4.
    pub fn usual(kind: JobKind) -> Self {
        let rules = |floor, late, stuck| StageRules {
            floor: Duration::from_mins(floor),
            late: Duration::from_mins(late),
            stuck: Duration::from_mins(stuck),
        };
        let (queue, processing) = match kind {
            JobKind::Video => (
                [(Origin::Canary, rules(3, 10, 20)), (Origin::Natural, rules(5, 20, 40))],
                [(Origin::Canary, rules(5, 20, 40)), (Origin::Natural, rules(10, 30, 60))],
            ),
            JobKind::Translation => (
                [(Origin::Canary, rules(5, 20, 40)), (Origin::Natural, rules(5, 20, 40))],
                [(Origin::Canary, rules(10, 45, 60)), (Origin::Natural, rules(10, 45, 60))],
            ),
        };
        Self {
            queue: BTreeMap::from(queue),
            processing: BTreeMap::from(processing),
            submit_timeout: Duration::from_mins(2),
            poll_min: Duration::from_secs(2),
            poll_max: Duration::from_secs(30),
        }
    }

    /// The defaults for every kind.
    pub fn all_usual() -> BTreeMap<JobKind, Self> {
        JobKind::ALL.into_iter().map(|kind| (kind, Self::usual(kind))).collect()
    }
}

/// What may be spent (contract, section 8, `[budget]`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetRules {
    /// Cap of a calendar day.
    pub per_day: Usd,
    /// Cap of a calendar month.
    pub per_month: Usd,
    /// No paid test when a balance in dollars is below.
    pub reserve_usd: Usd,
    /// No paid test when a balance in credits is below.
    pub reserve_credits: f64,
    /// Whether a wallet that charges a card by itself may be used.
    pub allow_auto_reload: bool,
    /// Whether this monitor sends paid tests at all.
    pub canaries: bool,
}

impl Default for BudgetRules {
    fn default() -> Self {
        Self {
            per_day: Usd(1_000_000),
            per_month: Usd(20_000_000),
            reserve_usd: Usd(2_000_000),
            reserve_credits: 5.0,
            allow_auto_reload: false,
            canaries: true,
        }
    }
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

impl Source {
    /// How long a reading of it is fresh.
    pub fn fresh_for(&self) -> Duration {
        fresh_for(self.interval)
    }
}

impl Watch {
    /// True for what may speak of HeyGen: neither a control nor a substitute's check.
    pub fn is_of_heygen(&self) -> bool {
        self.kind != ProbeKind::Control && self.replaces.is_empty()
    }

    /// What one of its series asks: `GET https://api.heygen.com/v3/users/me`.
    pub fn target_of(&self, series: &Series) -> Option<String> {
        (!self.target.is_empty()).then(|| format!("{}{}", self.target, series.subject))
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

    /// When a job of that kind is late or stuck.
    pub fn job_rules(&self, kind: JobKind) -> Cow<'_, JobRules> {
        let by_default = || Cow::Owned(JobRules::usual(kind));
        self.jobs.get(&kind).map_or_else(by_default, Cow::Borrowed)
    }

    /// HeyGen's own pages.
    pub fn primary_sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.role == SourceRole::Primary)
    }

    /// Other monitors.
    pub fn peers(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.role == SourceRole::Peer)
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
