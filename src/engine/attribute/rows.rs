//! From evidence to the verdict of one capability: the table of verdicts.md, section 3.
//!
//! Owns the order of the rows; first match wins. Does not write sentences. Invariant: total, and a
//! monitor that is blind says `unknown`, never `operational`.

use std::sync::Arc;

use super::Held;
use super::facts::{Fact, Family, is_up_evidence};
use crate::engine::alert::{Line, Meaning, is_fresh};
use crate::engine::evaluate::Memory;
use crate::engine::notices;
use crate::engine::official::{Maintenance, Notice};
use crate::engine::settings::{Settings, Watch};
use crate::model::{
    Blame, Capability, JobKind, Observation, Outcome, Reason, SkipReason, State, Timestamp,
};

/// What a row of the table says.
#[derive(Debug, Clone)]
pub struct Judgement<'a> {
    /// Whether it can be used now.
    pub state: State,
    /// Whose move it is.
    pub blame: Blame,
    /// Why.
    pub reason: Reason,
    /// Since when, as far as the evidence tells.
    pub since: Option<Timestamp>,
    /// What it rests on.
    pub basis: Basis<'a>,
}

/// What a judgement rests on.
#[derive(Debug, Clone)]
pub enum Basis<'a> {
    /// The silence of everything.
    Offline,
    /// A maintenance that the page declares.
    Maintenance(Maintenance),
    /// Confirmed alert states, the decisive one first.
    Facts(Vec<Fact<'a>>),
    /// What the page alone admits.
    Notice(Notice),
    /// Successes, the nearest first.
    Successes(Vec<Arc<Observation>>),
    /// What stood between us and HeyGen.
    Between(Vec<Arc<Observation>>),
    /// The last confirmed verdict, while new failures wait for confirmation.
    Held,
    /// Nothing.
    Nothing,
}

/// What is known of one capability.
#[derive(Debug)]
pub struct Case<'a> {
    /// Which.
    pub capability: Capability,
    /// What the core remembers.
    pub memory: &'a Memory,
    /// The configuration.
    pub settings: &'a Settings,
    /// Confirmed alert states that touch it, the nearest first.
    pub facts: Vec<Fact<'a>>,
    /// The lines that inform it.
    pub lines: Vec<(&'a Line, &'a Watch)>,
    /// What primary pages admit.
    pub notices: &'a [Notice],
    /// Maintenances in progress.
    pub maintenances: &'a [Maintenance],
    /// As of when.
    pub now: Timestamp,
}

