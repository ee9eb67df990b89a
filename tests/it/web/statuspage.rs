//! `/api/v2`: what widgets and other monitors read of us.

use std::process::Stdio;
use std::sync::Arc;

use heygen_monitor::model::{Blame, Outcome, Reason, State, View};
use serde_json::Value;

use super::{Site, served};
use crate::sample_view::api_outage;

const BINARY: &str = env!("CARGO_BIN_EXE_heygen-monitor");

/// What `heygen-monitor status-page` makes of our own page.
async fn read_by_ourselves(site: &Site) -> Value {
    let output = served(site, async |address| {
        let mut command = tokio::process::Command::new(BINARY);
        command.env_clear().args(["status-page", &format!("http://{address}"), "--json"]);
        command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap()
    })
    .await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Every capability in another state, and none with an incident.
fn of_all_states() -> View {
    let mut view = api_outage();
    view.incidents.clear();
    let states =
        [State::Operational, State::Degraded, State::Outage, State::Maintenance, State::Unknown];
    for (one, state) in view.verdict.capabilities.iter_mut().zip(states) {
        one.state = state;
        one.blame = Blame::Provider;
        one.reason = Reason::Outcome(Outcome::Ok);
    }
    view
}

#[tokio::test]
async fn our_own_reader_shows_the_same_states() {
    let site = Site::new(Some(of_all_states()));
    let page = read_by_ourselves(&site).await;
    assert_eq!(page["product"], "statuspage");
    assert_eq!(page["page"]["name"], "HeyGen, seen from fra-1");
    assert_eq!(page["state"], "major_outage");
    let rows = page["components"].as_array().unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row["id"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("video_generation", "operational"),
        ("video_translation", "degraded_performance"),
        ("api", "major_outage"),
        ("web_app", "under_maintenance"),
        ("authentication", "unknown"),
    ];
    assert_eq!(shown, expected, "what is used and watched, and nothing else");
}

#[tokio::test]
async fn a_monitor_that_knows_nothing_is_not_green() {
    let mut view = of_all_states();
    view.verdict.state = State::Unknown;
    view.verdict.capabilities.iter_mut().for_each(|one| one.state = State::Unknown);
    let page = read_by_ourselves(&Site::new(Some(view))).await;
    assert_eq!(page["state"], "unknown");
}

#[tokio::test]
async fn open_incidents_are_read_too() {
    let site = Site::new(Some(api_outage()));
    let page = read_by_ourselves(&site).await;
    let incident = &page["incidents"][0];
    assert_eq!(incident["id"], "7");
    assert_eq!(incident["title"], "HeyGen: API not answering since 09:00 (#7)");
    assert_eq!(incident["phase"], "investigating");
    assert_eq!(incident["components"], serde_json::json!(["api"]));
    assert_eq!(incident["started_at"], "2026-11-20T09:00:00Z");
}

#[tokio::test]
async fn the_documents_say_the_same() {
    let site = Site::new(Some(api_outage()));
    site.remember(2).await;
    let public_url = Some("https://status.example.org/heygen/".parse().unwrap());
    site.settings.send_modify(|settings| settings.public_url = public_url);
    let summary = site.get("/api/v2/summary.json").await.json();
    let status = site.get("/api/v2/status.json").await.json();
    let components = site.get("/api/v2/components.json").await.json();
    let incidents = site.get("/api/v2/incidents.json").await.json();
    assert_eq!(summary["status"]["indicator"], "critical");
    assert_eq!(summary["status"], status["status"]);
    assert_eq!(summary["components"], components["components"]);
    assert_eq!(summary["page"], incidents["page"]);
    assert_eq!(summary["page"]["url"], "https://status.example.org/heygen");
    assert_eq!(incidents["incidents"].as_array().unwrap().len(), 2);
    let link = &incidents["incidents"][0]["shortlink"];
    assert_eq!(link, "https://status.example.org/heygen/incidents/2");
    site.view.send_replace(Some(Arc::new(of_all_states())));
    assert_eq!(site.get("/api/v2/summary.json").await.json()["incidents"], serde_json::json!([]));
}
