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
use super::errands::{Errands, broken, fault_points};
use crate::clock::Clock;
use crate::engine::room::Room;
use crate::engine::{self, Decision, Input, Memory, Settings};
use crate::fault;
use crate::model::{
    Command, Errand, Evidence, Followed, Intent, JobEvent, JobKind, Observation, Outcome,
    ProbeKind, Report, Series, SkipReason, Timestamp,
};
use crate::probe::{ProbeDeps, ProbeSpec, Run, Step, Worker, worker};

/// Time passes at least this often for the core, in the clock's time.
const TICK: Duration = Duration::from_secs(10);
/// A prober that outlives its deadline by this much, in real time, is broken.
const GRACE: Duration = Duration::from_secs(5);
/// As much longer than a create request an errand may take: fetching an artefact has its own limits.
const ERRAND_GRACE: Duration = Duration::from_mins(1);

/// What is watched, and what is remembered of it.
pub struct Rounds {
    specs: Vec<ProbeSpec>,
    workers: Vec<Worker>,
    settings: Settings,
    memory: Memory,
    clock: Clock,
    agenda: Agenda,
    controls: Controls,
    errands: Errands,
    followed: Arc<BTreeMap<JobKind, Followed>>,
    /// An errand that outlives this, in real time, is broken.
    errand_limit: Duration,
    runs: JoinSet<Finished>,
    inputs: VecDeque<Input>,
    /// What each series looks like, for runs of which nothing else is known.
    lines: BTreeMap<Series, Observation>,
    attempt_cap: Option<AttemptCap>,
    /// What was last said of the disk.
    room: Room,
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

enum Finished {
    Run { probe: String, end: End<Step> },
    Errand { errand: Box<Errand>, begun_at: Timestamp, end: End<Report> },
}

enum End<T> {
    Saw(T),
    OutOfTime,
    Panicked,
}

impl Rounds {
    /// Everything is due at once.
    pub fn new(specs: Vec<ProbeSpec>, settings: Settings, deps: &ProbeDeps, start: Start) -> Self {
        let now = deps.clock.now();
        Self {
            workers: workers(&specs, deps),
            agenda: Agenda::new(&specs, start.pace, now),
            controls: Controls::new(control_names(&specs)),
            specs,
            settings,
            errands: Errands::default(),
            followed: Arc::default(),
            errand_limit: deps.submit_timeout + ERRAND_GRACE,
            memory: start.memory,
            clock: deps.clock.clone(),
            runs: JoinSet::new(),
            inputs: VecDeque::new(),
            lines: BTreeMap::new(),
            attempt_cap: start.attempt_cap,
            room: Room::default(),
            tick_at: now.saturating_add(TICK).unwrap_or(now),
            panics: 0,
            lags: Vec::new(),
        }
    }

    /// Goes on with a changed configuration: times, memory and what is held stay; what runs
    /// finishes on the old one.
    pub fn replace(&mut self, specs: Vec<ProbeSpec>, settings: Settings, deps: &ProbeDeps) {
        self.agenda = self.agenda.replaced(&specs, self.clock.now());
        let ready = self.controls.replace(control_names(&specs));
        self.observed(ready);
        self.workers = workers(&specs, deps);
        self.errand_limit = deps.submit_timeout + ERRAND_GRACE;
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
            let due = [self.agenda.next_due_at(), self.errands.next_due_at()];
            let wake_at = due.into_iter().flatten().fold(self.tick_at, Timestamp::min);
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
        let held = self.controls.give_up();
        self.observed(held);
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

    /// HeyGen sent an event.
    pub fn hear(&mut self, event: JobEvent) {
        self.inputs.push_back(Input::Heard(Box::new(event)));
    }

    /// Somebody wants something.
    pub fn command(&mut self, command: Command) {
        self.inputs.push_back(Input::Commanded(Box::new(command)));
    }

    /// The disk has so much room left.
    pub fn note_room(&mut self, room: Room) {
        if std::mem::replace(&mut self.room, room) != room {
            self.inputs.push_back(Input::Room(room));
        }
    }

    /// These intents are on disk: their requests may be sent.
    pub fn committed(&mut self, intents: &[Intent]) {
        self.errands.release(intents);
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
        self.errands.set(&decision.errands);
        self.followed = Arc::clone(&decision.followed);
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
            let skipped = self.lines_of(index, now).into_iter().map(|line| Observation {
                outcome: Outcome::Skipped,
                skipped: Some(SkipReason::Overrun),
                ..line
            });
            self.observed(skipped);
        }
        for due in self.agenda.take_due(now) {
            let lag = Duration::try_from(now.duration_since(due.at)).unwrap_or_default();
            self.lags.push(lag);
            self.start(&due);
        }
        for errand in self.errands.take_due(now, self.clock.uptime()) {
            self.send(errand, now);
        }
    }

