//! Webhook, Alertmanager, PagerDuty and ntfy against real HTTP servers: what each alone promises.

use std::time::Duration;

use heygen_monitor::model::{
    AttemptResult, Capability, Delivery, EventKind, Merged, Outcome, Reason, State,
};
use serde_json::Value;

use super::stub::{HttpStub, Reply};
use super::{
    alertmanager_channel, at, delivery, message, now, ntfy_channel, pagerduty_channel,
    slack_bot_channel, slack_channel, webhook_channel, word,
};

fn of(event: EventKind) -> Delivery {
    delivery(message(event))
}

/// An end whose beginning was never told.
fn over() -> Delivery {
    let merged = Merged {
        events: vec![EventKind::Opened],
        since: at().saturating_sub(Duration::from_mins(30)).unwrap(),
        attempts: 3,
    };
    Delivery { merged: Some(merged), ..of(EventKind::Resolved) }
}

#[tokio::test]
async fn a_webhook_is_signed_and_keeps_its_key_over_attempts() {
    let stub = HttpStub::start([Reply::status(503)]).await;
    let channel = webhook_channel(&stub.url);
    let delivery = of(EventKind::Opened);
    assert_eq!(word(&channel.send(&delivery, now()).await), "retry server_error");
    let later = now().saturating_add(Duration::from_secs(30)).unwrap();
    assert_eq!(word(&channel.send(&delivery, later).await), "accepted");
    let other = Delivery { id: 8, ..delivery };
    assert_eq!(word(&channel.send(&other, later).await), "accepted");
    let seen = stub.seen();
    let keys: Vec<_> = seen.iter().map(|seen| seen.header("idempotency-key")).collect();
    assert_eq!(keys, ["m0n1-7", "m0n1-7", "m0n1-8"]);
    assert_eq!(seen[0].path, "/hooks/SECRETSECRET");
    let signature = seen[0].header("x-heygen-monitor-signature");
    let (time, mac) = signature.split_once(",v1=").unwrap();
    assert_eq!(time, format!("t={}", now().as_second()));
    assert_eq!(mac.len(), 64);
    assert_ne!(signature, seen[1].header("x-heygen-monitor-signature"));
    let body = seen[0].json();
    assert_eq!((&body["version"], &body["id"]), (&Value::from(1), &Value::from("m0n1-7")));
    assert_eq!(body["incident"]["reason"], "unavailable");
    assert_eq!(body["evidence"][0]["http_status"], 503);
    assert_eq!(body["links"]["incident"], "https://status.example.org/incidents/42");
    assert_eq!(body["late"], Value::Null);
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let elsewhere = HttpStub::start([]).await;
    for status in [301, 302, 303, 307, 308] {
        let stub = HttpStub::start([]).await;
        stub.always(Some(Reply::Redirect(status, elsewhere.url.clone())));
        let channels = [
            webhook_channel(&stub.url),
            alertmanager_channel(&[&stub.url]),
            pagerduty_channel(&stub.url),
            ntfy_channel(&stub.url),
            slack_channel(&stub.url),
            slack_bot_channel(&stub.url),
        ];
        for channel in &channels {
            let result = channel.send(&of(EventKind::Opened), now()).await;
            let AttemptResult::Dead { detail, .. } = &result else { panic!("{result:?}") };
            assert!(detail.contains("a redirect, which is never followed"), "{detail}");
        }
        assert_eq!((stub.seen().len(), elsewhere.seen().len()), (channels.len(), 0));
    }
}

#[tokio::test]
async fn a_late_webhook_says_how_late_and_what_it_stands_for() {
    let stub = HttpStub::start([]).await;
    assert_eq!(word(&webhook_channel(&stub.url).send(&over(), now()).await), "accepted");
    let body = stub.seen()[0].json();
    assert_eq!(body["late"]["seconds"], 31 * 60);
    assert_eq!(body["late"]["merged"], serde_json::json!(["opened"]));
    let text = body["text"].as_str().unwrap();
    let expected =
        "Over: was down from 09:00 to 09:14, 14 min (told late because this channel failed)";
    assert!(text.starts_with(expected), "{text}");
}

#[tokio::test]
async fn two_monitors_send_the_same_labels_to_every_alertmanager() {
    let (first, second) = (HttpStub::start([]).await, HttpStub::start([]).await);
    let channel = alertmanager_channel(&[&first.url, &second.url]);
    let mut elsewhere = message(EventKind::Opened);
    "nyc-1".clone_into(&mut elsewhere.vantage);
    let incident = elsewhere.incident.as_mut().unwrap();
    incident.id = 7;
    // Another of its checks was the first to fail, and saw it fail otherwise.
    incident.capabilities = vec![Capability::Api];
    incident.reason = Reason::Outcome(Outcome::Timeout);
    assert_eq!(word(&channel.send(&of(EventKind::Opened), now()).await), "accepted");
    assert_eq!(word(&channel.send(&delivery(elsewhere), now()).await), "accepted");
    for stub in [first, second] {
        let seen = stub.seen();
        assert_eq!(seen[0].path, "/api/v2/alerts");
        let (ours, theirs) = (seen[0].json(), seen[1].json());
        assert_eq!(ours[0]["labels"], theirs[0]["labels"]);
        assert_eq!(ours[0]["labels"]["alertname"], "HeygenIncident");
        assert_eq!(ours[0].get("endsAt"), None);
    }
}

