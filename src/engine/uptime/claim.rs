//! What HeyGen's own page said of the same time.
//!
//! Owns how the states of rows over time become a claim about a capability. Invariant: a claim is
//! never mixed with what our checks saw.

use std::collections::BTreeMap;
use std::time::Duration;

use super::steps::Steps;
use super::{Past, Scope, Window};
use crate::model::{Capability, ComponentChange, ComponentState};

/// A change, and whether it had been read by then.
type Shown = Option<ComponentState>;

/// What a page claimed of a stretch of time. The durations add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The worst it showed; `Unknown` where nothing is known of it.
    pub worst: ComponentState,
    /// It showed that all works.
    pub operational: Duration,
    /// It showed degraded performance.
    pub degraded: Duration,
    /// It showed a partial or a major outage.
    pub outage: Duration,
    /// It showed maintenance.
    pub maintenance: Duration,
    /// What it showed is not known.
    pub unknown: Duration,
}

impl Claimed {
    /// Adds up.
    pub(super) fn of(steps: &Steps<Shown>, window: Window) -> Self {
        let mut claimed = Self {
            worst: ComponentState::Unknown,
            operational: Duration::ZERO,
            degraded: Duration::ZERO,
            outage: Duration::ZERO,
            maintenance: Duration::ZERO,
            unknown: Duration::ZERO,
        };
        let mut worst: Shown = None;
        for (length, shown) in steps.pieces(window) {
            *claimed.part(shown) += length;
            worst = worst_of(worst, shown);
        }
        claimed.worst = worst.unwrap_or(ComponentState::Unknown);
        claimed
    }

    fn part(&mut self, shown: Shown) -> &mut Duration {
        match shown {
            Some(ComponentState::Operational) => &mut self.operational,
            Some(ComponentState::DegradedPerformance) => &mut self.degraded,
            Some(ComponentState::PartialOutage | ComponentState::MajorOutage) => &mut self.outage,
            Some(ComponentState::UnderMaintenance) => &mut self.maintenance,
            Some(ComponentState::Unknown) | None => &mut self.unknown,
        }
    }

    /// The share of the known time in which it showed no outage: what HeyGen declares. `None` when
    /// nothing is known.
    pub fn declared(&self) -> Option<f64> {
        let usable = self.operational + self.degraded;
        let judged = usable + self.outage;
        (!judged.is_zero()).then(|| usable.as_secs_f64() / judged.as_secs_f64())
    }
}

/// The worst that the rows of a capability showed at each instant; `None` when no primary page has
/// such a row. What a page showed while nobody looked is not known.
pub(super) fn steps(
    past: &Past,
    scope: &Scope,
    capability: Capability,
    window: Window,
) -> Option<Steps<Shown>> {
    let is_its = |change: &&ComponentChange| {
        scope.pages.iter().any(|(source, map)| {
            *source == change.source
                && map.capability_named(&change.component, &change.name) == Some(capability)
        })
    };
    let mut rows = BTreeMap::new();
    for change in past.claims.iter().filter(is_its) {
        let shown = Some(change.state).filter(|state| *state != ComponentState::Unknown);
        let row = (&change.source, &change.component);
        rows.entry(row).or_insert_with(|| Steps::of(None)).set(change.at, shown);
    }
    if rows.is_empty() {
        return None;
    }
    let rows: Vec<Steps<Shown>> = rows.into_values().collect();
    let mut worst = Steps::merged(&rows, None, worst_of);
    for (since, until) in past.dark(window) {
        worst.paint(since, until, None);
    }
    Some(worst)
}

fn worst_of(one: Shown, other: Shown) -> Shown {
    one.into_iter().chain(other).max_by_key(|state| state.severity())
}
