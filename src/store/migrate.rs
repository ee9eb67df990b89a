//! The schema, step by step.
//!
//! Invariant: append-only. A step that was released is never changed; each is one transaction
//! together with its version number, so a crash leaves the old schema or the new one.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{Error, M, Migrations};

use super::{OpenError, connect};

const STEPS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001_create_history.sql")),
    M::up(include_str!("migrations/0002_add_jobs_and_spend.sql")),
    M::up(include_str!("migrations/0003_add_silences_and_acks.sql")),
    M::up(include_str!("migrations/0004_add_capability_changes.sql")),
    M::up(include_str!("migrations/0005_let_people_ask_for_tests.sql")),
];

/// Every step, oldest first.
pub(super) const ALL: Migrations<'static> = Migrations::from_slice(STEPS);

/// The schema version that this program writes.
pub(super) fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The first version that has jobs, intents, the account and what was told.
const JOBS_SINCE: i64 = 2;

/// The schema that brought silences.
const SILENCES_SINCE: i64 = 3;

/// The schema that brought the past of each capability.
const CHANGES_SINCE: i64 = 4;

/// False for a database that an earlier version wrote and nobody has opened to write since: who
/// only reads it does not change it.
pub(super) fn has_jobs(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connect::schema_version(connection)? >= JOBS_SINCE)
}

/// As [`has_jobs`], for silences.
pub(super) fn has_silences(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connect::schema_version(connection)? >= SILENCES_SINCE)
}

/// As [`has_jobs`], for the past of each capability.
pub(super) fn has_changes(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connect::schema_version(connection)? >= CHANGES_SINCE)
}

/// Brings a database to our schema.
pub(super) fn run(
    connection: &mut Connection,
    path: &Path,
    migrations: &Migrations<'_>,
) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    connection.pragma_update(None, "application_id", connect::APPLICATION_ID).map_err(sqlite)?;
    migrations.to_latest(connection).map_err(|error| match error {
        Error::RusqliteError { err, .. } => sqlite(err),
        other => OpenError::Migration { path: path.to_owned(), source: other },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_runs_from_nothing() {
        ALL.validate().unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_the_schema_and_the_data_as_they_were() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        connect::create_private(&path).unwrap();
        let mut connection = connect::writer(&path).unwrap();
        run(&mut connection, &path, &ALL).unwrap();
        let id = "SELECT value FROM meta WHERE key = 'monitor_id'";
        let before: String = connection.query_row(id, [], |row| row.get(0)).unwrap();
        let mut steps = STEPS.to_vec();
        steps.push(M::up(
            "DELETE FROM meta; CREATE TABLE roll_ups (id INTEGER) STRICT; SELECT nonsense;",
        ));
        assert!(run(&mut connection, &path, &Migrations::new(steps)).is_err());
        assert_eq!(connect::schema_version(&connection).unwrap(), known());
        let after: String = connection.query_row(id, [], |row| row.get(0)).unwrap();
        assert_eq!(after, before);
    }

    #[test]
    fn pragmas_are_those_that_survive_a_power_cut() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.db");
        connect::create_private(&path).unwrap();
        let mut connection = connect::writer(&path).unwrap();
        run(&mut connection, &path, &ALL).unwrap();
        let pragma = |name: &str| -> rusqlite::types::Value {
            connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
        for (name, value) in [
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("busy_timeout", 5_000),
            ("auto_vacuum", 2),
            ("journal_size_limit", 8 << 20),
            ("cell_size_check", 1),
            ("trusted_schema", 0),
        ] {
            assert_eq!(pragma(name), value.into(), "{name}");
        }
    }
}
