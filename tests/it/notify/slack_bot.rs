//! Slack by bot token against a real HTTP server: one message per incident, its story in a thread.

use heygen_monitor::model::{AttemptResult, Delivery, EventKind};
use serde_json::Value;

use super::stub::{HttpStub, Reply};
use super::{delivery, message, now, slack_bot_channel, word};

const ROOT: &str = "C042/1763.000001";

fn later(event: EventKind) -> Delivery {
    Delivery { id: 8, thread_ref: Some(ROOT.to_owned()), ..delivery(message(event)) }
}

/// `METHOD channel ts>thread broadcast` of each request.
fn calls(stub: &HttpStub) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let calls = stub.seen();
    let calls = calls.iter().map(|seen| {
        let body = seen.json();
        let broadcast = if body["reply_broadcast"] == true { " broadcast" } else { "" };
        format!(
            "{} {} ts={} thread={}{broadcast}",
            seen.path.trim_start_matches('/'),
            word(&body["channel"]),
            word(&body["ts"]),
            word(&body["thread_ts"]),
        )
    });
    calls.collect()
}

#[tokio::test]
async fn an_incident_is_one_message_with_its_details_in_the_thread() {
    let stub = HttpStub::start([]).await;
    let opened = delivery(message(EventKind::Opened));
    let result = slack_bot_channel(&stub.url).send(&opened, now()).await;
    let provider_ref = Some(ROOT.to_owned());
    assert_eq!(result, AttemptResult::Accepted { provider_ref });
    assert_eq!(
        calls(&stub),
        ["chat.postMessage #video ts=- thread=-", "chat.postMessage C042 ts=- thread=1763.000001"]
    );
    let seen = stub.seen();
    assert!(seen.iter().all(|seen| seen.header("authorization") == "Bearer xoxb-SECRETSECRET"));
    let (summary, details) = (seen[0].json()["blocks"].to_string(), seen[1].json().to_string());
    assert!(summary.contains("What to do") && !summary.contains("api-read"), "{summary}");
    assert!(details.contains("The service is temporarily unavailable."), "{details}");
}

#[tokio::test]
async fn later_events_update_the_message_and_the_end_is_for_the_whole_channel() {
    let stub = HttpStub::start([]).await;
    let channel = slack_bot_channel(&stub.url);
    for event in [EventKind::Worsened, EventKind::Resolved] {
        let result = channel.send(&later(event), now()).await;
        let provider_ref = Some(ROOT.to_owned());
        assert_eq!(result, AttemptResult::Accepted { provider_ref });
    }
    assert_eq!(
        calls(&stub),
        [
            "chat.update C042 ts=1763.000001 thread=-",
            "chat.postMessage C042 ts=- thread=1763.000001",
            "chat.update C042 ts=1763.000001 thread=-",
            "chat.postMessage C042 ts=- thread=1763.000001 broadcast",
        ]
    );
    let updated = stub.seen()[2].json();
    let header = updated["blocks"][0]["text"]["text"].as_str().unwrap().to_owned();
    assert!(header.starts_with("🟢 Resolved after 14 min"), "{header}");
}

#[tokio::test]
async fn a_message_that_somebody_deleted_is_posted_anew() {
    for error in ["message_not_found", "cant_update_message", "edit_window_closed"] {
        let stub = HttpStub::start([Reply::slack(error)]).await;
        let result = slack_bot_channel(&stub.url).send(&later(EventKind::Resolved), now()).await;
        let provider_ref = Some("C042/1763.000002".to_owned());
        assert_eq!(result, AttemptResult::Accepted { provider_ref }, "{error}");
        assert_eq!(
            calls(&stub),
            [
                "chat.update C042 ts=1763.000001 thread=-",
                "chat.postMessage #video ts=- thread=-",
                "chat.postMessage C042 ts=- thread=1763.000002",
            ]
        );
    }
}

#[tokio::test]
async fn a_thread_that_fails_does_not_repeat_the_message() {
    let taken = r#"{"ok":true,"channel":"C042","ts":"1763.000001"}"#;
    let stub = HttpStub::start([Reply::body(200, taken), Reply::status(503)]).await;
    let channel = slack_bot_channel(&stub.url);
    let opened = delivery(message(EventKind::Opened));
    assert_eq!(word(&channel.send(&opened, now()).await), "retry server_error");
    assert_eq!(word(&channel.send(&opened, now()).await), "accepted");
    assert_eq!(
        calls(&stub),
        [
            "chat.postMessage #video ts=- thread=-",
            "chat.postMessage C042 ts=- thread=1763.000001",
            "chat.postMessage C042 ts=- thread=1763.000001",
        ]
    );
}

#[tokio::test]
async fn refused_blocks_are_replaced_by_plain_text_in_an_update_too() {
    let stub = HttpStub::start([Reply::slack("msg_blocks_too_long")]).await;
    let result = slack_bot_channel(&stub.url).send(&later(EventKind::Worsened), now()).await;
    assert_eq!(word(&result), "accepted");
    let seen = stub.seen();
    assert_eq!(seen[1].path, "/chat.update");
    assert_eq!(seen[1].json()["blocks"], Value::Array(Vec::new()));
    assert_eq!(seen[0].json()["text"], seen[1].json()["text"]);
}

#[tokio::test]
async fn a_drill_is_a_message_of_its_own() {
    let stub = HttpStub::start([]).await;
    let drill = delivery(message(EventKind::Drill));
    let result = slack_bot_channel(&stub.url).send(&drill, now()).await;
    assert_eq!(word(&result), "accepted");
    assert_eq!(calls(&stub), ["chat.postMessage #video ts=- thread=-"]);
}

#[tokio::test]
async fn the_silent_check_asks_who_we_are_and_tells_nobody() {
    let stub = HttpStub::start([]).await;
    let result = slack_bot_channel(&stub.url).check(now()).await.unwrap();
    assert_eq!(word(&result), "accepted");
    assert_eq!(stub.seen()[0].path, "/auth.test");
    let stub = HttpStub::start([Reply::slack("token_revoked")]).await;
    let result = slack_bot_channel(&stub.url).check(now()).await.unwrap();
    assert_eq!(word(&result), "dead unauthorized");
}
