//! Slack against a real HTTP server.

use std::net::Ipv4Addr;
use std::time::Duration;

use heygen_monitor::model::{AttemptResult, EventKind, FailureReason};
use serde_json::Value;

use super::stub::{HttpStub, Reply, Seen};
use super::{delivery, message, now, slack_channel, word};

async fn attempt(replies: impl IntoIterator<Item = Reply>) -> (AttemptResult, Vec<Value>) {
    let stub = HttpStub::start(replies).await;
    let channel = slack_channel(&stub.url);
    let result = channel.send(&delivery(message(EventKind::Opened)), now()).await;
    (result, stub.seen().iter().map(Seen::json).collect())
}

#[tokio::test]
async fn refused_blocks_are_sent_once_more_as_plain_text() {
    for code in ["invalid_blocks", "invalid_payload", "msg_blocks_too_long"] {
        let (result, received) = attempt([Reply::body(400, code)]).await;
        assert_eq!(word(&result), "accepted", "{code}");
        assert!(received[0].get("blocks").is_some());
        assert!(received[1].get("blocks").is_none());
        assert_eq!(received[0]["text"], received[1]["text"]);
    }
}

#[tokio::test]
async fn an_unreachable_slack_is_tried_again_and_never_names_the_webhook() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let channel = slack_channel(&url);
    let result = channel.send(&delivery(message(EventKind::Opened)), now()).await;
    let AttemptResult::Retry { reason, detail, .. } = result else { panic!("{result:?}") };
    assert_eq!(reason, FailureReason::Unreachable);
    assert!(!detail.contains("SECRET") && !detail.contains("services"), "{detail}");
}

#[tokio::test]
async fn a_message_stays_within_every_limit_of_slack() {
    let huge = "<&>".repeat(100_000);
    let mut message = message(EventKind::Opened);
    message.headline.clone_from(&huge);
    message.notes = vec![huge.clone(); 50];
    message.advice.as_mut().unwrap().text.clone_from(&huge);
    message.official.as_mut().unwrap().notice = Some(huge.clone());
    let mut item = message.evidence.remove(0);
    item.text.clone_from(&huge);
    item.detail.message = Some(huge.clone());
    item.detail.doc_url = Some(format!("https://docs.heygen.com/{}", "a".repeat(250)));
    message.evidence = vec![item; 60];
    message.incident.as_mut().unwrap().subject = huge;
    let stub = HttpStub::start([]).await;
    slack_channel(&stub.url).send(&delivery(message), now()).await;
    let payload = stub.seen()[0].json();

    assert!(payload["text"].as_str().unwrap().chars().count() <= 4_000);
    let blocks = payload["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50, "{}", blocks.len());
    let mut total = 0;
    for block in blocks {
        let texts = match block["type"].as_str().unwrap() {
            "context" => block["elements"].as_array().unwrap().clone(),
            _ => vec![block["text"].clone()],
        };
        let limit = if block["type"] == "header" { 150 } else { 3_000 };
        for text in texts {
            let chars = text["text"].as_str().unwrap().chars().count();
            assert!((1..=limit).contains(&chars), "{chars} in {block}");
            total += chars;
        }
    }
    assert!(total < 10_000, "{total}");
}

#[tokio::test]
async fn blocks_show_each_reader_their_own_time_and_link_nowhere_else() {
    let (_, received) = attempt([]).await;
    let payload = received[0].to_string();
    let since = super::at().saturating_sub(Duration::from_mins(14)).unwrap();
    let date = format!("<!date^{}^{{date_short_pretty}} {{time}}|", since.as_second());
    assert!(payload.contains(&date), "{payload}");
    assert!(
        payload.contains("<https://developers.heygen.com/docs/error-codes|HeyGen's documentation>")
    );
    assert!(payload.contains("<https://status.example.org/incidents/42|"));
    assert_eq!(payload.matches("<https://").count(), 2);
    assert_eq!(received[0]["unfurl_links"], false);
    assert_eq!(received[0]["unfurl_media"], false);
}
