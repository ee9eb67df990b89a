//! From a path to a database that can be worked with, whatever is found there.
//!
//! Owns the order of things at start: lock, look, mend, back up, migrate, release what a killed
//! process held. Invariants: nothing is written before the lock is ours; nothing is thrown away, a
//! damaged file is moved aside; and a start without history is never silent about it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::inspect::{Finding, inspect, is_damage};
use super::{backup, connect, lock, migrate, outbox};
use crate::model::Timestamp;

/// Why the database could not be opened. The caller maps variants to exit codes.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Exit 75.
    #[error("another heygen-monitor (pid {pid}) uses {}", directory.display())]
    Locked {
        /// The state directory.
        directory: PathBuf,
        /// The holder.
        pid: String,
    },
    /// Exit 73.
    #[error("the state directory {} cannot be used", directory.display())]
    Directory {
        /// The state directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Exit 74.
    #[error("the database {} cannot be used", path.display())]
    File {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Exit 78.
    #[error(
        "{} was written by a newer heygen-monitor (schema {found}, this one knows {known})",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// Ours.
        known: i64,
        /// The newest backup that this version can read.
        backup: Option<PathBuf>,
    },
    /// Exit 74.
    #[error("the database {} cannot be opened", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// Exit 74.
    #[error("the database {} cannot be brought to this version's schema", path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite_migration::Error,
    },
    /// Exit 74.
    #[error("the database {} could not be backed up, and is not changed without", path.display())]
    Backup {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: backup::BackupError,
    },
    /// Exit 74: only for those who read; a start mends it.
    #[error("the database {} is damaged", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        #[source]
        source: rusqlite::Error,
    },
    /// Exit 74: built against an SQLite that can corrupt a WAL database.
    #[error("SQLite {found} is too old, 3.51.3 or newer is needed")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
}

impl OpenError {
    /// What to do about it, as a sentence to stand behind `hint: `.
    pub fn hint(&self) -> String {
        match self {
            Self::Locked { .. } => {
                "stop it first, or give this one its own storage.path".to_owned()
            }
            Self::Directory { directory, source } => directory_hint(directory, source),
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "ask as the user that runs the daemon, or as root".to_owned()
            }
            Self::File { path, .. } => {
                format!("move {} away, or set storage.path to another file", path.display())
            }
            Self::Damaged { .. } => {
                "the daemon keeps it aside at its next start and goes on from the newest backup"
                    .to_owned()
            }
            Self::Newer { path, backup, .. } => newer_hint(path, backup.as_deref()),
            Self::Sqlite { path, source } => sqlite_hint(path, source),
            Self::Migration { path, source } => match source {
                rusqlite_migration::Error::RusqliteError { err, .. } => sqlite_hint(path, err),
                _ => "the database is unchanged; go back to the version that wrote it".to_owned(),
            },
            Self::Backup { path, .. } => format!(
                "free space in {}, or run `heygen-monitor db backup FILE` to another disk first",
                backup::directory_of(path).display()
            ),
            Self::OldSqlite { .. } => "build with the bundled SQLite".to_owned(),
        }
    }
}

fn directory_hint(directory: &Path, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem => {
            "its file system is mounted read-only; set storage.path to one that is not".to_owned()
        }
        io::ErrorKind::StorageFull => "the disk is full; free some space".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            format!("a file is in the way at {}", directory.display())
        }
        _ => format!(
            "make {} writable for this user, or set storage.path or $HEYGEN_MONITOR_STATE_DIR",
            directory.display()
        ),
    }
}

fn newer_hint(path: &Path, backup: Option<&Path>) -> String {
    match backup {
        Some(backup) => format!(
            "install the newer version again, or go back to before the upgrade: \
             heygen-monitor db restore {}",
            backup.display()
        ),
        None => format!(
            "install the newer version again, or move {} away to begin a new history",
            path.display()
        ),
    }
}

fn sqlite_hint(path: &Path, source: &rusqlite::Error) -> String {
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full; free some space".to_owned(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            format!("make {} and its directory writable for this user", path.display())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds the database; close it".to_owned()
        }
        _ => "look at it with `heygen-monitor db check`".to_owned(),
    }
}

/// The check reads the whole file; a start must not wait longer than this for it.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// A database that is ready, and what it took.
pub(super) struct Ready {
    pub(super) lock: lock::InstanceLock,
    pub(super) connection: Connection,
    pub(super) monitor_id: String,
    pub(super) repairs: Vec<String>,
}

