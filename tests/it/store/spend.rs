//! The ledger, what was told and what the account held: nothing of it is lost or counted twice.

use heygen_monitor::model::{
    AccountReading, Intent, IntentState, Outcome, Pool, PoolName, ProbeKind, Told, Trigger, Unit,
    Usd,
};
use heygen_monitor::store::{JobFilter, Retention, Store};

use super::samples::{account, at, decision, intent, job, observed, paid, seen, success};
use super::{DAY, open, query};

const DAY_SECS: i64 = 86_400;

fn ids(intents: &[Intent]) -> Vec<i64> {
    intents.iter().map(|intent| intent.id).collect()
}

fn closed(id: i64, second: i64, look: &str) -> Intent {
    Intent { state: IntentState::Closed, look: look.to_owned(), ..intent(id, second) }
}

#[tokio::test]
async fn every_intent_comes_back_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let outcomes = Outcome::ALL.into_iter().map(Some).chain([None]);
    let mut intents: Vec<Intent> =
        (1..).zip(outcomes).map(|(id, outcome)| Intent { outcome, ..intent(id, id) }).collect();
    for (place, intent) in intents.iter_mut().enumerate() {
        let kinds = [ProbeKind::Render, ProbeKind::Translation, ProbeKind::Speech];
        intent.kind = kinds[place % kinds.len()];
        intent.state = IntentState::ALL[place % IntentState::ALL.len()];
        intent.trigger = Trigger::ALL[place % Trigger::ALL.len()];
        intent.price = Usd(i64::try_from(place).unwrap() * 1_234_567);
        intent.job_id = (place % 2 == 0).then(|| format!("v_{place}"));
        intent.searches = u32::try_from(place).unwrap();
        intent.misses = u32::MAX;
        intent.failed_deletes = 3;
        intent.changed_at = at(1_000);
    }
    store.commit(&paid(intents.clone()), at(0)).await.unwrap();
    assert_eq!(store.recall(at(1_000)).await.unwrap().intents, intents);
    let mut newest_first = store.intents(at(0), 1_000).await.unwrap();
    newest_first.reverse();
    assert_eq!(newest_first, intents);
}

#[tokio::test]
async fn an_intent_is_on_disk_when_its_commit_returns_and_moves_in_its_row() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut decision = observed(success("render", 10));
    decision.intents = vec![intent(1, 11)];
    decision.jobs = vec![job("v_1", 11)];
    store.commit(&decision, at(11)).await.unwrap();
    for table in ["intents", "jobs", "observations"] {
        assert_eq!(query(directory.path(), &format!("SELECT count(*) FROM {table}")), [1]);
    }
    let moved = Intent {
        state: IntentState::Judged,
        job_id: Some("v_1".to_owned()),
        searches: 2,
        misses: 1,
        failed_deletes: 1,
        outcome: Some(Outcome::ResultInvalid),
        changed_at: at(300),
        ..intent(1, 11)
    };
    store.commit(&paid(vec![moved.clone()]), at(300)).await.unwrap();
    assert_eq!(store.intents(at(0), 10).await.unwrap(), [moved]);
}

#[tokio::test]
async fn a_number_or_a_nonce_is_never_given_twice() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    store.commit(&paid(vec![closed(1, 10, "")]), at(10)).await.unwrap();
    let same_number = Intent { nonce: "hgm-fra1-other".to_owned(), ..intent(1, 20) };
    let same_nonce = Intent { nonce: "hgm-fra1-1".to_owned(), ..intent(2, 20) };
    for intent in [same_number, same_nonce] {
        let mut decision = observed(success("render", 20));
        decision.intents = vec![intent];
        let error = store.commit(&decision, at(20)).await.unwrap_err();
        assert_eq!(error.operation, "commit");
    }
    assert_eq!(store.intents(at(0), 10).await.unwrap(), [closed(1, 10, "")]);
    let observations = query(directory.path(), "SELECT count(*) FROM observations");
    assert_eq!(observations, [0], "what came with it is not stored either");
}

#[tokio::test]
async fn open_recent_and_last_intents_are_recalled_oldest_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let now = 200 * DAY_SECS;
    let mut other_probe = closed(7, 70, "avatar-1");
    other_probe.probe = "speech".to_owned();
    let mut intents = vec![
        closed(1, 10, "avatar-1"),
        closed(2, 20, "avatar-1"),
        closed(3, 30, "avatar-1"),
        closed(4, 40, "avatar-2"),
        closed(5, 50, ""),
        closed(6, 60, ""),
        other_probe,
        Intent { state: IntentState::Absent, ..closed(8, 80, "") },
        Intent { state: IntentState::Refused, ..closed(9, now - 62 * DAY_SECS, "") },
    ];
    for (id, state) in (10..).zip(IntentState::ALL.into_iter().filter(|state| state.is_open())) {
        intents.push(Intent { state, ..closed(id, 100, "avatar-1") });
    }
    intents.push(closed(14, 110, "avatar-1"));
    intents.push(closed(15, 120, "avatar-1"));
    store.commit(&paid(intents), at(now)).await.unwrap();
    let recalled = store.recall(at(now)).await.unwrap().intents;
    assert_eq!(ids(&recalled), [4, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
}

#[tokio::test]
async fn intents_are_listed_newest_first_as_far_back_as_asked() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let intents = (1..=5).map(|id| closed(id, id * 10, "")).collect();
    store.commit(&paid(intents), at(100)).await.unwrap();
    assert_eq!(ids(&store.intents(at(20), 3).await.unwrap()), [5, 4, 3]);
    assert_eq!(ids(&store.intents(at(20), 10).await.unwrap()), [5, 4, 3, 2]);
}

