//! Connections that read, a few at a time and never for long.
//!
//! Invariant: no snapshot outlives its time limit, because a held snapshot lets the WAL grow
//! without bound.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Result};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::connect;

/// Queries side by side.
const CONNECTIONS: usize = 4;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// A small pool of read-only connections.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    /// A pool that opens connections when they are needed.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()), permits: Semaphore::new(CONNECTIONS) }
    }

    /// Runs a query of at most `limit`.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        limit: Duration,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.permits.acquire().await;
        let readers = Arc::clone(self);
        let answer = super::blocking(move || readers.run(limit, query)).await;
        drop(permit);
        answer
    }

    fn run<T>(&self, limit: Duration, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect::reader(&self.path)?,
        };
        let deadline = Instant::now() + limit;
        connection.progress_handler(STEPS, Some(move || Instant::now() > deadline))?;
        let transaction = connection.unchecked_transaction()?;
        let answer = query(&transaction);
        drop(transaction);
        // A connection that failed may be at fault itself.
        if answer.is_ok() {
            self.idle().push(connection);
        }
        answer
    }

    /// Closes what is idle.
    pub(super) fn close(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
