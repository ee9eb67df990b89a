//! Copies of the database that can be trusted, and the way back from one.
//!
//! Owns the names of backups beside the database. Copies go through SQLite's online backup, so
//! they work while the daemon writes. Invariant: a file under a final name is whole, checked and
//! on disk; the database is never absent in between.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::check::verify;
use super::{connect, lock};
use crate::model::Timestamp;

/// Automatic backups that are kept.
const KEPT: usize = 7;

/// How long to wait for somebody else's lock before the next try.
const PAUSE: Duration = Duration::from_millis(50);

/// Why a database could not be copied, checked or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file could not be read or written.
    #[error("cannot write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SQLite could not read or write a database.
    #[error("cannot copy the database {}", path.display())]
    Sqlite {
        /// The database that was read.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A database does not hold what it should.
    #[error("{} cannot be used: {finding}", path.display())]
    Unusable {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        finding: String,
    },
    /// The disk has no room for another copy.
    #[error("the disk has no room for a copy of {}", path.display())]
    NoRoom {
        /// The database.
        path: PathBuf,
    },
    /// A copy would take the place of what is copied.
    #[error("{} belongs to the database itself", path.display())]
    Itself {
        /// Where the copy would go.
        path: PathBuf,
    },
    /// The place to restore to is in use or cannot be used.
    #[error("cannot restore while the state directory is not ours")]
    Place(#[source] Box<super::OpenError>),
}

impl BackupError {
    /// What to do about it, as a sentence to stand behind `hint: `.
    pub fn hint(&self) -> String {
        match self {
            Self::File { .. } => {
                "name a file in a directory that exists and that you may write to".to_owned()
            }
            Self::Sqlite { path, .. } | Self::Unusable { path, .. } => format!(
                "the daemon makes a backup of its database every day, as NAME.backup-…: \
                 `heygen-monitor db restore FILE` takes one; {} was not changed",
                path.display()
            ),
            Self::NoRoom { .. } => "make room on the disk".to_owned(),
            Self::Itself { .. } => "name another file, best on another disk".to_owned(),
            Self::Place(place) => place.hint(),
        }
    }
}

/// Copies the database `path` to `destination`: temporary file, check, fsync, rename.
///
/// # Errors
/// See [`BackupError`]; `destination` is as it was before then.
pub fn copy(path: &Path, destination: &Path) -> Result<(), BackupError> {
    if is_part_of(path, destination) {
        return Err(BackupError::Itself { path: destination.to_owned() });
    }
    let partial = beside(destination, &format!(".partial-{}", std::process::id()));
    let result = copy_to_partial(path, &partial).and_then(|()| {
        let written = |source| BackupError::File { path: destination.to_owned(), source };
        fs::rename(&partial, destination).map_err(written)?;
        sync_directory(destination).map_err(written)
    });
    if result.is_err() {
        // What matters is the first error; a leftover is overwritten by the next try.
        drop(fs::remove_file(&partial));
    }
    result
}

/// True for the database and its log, whatever names lead there: under a daemon that writes, a file
/// in their place would end the history.
fn is_part_of(path: &Path, destination: &Path) -> bool {
    let Ok(meant) = fs::canonicalize(destination) else { return false };
    ["", "-wal", "-shm"]
        .iter()
        .any(|suffix| fs::canonicalize(beside(path, suffix)).is_ok_and(|part| part == meant))
}

fn copy_to_partial(path: &Path, partial: &Path) -> Result<(), BackupError> {
    let written = |source| BackupError::File { path: partial.to_owned(), source };
    // Without this, SQLite would create an empty database and copy that.
    fs::metadata(path).map_err(|source| BackupError::File { path: path.to_owned(), source })?;
    match fs::remove_file(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(written(error)),
        Ok(()) | Err(_) => {}
    }
    connect::create_private(partial).map_err(written)?;
    copy_pages(path, partial)
        .map_err(|source| BackupError::Sqlite { path: path.to_owned(), source })?;
    verify(partial)?;
    File::open(partial).and_then(|file| file.sync_all()).map_err(written)
}

/// Copies all pages in one step: one snapshot, during which the writer goes on into the WAL.
fn copy_pages(path: &Path, partial: &Path) -> rusqlite::Result<()> {
    let source = connect::reader(path)?;
    let mut target = Connection::open(partial)?;
    {
        let backup = Backup::new(&source, &mut target)?;
        backup.run_to_completion(std::ffi::c_int::MAX, PAUSE, None)?;
    }
    // The copy carries the WAL mark of its source; one file is easier to keep than three.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, error)| error)
}

/// An automatic backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) path: PathBuf,
    pub(super) schema: i64,
    pub(super) taken_at: i64,
}

