//! Killed at any moment: what was acknowledged is there, and nothing is there by halves.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use heygen_monitor::model::EventKind;
use heygen_monitor::store::{self, Store};

use super::query;
use super::samples::{at, change, decision, incident, observed, owed, success};

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
    let mut id = store.recall(at(0)).await.unwrap().next_incident_id;
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
        println!("acknowledged {id}");
        id += 1;
    }
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

/// Lets the child commit for `time` after its first commit, kills it, and answers the last number
/// it acknowledged.
fn killed_after(directory: &Path, time: Duration) -> i64 {
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
    let last = whole.lines().rev().find_map(|line| {
        let (_, number) = line.split_once("acknowledged ")?;
        number.parse().ok()
    });
    last.unwrap()
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..ROUNDS {
        let micros = (round * 7_919) % 40_000;
        let acknowledged = killed_after(directory.path(), Duration::from_micros(micros));
        assert!(acknowledged > last);
        last = acknowledged;
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
    }
}
