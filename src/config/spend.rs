//! What the configured paid tests will cost, before any of them is sent.
//!
//! Pure arithmetic over the configuration; what may be spent at a given moment is the core's.
//! Invariant: no figure here is below what the rules allow by themselves.

use std::time::Duration;

use crate::engine::schedule::Schedule;
use crate::engine::{CanaryMode, CanaryRules, JobsWatch, Settings, Watch};
use crate::model::{Capability, JobKind, ProbeKind, Timestamp, Usd};

/// The month that is reckoned with.
const MONTH: Duration = Duration::from_hours(30 * 24);
const DAY: Duration = Duration::from_hours(24);

/// Firings of a cron expression that are counted at most.
const MOST_COUNTED: usize = 50_000;

/// What one paid probe costs in 30 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Its name.
    pub probe: String,
    /// Price of one test.
    pub price: Usd,
    /// Tests at most.
    pub runs: u32,
    /// What they cost.
    pub most: Usd,
    /// What it usually is: nothing while the account's own jobs tell enough.
    pub usually: Usd,
    /// What a single day costs at most.
    pub most_per_day: Usd,
}

/// Every paid probe, in the order of the configuration.
pub fn spends(settings: &Settings, now: Timestamp) -> Vec<Spend> {
    canaries(settings).map(|(watch, rules)| spend(watch, rules, settings, now)).collect()
}

/// What is worth saying about them, one sentence each.
pub(super) fn warnings(settings: &Settings, now: Timestamp) -> Vec<String> {
    let budget = &settings.budget;
    let spends = spends(settings, now);
    if spends.is_empty() || !budget.canaries {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    let per_day: Usd = spends.iter().map(|spend| spend.most_per_day).sum();
    let most: Usd = spends.iter().map(|spend| spend.most).sum();
    let caps = [
        ("usd_per_day", budget.per_day, per_day, "a day"),
        ("usd_per_month", budget.per_month, most, "in 30 days"),
    ];
    for (key, cap, most, when) in caps {
        if cap == Usd::ZERO {
            warnings.push(format!("`budget.{key}` is 0: no paid test will be sent"));
        } else if most > cap {
            warnings.push(format!(
                "paid tests can cost up to {most} {when}, and `budget.{key}` allows {cap}: the \
                 rest will be skipped"
            ));
        }
    }
    warnings.extend(spends.iter().filter_map(|spend| too_dear(spend, settings)));
    warnings.extend(single_avatar(settings));
    warnings
}

/// A test that costs more than a cap can never be sent.
fn too_dear(spend: &Spend, settings: &Settings) -> Option<String> {
    let Spend { probe, price, .. } = spend;
    let budget = &settings.budget;
    let caps = [("usd_per_day", budget.per_day), ("usd_per_month", budget.per_month)];
    let (key, cap) = caps.into_iter().find(|(_, cap)| *cap > Usd::ZERO && price > cap)?;
    Some(format!(
        "one test of `{probe}` costs {price}, more than `budget.{key}` ({cap}): none will be sent"
    ))
}

/// One avatar that fails looks like HeyGen failing.
fn single_avatar(settings: &Settings) -> Option<String> {
    let renders = canaries(settings).filter(|(watch, _)| watch.kind == ProbeKind::Render);
    let looks: Vec<_> = renders.flat_map(|(_, rules)| &rules.looks).collect();
    let [only] = looks.as_slice() else { return None };
    (!only.is_empty()).then(|| {
        "`check.render` has one avatar: when that one fails, it cannot be told whether others \
         work (`avatar_specific`); name two"
            .to_owned()
    })
}

fn canaries(settings: &Settings) -> impl Iterator<Item = (&Watch, &CanaryRules)> {
    settings.probes.iter().filter_map(|watch| match &watch.jobs {
        JobsWatch::Canary(rules) => Some((watch, rules)),
        JobsWatch::None | JobsWatch::Natural { .. } | JobsWatch::Events => None,
    })
}

fn spend(watch: &Watch, rules: &CanaryRules, settings: &Settings, now: Timestamp) -> Spend {
    let every = |gap: Duration| (fitting(MONTH, gap), fitting(DAY, gap));
    let (runs, runs_per_day) = match &rules.mode {
        CanaryMode::Adaptive => every(rules.max_silence),
        CanaryMode::Fixed(Schedule::Every(gap)) => every(*gap),
        CanaryMode::Fixed(schedule @ Schedule::Cron(_)) => {
            (firings(schedule, now, MONTH), firings(schedule, now, DAY))
        }
    };
    let times = |runs: u32| Usd(rules.price.0.saturating_mul(i64::from(runs)));
    let most = times(runs);
    let is_spared = matches!(rules.mode, CanaryMode::Adaptive) && has_natural(watch, settings);
    Spend {
        probe: watch.name.clone(),
        price: rules.price,
        runs,
        most,
        usually: if is_spared { Usd::ZERO } else { most },
        most_per_day: times(runs_per_day),
    }
}

/// True when the account's own jobs of that kind are watched.
fn has_natural(watch: &Watch, settings: &Settings) -> bool {
    let kind = match watch.kind {
        ProbeKind::Render => JobKind::of(Capability::VideoGeneration),
        ProbeKind::Translation => JobKind::of(Capability::VideoTranslation),
        _ => None,
    };
    settings.probes.iter().any(|other| match &other.jobs {
        JobsWatch::Natural { kinds, .. } => kind.is_some_and(|kind| kinds.contains(&kind)),
        JobsWatch::None | JobsWatch::Canary(_) | JobsWatch::Events => false,
    })
}

/// How often something that is sent every `gap` fits into `whole`, rounded up.
fn fitting(whole: Duration, gap: Duration) -> u32 {
    let times = whole.as_nanos().div_ceil(gap.as_nanos().max(1));
    u32::try_from(times).unwrap_or(u32::MAX)
}

fn firings(schedule: &Schedule, now: Timestamp, whole: Duration) -> u32 {
    let end = now.saturating_add(whole).unwrap_or(Timestamp::MAX);
    let next = |after: Timestamp| schedule.next_due(Duration::ZERO, after);
    let runs = std::iter::successors(next(now), |run| next(*run));
    let counted = runs.take(MOST_COUNTED).take_while(|run| *run <= end).count();
    u32::try_from(counted).unwrap_or(u32::MAX)
}
