//! The account, read on the way of a keyed call.

use heygen_monitor::clock::Clock;
use heygen_monitor::model::{AccountReading, PoolName};
use heygen_monitor::probe::{ProbeDeps, Run, Worker, worker};

use super::desk::{Desk, json, refusal};
use super::{TIMEOUT, api, deps, spec};

const WALLET: &str = r#"{"data":{"email":"jane@example.com","wallet":{"currency":"usd",
    "remaining_balance":12.5,"auto_reload":{"enabled":false}}}}"#;
const KEY_ENDS: &str = r#"{"data":{"key_id":"k","expires_at":"2026-11-30T00:00:00Z"}}"#;

async fn readings(desk: &Desk, deps: &ProbeDeps, anonymous: bool) -> [Option<AccountReading>; 2] {
    let Worker::Looks(prober) = worker(&spec(api(anonymous)), deps) else {
        panic!("a probe that looks")
    };
    let mut both = Vec::new();
    for _ in 0..2 {
        let step = prober.run(Run::looking(TIMEOUT, false)).await;
        assert_eq!(step.observations.len(), 1, "{:?}", desk.lines());
        assert!(!format!("{step:?}").contains("jane@example.com"));
        both.push(step.account.map(|reading| *reading));
    }
    both.try_into().unwrap()
}

#[tokio::test]
async fn a_read_of_the_account_tells_its_balance_and_now_and_then_the_keys_end() {
    let desk = Desk::open(|asked| match asked.path.as_str() {
        "/v3/users/me" => json(200, WALLET),
        _ => json(200, KEY_ENDS),
    })
    .await;
    for reading in readings(&desk, &deps(&desk.url), false).await {
        let reading = reading.unwrap();
        assert_eq!((reading.pools[0].name, reading.auto_reload), (PoolName::Wallet, Some(false)));
        assert_eq!(reading.key_expires_at, Some("2026-11-30T00:00:00Z".parse().unwrap()));
        assert!(reading.clock_skew.is_some());
    }
    assert_eq!(desk.lines(), ["GET /v3/users/me", "GET /v3/api_keys/self", "GET /v3/users/me"]);
    let origin = "2026-11-20T09:00:00Z".parse().unwrap();
    let fast = ProbeDeps { clock: Clock::starting_at(origin, 1e9), ..deps(&desk.url) };
    readings(&desk, &fast, false).await;
    assert_eq!(desk.lines().len(), 7, "after six hours it is read again");
}

#[tokio::test]
async fn a_key_that_is_not_told_of_costs_nothing() {
    let desk = Desk::open(|asked| match asked.path.as_str() {
        "/v3/users/me" => json(200, WALLET),
        _ => refusal(404, "not_found"),
    })
    .await;
    for reading in readings(&desk, &deps(&desk.url), false).await {
        assert_eq!(reading.unwrap().key_expires_at, None);
    }
    assert_eq!(desk.lines().len(), 3);
}

#[tokio::test]
async fn a_call_that_fails_or_has_no_key_tells_nothing() {
    let desk = Desk::open(|_| refusal(401, "unauthorized")).await;
    for anonymous in [true, false] {
        assert_eq!(readings(&desk, &deps(&desk.url), anonymous).await, [None, None]);
    }
    assert_eq!(desk.lines().len(), 4);
}
