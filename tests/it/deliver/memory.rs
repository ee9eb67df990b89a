//! The disk refuses: messages are sent from memory, and not once more when it is well again.

use std::path::Path;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::engine::{Decision, Owed};
use heygen_monitor::model::{AttemptResult, DeliveryState, EventKind};

use super::{Puppet, Running, notifiers, open, retry, start};
use crate::store::samples;

/// The decision that event `seq` of incident 1 is owed to `slack`.
fn decision(event: EventKind, seq: u32) -> Decision {
    let incident = samples::incident(1, 70);
    let mut decision = samples::decision();
    decision.changes = vec![samples::change(&incident)];
    let mut owed = samples::owed("slack", Some(&incident), seq, event);
    owed.message.at += Duration::from_secs(seq.into());
    decision.owed = vec![owed];
    decision
}

/// What the monitor does when the database refuses.
fn held(running: &Running, decision: &Decision) -> Vec<Owed> {
    running.store.hold(&decision.owed);
    running.owed.notify_one();
    decision.owed.clone()
}

/// From now on nothing of the outbox can be written, until `DROP TRIGGER`.
fn fill_the_disk(directory: &Path) -> rusqlite::Connection {
    let disk = rusqlite::Connection::open(directory.join("history.db")).unwrap();
    for change in ["INSERT", "UPDATE"] {
        let refuse =
            format!("BEFORE {change} ON deliveries BEGIN SELECT RAISE(ABORT, 'full'); END");
        disk.execute_batch(&format!("CREATE TRIGGER full_{change} {refuse}")).unwrap();
    }
    disk
}

fn free_the_disk(disk: &rusqlite::Connection) {
    disk.execute_batch("DROP TRIGGER full_INSERT; DROP TRIGGER full_UPDATE").unwrap();
}

async fn sent(puppet: &Puppet, count: usize) -> Vec<String> {
    let looking = async {
        while puppet.sent().len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap();
    puppet.sent()
}

#[tokio::test]
async fn what_cannot_be_committed_is_sent_from_memory_in_order_and_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let taken = AttemptResult::Accepted { provider_ref: Some("C042/1.1".to_owned()) };
    let slack = Puppet::answering(taken);
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock.clone(), notifiers(&[("slack", slack.clone())]));
    let disk = fill_the_disk(directory.path());
    let (first, last) = (decision(EventKind::Opened, 1), decision(EventKind::Resolved, 2));
    held(&running, &first);
    held(&running, &last);
    let expected =
        ["1 opened - None storage degraded", "2 resolved C042/1.1 None storage degraded"];
    assert_eq!(sent(&slack, 2).await, expected);

    free_the_disk(&disk);
    for decision in [&first, &last] {
        running.store.commit(decision, clock.now()).await.unwrap();
    }
    assert_eq!(running.store.held(), []);
    running.owed.notify_one();
    for owed in [&first.owed[0], &last.owed[0]] {
        // Owed already: answers the row that the commit made.
        let id = running.store.owe(owed, clock.now()).await.unwrap();
        let delivery = running.wait_for(id, DeliveryState::Delivered).await;
        assert_eq!(delivery.provider_ref.as_deref(), Some("C042/1.1"));
    }
    assert_eq!(slack.sent(), expected, "nothing is sent twice");
    running.stop().await;
}

#[tokio::test]
async fn what_was_committed_before_the_disk_failed_is_sent_too_and_what_follows_it_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let taken = AttemptResult::Accepted { provider_ref: Some("C042/1.1".to_owned()) };
    let slack = Puppet::answering(taken);
    let opened = open(directory.path(), &clock);
    let all = [
        decision(EventKind::Opened, 1),
        decision(EventKind::AcknowledgedOfficially, 2),
        decision(EventKind::Resolved, 3),
    ];
    for decision in &all[..2] {
        opened.store.commit(decision, clock.now()).await.unwrap();
    }
    let disk = fill_the_disk(directory.path());
    let running = start(opened.store, clock.clone(), notifiers(&[("slack", slack.clone())]));
    held(&running, &all[2]);
    let expected = [
        "1 opened - None",
        "2 acknowledged_officially C042/1.1 None",
        "3 resolved C042/1.1 None storage degraded",
    ];
    assert_eq!(sent(&slack, 3).await, expected);

    free_the_disk(&disk);
    running.store.commit(&all[2], clock.now()).await.unwrap();
    running.owed.notify_one();
    for decision in &all {
        let id = running.store.owe(&decision.owed[0], clock.now()).await.unwrap();
        let delivery = running.wait_for(id, DeliveryState::Delivered).await;
        assert_eq!(delivery.attempts, 1);
    }
    assert_eq!(slack.sent(), expected, "nothing is sent twice");
    running.stop().await;
}

#[tokio::test]
async fn while_the_disk_fails_an_attempt_that_fails_is_repeated_in_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::starting_at(Clock::system().now(), 60.0);
    let slack = Puppet::answering(retry(Duration::from_mins(1)));
    let opened = open(directory.path(), &clock);
    opened.store.commit(&decision(EventKind::Opened, 1), clock.now()).await.unwrap();
    let disk = fill_the_disk(directory.path());
    let begun = clock.now();
    let running = start(opened.store, clock.clone(), notifiers(&[("slack", slack.clone())]));
    sent(&slack, 3).await;
    assert!(clock.now().duration_since(begun).as_secs() >= 120, "twice a minute was waited");
    free_the_disk(&disk);
    let id = running.store.owe(&decision(EventKind::Opened, 1).owed[0], clock.now()).await.unwrap();
    running.wait_until(id, |delivery| delivery.attempts >= 3).await;
    running.stop().await;
}

#[tokio::test]
async fn a_message_from_memory_waits_for_what_its_thread_has_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let slack = Puppet::answering(retry(Duration::from_mins(10)));
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock.clone(), notifiers(&[("slack", slack.clone())]));
    let first = decision(EventKind::Opened, 1);
    running.store.commit(&first, clock.now()).await.unwrap();
    running.owed.notify_one();
    sent(&slack, 1).await;
    held(&running, &decision(EventKind::Resolved, 2));
    let elsewhere = samples::owed("slack", Some(&samples::incident(2, 70)), 1, EventKind::Opened);
    running.store.hold(&[elsewhere]);
    running.owed.notify_one();
    let expected = ["1 opened - None", "1 opened - None storage degraded"];
    assert_eq!(sent(&slack, 2).await, expected);
    running.stop().await;
    assert_eq!(slack.sent(), expected);
}
