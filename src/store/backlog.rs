//! What waits to be written with the next commit.
//!
//! Owns the queue of plain decisions: they are written together, at most [`LATEST`] after the first
//! of them, or with whatever urgent write comes before that. Invariant: the queue is bounded, in
//! order, and when the disk fails what was taken comes back to its front.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Result};

use super::{
    account, changes, history, incidents, intents, jobs, outbox, readings, silences, told,
};
use crate::engine::{Decision, Owed};
use crate::model::{
    AccountReading, CapabilityChange, IncidentChange, Intent, Job, JobPosition, Observation,
    Silence, SourceReading, Timestamp, Told,
};

/// How late a plain decision may reach the disk; the promise is 250 ms, the rest is for the write.
const LATEST: Duration = Duration::from_millis(200);

/// How long to wait after a write failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Plain decisions kept while the disk fails: hours of a usual configuration, a few MiB.
const CAPACITY: usize = 4_096;

/// What a decision stores.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) observation: Option<Observation>,
    reading: Option<SourceReading>,
    changes: Vec<IncidentChange>,
    jobs: Vec<Job>,
    positions: Vec<JobPosition>,
    intents: Vec<Intent>,
    account: Option<AccountReading>,
    told: Vec<Told>,
    silences: Vec<Silence>,
    standings: Vec<CapabilityChange>,
    owed: Vec<Owed>,
    at: Timestamp,
}

impl Entry {
    /// The stored part of a decision.
    pub(super) fn of(decision: &Decision, now: Timestamp) -> Self {
        Self {
            observation: decision.observation.clone(),
            reading: decision.reading.clone(),
            changes: decision.changes.clone(),
            jobs: decision.jobs.clone(),
            positions: decision.positions.clone(),
            intents: decision.intents.clone(),
            account: decision.account.clone(),
            told: decision.told.clone(),
            silences: decision.silences.clone(),
            standings: decision.standings.clone(),
            owed: decision.owed.clone(),
            at: now,
        }
    }

    fn is_empty(&self) -> bool {
        self.observation.is_none()
            && self.reading.is_none()
            && self.changes.is_empty()
            && self.jobs.is_empty()
            && self.positions.is_empty()
            && self.intents.is_empty()
            && self.account.is_none()
            && self.told.is_empty()
            && self.silences.is_empty()
            && self.standings.is_empty()
            && self.owed.is_empty()
    }

    /// Writes it, observation first.
    pub(super) fn store(&self, connection: &Connection) -> Result<()> {
        if let Some(observation) = &self.observation {
            history::add(connection, observation)?;
        }
        if let Some(reading) = &self.reading {
            readings::put(connection, reading)?;
        }
        for standing in &self.standings {
            changes::put(connection, standing)?;
        }
        for change in &self.changes {
            incidents::put(connection, &change.incident)?;
            account::keep_for(connection, &change.incident, self.at)?;
        }
        for job in &self.jobs {
            jobs::put(connection, job)?;
        }
        for position in &self.positions {
            jobs::put_position(connection, position)?;
        }
        for intent in &self.intents {
            intents::put(connection, intent)?;
        }
        if let Some(reading) = &self.account {
            account::put(connection, reading)?;
        }
        for told in &self.told {
            told::put(connection, told)?;
        }
        for silence in &self.silences {
            silences::put(connection, silence)?;
        }
        for owed in &self.owed {
            outbox::owe(connection, owed, self.at)?;
        }
        Ok(())
    }
}

/// The queue and those who wait for it.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    dropped: u64,
    is_failing: bool,
    is_stopped: bool,
}

impl Backlog {
    /// Adds a plain decision; the oldest one goes when there is no room.
    pub(super) fn push(&self, entry: Entry) {
        if entry.is_empty() {
            return;
        }
        let mut queue = self.queue();
        queue.entries.push_back(entry);
        queue.shed();
        self.changed.notify_all();
    }

    /// Takes everything, oldest first.
    pub(super) fn take(&self) -> Vec<Entry> {
        self.queue().entries.drain(..).collect()
    }

    /// Takes back what could not be written.
    pub(super) fn put_back(&self, entries: Vec<Entry>) {
        let mut queue = self.queue();
        for entry in entries.into_iter().rev() {
            queue.entries.push_front(entry);
        }
        queue.drop_outdated();
        queue.shed();
    }

    /// Notes that writing fails.
    pub(super) fn fail(&self) {
        self.queue().is_failing = true;
    }

    /// Notes that writing works.
    pub(super) fn settle(&self) {
        self.queue().is_failing = false;
    }

    /// Whether the last write failed, and how many plain decisions were lost by lack of room.
    pub(super) fn trouble(&self) -> (bool, u64) {
        let queue = self.queue();
        (queue.is_failing, queue.dropped)
    }

    /// Blocks until it is time to write; false when it is time to stop.
    pub(super) fn wait_until_due(&self) -> bool {
        let queue = self
            .changed
            .wait_while(self.queue(), |queue| queue.entries.is_empty() && !queue.is_stopped)
            .unwrap_or_else(PoisonError::into_inner);
        let wait = if queue.is_failing { PAUSE } else { LATEST };
        let (queue, _) = self
            .changed
            .wait_timeout_while(queue, wait, |queue| !queue.is_stopped)
            .unwrap_or_else(PoisonError::into_inner);
        !queue.is_stopped
    }

    /// Ends every wait, now and later.
    pub(super) fn stop(&self) {
        self.queue().is_stopped = true;
        self.changed.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn shed(&mut self) {
        while self.entries.len() > CAPACITY {
            let oldest = self.entries.pop_front();
            self.dropped += 1;
            // What a capability's state became must not be lost: nothing would say it again.
            if let (Some(oldest), Some(next)) = (oldest, self.entries.front_mut()) {
                next.standings.splice(0..0, oldest.standings);
            }
        }
    }

    /// Pages are large and jobs are many, and only the last of each is kept on disk anyway.
    fn drop_outdated(&mut self) {
        let mut sources = HashSet::new();
        let mut jobs = HashSet::new();
        for entry in self.entries.iter_mut().rev() {
            let source = entry.reading.as_ref().map(|reading| reading.source.clone());
            if source.is_some_and(|source| !sources.insert(source)) {
                entry.reading = None;
            }
            entry.jobs.retain(|job| jobs.insert((job.kind, job.id.clone())));
        }
        self.entries.retain(|entry| !entry.is_empty());
    }
}

#[cfg(test)]
mod tests;
