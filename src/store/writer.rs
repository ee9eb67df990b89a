//! The one connection that writes.
//!
//! Invariants: every transaction is IMMEDIATE, begins with whatever plain decisions wait, and is
//! either on disk when it returns `Ok` or leaves nothing behind. A connection whose disk failed is
//! closed and opened again: a failed fsync is never "tried once more".

use std::path::PathBuf;

use rusqlite::{Connection, Error, ErrorCode, Result, Transaction};
use tracing::error;

use super::backlog::{Backlog, Entry};
use super::connect;

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    state: Link,
}

#[derive(Debug)]
enum Link {
    Open(Connection),
    /// After a failure of the disk: opened again by the next write.
    Broken,
    /// For good.
    Closed,
}

impl Writer {
    /// Around an open connection.
    pub(super) fn new(path: PathBuf, connection: Connection) -> Self {
        Self { path, state: Link::Open(connection) }
    }

    /// A writer that refuses, for those who only read.
    pub(super) fn closed(path: PathBuf) -> Self {
        Self { path, state: Link::Closed }
    }

    /// Writes the backlog and `work` in one transaction.
    pub(super) fn transact<T>(
        &mut self,
        backlog: &Backlog,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let entries = backlog.take();
        let result = self.attempt(&entries, work);
        match &result {
            Ok(_) => backlog.settle(),
            Err(error) => {
                backlog.put_back(entries);
                if !is_refusal(error) {
                    backlog.fail();
                }
                if is_disk_failure(error) && matches!(self.state, Link::Open(_)) {
                    self.state = Link::Broken;
                }
            }
        }
        result
    }

    fn attempt<T>(
        &mut self,
        entries: &[Entry],
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut transaction = self.connection()?.transaction()?;
        for entry in entries {
            let savepoint = transaction.savepoint()?;
            match entry.store(&savepoint) {
                Ok(()) => savepoint.commit()?,
                Err(error) if is_refusal(&error) => {
                    // A bug of ours; kept, it would stand in the way of everything behind it.
                    error!(%error, ?entry, "the database refuses a decision; it is not stored");
                }
                Err(error) => return Err(error),
            }
        }
        let answer = work(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// Uses the connection outside a transaction.
    pub(super) fn maintain<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        work(self.connection()?)
    }

    /// Moves what is in the WAL to the database and closes.
    pub(super) fn close(&mut self) {
        if let Link::Open(connection) = std::mem::replace(&mut self.state, Link::Closed) {
            // Both only save work for the next start.
            drop(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
            drop(connection.close());
        }
    }

    fn connection(&mut self) -> Result<&mut Connection> {
        if matches!(self.state, Link::Broken) {
            self.state = Link::Open(connect::writer(&self.path)?);
        }
        match &mut self.state {
            Link::Open(connection) => Ok(connection),
            Link::Broken | Link::Closed => Err(closed()),
        }
    }
}

fn closed() -> Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE);
    Error::SqliteFailure(code, Some("the database is closed for writing".to_owned()))
}

/// True for errors after which the connection is not to be trusted.
fn is_disk_failure(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::CannotOpen
                | ErrorCode::NotADatabase
                | ErrorCode::ReadOnly
        )
    )
}

/// True when it is the value that is wrong, not the disk: trying again cannot help.
fn is_refusal(error: &Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
        ),
        None => true,
    }
}

#[cfg(test)]
mod tests;
