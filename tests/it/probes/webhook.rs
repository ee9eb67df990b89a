//! HeyGen's signed events, against the real listener.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::http_client::{ClientOptions, HttpClient, Limits, Request};
use heygen_monitor::model::{JobEvent, JobKind, JobStatus};
use heygen_monitor::probe::webhook::{WebhookCheck, listen};
use heygen_monitor::secret::Secret;
use heygen_monitor::simulator::webhook_signature;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "whsec_do_not_leak_0123456789";
const SUCCESS: &str = r#"{"event_type":"avatar_video.success","event_data":{"video_id":"v1",
    "url":"https://files.heygen.test/v.mp4?Signature=S","callback_id":"c"}}"#;
const FAIL: &str = r#"{"event_type":"video_translate.fail","event_data":{"video_translate_id":"t1",
    "message":"Failed"}}"#;

struct Ear {
    address: SocketAddr,
    clock: Clock,
    events: mpsc::Receiver<JobEvent>,
    cancel: CancellationToken,
    listening: JoinHandle<()>,
    http: HttpClient,
}

#[expect(clippy::disallowed_methods, reason = "the other side of a test runs beside it")]
async fn ear() -> Ear {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let clock = Clock::starting_at("2026-11-20T09:00:00Z".parse().unwrap(), 1.0);
    let (sender, events) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let check =
        WebhookCheck { listen: address, secret: Secret::new(SECRET), path: "/heygen".to_owned() };
    let listening = tokio::spawn(listen(
        "webhook".to_owned(),
        check,
        listener,
        clock.clone(),
        sender,
        cancel.clone(),
    ));
    let http = HttpClient::new(&ClientOptions::default()).unwrap();
    Ear { address, clock, events, cancel, listening, http }
}

fn signed(key: &str, body: &str) -> String {
    webhook_signature(key, body.as_bytes())
}

impl Ear {
    fn ago(&self, secs: i64) -> String {
        (self.clock.now().as_second() - secs).to_string()
    }