async fn tell(store: &Store, key: &str, second: i64) {
    let mut decision = decision();
    decision.told = vec![Told { key: key.to_owned(), at: at(second) }];
    store.commit(&decision, at(second)).await.unwrap();
}

#[tokio::test]
async fn what_was_told_is_remembered_with_its_last_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    tell(&store, "not_watching:render", 10).await;
    tell(&store, "balance_low", 20).await;
    tell(&store, "not_watching:render", 30).await;
    let told = |key: &str, second| Told { key: key.to_owned(), at: at(second) };
    let recalled = store.recall(at(40)).await.unwrap().told;
    assert_eq!(recalled, [told("balance_low", 20), told("not_watching:render", 30)]);
}

async fn read_account(store: &Store, reading: &AccountReading) {
    let decision = super::samples::decision();
    let decision = heygen_monitor::engine::Decision { account: Some(reading.clone()), ..decision };
    store.commit(&decision, reading.at).await.unwrap();
    store.flush().await.unwrap();
}

#[tokio::test]
async fn the_account_is_recalled_as_it_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    assert_eq!(store.recall(at(0)).await.unwrap().account, None);
    let pool = |(place, name)| Pool {
        name,
        unit: Unit::ALL[place % 2],
        remaining: f64::from(u32::try_from(place).unwrap()) / 3.0 - 0.5,
    };
    let full = AccountReading {
        pools: PoolName::ALL.into_iter().enumerate().map(pool).collect(),
        ..account(10)
    };
    let bare = AccountReading {
        at: at(20),
        pools: Vec::new(),
        plan: heygen_monitor::model::Plan::default(),
        auto_reload: None,
        key_expires_at: None,
        clock_skew: None,
    };
    for reading in [full, bare] {
        read_account(&store, &reading).await;
        assert_eq!(store.recall(at(30)).await.unwrap().account, Some(reading));
    }
}

#[tokio::test]
async fn the_last_reading_of_each_day_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    // The first day ends at second 35,200.
    for second in [0, 100, 35_199, 35_200, 35_300, 3 * DAY_SECS] {
        read_account(&store, &account(second)).await;
    }
    let kept = "SELECT at_ms / 1000 - 1790000000 FROM account_readings ORDER BY day_at_ms";
    assert_eq!(query(directory.path(), kept), [35_199, 35_300, 3 * DAY_SECS]);
    let days = "SELECT DISTINCT day_at_ms % 86400000 FROM account_readings";
    assert_eq!(query(directory.path(), days), [0]);
    let recalled = store.recall(at(DAY_SECS)).await.unwrap().account;
    assert_eq!(recalled, Some(account(35_300)), "a day that has not come is not believed");
}

#[tokio::test]
async fn a_balance_that_is_no_number_spoils_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut reading = account(10);
    let endless = Pool { name: PoolName::UsageCap, unit: Unit::Usd, remaining: f64::INFINITY };
    reading.pools.push(endless);
    read_account(&store, &reading).await;
    assert_eq!(store.recall(at(20)).await.unwrap().account, Some(account(10)));
}

#[tokio::test]
async fn the_ledger_and_what_was_told_outlive_every_retention() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    store.commit(&paid(vec![closed(1, 10, "")]), at(10)).await.unwrap();
    tell(&store, "balance_low", 10).await;
    read_account(&store, &account(10)).await;
    let later = 500 * DAY_SECS;
    store.heartbeat(at(later)).await.unwrap();
    for minute in 1..=60 {
        store.heartbeat(at(later + minute * 60)).await.unwrap();
    }
    let now = at(later + 3_600);
    let retention = Retention { observations: DAY, failures: DAY };
    assert_eq!(store.retain(now, retention).await.unwrap(), 0);
    let recalled = store.recall(now).await.unwrap();
    assert_eq!(ids(&recalled.intents), [1], "the number is still known to be taken");
    assert_eq!((recalled.told.len(), recalled.account), (1, Some(account(10))));
}

#[tokio::test]
async fn a_reader_beside_the_daemon_sees_jobs_and_intents() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    store.commit(&seen(vec![job("v_1", 10)]), at(10)).await.unwrap();
    store.commit(&paid(vec![intent(1, 20)]), at(20)).await.unwrap();
    let reader = Store::open_to_read(&directory.path().join("history.db"));
    assert_eq!(reader.intents(at(0), 10).await.unwrap(), [intent(1, 20)]);
    let filter = JobFilter { live_only: true, kind: None, origin: None, before: None, limit: 10 };
    assert_eq!(reader.jobs(filter).await.unwrap(), [job("v_1", 10)]);
    assert!(reader.commit(&paid(vec![intent(2, 30)]), at(30)).await.is_err());
}
