//! From everything that is remembered to the verdict.
//!
//! Owns how capabilities are judged one by one and then as a whole. Changes nothing: what has to be
//! remembered of it is answered. Invariant: one entry per capability, whatever is configured.

use std::collections::BTreeMap;
use std::time::Duration;

use super::alert::Line;
use super::evaluate::Memory;
use super::official::{Maintenance, Notice};
use super::settings::{Settings, Watch};
use super::{advice, headline};
use crate::model::{
    Alternative, Blame, Capability, CapabilityVerdict, ComponentState, OfficialView, Reason, State,
    Timestamp, Verdict,
};

pub mod evidence;
pub mod facts;
mod places;
pub mod rows;

use facts::Fact;
use rows::{Basis, Case, Judgement};

/// Shortest spacing of re-checks in a one-shot `check`.
const CHECK_SPACING: Duration = Duration::from_secs(1);

/// A state, blame and reason, and since when they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it can be used.
    pub state: State,
    /// Whose move it is.
    pub blame: Blame,
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
}

/// What was last believed of a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    last: Standing,
    confirmed: Option<Standing>,
}

impl Held {
    /// What was believed last.
    pub fn last(&self) -> Standing {
        self.last
    }

    /// The last verdict that rested on something.
    pub fn confirmed(&self) -> Option<Standing> {
        self.confirmed
    }

    /// What is believed after a judgement.
    fn after(before: Option<&Self>, judgement: &Judgement<'_>, now: Timestamp) -> Self {
        let (state, blame, reason) = (judgement.state, judgement.blame, judgement.reason);
        let unchanged = before
            .map(Self::last)
            .filter(|last| (last.state, last.blame, last.reason) == (state, blame, reason));
        let since = unchanged.map_or_else(|| judgement.since.unwrap_or(now), |last| last.since);
        let last = Standing { state, blame, reason, since };
        let confirmed =
            if state == State::Unknown { before.and_then(Self::confirmed) } else { Some(last) };
        Self { last, confirmed }
    }
}

/// The verdict and what it was made of.
#[derive(Debug)]
pub struct Assessment<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// What is believed of each capability from now on.
    pub held: BTreeMap<Capability, Held>,
    /// Confirmed alert states.
    pub facts: Vec<Fact<'a>>,
    /// What primary pages admit.
    pub notices: Vec<Notice>,
}

/// Judges everything.
pub fn assess<'a>(memory: &'a Memory, settings: &'a Settings, now: Timestamp) -> Assessment<'a> {
    let lines: Vec<(&Line, &Watch)> = memory.of_heygen(settings).collect();
    let facts = facts::facts(memory, settings, &lines, now);
    let notices: Vec<Notice> = settings
        .primary_sources()
        .flat_map(|source| memory.official.notices(source, now))
        .collect();
    let maintenances: Vec<Maintenance> = settings
        .primary_sources()
        .flat_map(|source| memory.official.maintenances(source, now))
        .collect();
    let (mut held, mut capabilities) = (BTreeMap::new(), Vec::new());
    for capability in Capability::ALL {
        let case = case(memory, settings, capability, (&facts, &notices, &maintenances), now);
        let judgement = case.judgement();
        let next = Held::after(memory.held.get(&capability), &judgement, now);
        capabilities.push(capability_verdict(&case, &judgement, next.last()));
        held.insert(capability, next);
    }
    let verdict = whole(settings, capabilities, now);
    Assessment { verdict, held, facts, notices }
}

fn case<'a>(
    memory: &'a Memory,
    settings: &'a Settings,
    capability: Capability,
    (facts, notices, maintenances): (&[Fact<'a>], &'a [Notice], &'a [Maintenance]),
    now: Timestamp,
) -> Case<'a> {
    let touches = |fact: &&Fact<'a>| fact.capabilities.contains(&capability);
    let mut facts: Vec<Fact<'a>> = facts.iter().filter(touches).cloned().collect();
    facts.sort_by_key(|fact| (std::cmp::Reverse(fact.watch.nearness()), fact.since));
    let informs = |line: &Line| line.last.capabilities.contains(&capability);
    let mut lines: Vec<_> = memory.of_heygen(settings).filter(|(line, _)| informs(line)).collect();
    lines.sort_by_key(|(_, watch)| std::cmp::Reverse(watch.nearness()));
    Case { capability, memory, settings, facts, lines, notices, maintenances, now }
}

