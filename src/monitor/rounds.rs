//! One round after the other: what is due is run, what was seen is judged.
//!
//! The part of the monitor loop that the daemon and `check` share: it commits nothing, publishes
//! nothing and reads no configuration file. Invariant: [`Rounds::next`] may be dropped at any
//! await and called again without losing a run or an observation.

use std::collections::{BTreeMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use super::agenda::{Agenda, Due, Pace};
use super::controls::Controls;
use crate::clock::Clock;
use crate::engine::{self, Decision, Input, Memory, Settings};
use crate::model::{
    Evidence, Observation, Outcome, ProbeKind, Series, SkipReason, SourceReading, Timestamp,
};
use crate::probe::{ProbeDeps, ProbeSpec, Prober, Run, Step, prober};

/// Time passes at least this often for the core, in the clock's time.
const TICK: Duration = Duration::from_secs(10);
/// A prober that outlives its deadline by this much, in real time, is broken.
const GRACE: Duration = Duration::from_secs(5);

/// What is watched, and what is remembered of it.
pub struct Rounds {
    specs: Vec<ProbeSpec>,
    probers: Vec<Arc<dyn Prober>>,
    settings: Settings,
    memory: Memory,
    clock: Clock,
    agenda: Agenda,
    controls: Controls,
    runs: JoinSet<Finished>,
    inputs: VecDeque<Input>,
    /// What each series looks like, for runs of which nothing else is known.
    lines: BTreeMap<Series, Observation>,
    attempt_cap: Option<AttemptCap>,
    tick_at: Timestamp,
    panics: u64,
    lags: Vec<Duration>,
}

/// Bounds on single runs, for `check`; in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptCap {
    /// Any probe.
    pub probe: Duration,
    /// Controls.
    pub control: Duration,
    /// Nothing runs past this.
    pub deadline: tokio::time::Instant,
}

/// How rounds begin.
#[derive(Debug)]
pub struct Start {
    /// What is remembered.
    pub memory: Memory,
    /// Whether probes come round again by themselves.
    pub pace: Pace,
    /// Bounds on single runs.
    pub attempt_cap: Option<AttemptCap>,
}

struct Finished {
    probe: String,
    end: End,
}

enum End {
    Saw(Step),
    OutOfTime,
    Panicked,
}

impl Rounds {
    /// Everything is due at once.
    pub fn new(specs: Vec<ProbeSpec>, settings: Settings, deps: &ProbeDeps, start: Start) -> Self {
        let now = deps.clock.now();
        Self {
            probers: probers(&specs, deps),
            agenda: Agenda::new(&specs, start.pace, now),
            controls: Controls::new(control_names(&specs)),
            specs,
            settings,
            memory: start.memory,
            clock: deps.clock.clone(),
            runs: JoinSet::new(),
            inputs: VecDeque::new(),
            lines: BTreeMap::new(),
            attempt_cap: start.attempt_cap,
            tick_at: now.saturating_add(TICK).unwrap_or(now),
            panics: 0,
            lags: Vec::new(),
        }
    }

    /// Goes on with a changed configuration: times, memory and what is held stay; what runs
    /// finishes on the old one.
    pub fn replace(&mut self, specs: Vec<ProbeSpec>, settings: Settings, deps: &ProbeDeps) {
        self.agenda = self.agenda.replaced(&specs, self.clock.now());
        self.controls = std::mem::take(&mut self.controls).replaced(control_names(&specs));
        self.probers = probers(&specs, deps);
        self.specs = specs;
        self.settings = settings;
    }

    /// Waits until something happened and answers what follows from it.
    pub async fn next(&mut self) -> Decision {
        loop {
            let now = self.clock.now();
            if let Some(input) = self.inputs.pop_front() {
                return self.evaluate(input, now);
            }
            if self.tick_at <= now {
                return self.evaluate(Input::Tick, now);
            }
            self.start_due(now);
            if !self.inputs.is_empty() {
                continue;
            }
            let wake_at =
                self.agenda.next_due_at().map_or(self.tick_at, |due| due.min(self.tick_at));
            tokio::select! {
                Some(finished) = self.runs.join_next(), if !self.runs.is_empty() => {
                    self.take_in(finished);
                }
                () = self.clock.sleep_until(wake_at) => {}
            }
        }
    }

    /// Judges at the deadline of `check`: what is still held or running is let go.
    pub fn conclude(&mut self) -> Decision {
        for observation in self.controls.give_up() {
            self.inputs.push_back(Input::Observed(Box::new(observation)));
        }
        while let Some(input) = self.inputs.pop_front() {
            let now = self.clock.now();
            let _: Decision = self.evaluate(input, now);
        }
        self.evaluate(Input::Tick, self.clock.now())
    }

    /// True when nothing is pending: everything ran, and all of it is confirmed or cleared.
    pub fn is_settled(&self) -> bool {
        self.runs.is_empty()
            && self.agenda.has_started_all()
            && self.inputs.is_empty()
            && !self.controls.is_wanted()
            && engine::is_settled(&self.memory, &self.settings, self.clock.now())
    }

    /// What is watched.
    pub fn specs(&self) -> &[ProbeSpec] {
        &self.specs
    }

    /// What the core knows of the configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// When the probe at `index` is due next.
    pub fn due_at(&self, index: usize) -> Option<Timestamp> {
        self.agenda.due_at(index)
    }

