//! Deliveries: leased one at a time per thread and channel, tried, told, never forgotten.

use std::time::Duration;

use heygen_monitor::model::{
    Attempt, AttemptResult, Delivery, DeliveryState, EventKind, FailureReason,
};
use heygen_monitor::store::Store;

use super::samples::{at, change, decision, incident, owed};
use super::{open, query};

const LEASE: Duration = Duration::from_mins(1);

/// Commits events 1 and 2 of incident 1 and event 1 of incident 2, for two channels.
async fn owe_two_threads(store: &Store) {
    for (id, seq, event) in
        [(1, 1, EventKind::Opened), (1, 2, EventKind::Worsened), (2, 1, EventKind::Opened)]
    {
        let incident = incident(id, 70);
        let mut decision = decision();
        decision.changes = vec![change(&incident)];
        decision.owed =
            ["mail", "slack"].map(|channel| owed(channel, Some(&incident), seq, event)).to_vec();
        store.commit(&decision, at(100)).await.unwrap();
    }
}

fn names(deliveries: &[Delivery]) -> Vec<String> {
    deliveries
        .iter()
        .map(|delivery| {
            let message = &delivery.message;
            format!("{}.{} {}", message.thread(), message.seq, delivery.channel)
        })
        .collect()
}

fn accepted(second: i64) -> Attempt {
    Attempt {
        at: at(second),
        result: AttemptResult::Accepted { provider_ref: Some("ts-1".to_owned()) },
    }
}

fn retry(second: i64, after: Option<u64>) -> Attempt {
    Attempt {
        at: at(second),
        result: AttemptResult::Retry {
            reason: FailureReason::RateLimited,
            detail: "429".to_owned(),
            after: after.map(Duration::from_secs),
        },
    }
}

#[tokio::test]
async fn a_thread_is_told_in_order_on_each_channel_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    owe_two_threads(&store).await;
    let first = store.claim(at(100), LEASE).await.unwrap();
    assert_eq!(names(&first), ["1.1 mail", "1.1 slack", "2.1 mail", "2.1 slack"]);
    assert_eq!(store.claim(at(100), LEASE).await.unwrap(), []);
    let mail = first[0].id;
    store.finish(mail, &accepted(101), None).await.unwrap();
    let second = store.claim(at(102), LEASE).await.unwrap();
    assert_eq!(names(&second), ["1.2 mail"]);
    let delivery = store.delivery(mail).await.unwrap().unwrap();
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(delivery.provider_ref.as_deref(), Some("ts-1"));
    assert_eq!(delivery.attempts, 1);
    let lines = store.outbox().await.unwrap();
    let pending: Vec<_> = lines.iter().map(|line| (line.channel.as_str(), line.pending)).collect();
    assert_eq!(pending, [("mail", 2), ("slack", 3)]);
    assert_eq!(lines[0].oldest_at, Some(at(100)));
}

#[tokio::test]
async fn a_retry_waits_for_its_time_and_holds_up_what_follows_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    owe_two_threads(&store).await;
    for delivery in store.claim(at(100), LEASE).await.unwrap() {
        let result = match names(std::slice::from_ref(&delivery))[0].as_str() {
            "1.1 mail" => retry(101, Some(30)),
            _ => accepted(101),
        };
        store.finish(delivery.id, &result, None).await.unwrap();
    }
    let next = store.claim(at(102), LEASE).await.unwrap();
    assert_eq!(names(&next), ["1.2 slack"]);
    store.finish(next[0].id, &accepted(103), None).await.unwrap();
    assert_eq!(store.next_delivery_at().await.unwrap(), Some(at(131)));
    assert_eq!(store.claim(at(130), LEASE).await.unwrap(), []);
    let again = store.claim(at(131), LEASE).await.unwrap();
    assert_eq!(names(&again), ["1.1 mail"]);
    assert_eq!(again[0].last_error.as_deref(), Some("429"));
    store.finish(again[0].id, &retry(132, None), Some(at(200))).await.unwrap();
    assert_eq!(store.next_delivery_at().await.unwrap(), Some(at(200)));
    let refused = AttemptResult::Dead {
        reason: FailureReason::Rejected,
        detail: "no such mailbox".to_owned(),
    };
    let again = store.claim(at(200), LEASE).await.unwrap();
    let attempt = Attempt { at: at(201), result: refused };
    store.finish(again[0].id, &attempt, None).await.unwrap();
    assert_eq!(names(&store.claim(at(202), LEASE).await.unwrap()), ["1.2 mail"]);
    let dead = store.delivery(again[0].id).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.attempts), (DeliveryState::Dead, 3));
    let words =
        query(directory.path(), "SELECT count(*) FROM attempts GROUP BY result ORDER BY result");
    assert_eq!(words, [4, 1, 2], "accepted, dead, retry");
}

