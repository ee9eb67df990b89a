//! What the core remembers between steps.
//!
//! Owns the state of every part of the core and how observations get into it. Does not judge.
//! Invariant: everything here follows from the sequence of observations and readings, and from
//! the incidents that were stored.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::jobs::Jobs;

use crate::engine::alert::{Corroboration, Line, Meaning};
use crate::engine::attribute::Held;
use crate::engine::canary::paid;
use crate::engine::network::Network;
use crate::engine::official::Official;
use crate::engine::peers::Peers;
use crate::engine::room::Room;
use crate::engine::settings::{Cadence, Settings, Watch};
use crate::model::{
    Capability, CapabilityChange, Cause, Incident, IncidentId, Observation, Outcome, ProbeKind,
    Series, Silence, SilenceId, SourceReading, SourceRole, Timestamp, Verdict,
};

/// Our own requests are counted over this long (verdicts.md, section 5).
const COUNTED: SignedDuration = SignedDuration::from_mins(5);
/// Bound of that count; far above the 30 that matter.
const MOST_COUNTED: usize = 200;

/// What the core remembers between steps. Rebuilt at start from a
/// [`Recollection`](super::Recollection); never stored.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub(crate) lines: BTreeMap<Series, Line>,
    pub(crate) network: Network,
    pub(crate) official: Official,
    /// What other monitors say; asked anew after a start.
    pub(crate) peers: Peers,
    pub(crate) held: BTreeMap<Capability, Held>,
    /// What was last written down of each capability.
    pub(super) noted: BTreeMap<Capability, CapabilityChange>,
    /// Open incidents, and those resolved within the last two hours, oldest first.
    pub(crate) incidents: Vec<Incident>,
    pub(crate) next_incident_id: IncidentId,
    /// How long incidents of HeyGen's lasted, by cause, oldest first.
    pub(crate) past: BTreeMap<Cause, Vec<Duration>>,
    /// What people want to hear nothing of.
    pub(crate) silences: Vec<Silence>,
    pub(crate) next_silence_id: SilenceId,
    /// Jobs, paid tests and the account.
    pub(crate) jobs: Jobs,
    /// How much room the disk has left.
    pub(crate) room: Room,
    sent: VecDeque<Timestamp>,
    /// When the last step was.
    stepped_at: Option<Timestamp>,
    /// When time last went on after a leap.
    awake_since: Option<Timestamp>,
}

/// Time that passes without a step: steps come every ten seconds, so the machine slept or its clock
/// was set.
const LEAP: SignedDuration = SignedDuration::from_mins(2);

impl Memory {
    /// Knows its jobs, and nothing else yet.
    pub(super) fn knowing(jobs: Jobs) -> Self {
        Self { jobs, ..Self::default() }
    }

