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
    permits: Arc<Semaphore>,
}

impl Readers {
    /// A pool that opens connections when they are needed.
    pub(super) fn new(path: PathBuf) -> Self {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        Self { path, idle: Mutex::default(), permits }
    }

    /// Runs a query of at most `limit`.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        limit: Duration,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let readers = Arc::clone(self);
        super::blocking(move || {
            // It goes with the query, which runs on when nobody waits for its answer any more.
            let _permit = permit;
            readers.run(limit, query)
        })
        .await
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_query_that_nobody_waits_for_any_more_still_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        drop(Connection::open(&path).unwrap());
        let readers = Arc::new(Readers::new(path));
        let (end, ended) = mpsc::channel();
        let limit = Duration::from_mins(1);
        let query = readers.read(limit, move |_| Ok(ended.recv()));
        tokio::time::timeout(Duration::from_millis(1), query).await.unwrap_err();
        assert_eq!(readers.permits.available_permits(), CONNECTIONS - 1);
        end.send(()).unwrap();
        let back = async { readers.permits.acquire_many(4).await.unwrap().forget() };
        tokio::time::timeout(Duration::from_secs(30), back).await.unwrap();
    }
}
