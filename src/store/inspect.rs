//! Is this file a database of ours, and is it whole?
//!
//! Looks, repairs nothing. Invariant: the file is never changed, except that a log left by a crash
//! is taken in.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode, OpenFlags, Result};
use tokio::time::Instant;

use super::backup::beside;
use super::connect;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// What stands where the database should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Nothing.
    Absent,
    /// A file without content, as a first start leaves that was killed at once.
    Empty,
    /// A database of ours.
    Sound {
        /// Its schema version.
        schema: i64,
    },
    /// A database of another program.
    Foreign,
    /// A damaged file, and what was found.
    Damaged(String),
}

/// Looks at the database. With a `limit`, what cannot be checked within it is taken for whole,
/// because not monitoring is worse than monitoring on a database that may be damaged.
///
/// # Errors
/// When it cannot be read at all (permissions, a failing disk).
pub(super) fn inspect(path: &Path, limit: Option<Duration>) -> Result<Finding> {
    let size = std::fs::metadata(path).map(|metadata| metadata.len()).ok();
    let log_size = std::fs::metadata(beside(path, "-wal")).map_or(0, |metadata| metadata.len());
    match size {
        None => return Ok(Finding::Absent),
        Some(0) if log_size > 0 => {
            return Ok(Finding::Damaged("it is empty, its log is not".to_owned()));
        }
        Some(0) => return Ok(Finding::Empty),
        Some(_) => {}
    }
    match look_inside(path, limit) {
        Err(error) if is_damage(&error) => Ok(Finding::Damaged(error.to_string())),
        other => other,
    }
}

fn look_inside(path: &Path, limit: Option<Duration>) -> Result<Finding> {
    // Not read-only: a log left by a crash has to be taken in first.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    if !connect::is_ours(&connection)? {
        return Ok(Finding::Foreign);
    }
    let schema = connect::schema_version(&connection)?;
    match quick_check(&connection, limit)?.as_str() {
        "ok" => Ok(Finding::Sound { schema }),
        finding => Ok(Finding::Damaged(finding.to_owned())),
    }
}

/// Asks SQLite whether the database is whole: `ok`, or the first thing that is not.
fn quick_check(connection: &Connection, limit: Option<Duration>) -> Result<String> {
    if let Some(limit) = limit {
        let deadline = Instant::now() + limit;
        connection.progress_handler(STEPS, Some(move || Instant::now() > deadline))?;
    }
    let finding = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    connection.progress_handler(STEPS, None::<fn() -> bool>)?;
    match finding {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok("ok".to_owned())
        }
        other => other,
    }
}

/// True when the error says that the file is no whole database.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
