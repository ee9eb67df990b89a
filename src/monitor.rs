//! The monitor loop: what is due is run, what was seen is judged, committed and published.
//!
//! Owns the order of things: nothing is published or told that is not committed. Takes no input
//! but a changed configuration. Invariant: a decision that changes a state is on disk before the
//! next one is made; when the disk refuses, it is kept and tried again, never dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::clock::Clock;
use crate::engine::{Decision, Settings};
use crate::metrics::{Metrics, Task};
use crate::model::{
    Capability, Command, Incident, Intent, IntentState, Job, JobEvent, JobState, Origin, ProbeKind,
    Stage, View,
};
use crate::probe::{ProbeDeps, ProbeSpec};
use crate::store::Store;

pub mod agenda;
pub mod board;
pub mod certificates;
pub mod controls;
pub mod errands;
pub mod rounds;

pub use agenda::Pace;
pub use board::Board;
pub use certificates::Certificates;
pub use rounds::{AttemptCap, Rounds, Start};

/// Decisions kept while the disk refuses them: an hour of the busiest monitor. Beyond that plain
/// observations go first, and never a changed state.
const UNSAVED_MOST: usize = 4096;

/// A changed configuration for a running monitor.
#[derive(Debug)]
pub struct Change {
    /// What is watched from now on.
    pub specs: Vec<ProbeSpec>,
    /// What the core needs to know.
    pub settings: Settings,
    /// What probers need.
    pub deps: ProbeDeps,
}

/// What somebody wants of the running monitor.
#[derive(Debug)]
pub struct Order {
    /// What.
    pub command: Command,
    /// Where the answer goes: done, or why not.
    pub reply: oneshot::Sender<Result<String, String>>,
}

/// The monitor loop.
pub struct Monitor {
    /// The rounds it makes.
    pub rounds: Rounds,
    /// Where decisions go.
    pub store: Store,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Clock,
    /// Changed configurations.
    pub changes: mpsc::Receiver<Change>,
    /// Events that HeyGen sent.
    pub events: mpsc::Receiver<JobEvent>,
    /// What people want of it.
    pub commands: mpsc::Receiver<Order>,
    /// Where the view is published.
    pub view: watch::Sender<Option<Arc<View>>>,
    /// Wakes the deliver loop.
    pub owed: Arc<Notify>,
    /// Called once a turn: the loop is alive.
    pub turned: Box<dyn Fn() + Send + Sync>,
    /// Called when the disk begins or ceases to refuse decisions.
    pub storage_degraded: Box<dyn Fn(bool) + Send + Sync>,
}

