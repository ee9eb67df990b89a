//! What each channel sends for each event, to the letter: the first whole, each other by what is
//! different from the one that is most like it.

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
    make: &impl Fn(&str) -> Box<dyn Notifier>,
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

/// Lines by their place.
type Lines = BTreeMap<String, String>;

/// What calls of Slack show, block by block.
fn shown(requests: &[(String, Value)]) -> Lines {
    let mut lines = Lines::new();
    for (i, (path, call)) in requests.iter().enumerate() {
        let word = |name: &&str| call[*name].as_str().map(|word| format!("{name}={word}"));
        let mut head: Vec<_> = ["channel", "ts", "thread_ts"].iter().filter_map(word).collect();
        head.extend((call["reply_broadcast"] == true).then(|| "broadcast".to_owned()));
        let place = format!("{} {path}", i + 1);
        for (j, block) in call["blocks"].as_array().unwrap().iter().enumerate() {
            let texts = block["elements"].as_array().into_iter().flatten();
            for (k, one) in texts.chain(block.get("text")).enumerate() {
                let (kind, form) = (block["type"].as_str().unwrap(), one["type"].as_str().unwrap());
                let text = one["text"].to_string();
                lines.insert(format!("{place} {j:02}.{k} {kind} {form}"), text);
            }
        }
        lines.insert(place, head.join(" "));
    }
    lines
}

/// Every leaf of the requests, and every line of longer texts.
fn leaves(requests: &[(String, Value)]) -> Lines {
    let mut leaves = Lines::new();
    for (i, (path, body)) in requests.iter().enumerate() {
        walk(&format!("{} {path}", i + 1), body, &mut leaves);
    }
    leaves
}

fn walk(place: &str, value: &Value, leaves: &mut Lines) {
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
        Value::String(text) if text.contains('\n') => {
            for (i, line) in text.split('\n').enumerate() {
                leaves.insert(format!("{place} {i}"), line.to_owned());
            }
        }
        other => drop(leaves.insert(place.to_owned(), other.to_string())),
    }
}

