//! The simulator itself: that it is HeyGen enough to be believed, and breaks as it is told.

use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{
    API_KEY, Answer, Caller, ComponentState, Effect, Format, IncidentStatus, JobKind, Lifecycle,
    Notice, Options, Rule, Service, Simulator,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{client, get};

mod artefacts;
mod creates;
mod queue;
mod variants;
mod webhooks;

fn origin() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    Timestamp::from_second(origin().as_second() + 60 * minutes).unwrap()
}

/// A simulation whose clock stands (nearly) still.
async fn still() -> Simulator {
    Simulator::start(Options::new(Clock::starting_at(origin(), 1e-6))).await.unwrap()
}

/// A body that is accepted.
fn video_body(title: &str) -> Value {
    json!({"type": "avatar", "avatar_id": "look_ben_studio", "voice_id": "voice_ben",
           "script": "Hi.", "title": title})
}

/// Status and JSON of a request with the key.
async fn created(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.header("x-api-key", API_KEY).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_missing_and_a_wrong_key_are_told_the_same() {
    let simulator = still().await;
    let client = client();
    let url = format!("{}/v3/users/me", simulator.url(Service::Api));
    let without = client.get(&url).send().await.unwrap();
    assert_eq!(without.status(), 401);
    let without = without.bytes().await.unwrap();
    let wrong = client.get(&url).header("x-api-key", "wrong").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert_eq!(without, wrong.bytes().await.unwrap());
    let error: Value = serde_json::from_slice(&without).unwrap();
    assert_eq!(error["error"]["code"], "unauthorized");
    let (status, user) = get(&client, &url).await;
    assert_eq!((status, user["data"]["billing_type"].as_str()), (200, Some("wallet")));
}

#[tokio::test]
async fn a_key_that_ends_is_refused_from_then_on() {
    let simulator = still().await;
    simulator.account(|account| account.key_expires_at = Some(after(-1)));
    let url = format!("{}/v3/users/me", simulator.url(Service::Api));
    assert_eq!(get(&client(), &url).await.0, 401);
}

#[tokio::test]
async fn an_invalid_body_is_refused_and_creates_nothing() {
    let simulator = still().await;
    for (path, param) in [("/v3/videos", "type"), ("/v3/video-translations", "video")] {
        let url = format!("{}{path}", simulator.url(Service::Api));
        let request = client().post(url).header("x-api-key", API_KEY).json(&json!({}));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "invalid_parameter");
        assert_eq!(body["error"]["param"], param);
        let doc_url = "https://developers.heygen.com/docs/error-codes#invalid-parameter";
        assert_eq!(body["error"]["doc_url"], doc_url);
    }
    simulator.account(|account| assert!(account.jobs().is_empty()));
}

