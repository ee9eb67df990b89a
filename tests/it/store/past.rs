//! What a capability was is kept with the decision that changed it, and read without observations.

use heygen_monitor::engine::Decision;
use heygen_monitor::engine::uptime::Window;
use heygen_monitor::model::{
    Blame, Capability, CapabilityChange, ComponentState, Outcome, Reason, State,
};

use super::samples::{account, at, change, decision, incident, reading};
use super::{open, query};

fn changed(capability: Capability, second: i64, state: State) -> CapabilityChange {
    let reason = match state {
        State::Operational => Reason::Outcome(Outcome::Ok),
        _ => Reason::JobsStuck,
    };
    CapabilityChange { capability, at: at(second), state, blame: Blame::Provider, reason }
}

fn noting(changes: &[CapabilityChange]) -> Decision {
    Decision { standings: changes.to_vec(), ..decision() }
}

fn window(since: i64, until: i64) -> Window {
    Window { since: at(since), until: at(until) }
}

#[tokio::test]
async fn the_last_change_of_each_capability_comes_back_after_a_restart() {
    use Capability::{Api, VideoGeneration};
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let first = changed(Api, 10, State::Operational);
    let video = changed(VideoGeneration, 10, State::Operational);
    let last = changed(Api, 70, State::Outage);
    store.commit(&noting(&[first, video]), at(10)).await.unwrap();
    store.commit(&noting(&[last]), at(70)).await.unwrap();
    // A clock that was wrong wrote ahead: it is not what was said last.
    store.commit(&noting(&[changed(Api, 90_000, State::Degraded)]), at(70)).await.unwrap();
    store.close().await;
    let store = open(directory.path(), at(200));
    assert_eq!(store.recall(at(200)).await.unwrap().standings, [video, last]);
    let past = store.past(window(50, 200)).await.unwrap();
    assert_eq!(past.changes, [video, first, last]);
}

#[tokio::test]
async fn a_change_is_on_disk_with_the_incident_that_it_belongs_to_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut decision = noting(&[changed(Capability::Api, 71, State::Outage)]);
    decision.changes = vec![change(&incident(1, 70))];
    store.commit(&decision, at(71)).await.unwrap();
    let sql = "SELECT count(*) FROM capability_changes, incidents";
    assert_eq!(query(directory.path(), sql), [1]);
}

#[tokio::test]
async fn the_account_is_kept_as_it_was_when_an_incident_opened_and_when_it_ended() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let told = |second: i64, remaining: f64| {
        let mut reading = account(second);
        reading.pools[0].remaining = remaining;
        Decision { account: Some(reading), ..decision() }
    };
    let put = |incident| Decision { changes: vec![change(&incident)], ..decision() };
    let (open_one, mut over) = (incident(1, 70), incident(1, 70));
    over.resolved_at = Some(at(300));
    for (second, step) in [
        (60, told(60, 12.0)),
        (75, put(open_one.clone())),
        (120, told(120, 11.0)),
        (130, put(open_one.clone())),
        (290, told(290, 7.0)),
        (310, put(over.clone())),
        (400, told(400, 3.0)),
    ] {
        store.commit(&step, at(second)).await.unwrap();
    }
    store.flush().await.unwrap();
    let around = store.account_around(&over).await.unwrap();
    let left = around.map(|reading| reading.unwrap().pools[0].remaining.to_string());
    assert_eq!(left, ["12", "7"]);
    // Of one that nobody kept a reading of, the day before is known, or nothing.
    assert_eq!(store.account_around(&incident(9, 70)).await.unwrap(), [None, None]);
    let tomorrow = store.account_around(&incident(9, 2 * 86_400)).await.unwrap();
    assert_eq!(tomorrow[0].as_ref().unwrap().pools[0].remaining.to_string(), "3");
}

#[tokio::test]
async fn gaps_between_heartbeats_are_known_and_the_last_one_is_good_for_a_while() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    for second in [0, 30, 60, 600, 630] {
        store.heartbeat(at(second)).await.unwrap();
    }
    let alive = store.past(window(10, 660)).await.unwrap().alive;
    assert_eq!(alive, [(at(0), at(60)), (at(600), at(660))]);
    let alive = store.past(window(10, 900)).await.unwrap().alive;
    assert_eq!(alive, [(at(0), at(60)), (at(600), at(630))]);
    assert_eq!(store.past(window(700, 900)).await.unwrap().alive, [(at(600), at(630))]);
}

#[tokio::test]
async fn heartbeats_go_on_after_a_clock_that_ran_ahead_is_set_right() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    for second in [0, 30, 2_592_000, 60, 90] {
        store.heartbeat(at(second)).await.unwrap();
    }
    assert_eq!(store.past(window(0, 100)).await.unwrap().alive, [(at(0), at(100))]);
}

#[tokio::test]
async fn incidents_and_rows_of_pages_are_found_by_when_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let (mut over, open_one) = (incident(1, 70), incident(2, 500));
    over.resolved_at = Some(at(300));
    for (second, state) in [(10, ComponentState::Operational), (400, ComponentState::MajorOutage)] {
        let mut read = decision();
        read.reading = Some(reading("heygen", second, state));
        store.commit(&read, at(second)).await.unwrap();
    }
    let mut decision = decision();
    decision.changes = vec![change(&over), change(&open_one)];
    store.commit(&decision, at(500)).await.unwrap();
    let ids = |since, until| {
        let store = store.clone();
        async move {
            let spells = store.past(window(since, until)).await.unwrap().spells;
            spells.iter().map(|spell| spell.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(0, 600).await, [1, 2]);
    assert_eq!(ids(310, 600).await, [2]);
    assert_eq!(ids(0, 400).await, [1]);
    let claims = store.past(window(100, 600)).await.unwrap().claims;
    let of_one: Vec<_> = claims.iter().filter(|one| one.component == claims[0].component).collect();
    assert_eq!(of_one[0].at, at(10));
    assert_eq!(of_one.last().unwrap().state, ComponentState::MajorOutage);
}
