//! A database of an earlier version goes on as it was, and the way back to it is kept.

use std::fs;
use std::path::{Path, PathBuf};

use heygen_monitor::engine::uptime::Window;
use heygen_monitor::model::{EventKind, IncidentEvent};
use heygen_monitor::store::{self, JobFilter, Store};

use super::open;
use super::samples::{at, change, failure, incident, intent, observed, owed, paid, success};

/// The schema of version 1, as it was released.
const VERSION_1: &str = include_str!("../../../src/store/migrations/0001_create_history.sql");

/// "HGmn" (`PRAGMA application_id`).
const OURS: i32 = 0x4847_6d6e;

/// A database of version 1 with an incident, its message, four observations and a heartbeat: its
/// rows are made by this version, whose tables of version 1 are the same.
async fn version_1(directory: &Path) {
    let now_dir = tempfile::tempdir().unwrap();
    let store = open(now_dir.path(), at(0));
    for second in [10, 20, 30] {
        store.commit(&observed(success("api-read", second)), at(second)).await.unwrap();
    }
    let mut urgent = observed(failure("api-read", 70));
    urgent.changes = vec![change(&incident(1, 70))];
    urgent.owed = vec![owed("mail", Some(&incident(1, 70)), 1, EventKind::Opened)];
    store.commit(&urgent, at(100)).await.unwrap();
    store.heartbeat(at(100)).await.unwrap();
    store.close().await;

    fs::create_dir_all(directory).unwrap();
    let connection = rusqlite::Connection::open(directory.join("history.db")).unwrap();
    connection
        .execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
        .unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection.pragma_update(None, "application_id", OURS).unwrap();
    let now_path = now_dir.path().join("history.db");
    connection.execute("ATTACH ?1 AS now", [now_path.to_str().unwrap()]).unwrap();
    connection.execute_batch("DELETE FROM meta").unwrap();
    for table in tables_of_version_1(&connection) {
        let columns = columns_of(&connection, &table).join(", ");
        let copy = format!("INSERT INTO main.{table} SELECT {columns} FROM now.{table}");
        connection.execute_batch(&copy).unwrap();
    }
}

fn tables_of_version_1(connection: &rusqlite::Connection) -> Vec<String> {
    let sql = "SELECT name FROM main.sqlite_schema
               WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// The columns that version 1 has.
fn columns_of(connection: &rusqlite::Connection, table: &str) -> Vec<String> {
    let sql = "SELECT name FROM pragma_table_info(?1, 'main') ORDER BY cid";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([table], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

fn backup_of_version_1(directory: &Path) -> Option<PathBuf> {
    let is_ours = |path: &PathBuf| path.display().to_string().contains(".backup-schema1-");
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).find(is_ours)
}

/// Everything that was stored is there, and nothing else.
async fn is_as_it_was(store: &Store) {
    let recalled = store.recall(at(200)).await.unwrap();
    assert_eq!(recalled.observations.len(), 4);
    assert_eq!(recalled.observations[3], failure("api-read", 70));
    // Before channels were noted, an event had reached everybody.
    let mut known = incident(1, 70);
    known.events[0].channels = vec![IncidentEvent::EVERYBODY.to_owned()];
    assert_eq!(recalled.incidents, [known]);
    assert_eq!(recalled.next_incident_id, 2);
    assert_eq!(store.outbox().await.unwrap()[0].pending, 1);
    assert!(recalled.jobs.is_empty() && recalled.samples.is_empty());
    assert!(recalled.positions.is_empty() && recalled.intents.is_empty());
    assert!(recalled.told.is_empty() && recalled.account.is_none());
}

#[tokio::test]
async fn version_1_goes_on_with_all_it_had_and_can_be_gone_back_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    version_1(directory.path()).await;
    let before = store::check(&path).unwrap();
    assert_eq!((before.schema, before.observations, before.jobs, before.intents), (1, 4, 0, 0));

    let store = open(directory.path(), at(200));
    is_as_it_was(&store).await;
    store.commit(&paid(vec![intent(1, 200)]), at(200)).await.unwrap();
    store.close().await;
    let after = store::check(&path).unwrap();
    assert_eq!((after.schema, after.observations, after.incidents), (5, 4, 1));
    assert_eq!((after.owed, after.intents), (1, 1));

    let backup = backup_of_version_1(directory.path()).unwrap();
    assert_eq!(store::check(&backup).unwrap(), before);
    store::restore(&path, &backup, at(300)).unwrap();
    assert_eq!(store::check(&path).unwrap(), before);
    is_as_it_was(&open(directory.path(), at(300))).await;
}

#[tokio::test]
async fn version_1_is_read_without_changing_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    version_1(directory.path()).await;
    let reader = Store::open_to_read(&path);
    is_as_it_was(&reader).await;
    assert_eq!(reader.intents(at(0), 10).await.unwrap(), []);
    let past = reader.past(Window { since: at(0), until: at(200) }).await.unwrap();
    assert_eq!((past.changes.len(), past.spells.len(), past.alive.len()), (0, 1, 1));
    let known = reader.incident(1).await.unwrap().unwrap();
    assert_eq!(reader.account_around(&known).await.unwrap(), [None, None]);
    let filter = JobFilter { live_only: false, kind: None, origin: None, before: None, limit: 10 };
    assert_eq!(reader.jobs(filter).await.unwrap(), []);
    assert_eq!(store::check(&path).unwrap().schema, 1);
}

#[tokio::test]
async fn a_backup_holds_jobs_and_intents_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut decision = paid(vec![intent(1, 10), intent(2, 20)]);
    decision.jobs = vec![super::samples::job("v_1", 10)];
    store.commit(&decision, at(20)).await.unwrap();
    let copy = directory.path().join("copy.db");
    store::back_up_to(&directory.path().join("history.db"), &copy).unwrap();
    let contents = store::check(&copy).unwrap();
    assert_eq!((contents.schema, contents.jobs, contents.intents), (5, 1, 2));
}