    fn send(&mut self, errand: Errand, now: Timestamp) {
        let index = self.specs.iter().position(|spec| spec.name == errand.probe);
        let canary = index.and_then(|index| match &self.workers[index] {
            Worker::Spends(canary) => Some(Arc::clone(canary)),
            Worker::Looks(_) | Worker::Listens => None,
        });
        let limit = self.errand_limit;
        self.runs.spawn(async move {
            let attending = async {
                match canary {
                    Some(canary) => {
                        let (before, after) = fault_points(&errand.task);
                        fault::point(before);
                        let report = canary.attend(errand.clone()).await;
                        fault::point(after);
                        report
                    }
                    None => broken(&errand, now, now),
                }
            };
            let running = AssertUnwindSafe(attending).catch_unwind();
            let end = match tokio::time::timeout(limit, running).await {
                Ok(Ok(report)) => End::Saw(report),
                Ok(Err(_)) => End::Panicked,
                Err(_) => End::OutOfTime,
            };
            Finished::Errand { errand: Box::new(errand), begun_at: now, end }
        });
    }

    fn start(&mut self, due: &Due) {
        let probe = self.specs[due.index].name.clone();
        let timeout = self.timeout_of(due.index);
        let followed = Arc::clone(&self.followed);
        let run = Run { timeout, recheck: due.recheck, followed };
        let Worker::Looks(prober) = self.workers[due.index].clone() else {
            return;
        };
        self.runs.spawn(async move {
            let running = AssertUnwindSafe(prober.run(run)).catch_unwind();
            let end = match tokio::time::timeout(timeout + GRACE, running).await {
                Ok(Ok(step)) => End::Saw(step),
                Ok(Err(_)) => End::Panicked,
                Err(_) => End::OutOfTime,
            };
            Finished::Run { probe, end }
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
        match finished {
            Ok(Finished::Run { probe, end }) => self.ran(&probe, end, now),
            Ok(Finished::Errand { errand, begun_at, end }) => {
                self.attended(&errand, begun_at, end, now);
            }
            Err(_) => {}
        }
    }

    fn attended(&mut self, errand: &Errand, begun_at: Timestamp, end: End<Report>, now: Timestamp) {
        let mut report = match end {
            End::Saw(report) => report,
            End::OutOfTime => broken(errand, begun_at, now),
            End::Panicked => {
                self.panics += 1;
                broken(errand, begun_at, now)
            }
        };
        let cap = self.settings.budget.per_day;
        self.errands.finished(errand, &mut report, cap, self.clock.uptime());
        self.inputs.push_back(Input::Reported(Box::new(report)));
    }

    fn ran(&mut self, probe: &str, end: End<Step>, now: Timestamp) {
        let Some(index) = self.specs.iter().position(|spec| spec.name == probe) else {
            // A reload took this probe away while it ran.
            return;
        };
        self.agenda.finished(index, now);
        match end {
            End::Saw(step) => self.observe(step, now),
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
        self.observe(Step { observations, ..Step::default() }, now);
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

    fn observe(&mut self, step: Step, now: Timestamp) {
        let Step { observations, reading, peer, mut jobs, account } = step;
        for observation in observations {
            self.lines.entry(observation.series.clone()).or_insert_with(|| emptied(&observation));
            let read = jobs.iter().position(|one| one.kind.as_str() == observation.series.subject);
            if let Some(read) = read {
                let reading = jobs.swap_remove(read);
                self.inputs.push_back(Input::Listed(Box::new(observation), Box::new(reading)));
                continue;
            }
            let ready = self.controls.pass(observation);
            self.observed(ready);
        }
        self.inputs.extend(peer.map(Input::Peer));
        self.inputs.extend(reading.map(Input::Read));
        self.inputs.extend(account.map(Input::Told));
        if self.controls.is_wanted() {
            self.agenda.call_controls(now);
        }
    }

    /// What can be judged.
    fn observed(&mut self, observations: impl IntoIterator<Item = Observation>) {
        let inputs = observations.into_iter().map(|one| Input::Observed(Box::new(one)));
        self.inputs.extend(inputs);
    }
}

fn workers(specs: &[ProbeSpec], deps: &ProbeDeps) -> Vec<Worker> {
    specs.iter().map(|spec| worker(spec, deps)).collect()
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