#[tokio::test]
async fn a_lease_ends_by_time_and_by_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    owe_two_threads(&store).await;
    let held = store.claim(at(100), LEASE).await.unwrap();
    assert_eq!(store.next_delivery_at().await.unwrap(), Some(at(160)));
    assert_eq!(store.claim(at(159), LEASE).await.unwrap(), []);
    assert_eq!(store.claim(at(160), LEASE).await.unwrap().len(), 4);
    store.close().await;
    let store = open(directory.path(), at(165));
    assert_eq!(store.claim(at(165), LEASE).await.unwrap().len(), 4);
    // The first holder comes back late: what was accepted was accepted.
    store.finish(held[0].id, &accepted(166), None).await.unwrap();
    store.finish(held[0].id, &retry(167, None), None).await.unwrap();
    let delivery = store.delivery(held[0].id).await.unwrap().unwrap();
    assert_eq!(delivery.state, DeliveryState::Delivered);
}

#[tokio::test]
async fn what_waits_for_the_time_of_a_clock_that_ran_ahead_is_due_at_the_next_start() {
    const HOUR: i64 = 3_600;
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    owe_two_threads(&store).await;
    let soon = store.claim(at(100), LEASE).await.unwrap();
    for (delivery, next_at) in
        soon.iter().zip([at(100 + HOUR), at(102 + HOUR), at(90), at(40 * HOUR)])
    {
        store.finish(delivery.id, &retry(101, None), Some(next_at)).await.unwrap();
    }
    store.close().await;
    let store = open(directory.path(), at(101));
    let due = names(&store.claim(at(101), LEASE).await.unwrap());
    assert_eq!(due, ["1.1 slack", "2.1 mail", "2.1 slack"], "nobody waits for more than an hour");
    store.close().await;
    // Before any of them came to be owed.
    let store = open(directory.path(), at(50));
    let due = names(&store.claim(at(50), LEASE).await.unwrap());
    assert_eq!(due, ["1.1 mail", "1.1 slack", "2.1 mail", "2.1 slack"]);
}

#[tokio::test]
async fn the_same_event_is_owed_once_and_drills_as_often_as_asked() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    owe_two_threads(&store).await;
    owe_two_threads(&store).await;
    assert_eq!(query(directory.path(), "SELECT count(*) FROM deliveries"), [6]);
    let drill = owed("mail", None, 1, EventKind::Drill);
    let first = store.owe(&drill, at(100)).await.unwrap();
    let second = store.owe(&drill, at(100)).await.unwrap();
    assert_ne!(first, second);
    let delivery = store.delivery(second).await.unwrap().unwrap();
    assert_eq!(delivery.message.seq, 2);
    assert_eq!(delivery.message.headline, drill.message.headline);
    assert_eq!(store.delivery(second + 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_dead_and_does_not_block_its_thread() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    owe_two_threads(&store).await;
    let connection = rusqlite::Connection::open(directory.path().join("history.db")).unwrap();
    connection
        .execute("UPDATE deliveries SET message = '{}' WHERE thread = 1 AND seq = 1", [])
        .unwrap();
    drop(connection);
    let readable = store.claim(at(100), LEASE).await.unwrap();
    assert_eq!(names(&readable), ["2.1 mail", "2.1 slack"]);
    let next = store.claim(at(100), LEASE).await.unwrap();
    assert_eq!(names(&next), ["1.2 mail", "1.2 slack"]);
    let dead = query(directory.path(), "SELECT count(*) FROM deliveries WHERE state = 'dead'");
    assert_eq!(dead, [2]);
}

#[tokio::test]
async fn a_trace_has_the_last_messages_and_the_last_tries_as_many_as_are_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    owe_two_threads(&store).await;
    let id = store.claim(at(100), LEASE).await.unwrap()[1].id;
    for second in 101..105 {
        store.finish(id, &retry(second, None), None).await.unwrap();
    }
    let traces = store.trace(1, 3).await.unwrap();
    let told: Vec<Delivery> = traces.iter().map(|trace| trace.delivery.clone()).collect();
    assert_eq!(names(&told), ["1.1 slack", "1.2 mail", "1.2 slack"]);
    let tries: Vec<_> = traces[0].attempts.iter().map(|attempt| attempt.at).collect();
    assert_eq!(tries, [at(102), at(103), at(104)]);
    assert_eq!(store.trace(1, usize::MAX).await.unwrap()[1].attempts.len(), 4);
}
