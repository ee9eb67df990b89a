//! What the simulator answers, held against HeyGen's own OpenAPI file.
//!
//! The file is HeyGen's and not part of this repository; without it these tests are silent.

use std::path::Path;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{
    API_KEY, Billing, Effect, End, JobKind, Lifecycle, Options, Received, Rule, Service, Simulator,
    WebhookEndpoint, WebhookEvent,
};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::client;
use crate::support::schema::Schemas;

const FILE: &str = "../shared/facts/heygen-openapi-2026-04-08.json";

fn openapi() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// A request to the simulator and the operation that it is one of.
struct Call {
    method: Method,
    path: String,
    operation: &'static str,
    body: Option<Value>,
    key: Option<&'static str>,
    status: u16,
}

impl Call {
    fn get(path: &str, operation: &'static str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            operation,
            body: None,
            key: Some(API_KEY),
            status: 200,
        }
    }

    fn post(operation: &'static str, body: Value) -> Self {
        let call = Self::get(operation, operation);
        Self { method: Method::POST, body: Some(body), ..call }
    }

    fn answers(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// Sends each call; the body of its answer must be what the file says for that status, and an
/// accepted request must be what the file allows.
async fn hold_against(openapi: &Value, simulator: &Simulator, calls: Vec<Call>) {
    let schemas = Schemas { document: openapi };
    let base = simulator.url(Service::Api);
    for call in calls {
        let verb = call.method.as_str().to_ascii_lowercase();
        let operation = &openapi["paths"][call.operation][&verb];
        assert!(operation.is_object(), "{verb} {} is in the file", call.operation);
        let mut request = client().request(call.method, format!("{base}{}", call.path));
        if let Some(key) = call.key {
            request = request.header("x-api-key", key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let place = format!("{verb} {} {}", call.path, call.status);
        assert_eq!(response.status().as_u16(), call.status, "{place}");
        let declared = &operation["responses"][call.status.to_string()];
        if declared["headers"].get("Retry-After").is_some() {
            let seconds = response.headers()["retry-after"].to_str().unwrap();
            assert!(seconds.parse::<u32>().is_ok(), "{place}: {seconds}");
        }
        let body: Value = response.json().await.unwrap();
        let schema = &declared["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{place} is in the file");
        assert!(body.get("data").or(body.get("error")).is_some(), "{place}: {body}");
        assert_eq!(schemas.complaints(schema, &body, &place), Vec::<String>::new());
        if let (Some(body), 200) = (&call.body, call.status) {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert_eq!(schemas.complaints(schema, body, &place), Vec::<String>::new());
        }
    }
}

/// What is sent in today's bodies but was not in the file of April.
const NEWER: [(&str, &[&str]); 3] = [
    ("/v3/videos", &["engine", "fit", "caption", "watermark", "output_format", "folder_id"]),
    ("/v3/video-translations", &["format"]),
    ("/v3/voices/speech", &[]),
];

/// Every way in which an accepted create among `received` is not what HeyGen documents: for the end
/// of a test in which the product itself sent them. Empty without the file.
pub(crate) fn complaints_of_creates(received: &[Received]) -> Vec<String> {
    let Some(openapi) = openapi() else { return Vec::new() };
    let creates = received.iter().filter(|entry| entry.is_create() && entry.status == Some(200));
    creates.flat_map(|create| complaints_of(&openapi, create)).collect()
}

fn complaints_of(openapi: &Value, create: &Received) -> Vec<String> {
    let path = create.path.split('?').next().unwrap();
    let Some((_, newer)) = NEWER.iter().find(|(known, _)| *known == path) else {
        return Vec::new();
    };
    let mut body = create.json();
    let Some(fields) = body.as_object_mut() else {
        return vec![format!("{path}: no JSON object")];
    };
    fields.retain(|name, _| !newer.contains(&name.as_str()));
    let schema = &openapi["paths"][path]["post"]["requestBody"]["content"]["application/json"];
    let schema = &schema["schema"];
    assert!(schema.is_object(), "{path} is in the file");
    let mut complaints = Schemas { document: openapi }.complaints(schema, &body, path);
    complaints.extend(unknown_fields(openapi, path, &body));
    let takes_key = path != "/v3/voices/speech";
    if takes_key && !create.headers.contains_key("idempotency-key") {
        complaints.push(format!("{path}: no Idempotency-Key"));
    }
    complaints
}

/// The file lets videos have any field; it names those that mean something.
fn unknown_fields(openapi: &Value, path: &str, body: &Value) -> Vec<String> {
    let name = match (path, body["type"].as_str()) {
        ("/v3/videos", Some("avatar")) => "CreateVideoFromAvatar",
        ("/v3/videos", _) => "CreateVideoFromImage",
        _ => return Vec::new(),
    };
    let known = &openapi["components"]["schemas"][name]["properties"];
    let fields = body.as_object().into_iter().flat_map(|fields| fields.keys());
    let unknown = fields.filter(|field| known.get(field).is_none());
    unknown.map(|field| format!("{path}: {field} is not in {name}")).collect()
}

async fn simulator() -> Simulator {
    let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    Simulator::start(Options::new(Clock::starting_at(origin, 1e-6))).await.unwrap()
}

/// One job of each kind in each state; their ids.
fn seed(simulator: &Simulator) -> Vec<(JobKind, String)> {
    let minute = Duration::from_mins(1);
    let created_at: Timestamp = "2026-11-20T08:50:00Z".parse().unwrap();
    let lives = [
        Lifecycle::stuck_in_queue(),
        Lifecycle::stuck_in_processing(minute),
        Lifecycle::completing(minute, minute),
        Lifecycle::out_of_credit(minute),
    ];
    simulator.account(|account| {
        let mut ids = Vec::new();
        for kind in [JobKind::Video, JobKind::Translation] {
            for life in &lives {
                ids.push((kind, account.seed(kind, "mine", created_at, life.clone())));
            }
        }
        ids
    })
}

#[tokio::test]
async fn what_is_read_is_what_heygen_documents() {
    let Some(openapi) = openapi() else { return };
    let simulator = simulator().await;
    let mut calls = vec![
        Call::get("/v3/users/me", "/v3/users/me"),
        Call::get("/v3/voices?limit=2", "/v3/voices"),
        Call::get("/v3/avatars", "/v3/avatars"),
        Call::get("/v3/avatars/looks", "/v3/avatars/looks"),
        Call::get("/v3/videos?limit=3", "/v3/videos"),
        Call::get("/v3/videos?limit=101", "/v3/videos").answers(400),
        Call::get("/v3/videos/v_none", "/v3/videos/{video_id}").answers(404),
        Call::get("/v3/video-translations", "/v3/video-translations"),
        Call::get("/v3/video-translations/languages", "/v3/video-translations/languages"),
        Call { key: None, ..Call::get("/v3/users/me", "/v3/users/me").answers(401) },
        Call { key: Some("wrong"), ..Call::get("/v3/videos", "/v3/videos").answers(401) },
    ];
    for (kind, id) in seed(&simulator) {
        let (base, operation) = match kind {
            JobKind::Video => ("/v3/videos", "/v3/videos/{video_id}"),
            JobKind::Translation => {
                ("/v3/video-translations", "/v3/video-translations/{video_translation_id}")
            }
        };
        let path = format!("{base}/{id}");
        calls.push(Call::get(&path, operation));
        calls.push(Call { method: Method::DELETE, ..Call::get(&path, operation) });
        calls.push(Call { method: Method::DELETE, ..Call::get(&path, operation) }.answers(404));
    }
    hold_against(&openapi, &simulator, calls).await;
}

#[tokio::test]
async fn what_is_written_is_what_heygen_documents() {
    let Some(openapi) = openapi() else { return };
    let simulator = simulator().await;
    let avatar = json!({"type": "avatar", "avatar_id": "look_ben_studio", "voice_id": "voice_ben",
                        "script": "Hi.", "title": "probe", "resolution": "720p"});
    let image = json!({"type": "image", "image": {"type": "url", "url": "https://example.com/a.png"},
                       "voice_id": "voice_ben", "script": "Hi."});
    let dub = json!({"video": {"type": "url", "url": "https://example.com/a.mp4"},
                     "output_languages": ["Spanish (Spain)"], "translate_audio_only": true,
                     "mode": "speed"});
    let speech = json!({"text": "Hi.", "voice_id": "voice_ben", "speed": 1.0});
    let calls = vec![
        Call::post("/v3/videos", avatar),
        Call::post("/v3/videos", image),
        Call::post("/v3/videos", json!({})).answers(400),
        Call::post("/v3/video-translations", dub),
        Call::post("/v3/video-translations", json!({"video": 1})).answers(400),
        Call::post("/v3/voices/speech", speech),
        Call::post("/v3/voices/speech", json!({"text": "Hi."})).answers(400),
    ];
    hold_against(&openapi, &simulator, calls).await;
}

#[tokio::test]
async fn every_way_of_billing_is_what_heygen_documents() {
    let Some(openapi) = openapi() else { return };
    let simulator = simulator().await;
    let resets_at = Some("2026-12-01T00:00:00Z".parse().unwrap());
    let ways = [
        Billing::Wallet,
        Billing::Subscription { premium: 120, resets_at, add_on: 0 },
        Billing::UsageBased { spent_usd: 42.5, cap_usd: Some(100.0) },
        Billing::UsageBased { spent_usd: 42.5, cap_usd: None },
        Billing::Untold,
    ];
    for billing in ways {
        simulator.account(|account| account.billing = billing);
        let calls = vec![Call::get("/v3/users/me", "/v3/users/me")];
        hold_against(&openapi, &simulator, calls).await;
    }
    simulator.account(|account| account.wallet.reloads = true);
    let calls = vec![Call::get("/v3/users/me", "/v3/users/me")];
    hold_against(&openapi, &simulator, calls).await;
}

#[tokio::test]
async fn webhooks_and_late_results_are_what_heygen_documents() {
    let Some(openapi) = openapi() else { return };
    let simulator = simulator().await;
    let minute = Duration::from_mins(1);
    let created_at: Timestamp = "2026-11-20T08:50:00Z".parse().unwrap();
    let id = simulator.account(|account| {
        account.webhooks.push(WebhookEndpoint::new("http://127.0.0.1:9/heygen", "whsec_1"));
        for (event_type, job_id) in [("avatar_video.success", "v_1"), ("video_translate.fail", "1")]
        {
            account.webhook_events.push(WebhookEvent {
                event_id: "evt_1".to_owned(),
                created_at,
                job_id: job_id.to_owned(),
                event_type: event_type.to_owned(),
                body: json!({"event_type": event_type, "event_data": {"video_id": job_id}})
                    .to_string(),
                url: "http://127.0.0.1:9/heygen".to_owned(),
                attempts: 1,
                status: Some(204),
            });
        }
        let mut lifecycle = Lifecycle::completing(minute, minute);
        lifecycle.end = End::CompletedUrlLater(60 * minute);
        account.seed(JobKind::Video, "mine", created_at, lifecycle)
    });
    let calls = vec![
        Call::get("/v3/webhooks/endpoints", "/v3/webhooks/endpoints"),
        Call::get("/v3/webhooks/events?limit=1", "/v3/webhooks/events"),
        Call::get(&format!("/v3/videos/{id}"), "/v3/videos/{video_id}"),
    ];
    hold_against(&openapi, &simulator, calls).await;
}

#[tokio::test]
async fn a_create_that_is_not_documented_is_found_in_the_log() {
    if openapi().is_none() {
        return;
    }
    let simulator = simulator().await;
    let base = simulator.url(Service::Api);
    let good = json!({"type": "avatar", "avatar_id": "look_ben_studio", "voice_id": "voice_ben",
                      "script": "Hi.", "title": "hgm-1", "resolution": "720p",
                      "engine": {"type": "avatar_iii"}});
    let dub = json!({"video": {"type": "asset_id", "asset_id": "a"}, "mode": "speed",
                     "output_languages": ["Spanish (Spain)"]});
    let speech = json!({"text": "Hi.", "voice_id": "voice_ben"});
    let send = |path: &str, body: Value| {
        let request = client().post(format!("{base}{path}")).header("x-api-key", API_KEY);
        let key = format!("key-{}", simulator.log().len());
        request.header("idempotency-key", key).json(&body).send()
    };
    for (path, body) in [
        ("/v3/videos", good.clone()),
        ("/v3/video-translations", dub),
        ("/v3/voices/speech", speech),
        ("/v3/videos", json!({})),
    ] {
        send(path, body).await.unwrap();
    }
    let accepted = simulator.log().iter().filter(|entry| entry.status == Some(200)).count();
    assert_eq!(accepted, 3);
    assert_eq!(complaints_of_creates(&simulator.log()), Vec::<String>::new());
    let mut odd = good;
    odd["test"] = true.into();
    let request = client().post(format!("{base}/v3/videos")).header("x-api-key", API_KEY);
    assert_eq!(request.json(&odd).send().await.unwrap().status(), 200);
    let complaints = complaints_of_creates(&simulator.log());
    let expected =
        ["/v3/videos: test is not in CreateVideoFromAvatar", "/v3/videos: no Idempotency-Key"];
    assert_eq!(complaints, expected);
}

#[tokio::test]
async fn a_rate_limit_is_what_heygen_documents() {
    let Some(openapi) = openapi() else { return };
    let simulator = simulator().await;
    simulator.plan(|plan| plan.add(Rule::on(Service::Api, "/v3/", Effect::rate_limited(30))));
    let calls = vec![
        Call::get("/v3/users/me", "/v3/users/me").answers(429),
        Call::post("/v3/videos", json!({})).answers(429),
    ];
    hold_against(&openapi, &simulator, calls).await;
}
