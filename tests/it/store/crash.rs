//! Killed at any moment: what was acknowledged is there, and nothing is there by halves.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use heygen_monitor::model::{EventKind, Intent, IntentState};
use heygen_monitor::store::{self, Store};

use super::query;
use super::samples::{at, change, decision, incident, intent, job, observed, owed, success};

/// Where the child works; its absence makes [`child`] an empty test.
const DIRECTORY: &str = "HEYGEN_MONITOR_TEST_CRASH_DIRECTORY";

const ROUNDS: u64 = 15;

/// Not a test by itself: commits until it is killed, and says what was acknowledged.
#[tokio::test]
async fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let path = Path::new(&directory).join("history.db");
    let opened = Store::open(&path, at(0)).unwrap();
    assert_eq!(opened.repairs, Vec::<String>::new());
    let store = opened.store;
    let recollection = store.recall(at(0)).await.unwrap();
    let mut id = recollection.next_incident_id;
    let mut intent_id = recollection.intents.last().map_or(1, |last| last.id + 1);
    // What the last kill interrupted.
    for intent in recollection.intents {
        if intent.state == IntentState::Intended {
            accept(&store, intent).await;
        }
    }
    loop {
        for plain in 0..3 {
            let decision = observed(success("web", id * 10 + plain));
            store.commit(&decision, at(id)).await.unwrap();
        }
        let incident = incident(id, id);
        let mut urgent = decision();
        urgent.observation = Some(success("api-read", id));
        urgent.changes = vec![change(&incident)];
        urgent.owed = ["mail", "slack"]
            .map(|channel| owed(channel, Some(&incident), 1, EventKind::Opened))
            .to_vec();
        store.commit(&urgent, at(id)).await.unwrap();
        intend(&store, intent_id).await;
        println!("intended {intent_id}");
        accept(&store, intent(intent_id, intent_id)).await;
        println!("acknowledged {id}");
        id += 1;
        intent_id += 1;
    }
}

async fn intend(store: &Store, id: i64) {
    let mut decision = observed(success("render", id * 10));
    decision.intents = vec![intent(id, id)];
    store.commit(&decision, at(id)).await.unwrap();
}

async fn accept(store: &Store, intended: Intent) {
    let id = intended.id;
    let job_id = format!("v_{id}");
    let mut decision = observed(success("render-job", id * 10));
    decision.jobs = vec![job(&job_id, id)];
    decision.intents =
        vec![Intent { state: IntentState::Accepted, job_id: Some(job_id), ..intended }];
    store.commit(&decision, at(id)).await.unwrap();
}

fn start(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::crash::child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The last numbers that were acknowledged.
struct Acknowledged {
    incident: i64,
    intent: i64,
}

/// Lets the child commit for `time` after its first commits, kills it, and answers what it
/// acknowledged.
fn killed_after(directory: &Path, time: Duration) -> Acknowledged {
    let mut child = start(directory);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("acknowledged") {
        assert_ne!(output.read_line(&mut text).unwrap(), 0, "the child ended: {text}");
    }
    // The moment of the kill is what is tested, so time it is.
    std::thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    output.read_to_string(&mut text).unwrap();
    // A last line without its end was cut off by the kill; its number may be too.
    let whole = text.rsplit_once('\n').unwrap().0;
    let last = |word: &str| {
        let number = |line: &str| line.split_once(word)?.1.trim().parse().ok();
        whole.lines().rev().find_map(number).unwrap()
    };
    Acknowledged { incident: last("acknowledged "), intent: last("intended ") }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = 0;
    let mut last_intent = 0;
    for round in 0..ROUNDS {
        let micros = (round * 7_919) % 40_000;
        let acknowledged = killed_after(directory.path(), Duration::from_micros(micros));
        assert!(acknowledged.incident > last && acknowledged.intent > last_intent);
        last = acknowledged.incident;
        store::check(&directory.path().join("history.db")).unwrap();
        let stored = query(directory.path(), "SELECT count(*) FROM incidents")[0];
        assert!(stored == last || stored == last + 1, "{stored} of {last}");
        let whole = query(
            directory.path(),
            "SELECT count(*) FROM incidents AS i
             WHERE (SELECT count(*) FROM deliveries WHERE thread = i.id) = 2
                 AND (SELECT count(*) FROM incident_events WHERE incident_id = i.id) = 1
                 AND EXISTS (SELECT 1 FROM observations AS o JOIN series AS s ON s.id = o.series_id
                     WHERE s.probe = 'api-read' AND o.ended_at_ms >= i.opened_at_ms + 1000)",
        );
        assert_eq!(whole, [stored]);
        let plain = query(
            directory.path(),
            "SELECT count(*) FROM observations AS o JOIN series AS s ON s.id = o.series_id
             WHERE s.probe = 'web'",
        )[0];
        assert!(plain >= 3 * stored, "what waited before an acknowledged one is there too");
        last = stored;
        last_intent = intents_are_whole(directory.path(), acknowledged.intent);
    }
}

/// Answers how many intents there are: all that were acknowledged and at most one more, each with
/// the observation that was committed with it, and none without.
fn intents_are_whole(directory: &Path, acknowledged: i64) -> i64 {
    let count = |sql: &str| query(directory, sql)[0];
    let stored = count("SELECT count(*) FROM intents");
    assert_eq!(count("SELECT max(id) FROM intents"), stored, "numbers without a gap");
    assert!(stored == acknowledged || stored == acknowledged + 1, "{stored} of {acknowledged}");
    let observations = |probe: &str| {
        count(&format!(
            "SELECT count(*) FROM observations AS o JOIN series AS s ON s.id = o.series_id
             WHERE s.probe = '{probe}'"
        ))
    };
    assert_eq!(observations("render"), stored);
    let accepted = count("SELECT count(*) FROM intents WHERE state = 'accepted'");
    assert!(accepted == stored || accepted == stored - 1, "{accepted} of {stored}");
    assert_eq!(observations("render-job"), accepted);
    let with_job = "SELECT count(*) FROM intents AS i JOIN jobs AS j ON j.id = i.job_id";
    assert_eq!(count(with_job), accepted);
    assert_eq!(count("SELECT count(*) FROM jobs"), accepted);
    stored
}