/// Makes an automatic backup beside the database and lets go of the oldest ones.
pub(super) fn keep(path: &Path, now: Timestamp) -> Result<PathBuf, BackupError> {
    let schema = connect::reader(path)
        .and_then(|connection| connect::schema_version(&connection))
        .map_err(|source| BackupError::Sqlite { path: path.to_owned(), source })?;
    let destination = beside(path, &format!(".backup-schema{schema}-{}", now.as_second()));
    copy(path, &destination)?;
    for old in outdated(list(path)) {
        // Not being able to delete costs space, never the new backup.
        drop(fs::remove_file(&old.path));
    }
    Ok(destination)
}

/// All but the newest [`KEPT`] and the newest of each schema: that one is the way back to it.
fn outdated(backups: Vec<Kept>) -> Vec<Kept> {
    let mut schemas = std::collections::BTreeSet::new();
    let mut outdated = Vec::new();
    for (position, backup) in backups.into_iter().enumerate() {
        let is_newest_of_schema = schemas.insert(backup.schema);
        if position >= KEPT && !is_newest_of_schema {
            outdated.push(backup);
        }
    }
    outdated
}

/// The automatic backups of a database, newest first.
pub(super) fn list(path: &Path) -> Vec<Kept> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let prefix = format!("{name}.backup-schema");
    let Ok(entries) = fs::read_dir(directory_of(path)) else {
        return Vec::new();
    };
    let mut backups: Vec<Kept> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name();
            let (schema, taken_at) = name.to_str()?.strip_prefix(&prefix)?.split_once('-')?;
            Some(Kept {
                path: entry.path(),
                schema: schema.parse().ok()?,
                taken_at: taken_at.parse().ok()?,
            })
        })
        .collect();
    backups.sort_by_key(|backup| std::cmp::Reverse((backup.taken_at, backup.schema)));
    backups
}

/// Replaces the database `path` by a copy of `from`. Answers where the old one went, if there was
/// one. Takes the instance lock.
///
/// # Errors
/// See [`BackupError`]; the database is as it was before then.
pub fn restore(path: &Path, from: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    verify(from)?;
    let _lock =
        lock::take(directory_of(path)).map_err(|error| BackupError::Place(Box::new(error)))?;
    let aside = free_name(path, "replaced", now);
    let had_one = path.exists();
    put_in_place(path, from, &aside)?;
    Ok(had_one.then_some(aside))
}

/// Puts a copy of `from` where the database is and keeps what was there as `aside`.
pub(super) fn put_in_place(path: &Path, from: &Path, aside: &Path) -> Result<(), BackupError> {
    let incoming = beside(path, ".incoming");
    copy(from, &incoming)?;
    let written = |source| BackupError::File { path: path.to_owned(), source };
    hand_over(&incoming, path).map_err(written)?;
    // The log first: it must never be applied to another database. Then a second name for the old
    // file, so that the rename replaces it in one step.
    move_log_aside(path, aside).map_err(written)?;
    if path.exists() && fs::hard_link(path, aside).is_err() {
        fs::copy(path, aside).map_err(written)?;
    }
    fs::rename(&incoming, path).map_err(written)?;
    sync_directory(path).map_err(written)
}

/// What root restores belongs to whom the state belongs to, or the service could not open it.
fn hand_over(incoming: &Path, path: &Path) -> io::Result<()> {
    let owner = fs::metadata(path).or_else(|_| fs::metadata(directory_of(path)))?;
    let ours = fs::metadata(incoming)?;
    let is_theirs = (owner.uid(), owner.gid()) != (ours.uid(), ours.gid());
    if is_theirs && rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(incoming, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

/// Moves the database and its log to the name `aside`.
pub(super) fn move_aside(path: &Path, aside: &Path) -> io::Result<()> {
    if path.exists() {
        fs::rename(path, aside)?;
    }
    move_log_aside(path, aside)?;
    sync_directory(path)
}

fn move_log_aside(path: &Path, aside: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        let log = beside(path, suffix);
        if log.exists() {
            fs::rename(&log, beside(aside, suffix))?;
        }
    }
    Ok(())
}

/// `history.db` + `.corrupt-1790000000`, not yet taken.
pub(super) fn free_name(path: &Path, word: &str, now: Timestamp) -> PathBuf {
    let name = beside(path, &format!(".{word}-{}", now.as_second()));
    let mut free = name.clone();
    let mut number = 1;
    while free.exists() {
        number += 1;
        free = beside(&name, &format!("-{number}"));
    }
    free
}

/// The file whose name is that of `path` with `suffix` behind it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The directory that holds `path`.
pub(super) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}
