//! An outage reaches people: through a real SMTP conversation and a real webhook, in time, and
//! whatever `kill -9` does in between.

use std::collections::BTreeMap;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{Effect, Rule, Service};
use tokio::time::Instant;

use crate::support::bench::{Bench, Foreground, Wanted};
use crate::support::wait_until;

/// Probes are due this often here.
const EVERY: Duration = Duration::from_millis(500);
/// Suspects are asked again this often here.
const RECHECK: Duration = Duration::from_millis(200);
/// Bad observations in a row that confirm an outage without a second probe's word.
const FAILURES: u32 = 5;
/// What a confirmed outage may take to arrive (the issue's own figure).
const DELIVERY: Duration = Duration::from_secs(2);
/// Rounds of kills; each is a world of its own.
const ROUNDS: u64 = 8;

fn wanted() -> Wanted {
    Wanted { every: "0.5s", recheck: "0.2s", ..Wanted::default() }
}

async fn healthy(bench: &Bench) -> Foreground {
    let run = bench.run(&wanted()).await;
    let asked = || bench.simulator.received(Service::Api).len();
    wait_until("the API is asked", || asked() > 2).await;
    run
}

fn break_the_api(bench: &Bench) {
    let rule = Rule::on(Service::Api, "/v3", Effect::unavailable());
    bench.simulator.plan(|plan| plan.add(rule));
}

fn mend_the_api(bench: &Bench) {
    bench.simulator.plan(|plan| *plan = heygen_monitor::simulator::Plan::default());
}

fn told(bench: &Bench, word: &str) -> (usize, usize) {
    let slack = bench.slack().iter().filter(|(_, text)| text.contains(word)).count();
    let mail = bench.mails().iter().filter(|mail| mail.text.starts_with(word)).count();
    (slack, mail)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_within_its_confirmation_and_two_seconds() {
    let bench = Bench::start(Clock::system()).await;
    let run = healthy(&bench).await;
    break_the_api(&bench);
    let begun = Instant::now();
    wait_until("mail and Slack are told", || {
        let (slack, mail) = told(&bench, "Down");
        slack > 0 && mail > 0
    })
    .await;
    let confirmation = EVERY + RECHECK * FAILURES;
    let took = begun.elapsed();
    assert!(took < confirmation + DELIVERY, "{took:?}, confirmed within {confirmation:?}");
    assert_eq!(told(&bench, "Down"), (1, 1));
    assert_eq!(run.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_an_outage_or_its_end() {
    let rounds = (1..=ROUNDS).map(round);
    futures_util::future::join_all(rounds).await;
}

/// Breaks the API, kills the daemon at a moment that depends on the seed, starts it again, sees
/// both channels told; then the same for the recovery.
async fn round(seed: u64) {
    let bench = Bench::start(Clock::system()).await;
    let run = healthy(&bench).await;
    break_the_api(&bench);
    tokio::time::sleep(moment(seed)).await;
    run.kill().await;
    let run = bench.run(&wanted()).await;
    let is_told = |word| {
        let (slack, mail) = told(&bench, word);
        slack > 0 && mail > 0
    };
    wait_until(&format!("the outage is told (seed {seed})"), || is_told("Down")).await;
    mend_the_api(&bench);
    tokio::time::sleep(moment(seed + ROUNDS)).await;
    run.kill().await;
    let run = bench.run(&wanted()).await;
    wait_until(&format!("its end is told (seed {seed})"), || is_told("Resolved")).await;
    assert_eq!(run.stop().await, Some(0));
    assert_duplicates_are_of_kills(&bench, seed);
}

/// Between nothing and somewhat more than confirmation and delivery take, spread evenly.
fn moment(seed: u64) -> Duration {
    let spread = (seed * 7_919) % 20;
    Duration::from_millis(100 * spread)
}

/// A kill between acceptance and mark may send a message twice: with the same `Message-ID`, and
/// never more often than there were kills.
fn assert_duplicates_are_of_kills(bench: &Bench, seed: u64) {
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for id in bench.message_ids() {
        *by_id.entry(id).or_default() += 1;
    }
    assert_eq!(by_id.len(), 2, "opened and resolved, nothing else (seed {seed}): {by_id:?}");
    let duplicates: usize = by_id.values().map(|count| count - 1).sum();
    assert!(duplicates <= 2, "seed {seed}: {by_id:?}");
}
