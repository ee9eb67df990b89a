//! Places for jobs in progress, and long lists.

use std::time::Duration;

use heygen_monitor::simulator::{JobKind, Lifecycle, Service};
use serde_json::Value;

use super::{after, still};
use crate::support::{client, get};

const MINUTE: Duration = Duration::from_mins(1);

/// Minutes from the first job at which each begins; `-` never.
fn begins(jobs: &[&heygen_monitor::simulator::Job]) -> String {
    let minutes = |job: &heygen_monitor::simulator::Job| {
        let begins = job.begins_at().map(|at| at.duration_since(after(0)).as_secs() / 60);
        begins.map_or_else(|| "-".to_owned(), |minutes| minutes.to_string())
    };
    jobs.iter().map(|job| minutes(job)).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_batch_waits_for_places_in_its_order() {
    let simulator = still().await;
    simulator.account(|account| {
        account.limit_concurrency(2);
        for i in 0..6 {
            let life = Lifecycle::completing(MINUTE, 10 * MINUTE);
            account.seed(JobKind::Video, &format!("batch {i}"), after(0), life);
        }
        assert_eq!(begins(&account.jobs()), "1 1 11 11 21 21");
        let third = account.jobs()[2].id.clone();
        assert!(account.change(&third, |job| job.lifecycle.processing = None));
        assert_eq!(begins(&account.jobs()), "1 1 11 11 21 31", "a place is held for ever");
        account.seed(JobKind::Video, "early", after(-1), Lifecycle::completing(MINUTE, MINUTE));
        assert_eq!(begins(&account.jobs()), "0 1 1 11 11 21 31", "it came first");
        account.seed(JobKind::Video, "stuck", after(0), Lifecycle::stuck_in_queue());
        account.lift_concurrency();
        assert_eq!(begins(&account.jobs()), "0 1 1 1 1 1 1 -");
    });
}

#[tokio::test]
async fn a_hundred_videos_on_ten_places_are_a_backlog_of_ninety() {
    let simulator = still().await;
    let ids: Vec<String> = simulator.account(|account| {
        account.limit_concurrency(10);
        let life = Lifecycle::completing(Duration::ZERO, 10 * MINUTE);
        let seed = |i| account.seed(JobKind::Video, &format!("{i}"), after(-5), life.clone());
        (0..100).map(seed).collect()
    });
    let base = simulator.url(Service::Api);
    let url = format!("{base}/v3/videos/statuses?video_ids={}", ids.join(","));
    let (_, answer) = get(&client(), &url).await;
    let words: Vec<&str> = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["status"].as_str().unwrap())
        .collect();
    assert_eq!(words.iter().filter(|word| **word == "processing").count(), 10);
    assert_eq!(words.iter().filter(|word| **word == "queued").count(), 90);
}

#[tokio::test]
async fn a_job_whose_time_has_not_come_is_not_there() {
    let simulator = still().await;
    let id = simulator.account(|account| {
        account.seed(JobKind::Video, "past", after(-1), Lifecycle::default());
        account.seed(JobKind::Video, "future", after(60), Lifecycle::default())
    });
    let base = format!("{}/v3/videos", simulator.url(Service::Api));
    let (_, list) = get(&client(), &base).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(get(&client(), &format!("{base}/{id}")).await.0, 404);
}

#[tokio::test]
async fn an_account_with_100_000_videos_lists_quickly() {
    let simulator = still().await;
    let began = tokio::time::Instant::now();
    simulator.account(|account| {
        let life = Lifecycle::completing(MINUTE, MINUTE);
        for i in 0..100_000_i64 {
            account.seed(JobKind::Video, &format!("video {i}"), after(i - 100_000), life.clone());
        }
        account.seed(JobKind::Translation, "one", after(-200_000), life);
    });
    let base = simulator.url(Service::Api);
    let client = client();
    let mut query = "limit=100".to_owned();
    for page in 0..50 {
        let (status, list) = get(&client, &format!("{base}/v3/videos?{query}")).await;
        assert_eq!((status, list["data"].as_array().unwrap().len()), (200, 100));
        let first = format!("video {}", 99_999 - 100 * page);
        assert_eq!(list["data"][0]["title"], first.as_str());
        query = format!("limit=100&token={}", list["next_token"].as_str().unwrap());
    }
    for _ in 0..50 {
        let (_, list) = get(&client, &format!("{base}/v3/video-translations?limit=100")).await;
        assert_eq!(
            (list["data"].as_array().unwrap().len(), &list["next_token"]),
            (1, &Value::Null)
        );
    }
    let (_, found) = get(&client, &format!("{base}/v3/videos?title=video+77777")).await;
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    let elapsed = began.elapsed();
    eprintln!("100,000 videos made and 101 lists read in {elapsed:?}");
    assert!(elapsed < Duration::from_secs(30), "{elapsed:?}");
}

#[tokio::test]
async fn a_page_stays_where_it_was_when_its_job_is_deleted() {
    let simulator = still().await;
    simulator.account(|account| {
        for i in 0..5 {
            account.seed(JobKind::Video, &format!("{i}"), after(i - 10), Lifecycle::default());
        }
    });
    let base = format!("{}/v3/videos", simulator.url(Service::Api));
    let (_, first) = get(&client(), &format!("{base}?limit=2")).await;
    let last = first["data"][1]["id"].as_str().unwrap();
    super::created(client().delete(format!("{base}/{last}"))).await;
    let token = first["next_token"].as_str().unwrap();
    let (_, second) = get(&client(), &format!("{base}?limit=2&token={token}")).await;
    assert_eq!(second["data"][0]["title"], "2");
    let (status, refused) = get(&client(), &format!("{base}?token=nonsense")).await;
    assert_eq!((status, refused["error"]["param"].as_str()), (400, Some("token")));
}
