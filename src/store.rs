//! History, incidents and the outbox in one SQLite file.
//!
//! Owns the database file and everything SQL. Decides nothing: what is stored was decided by the
//! engine, what is told was decided there too. Invariants: one writer, every write IMMEDIATE and
//! FULL; what a decision changes is on disk as a whole or not at all; no transaction is open
//! across an await on anything but the disk.

mod account;
mod backlog;
mod backup;
mod changes;
mod check;
mod connect;
mod history;
mod incidents;
mod inspect;
mod intents;
mod jobs;
mod lists;
mod lock;
mod migrate;
mod open;
mod outbox;
mod pages;
mod past;
mod readers;
mod readings;
mod recall;
mod retention;
mod rows;
mod samples;
mod shared;
mod silences;
mod space;
mod told;
mod trace;
mod writer;

#[cfg(test)]
mod plans;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Error, Transaction};

use crate::engine::room::Room;
use crate::engine::uptime::{Past, Window};
use crate::engine::{Decision, Owed, Recollection};
use crate::fault;
use crate::model::{
    AccountReading, Attempt, Delivery, Incident, IncidentId, Intent, Job, Observation, Series,
    Silence, Timestamp,
};
use backlog::Entry;
use shared::Shared;

pub use backup::{BackupError, copy as back_up_to, restore};
pub use check::{Contents, check};
pub use jobs::{JobCursor, JobFilter};
pub use lists::{DeliveryFilter, IncidentFilter, ObservationCursor, ObservationFilter};
pub use open::OpenError;
pub use pages::Run;
pub use recall::MAX_RECALL;
pub use trace::{Trace, Try};

/// How long a query for a page or a script may take.
const QUERY_LIMIT: Duration = Duration::from_secs(2);

/// How long the one big query at start may take.
const RECALL_LIMIT: Duration = Duration::from_mins(1);

/// How long [`Store::close`] may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Handle to the database; cheap to clone. One writer, group commit.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What opening found.
#[derive(Debug)]
pub struct Opened {
    /// The handle.
    pub store: Store,
    /// Random once per database: part of phases and Message-IDs.
    pub monitor_id: String,
    /// What was wrong and mended (a corrupt file moved aside …), one sentence each.
    pub repairs: Vec<String>,
}

/// A read or write failed; the database is as it was before.
#[derive(Debug, thiserror::Error)]
#[error("the database failed at `{operation}`")]
pub struct StoreError {
    /// What was tried: one of [`StoreError::OPERATIONS`], label `operation`.
    pub operation: &'static str,
    /// Why.
    #[source]
    pub source: rusqlite::Error,
}

impl StoreError {
    /// Every operation that can fail: the closed label values of
    /// `heygen_monitor_storage_errors_total`.
    pub const OPERATIONS: [&'static str; 12] = [
        "recall",
        "commit",
        "heartbeat",
        "owe",
        "claim",
        "finish",
        "outbox",
        "incidents",
        "observations",
        "jobs",
        "intents",
        "retain",
    ];
}

/// How storage fares, for metrics and readiness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// True while the last write failed: plain decisions wait in memory.
    pub is_degraded: bool,
    /// Failures so far, one entry per member of [`StoreError::OPERATIONS`], in that order.
    pub errors: Vec<(&'static str, u64)>,
}

/// How long history is kept (contract, section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Plain observations, and jobs that have ended.
    pub observations: Duration,
    /// Failures with their evidence.
    pub failures: Duration,
}

/// What one channel still owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxLine {
    /// The channel.
    pub channel: String,
    /// Deliveries that are pending or leased.
    pub pending: u64,
    /// When the oldest of them came to be owed.
    pub oldest_at: Option<Timestamp>,
}

/// Where the messages of one incident stand on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// A message of it is owed.
    pub is_owed: bool,
    /// What the channel calls it.
    pub provider_ref: Option<String>,
}

/// A channel that refused its last message for good, or fails its self-test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenChannel {
    /// The channel.
    pub channel: String,
    /// When it did.
    pub refused_at: Timestamp,
    /// Why it refused, redacted; empty after a self-test (the log says why).
    pub reason: String,
}