    /// Delays of starts behind their due times, in the clock's time, since the last call.
    pub fn take_lags(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.lags)
    }

    /// Number of probe runs that panicked since the last call.
    pub fn take_panics(&mut self) -> u64 {
        std::mem::take(&mut self.panics)
    }

    fn evaluate(&mut self, input: Input, now: Timestamp) -> Decision {
        let decision = engine::evaluate(&mut self.memory, &self.settings, input, now);
        self.agenda.set_suspects(&decision.suspects);
        if self.controls.is_wanted() {
            self.agenda.call_controls(now);
        }
        let tick_at = now.saturating_add(TICK).unwrap_or(now);
        let floor = now.saturating_add(Duration::from_millis(1)).unwrap_or(now);
        self.tick_at = decision.wake_at.map_or(tick_at, |wake_at| wake_at.clamp(floor, tick_at));
        decision
    }

    fn start_due(&mut self, now: Timestamp) {
        for index in self.agenda.take_overrun(now) {
            for line in self.lines_of(index, now) {
                let observation = Observation {
                    outcome: Outcome::Skipped,
                    skipped: Some(SkipReason::Overrun),
                    ..line
                };
                self.inputs.push_back(Input::Observed(Box::new(observation)));
            }
        }
        for due in self.agenda.take_due(now) {
            let lag = Duration::try_from(now.duration_since(due.at)).unwrap_or_default();
            self.lags.push(lag);
            self.start(&due);
        }
    }

    fn start(&mut self, due: &Due) {
        let probe = self.specs[due.index].name.clone();
        let run = Run { timeout: self.timeout_of(due.index), recheck: due.recheck };
        let prober = Arc::clone(&self.probers[due.index]);
        self.runs.spawn(async move {
            let running = AssertUnwindSafe(prober.run(run)).catch_unwind();
            let end = match tokio::time::timeout(run.timeout + GRACE, running).await {
                Ok(Ok(step)) => End::Saw(step),
                Ok(Err(_)) => End::Panicked,
                Err(_) => End::OutOfTime,
            };
            Finished { probe, end }
        });
    }

    fn timeout_of(&self, index: usize) -> Duration {
        let spec = &self.specs[index];
        let Some(cap) = self.attempt_cap else {
            return spec.timeout;
        };
        let most = match spec.kind() {
            ProbeKind::Control => cap.control,
            _ => cap.probe,
        };
        let left = cap.deadline.saturating_duration_since(tokio::time::Instant::now());
        spec.timeout.min(most).min(left)
    }

    fn take_in(&mut self, finished: Result<Finished, tokio::task::JoinError>) {
        let now = self.clock.now();
        let Ok(finished) = finished else { return };
        let Some(index) = self.specs.iter().position(|spec| spec.name == finished.probe) else {
            // A reload took this probe away while it ran.
            return;
        };
        self.agenda.finished(index, now);
        match finished.end {
            End::Saw(Step::Observed { observations, reading }) => {
                self.observe(observations, reading.map(|reading| *reading), now);
            }
            End::OutOfTime => self.broke(index, "the probe did not end in time", now),
            End::Panicked => {
                self.panics += 1;
                self.broke(index, "the probe panicked", now);
            }
        }
    }

    /// A run that is our own fault.
    fn broke(&mut self, index: usize, text: &str, now: Timestamp) {
        let broken = |line| {
            let evidence = Evidence { text: text.to_owned(), ..Evidence::default() };
            Observation {
                outcome: Outcome::MonitorError,
                evidence: Some(Box::new(evidence)),
                ..line
            }
        };
        let observations = self.lines_of(index, now).into_iter().map(broken).collect();
        self.observe(observations, None, now);
    }

    /// One empty observation for each series that the probe at `index` is known to have.
    fn lines_of(&self, index: usize, now: Timestamp) -> Vec<Observation> {
        let spec = &self.specs[index];
        let known: Vec<_> = self
            .lines
            .values()
            .filter(|line| line.series.probe == spec.name)
            .map(|line| Observation { begun_at: now, ended_at: now, ..line.clone() })
            .collect();
        if known.is_empty() { vec![blank(spec, now)] } else { known }
    }

    fn observe(
        &mut self,
        observations: Vec<Observation>,
        reading: Option<SourceReading>,
        now: Timestamp,
    ) {
        for observation in observations {
            self.lines.entry(observation.series.clone()).or_insert_with(|| emptied(&observation));
            for ready in self.controls.pass(observation) {
                self.inputs.push_back(Input::Observed(Box::new(ready)));
            }
        }
        if let Some(reading) = reading {
            self.inputs.push_back(Input::Read(Box::new(reading)));
        }
        if self.controls.is_wanted() {
            self.agenda.call_controls(now);
        }
    }
}

fn probers(specs: &[ProbeSpec], deps: &ProbeDeps) -> Vec<Arc<dyn Prober>> {
    specs.iter().map(|spec| Arc::from(prober(spec, deps))).collect()
}

fn control_names(specs: &[ProbeSpec]) -> Vec<String> {
    let controls = specs.iter().filter(|spec| spec.kind() == ProbeKind::Control);
    controls.map(|spec| spec.name.clone()).collect()
}

/// What stays the same from run to run.
fn emptied(observation: &Observation) -> Observation {
    let series = observation.series.clone();
    Observation {
        anonymous: observation.anonymous,
        capabilities: observation.capabilities.clone(),
        ..Observation::blank(series, observation.kind, observation.begun_at)
    }
}

fn blank(spec: &ProbeSpec, now: Timestamp) -> Observation {
    let blank = Observation::blank(Series::of(&spec.name), spec.kind(), now);
    Observation { capabilities: spec.capabilities.clone(), ..blank }
}
