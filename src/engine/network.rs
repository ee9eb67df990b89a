//! What the controls say about our own network.
//!
//! Owns whose side a transport failure is on, whether we are offline, and whether the internet at
//! large is slow. Does not send anything. Invariant: without anything that shows the way to be
//! clear, a transport failure is never HeyGen's.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::SignedDuration;

use crate::model::{ControlReading, Observation, Outcome, PathCheck, TargetReading, Timestamp};

/// Offline for this long is worth an incident.
pub const OFFLINE_AFTER: SignedDuration = SignedDuration::from_mins(3);
/// This long with evidence ends it.
pub const BACK_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Latencies kept per target, and how many make a median worth trusting.
const KEPT: usize = 100;
const TRUSTED: usize = 10;
/// What is quick enough before a median is known.
const QUICK: Duration = Duration::from_secs(1);

/// Whose side a transport failure is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The way is clear: HeyGen's.
    Provider,
    /// Our resolver does not know what another one knows.
    LocalDns,
    /// Another address of the same host answers.
    LocalPath,
    /// Less than half of the controls answer, or there are none.
    Doubtful,
    /// Nothing answers.
    Offline,
}

/// A time without any answer from anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// When the first silent control run began.
    pub since: Timestamp,
    /// The first answer after it.
    pub until: Option<Timestamp>,
}

/// What the controls say about our own network.
#[derive(Debug, Clone, Default)]
pub struct Network {
    last: Option<Heard>,
    latencies: BTreeMap<String, VecDeque<Duration>>,
    heygen_answered_at: Option<Timestamp>,
    page_answered_at: Option<Timestamp>,
    offline: Option<Spell>,
    silent_runs: u32,
}

/// The last control run.
#[derive(Debug, Clone)]
struct Heard {
    begun_at: Timestamp,
    answered: usize,
    targets: usize,
    is_fine: bool,
    is_steady: bool,
}

impl Network {
    /// Takes in a control run; older ones than the last are ignored.
    pub fn hear(&mut self, reading: &ControlReading) {
        let is_newer = self.last.as_ref().is_none_or(|last| last.begun_at < reading.begun_at);
        if !is_newer || reading.targets.is_empty() {
            return;
        }
        self.last = Some(Heard {
            begun_at: reading.begun_at,
            answered: reading.answered(),
            targets: reading.targets.len(),
            is_fine: reading.is_fine(),
            is_steady: self.is_steady_now(&reading.targets),
        });
        self.learn(&reading.targets);
        let is_contradicted = self.answered_since(reading.begun_at);
        if reading.is_silent() && !is_contradicted {
            self.go_silent(reading.begun_at);
        } else {
            self.come_back(reading.begun_at);
        }
    }

    /// Takes in a control observation; a stored success comes back without its reading.
    pub fn hear_observation(&mut self, observation: &Observation) {
        match (&observation.control, observation.outcome) {
            (Some(reading), _) => self.hear(reading),
            (None, Outcome::Ok) => {
                let begun_at = observation.begun_at;
                if self.last.as_ref().is_none_or(|last| last.begun_at < begun_at) {
                    self.last = Some(Heard {
                        begun_at,
                        answered: 0,
                        targets: 0,
                        is_fine: true,
                        is_steady: true,
                    });
                    self.come_back(begun_at);
                }
            }
            (None, _) => {}
        }
    }

    /// HeyGen's edge answered over HTTP.
    pub fn heygen_answered(&mut self, at: Timestamp) {
        self.heygen_answered_at = self.heygen_answered_at.max(Some(at));
        self.answer(at);
    }

    /// A status page answered.
    pub fn page_answered(&mut self, at: Timestamp) {
        self.page_answered_at = self.page_answered_at.max(Some(at));
        self.answer(at);
    }

    fn answer(&mut self, at: Timestamp) {
        if self.last.as_ref().is_some_and(|last| last.begun_at <= at) {
            self.come_back(at);
        }
    }

    fn answered_since(&self, since: Timestamp) -> bool {
        self.heygen_answered_at.max(self.page_answered_at).is_some_and(|at| at >= since)
    }

    fn go_silent(&mut self, at: Timestamp) {
        self.silent_runs += 1;
        self.offline = match self.offline {
            Some(spell) if !is_over(spell, at) => Some(Spell { until: None, ..spell }),
            Some(_) | None => Some(Spell { since: at, until: None }),
        };
    }

