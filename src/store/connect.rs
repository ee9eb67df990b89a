//! Opening connections: the one that writes, those that read, and their pragmas.
//!
//! Invariant: every file of ours is 0600 from its first byte on. SQLite gives `-wal` and `-shm`
//! the mode of the database, so it is enough to create that one ourselves.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Result, TransactionBehavior};

/// The first SQLite without the WAL-reset corruption (sqlite.org/wal.html#the_wal_reset_bug).
pub(super) const OLDEST_SQLITE: i32 = 3_051_003;

/// Marks a file as ours (`PRAGMA application_id`): "HGmn".
pub(super) const APPLICATION_ID: i32 = 0x4847_6d6e;

/// How long a writer waits for somebody else's lock, e.g. that of an `sqlite3` shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection: more than there are in all of `store`.
const STATEMENTS: usize = 96;

/// `auto_vacuum` only has an effect before the first table exists. `FULL` costs 3 ms per commit and
/// is what makes "committed" mean "survives a power cut" (measured: NORMAL loses up to 89 commits).
const WRITER_PRAGMAS: &str = "
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA journal_size_limit = 8388608;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA mmap_size = 0;";

const READER_PRAGMAS: &str = "
    PRAGMA query_only = ON;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA mmap_size = 0;";

/// Creates an empty file for its owner alone, unless it exists.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Opens the connection that writes.
pub(super) fn writer(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(WRITER_PRAGMAS)?;
    Ok(connection)
}

/// Opens a connection that cannot write.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(READER_PRAGMAS)?;
    Ok(connection)
}

/// The schema version of a database; 0 for an empty one.
pub(super) fn schema_version(connection: &Connection) -> Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// False for a database that another program made.
pub(super) fn is_ours(connection: &Connection) -> Result<bool> {
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id == APPLICATION_ID || (id == 0 && tables == 0))
}