/// The shortest paths of which nothing is left.
fn gone(before: &Lines, now: &Lines) -> BTreeSet<String> {
    let is_left = |path: &str| {
        now.keys().any(|place| {
            place.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    };
    before
        .keys()
        .filter_map(|place| {
            let ends = place.match_indices(' ').map(|(end, _)| end).chain([place.len()]);
            let mut paths = ends.filter_map(|end| place.get(..end));
            paths.find(|path| !is_left(path)).map(str::to_owned)
        })
        .collect()
}

/// What there is `now` that was not so `before`.
fn changes(before: &Lines, now: &Lines) -> Vec<String> {
    let is_new = |(place, line): &(&String, &String)| before.get(*place) != Some(*line);
    let new = now.iter().filter(is_new).map(|(place, line)| format!("  {place}: {line}"));
    new.chain(gone(before, now).iter().map(|place| format!("  {place}: gone"))).collect()
}

/// What the channel sends for each event, by what is different from the event before it that is
/// most like it. `thread_ref` is what the opening was answered with.
async fn golden(
    make: impl Fn(&str) -> Box<dyn Notifier>,
    thread_ref: &str,
    lines: impl Fn(&[(String, Value)]) -> Lines,
) -> String {
    let mut text = String::new();
    let mut before: Vec<(EventKind, Lines)> = Vec::new();
    for event in EVENTS {
        let now = lines(&sent(event, &make, thread_ref).await);
        let compared = before.iter().map(|(known, before)| (known, changes(before, &now)));
        let (title, changes) = match compared.min_by_key(|(_, changes)| changes.len()) {
            Some((known, changes)) => (format!("{event}, as {known} but"), changes),
            None => (event.to_string(), changes(&Lines::new(), &now)),
        };
        writeln!(text, "{title}\n{}", changes.join("\n")).unwrap();
        before.push((event, now));
    }
    text
}

#[tokio::test]
async fn ntfy() {
    insta::assert_snapshot!(golden(ntfy_channel, "ntfy0001", leaves).await, @r#"
    opened
      1 / .click: "https://status.example.org/incidents/42"
      1 / .message 0: Whose side: HeyGen's side
      1 / .message 1: Since 09:00 (08:00 UTC), 15 min so far
      1 / .message 2: Touches: API and API key
      1 / .message 3: What to do: Stop starting new videos; do not send waiting ones again: it adds load.
      1 / .message 4: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 / .message 5: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 / .message 6: HeyGen's page does not admit it (all working), 14 min so far
      1 / .message 7: Checked from fra-1, account default. Message 1 about incident #42.
      1 / .priority: 5
      1 / .tags: ["rotating_light"]
      1 / .title: "Down – HeyGen: API not answering. HeyGen's side"
      1 / .topic: "heygen-alerts"
    acknowledged_officially, as opened but
      1 / .message 6: HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating
      1 / .message 7: Checked from fra-1, account default. Message 2 about incident #42.
      1 / .title: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened, as opened but
      1 / .message 7: Checked from fra-1, account default. Message 2 about incident #42.
      1 / .title: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping, as worsened but
      1 / .priority: 4
      1 / .tags: ["warning"]
      1 / .title: "Flapping, up and down – HeyGen: API not answering. HeyGen's side"
    resolved, as opened but
      1 / .message 1: From 09:00 (08:00 UTC) to 09:14 (08:14 UTC), 14 min
      1 / .message 3: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 / .message 4: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 / .message 5: No matching notice found on HeyGen's page
      1 / .message 6: Checked from fra-1, account default. Message 2 about incident #42.
      1 / .priority: 3
      1 / .tags: ["white_check_mark"]
      1 / .title: "Resolved after 14 min – HeyGen: API answers again"
      1 / .message 7: gone
    warning, as resolved but
      1 / .message 0: What to do: Stop starting new videos; do not send waiting ones again: it adds load.
      1 / .message 1: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 / .message 2: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 / .message 3: HeyGen's page does not admit it (all working), 14 min so far
      1 / .message 4: Checked from fra-1, account default.
      1 / .tags: ["warning"]
      1 / .title: "Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 / .click: gone
      1 / .message 5: gone
      1 / .message 6: gone
    drill, as warning but
      1 / .tags: ["test_tube"]
      1 / .title: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
    "#);
}

#[tokio::test]
async fn pagerduty() {
    let key = "heygen-monitor-m0n1-42";
    insta::assert_snapshot!(golden(pagerduty_channel, key, leaves).await, @r#"
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
      1 /v2/enqueue .payload .custom_details .summary 0: Whose side: HeyGen's side
      1 /v2/enqueue .payload .custom_details .summary 1: Since 09:00 (08:00 UTC), 15 min so far
      1 /v2/enqueue .payload .custom_details .summary 2: Touches: API and API key
      1 /v2/enqueue .payload .custom_details .summary 3: What to do: Stop starting new videos; do not send waiting ones again: it adds load.
      1 /v2/enqueue .payload .custom_details .summary 4: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 /v2/enqueue .payload .custom_details .summary 5: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 /v2/enqueue .payload .custom_details .summary 6: HeyGen's page does not admit it (all working), 14 min so far
      1 /v2/enqueue .payload .custom_details .summary 7: Checked from fra-1, account default. Message 1 about incident #42.
      1 /v2/enqueue .payload .group: "default"
      1 /v2/enqueue .payload .severity: "critical"
      1 /v2/enqueue .payload .source: "fra-1"
      1 /v2/enqueue .payload .summary: "Down – HeyGen: API not answering. HeyGen's side"
      1 /v2/enqueue .payload .timestamp: "2026-11-20T08:14:00Z"
      1 /v2/enqueue .routing_key: "R0UT1NGSECRETSECRET"
    acknowledged_officially, as opened but
      1 /v2/enqueue .payload .custom_details .event: "acknowledged_officially"
      1 /v2/enqueue .payload .custom_details .summary 6: HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating
      1 /v2/enqueue .payload .custom_details .summary 7: Checked from fra-1, account default. Message 2 about incident #42.
      1 /v2/enqueue .payload .summary: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened, as opened but
      1 /v2/enqueue .payload .custom_details .event: "worsened"
      1 /v2/enqueue .payload .custom_details .summary 7: Checked from fra-1, account default. Message 2 about incident #42.
      1 /v2/enqueue .payload .summary: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping, as worsened but
      1 /v2/enqueue .payload .custom_details .event: "flapping"
      1 /v2/enqueue .payload .severity: "warning"
      1 /v2/enqueue .payload .summary: "Flapping, up and down – HeyGen: API not answering. HeyGen's side"
    resolved, as opened but
      1 /v2/enqueue .event_action: "resolve"
      1 /v2/enqueue .client: gone
      1 /v2/enqueue .links: gone
      1 /v2/enqueue .payload: gone
    warning, as resolved but
      1 /v2/enqueue .client: "heygen-monitor"
      1 /v2/enqueue .dedup_key: "heygen-monitor-m0n1-warning-7"
      1 /v2/enqueue .event_action: "trigger"
      1 /v2/enqueue .links: []
      1 /v2/enqueue .payload .class: "warning"
      1 /v2/enqueue .payload .component: "HeyGen"
      1 /v2/enqueue .payload .custom_details .event: "warning"
      1 /v2/enqueue .payload .custom_details .summary 0: What to do: Stop starting new videos; do not send waiting ones again: it adds load.
      1 /v2/enqueue .payload .custom_details .summary 1: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 /v2/enqueue .payload .custom_details .summary 2: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 /v2/enqueue .payload .custom_details .summary 3: HeyGen's page does not admit it (all working), 14 min so far
      1 /v2/enqueue .payload .custom_details .summary 4: Checked from fra-1, account default.
      1 /v2/enqueue .payload .group: "default"
      1 /v2/enqueue .payload .severity: "warning"
      1 /v2/enqueue .payload .source: "fra-1"
      1 /v2/enqueue .payload .summary: "Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /v2/enqueue .payload .timestamp: "2026-11-20T08:14:00Z"
    drill, as warning but
      1 /v2/enqueue .dedup_key: "heygen-monitor-m0n1-drill-7"
      1 /v2/enqueue .payload .class: "drill"
      1 /v2/enqueue .payload .custom_details .event: "drill"
      1 /v2/enqueue .payload .severity: "info"
      1 /v2/enqueue .payload .summary: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
    "#);
}

#[tokio::test]
async fn alertmanager() {
    let labels = r#"{"account":"default","alertname":"HeygenIncident","blame":"provider","cause":"host:api.heygen.com","severity":"critical"}"#;
    let one = |url: &str| alertmanager_channel(&[url]);
    insta::assert_snapshot!(golden(one, labels, leaves).await, @r#"
    opened
      1 /api/v2/alerts 00 .annotations .capability: "api,authentication"
      1 /api/v2/alerts 00 .annotations .description 0: Whose side: HeyGen's side
      1 /api/v2/alerts 00 .annotations .description 1: Since 09:00 (08:00 UTC), 15 min so far
      1 /api/v2/alerts 00 .annotations .description 2: Touches: API and API key
      1 /api/v2/alerts 00 .annotations .description 3: What to do: Stop starting new videos; do not send waiting ones again: it adds load.
      1 /api/v2/alerts 00 .annotations .description 4: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 /api/v2/alerts 00 .annotations .description 5: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 /api/v2/alerts 00 .annotations .description 6: HeyGen's page does not admit it (all working), 14 min so far
      1 /api/v2/alerts 00 .annotations .description 7: Checked from fra-1, account default. Message 1 about incident #42.
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
    acknowledged_officially, as opened but
      1 /api/v2/alerts 00 .annotations .description 6: HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating
      1 /api/v2/alerts 00 .annotations .description 7: Checked from fra-1, account default. Message 2 about incident #42.
      1 /api/v2/alerts 00 .annotations .summary: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened, as opened but
      1 /api/v2/alerts 00 .annotations .description 7: Checked from fra-1, account default. Message 2 about incident #42.
      1 /api/v2/alerts 00 .annotations .summary: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping, as worsened but
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
    resolved, as opened but
      1 /api/v2/alerts 00 .annotations .description 1: From 09:00 (08:00 UTC) to 09:14 (08:14 UTC), 14 min
      1 /api/v2/alerts 00 .annotations .description 3: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 /api/v2/alerts 00 .annotations .description 4: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 /api/v2/alerts 00 .annotations .description 5: No matching notice found on HeyGen's page
      1 /api/v2/alerts 00 .annotations .description 6: Checked from fra-1, account default. Message 2 about incident #42.
      1 /api/v2/alerts 00 .annotations .summary: "Resolved after 14 min – HeyGen: API answers again"
      1 /api/v2/alerts 00 .endsAt: "2026-11-20T08:14:00Z"
      1 /api/v2/alerts 00 .annotations .description 7: gone
      1 /api/v2/alerts 00 .annotations .runbook: gone
    warning, as opened but
      1 /api/v2/alerts 00 .annotations .description 0: What to do: Stop starting new videos; do not send waiting ones again: it adds load.
      1 /api/v2/alerts 00 .annotations .description 1: Seen: 09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1
      1 /api/v2/alerts 00 .annotations .description 2: HeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)
      1 /api/v2/alerts 00 .annotations .description 3: HeyGen's page does not admit it (all working), 14 min so far
      1 /api/v2/alerts 00 .annotations .description 4: Checked from fra-1, account default.
      1 /api/v2/alerts 00 .annotations .summary: "Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /api/v2/alerts 00 .endsAt: "2026-11-20T09:15:00Z"
      1 /api/v2/alerts 00 .labels .alertname: "HeygenMonitorWarning"
      1 /api/v2/alerts 00 .labels .message: "7"
      1 /api/v2/alerts 00 .labels .severity: "warning"
      1 /api/v2/alerts 00 .labels .vantage: "fra-1"
      1 /api/v2/alerts 00 .startsAt: "2026-11-20T08:14:00Z"
      1 /api/v2/alerts 00 .annotations .capability: gone
      1 /api/v2/alerts 00 .annotations .description 5: gone
      1 /api/v2/alerts 00 .annotations .description 6: gone
      1 /api/v2/alerts 00 .annotations .description 7: gone
      1 /api/v2/alerts 00 .annotations .reason: gone
      1 /api/v2/alerts 00 .generatorURL: gone
      1 /api/v2/alerts 00 .labels .blame: gone
      1 /api/v2/alerts 00 .labels .cause: gone
    drill, as warning but
      1 /api/v2/alerts 00 .annotations .summary: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
      1 /api/v2/alerts 00 .labels .alertname: "HeygenMonitorDrill"
      1 /api/v2/alerts 00 .labels .severity: "info"
    "#);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "every leaf of the document is a line")]
async fn webhook() {
    insta::assert_snapshot!(golden(webhook_channel, "unused", leaves).await, @r#"
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
    acknowledged_officially, as opened but
      1 /hooks/SECRETSECRET .event: "acknowledged_officially"
      1 /hooks/SECRETSECRET .official .acknowledged: true
      1 /hooks/SECRETSECRET .official .notice: "API errors, investigating"
      1 /hooks/SECRETSECRET .official .state: "major_outage"
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
    worsened, as opened but
      1 /hooks/SECRETSECRET .event: "worsened"
      1 /hooks/SECRETSECRET .seq: 2
      1 /hooks/SECRETSECRET .text: "Worse, now down – HeyGen: API not answering. HeyGen's side"
    flapping, as worsened but
      1 /hooks/SECRETSECRET .event: "flapping"
      1 /hooks/SECRETSECRET .text: "Flapping, up and down – HeyGen: API not answering. HeyGen's side"
    resolved, as worsened but
      1 /hooks/SECRETSECRET .advice: null
      1 /hooks/SECRETSECRET .event: "resolved"
      1 /hooks/SECRETSECRET .headline: "HeyGen: API answers again"
      1 /hooks/SECRETSECRET .incident .resolved_at: "2026-11-20T08:14:00Z"
      1 /hooks/SECRETSECRET .text: "Resolved after 14 min – HeyGen: API answers again"
      1 /hooks/SECRETSECRET .advice .action: gone
      1 /hooks/SECRETSECRET .advice .confidence: gone
      1 /hooks/SECRETSECRET .advice .resubmit: gone
      1 /hooks/SECRETSECRET .advice .text: gone
      1 /hooks/SECRETSECRET .advice .until: gone
    warning, as worsened but
      1 /hooks/SECRETSECRET .event: "warning"
      1 /hooks/SECRETSECRET .headline: "HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /hooks/SECRETSECRET .incident: null
      1 /hooks/SECRETSECRET .links: {}
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
    drill, as warning but
      1 /hooks/SECRETSECRET .event: "drill"
      1 /hooks/SECRETSECRET .headline: "HeyGen: API not answering. HeyGen's side"
      1 /hooks/SECRETSECRET .text: "DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
    "#);
}

#[tokio::test]
async fn slack_bot() {
    let place = "C042/1763.000001";
    insta::assert_snapshot!(golden(slack_bot_channel, place, shown).await, @r#"
    opened
      1 /chat.postMessage: channel=#video
      1 /chat.postMessage 00.0 header plain_text: "🔴 Down – HeyGen: API not answering. HeyGen's side"
      1 /chat.postMessage 01.0 section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
      1 /chat.postMessage 02.0 section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
      1 /chat.postMessage 03.0 section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
      1 /chat.postMessage 04.0 context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
      1 /chat.postMessage 05.0 context plain_text: "Checked from fra-1, account default. Message 1 about incident #42. Channel “oncall” of heygen-monitor."
      2 /chat.postMessage: channel=C042 thread_ts=1763.000001
      2 /chat.postMessage 00.0 section plain_text: "What we saw"
      2 /chat.postMessage 01.0 section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
      2 /chat.postMessage 02.0 context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
    acknowledged_officially, as opened but
      1 /chat.update: channel=C042 ts=1763.000001
      1 /chat.update 00.0 header plain_text: "🔴 HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
      1 /chat.update 01.0 section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
      1 /chat.update 02.0 section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
      1 /chat.update 03.0 section plain_text: "HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating"
      1 /chat.update 04.0 context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
      1 /chat.update 05.0 context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      2 /chat.postMessage 00.0 header plain_text: "🔴 HeyGen's page admits it now – HeyGen: API not answering. HeyGen's side"
      2 /chat.postMessage 01.0 section mrkdwn: "*Whose side:* HeyGen's side\nSince <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)>, 15 min so far\n*Touches:* API and API key"
      2 /chat.postMessage 02.0 section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
      2 /chat.postMessage 03.0 section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
      2 /chat.postMessage 04.0 context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
      2 /chat.postMessage 05.0 section plain_text: "HeyGen's page admits it (a major outage); known here 14 min before: API errors, investigating"
      2 /chat.postMessage 06.0 context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
      2 /chat.postMessage 07.0 context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      1 /chat.postMessage: gone
      2 /chat.postMessage 00.0 section: gone
      2 /chat.postMessage 01.0 section plain_text: gone
      2 /chat.postMessage 02.0 context: gone
    worsened, as acknowledged_officially but
      1 /chat.update 00.0 header plain_text: "🔴 Worse, now down – HeyGen: API not answering. HeyGen's side"
      1 /chat.update 03.0 section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
      2 /chat.postMessage 00.0 header plain_text: "🔴 Worse, now down – HeyGen: API not answering. HeyGen's side"
      2 /chat.postMessage 05.0 section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
    flapping, as worsened but
      1 /chat.update 00.0 header plain_text: "🟠 Flapping, up and down – HeyGen: API not answering. HeyGen's side"
      2 /chat.postMessage 00.0 header plain_text: "🟠 Flapping, up and down – HeyGen: API not answering. HeyGen's side"
    resolved, as opened but
      1 /chat.update: channel=C042 ts=1763.000001
      1 /chat.update 00.0 header plain_text: "🟢 Resolved after 14 min – HeyGen: API answers again"
      1 /chat.update 01.0 section mrkdwn: "*Whose side:* HeyGen's side\nFrom <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)> to <!date^1795162440^{date_short_pretty} {time}|09:14 (08:14 UTC)>, 14 min\n*Touches:* API and API key"
      1 /chat.update 02.0 section plain_text: "No matching notice found on HeyGen's page"
      1 /chat.update 03.0 context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
      1 /chat.update 04.0 context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      2 /chat.postMessage: channel=C042 thread_ts=1763.000001 broadcast
      2 /chat.postMessage 00.0 header plain_text: "🟢 Resolved after 14 min – HeyGen: API answers again"
      2 /chat.postMessage 01.0 section mrkdwn: "*Whose side:* HeyGen's side\nFrom <!date^1795161600^{date_short_pretty} {time}|09:00 (08:00 UTC)> to <!date^1795162440^{date_short_pretty} {time}|09:14 (08:14 UTC)>, 14 min\n*Touches:* API and API key"
      2 /chat.postMessage 02.0 section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
      2 /chat.postMessage 03.0 context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
      2 /chat.postMessage 04.0 section plain_text: "No matching notice found on HeyGen's page"
      2 /chat.postMessage 05.0 context mrkdwn: "<https://status.example.org/incidents/42|Details on our own page>"
      2 /chat.postMessage 06.0 context plain_text: "Checked from fra-1, account default. Message 2 about incident #42. Channel “oncall” of heygen-monitor."
      1 /chat.postMessage: gone
      2 /chat.postMessage 00.0 section: gone
      2 /chat.postMessage 01.0 section plain_text: gone
      2 /chat.postMessage 02.0 context: gone
    warning, as acknowledged_officially but
      1 /chat.postMessage: channel=#video
      1 /chat.postMessage 00.0 header plain_text: "⚠️ Warning – HeyGen: the API key expires in 14 days. Your HeyGen account"
      1 /chat.postMessage 01.0 section plain_text: "What to do: Stop starting new videos; do not send waiting ones again: it adds load."
      1 /chat.postMessage 02.0 section plain_text: "09:13 api-read: 503 from api.heygen.com after 210 ms, from fra-1\nHeyGen says: “The service is temporarily unavailable.” (code service_unavailable, request req-sample)"
      1 /chat.postMessage 03.0 context mrkdwn: "<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>"
      1 /chat.postMessage 04.0 section plain_text: "HeyGen's page does not admit it (all working), 14 min so far"
      1 /chat.postMessage 05.0 context plain_text: "Checked from fra-1, account default. Channel “oncall” of heygen-monitor."
      1 /chat.update: gone
      2: gone
    drill, as warning but
      1 /chat.postMessage 00.0 header plain_text: "🧪 DRILL, nothing is wrong – HeyGen: API not answering. HeyGen's side"
    "#);
}
