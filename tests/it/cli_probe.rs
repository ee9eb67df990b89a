//! `probe NAME` by the real binary; of a paid test beside a real daemon.

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{Effect, Rule, Service};
use heygen_monitor::wire::ObservationJson;
use serde_json::Value;

use crate::support::bench::{Bench, Wanted};
use crate::support::wait_until;

const SPEECH: &str = "[budget]\nusd_per_day = 1.0\nusd_per_month = 20.0\nreserve = { usd = 0.0 }\n\
                      [[probe]]\nname = \"speech\"\ncheck.speech = { voice = \"voice_anna\" }\n";

fn wanted(extra: &str) -> Wanted {
    Wanted { extra: extra.to_owned(), ..Wanted::default() }
}

fn sent(bench: &Bench) -> usize {
    let received = bench.simulator.received(Service::Api);
    received.iter().filter(|one| one.method == "POST" && one.path == "/v3/voices/speech").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_test_by_hand_asks_first_and_is_sent_by_the_daemon() {
    let bench = Bench::start(Clock::system()).await;
    let wanted = wanted(SPEECH);
    let run = bench.run(&wanted).await;
    wait_until("the first test of its own accord", || sent(&bench) == 1).await;

    let said = bench.say(&wanted, &["probe", "speech"]).await;
    assert_eq!(said.code, Some(64), "nobody agreed: {said:?}");
    assert_eq!(sent(&bench), 1, "nobody agreed");

    // The first one may still be followed; one of a kind is in flight at a time.
    let said = loop {
        let said = bench.say(&wanted, &["probe", "speech", "--yes", "--debug"]).await;
        if !said.stderr.contains("in flight already") {
            break said;
        }
    };
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.starts_with("speech: ok ("), "{said:?}");
    assert!(said.stderr.contains("at most $"), "{said:?}");
    assert_eq!(sent(&bench), 2);
    let budget = bench.say(&wanted, &["budget"]).await;
    assert!(budget.stdout.contains("by hand"), "{budget:?}");
    assert_eq!(run.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_test_by_hand_keeps_every_bound() {
    let bench = Bench::start(Clock::system()).await;
    let broke = wanted(&SPEECH.replace("usd_per_day = 1.0", "usd_per_day = 0.000001"));
    let said = bench.say(&broke, &["probe", "speech", "--yes"]).await;
    assert_eq!(said.code, Some(1), "no daemon runs: {said:?}");
    let run = bench.run(&broke).await;
    let said = bench.say(&broke, &["probe", "speech", "--yes"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.stdout.contains("skipped") && said.stdout.contains("is used up"), "{said:?}");
    assert_eq!(sent(&bench), 0);
    assert_eq!(run.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_is_printed_as_the_api_prints_observations() {
    let bench = Bench::start(Clock::system()).await;
    let down = Rule::on(Service::Api, "/v3", Effect::unavailable());
    bench.simulator.plan(|plan| plan.add(down));
    let said = bench.say(&Wanted::default(), &["probe", "api-read", "--json"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    let seen: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(seen["unreadable"], Value::Null, "{seen:#}");
    let [observation] = seen["observations"].as_array().unwrap().as_slice() else {
        panic!("{seen:#}")
    };
    let _shape: ObservationJson = serde_json::from_value(observation.clone()).unwrap();
    assert_eq!(
        (&observation["probe"], &observation["outcome"]),
        (&"api-read".into(), &"unavailable".into())
    );
    assert_eq!(observation["answer"]["http_status"], 503, "{observation:#}");
    let both = bench.say(&Wanted::default(), &["probe", "api-read", "--json", "--debug"]).await;
    assert_eq!(both.code, Some(64), "{both:?}");
}
