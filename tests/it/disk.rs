//! Golden scenario 27: the disk is full while HeyGen is down. The alert goes out all the same.
#![cfg(target_os = "linux")]

use heygen_monitor::clock::Clock;
use heygen_monitor::model::{DeliveryState, Timestamp};
use heygen_monitor::simulator::{Effect, Plan, Rule, Service};
use heygen_monitor::store::Store;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use crate::support::bench::{Bench, Foreground, Wanted};
use crate::support::wait_until;

/// What a message that was sent from memory says of itself.
const NOTE: &str = "storage is degraded";

/// From now on every write to a file of this process fails (and would kill it, if it let SIGXFSZ),
/// and any other one goes on as it was.
fn fill_the_disk(run: &Foreground) {
    limit(run, Some(0));
}

fn free_the_disk(run: &Foreground) {
    limit(run, getrlimit(Resource::Fsize).current);
}

fn limit(run: &Foreground, bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    prlimit(Some(run.pid()), Resource::Fsize, Rlimit { current: bytes, maximum }).unwrap();
}

/// How often mail and Slack were told this.
fn told(bench: &Bench, event: &str, word: &str) -> (usize, usize) {
    let mail = bench.mails().iter().filter(|mail| mail.event == event).count();
    let slack = bench.slack();
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    (mail, slack.iter().filter(|(_, text)| first(text).contains(word)).count())
}

/// True when history holds one incident whose messages are all known to have gone out.
async fn is_recorded(store: &Store) -> bool {
    let incidents = store.incidents(Timestamp::UNIX_EPOCH, None, 10).await.unwrap_or_default();
    let [incident] = incidents.as_slice() else { return false };
    let traces = store.trace(incident.id, usize::MAX).await.unwrap();
    let is_settled = |state| matches!(state, DeliveryState::Delivered | DeliveryState::Merged);
    !incident.is_open() && traces.iter().all(|trace| is_settled(trace.delivery.state))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_27_a_full_disk_holds_no_alert_back_and_repeats_none() {
    let bench = Bench::start(Clock::system()).await;
    let wanted = Wanted { every: "0.5s", recheck: "0.2s", ..Wanted::default() };
    let run = bench.run(&wanted).await;
    let asked = || bench.simulator.received(Service::Api).len();
    wait_until("the API is asked", || asked() > 2).await;

    fill_the_disk(&run);
    let down = Rule::on(Service::Api, "/v3", Effect::unavailable());
    bench.simulator.plan(|plan| plan.add(down));
    wait_until("both hear of it", || told(&bench, "opened", "Down") == (1, 1)).await;
    assert!(bench.mails()[0].text.contains(NOTE), "{}", bench.mails()[0].text);
    assert!(bench.simulator.received(Service::Slack)[0].text().contains(NOTE));

    bench.simulator.plan(|plan| *plan = Plan::default());
    wait_until("both hear of its end", || told(&bench, "resolved", "Resolved") == (1, 1)).await;

    let store = bench.history();
    assert!(!is_recorded(&store).await, "the disk was full, was it not?");
    free_the_disk(&run);
    let recording = async {
        while !is_recorded(&store).await {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, recording).await.expect("history is written in the end");
    assert_eq!(run.stop().await, Some(0));

    let run = bench.run(&wanted).await;
    let before = asked();
    wait_until("the API is asked again", || asked() > before + 2).await;
    assert_eq!(run.stop().await, Some(0));
    assert_eq!(told(&bench, "opened", "Down"), (1, 1));
    assert_eq!(told(&bench, "resolved", "Resolved"), (1, 1));
    assert_eq!((bench.mails().len(), bench.slack().len()), (2, 2), "and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_was_damaged_is_told_to_people_once() {
    let bench = Bench::start(Clock::system()).await;
    let wanted = Wanted::default();
    assert_eq!(bench.run(&wanted).await.stop().await, Some(0));
    let history = bench.write_configuration(&wanted).with_file_name("history.db");
    std::fs::write(&history, "not a database at all, not even nearly".repeat(500)).unwrap();
    for _ in 0..2 {
        let run = bench.run(&wanted).await;
        wait_until("both hear of it", || (bench.mails().len(), bench.slack().len()) == (1, 1))
            .await;
        assert_eq!(run.stop().await, Some(0));
    }
    let said = &bench.mails()[0].text;
    assert!(said.contains("there is no backup; a new history was begun"), "{said}");
}
