//! Golden scenario 11 by the real binary in real time, with limits of seconds.

use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{JobKind, Lifecycle, Service};
use serde_json::Value;
use tokio::time::Instant;

use crate::support::bench::{Bench, Wanted};
use crate::support::{client, get, wait_until};

/// A queued video is stuck after this here.
const STUCK_AFTER: Duration = Duration::from_secs(4);
/// What the verdict may take beyond the limit.
const MARGIN: Duration = Duration::from_secs(2);

/// Reads the account's videos twice a second, with limits of seconds.
pub(crate) fn watching_videos() -> Wanted {
    let limits =
        "[jobs.render]\nqueue_floor = \"1s\"\nqueue_late = \"3.9s\"\nqueue_stuck = \"4s\"\n";
    let queue = "[[probe]]\nname = \"queue\"\nevery = \"0.5s\"\ncheck.queue = {}\n";
    Wanted {
        every: "0.5s",
        recheck: "0.2s",
        extra: format!("{limits}{queue}"),
        ..Wanted::default()
    }
}

/// Waits until the videos were listed.
pub(crate) async fn listed(bench: &Bench) {
    let lists = || {
        let received = bench.simulator.received(Service::Api);
        received
            .iter()
            .filter(|one| one.method == "GET" && one.path.starts_with("/v3/videos"))
            .count()
    };
    wait_until("the videos are listed", || lists() > 2).await;
}

/// Three videos of the account that never start; their ids.
pub(crate) fn leave_videos_waiting(bench: &Bench) -> Vec<String> {
    let now = bench.simulator.clock().now();
    let seed = |_| {
        let stuck = Lifecycle::stuck_in_queue();
        bench.simulator.account(|account| account.seed(JobKind::Video, "spot", now, stuck))
    };
    (0..3).map(seed).collect()
}

fn generation(verdict: &Value) -> &Value {
    let capabilities = verdict["capabilities"].as_array().unwrap();
    capabilities.iter().find(|one| one["capability"] == "video_generation").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_11_in_real_time_is_told_within_its_limit_and_two_seconds() {
    let bench = Bench::start(Clock::system()).await;
    let run = bench.run(&watching_videos()).await;
    listed(&bench).await;
    leave_videos_waiting(&bench);
    let begun = Instant::now();
    let (client, url) = (client(), format!("{}/api/v1/verdict", run.url()));
    let deadline = Duration::from_secs(20);
    let verdict = loop {
        let (status, verdict) = get(&client, &url).await;
        if status == 200 && generation(&verdict)["reason"] == "jobs_stuck" {
            break verdict;
        }
        assert!(begun.elapsed() < deadline, "{:#}", generation(&verdict));
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let took = begun.elapsed();
    let one = generation(&verdict);
    assert_eq!((&one["state"], &one["blame"]), (&"outage".into(), &"provider".into()));
    let translation = verdict["capabilities"].as_array().unwrap().iter();
    let others = translation.filter(|one| one["capability"] != "video_generation");
    assert!(others.clone().all(|one| one["state"] != "outage"), "{verdict:#}");
    let is_told = || bench.slack().iter().any(|(_, text)| text.contains("have waited"));
    wait_until("Slack is told", is_told).await;
    println!("limit {STUCK_AFTER:?}: verdict after {took:.1?}, told after {:.1?}", begun.elapsed());
    assert!(took >= STUCK_AFTER.saturating_sub(Duration::from_secs(1)), "{took:?}");
    assert!(took < STUCK_AFTER + MARGIN, "{took:?}");
    assert_eq!(run.stop().await, Some(0));
}
