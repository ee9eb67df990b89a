//! Slack against a real HTTP server.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use heygen_monitor::model::{AttemptResult, EventKind, FailureReason};
use serde_json::Value;

use super::{delivery, message, now, slack_channel, word};

const PATH: &str = "/services/T0/B0/SECRETSECRET";

/// What the stub answers: status, `Retry-After`, body.
type Answer = (u16, Option<&'static str>, &'static str);

/// A webhook on loopback that answers as told, then `ok`.
pub(super) struct Stub {
    pub(super) url: String,
    received: Arc<Mutex<Vec<Value>>>,
}

impl Stub {
    #[expect(clippy::disallowed_methods, reason = "the stub lives as long as its test")]
    pub(super) async fn start(answers: &[Answer]) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let handler = move |body: String| async move {
            kept.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            let next = answers.lock().unwrap().pop_front();
            let (status, retry_after, text) = next.unwrap_or((200, None, "ok"));
            let mut headers = HeaderMap::new();
            if let Some(value) = retry_after {
                let name = HeaderName::from_static("retry-after");
                headers.insert(name, HeaderValue::from_static(value));
            }
            (StatusCode::from_u16(status).unwrap(), headers, text)
        };
        let app = axum::Router::new().route(PATH, axum::routing::post(handler));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, received }
    }

    pub(super) fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }
}

async fn attempt(answers: &[Answer]) -> (AttemptResult, Vec<Value>) {
    let stub = Stub::start(answers).await;
    let channel = slack_channel(&stub.url);
    let result = channel.send(&delivery(message(EventKind::Opened)), now()).await;
    (result, stub.received())
}

#[tokio::test]
async fn refused_blocks_are_sent_once_more_as_plain_text() {
    for code in ["invalid_blocks", "invalid_payload", "msg_blocks_too_long"] {
        let (result, received) = attempt(&[(400, None, code)]).await;
        assert_eq!(word(&result), "accepted", "{code}");
        assert!(received[0].get("blocks").is_some());
        assert!(received[1].get("blocks").is_none());
        assert_eq!(received[0]["text"], received[1]["text"]);
    }
    let refused = [(400, None, "invalid_payload"), (400, None, "invalid_payload")];
    let (result, received) = attempt(&refused).await;
    assert_eq!((word(&result).as_str(), received.len()), ("dead rejected", 2));
}

#[tokio::test]
async fn an_unreachable_slack_is_tried_again_and_never_names_the_webhook() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
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
    let stub = Stub::start(&[]).await;
    slack_channel(&stub.url).send(&delivery(message), now()).await;
    let payload = &stub.received()[0];

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
    let (_, received) = attempt(&[]).await;
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