impl<'a> Case<'a> {
    /// The first row that matches.
    pub fn judgement(&self) -> Judgement<'a> {
        self.offline()
            .or_else(|| self.maintenance())
            .or_else(|| self.firing(&[Family::Down, Family::JobsDown]))
            .or_else(|| self.firing(&[Family::Account]))
            .or_else(|| self.firing(&[Family::Intermittent, Family::Slow, Family::JobsDegraded]))
            .or_else(|| self.firing(&[Family::Local]))
            .or_else(|| self.firing(&[Family::Limited]))
            .or_else(|| self.notice())
            .or_else(|| self.client())
            .or_else(|| self.firing(&[Family::Backlog]))
            .or_else(|| self.up())
            .or_else(|| self.between())
            .or_else(|| self.held())
            .unwrap_or_else(|| self.blind())
    }

    fn offline(&self) -> Option<Judgement<'a>> {
        let spell = self.memory.network.last_spell().filter(|spell| spell.until.is_none())?;
        Some(Judgement {
            state: State::Unknown,
            blame: Blame::Network,
            reason: Reason::MonitorOffline,
            since: Some(spell.since),
            basis: Basis::Offline,
        })
    }

    fn maintenance(&self) -> Option<Judgement<'a>> {
        let is_failing = self.is_failing();
        let has_own_up = !is_failing && self.has_success();
        if has_own_up || self.facts.iter().any(|fact| fact.family == Family::Account) {
            return None;
        }
        let declared = self.maintenances.iter().find(|one| {
            one.capabilities.contains(&self.capability)
                || (one.capabilities.is_empty() && is_failing)
        })?;
        Some(Judgement {
            state: State::Maintenance,
            blame: Blame::Provider,
            reason: Reason::OfficialMaintenance,
            since: Some(declared.since),
            basis: Basis::Maintenance(declared.clone()),
        })
    }

    /// True when our own probes see a failure of HeyGen's, confirmed or not.
    fn is_failing(&self) -> bool {
        let is_bad_now = |(line, watch): &(&Line, &Watch)| {
            line.is_down_now() && line.is_fresh(watch.fresh_for(), self.now)
        };
        self.facts.iter().any(|fact| fact.blame == Blame::Provider)
            || self.lines.iter().any(is_bad_now)
    }

    fn firing(&self, families: &[Family]) -> Option<Judgement<'a>> {
        let facts: Vec<Fact<'a>> =
            self.facts.iter().filter(|fact| families.contains(&fact.family)).cloned().collect();
        let first = facts.first()?;
        Some(Judgement {
            state: first.state,
            blame: first.blame,
            reason: first.reason,
            since: facts.iter().map(|fact| fact.since).min(),
            basis: Basis::Facts(facts),
        })
    }

    fn notice(&self) -> Option<Judgement<'a>> {
        let notice = self
            .notices
            .iter()
            .find(|notice| notice.is_serious && notice.capabilities.contains(&self.capability))?;
        Some(Judgement {
            state: State::Degraded,
            blame: Blame::Provider,
            reason: Reason::OfficialIncident,
            since: Some(notice.since),
            basis: Basis::Notice(notice.clone()),
        })
    }

    /// A refused request says something only when nothing else does.
    fn client(&self) -> Option<Judgement<'a>> {
        if self.has_success() {
            return None;
        }
        self.firing(&[Family::Client])
    }

    /// The last job that moved on, where jobs are what the capability is made of.
    fn job(&self) -> Option<&'a Arc<Observation>> {
        self.memory.jobs.ups.get(&JobKind::of(self.capability)?)
    }

    fn has_success(&self) -> bool {
        self.job().is_some() || self.successes().next().is_some()
    }

    fn up(&self) -> Option<Judgement<'a>> {
        if let Some(job) = self.job() {
            return Some(Judgement {
                state: State::Operational,
                blame: Blame::None,
                reason: Reason::Outcome(Outcome::Ok),
                since: Some(job.begun_at),
                basis: Basis::Successes(vec![Arc::clone(job)]),
            });
        }
        let seen: Vec<Arc<Observation>> =
            self.successes().map(|(_, seen)| Arc::clone(seen)).collect();
        let (line, first) = self.successes().next()?;
        Some(Judgement {
            state: State::Operational,
            blame: Blame::None,
            reason: Reason::Outcome(Outcome::Ok),
            since: Some(line.good_run.map_or(first.begun_at, |(_, since)| since)),
            basis: Basis::Successes(seen),
        })
    }

    /// Fresh up evidence, the nearest first. A 403 proves the key.
    fn successes(&self) -> impl Iterator<Item = (&'a Line, &'a Arc<Observation>)> {
        self.lines.iter().filter_map(|(line, watch)| {
            if !is_up_evidence(watch, self.capability) {
                return None;
            }
            let proof = line.last_of.get(&Meaning::Account).filter(|seen| {
                self.capability == Capability::Authentication && seen.outcome == Outcome::Forbidden
            });
            let seen =
                line.last_success().into_iter().chain(proof).max_by_key(|seen| seen.begun_at)?;
            is_fresh(seen.ended_at, watch.fresh_for(), self.now).then_some((*line, seen))
        })
    }

    fn between(&self) -> Option<Judgement<'a>> {
        let has_evidence =
            self.lines.iter().any(|(line, watch)| line.is_fresh(watch.fresh_for(), self.now));
        if has_evidence {
            return None;
        }
        let seen: Vec<(Meaning, &Arc<Observation>)> = self
            .lines
            .iter()
            .filter_map(|(line, watch)| self.what_stands_between(line, watch))
            .collect();
        let (meaning, first) = seen.first()?;
        let (blame, reason) = match meaning {
            Meaning::Blocked => (Blame::Network, Reason::Outcome(Outcome::Blocked)),
            Meaning::LocalDns => (Blame::Network, Reason::LocalDns),
            Meaning::LocalPath => (Blame::Network, Reason::LocalPath),
            Meaning::Monitor => (Blame::Monitor, Reason::Outcome(Outcome::MonitorError)),
            _ => (Blame::Network, Reason::NetworkDoubtful),
        };
        Some(Judgement {
            state: State::Unknown,
            blame,
            reason,
            since: Some(first.begun_at),
            basis: Basis::Between(seen.iter().map(|(_, seen)| Arc::clone(seen)).collect()),
        })
    }

    fn what_stands_between(
        &self,
        line: &'a Line,
        watch: &Watch,
    ) -> Option<(Meaning, &'a Arc<Observation>)> {
        line.last_of
            .iter()
            .filter(|(meaning, _)| meaning.is_in_between() || **meaning == Meaning::Monitor)
            .filter(|(_, seen)| is_fresh(seen.ended_at, watch.fresh_for(), self.now))
            .map(|(meaning, seen)| (*meaning, seen))
            .max_by_key(|(_, seen)| seen.begun_at)
    }

    fn held(&self) -> Option<Judgement<'a>> {
        let is_pending = self
            .lines
            .iter()
            .any(|(line, watch)| line.is_pending() && line.is_fresh(watch.fresh_for(), self.now));
        let last = self.memory.held.get(&self.capability).and_then(Held::confirmed)?;
        is_pending.then_some(Judgement {
            state: last.state,
            blame: last.blame,
            reason: last.reason,
            since: Some(last.since),
            basis: Basis::Held,
        })
    }

    fn blind(&self) -> Judgement<'a> {
        let (blame, reason) = if self.is_watched() {
            (Blame::Monitor, self.why_blind())
        } else {
            (Blame::None, Reason::NotWatched)
        };
        Judgement {
            state: State::Unknown,
            blame,
            reason,
            since: self.went_stale_at(),
            basis: Basis::Nothing,
        }
    }

    /// Requests are accepted, but only a job would show that videos come out.
    fn why_blind(&self) -> Reason {
        let stopped = notices::stopped(self.memory, self.settings, self.now);
        let is_stopped = stopped.iter().any(|one| one.capabilities.contains(&self.capability));
        let has_evidence =
            self.lines.iter().any(|(line, watch)| line.is_fresh(watch.fresh_for(), self.now));
        if is_stopped {
            Reason::NotWatching
        } else if JobKind::of(self.capability).is_some() && has_evidence {
            Reason::NoRecentJobs
        } else {
            Reason::NoData
        }
    }

    /// Some probe informs it, and not all of them are skipped for want of a key or on purpose.
    fn is_watched(&self) -> bool {
        let is_left_out = |line: &Line| {
            let skipped = line.last_of.get(&Meaning::Skipped).and_then(|seen| seen.skipped);
            line.last_of.len() == 1
                && matches!(skipped, Some(SkipReason::NoKey | SkipReason::Paused))
        };
        self.settings
            .probes
            .iter()
            .filter(|watch| watch.is_of_heygen() && watch.capabilities.contains(&self.capability))
            .any(|watch| {
                let mut lines = self.memory.lines_of(&watch.name).peekable();
                lines.peek().is_none() || lines.any(|line| !is_left_out(line))
            })
    }

    fn went_stale_at(&self) -> Option<Timestamp> {
        let ends = self
            .lines
            .iter()
            .filter_map(|(line, watch)| line.evidence_at?.checked_add(watch.fresh_for()).ok());
        ends.max().filter(|at| *at <= self.now)
    }
}