impl Store {
    /// Takes the instance lock, checks, migrates and opens `path` (creating it and its directory).
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path, now: Timestamp) -> Result<Opened, OpenError> {
        let ready = open::open(path, now)?;
        let shared = Shared::start(path.to_owned(), ready.connection, ready.lock);
        Ok(Opened { store: Self { shared }, monitor_id: ready.monitor_id, repairs: ready.repairs })
    }

    /// Looks for a history at `path` and opens it as [`Self::open_to_read`] does; `None` when
    /// nothing was written there yet.
    ///
    /// # Errors
    /// When what stands there cannot be read by this version; see [`OpenError`].
    pub fn find(path: &Path) -> Result<Option<Self>, OpenError> {
        Ok(open::is_there(path)?.then(|| Self::open_to_read(path)))
    }

    /// Opens an existing database to read it beside the daemon: takes no lock, changes nothing,
    /// and every write fails.
    pub fn open_to_read(path: &Path) -> Self {
        Self { shared: Shared::to_read(path.to_owned()) }
    }

    /// What the core needs to go on where it stopped.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn recall(&self, now: Timestamp) -> Result<Recollection, StoreError> {
        self.read_within(RECALL_LIMIT, "recall", move |connection| recall::recall(connection, now))
            .await
    }

    /// Writes a decision: observation, reading, incidents, jobs, intents, account and deliveries in
    /// one transaction. Urgent ones, among them every one with an intent, are on disk when this
    /// returns; plain ones at most 250 ms later, and without what was observed while the disk has
    /// little room ([`Self::room`]).
    ///
    /// # Errors
    /// When an urgent decision could not be committed: nothing of it is stored then. Plain ones
    /// always answer `Ok`: they wait in memory while the disk fails ([`Store::health`] tells).
    pub async fn commit(&self, decision: &Decision, now: Timestamp) -> Result<(), StoreError> {
        let mut entry = Entry::of(decision, now);
        if !decision.is_urgent() {
            if self.room() != Room::Ample {
                entry.observation = None;
            }
            self.shared.backlog.push(entry);
            return Ok(());
        }
        let (spends, tells) = (!decision.intents.is_empty(), !decision.owed.is_empty());
        if spends {
            fault::point("intents.before");
        }
        if tells {
            fault::point("owed.before");
        }
        self.write("commit", move |transaction| entry.store(transaction)).await?;
        if spends {
            fault::point("intents.after");
        }
        if tells {
            fault::point("owed.after");
        }
        self.shared.release(&decision.owed);
        Ok(())
    }

    /// Holds messages whose decision could not be committed (yet), until it is.
    pub fn hold(&self, owed: &[Owed]) {
        self.shared.hold(owed);
    }

    /// The messages that are owed and on no disk, oldest first: to be sent from memory (facts I8).
    pub fn held(&self) -> Vec<Owed> {
        self.shared.held_owed()
    }

    /// Writes the plain decisions that still wait.
    ///
    /// # Errors
    /// When the database cannot be written; they go on waiting then.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write("commit", |_| Ok(())).await
    }

    /// Notes that we were alive at `now`, so that gaps are `no_data`.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn heartbeat(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("heartbeat", move |transaction| history::beat(transaction, now)).await
    }

    /// Adds a delivery that belongs to no incident (a drill, a broken channel).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn owe(&self, owed: &Owed, now: Timestamp) -> Result<i64, StoreError> {
        let owed = owed.clone();
        self.write("owe", move |transaction| outbox::owe(transaction, &owed, now)).await
    }

    /// Leases what is due at `now`: at most one delivery per (thread, channel), the oldest first,
    /// for `lease`. A later one of the same thread and channel waits for the earlier.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn claim(
        &self,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.write("claim", move |transaction| outbox::claim(transaction, now, lease)).await
    }

    /// Owes `owed`, which tells other channels that `channel` is broken, unless they were told so
    /// within a day; answers how many messages that are.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn tell_broken(
        &self,
        channel: &str,
        owed: &[Owed],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let (channel, owed) = (channel.to_owned(), owed.to_vec());
        self.write("owe", move |transaction| outbox::tell_broken(transaction, &channel, &owed, now))
            .await
    }

    /// Notes that `channel` fails its self-test, and owes `owed`, which tells other channels so,
    /// unless they were told within a day that it is broken.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn self_test_failed(
        &self,
        channel: &str,
        owed: &[Owed],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let (channel, owed) = (channel.to_owned(), owed.to_vec());
        self.write("owe", move |transaction| {
            outbox::self_test_failed(transaction, &channel, &owed, now)
        })
        .await
    }

    /// Forgets that `channel` failed its self-test; answers whether it did.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn self_test_passed(&self, channel: &str) -> Result<bool, StoreError> {
        let channel = channel.to_owned();
        self.write("owe", move |transaction| outbox::self_test_passed(transaction, &channel)).await
    }

    /// The channels that refused their last message for good or fail their self-test.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn broken_channels(&self) -> Result<Vec<BrokenChannel>, StoreError> {
        self.read("outbox", outbox::broken).await
    }

    /// What [`Store::claim`] would lease, but for what follows on `ended`, deliveries of which only
    /// the caller knows so far that they ended: to be sent while no lease can be written.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due(&self, now: Timestamp, ended: Vec<i64>) -> Result<Vec<Delivery>, StoreError> {
        self.read("outbox", move |connection| outbox::due(connection, now, &ended)).await
    }

    /// Where a thread stands on `channel`, as far as the disk knows; nothing of `ended` counts as
    /// owed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn thread(
        &self,
        channel: &str,
        id: IncidentId,
        ended: Vec<i64>,
    ) -> Result<Thread, StoreError> {
        let channel = channel.to_owned();
        self.read("outbox", move |connection| outbox::thread(connection, &channel, id, &ended))
            .await
    }

    /// The last accepted delivery of each open incident on `channel`: what stands there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn standing(&self, channel: &str) -> Result<Vec<Delivery>, StoreError> {
        let channel = channel.to_owned();
        self.read("outbox", move |connection| outbox::standing(connection, &channel)).await
    }

    /// When the next delivery falls due; `None` when nothing is owed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_delivery_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read("outbox", outbox::next_due).await
    }

    /// Records an attempt and where the delivery stands after it. A retry is due at `next_at`, or
    /// when the attempt says, or at once.
    ///
    /// # Errors
    /// When the database cannot be written, or there is no such delivery.
    pub async fn finish(
        &self,
        delivery_id: i64,
        attempt: &Attempt,
        next_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let attempt = attempt.clone();
        self.write("finish", move |transaction| {
            outbox::finish(transaction, delivery_id, &attempt, next_at)
        })
        .await
    }

    /// One delivery by id, for `notify test` to wait on.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn delivery(&self, id: i64) -> Result<Option<Delivery>, StoreError> {
        self.read("outbox", move |connection| outbox::one(connection, id)).await
    }

    /// Per channel: how many deliveries are pending, and since when the oldest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn outbox(&self) -> Result<Vec<OutboxLine>, StoreError> {
        self.read("outbox", outbox::lines).await
    }

    /// Incidents that were open at some time since `since`, newest first, at most `limit`, those
    /// with a smaller id than `before` when given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn incidents(
        &self,
        since: Timestamp,
        before: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<Incident>, StoreError> {
        let since = Some(since);
        self.list_incidents(IncidentFilter { since, before, limit, ..Default::default() }).await
    }

    /// The messages of an incident and the tries to deliver them, oldest first: the last `limit`
    /// messages, and of each the last tries, at most so many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn trace(&self, id: IncidentId, limit: usize) -> Result<Vec<Trace>, StoreError> {
        self.read("outbox", move |connection| trace::of_thread(connection, id, limit)).await
    }

    /// Silences that had not ended at `since`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn silences(&self, since: Timestamp) -> Result<Vec<Silence>, StoreError> {
        self.read("incidents", move |connection| silences::since(connection, since)).await
    }

    /// Everything that was observed since an instant, in the order of the ends; for `replay`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn history(&self, since: Timestamp) -> Result<Vec<Observation>, StoreError> {
        let all = move |connection: &_| history::all_since(connection, since);
        self.read_within(RECALL_LIMIT, "recall", all).await
    }

    /// What is known of a stretch of time, for [`crate::engine::uptime::uptime`]: changes, incidents,
    /// heartbeats; no observations, so that it takes milliseconds however many there are. Changes
    /// appear at most 250 ms late ([`Store::flush`]).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn past(&self, window: Window) -> Result<Past, StoreError> {
        self.read("incidents", move |connection| past::within(connection, window)).await
    }

    /// Jobs that were created within a window, whatever became of them; at most `limit` of each kind
    /// and origin, the newest. May take as long as a start: for reports, not for pages.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn jobs_within(&self, window: Window, limit: usize) -> Result<Vec<Job>, StoreError> {
        let within = move |connection: &_| jobs::created_within(connection, window, limit);
        self.read_within(RECALL_LIMIT, "jobs", within).await
    }

    /// What the account held when an incident opened, and when it was resolved.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn account_around(
        &self,
        incident: &Incident,
    ) -> Result<[Option<AccountReading>; 2], StoreError> {
        let incident = incident.clone();
        self.read("incidents", move |connection| account::around(connection, &incident)).await
    }

    /// One incident.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        self.read("incidents", move |connection| incidents::one(connection, id)).await
    }

    /// The stored observations of a series that ended at or after `since`, in the order of their
    /// ends. Plain ones appear at most 250 ms late ([`Store::flush`]); a success comes back
    /// without its phases and certificate.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn observations(
        &self,
        series: &Series,
        since: Timestamp,
    ) -> Result<Vec<Observation>, StoreError> {
        let series = series.clone();
        self.read("observations", move |connection| history::since(connection, &series, since))
            .await
    }

    /// The last runs of a series since `since`, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn runs(
        &self,
        series: &Series,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Run>, StoreError> {
        let series = series.clone();
        self.read("observations", move |connection| pages::runs(connection, &series, since, limit))
            .await
    }

    /// The last failures of a series with all that was kept of them, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn failures(
        &self,
        series: &Series,
        limit: usize,
    ) -> Result<Vec<Observation>, StoreError> {
        let series = series.clone();
        self.read("observations", move |connection| pages::failures(connection, &series, limit))
            .await
    }

    /// The jobs that `filter` names, newest first. Changes appear at most 250 ms late
    /// ([`Store::flush`]).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn jobs(&self, filter: JobFilter) -> Result<Vec<Job>, StoreError> {
        self.read("jobs", move |connection| jobs::listed(connection, &filter)).await
    }

    /// Paid tests that were created at or after `since`, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn intents(&self, since: Timestamp, limit: usize) -> Result<Vec<Intent>, StoreError> {
        self.read("intents", move |connection| intents::listed(connection, since, limit)).await
    }

    /// Deletes what is older than the retention, in small steps between which others write.
    /// Answers how many rows went; none while the clock cannot be believed.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn retain(&self, now: Timestamp, retention: Retention) -> Result<u64, StoreError> {
        self.shared.retain(now, retention).await
    }

    /// Makes an automatic backup beside the database, keeps the last seven and the last of each
    /// older schema; none where it would fill the disk. Meant for once a day.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub async fn back_up(&self, now: Timestamp) -> Result<PathBuf, BackupError> {
        let path = self.shared.path.clone();
        let (database_bytes, wal_bytes) = self.sizes();
        let back_up = move || {
            if space::is_room_for(&path, database_bytes.saturating_add(wal_bytes)) {
                backup::keep(&path, now)
            } else {
                Err(BackupError::NoRoom { path })
            }
        };
        unwrapped(tokio::task::spawn_blocking(back_up).await).unwrap_or_else(|| {
            Err(BackupError::Sqlite { path: self.shared.path.clone(), source: interrupted() })
        })
    }

    /// Measures the room that the disk has left, and acts on it: with little of it, observations that
    /// change nothing are not stored; with hardly any, the ballast beside the database is given up.
    /// Meant for every few seconds.
    pub async fn look_at_room(&self) {
        let shared = Arc::clone(&self.shared);
        let look = tokio::task::spawn_blocking(move || shared.look_at_room()).await;
        // When the runtime went away first, nobody asks any more.
        unwrapped(look).unwrap_or_default();
    }

    /// The room that the disk had left at the last look.
    pub fn room(&self) -> Room {
        self.shared.room()
    }

    /// When the newest automatic backup was made, if there is one.
    pub async fn backed_up_at(&self) -> Option<Timestamp> {
        let path = self.shared.path.clone();
        let newest = tokio::task::spawn_blocking(move || backup::list(&path).into_iter().next());
        let newest = newest.await.ok().flatten()?;
        Timestamp::from_second(newest.taken_at).ok()
    }

    /// How storage fares.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// Sizes of the files in bytes: database, WAL.
    pub fn sizes(&self) -> (u64, u64) {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let path = &self.shared.path;
        (size(path), size(&backup::beside(path, "-wal")))
    }

    /// Last writes, checkpoint, close, release of the lock. Bounded by 5 s.
    pub async fn close(&self) {
        let shared = Arc::clone(&self.shared);
        let closing = tokio::task::spawn_blocking(move || shared.close());
        if tokio::time::timeout(CLOSE_LIMIT, closing).await.is_err() {
            tracing::warn!(
                "the database did not close in time; nothing that was committed is lost"
            );
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.transact(work))
            .await
            .map_err(|source| self.shared.failed(operation, source))
    }

    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_within(QUERY_LIMIT, operation, query).await
    }

    async fn read_within<T: Send + 'static>(
        &self,
        limit: Duration,
        operation: &'static str,
        query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = self.shared.readers.read(limit, query).await;
        answer.map_err(|source| self.shared.failed(operation, source))
    }
}

/// Runs `work` where blocking is allowed. While it runs, paused test time stands still.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> rusqlite::Result<T> + Send + 'static,
) -> rusqlite::Result<T> {
    unwrapped(tokio::task::spawn_blocking(work).await).unwrap_or_else(|| Err(interrupted()))
}

/// Passes a panic on; `None` when the runtime went away first.
fn unwrapped<T>(joined: Result<T, tokio::task::JoinError>) -> Option<T> {
    match joined {
        Ok(answer) => Some(answer),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}

fn interrupted() -> Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT);
    Error::SqliteFailure(code, None)
}
