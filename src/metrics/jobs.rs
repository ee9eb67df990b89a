//! Jobs and money: what of them is measured, and when a series exists.
//!
//! Owns the label values of a stage, a quantile, a limit, a window and a pool. Decides nothing:
//! which job counts and what may be spent was decided by the core. Invariant: what the view does
//! not tell is NaN, never what it told before.

use std::time::Duration;

use super::catalogue::set;
use super::families::Families;
use super::{Metrics, number, seconds};
use crate::engine::jobs::stages::job_kind;
use crate::engine::{JobsWatch, Settings};
use crate::model::{
    BudgetView, Capability, JobKind, Origin, Pool, PoolName, ProbeKind, Stage, StageView, Unit, Usd,
};

/// The quantiles of a baseline (label `quantile`).
const QUANTILES: [&str; 3] = ["0.5", "0.9", "0.99"];
/// The limits of a stage (label `limit`).
const LIMITS: [&str; 2] = ["late", "stuck"];
/// The windows of the caps (label `window`).
const WINDOWS: [&str; 2] = ["day", "month"];
/// The units that each pool can be counted in (facts, section 8).
const POOLS: [(Unit, PoolName); 6] = [
    (Unit::Usd, PoolName::Wallet),
    (Unit::Credits, PoolName::Wallet),
    (Unit::Credits, PoolName::Premium),
    (Unit::Credits, PoolName::AddOn),
    (Unit::Usd, PoolName::UsageCap),
    (Unit::Credits, PoolName::Included),
];

