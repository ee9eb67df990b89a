//! The store through its public door: what is committed comes back, whatever happened meanwhile.

mod crash;
mod damage;
mod jobs;
mod migration;
mod model;
mod outbox;
mod past;
pub(crate) mod samples;
mod spend;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use heygen_monitor::model::{
    Blame, Cause, ComponentState, EventKind, Incident, Observation, Outcome, Reason, Series,
    SkipReason, State, Timestamp,
};
use heygen_monitor::store::{OpenError, Retention, Store};
use samples::{
    at, change, control, decision, failure, incident, observed, owed, reading, skipped, success,
};

const DAY: Duration = Duration::from_hours(24);

fn open(directory: &Path, now: Timestamp) -> Store {
    let opened = Store::open(&directory.join("history.db"), now).unwrap();
    assert_eq!(opened.repairs, Vec::<String>::new());
    opened.store
}

fn query(directory: &Path, sql: &str) -> Vec<i64> {
    let connection = rusqlite::Connection::open(directory.join("history.db")).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn what_is_committed_comes_back_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let observations = [
        success("api-read", 10),
        control(20),
        failure("api-read", 70),
        skipped("web", 80, SkipReason::Overrun),
    ];
    for observation in observations.clone() {
        let now = observation.ended_at;
        store.commit(&observed(observation), now).await.unwrap();
    }
    let mut decision = observed(success("web", 90));
    decision.reading = Some(reading("heygen", 90, ComponentState::Operational));
    store.commit(&decision, at(90)).await.unwrap();
    let opened = incident(1, 70);
    decision = samples::decision();
    decision.changes = vec![change(&opened)];
    decision.owed = vec![owed("team-slack", Some(&opened), 1, EventKind::Opened)];
    store.commit(&decision, at(100)).await.unwrap();
    let mut unreadable = reading("heygen", 110, ComponentState::MajorOutage);
    unreadable.page = Err("no answer".to_owned());
    decision = samples::decision();
    decision.reading = Some(unreadable);
    store.commit(&decision, at(110)).await.unwrap();
    store.close().await;

    let recollection = open(directory.path(), at(200)).recall(at(200)).await.unwrap();
    let mut expected = observations.to_vec();
    expected.push(success("web", 90));
    assert_eq!(recollection.observations, expected);
    assert_eq!(recollection.readings, [reading("heygen", 90, ComponentState::Operational)]);
    assert_eq!(recollection.incidents, [opened]);
    assert_eq!(recollection.next_incident_id, 2);
}

#[tokio::test]
async fn a_plain_decision_is_on_disk_without_being_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let decision = observed(success("api-read", 10));
    store.commit(&decision, at(11)).await.unwrap();
    let begun = tokio::time::Instant::now();
    while query(directory.path(), "SELECT 1 FROM observations").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_urgent_decision_takes_the_waiting_ones_along() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let plain = observed(success("api-read", 10));
    store.commit(&plain, at(11)).await.unwrap();
    let mut urgent = observed(failure("api-read", 70));
    urgent.changes = vec![change(&incident(1, 70))];
    store.commit(&urgent, at(71)).await.unwrap();
    assert_eq!(query(directory.path(), "SELECT ended_at_ms FROM observations ORDER BY 1").len(), 2);
}

#[tokio::test]
async fn ends_of_a_series_are_strictly_increasing_and_beginnings_are_never_edited() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    for begun in [50, 50, 40] {
        let decision = observed(success("api-read", begun));
        store.commit(&decision, at(60)).await.unwrap();
    }
    store.flush().await.unwrap();
    let stored = store.observations(&Series::of("api-read"), at(0)).await.unwrap();
    let begun: Vec<Timestamp> = stored.iter().map(|observation| observation.begun_at).collect();
    assert_eq!(begun, [at(50), at(50), at(40)]);
    assert!(stored.windows(2).all(|pair| pair[0].ended_at < pair[1].ended_at));
}