#[tokio::test]
async fn one_alertmanager_that_takes_it_is_enough_whatever_ails_the_other() {
    // Bound, so that nobody else gets the port, but not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let away = format!("http://{}/", socket.local_addr().unwrap());
    let second = [200, 503, 400].map(|status| Some(Reply::status(status)));
    for second in second.into_iter().chain([None]) {
        let good = HttpStub::start([]).await;
        let other = HttpStub::start(second.clone()).await;
        let other = if second.is_some() { &other.url } else { &away };
        let channel = alertmanager_channel(&[&good.url, other]);
        let result = channel.send(&of(EventKind::Opened), now()).await;
        assert_eq!(word(&result), "accepted", "{result:?}");
        assert_eq!(good.seen().len(), 1);
    }
    let refusing = HttpStub::start([]).await;
    refusing.always(Some(Reply::status(400)));
    for (urls, expected) in [
        ([&away, &away], "retry unreachable"),
        ([&away, &refusing.url], "retry unreachable"),
        ([&refusing.url, &refusing.url], "dead rejected"),
    ] {
        let channel = alertmanager_channel(&urls.map(String::as_str));
        let result = channel.send(&of(EventKind::Opened), now()).await;
        assert_eq!(word(&result), expected, "{result:?}");
    }
}

#[tokio::test]
async fn an_alert_ends_under_the_labels_it_had() {
    let stub = HttpStub::start([]).await;
    let channel = alertmanager_channel(&[&stub.url]);
    let mut degraded = message(EventKind::Opened);
    degraded.incident.as_mut().unwrap().state = State::Degraded;
    let taken = channel.send(&delivery(degraded), now()).await;
    let AttemptResult::Accepted { provider_ref } = taken else { panic!("{taken:?}") };
    let worse = Delivery { thread_ref: provider_ref, ..of(EventKind::Worsened) };
    let taken = channel.send(&worse, now()).await;
    let AttemptResult::Accepted { provider_ref } = taken else { panic!("{taken:?}") };
    let resolved = Delivery { thread_ref: provider_ref, ..of(EventKind::Resolved) };
    assert_eq!(word(&channel.send(&resolved, now()).await), "accepted");
    let told: Vec<Vec<String>> = stub
        .seen()
        .iter()
        .map(|seen| {
            let body = seen.json();
            let alerts = body.as_array().unwrap().iter();
            alerts
                .map(|alert| {
                    let state = if alert.get("endsAt").is_some() { "ends" } else { "stands" };
                    format!("{} {state}", alert["labels"]["severity"].as_str().unwrap())
                })
                .collect()
        })
        .collect();
    assert_eq!(
        told,
        [vec!["warning stands"], vec!["critical stands", "warning ends"], vec!["critical ends"]]
    );
}

#[tokio::test]
async fn an_alert_that_was_over_before_it_could_be_told_stands_long_enough_to_be_heard() {
    let stub = HttpStub::start([]).await;
    assert_eq!(word(&alertmanager_channel(&[&stub.url]).send(&over(), now()).await), "accepted");
    assert_eq!(stub.seen()[0].json()[0]["endsAt"], "2026-11-20T08:17:00Z");
}

#[tokio::test]
async fn what_stands_is_said_again_as_of_now() {
    let stub = HttpStub::start([]).await;
    let channel = alertmanager_channel(&[&stub.url]);
    assert!(channel.forgets());
    let hours_later = now().saturating_add(Duration::from_hours(3)).unwrap();
    channel.repeat(&[of(EventKind::Opened)], hours_later).await;
    let body = stub.seen()[0].json();
    assert_eq!(body[0]["startsAt"], "2026-11-20T08:00:00Z");
    assert_eq!(body[0].get("endsAt"), None);
    assert!(!body[0]["annotations"]["description"].as_str().unwrap().contains("late"), "{body}");
}

#[tokio::test]
async fn pagerduty_gets_one_incident_and_its_end() {
    let stub = HttpStub::start([]).await;
    let channel = pagerduty_channel(&stub.url);
    let taken = channel.send(&of(EventKind::Opened), now()).await;
    let AttemptResult::Accepted { provider_ref } = taken else { panic!("{taken:?}") };
    assert_eq!(provider_ref.as_deref(), Some("heygen-monitor-m0n1-42"));
    for event in [EventKind::Worsened, EventKind::Resolved] {
        let delivery = Delivery { thread_ref: provider_ref.clone(), ..of(event) };
        assert_eq!(word(&channel.send(&delivery, now()).await), "accepted");
    }
    assert_eq!(word(&channel.send(&over(), now()).await), "accepted");
    let seen = stub.seen();
    let told: Vec<String> =
        seen.iter().map(|seen| seen.json()["event_action"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["trigger", "trigger", "resolve", "trigger", "resolve"]);
    assert!(seen.iter().all(|seen| seen.json()["dedup_key"] == "heygen-monitor-m0n1-42"));
    assert!(seen.iter().all(|seen| seen.json()["routing_key"] == "R0UT1NGSECRETSECRET"));
}

#[tokio::test]
async fn no_preview_shows_a_secret() {
    let url = "http://127.0.0.1:9/";
    let channels =
        [webhook_channel(url), pagerduty_channel(url), ntfy_channel(url), slack_bot_channel(url)];
    for channel in channels {
        let preview = channel.preview(&of(EventKind::Opened), now());
        assert!(preview.contains("API not answering"), "{preview}");
        assert!(!preview.contains("SECRET"), "{preview}");
    }
}