#[tokio::test]
async fn a_create_with_the_same_key_is_one_job() {
    let simulator = still().await;
    let url = format!("{}/v3/videos", simulator.url(Service::Api));
    let body = video_body("hgm-1");
    let send = || {
        let request = client().post(&url).header("x-api-key", API_KEY);
        request.header("idempotency-key", "run-1").json(&body).send()
    };
    let first: Value = send().await.unwrap().json().await.unwrap();
    let second: Value = send().await.unwrap().json().await.unwrap();
    assert_eq!(first["data"]["status"], "waiting");
    assert_eq!(first, second);
    simulator.account(|account| {
        assert_eq!(account.jobs().len(), 1);
        account.accept_delay = Duration::from_millis(300);
    });
    let send = || {
        let request = client().post(&url).header("x-api-key", API_KEY);
        request.header("idempotency-key", "run-2").json(&body).send()
    };
    let (one, other) = tokio::join!(send(), send());
    let mut statuses = [one.unwrap().status().as_u16(), other.unwrap().status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    simulator.account(|account| assert_eq!(account.jobs().len(), 2));
}

#[tokio::test]
async fn a_list_is_paged_newest_first_and_filtered_by_title() {
    let simulator = still().await;
    simulator.account(|account| {
        for i in 0..25 {
            let title = if i % 5 == 0 { format!("hgm-{i}") } else { format!("video {i}") };
            account.seed(JobKind::Video, &title, after(i - 30), Lifecycle::default());
        }
    });
    let base = format!("{}/v3/videos", simulator.url(Service::Api));
    let mut seen = Vec::new();
    let mut query = "limit=10".to_owned();
    loop {
        let (status, page) = get(&client(), &format!("{base}?{query}")).await;
        assert_eq!(status, 200);
        let titles = page["data"].as_array().unwrap().iter().map(|job| job["title"].to_string());
        seen.extend(titles);
        let Some(token) = page["next_token"].as_str() else {
            break;
        };
        assert_eq!(page["has_more"], true);
        query = format!("limit=10&token={token}");
    }
    assert_eq!(seen.len(), 25);
    assert_eq!(seen[0], "\"video 24\"");
    let (_, found) = get(&client(), &format!("{base}?title=hgm-")).await;
    assert_eq!(found["data"].as_array().unwrap().len(), 5);
    let (status, refused) = get(&client(), &format!("{base}?limit=0")).await;
    assert_eq!((status, refused["error"]["param"].as_str()), (400, Some("limit")));
}

#[tokio::test]
async fn a_job_follows_the_clock_and_is_gone_once_deleted() {
    let simulator = still().await;
    let stages = Lifecycle::completing(Duration::from_mins(5), Duration::from_mins(5));
    let ids = simulator.account(|account| {
        [-12, -7, -2].map(|age| account.seed(JobKind::Video, "mine", after(age), stages.clone()))
    });
    let base = format!("{}/v3/videos", simulator.url(Service::Api));
    let bulk = format!("{base}/statuses?video_ids={},{},v_unknown", ids.join(","), "x");
    let (_, bulk) = get(&client(), &bulk).await;
    let words = bulk["data"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap());
    assert_eq!(
        words.collect::<Vec<_>>(),
        ["completed", "processing", "queued", "not_found", "not_found"]
    );
    let url = format!("{base}/{}", ids[0]);
    let (_, done) = get(&client(), &url).await;
    assert_eq!(done["data"]["completed_at"], after(-2).as_second());
    let delete = || client().delete(&url).header("x-api-key", API_KEY).send();
    assert_eq!(delete().await.unwrap().status(), 200);
    assert_eq!(delete().await.unwrap().status(), 404);
    assert_eq!(get(&client(), &url).await.1["error"]["code"], "video_not_found");
}

#[tokio::test]
async fn retired_routes_and_unknown_ones_have_no_envelope() {
    let simulator = still().await;
    let base = simulator.url(Service::Api);
    for path in ["/v2/video/generate", "/v1/video_status.get?video_id=x", "/v3/nonsense"] {
        assert_eq!(get(&client(), &format!("{base}{path}")).await, (404, Value::Null), "{path}");
    }
    assert_eq!(get(&client(), &format!("{base}/v2/templates")).await.0, 200);
}

#[tokio::test]
async fn every_effect_of_the_plan_is_carried_out() {
    let simulator = still().await;
    let page = Answer::new(200, "text/plain", "0123456789");
    simulator.plan(|plan| {
        let on = |path: &str, effect| Rule::on(Service::Api, path, effect);
        plan.add(on("/503", Effect::unavailable()));
        plan.add(on("/429", Effect::rate_limited(30)));
        plan.add(on("/slow", Effect::Delay(Duration::from_millis(50))));
        plan.add(on("/hang", Effect::Hang));
        plan.add(on("/reset", Effect::Reset));
        plan.add(on("/close", Effect::Close));
        plan.add(on("/cut", Effect::CutOff(page.clone())));
        plan.add(on("/trickle", Effect::Trickle(page.clone(), Duration::from_millis(1))));
    });
    let base = simulator.url(Service::Api);
    let client = client();
    let send = |path: &str| client.get(format!("{base}{path}")).send();
    let refused = send("/503").await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("x-amzn-request-id"));
    let limited = send("/429").await.unwrap();
    assert_eq!(limited.headers()["retry-after"], "30");
    assert_eq!(send("/slow").await.unwrap().status(), 404);
    assert!(send("/reset").await.unwrap_err().is_request());
    assert!(send("/close").await.unwrap_err().is_request());
    assert!(send("/cut").await.unwrap().bytes().await.is_err());
    assert_eq!(send("/trickle").await.unwrap().text().await.unwrap(), "0123456789");
    let hang = tokio::time::timeout(Duration::from_millis(200), send("/hang")).await;
    assert!(hang.is_err(), "no answer comes");
    let unanswered = simulator.log().iter().filter(|entry| entry.status.is_none()).count();
    assert_eq!(unanswered, 3, "hang, reset and close are in the log, unanswered");
    tokio::time::timeout(Duration::from_secs(2), simulator.stop()).await.unwrap();
}

#[tokio::test]
async fn a_rule_strikes_its_callers_in_simulated_time() {
    let client = client();
    let ends = after(4);
    let mut options = Options::new(Clock::starting_at(origin(), 60.0));
    let down = Rule::on(Service::Api, "/v3/", Effect::unavailable()).caller(Caller::Keyed);
    options.plan.add(down.until(ends));
    let simulator = Simulator::start(options).await.unwrap();
    let url = format!("{}/v3/users/me", simulator.url(Service::Api));
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401, "anonymous");
    assert_eq!(get(&client, &url).await.0, 503);
    simulator.clock().sleep_until(ends).await;
    assert_eq!(get(&client, &url).await.0, 200);
    let at = simulator.received(Service::Api).last().unwrap().at;
    assert!(at >= ends && at <= simulator.clock().now(), "logged in simulated time: {at}");
}

