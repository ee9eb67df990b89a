//! What the simulator answers, held against HeyGen's own OpenAPI file.
//!
//! The file is HeyGen's and not part of this repository; without it these tests are silent.

use std::path::Path;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{
    API_KEY, Effect, JobKind, Lifecycle, Options, Rule, Service, Simulator,
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