#[tokio::test]
async fn every_word_of_the_contract_can_be_stored() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut second = 0;
    for outcome in Outcome::ALL {
        second += 10;
        let mut observation = success("api-read", second);
        observation.outcome = outcome;
        store.commit(&observed(observation), at(second)).await.unwrap();
    }
    for reason in SkipReason::ALL {
        second += 10;
        let decision = observed(skipped("api-read", second, reason));
        store.commit(&decision, at(second)).await.unwrap();
    }
    store.flush().await.unwrap();
    let stored = store.observations(&Series::of("api-read"), at(0)).await.unwrap();
    assert_eq!(stored.len(), Outcome::ALL.len() + SkipReason::ALL.len());

    let reasons = Outcome::ALL.map(Reason::Outcome).into_iter().chain(Reason::OWN);
    for (id, reason) in (1..).zip(reasons) {
        let mut incident = incident(id, 70);
        incident.reason = reason;
        incident.blame = Blame::ALL[usize::try_from(id).unwrap() % Blame::ALL.len()];
        incident.state = State::ALL[usize::try_from(id).unwrap() % State::ALL.len()];
        let mut decision = decision();
        decision.changes = vec![change(&incident)];
        store.commit(&decision, at(70)).await.unwrap();
        assert_eq!(store.incident(id).await.unwrap(), Some(incident));
    }
    let all_events = Incident {
        events: (1..)
            .zip(EventKind::ALL)
            .map(|(seq, kind)| heygen_monitor::model::IncidentEvent {
                seq,
                kind,
                at: at(100),
                state: heygen_monitor::model::State::Outage,
                channels: vec!["slack".to_owned()],
            })
            .collect(),
        ..incident(1, 70)
    };
    let mut decision = decision();
    decision.changes = vec![change(&all_events)];
    store.commit(&decision, at(80)).await.unwrap();
    assert_eq!(store.incident(1).await.unwrap(), Some(all_events));
    for (step, state) in ComponentState::ALL.into_iter().enumerate() {
        let mut decision = samples::decision();
        decision.reading = Some(reading("heygen", 100 + i64::try_from(step).unwrap(), state));
        store.commit(&decision, at(100)).await.unwrap();
        store.flush().await.unwrap();
    }
    let changes = query(directory.path(), "SELECT 1 FROM component_changes");
    assert_eq!(changes.len(), ComponentState::ALL.len());
    assert!(store.health().errors.iter().all(|(_, count)| *count == 0));
}

#[tokio::test]
async fn incidents_are_listed_newest_first_and_page_by_page() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    for id in 1..=5 {
        let mut incident = incident(id, id * 100);
        incident.cause = Cause(format!("host:{id}"));
        incident.resolved_at = (id != 2).then(|| at(id * 100 + 50));
        let mut decision = decision();
        decision.changes = vec![change(&incident)];
        store.commit(&decision, at(id * 100)).await.unwrap();
    }
    let ids = |incidents: Vec<Incident>| -> Vec<i64> {
        incidents.iter().map(|incident| incident.id).collect()
    };
    let list = store.incidents(at(0), None, 2).await.unwrap();
    assert_eq!(ids(list), [5, 4]);
    let list = store.incidents(at(0), Some(4), 2).await.unwrap();
    assert_eq!(ids(list), [3, 2]);
    let list = store.incidents(at(440), None, 10).await.unwrap();
    assert_eq!(ids(list), [5, 4, 2]);
}

#[tokio::test]
async fn a_stretch_of_heartbeats_is_one_row_and_a_gap_begins_another() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    for second in [0, 30, 60, 55, 90, 400, 430] {
        store.heartbeat(at(second)).await.unwrap();
    }
    let stretches = query(
        directory.path(),
        "SELECT ended_at_ms - begun_at_ms FROM heartbeats ORDER BY begun_at_ms",
    );
    assert_eq!(stretches, [90_000, 30_000]);
}

#[tokio::test]
async fn retention_forgets_successes_first_and_failures_much_later() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let retention = Retention { observations: DAY, failures: 3 * DAY };
    let hour = 3_600;
    for number in 0..1_500 {
        let decision = observed(success("api-read", number * 60));
        store.commit(&decision, at(number * 60)).await.unwrap();
    }
    store.flush().await.unwrap();
    let decision = observed(failure("api-read", 25 * hour));
    store.commit(&decision, at(25 * hour)).await.unwrap();
    store.heartbeat(at(40 * hour)).await.unwrap();
    let forgotten = store.retain(at(40 * hour), retention).await.unwrap();
    assert_eq!(forgotten, 960, "a success ends a second after it begins");
    store.heartbeat(at(80 * hour)).await.unwrap();
    assert_eq!(store.retain(at(80 * hour), retention).await.unwrap(), 540);
    let left = store.observations(&Series::of("api-read"), at(0)).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].outcome, Outcome::Timeout);
    store.heartbeat(at(100 * hour)).await.unwrap();
    assert_eq!(store.retain(at(100 * hour), retention).await.unwrap(), 1);
    assert!(query(directory.path(), "SELECT 1 FROM details").is_empty());
}

