//! Three monitors on one HeyGen: what one of them cannot reach is its own trouble.

use heygen_monitor::clock::Clock;
use heygen_monitor::model::{Blame, SourceView, State, View};
use heygen_monitor::simulator::{Caller, Effect, Rule, Service};
use serde_json::Value;

use crate::support::bench::{Bench, Key, Wanted};
use crate::support::days::{Days, is};
use crate::support::{client, get, wait_until};

const FACTOR: f64 = 90.0;

/// As `vantage`, asking the API at `base_url`, with these peers; without a key it asks every minute.
fn wanted(key: Key, base_url: &'static str, peers: &[String]) -> Wanted {
    let mut extra = String::new();
    if key == Key::None {
        extra.push_str(
            "[[probe]]\nname = \"api-quick\"\nevery = \"60s\"\ncapabilities = [\"api\"]\n\
             check.api = { path = \"/v3/users/me\", anonymous = true }\n",
        );
    }
    for (index, url) in peers.iter().enumerate() {
        let page = format!("name = \"peer-{index}\"\nurl = \"{url}\"\nrole = \"peer\"\n");
        extra.push_str("[[status_page]]\n");
        extra.push_str(&page);
    }
    Wanted { key, base_url: Some(base_url), extra, ..Wanted::default() }
}

/// What a monitor says that a probe asks.
fn target<'a>(probes: &'a Value, probe: &str) -> &'a Value {
    let rows = probes["data"].as_array().unwrap();
    &rows.iter().find(|row| row["probe"] == probe).unwrap()["target"]
}

fn is_read(source: &SourceView) -> bool {
    source.last.as_ref().is_some_and(|last| last.page.is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_of_three_cannot_reach_is_its_own_trouble() {
    let origin = "2026-11-20T09:00:00Z".parse().unwrap();
    let clock = Clock::starting_at(origin, FACTOR);
    let mut others = Vec::new();
    let heygen = Bench::start(clock.clone()).await;
    let base_url: &'static str = heygen.simulator.url(Service::Api).leak();
    for vantage in ["sgp-1", "iad-1"] {
        let bench = Bench::start(clock.clone()).await;
        let wanted = wanted(Key::None, base_url, &[]);
        let path = bench.write_configuration(&wanted);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"bench\"", &format!("\"{vantage}\""))).unwrap();
        let running = Days::daemon_of(path, Bench::surroundings(Key::None), clock.clone()).await;
        others.push((bench, running));
    }
    let peers: Vec<String> =
        others.iter().map(|(_, running)| format!("http://{}", running.address())).collect();
    // What is no monitor has no voice.
    let stranger = heygen.simulator.url(Service::StatusPage);
    let wanted = wanted(Key::Right, base_url, &[&peers[..], &[stranger]].concat());
    let running = Days::daemon(&heygen, &wanted, clock).await;
    let days = Days { bench: heygen, running, origin };
    days.sees("good health", 6, is(State::Operational, Blame::None)).await;
    let (_, probes) = get(&client(), &format!("{}/api/v1/probes", peers[0])).await;
    assert_eq!(target(&probes, "api-quick"), &format!("GET {base_url}/v3/users/me"));
    assert_eq!(target(&probes, "control"), &Value::Null);
    // A plan cannot tell places apart; the one in trouble is the one with a key.
    let cut = Rule::on(Service::Api, "/v3/users/me", Effect::Reset).caller(Caller::Keyed);
    days.bench.simulator.plan(|plan| plan.add(cut));
    let is_local = |view: &View| {
        let verdict = &view.verdict;
        verdict.reason.as_str() == "local_view"
            && verdict.headline.contains("1 of 3 places sees it")
    };
    let view = days.sees("its own trouble", 14, is_local).await;
    assert_eq!((view.verdict.state, view.verdict.blame), (State::Degraded, Blame::Network));
    let pages: Vec<bool> = view.sources.iter().skip(1).map(is_read).collect();
    assert_eq!(pages, [true, true, false]);
    for (_, other) in &others {
        let view = other.view().borrow().clone().unwrap();
        assert!(is(State::Operational, Blame::None)(&view), "{:#?}", view.verdict);
    }
    wait_until("somebody is told", || !days.slack().is_empty()).await;
    days.bench.simulator.plan(|plan| *plan = heygen_monitor::simulator::Plan::default());
    days.sees("the end", 22, is(State::Operational, Blame::None)).await;
    let told = days.slack();
    assert!(told.iter().all(|text| !text.contains("HeyGen's side")), "{told:#?}");
    days.running.stop().await;
    for (_, other) in &others {
        other.stop().await;
    }
}
