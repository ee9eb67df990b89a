//! What is to be done for paid tests, and what this process may still spend.
//!
//! Owns which errand is started when. Decides nothing about money but one bound of its own: the
//! limiter, which no clock and no database can raise. Invariant: a `Submit` is started only after
//! its intent was committed, and never twice.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::model::{Errand, Finding, Intent, IntentId, IntentState, Report, Task, Timestamp, Usd};

/// The limiter looks back this far, in uptime.
const WINDOW: Duration = Duration::from_hours(24);

/// What is to be done for paid tests.
#[derive(Debug, Default)]
pub struct Errands {
    wanted: Vec<Errand>,
    running: BTreeSet<(String, Option<IntentId>)>,
    /// Intents that are on disk and were not sent yet.
    released: BTreeSet<IntentId>,
    limiter: Limiter,
}

impl Errands {
    /// Sets what is wanted from now on.
    pub fn set(&mut self, wanted: &[Errand]) {
        self.wanted = wanted.to_vec();
    }

    /// These intents are on disk: those that were not sent may be.
    pub fn release(&mut self, intents: &[Intent]) {
        let is_new = |intent: &&Intent| intent.state == IntentState::Intended;
        self.released.extend(intents.iter().filter(is_new).map(|intent| intent.id));
    }

    /// When the next errand falls due; `None` when none will.
    pub fn next_due_at(&self) -> Option<Timestamp> {
        self.wanted.iter().filter(|errand| self.may_start(errand)).map(|errand| errand.due_at).min()
    }

    /// Takes what is due at `now`; it counts as running until [`Self::finished`].
    pub fn take_due(&mut self, now: Timestamp, uptime: Duration) -> Vec<Errand> {
        let mut due = Vec::new();
        for errand in self.wanted.clone() {
            if errand.due_at > now || !self.may_start(&errand) {
                continue;
            }
            if let Task::Submit(intent) = &errand.task {
                self.released.remove(&intent.id);
                self.limiter.spend(intent.price, uptime);
            }
            self.running.insert(key(&errand));
            due.push(errand);
        }
        due
    }

    /// An errand has ended; a report about the account learns what may still be spent.
    pub fn finished(&mut self, errand: &Errand, report: &mut Report, cap: Usd, uptime: Duration) {
        self.running.remove(&key(errand));
        if let Finding::Prepared { headroom, .. } = &mut report.finding {
            *headroom = cap - self.limiter.spent(uptime);
        }
    }

    fn may_start(&self, errand: &Errand) -> bool {
        let is_free = !self.running.contains(&key(errand));
        match &errand.task {
            Task::Submit(intent) => is_free && self.released.contains(&intent.id),
            _ => is_free,
        }
    }
}

/// What an errand that broke is reported as: whatever was sent may have arrived.
pub fn broken(errand: &Errand, begun_at: Timestamp, now: Timestamp) -> Report {
    Report {
        probe: errand.probe.clone(),
        intent: errand.task.intent().map(|intent| intent.id),
        begun_at,
        ended_at: now,
        finding: match errand.task {
            Task::Prepare => Finding::Unprepared,
            Task::Submit(_) => Finding::Ambiguous,
            Task::Find(_) | Task::Poll(_) | Task::Check(_) => Finding::Unanswered,
            Task::Delete(_) => Finding::NotDeleted,
            Task::Sweep { .. } => Finding::Swept { deleted: 0 },
        },
        observation: None,
    }
}

/// Where a kill may come: before anything is asked for an errand, and when all answers came.
pub(super) fn fault_points(task: &Task) -> (&'static str, &'static str) {
    match task {
        Task::Prepare => ("prepare.before", "prepare.after"),
        Task::Submit(_) => ("submit.before", "submit.after"),
        Task::Find(_) => ("find.before", "find.after"),
        Task::Poll(_) => ("poll.before", "poll.after"),
        Task::Check(_) => ("check.before", "check.after"),
        Task::Delete(_) => ("delete.before", "delete.after"),
        Task::Sweep { .. } => ("sweep.before", "sweep.after"),
    }
}

fn key(errand: &Errand) -> (String, Option<IntentId>) {
    (errand.probe.clone(), errand.task.intent().map(|intent| intent.id))
}

/// What this process has spent lately, by its own uptime.
#[derive(Debug, Default)]
struct Limiter {
    spent: VecDeque<(Duration, Usd)>,
}

impl Limiter {
    fn spend(&mut self, price: Usd, uptime: Duration) {
        self.spent.push_back((uptime, price));
    }

    fn spent(&mut self, uptime: Duration) -> Usd {
        while self.spent.front().is_some_and(|(at, _)| uptime.saturating_sub(*at) > WINDOW) {
            self.spent.pop_front();
        }
        self.spent.iter().map(|(_, price)| *price).sum()
    }
}
