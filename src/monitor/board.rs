//! The view that pages, metrics and the admin socket read, kept up to date decision by decision.

use super::rounds::Rounds;
use crate::engine::Decision;
use crate::model::{
    Incident, IncidentId, Observation, Outcome, ProbeKind, ProbeView, Series, SourceReading,
    SourceView, View,
};

/// What was last seen of everything that is watched.
#[derive(Debug)]
pub struct Board {
    probes: Vec<ProbeView>,
    sources: Vec<SourceView>,
    incidents: Vec<Incident>,
}

impl Board {
    /// Nothing was seen yet.
    pub fn new(rounds: &Rounds) -> Self {
        let mut board = Self { probes: Vec::new(), sources: Vec::new(), incidents: Vec::new() };
        board.replace(rounds);
        board
    }

    /// Follows a changed configuration; what stays keeps what was seen of it.
    pub fn replace(&mut self, rounds: &Rounds) {
        let known = std::mem::take(&mut self.probes);
        for spec in rounds.specs() {
            let is_same =
                |view: &&ProbeView| view.series.probe == spec.name && view.kind == spec.kind();
            let of_spec: Vec<_> = known.iter().filter(is_same).cloned().collect();
            if of_spec.is_empty() {
                self.probes.push(unseen(&Series::of(&spec.name), spec.kind()));
            }
            self.probes.extend(of_spec);
        }
        let known = std::mem::take(&mut self.sources);
        for source in &rounds.settings().sources {
            let known = known.iter().find(|view| view.name == source.name);
            self.sources.push(SourceView {
                name: source.name.clone(),
                role: source.role,
                last: known.and_then(|view| view.last.clone()),
                last_success_at: known.and_then(|view| view.last_success_at),
            });
        }
    }

    /// An incident as it was last seen open.
    pub fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.iter().find(|incident| incident.id == id)
    }

    /// Takes a decision in and answers the view as of it.
    pub fn update(&mut self, rounds: &Rounds, decision: &Decision) -> View {
        if let Some(observation) = &decision.observation {
            self.see(observation);
        }
        if let Some(reading) = &decision.reading {
            self.read(reading);
        }
        self.incidents.clone_from(&decision.open);
        for view in &mut self.probes {
            let index = rounds.specs().iter().position(|spec| spec.name == view.series.probe);
            let watch = rounds.settings().watch(&view.series.probe);
            view.target = watch.and_then(|watch| watch.target_of(&view.series));
            view.next_due_at = index.and_then(|index| rounds.due_at(index));
        }
        View {
            verdict: decision.verdict.clone(),
            probes: self.probes.clone(),
            sources: self.sources.clone(),
            incidents: self.incidents.clone(),
            internet_up: decision.internet_up,
            stages: decision.stages.clone(),
            budget: decision.budget.clone(),
        }
    }

    fn see(&mut self, observation: &Observation) {
        let of_probe = |view: &ProbeView| view.series.probe == observation.series.probe;
        let same = self.probes.iter().position(|view| view.series == observation.series);
        let index = same.unwrap_or_else(|| {
            let first = self.probes.iter().position(of_probe).unwrap_or(self.probes.len());
            let view = unseen(&observation.series, observation.kind);
            match self.probes.get_mut(first) {
                // The stand-in of a probe that looks at several things gives way to the first.
                Some(stand_in) if stand_in.last_outcome.is_none() => *stand_in = view,
                Some(_) | None => self.probes.insert(first, view),
            }
            first
        });
        let view = &mut self.probes[index];
        view.last_outcome = Some(observation.outcome);
        if observation.outcome != Outcome::Skipped {
            view.last = Some(observation.clone());
        }
        if matches!(observation.outcome, Outcome::Ok | Outcome::Slow) {
            view.last_success_at = Some(observation.ended_at);
        }
    }

    fn read(&mut self, reading: &SourceReading) {
        if let Some(view) = self.sources.iter_mut().find(|view| view.name == reading.source) {
            if reading.page.is_ok() {
                view.last_success_at = Some(reading.at);
            }
            view.last = Some(reading.clone());
        }
    }
}

fn unseen(series: &Series, kind: ProbeKind) -> ProbeView {
    ProbeView {
        series: series.clone(),
        kind,
        target: None,
        last: None,
        last_outcome: None,
        last_success_at: None,
        next_due_at: None,
    }
}
