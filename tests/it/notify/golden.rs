//! What each channel sends for each event, to the letter: the opening whole, the others by what is
//! different from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use heygen_monitor::model::{Delivery, EventKind};
use heygen_monitor::notify::Notifier;
use serde_json::Value;

use super::stub::HttpStub;
use super::{
    alertmanager_channel, delivery, message, now, ntfy_channel, pagerduty_channel,
    slack_bot_channel, webhook_channel,
};

const EVENTS: [EventKind; 7] = [
    EventKind::Opened,
    EventKind::AcknowledgedOfficially,
    EventKind::Worsened,
    EventKind::Flapping,
    EventKind::Resolved,
    EventKind::Warning,
    EventKind::Drill,
];

/// What the channel sends for `event`.
async fn sent(
    event: EventKind,
    make: impl Fn(&str) -> Box<dyn Notifier>,
    thread_ref: &str,
) -> Vec<(String, Value)> {
    let stub = HttpStub::start([]).await;
    let mut delivery: Delivery = delivery(message(event));
    if delivery.message.incident.is_some() && event != EventKind::Opened {
        delivery.thread_ref = Some(thread_ref.to_owned());
    }
    make(&stub.url).send(&delivery, now()).await;
    stub.seen().iter().map(|seen| (seen.path.clone(), seen.json())).collect()
}

/// The texts of a call of Slack, block by block.
fn shown(path: &str, call: &Value) -> String {
    let word = |name: &str| call[name].as_str().map(|word| format!(" {name}={word}"));
    let place: String =
        ["channel", "ts", "thread_ts"].iter().filter_map(|name| word(name)).collect();
    let broadcast = if call["reply_broadcast"] == true { " broadcast" } else { "" };
    let mut text = format!("  {path}{place}{broadcast}\n");
    for block in call["blocks"].as_array().unwrap() {
        let texts = match block["type"].as_str().unwrap() {
            "context" => block["elements"].as_array().unwrap().clone(),
            _ => vec![block["text"].clone()],
        };
        for one in texts {
            let (kind, form) = (block["type"].as_str().unwrap(), one["type"].as_str().unwrap());
            writeln!(text, "    {kind} {form}: {}", one["text"]).unwrap();
        }
    }
    text
}

/// Every leaf of the requests by its path.
fn leaves(requests: &[(String, Value)]) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    for (i, (path, body)) in requests.iter().enumerate() {
        walk(&format!("{} {path}", i + 1), body, &mut leaves);
    }
    leaves
}

fn walk(place: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                walk(&format!("{place} .{name}"), value, leaves);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (i, value) in items.iter().enumerate() {
                walk(&format!("{place} {i:02}"), value, leaves);
            }
        }
        other => drop(leaves.insert(place.to_owned(), other.to_string())),
    }
}