#[tokio::test]
async fn retention_does_not_believe_a_clock_that_jumped() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let retention = Retention { observations: DAY, failures: DAY };
    let month = 30 * 86_400;
    let decision = observed(failure("api-read", 0));
    store.commit(&decision, at(1)).await.unwrap();
    assert_eq!(store.retain(at(month), retention).await.unwrap(), 0, "no heartbeat");
    store.heartbeat(at(60)).await.unwrap();
    assert_eq!(store.retain(at(month), retention).await.unwrap(), 0, "a jump");
    store.heartbeat(at(month)).await.unwrap();
    assert_eq!(store.retain(at(month), retention).await.unwrap(), 0, "just jumped");
    for minute in 1..=60 {
        store.heartbeat(at(month + minute * 60)).await.unwrap();
    }
    let steady = store.retain(at(month + 3_600), retention).await.unwrap();
    assert_eq!(steady, 1, "an hour later it is believed");
}

#[tokio::test]
async fn a_success_takes_at_most_thirty_bytes() {
    const ROWS: i64 = 100_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.db");
    let store = open(directory.path(), at(0));
    store.close().await;
    let before = std::fs::metadata(&path).unwrap().len();
    let store = open(directory.path(), at(0));
    let probes = ["api-read", "api-anonymous", "submit", "web", "heygen"];
    for row in 0..ROWS {
        let mut observation = success(probes[usize::try_from(row % 5).unwrap()], row / 5 * 60);
        let duration = Duration::from_millis(u64::try_from(150 + row % 977).unwrap());
        observation.ended_at = observation.begun_at + duration;
        store.commit(&observed(observation), at(0)).await.unwrap();
        if row % 1_000 == 999 {
            store.flush().await.unwrap();
        }
    }
    store.close().await;
    let grown = std::fs::metadata(&path).unwrap().len() - before;
    let rows = query(directory.path(), "SELECT count(*) FROM observations");
    assert_eq!(rows, [ROWS]);
    let bytes_per_row = grown / u64::try_from(ROWS).unwrap();
    assert!(bytes_per_row <= 30, "{bytes_per_row} bytes per success");
}

#[tokio::test]
async fn a_second_instance_is_told_who_the_first_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let error = Store::open(&directory.path().join("history.db"), at(0)).unwrap_err();
    assert!(
        matches!(&error, OpenError::Locked { pid, .. } if *pid == std::process::id().to_string())
    );
    assert_eq!(error.hint(), "stop it first, or give this one its own storage.path");
    store.close().await;
    open(directory.path(), at(0));
}

#[tokio::test]
async fn everything_that_is_created_is_private() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state");
    let store = open(&directory, at(0));
    store.heartbeat(at(0)).await.unwrap();
    store.back_up(at(0)).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 5, "database, log, shared memory, lock, backup");
}

#[tokio::test]
async fn a_reader_beside_the_daemon_sees_what_is_there_and_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut decision = decision();
    decision.changes = vec![change(&incident(1, 70))];
    store.commit(&decision, at(70)).await.unwrap();
    let reader = Store::open_to_read(&directory.path().join("history.db"));
    let seen = reader.incidents(at(0), None, 10).await.unwrap();
    assert_eq!(seen, [incident(1, 70)]);
    assert!(reader.heartbeat(at(70)).await.is_err());
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let error = Store::open(&file.join("history.db"), at(0)).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
    assert!(error.hint().starts_with("a file is in the way at "), "{}", error.hint());

    let folder = directory.path().join("history.db");
    std::fs::create_dir(&folder).unwrap();
    let error = Store::open(&folder, at(0)).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error}");

    let foreign = directory.path().join("foreign.db");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(connection);
    let error = Store::open(&foreign, at(0)).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error}");
}

#[tokio::test]
async fn one_observation_is_recalled_as_it_was_seen() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let seen: Observation = failure("api-read", 70);
    store.commit(&observed(seen.clone()), at(80)).await.unwrap();
    store.flush().await.unwrap();
    let stored = store.observations(&seen.series, at(0)).await.unwrap();
    assert_eq!(stored, [seen]);
}
