//! Whether a database can be relied upon, and what it holds.
//!
//! Changes nothing and takes as long as it takes; a start has its own, hurried look (`inspect`).

use std::path::Path;

use rusqlite::{Connection, Result};

use super::inspect::{Finding, inspect};
use super::{BackupError, connect, migrate};

/// What a sound database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its schema version.
    pub schema: i64,
    /// Stored observations.
    pub observations: i64,
    /// Stored incidents.
    pub incidents: i64,
    /// Deliveries that are owed.
    pub owed: i64,
    /// Stored jobs; none before schema 2.
    pub jobs: i64,
    /// Paid tests; none before schema 2.
    pub intents: i64,
}

const CONTENTS: &str = "
    SELECT (SELECT count(*) FROM observations) AS observations,
        (SELECT count(*) FROM incidents) AS incidents,
        (SELECT count(*) FROM deliveries WHERE finished_at_ms IS NULL) AS owed";

const SPEND: &str = "
    SELECT (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM intents) AS intents";

/// Checks that `path` is a sound database of ours whose schema we know.
///
/// # Errors
/// [`BackupError::Unusable`] says what is wrong.
pub(super) fn verify(path: &Path) -> std::result::Result<i64, BackupError> {
    let known = migrate::known();
    let finding = match inspect(path, None) {
        Ok(Finding::Sound { schema }) if schema > known => {
            format!("it has schema {schema}, this heygen-monitor knows {known}")
        }
        Ok(Finding::Sound { schema: 0 } | Finding::Empty) => "it is empty".to_owned(),
        Ok(Finding::Sound { schema }) => return Ok(schema),
        Ok(Finding::Damaged(finding)) => finding,
        Ok(Finding::Foreign) => "another program made it".to_owned(),
        Ok(Finding::Absent) => "there is no such file".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(unusable(path, finding))
}

/// Checks a database thoroughly, indexes and references included, and counts what it holds.
///
/// # Errors
/// [`BackupError::Unusable`] says what is wrong.
pub fn check(path: &Path) -> std::result::Result<Contents, BackupError> {
    let schema = verify(path)?;
    let connection = connect::reader(path).map_err(|error| unusable(path, error.to_string()))?;
    match first_flaw(&connection) {
        Ok(None) => {}
        Ok(Some(flaw)) => return Err(unusable(path, flaw)),
        Err(error) => return Err(unusable(path, error.to_string())),
    }
    contents(&connection, schema).map_err(|error| unusable(path, error.to_string()))
}

fn first_flaw(connection: &Connection) -> Result<Option<String>> {
    let finding: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if finding != "ok" {
        return Ok(Some(finding));
    }
    let mut orphans = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = orphans.query([])?;
    let orphan = rows.next()?;
    orphan
        .map(|row| Ok(format!("a row of {} refers to nothing", row.get::<_, String>(0)?)))
        .transpose()
}

fn contents(connection: &Connection, schema: i64) -> Result<Contents> {
    let mut contents = connection.query_row(CONTENTS, [], |row| {
        Ok(Contents {
            schema,
            observations: row.get("observations")?,
            incidents: row.get("incidents")?,
            owed: row.get("owed")?,
            jobs: 0,
            intents: 0,
        })
    })?;
    if migrate::has_jobs(connection)? {
        (contents.jobs, contents.intents) =
            connection.query_row(SPEND, [], |row| Ok((row.get("jobs")?, row.get("intents")?)))?;
    }
    Ok(contents)
}

fn unusable(path: &Path, finding: String) -> BackupError {
    BackupError::Unusable { path: path.to_owned(), finding }
}