/// The shortest paths of which nothing is left.
fn gone(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> BTreeSet<String> {
    let is_left = |path: &str| now.keys().any(|place| place.starts_with(path));
    before
        .keys()
        .filter_map(|place| {
            let ends = place.match_indices(' ').map(|(end, _)| end).chain([place.len()]);
            let mut paths = ends.filter_map(|end| place.get(..end));
            paths.find(|path| !is_left(path)).map(str::to_owned)
        })
        .collect()
}

/// What the channel sends for each event. `thread_ref` is what the opening was answered with.
async fn golden(make: impl Fn(&str) -> Box<dyn Notifier>, thread_ref: &str) -> String {
    let mut text = String::new();
    let mut opened = BTreeMap::new();
    for event in EVENTS {
        let stub = HttpStub::start([]).await;
        let mut delivery: Delivery = delivery(message(event));
        if delivery.message.incident.is_some() && event != EventKind::Opened {
            delivery.thread_ref = Some(thread_ref.to_owned());
        }
        make(&stub.url).send(&delivery, now()).await;
        let seen = stub.seen();
        let requests: Vec<_> = seen.iter().map(|seen| (seen.path.clone(), seen.json())).collect();
        let leaves = leaves(&requests);
        writeln!(text, "{event}").unwrap();
        for (place, value) in &leaves {
            if opened.get(place) != Some(value) {
                writeln!(text, "  {place}: {value}").unwrap();
            }
        }
        for place in gone(&opened, &leaves) {
            writeln!(text, "  {place}: gone").unwrap();
        }
        if event == EventKind::Opened {
            opened = leaves;
        }
    }
    text
}

#[tokio::test]
async fn ntfy() {
    insta::assert_snapshot!(golden(ntfy_channel, "ntfy0001").await, @r#"
    opened
      1 / .click: "https://status.example.org/incidents/42"
      1 / .message: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 1 about incident #42."
      1 / .priority: 5
      1 / .tags: ["rotating_light"]
      1 / .title: "Down – HeyGen: API not answering. HeyGen's side"
      1 / .topic: "heygen-alerts"
    acknowledged_officially
      1 / .message: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating\nChecked from fra-1, account default. Message 2 about incident #42."
      1 / .title: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened
      1 / .message: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 2 about incident #42."
      1 / .title: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping
      1 / .message: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 2 about incident #42."
      1 / .priority: 4
      1 / .tags: ["warning"]
      1 / .title: "Flapping, up and down – HeyGen: API not answering. HeyGen's side"
    resolved
      1 / .message: "Whose side: HeyGen's side\nFrom 09:00 (08:00 UTC) to 09:14 (08:14 UTC), 14 min\nTouches: API and API key\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nNo matching notice found on HeyGen's page\nChecked from fra-1, account default. Message 2 about incident #42."
      1 / .priority: 3
      1 / .tags: ["white_check_mark"]
      1 / .title: "Resolved after 14 min – HeyGen: API answers again"
    warning
      1 / .message: "What to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default."
      1 / .priority: 3
      1 / .tags: ["warning"]
      1 / .title: "Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 / .click: gone
    drill
      1 / .message: "What to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default."
      1 / .priority: 3
      1 / .tags: ["test_tube"]
      1 / .title: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
      1 / .click: gone
    "#);
}

#[tokio::test]
async fn pagerduty() {
    insta::assert_snapshot!(golden(pagerduty_channel, "heygen-monitor-m0n1-42").await, @r#"
    opened
      1 /v2/enqueue .client: "heygen-monitor"
      1 /v2/enqueue .dedup_key: "heygen-monitor-m0n1-42"
      1 /v2/enqueue .event_action: "trigger"
      1 /v2/enqueue .links 00 .href: "https://status.example.org/incidents/42"
      1 /v2/enqueue .links 00 .text: "Details on our own page"
      1 /v2/enqueue .payload .class: "unavailable"
      1 /v2/enqueue .payload .component: "HeyGen"
      1 /v2/enqueue .payload .custom_details .blame: "provider"
      1 /v2/enqueue .payload .custom_details .capabilities: ["api","authentication"]
      1 /v2/enqueue .payload .custom_details .event: "opened"
      1 /v2/enqueue .payload .custom_details .incident: 42
      1 /v2/enqueue .payload .custom_details .opened_at: "2026-11-20T08:00:00Z"
      1 /v2/enqueue .payload .custom_details .reason: "unavailable"
      1 /v2/enqueue .payload .custom_details .state: "outage"
      1 /v2/enqueue .payload .custom_details .summary: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 1 about incident #42."
      1 /v2/enqueue .payload .group: "default"
      1 /v2/enqueue .payload .severity: "critical"
      1 /v2/enqueue .payload .source: "fra-1"
      1 /v2/enqueue .payload .summary: "Down – HeyGen: API not answering. HeyGen's side"
      1 /v2/enqueue .payload .timestamp: "2026-11-20T08:14:00Z"
      1 /v2/enqueue .routing_key: "R0UT1NGSECRETSECRET"
    acknowledged_officially
      1 /v2/enqueue .payload .custom_details .event: "acknowledged_officially"
      1 /v2/enqueue .payload .custom_details .summary: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating\nChecked from fra-1, account default. Message 2 about incident #42."
      1 /v2/enqueue .payload .summary: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened
      1 /v2/enqueue .payload .custom_details .event: "worsened"
      1 /v2/enqueue .payload .custom_details .summary: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 2 about incident #42."
      1 /v2/enqueue .payload .summary: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping
      1 /v2/enqueue .payload .custom_details .event: "flapping"
      1 /v2/enqueue .payload .custom_details .summary: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 2 about incident #42."
      1 /v2/enqueue .payload .severity: "warning"
      1 /v2/enqueue .payload .summary: "Flapping, up and down – HeyGen: API not answering. HeyGen's side"
    resolved
      1 /v2/enqueue .event_action: "resolve"
      1 /v2/enqueue .client: gone
      1 /v2/enqueue .links: gone
      1 /v2/enqueue .payload: gone
    warning
      1 /v2/enqueue .dedup_key: "heygen-monitor-m0n1-warning-7"
      1 /v2/enqueue .links: []
      1 /v2/enqueue .payload .class: "warning"
      1 /v2/enqueue .payload .custom_details .event: "warning"
      1 /v2/enqueue .payload .custom_details .summary: "What to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default."
      1 /v2/enqueue .payload .severity: "warning"
      1 /v2/enqueue .payload .summary: "Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /v2/enqueue .links 00: gone
      1 /v2/enqueue .payload .custom_details .blame: gone
      1 /v2/enqueue .payload .custom_details .capabilities: gone
      1 /v2/enqueue .payload .custom_details .incident: gone
      1 /v2/enqueue .payload .custom_details .opened_at: gone
      1 /v2/enqueue .payload .custom_details .reason: gone
      1 /v2/enqueue .payload .custom_details .state: gone
    drill
      1 /v2/enqueue .dedup_key: "heygen-monitor-m0n1-drill-7"
      1 /v2/enqueue .links: []
      1 /v2/enqueue .payload .class: "drill"
      1 /v2/enqueue .payload .custom_details .event: "drill"
      1 /v2/enqueue .payload .custom_details .summary: "What to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default."
      1 /v2/enqueue .payload .severity: "info"
      1 /v2/enqueue .payload .summary: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
      1 /v2/enqueue .links 00: gone
      1 /v2/enqueue .payload .custom_details .blame: gone
      1 /v2/enqueue .payload .custom_details .capabilities: gone
      1 /v2/enqueue .payload .custom_details .incident: gone
      1 /v2/enqueue .payload .custom_details .opened_at: gone
      1 /v2/enqueue .payload .custom_details .reason: gone
      1 /v2/enqueue .payload .custom_details .state: gone
    "#);
}

#[tokio::test]
async fn alertmanager() {
    let labels = r#"{"account":"default","alertname":"HeygenIncident","blame":"provider","cause":"host:api.heygen.com","severity":"critical"}"#;
    insta::assert_snapshot!(golden(|url| alertmanager_channel(&[url]), labels).await, @r#"
    opened
      1 /api/v2/alerts 00 .annotations .capability: "api,authentication"
      1 /api/v2/alerts 00 .annotations .description: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 1 about incident #42."
      1 /api/v2/alerts 00 .annotations .reason: "unavailable"
      1 /api/v2/alerts 00 .annotations .runbook: "Stop starting new videos; do not send waiting ones again: it adds load."
      1 /api/v2/alerts 00 .annotations .summary: "Down – HeyGen: API not answering. HeyGen's side"
      1 /api/v2/alerts 00 .generatorURL: "https://status.example.org/incidents/42"
      1 /api/v2/alerts 00 .labels .account: "default"
      1 /api/v2/alerts 00 .labels .alertname: "HeygenIncident"
      1 /api/v2/alerts 00 .labels .blame: "provider"
      1 /api/v2/alerts 00 .labels .cause: "host:api.heygen.com"
      1 /api/v2/alerts 00 .labels .severity: "critical"
      1 /api/v2/alerts 00 .startsAt: "2026-11-20T08:00:00Z"
    acknowledged_officially
      1 /api/v2/alerts 00 .annotations .description: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating\nChecked from fra-1, account default. Message 2 about incident #42."
      1 /api/v2/alerts 00 .annotations .summary: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened
      1 /api/v2/alerts 00 .annotations .description: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 2 about incident #42."
      1 /api/v2/alerts 00 .annotations .summary: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping
      1 /api/v2/alerts 00 .annotations .description: "Whose side: HeyGen's side\nSince 09:00 (08:00 UTC), 15 min so far\nTouches: API and API key\nWhat to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default. Message 2 about incident #42."
      1 /api/v2/alerts 00 .annotations .summary: "Flapping, up and down – HeyGen: API not answering. HeyGen's side"
      1 /api/v2/alerts 00 .labels .severity: "warning"
      1 /api/v2/alerts 01 .annotations: {}
      1 /api/v2/alerts 01 .endsAt: "2026-11-20T08:15:00Z"
      1 /api/v2/alerts 01 .labels .account: "default"
      1 /api/v2/alerts 01 .labels .alertname: "HeygenIncident"
      1 /api/v2/alerts 01 .labels .blame: "provider"
      1 /api/v2/alerts 01 .labels .cause: "host:api.heygen.com"
      1 /api/v2/alerts 01 .labels .severity: "critical"
      1 /api/v2/alerts 01 .startsAt: "2026-11-20T08:00:00Z"
    resolved
      1 /api/v2/alerts 00 .annotations .description: "Whose side: HeyGen's side\nFrom 09:00 (08:00 UTC) to 09:14 (08:14 UTC), 14 min\nTouches: API and API key\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nNo matching notice found on HeyGen's page\nChecked from fra-1, account default. Message 2 about incident #42."
      1 /api/v2/alerts 00 .annotations .summary: "Resolved after 14 min – HeyGen: API answers again"
      1 /api/v2/alerts 00 .endsAt: "2026-11-20T08:14:00Z"
      1 /api/v2/alerts 00 .annotations .runbook: gone
    warning
      1 /api/v2/alerts 00 .annotations .description: "What to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default."
      1 /api/v2/alerts 00 .annotations .summary: "Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /api/v2/alerts 00 .endsAt: "2026-11-20T09:15:00Z"
      1 /api/v2/alerts 00 .labels .alertname: "HeygenMonitorWarning"
      1 /api/v2/alerts 00 .labels .message: "7"
      1 /api/v2/alerts 00 .labels .severity: "warning"
      1 /api/v2/alerts 00 .labels .vantage: "fra-1"
      1 /api/v2/alerts 00 .startsAt: "2026-11-20T08:14:00Z"
      1 /api/v2/alerts 00 .annotations .capability: gone
      1 /api/v2/alerts 00 .annotations .reason: gone
      1 /api/v2/alerts 00 .generatorURL: gone
      1 /api/v2/alerts 00 .labels .blame: gone
      1 /api/v2/alerts 00 .labels .cause: gone
    drill
      1 /api/v2/alerts 00 .annotations .description: "What to do: Stop starting new videos; do not send waiting ones again: it adds load.\nSeen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)\nHeyGen's page does not admit it (all working), 14 min so far\nChecked from fra-1, account default."
      1 /api/v2/alerts 00 .annotations .summary: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
      1 /api/v2/alerts 00 .endsAt: "2026-11-20T09:15:00Z"
      1 /api/v2/alerts 00 .labels .alertname: "HeygenMonitorDrill"
      1 /api/v2/alerts 00 .labels .message: "7"
      1 /api/v2/alerts 00 .labels .severity: "info"
      1 /api/v2/alerts 00 .labels .vantage: "fra-1"
      1 /api/v2/alerts 00 .startsAt: "2026-11-20T08:14:00Z"
      1 /api/v2/alerts 00 .annotations .capability: gone
      1 /api/v2/alerts 00 .annotations .reason: gone
      1 /api/v2/alerts 00 .generatorURL: gone
      1 /api/v2/alerts 00 .labels .blame: gone
      1 /api/v2/alerts 00 .labels .cause: gone
    "#);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the lines are those of the golden text")]
async fn webhook() {
    insta::assert_snapshot!(golden(webhook_channel, "unused").await, @r#"
    opened
      1 /hooks/SECRETSECRET .account: "default"
      1 /hooks/SECRETSECRET .advice .action: "hold"
      1 /hooks/SECRETSECRET .advice .confidence: "observed"
      1 /hooks/SECRETSECRET .advice .resubmit: "none"
      1 /hooks/SECRETSECRET .advice .text: "Stop starting new videos; do not send waiting ones again: it adds load."
      1 /hooks/SECRETSECRET .advice .until: null
      1 /hooks/SECRETSECRET .at: "2026-11-20T08:14:00Z"
      1 /hooks/SECRETSECRET .channel: "oncall"
      1 /hooks/SECRETSECRET .event: "opened"
      1 /hooks/SECRETSECRET .evidence 00 .at: "2026-11-20T08:13:00Z"
      1 /hooks/SECRETSECRET .evidence 00 .code: "service_unavailable"
      1 /hooks/SECRETSECRET .evidence 00 .decisive: true
      1 /hooks/SECRETSECRET .evidence 00 .doc_url: "https://developers.heygen.com/docs/error-codes"
      1 /hooks/SECRETSECRET .evidence 00 .host: "api.heygen.com"
      1 /hooks/SECRETSECRET .evidence 00 .http_status: 503
      1 /hooks/SECRETSECRET .evidence 00 .job_id: null
      1 /hooks/SECRETSECRET .evidence 00 .message: "The service is temporarily unavailable."
      1 /hooks/SECRETSECRET .evidence 00 .outcome: "unavailable"
      1 /hooks/SECRETSECRET .evidence 00 .param: null
      1 /hooks/SECRETSECRET .evidence 00 .probe: "api-read"
      1 /hooks/SECRETSECRET .evidence 00 .request_id: "req-sample"
      1 /hooks/SECRETSECRET .evidence 00 .retry_after_seconds: null
      1 /hooks/SECRETSECRET .evidence 00 .text: "503 from api.heygen.com after 210 ms, from fra-1"
      1 /hooks/SECRETSECRET .headline: "HeyGen: API not answering. HeyGen's side"
      1 /hooks/SECRETSECRET .id: "m0n1-7"
      1 /hooks/SECRETSECRET .incident .blame: "provider"
      1 /hooks/SECRETSECRET .incident .capabilities: ["api","authentication"]
      1 /hooks/SECRETSECRET .incident .cause: "host:api.heygen.com"
      1 /hooks/SECRETSECRET .incident .id: 42
      1 /hooks/SECRETSECRET .incident .opened_at: "2026-11-20T08:00:00Z"
      1 /hooks/SECRETSECRET .incident .reason: "unavailable"
      1 /hooks/SECRETSECRET .incident .resolved_at: null
      1 /hooks/SECRETSECRET .incident .state: "outage"
      1 /hooks/SECRETSECRET .incident .subject: "HeyGen: API not answering since 08:00 UTC (#42)"
      1 /hooks/SECRETSECRET .late: null
      1 /hooks/SECRETSECRET .links .incident: "https://status.example.org/incidents/42"
      1 /hooks/SECRETSECRET .monitor: "m0n1"
      1 /hooks/SECRETSECRET .notes: []
      1 /hooks/SECRETSECRET .official .acknowledged: false
      1 /hooks/SECRETSECRET .official .lead_seconds: 840
      1 /hooks/SECRETSECRET .official .notice: null
      1 /hooks/SECRETSECRET .official .source: "heygen"
      1 /hooks/SECRETSECRET .official .state: "operational"
      1 /hooks/SECRETSECRET .seq: 1
      1 /hooks/SECRETSECRET .text: "Down – HeyGen: API not answering. HeyGen's side"
      1 /hooks/SECRETSECRET .vantage: "fra-1"
      1 /hooks/SECRETSECRET .version: 1
    acknowledged_officially
      1 /hooks/SECRETSECRET .event: "acknowledged_officially"
      1 /hooks/SECRETSECRET .official .acknowledged: true
      1 /hooks/SECRETSECRET .official .notice: "API errors, investigating"
      1 /hooks/SECRETSECRET .official .state: "major_outage"
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened
      1 /hooks/SECRETSECRET .event: "worsened"
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping
      1 /hooks/SECRETSECRET .event: "flapping"
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "Flapping, up and down – HeyGen: API not answering. HeyGen's side"
    resolved
      1 /hooks/SECRETSECRET .advice: null
      1 /hooks/SECRETSECRET .event: "resolved"
      1 /hooks/SECRETSECRET .headline: "HeyGen: API answers again"
      1 /hooks/SECRETSECRET .incident .resolved_at: "2026-11-20T08:14:00Z"
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "Resolved after 14 min – HeyGen: API answers again"
      1 /hooks/SECRETSECRET .advice .action: gone
      1 /hooks/SECRETSECRET .advice .confidence: gone
      1 /hooks/SECRETSECRET .advice .resubmit: gone
      1 /hooks/SECRETSECRET .advice .text: gone
      1 /hooks/SECRETSECRET .advice .until: gone
    warning
      1 /hooks/SECRETSECRET .event: "warning"
      1 /hooks/SECRETSECRET .headline: "HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /hooks/SECRETSECRET .incident: null
      1 /hooks/SECRETSECRET .links: {}
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /hooks/SECRETSECRET .incident .blame: gone
      1 /hooks/SECRETSECRET .incident .capabilities: gone
      1 /hooks/SECRETSECRET .incident .cause: gone
      1 /hooks/SECRETSECRET .incident .id: gone
      1 /hooks/SECRETSECRET .incident .opened_at: gone
      1 /hooks/SECRETSECRET .incident .reason: gone
      1 /hooks/SECRETSECRET .incident .resolved_at: gone
      1 /hooks/SECRETSECRET .incident .state: gone
      1 /hooks/SECRETSECRET .incident .subject: gone
      1 /hooks/SECRETSECRET .links .incident: gone
    drill
      1 /hooks/SECRETSECRET .event: "drill"
      1 /hooks/SECRETSECRET .incident: null
      1 /hooks/SECRETSECRET .links: {}
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
      1 /hooks/SECRETSECRET .incident .blame: gone
      1 /hooks/SECRETSECRET .incident .capabilities: gone
      1 /hooks/SECRETSECRET .incident .cause: gone
      1 /hooks/SECRETSECRET .incident .id: gone
      1 /hooks/SECRETSECRET .incident .opened_at: gone
      1 /hooks/SECRETSECRET .incident .reason: gone
      1 /hooks/SECRETSECRET .incident .resolved_at: gone
      1 /hooks/SECRETSECRET .incident .state: gone
      1 /hooks/SECRETSECRET .incident .subject: gone
      1 /hooks/SECRETSECRET .links .incident: gone
    "#);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the lines are those of the golden text")]
async fn slack_bot() {
    let mut text = String::new();
    for event in EVENTS {
        writeln!(text, "{event}").unwrap();
        for (path, call) in sent(event, slack_bot_channel, "C042/1763.000001").await {
            text.push_str(&shown(&path, &call));
        }
    }
    insta::assert_snapshot!(text, @r#"
    opened
      /chat.postMessage channel=#video
        header plain_text: "🔴 Down – HeyGen: API not answering. HeyGen's side"
        section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 1 about incident #42. Channel “oncall” of heygen-monitor."
      /chat.postMessage channel=C042 thread_ts=1763.000001
        section plain_text: "What we saw"
        section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
        context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
    acknowledged_officially
      /chat.update channel=C042 ts=1763.000001
        header plain_text: "🔴 HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
        section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      /chat.postMessage channel=C042 thread_ts=1763.000001
        header plain_text: "🔴 HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
        section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
        context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
        section plain_text: "HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
    worsened
      /chat.update channel=C042 ts=1763.000001
        header plain_text: "🔴 Worse, now down – HeyGen: API not answering. HeyGen's side"
        section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      /chat.postMessage channel=C042 thread_ts=1763.000001
        header plain_text: "🔴 Worse, now down – HeyGen: API not answering. HeyGen's side"
        section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
        context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
        section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
    flapping
      /chat.update channel=C042 ts=1763.000001
        header plain_text: "🟠 Flapping, up and down – HeyGen: API not answering. HeyGen's side"
        section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      /chat.postMessage channel=C042 thread_ts=1763.000001
        header plain_text: "🟠 Flapping, up and down – HeyGen: API not answering. HeyGen's side"
        section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
        context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
        section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
    resolved
      /chat.update channel=C042 ts=1763.000001
        header plain_text: "🟢 Resolved after 14 min – HeyGen: API answers again"
        section mrkdwn: "*Whose side:* HeyGen's side\nFrom <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)> to <!date^1795162440^{date_short_pretty} {time}|09:14 (08:14 UTC)>, 14 min\n*Touches:* API and API key"
        section plain_text: "No matching notice found on HeyGen's page"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      /chat.postMessage channel=C042 thread_ts=1763.000001 broadcast
        header plain_text: "🟢 Resolved after 14 min – HeyGen: API answers again"
        section mrkdwn: "*Whose side:* HeyGen's side\nFrom <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)> to <!date^1795162440^{date_short_pretty} {time}|09:14 (08:14 UTC)>, 14 min\n*Touches:* API and API key"
        section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
        context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
        section plain_text: "No matching notice found on HeyGen's page"
        context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
        context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
    warning
      /chat.postMessage channel=#video
        header plain_text: "⚠️ Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
        context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
        section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
        context plain_text: "Checked from fra-1, account default. Channel “oncall” of heygen-monitor."
    drill
      /chat.postMessage channel=#video
        header plain_text: "🧪 DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
        section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
        section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
        context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
        section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
        context plain_text: "Checked from fra-1, account default. Channel “oncall” of heygen-monitor."
    "#);
}