    fn come_back(&mut self, at: Timestamp) {
        self.silent_runs = 0;
        if let Some(spell) = &mut self.offline {
            spell.until.get_or_insert(at);
        }
    }

    /// Whose side a transport failure is on. HTTP answers of HeyGen's edge count from
    /// `clear_since` on, and override the controls.
    pub fn side_of(&self, failure: &Observation, clear_since: Timestamp) -> Side {
        let transport = failure.transport.as_ref();
        match transport.and_then(|transport| transport.path_check) {
            Some(PathCheck::LocalDns) => return Side::LocalDns,
            Some(PathCheck::LocalPath) => return Side::LocalPath,
            Some(PathCheck::NotOurs) | None => {}
        }
        if failure.answered || self.heygen_answered_at.is_some_and(|at| at >= clear_since) {
            return Side::Provider;
        }
        let Some(control) = transport.and_then(|transport| transport.control.as_ref()) else {
            return Side::Doubtful;
        };
        let page = usize::from(self.page_answered_at.is_some_and(|at| at >= failure.begun_at));
        let (answered, targets) = (control.answered() + page, control.targets.len() + page);
        if targets == 0 {
            Side::Doubtful
        } else if answered * 2 >= targets {
            Side::Provider
        } else if answered == 0 {
            Side::Offline
        } else {
            Side::Doubtful
        }
    }

    /// True while nothing answers.
    pub fn is_offline(&self) -> bool {
        self.offline.is_some_and(|spell| spell.until.is_none())
    }

    /// Silent control runs in a row.
    pub fn silent_runs(&self) -> u32 {
        self.silent_runs
    }

    /// The last time without any answer, while it is worth an incident: from three minutes on,
    /// until there was evidence for one minute.
    pub fn offline_incident(&self, now: Timestamp) -> Option<Spell> {
        let spell = self.offline?;
        let lasted = spell.until.unwrap_or(now).duration_since(spell.since);
        (lasted >= OFFLINE_AFTER && !is_over(spell, now)).then_some(spell)
    }

    /// The last time without any answer, whether it is over or not.
    pub fn last_spell(&self) -> Option<Spell> {
        self.offline
    }

    /// Whether the internet can be reached; `None` before the first control run.
    pub fn internet_up(&self) -> Option<bool> {
        self.last.as_ref().map(|_| !self.is_offline())
    }

    /// True unless the last control run had fewer than half of its targets answer.
    pub fn is_fine(&self) -> bool {
        self.last.as_ref().is_none_or(|last| last.is_fine)
    }

    /// True when the answering controls are about as quick as ever.
    pub fn is_steady(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.is_fine && last.is_steady)
    }

    /// `2 of 5 controls answer`, as of the last run.
    pub fn controls_in_words(&self) -> Option<String> {
        let last = self.last.as_ref().filter(|last| last.targets > 0)?;
        Some(format!("{} of {} controls answer", last.answered, last.targets))
    }

    fn is_steady_now(&self, targets: &[TargetReading]) -> bool {
        let answers =
            || targets.iter().filter_map(|target| Some((&target.target, target.latency?)));
        let steady = answers()
            .filter(|(target, latency)| {
                *latency <= self.usual(target).saturating_mul(3).max(MARGIN)
            })
            .count();
        // Most of them: one slow target says nothing about the internet at large.
        answers().count() > 0 && steady * 2 >= answers().count()
    }

    /// A third of what is quick enough: the median of what is known of the target.
    fn usual(&self, target: &str) -> Duration {
        match self.latencies.get(target) {
            Some(known) if known.len() >= TRUSTED => {
                let mut sorted: Vec<Duration> = known.iter().copied().collect();
                sorted.sort_unstable();
                sorted[sorted.len() / 2]
            }
            Some(_) | None => QUICK / 3,
        }
    }

    fn learn(&mut self, targets: &[TargetReading]) {
        for target in targets {
            let Some(latency) = target.latency else {
                continue;
            };
            let known = self.latencies.entry(target.target.clone()).or_default();
            known.push_back(latency);
            if known.len() > KEPT {
                known.pop_front();
            }
        }
    }
}

/// Below this nothing is slow: three times a median of 4 ms is still no sign of trouble.
const MARGIN: Duration = Duration::from_millis(100);

fn is_over(spell: Spell, now: Timestamp) -> bool {
    spell.until.is_some_and(|until| now.duration_since(until) >= BACK_AFTER)
}
