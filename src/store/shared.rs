//! What all clones of a [`Store`](super::Store) share: the writer, the readers, the backlog, and
//! the thread that writes the backlog when nothing else does.
//!
//! Invariant: that thread holds no reference of its own, so the last clone that goes ends it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use rusqlite::{Connection, Result, Transaction};
use tracing::{info, warn};

use super::backlog::Backlog;
use super::lock::InstanceLock;
use super::readers::Readers;
use super::retention::{self, Step, Sweep};
use super::space::{self, Space};
use super::writer::Writer;
use super::{Health, Retention, StoreError, blocking};
use crate::engine::Owed;
use crate::engine::room::Room;
use crate::model::Timestamp;

/// What all clones share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    pub(super) backlog: Arc<Backlog>,
    pub(super) readers: Arc<Readers>,
    writer: Mutex<Writer>,
    errors: Mutex<BTreeMap<&'static str, u64>>,
    lock: Mutex<Option<InstanceLock>>,
    flusher: Mutex<Option<JoinHandle<()>>>,
    /// What is owed and on no disk yet, oldest first.
    held_owed: Mutex<Vec<Owed>>,
    space: Mutex<Space>,
    /// What the last look at the disk said; apart, because a look may take its time.
    room: Mutex<Room>,
}

/// Owed messages that are kept in memory while the disk fails; more would be hours of outages.
const HELD_OWED: usize = 1_000;

impl Shared {
    /// Around an open connection; starts the thread that writes the backlog.
    pub(super) fn start(path: PathBuf, connection: Connection, lock: InstanceLock) -> Arc<Self> {
        let writer = Writer::new(path.clone(), connection);
        let shared = Arc::new(Self::with(path, writer, Some(lock)));
        let backlog = Arc::clone(&shared.backlog);
        let weak = Arc::downgrade(&shared);
        let flusher = std::thread::Builder::new()
            .name("store-flusher".to_owned())
            .spawn(move || flush_when_due(&backlog, &weak));
        match flusher {
            Ok(handle) => *held(&shared.flusher) = Some(handle),
            // Heartbeats and urgent writes take the backlog with them, only later.
            Err(error) => warn!(%error, "cannot start a thread; history is written less often"),
        }
        shared
    }

    /// Without a writer.
    pub(super) fn to_read(path: PathBuf) -> Arc<Self> {
        let writer = Writer::closed(path.clone());
        Arc::new(Self::with(path, writer, None))
    }

    fn with(path: PathBuf, writer: Writer, lock: Option<InstanceLock>) -> Self {
        Self {
            backlog: Arc::default(),
            readers: Arc::new(Readers::new(path.clone())),
            path,
            writer: Mutex::new(writer),
            errors: Mutex::default(),
            lock: Mutex::new(lock),
            flusher: Mutex::default(),
            held_owed: Mutex::default(),
            space: Mutex::default(),
            room: Mutex::default(),
        }
    }

    /// Keeps what could not be committed, for those who would send it from memory.
    pub(super) fn hold(&self, owed: &[Owed]) {
        let mut all = held(&self.held_owed);
        for one in owed {
            if all.len() < HELD_OWED && !all.contains(one) {
                all.push(one.clone());
            }
        }
    }

    /// What was committed is no longer held.
    pub(super) fn release(&self, owed: &[Owed]) {
        held(&self.held_owed).retain(|one| !owed.contains(one));
    }

    pub(super) fn held_owed(&self) -> Vec<Owed> {
        held(&self.held_owed).clone()
    }

    /// Measures the room that the disk has left, and acts on it. Blocks.
    pub(super) fn look_at_room(&self) {
        match space::free_bytes(&self.path) {
            Ok(Some(free_bytes)) => {
                let room = held(&self.space).note(&self.path, free_bytes);
                *held(&self.room) = room;
            }
            Ok(None) => {}
            Err(error) => warn!(%error, "the free space of the disk cannot be read"),
        }
    }

    pub(super) fn room(&self) -> Room {
        *held(&self.room)
    }

    /// Writes the backlog and `work` in one transaction. Blocks.
    pub(super) fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        held(&self.writer).transact(&self.backlog, work)
    }

    /// Counts a failure and gives it its operation.
    pub(super) fn failed(&self, operation: &'static str, source: rusqlite::Error) -> StoreError {
        *held(&self.errors).entry(operation).or_default() += 1;
        StoreError { operation, source }
    }

    pub(super) fn health(&self) -> Health {
        let (is_degraded, _) = self.backlog.trouble();
        let errors = held(&self.errors);
        let count = |operation| (operation, errors.get(operation).copied().unwrap_or_default());
        Health { is_degraded, errors: StoreError::OPERATIONS.into_iter().map(count).collect() }
    }

    /// Sweeps until nothing is left; other writers come between any two steps.
    pub(super) async fn retain(
        self: &Arc<Self>,
        now: Timestamp,
        retention: Retention,
    ) -> std::result::Result<u64, StoreError> {
        let retain = |source| self.failed("retain", source);
        let shared = Arc::clone(self);
        let plan = move || shared.transact(|tx| Sweep::plan(tx, now, retention));
        let Some(mut sweep) = blocking(plan).await.map_err(retain)? else {
            info!("nothing is forgotten for now: the clock has jumped, or this is the first start");
            return Ok(0);
        };
        let mut total = 0;
        loop {
            let shared = Arc::clone(self);
            let step = move || {
                let step = shared.transact(|tx| sweep.step(tx))?;
                if matches!(step, Step::Deleted(1..)) {
                    held(&shared.writer).maintain(retention::shrink)?;
                }
                Ok((step, sweep))
            };
            let (step, next) = blocking(step).await.map_err(retain)?;
            sweep = next;
            match step {
                Step::Deleted(rows) => total += rows,
                Step::Done => return Ok(total),
            }
        }
    }

    /// Writes what waits and lets go of everything. Blocks.
    pub(super) fn close(&self) {
        self.backlog.stop();
        let flusher = held(&self.flusher).take();
        if flusher.is_some_and(|thread| thread.join().is_err()) {
            warn!("the thread that writes history had panicked");
        }
        if let Err(error) = self.transact(|_| Ok(())) {
            warn!(%error, "the last observations could not be written");
        }
        held(&self.writer).close();
        self.readers.close();
        drop(held(&self.lock).take());
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.backlog.stop();
    }
}

fn flush_when_due(backlog: &Backlog, shared: &Weak<Shared>) {
    while backlog.wait_until_due() {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let (was_failing, lost) = backlog.trouble();
        if let Err(error) = shared.transact(|_| Ok(())) {
            let failure = shared.failed("commit", error);
            if !was_failing {
                warn!(error = %failure.source, "history cannot be written; it waits in memory");
            }
        } else if was_failing {
            info!("history is written again; {lost} decisions were lost since the start");
        }
    }
}

/// Locks; what a panicking thread held is consistent, because SQLite rolled it back.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