#[tokio::test]
async fn a_lost_network_takes_everything_and_comes_back() {
    let simulator = still().await;
    let client = client();
    let urls =
        [Service::Api, Service::Files, Service::StatusPage, Service::WebApp, Service::Control(2)];
    assert!(client.get(simulator.url(urls[0])).send().await.is_ok(), "a connection is kept");
    simulator.plan(heygen_monitor::simulator::Plan::lose_network);
    for service in urls {
        assert!(client.get(simulator.url(service)).send().await.is_err(), "{service:?}");
    }
    simulator.plan(heygen_monitor::simulator::Plan::clear);
    for service in urls {
        assert!(client.get(simulator.url(service)).send().await.is_ok(), "{service:?}");
    }
}

#[tokio::test]
async fn the_page_looks_like_incident_io() {
    let simulator = still().await;
    let client = client();
    let base = simulator.url(Service::StatusPage);
    let (status, summary) = get(&client, &format!("{base}/api/v2/summary.json")).await;
    assert_eq!((status, summary["status"]["indicator"].as_str()), (200, Some("none")));
    assert_eq!(summary["components"].as_array().unwrap().len(), 6);
    assert!(summary.get("incidents").is_none(), "no key when there is none");
    let missing = client.get(format!("{base}/api/v2/nonsense.json")).send().await.unwrap();
    assert_eq!((missing.status().as_u16(), missing.bytes().await.unwrap().len()), (404, 0));
    let first = client.get(format!("{base}/api/v2/status.json")).send().await.unwrap();
    let etag = first.headers()["etag"].clone();
    let again = client.get(format!("{base}/api/v2/status.json")).header("if-none-match", etag);
    assert_eq!(again.send().await.unwrap().status(), 304);
}

#[tokio::test]
async fn an_incident_shows_in_every_format() {
    let simulator = still().await;
    let api = "https://api.heygen.com";
    simulator.page(|page| {
        page.turn(api, ComponentState::FullOutage, after(-5));
        page.turn(api, ComponentState::Operational, after(5));
        let notice = Notice::new(after(-5), IncidentStatus::Investigating, "We look into <it>.");
        page.open_incident("API errors", "major", api, notice);
    });
    let client = client();
    let base = simulator.url(Service::StatusPage);
    let (_, summary) = get(&client, &format!("{base}/api/v2/summary.json")).await;
    assert_eq!(summary["incidents"][0]["status"], "investigating");
    assert_eq!(summary["components"][1]["status"], "major_outage");
    let (_, native) = get(&client, &format!("{base}/proxy/status.heygen.com")).await;
    let native = &native["summary"];
    assert_eq!(native["affected_components"][0]["status"], "full_outage");
    assert_eq!(native["ongoing_incidents"][0]["updates"][0]["to_status"], "investigating");
    let text = |path: &str| {
        let request = client.get(format!("{base}{path}"));
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    let feed = text("/feed.atom").await;
    assert!(feed.contains("<b>Status: Investigating</b>"), "{feed}");
    assert!(feed.contains("https://api.heygen.com (full outage)"), "{feed}");
    let html = text("/").await;
    assert!(html.contains("self.__next_f.push([1,"), "{html}");
    simulator.page(|page| page.format = Format::Html);
    assert!(text("/api/v2/summary.json").await.starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn slack_refuses_what_slack_refuses() {
    let simulator = still().await;
    let send = |body: Value| {
        let request = client().post(simulator.slack_webhook_url()).json(&body);
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    assert_eq!(send(json!({"text": "HeyGen is down"})).await, "ok");
    assert_eq!(send(json!({})).await, "no_text");
    let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3001)}});
    assert_eq!(send(json!({"text": "x", "blocks": [section]})).await, "invalid_blocks");
    let texts: Vec<_> = simulator
        .received(Service::Slack)
        .iter()
        .map(heygen_monitor::simulator::Received::json)
        .collect();
    assert_eq!(texts[0]["text"], "HeyGen is down");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_thousands_of_requests_in_seconds() {
    const REQUESTS: usize = 3000;
    let simulator = still().await;
    let client = client();
    let url = format!("{}/v3/users/me", simulator.url(Service::Api));
    let began = tokio::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, url) = (client.clone(), url.clone());
        tasks.spawn(async move {
            for _ in 0..REQUESTS / 16 {
                assert_eq!(get(&client, &url).await.0, 200);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let elapsed = began.elapsed();
    // A loaded machine may be slow; a simulator that takes long for each request is not it.
    eprintln!("{REQUESTS} requests in {elapsed:?}");
    assert!(elapsed < Duration::from_mins(1), "{elapsed:?}");
}