fn capability_verdict(
    case: &Case<'_>,
    judgement: &Judgement<'_>,
    standing: Standing,
) -> CapabilityVerdict {
    let official = official_view(case, judgement);
    CapabilityVerdict {
        capability: case.capability,
        used: case.settings.uses.contains(&case.capability),
        state: judgement.state,
        blame: judgement.blame,
        reason: judgement.reason,
        since: (judgement.reason != Reason::NotWatched).then_some(standing.since),
        headline: headline::of_capability(case, judgement, standing),
        evidence: evidence::of_capability(case, judgement),
        advice: advice::advice(case, judgement, official.as_ref()),
        alternatives: alternatives(case),
        official,
    }
}

fn official_view(case: &Case<'_>, judgement: &Judgement<'_>) -> Option<OfficialView> {
    let source = case
        .settings
        .primary_sources()
        .find(|source| case.memory.official.source(&source.name).is_some())?;
    let is_own_failure = judgement.blame == Blame::Provider
        && matches!(judgement.state, State::Outage | State::Degraded)
        && judgement.reason != Reason::OfficialIncident;
    let notice = case.notices.iter().find(|notice| {
        notice.capabilities.contains(&case.capability) || (notice.names_nothing && is_own_failure)
    });
    let lead_seconds = is_own_failure.then_some(judgement.since).flatten().map(|since| {
        notice.map_or(case.now, |notice| notice.since).duration_since(since).as_secs()
    });
    let maintenance = match &judgement.basis {
        Basis::Maintenance(maintenance) => Some(maintenance.title.clone()),
        _ => None,
    };
    Some(OfficialView {
        source: source.name.clone(),
        state: case.memory.official.state_of(source, case.capability, case.now),
        acknowledged: notice.is_some(),
        lead_seconds,
        notice: notice.map(|notice| notice.title.clone()).or(maintenance),
    })
}

/// Substitutes for this capability, each with its own state and its age.
pub(super) fn alternatives(case: &Case<'_>) -> Vec<Alternative> {
    let pages = case.settings.sources.iter().filter_map(|source| {
        let reading = &case.memory.official.source(&source.name)?.last;
        source.replaces.contains(&case.capability).then(|| Alternative {
            name: source.name.clone(),
            state: reading.page.as_ref().map_or(ComponentState::Unknown, |page| page.state),
            checked_at: reading.at,
        })
    });
    let checks = case.settings.probes.iter().filter_map(|watch| {
        let line = case.memory.lines_of(&watch.name).next()?;
        watch.replaces.contains(&case.capability).then(|| Alternative {
            name: watch.name.clone(),
            state: state_of_substitute(line),
            checked_at: line.last.ended_at,
        })
    });
    pages.chain(checks).collect()
}

fn state_of_substitute(line: &Line) -> ComponentState {
    if line.down.firing().is_some() {
        ComponentState::MajorOutage
    } else if line.success().is_some() {
        ComponentState::Operational
    } else {
        ComponentState::Unknown
    }
}

/// The whole: the worst of what this team uses and what is watched.
fn whole(settings: &Settings, capabilities: Vec<CapabilityVerdict>, now: Timestamp) -> Verdict {
    let is_left_out = |verdict: &CapabilityVerdict| {
        matches!(verdict.reason, Reason::NotWatched | Reason::NoRecentJobs)
    };
    let used = || capabilities.iter().filter(|verdict| verdict.used);
    let worst = used()
        .filter(|verdict| !is_left_out(verdict))
        .min_by_key(|verdict| (std::cmp::Reverse(verdict.state.severity()), verdict.blame));
    let (state, blame, reason) = match (worst, used().next()) {
        (Some(worst), _) => (worst.state, worst.blame, worst.reason),
        (None, Some(first)) => (State::Unknown, Blame::None, first.reason),
        (None, None) => (State::Unknown, Blame::None, Reason::NotWatched),
    };
    Verdict {
        at: now,
        vantage: settings.vantage.clone(),
        account: settings.account.clone(),
        state,
        blame,
        reason,
        headline: headline::of_whole(&capabilities, worst),
        capabilities,
    }
}

/// Spacing of re-checks in a one-shot `check`: the smaller of `recheck` and 1 s.
pub fn check_spacing(watch: &Watch) -> Duration {
    watch.thresholds.recheck.min(CHECK_SPACING)
}