/// Whose jobs of which capability a configuration watches.
pub(super) fn watched(settings: &Settings) -> Vec<(Capability, Origin)> {
    let mut lines = Vec::new();
    for watch in &settings.probes {
        match &watch.jobs {
            JobsWatch::Natural { kinds, .. } => {
                lines.extend(kinds.iter().map(|kind| (kind.capability(), Origin::Natural)));
            }
            JobsWatch::Canary(_) => {
                lines.extend(created(watch.kind).map(|one| (one, Origin::Canary)));
            }
            JobsWatch::None | JobsWatch::Events => {}
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// What a paid test of that kind is a test of.
fn created(kind: ProbeKind) -> Option<Capability> {
    if kind == ProbeKind::Speech {
        return Some(Capability::Speech);
    }
    job_kind(kind).map(JobKind::capability)
}

/// True for the kinds whose runs cost money.
pub(super) fn is_paid(kind: ProbeKind) -> bool {
    created(kind).is_some()
}

/// The stages that can be told: of the account's own jobs nobody sees the create request, and
/// speech is nothing but one.
fn stages((capability, origin): (Capability, Origin)) -> &'static [Stage] {
    match (JobKind::of(capability), origin) {
        (None, _) => &[Stage::Submit],
        (Some(_), Origin::Canary) => &Stage::ALL,
        (Some(_), Origin::Natural) => &[Stage::Queue, Stage::Processing],
    }
}

impl Families {
    /// What does not depend on a configuration.
    pub(super) fn create_money(&self) {
        for window in WINDOWS {
            set(&self.budget_limit, &[window], f64::NAN);
        }
        for (unit, pool) in POOLS {
            set(&self.balance, &[unit.as_str(), pool.as_str()], f64::NAN);
        }
    }

    pub(super) fn create_jobs(&self, line: (Capability, Origin)) {
        for stage in stages(line) {
            let labels = [line.0.as_str(), line.1.as_str(), stage.as_str()];
            self.job_stage_duration.with_label_values(&labels);
            if JobKind::of(line.0).is_some() {
                self.forget_stage(labels);
            }
        }
    }

    /// Removing a series that never came to be is no error: hence the ignored results.
    pub(super) fn remove_jobs(&self, line: (Capability, Origin)) {
        for stage in stages(line) {
            let [capability, origin, stage] = [line.0.as_str(), line.1.as_str(), stage.as_str()];
            let labels = [capability, origin, stage];
            self.job_stage_duration.remove_label_values(&labels).ok();
            self.jobs_in_flight.remove_label_values(&labels).ok();
            self.job_oldest_stage_start.remove_label_values(&labels).ok();
            for quantile in QUANTILES {
                let labels = [capability, origin, stage, quantile];
                self.job_baseline.remove_label_values(&labels).ok();
            }
            for limit in LIMITS {
                let labels = [capability, origin, stage, limit];
                self.job_limit.remove_label_values(&labels).ok();
            }
        }
    }

    /// Nothing is known of it.
    fn forget_stage(&self, labels: [&str; 3]) {
        let [capability, origin, stage] = labels;
        set(&self.jobs_in_flight, &labels, f64::NAN);
        set(&self.job_oldest_stage_start, &labels, f64::NAN);
        for quantile in QUANTILES {
            set(&self.job_baseline, &[capability, origin, stage, quantile], f64::NAN);
        }
        for limit in LIMITS {
            set(&self.job_limit, &[capability, origin, stage, limit], f64::NAN);
        }
    }

    fn show_stage(&self, view: &StageView, labels: [&str; 3]) {
        let [capability, origin, stage] = labels;
        set(&self.jobs_in_flight, &labels, number(view.in_flight));
        let oldest = view.oldest_since.map_or(f64::NAN, seconds);
        set(&self.job_oldest_stage_start, &labels, oldest);
        let learned = match view.baseline {
            Some(usual) => [usual.median, usual.q90, usual.q99].map(|one| one.as_secs_f64()),
            None => [f64::NAN; 3],
        };
        for (quantile, value) in QUANTILES.into_iter().zip(learned) {
            set(&self.job_baseline, &[capability, origin, stage, quantile], value);
        }
        for (limit, value) in LIMITS.into_iter().zip([view.late, view.stuck]) {
            let labels = [capability, origin, stage, limit];
            set(&self.job_limit, &labels, value.as_secs_f64());
        }
    }
}

impl Metrics {
    /// A job left a stage in which it was for `took`, as far as that can be told.
    pub fn staged(&self, capability: Capability, origin: Origin, stage: Stage, took: Duration) {
        let line = (capability, origin);
        if self.known().catalogue.jobs.contains(&line) && stages(line).contains(&stage) {
            let labels = [capability.as_str(), origin.as_str(), stage.as_str()];
            let histogram = self.families.job_stage_duration.with_label_values(&labels);
            histogram.observe(took.as_secs_f64());
        }
    }

    /// A paid test of that probe was sent at that price.
    pub fn spent(&self, probe: &str, price: Usd) {
        let known = self.known();
        let is_paid =
            known.catalogue.probes.iter().any(|(name, kind)| name == probe && is_paid(*kind));
        // A counter refuses to go back, and nothing is ever given back here.
        if is_paid && price > Usd::ZERO {
            self.families.spend.with_label_values(&[probe]).inc_by(price.dollars());
        }
    }

    pub(super) fn believe_jobs(&self, views: &[StageView]) {
        let known = self.known();
        let jobs = known.catalogue.jobs.iter().filter(|(one, _)| JobKind::of(*one).is_some());
        for line in jobs {
            for stage in stages(*line) {
                let labels = [line.0.as_str(), line.1.as_str(), stage.as_str()];
                let is_it = |view: &&StageView| {
                    (view.kind.capability(), view.origin) == *line && view.stage == *stage
                };
                match views.iter().find(is_it) {
                    Some(view) => self.families.show_stage(view, labels),
                    None => self.families.forget_stage(labels),
                }
            }
        }
    }

    pub(super) fn believe_budget(&self, budget: &BudgetView) {
        for (window, cap) in WINDOWS.into_iter().zip([budget.per_day, budget.per_month]) {
            set(&self.families.budget_limit, &[window], cap.dollars());
        }
        let pools: &[Pool] = budget.account.as_ref().map_or(&[], |account| &account.pools);
        for (unit, name) in POOLS {
            let pool = pools.iter().find(|pool| pool.unit == unit && pool.name == name);
            let remaining = pool.map_or(f64::NAN, |pool| pool.remaining);
            set(&self.families.balance, &[unit.as_str(), name.as_str()], remaining);
        }
    }
}