/// Locks, looks, mends, migrates.
pub(super) fn open(path: &Path, now: Timestamp) -> Result<Ready, OpenError> {
    if rusqlite::version_number() < connect::OLDEST_SQLITE {
        return Err(OpenError::OldSqlite { found: rusqlite::version() });
    }
    let lock = lock::take(backup::directory_of(path))?;
    if path.is_dir() {
        return Err(unusable(path, io::ErrorKind::IsADirectory.into()));
    }
    let mut repairs = Vec::new();
    let found = mend(path, now, &mut repairs)?;
    connect::create_private(path).map_err(|source| unusable(path, source))?;
    if (1..migrate::known()).contains(&found) {
        backup::keep(path, now)
            .map_err(|source| OpenError::Backup { path: path.to_owned(), source })?;
    }
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let mut connection = connect::writer(path).map_err(sqlite)?;
    migrate::run(&mut connection, path, &migrate::ALL)?;
    outbox::release_all(&connection, now).map_err(sqlite)?;
    let monitor_id = monitor_id(&connection).map_err(sqlite)?;
    Ok(Ready { lock, connection, monitor_id, repairs })
}

/// Makes sure that what stands at `path` is sound or nothing; answers its schema version.
fn mend(path: &Path, now: Timestamp, repairs: &mut Vec<String>) -> Result<i64, OpenError> {
    let finding = inspect(path, Some(CHECK_LIMIT))
        .map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
    let backups = backup::list(path);
    match finding {
        Finding::Sound { schema } if schema > migrate::known() => Err(newer(path, schema)),
        Finding::Sound { schema } => Ok(schema),
        Finding::Foreign => Err(foreign(path)),
        Finding::Damaged(found) => replace(path, &found, now, repairs),
        Finding::Empty if backups.is_empty() => Ok(0),
        Finding::Empty => replace(path, "it is empty", now, repairs),
        Finding::Absent => {
            if let Some(newest) = backups.first() {
                repairs.push(format!(
                    "there was no database, so a new one was begun; to go on with the last backup: \
                     heygen-monitor db restore {}",
                    newest.path.display()
                ));
            }
            let aside = backup::free_name(path, "corrupt", now);
            backup::move_aside(path, &aside).map_err(|source| unusable(path, source))?;
            Ok(0)
        }
    }
}

/// Moves a damaged database aside and restores the newest backup that is sound.
fn replace(
    path: &Path,
    found: &str,
    now: Timestamp,
    repairs: &mut Vec<String>,
) -> Result<i64, OpenError> {
    let aside = backup::free_name(path, "corrupt", now);
    let kept = aside.display();
    for candidate in backup::list(path) {
        if candidate.schema > migrate::known() {
            continue;
        }
        if backup::put_in_place(path, &candidate.path, &aside).is_ok() {
            let taken_at = Timestamp::from_second(candidate.taken_at).unwrap_or(now);
            repairs.push(format!(
                "the database was damaged ({found}); the backup of {taken_at} was restored, the \
                 damaged file is kept as {kept}"
            ));
            return Ok(candidate.schema);
        }
    }
    backup::move_aside(path, &aside).map_err(|source| unusable(path, source))?;
    repairs.push(format!(
        "the database was damaged ({found}) and there is no backup; a new history was begun, the \
         damaged file is kept as {kept}"
    ));
    Ok(0)
}

/// Whether a history stands at `path`; changes nothing and takes no lock.
pub(super) fn is_there(path: &Path) -> Result<bool, OpenError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unusable(path, error)),
        Ok(found) if found.is_dir() => {
            return Err(unusable(path, io::ErrorKind::IsADirectory.into()));
        }
        Ok(found) if !found.is_file() => {
            return Err(unusable(path, io::Error::other("it is no file")));
        }
        Ok(_) => {}
    }
    let look = || {
        let connection = connect::reader(path)?;
        Ok((connect::is_ours(&connection)?, connect::schema_version(&connection)?))
    };
    match look() {
        Ok((false, _)) => Err(foreign(path)),
        Ok((true, schema)) if schema > migrate::known() => Err(newer(path, schema)),
        Ok((true, schema)) => Ok(schema > 0),
        Err(source) if is_damage(&source) => {
            Err(OpenError::Damaged { path: path.to_owned(), source })
        }
        Err(source) => Err(OpenError::Sqlite { path: path.to_owned(), source }),
    }
}

fn newer(path: &Path, found: i64) -> OpenError {
    let known = migrate::known();
    let mut backups = backup::list(path).into_iter();
    let backup = backups.find(|backup| backup.schema <= known).map(|backup| backup.path);
    OpenError::Newer { path: path.to_owned(), found, known, backup }
}

fn foreign(path: &Path) -> OpenError {
    unusable(path, io::Error::other("it is the database of another program"))
}

fn unusable(path: &Path, source: io::Error) -> OpenError {
    OpenError::File { path: path.to_owned(), source }
}

fn monitor_id(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("SELECT value FROM meta WHERE key = 'monitor_id'", [], |row| row.get(0))
}