impl Monitor {
    /// Runs until cancelled.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut board = Board::new(&self.rounds);
        let mut unsaved = VecDeque::new();
        let mut certificates = Certificates::default();
        let mut replies = VecDeque::new();
        loop {
            self.rounds.note_room(self.store.room());
            let decision = tokio::select! {
                () = cancel.cancelled() => break,
                Some(change) = self.changes.recv() => {
                    self.rounds.replace(change.specs, change.settings, &change.deps);
                    board.replace(&self.rounds);
                    continue;
                }
                Some(event) = self.events.recv() => {
                    self.rounds.hear(event);
                    continue;
                }
                Some(order) = self.commands.recv() => {
                    self.rounds.command(order.command);
                    replies.push_back(order.reply);
                    continue;
                }
                decision = self.rounds.next() => decision,
            };
            (self.turned)();
            self.measure();
            let is_saved = self.commit(&decision, &mut unsaved).await;
            if let Some(reply) = &decision.reply {
                answer(replies.pop_front(), reply, is_saved);
            }
            log(&decision);
            if let Some(observation) = &decision.observation
                && let Some(warning) = certificates.warning(self.rounds.specs(), observation)
            {
                warn!("{warning}");
            }
            self.publish(&mut board, &decision);
        }
        self.save(&mut unsaved).await;
    }

    fn measure(&mut self) {
        for lag in self.rounds.take_lags() {
            self.metrics.scheduler_lag(lag);
        }
        for _ in 0..self.rounds.take_panics() {
            error!("a probe panicked; this is a defect of heygen-monitor");
            self.metrics.panicked(Task::Probe);
        }
    }

    async fn commit(&mut self, decision: &Decision, unsaved: &mut VecDeque<Decision>) -> bool {
        if decision.is_worth_storing() {
            unsaved.push_back(decision.clone());
        }
        let is_saved = self.save(unsaved).await;
        if !decision.owed.is_empty() {
            if !is_saved {
                self.store.hold(&decision.owed);
            }
            self.owed.notify_one();
        }
        is_saved
    }

    /// Commits what is not on disk yet, oldest first; answers whether all of it is.
    async fn save(&mut self, unsaved: &mut VecDeque<Decision>) -> bool {
        let was_behind = unsaved.len() > 1;
        while let Some(decision) = unsaved.front() {
            match self.store.commit(decision, self.clock.now()).await {
                Ok(()) => {
                    self.rounds.committed(&decision.intents);
                    drop(unsaved.pop_front());
                }
                Err(failure) => {
                    let reason = crate::error_chain(&failure);
                    error!(operation = failure.operation, "the database refuses a write: {reason}");
                    (self.storage_degraded)(true);
                    make_room(unsaved);
                    return false;
                }
            }
        }
        if was_behind {
            info!("the database accepts writes again; nothing was lost");
            self.owed.notify_one();
        }
        (self.storage_degraded)(self.store.health().is_degraded);
        true
    }

    fn publish(&self, board: &mut Board, decision: &Decision) {
        if let Some(observation) = &decision.observation {
            self.metrics.observed(observation);
        }
        if let Some(reading) = &decision.reading {
            self.metrics.read(reading);
        }
        self.count_jobs(decision);
        for change in &decision.changes {
            self.count(&change.incident, board);
        }
        let view = Arc::new(board.update(&self.rounds, decision));
        self.metrics.believe(&view);
        self.view.send_replace(Some(view));
    }

    /// How long stages took, and what was spent.
    fn count_jobs(&self, decision: &Decision) {
        for job in &decision.jobs {
            if let Some((stage, took)) = finished_stage(job) {
                self.metrics.staged(job.kind.capability(), job.origin, stage, took);
            }
        }
        for intent in &decision.intents {
            match intent.state {
                IntentState::Intended => self.metrics.spent(&intent.probe, intent.price),
                IntentState::Accepted if intent.searches == 0 => self.submitted(intent),
                _ => {}
            }
        }
    }

    fn submitted(&self, intent: &Intent) {
        let capability = match intent.kind {
            ProbeKind::Translation => Capability::VideoTranslation,
            _ => Capability::VideoGeneration,
        };
        let took = intent.changed_at.duration_since(intent.created_at);
        let took = Duration::try_from(took).unwrap_or_default();
        self.metrics.staged(capability, Origin::Canary, Stage::Submit, took);
    }

    /// Counts an incident when it is new and, when it is new that the page admits it, by how long
    /// we were first.
    fn count(&self, incident: &Incident, board: &Board) {
        let before = board.incident(incident.id);
        if before.is_none() && incident.is_open() {
            self.metrics.incident_opened(incident.blame);
        }
        let was_acknowledged = before.is_some_and(|known| known.acknowledged_at.is_some());
        let Some(acknowledged_at) = incident.acknowledged_at.filter(|_| !was_acknowledged) else {
            return;
        };
        let lead = acknowledged_at.duration_since(incident.opened_at);
        if let Ok(lead) = Duration::try_from(lead) {
            for capability in &incident.capabilities {
                self.metrics.page_lead(*capability, lead);
            }
        }
    }
}

/// The stage that a job has just finished, and how long it took at most.
fn finished_stage(job: &Job) -> Option<(Stage, Duration)> {
    let (stage, from, to) = match (job.state, job.started, job.ended) {
        (JobState::Processing, Some(started), _) => (Stage::Queue, job.created_at, started.latest),
        (JobState::Completed, Some(started), Some(ended)) => {
            (Stage::Processing, started.earliest, ended.latest)
        }
        _ => return None,
    };
    (!job.is_abandoned)
        .then(|| (stage, Duration::try_from(to.duration_since(from)).unwrap_or_default()))
}

/// What was decided counts once it is on disk.
fn answer(
    to: Option<oneshot::Sender<Result<String, String>>>,
    reply: &Result<String, String>,
    is_saved: bool,
) {
    let Some(to) = to else { return };
    let reply = match reply {
        Ok(_) if !is_saved => {
            Err("the database refuses it for now; it holds until the daemon ends".to_owned())
        }
        reply => reply.clone(),
    };
    // Who asked may have gone.
    drop(to.send(reply));
}

fn make_room(unsaved: &mut VecDeque<Decision>) {
    while unsaved.len() > UNSAVED_MOST {
        let plain = unsaved.iter().position(|decision| !decision.is_urgent());
        let Some(plain) = plain else { return };
        drop(unsaved.remove(plain));
    }
}

fn log(decision: &Decision) {
    if let Some(observation) = &decision.observation {
        debug!(
            probe.name = %observation.series,
            outcome = %observation.outcome,
            duration_ms = observation.duration().as_millis(),
            "probe {} saw {}", observation.series, observation.outcome
        );
    }
    for change in &decision.changes {
        let incident = &change.incident;
        let news = incident.events.last().map_or("updated", |event| event.kind.as_str());
        info!(
            incident.id = incident.id,
            blame = %incident.blame,
            reason = %incident.reason,
            "incident #{} {news}: {}", incident.id, incident.headline
        );
    }
    for warning in &decision.warnings {
        warn!("{warning}");
    }
}