    async fn post(&self, path: &str, body: &str, headers: &[(&'static str, &str)]) -> u16 {
        let url = format!("http://{}{path}", self.address).parse().unwrap();
        let mut request =
            Request::post(url, "application/json", body.as_bytes().to_vec(), Limits::WEBHOOK);
        for (name, value) in headers {
            request = request.header(name, value.parse().unwrap());
        }
        self.http.send(request).await.unwrap().status
    }

    async fn event(&self, id: &str, body: &str) -> u16 {
        let (signature, at) = (signed(SECRET, body), self.ago(2));
        let headers = [
            ("heygen-signature", signature.as_str()),
            ("heygen-timestamp", &at),
            ("heygen-event-id", id),
        ];
        self.post("/heygen", body, &headers).await
    }
}

#[tokio::test]
async fn a_genuine_event_is_passed_on_once() {
    let mut ear = ear().await;
    assert_eq!(ear.event("e1", SUCCESS).await, 200);
    let event = ear.events.recv().await.unwrap();
    assert_eq!((event.probe.as_str(), event.event_id.as_str()), ("webhook", "e1"));
    let seen = event.sighting.clone().unwrap();
    assert_eq!(
        (seen.kind, seen.id.as_str(), seen.status),
        (JobKind::Video, "v1", JobStatus::Completed)
    );
    assert_eq!((seen.has_url, seen.at), (true, event.sent_at));
    let delay = event.at.duration_since(event.sent_at).as_secs();
    assert!((1..60).contains(&delay), "{delay}");
    let printed = format!("{event:?}");
    assert!(!printed.contains("Signature") && !printed.contains(SECRET), "{printed}");
    assert_eq!(ear.event("e1", SUCCESS).await, 200);
    assert_eq!(ear.event("e2", FAIL).await, 200);
    let event = ear.events.recv().await.unwrap();
    assert_eq!(event.event_id, "e2", "the duplicate was not passed on");
    let seen = event.sighting.unwrap();
    assert_eq!(
        (seen.kind, seen.id.as_str(), seen.status),
        (JobKind::Translation, "t1", JobStatus::Failed)
    );
    assert_eq!(seen.failure.unwrap().message.as_deref(), Some("Failed"));
    let other = r#"{"event_type":"avatar_video_gif.success","event_data":{"video_id":"v1"}}"#;
    assert_eq!(ear.event("e3", other).await, 200);
    assert_eq!(ear.events.recv().await.unwrap().sighting, None);
}

#[tokio::test]
async fn what_is_not_genuine_or_not_fresh_is_refused() {
    let mut ear = ear().await;
    let good = signed(SECRET, SUCCESS);
    let (now, old, future) = (ear.ago(0), ear.ago(301 + 5), ear.ago(-320));
    for (signature, at, body, status) in [
        (Some(good.as_str()), Some(old.as_str()), SUCCESS, 401),
        (Some(&good), Some(&future), SUCCESS, 401),
        (Some(&good), Some("soon"), SUCCESS, 400),
        (Some(&good), None, SUCCESS, 401),
        (Some(&good), Some(&now), FAIL, 401),
        (Some(&signed("whsec_other", SUCCESS)), Some(&now), SUCCESS, 401),
        (Some("zz"), Some(&now), SUCCESS, 401),
        (None, Some(&now), SUCCESS, 401),
        (Some(&signed(SECRET, "{}")), Some(&now), "{}", 400),
        (Some(&signed(SECRET, "hello")), Some(&now), "hello", 400),
    ] {
        let mut headers = Vec::new();
        headers.extend(signature.map(|signature| ("heygen-signature", signature)));
        headers.extend(at.map(|at| ("heygen-timestamp", at)));
        assert_eq!(
            ear.post("/heygen", body, &headers).await,
            status,
            "{signature:?} {at:?} {body}"
        );
    }
    assert!(ear.events.try_recv().is_err());
}

#[tokio::test]
async fn both_forms_of_secret_and_signature_are_known() {
    let mut ear = ear().await;
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    let now = ear.ago(0);
    let (one, other) = (signed(bare, SUCCESS), signed(SECRET, FAIL).to_uppercase());
    let headers = [("heygen-signature", one.as_str()), ("heygen-timestamp", &now)];
    assert_eq!(ear.post("/heygen", SUCCESS, &headers).await, 200);
    let event = ear.events.recv().await.unwrap();
    assert!(event.event_id.starts_with("sha256-"), "{}", event.event_id);
    assert_eq!(ear.post("/heygen", FAIL, &[("signature", &other)]).await, 200);
    let event = ear.events.recv().await.unwrap();
    assert_eq!(event.sent_at, event.at);
}

#[tokio::test]
async fn other_paths_methods_and_sizes_are_turned_away() {
    let ear = ear().await;
    assert_eq!(ear.post("/elsewhere", SUCCESS, &[]).await, 404);
    let large = " ".repeat((256 << 10) + 1);
    assert_eq!(ear.post("/heygen", &large, &[]).await, 413);
    for (method, status) in [("GET", 405), ("DELETE", 405), ("OPTIONS", 200)] {
        let url = format!("http://{}/heygen", ear.address).parse().unwrap();
        let mut request = Request::get(url, Limits::WEBHOOK);
        request.method = method.parse().unwrap();
        assert_eq!(ear.http.send(request).await.unwrap().status, status, "{method}");
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_passed_on_may_come_again() {
    let mut ear = ear().await;
    assert_eq!(ear.event("e1", SUCCESS).await, 200);
    assert_eq!(ear.event("e2", SUCCESS).await, 503);
    assert_eq!(ear.events.recv().await.unwrap().event_id, "e1");
    assert_eq!(ear.event("e2", SUCCESS).await, 200);
    assert_eq!(ear.events.recv().await.unwrap().event_id, "e2");
}

#[tokio::test]
async fn it_ends_when_told() {
    let ear = ear().await;
    let idle = tokio::net::TcpStream::connect(ear.address).await.unwrap();
    ear.cancel.cancel();
    tokio::time::timeout(Duration::from_secs(30), ear.listening).await.unwrap().unwrap();
    drop(idle);
}