    /// Notes that time has passed.
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.peers.pass(now);
        let last = self.stepped_at.replace(now);
        if last.is_some_and(|last| now.duration_since(last) > LEAP) {
            self.awake_since = Some(now);
        }
    }

    /// The later of `since` and the end of the last leap: nobody could have looked before.
    pub(crate) fn awake_from(&self, since: Timestamp) -> Timestamp {
        self.awake_since.map_or(since, |awake| awake.max(since))
    }

    /// What a verdict says differently from what was last written down.
    pub(super) fn write_down(
        &mut self,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Vec<CapabilityChange> {
        let said = verdict.capabilities.iter().map(|one| CapabilityChange {
            capability: one.capability,
            at: now,
            state: one.state,
            blame: one.blame,
            reason: one.reason,
        });
        let noted = &self.noted;
        let is_new = |one: &CapabilityChange| {
            !noted.get(&one.capability).is_some_and(|last| last.says_the_same(one))
        };
        let changes: Vec<CapabilityChange> = said.filter(is_new).collect();
        self.noted.extend(changes.iter().map(|one| (one.capability, *one)));
        changes
    }

    /// Takes in one observation.
    pub(super) fn observe(&mut self, settings: &Settings, observation: &Arc<Observation>) {
        if let Some(reading) = observation.transport.as_ref().and_then(|near| near.control.as_ref())
        {
            self.network.hear(reading);
        }
        match observation.kind {
            ProbeKind::Control => self.network.hear_observation(observation),
            ProbeKind::StatusPage => {
                let is_peer = settings.peers().any(|one| one.name == observation.series.probe);
                if has_answered(observation) && !is_peer {
                    self.network.page_answered(observation.ended_at);
                }
                return;
            }
            ProbeKind::Api
            | ProbeKind::Submit
            | ProbeKind::Web
            | ProbeKind::Queue
            | ProbeKind::Render
            | ProbeKind::Translation
            | ProbeKind::Speech
            | ProbeKind::Webhook => {}
        }
        let Some(watch) = settings.watch(&observation.series.probe) else {
            return;
        };
        let clear_since = match settings.cadence {
            Cadence::Daemon => observation.begun_at,
            Cadence::Check { .. } => Timestamp::MIN,
        };
        let meaning = Meaning::of(observation, &self.network, clear_since);
        if watch.is_of_heygen() {
            self.count_request(observation);
        }
        let line = self
            .lines
            .entry(observation.series.clone())
            .or_insert_with(|| Line::beginning_with(observation));
        line.take(observation, meaning, &watch.thresholds, watch.fresh_for());
        if observation.kind == ProbeKind::Submit {
            self.recheck(settings, observation, meaning);
        }
    }

    /// A paid create is never confirmed by paying again: the submit probe of the same path looks
    /// for it (verdicts.md, section 2).
    fn recheck(&mut self, settings: &Settings, observation: &Observation, meaning: Meaning) {
        for (watch, rules) in paid(settings) {
            if rules.path == observation.series.subject
                && let Some(line) = self.lines.get_mut(&Series::of(&watch.name))
            {
                line.recheck(observation, meaning, &watch.thresholds);
            }
        }
    }

    fn count_request(&mut self, observation: &Observation) {
        if observation.outcome == Outcome::Skipped {
            return;
        }
        if has_answered(observation) {
            self.network.heygen_answered(observation.ended_at);
        }
        self.sent.push_back(observation.begun_at);
        while self.sent.len() > MOST_COUNTED {
            self.sent.pop_front();
        }
    }

    /// Takes in a reading; answers warnings about rows that vanished.
    pub(super) fn read(
        &mut self,
        settings: &Settings,
        reading: &Arc<SourceReading>,
    ) -> Vec<String> {
        // Another monitor may stand beside this one: that it answers proves no way out.
        if reading.page.is_ok() && reading.role != SourceRole::Peer {
            self.network.page_answered(reading.at);
        }
        let source = settings.sources.iter().find(|source| source.name == reading.source);
        source.map_or_else(Vec::new, |source| self.official.read(source, reading))
    }

    /// Confirms what has been seen often enough; for `check` judges what there is at its deadline,
    /// or earlier where `Retry-After` forbids another look before it.
    pub(super) fn confirm(&mut self, settings: &Settings, now: Timestamp) {
        let lines: Vec<(&Line, &Watch)> = self.of_heygen(settings).collect();
        let waiting: Vec<(Series, Corroboration)> = self
            .lines
            .iter()
            .filter(|(_, line)| line.is_pending())
            .map(|(series, line)| {
                (series.clone(), Self::corroboration(settings, &lines, series, line, now))
            })
            .collect();
        for (series, corroboration) in waiting {
            let Some(watch) = settings.watch(&series.probe) else {
                continue;
            };
            let Some(line) = self.lines.get_mut(&series) else {
                continue;
            };
            line.confirm(&watch.thresholds, corroboration, now);
            let is_last_look = settings.deadline().is_some_and(|deadline| {
                now >= deadline || line.not_before().is_some_and(|at| at > deadline)
            });
            if is_last_look {
                line.judge(now);
            }
        }
    }

    fn corroboration(
        settings: &Settings,
        lines: &[(&Line, &Watch)],
        series: &Series,
        line: &Line,
        now: Timestamp,
    ) -> Corroboration {
        let Some(watch) = settings.watch(&series.probe) else {
            return Corroboration::None;
        };
        let agrees = lines.iter().any(|(other, other_watch)| {
            let is_twin = other_watch.anonymous
                && other_watch.kind == ProbeKind::Api
                && other_watch.host == watch.host;
            let is_about_the_same = other
                .last
                .capabilities
                .iter()
                .any(|capability| line.last.capabilities.contains(capability));
            other_watch.name != watch.name
                && (is_twin || is_about_the_same)
                && other.is_down_now()
                && other.is_fresh(other_watch.fresh_for(), now)
        });
        if agrees { Corroboration::SecondProbe } else { Corroboration::None }
    }

    /// Every line that may speak of HeyGen, with its probe, in the order of the configuration.
    pub(crate) fn of_heygen<'a>(
        &'a self,
        settings: &'a Settings,
    ) -> impl Iterator<Item = (&'a Line, &'a Watch)> {
        settings
            .probes
            .iter()
            .filter(|watch| watch.is_of_heygen())
            .flat_map(|watch| self.lines_of(&watch.name).map(move |line| (line, watch)))
    }

    /// Every line of a probe.
    pub(crate) fn lines_of<'a>(&'a self, probe: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines
            .range(Series::of(probe)..)
            .take_while(move |(series, _)| series.probe == probe)
            .map(|(_, line)| line)
    }

    /// Requests that we sent to HeyGen within the last five minutes.
    pub(crate) fn requests_sent(&self, now: Timestamp) -> usize {
        self.sent.iter().filter(|at| now.duration_since(**at) <= COUNTED).count()
    }

    /// The incident of that number.
    pub(crate) fn incident_mut(&mut self, id: IncidentId) -> Option<&mut Incident> {
        self.incidents.iter_mut().find(|incident| incident.id == id)
    }
}

/// A stored success comes back without its details.
fn has_answered(observation: &Observation) -> bool {
    observation.answered || matches!(observation.outcome, Outcome::Ok | Outcome::Slow)
}
