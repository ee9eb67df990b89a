//! The HTTP side: what each address answers, and what no address may do.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use heygen_monitor::clock::Clock;
use heygen_monitor::engine::Decision;
use heygen_monitor::engine::uptime::Scope;
use heygen_monitor::metrics::{Catalogue, Metrics};
use heygen_monitor::model::{
    AccountReading, Blame, BudgetView, Capability, CapabilityChange, IncidentChange, Interval, Job,
    JobKind, JobState, Origin, Outcome, PaidProbeView, Pool, PoolName, Reason, SkipReason, State,
    Timestamp, Unit, Usd, View,
};
use heygen_monitor::store::Store;
use heygen_monitor::web::{Brand, Health, WebSettings, WebState, router, serve};
use heygen_monitor::wire::Titles;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::sample_view::{api_outage, at, incident};

mod access;
mod document;
mod examples;
mod lists;
mod pages;
mod slow;
mod statuspage;
mod weight;

/// Headers of facts B5 that every answer carries.
const SECURITY_HEADERS: [&str; 8] = [
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "cache-control",
];

/// The HTTP side of a daemon that believes what it is told here.
struct Site {
    state: WebState,
    view: watch::Sender<Option<Arc<View>>>,
    settings: watch::Sender<WebSettings>,
    _directory: TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Site {
    /// A daemon that stands at 09:20 and believes `view`.
    fn new(view: Option<View>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::starting_at(at("2026-11-20T09:20:00Z"), 1.0);
        let opened = Store::open(&directory.path().join("history.db"), clock.now()).unwrap();
        let (view, receiver) = watch::channel(view.map(Arc::new));
        let (settings, settings_receiver) = watch::channel(WebSettings {
            address: Ipv4Addr::LOCALHOST.into(),
            hosts: vec!["status.example.org".to_owned()],
            timezone: TimeZone::get("Europe/Berlin").unwrap(),
            scope: Arc::new(Scope {
                zone: TimeZone::get("Europe/Berlin").unwrap(),
                uses: Capability::ALL.to_vec(),
                pages: Vec::new(),
            }),
            titles: Titles::Hidden,
            brand: Brand::default(),
            auth: None,
            public_url: None,
        });
        let state = WebState {
            view: receiver,
            store: opened.store,
            metrics: Arc::new(Metrics::new(&Catalogue::default())),
            clock,
            health: Arc::new(Health::new()),
            settings: settings_receiver,
        };
        Self { state, view, settings, _directory: directory }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = router(self.state.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// As a browser asks.
    async fn look(&self, path: &str) -> Answer {
        let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let request = request(Method::GET, path).header("accept", accept);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Stores jobs: ids `v1` to `v<count>`, each a second younger, every third one still waiting.
    async fn work(&self, count: u32) {
        let jobs = (1..=count).map(|i| {
            let created_at = at("2026-11-20T08:00:00Z") + Duration::from_secs(u64::from(i));
            let is_live = i % 3 == 0;
            Job {
                kind: if i % 2 == 0 { JobKind::Translation } else { JobKind::Video },
                id: format!("v{i}"),
                origin: if i == 1 { Origin::Canary } else { Origin::Natural },
                title: Some("a customer's secret".to_owned()),
                created_at,
                first_seen_at: created_at,
                seen_at: created_at,
                state: if is_live { JobState::Queued } else { JobState::Completed },
                started: None,
                ended: (!is_live).then(|| Interval::exact(created_at)),
                is_abandoned: false,
                is_sample: false,
                failure: None,
            }
        });
        let decision = Decision { jobs: jobs.collect(), ..Decision::nothing(api_outage().verdict) };
        self.state.store.commit(&decision, self.state.clock.now()).await.unwrap();
        self.state.store.flush().await.unwrap();
    }

    /// Stores open incidents with the numbers 1 to `count`.
    async fn remember(&self, count: i64) {
        for id in 1..=count {
            let view = api_outage();
            let decision = Decision {
                changes: vec![IncidentChange { incident: incident(id) }],
                ..Decision::nothing(view.verdict)
            };
            self.state.store.commit(&decision, self.state.clock.now()).await.unwrap();
        }
    }
}

fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:10043")
}

/// A view whose verdict was reached at `at`.
fn reached_at(at: Timestamp) -> View {
    let mut view = api_outage();
    view.verdict.at = at;
    view
}

#[tokio::test]
async fn every_answer_says_where_the_monitor_stands() {
    let view = api_outage();
    let vantage = view.verdict.vantage.clone();
    let site = Site::new(Some(view));
    for path in ["/api/v1/verdict", "/api/v1/probes", "/api/v1/incidents", "/api/v1/nothing", "/"] {
        assert_eq!(site.get(path).await.header("x-heygen-monitor-vantage"), vantage, "{path}");
    }
}

#[tokio::test]
async fn the_verdict_is_the_object_of_the_contract() {
    let answer = Site::new(Some(api_outage())).get("/api/v1/verdict").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json");
    let verdict = answer.json();
    assert_eq!(verdict["state"], "outage");
    assert_eq!(verdict["blame"], "provider");
    assert_eq!(verdict["reason"], "unavailable");
    assert_eq!(verdict["at"], "2026-11-20T09:20:00Z");
    let api = verdict["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["capability"] == "api")
        .unwrap();
    assert_eq!(api["evidence"][0]["http_status"], 503);
    assert_eq!(api["official"]["lead_seconds"], 1_200);
}

#[tokio::test]
async fn without_a_verdict_nothing_is_called_fine() {
    let site = Site::new(None);
    let paths = ["/", "/api/v1/verdict", "/api/v1/advice?capability=api", "/api/v1/gate/speech"];
    for path in paths {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.text.contains("starting"), "{path}: {}", answer.text);
    }
    site.view.send_replace(Some(Arc::new(reached_at(at("2026-11-20T09:00:00Z")))));
    for path in paths {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.text.contains("no verdict since 2026-11-20T09:00:00Z"), "{}", answer.text);
    }
    site.view.send_replace(Some(Arc::new(api_outage())));
    assert_eq!(site.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn advice_is_five_words_for_a_script() {
    let site = Site::new(Some(api_outage()));
    let answer = site.get("/api/v1/advice?capability=api").await;
    let expected = json!({
        "action": "hold", "reason": "unavailable", "until": "2026-11-20T09:30:00Z",
        "state": "outage", "confidence": "observed",
    });
    assert_eq!(answer.json(), expected);
    for wrong in ["", "?capability=teleport", "?capability=api&wait=1"] {
        let answer = site.get(&format!("/api/v1/advice{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["status"], 400);
    }
}

#[tokio::test]
async fn the_gate_is_open_for_go_and_says_when_to_come_back() {
    let site = Site::new(Some(api_outage()));
    let open = site.get("/api/v1/gate/video_generation").await;
    assert_eq!(open.status, StatusCode::OK);
    let shut = site.get("/api/v1/gate/api").await;
    assert_eq!(shut.status, StatusCode::SERVICE_UNAVAILABLE);
    let seconds: u64 = shut.header("retry-after").parse().unwrap();
    assert!((590..=601).contains(&seconds), "{seconds}");
    assert_eq!(shut.json()["action"], "hold");
    assert_eq!(site.get("/api/v1/gate/teleport").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn incidents_are_listed_newest_first_page_by_page() {
    let site = Site::new(Some(api_outage()));
    site.remember(5).await;
    let ids = |answer: &Answer| -> Vec<i64> {
        let list = answer.json();
        list["data"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
    };
    let first = site.get("/api/v1/incidents?limit=3").await;
    assert_eq!(ids(&first), [5, 4, 3]);
    assert_eq!(first.json()["has_more"], true);
    let token = first.json()["next_token"].as_str().unwrap().to_owned();
    let second = site.get(&format!("/api/v1/incidents?limit=3&token={token}")).await;
    assert_eq!(ids(&second), [2, 1]);
    assert_eq!(second.json()["has_more"], false);
    assert_eq!(second.json()["next_token"], Value::Null);
    for wrong in ["limit=0", "limit=201", "limit=x", "token=x", "since=soon", "page=2"] {
        let answer = site.get(&format!("/api/v1/incidents?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn uptime_has_every_capability_and_its_days() {
    let site = Site::new(Some(api_outage()));
    let now = site.state.clock.now();
    let changes = [(3_600, State::Operational), (600, State::Outage)].map(|(ago, state)| {
        let at = now - Duration::from_secs(ago);
        let (blame, reason) = (Blame::Provider, Reason::Outcome(Outcome::Unavailable));
        CapabilityChange { capability: Capability::Api, at, state, blame, reason }
    });
    let decision =
        Decision { standings: changes.to_vec(), ..Decision::nothing(api_outage().verdict) };
    site.state.store.commit(&decision, now).await.unwrap();
    for ago in (0..=60).rev() {
        site.state.store.heartbeat(now - Duration::from_secs(ago * 60)).await.unwrap();
    }
    let answer = site.get("/api/v1/uptime").await.json();
    let all = answer["capabilities"].as_array().unwrap();
    assert_eq!(all.len(), Capability::ALL.len());
    let api = all.iter().find(|one| one["capability"] == "api").unwrap();
    let days = api["days"].as_array().unwrap();
    assert_eq!((days.len(), &days[89]["date"]), (90, &json!("2026-11-20")));
    assert_eq!(days[89]["worst"], "outage");
    assert!((api["seconds"]["up"].as_f64().unwrap() - 3_000.0).abs() < 5.0, "{}", api["seconds"]);
    let down = api["seconds"]["down"]["provider"].as_f64().unwrap();
    assert!((down - 600.0).abs() < 5.0, "{down}");
    let one = site.get("/api/v1/uptime?capability=speech&since=2d").await.json();
    assert_eq!(one["capabilities"].as_array().unwrap().len(), 1);
    assert_eq!(one["capabilities"][0]["availability"], Value::Null);
    for wrong in ["since=soon", "capability=x", "since=400d", "since=2027-01-01T00:00:00Z", "x=1"] {
        let answer = site.get(&format!("/api/v1/uptime?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn one_incident_has_its_own_address() {
    let site = Site::new(Some(api_outage()));
    site.remember(1).await;
    let answer = site.get("/api/v1/incidents/1").await;
    assert_eq!(answer.json()["cause"], "host:api.heygen.com");
    for missing in ["2", "-1", "x", "99999999999999999999"] {
        let answer = site.get(&format!("/api/v1/incidents/{missing}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{missing}");
    }
}

/// The ids of a page of jobs.
fn ids(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    let ids = list["data"].as_array().unwrap().iter();
    ids.map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let site = Site::new(Some(api_outage()));
    site.work(5).await;
    let first = site.get("/api/v1/jobs?limit=3").await;
    assert_eq!(ids(&first), ["v5", "v4", "v3"]);
    assert_eq!(first.json()["has_more"], true);
    let token = first.json()["next_token"].as_str().unwrap().to_owned();
    let second = site.get(&format!("/api/v1/jobs?limit=3&token={token}")).await;
    assert_eq!(ids(&second), ["v2", "v1"]);
    assert_eq!(second.json()["has_more"], false);
    assert_eq!(second.json()["next_token"], Value::Null);
    let only = async |query: &str| ids(&site.get(&format!("/api/v1/jobs?{query}")).await);
    assert_eq!(only("kind=translation").await, ["v4", "v2"]);
    assert_eq!(only("origin=canary").await, ["v1"]);
    assert_eq!(only("state=live").await, ["v3"]);
    assert_eq!(only("state=live&kind=translation").await, [""; 0]);
    for wrong in
        ["limit=0", "limit=201", "kind=film", "origin=mine", "state=dead", "token=x", "page=2"]
    {
        let answer = site.get(&format!("/api/v1/jobs?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn a_job_has_a_title_only_where_titles_are_shown() {
    let site = Site::new(Some(api_outage()));
    site.work(3).await;
    let job = site.get("/api/v1/jobs?limit=1").await.json()["data"][0].clone();
    let expected = json!({
        "id": "v3", "kind": "video", "origin": "natural", "state": "queued",
        "created_at": "2026-11-20T08:00:03Z", "first_seen_at": "2026-11-20T08:00:03Z",
        "seen_at": "2026-11-20T08:00:03Z", "started": null, "ended": null,
        "stage_since": "2026-11-20T08:00:03Z", "abandoned": false, "failure": null,
    });
    assert_eq!(job, expected);
    site.settings.send_modify(|settings| settings.titles = Titles::Shown);
    let shown = site.get("/api/v1/jobs?limit=1").await;
    assert_eq!(shown.json()["data"][0]["title"], "a customer's secret");
}

#[tokio::test]
async fn the_budget_is_told_in_dollars() {
    let mut view = api_outage();
    view.budget = BudgetView {
        canaries: true,
        per_day: Usd(1_000_000),
        share_today: Usd(670_000),
        probes: vec![PaidProbeView {
            probe: "render".to_owned(),
            price: Usd(150_000),
            runs_month: 2,
            spent_month: Usd(300_000),
            last_at: Some(at("2026-11-20T08:00:00.5Z")),
            next_due_at: None,
            held_back: Some((SkipReason::Backlog, "eight of ten jobs are yours".to_owned())),
        }],
        account: Some(AccountReading {
            at: at("2026-11-20T08:00:00Z"),
            pools: vec![Pool { name: PoolName::AddOn, unit: Unit::Credits, remaining: 7.5 }],
            plan: heygen_monitor::model::Plan::default(),
            auto_reload: None,
            key_expires_at: None,
            clock_skew: None,
        }),
        ..BudgetView::default()
    };
    let answer = Site::new(Some(view)).get("/api/v1/budget").await;
    let expected = json!({
        "canaries": true, "usd_per_day": 1.0, "usd_per_month": 0.0, "share_today_usd": 0.67,
        "spent_today_usd": 0.0, "spent_month_usd": 0.0, "forecast_month_usd": 0.0,
        "probes": [{
            "probe": "render", "price_usd": 0.15, "runs_month": 2, "spent_month_usd": 0.3,
            "last_at": "2026-11-20T08:00:00Z", "next_due_at": null,
            "held_back": {"reason": "backlog", "text": "eight of ten jobs are yours"},
        }],
        "account": {
            "at": "2026-11-20T08:00:00Z", "auto_reload": null, "key_expires_at": null,
            "clock_skew_seconds": null,
            "pools": [{"pool": "add_on", "unit": "credits", "remaining": 7.5}],
        },
        "days_left": null,
    });
    assert_eq!(answer.json(), expected);
    let starting = Site::new(None).get("/api/v1/budget").await;
    assert_eq!(starting.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_browsers_and_a_problem_for_scripts() {
    let site = Site::new(Some(api_outage()));
    for path in [
        "/nowhere",
        "/incidents/",
        "/some/where/deep",
        "/probes/none",
        "/probes/%3Cscript%3E",
        "/probes/%ff",
        "/capabilities/%ff",
        "/incidents/%ff",
        "/badge/%ff",
        "/assets/%ff",
    ] {
        let page = site.look(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(page.text.contains("<h1>not found</h1>"), "{path}: {}", page.text);
        assert!(page.text.contains("<p class=\"headline\">There is no"), "{path}: {}", page.text);
        let up = "../".repeat(path.matches('/').count() - 1);
        assert!(page.text.contains(&format!("href=\"{up}assets/style.css")), "{path}");
        let problem = site.get(path).await;
        assert_eq!(problem.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(problem.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(problem.json()["status"], 404, "{path}");
    }
    for path in ["/api/v1/incidents/%ff", "/api/v1/gate/%ff", "/api/v1/nowhere", "/api/v2/x.json"] {
        let problem = site.look(path).await;
        assert_eq!(problem.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(problem.header("content-type"), "application/problem+json", "{path}");
    }
    let abyss = site.look(&"/x".repeat(900)).await;
    assert_eq!(abyss.status, StatusCode::NOT_FOUND);
    assert!(abyss.text.len() < 1_000, "no page of nothing but ways out");
}

#[tokio::test]
async fn nothing_but_reading_is_possible_anywhere() {
    let site = Site::new(Some(api_outage()));
    let methods = [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS];
    for path in ["/", "/metrics", "/api/v1/verdict", "/api/v1/jobs", "/-/reload", "/nowhere"] {
        for method in &methods {
            let refused = request(method.clone(), path).body(Body::empty()).unwrap();
            let answer = site.send(refused).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD");
        }
    }
    let with_body = request(Method::GET, "/").header("content-length", "3");
    let answer = site.send(with_body.body(Body::from("abc")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let answer = site.get(&format!("/?{}", "x".repeat(3_000))).await;
    assert_eq!(answer.status, StatusCode::URI_TOO_LONG);
}

#[tokio::test]
async fn a_name_that_was_rebound_to_us_reads_nothing() {
    let site = Site::new(Some(api_outage()));
    let ask = |host: &str| {
        let request = Request::get("/api/v1/verdict").header("host", host).body(Body::empty());
        site.send(request.unwrap())
    };
    for host in ["localhost", "127.0.0.1:10043", "[::1]:1", "Status.Example.Org"] {
        assert_eq!(ask(host).await.status, StatusCode::OK, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "10.1.2.3"] {
        let answer = ask(host).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert!(answer.text.contains("web.hosts"), "the operator is told what to do");
    }
    let without = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(site.send(without).await.status, StatusCode::BAD_REQUEST);
}

/// Every address that has an answer of its own, and some that have none.
const ROUTES: [&str; 37] = [
    "/",
    "/capabilities/api",
    "/probes/api-read",
    "/incidents",
    "/incidents/1",
    "/incidents/7",
    "/jobs",
    "/feed.atom",
    "/badge/api.svg",
    "/assets/outage.svg",
    "/assets/logo",
    "/assets/style.css",
    "/assets/page.js",
    "/assets/none",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/api/openapi.json",
    "/api/v1/verdict",
    "/api/v1/capabilities",
    "/api/v1/components",
    "/api/v1/probes",
    "/api/v1/observations",
    "/api/v1/jobs",
    "/api/v1/incidents",
    "/api/v1/incidents/1",
    "/api/v1/uptime",
    "/api/v1/deliveries",
    "/api/v1/budget",
    "/api/v1/advice",
    "/api/v1/gate/api",
    "/api/v1/nowhere",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/nowhere",
];

#[track_caller]
fn assert_secured(answer: &Answer, what: &str) {
    for name in SECURITY_HEADERS {
        assert!(!answer.header(name).is_empty(), "{what} lacks {name}");
    }
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{what}");
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let site = Site::new(Some(api_outage()));
    for path in ROUTES {
        assert_secured(&site.get(path).await, path);
        let refused = request(Method::POST, path).body(Body::empty()).unwrap();
        assert_secured(&site.send(refused).await, path);
    }
    let refused = Request::post("/").header("host", "evil.example").body(Body::empty()).unwrap();
    assert_secured(&site.send(refused).await, "another host");
    // A daemon that has no verdict yet, and one whose verdict has no capabilities: 503 and 500.
    assert_secured(&Site::new(None).get("/").await, "503");
    let mut broken = api_outage();
    broken.verdict.capabilities.clear();
    let answer = Site::new(Some(broken)).get("/api/v1/advice?capability=api").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_secured(&answer, "500");
}

#[tokio::test]
async fn head_answers_without_a_body() {
    let site = Site::new(Some(api_outage()));
    for path in ["/", "/metrics", "/api/v1/verdict", "/api/v1/jobs", "/api/v1/budget", "/-/healthy"]
    {
        let answer = site.send(request(Method::HEAD, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.text, "", "{path}");
    }
}

#[tokio::test]
async fn metrics_are_served_as_prometheus_text() {
    let answer = Site::new(None).get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text.contains("# TYPE heygen_capability_state gauge"));
}

#[tokio::test]
async fn ready_ends_while_the_database_refuses_writes_and_healthy_does_not() {
    let site = Site::new(None);
    site.state.health.planned();
    site.state.health.storage_degraded(true);
    let ready = site.get("/-/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.text, "the database refuses writes\n");
    assert_eq!(site.get("/-/healthy").await.status, StatusCode::OK, "no reason to restart it");
    site.state.health.storage_degraded(false);
    assert_eq!(site.get("/-/ready").await.status, StatusCode::OK);
}

#[tokio::test]
async fn ready_comes_after_planning_and_healthy_ends_with_the_loops() {
    let site = Site::new(None);
    assert_eq!(site.get("/-/healthy").await.status, StatusCode::OK);
    assert_eq!(site.get("/-/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    site.state.health.planned();
    assert_eq!(site.get("/-/ready").await.text, "ready\n");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(21)).await;
    site.state.health.deliver_turned();
    site.state.health.store_beat();
    for path in ["/-/healthy", "/-/ready"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.text, "the monitor loop has not turned for 21 s\n");
    }
}

/// Runs `ask` against the real listener, then stops it.
async fn served<T>(site: &Site, ask: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let served = tokio::time::timeout(Duration::from_secs(30), serving(site, ask)).await;
    served.expect("it stops when told")
}

/// As [`served`], for tests that make time pass.
async fn serving<T>(site: &Site, ask: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let serving = serve(listener, site.state.clone(), cancel.clone());
    let asking = async {
        let answer = ask(address).await;
        cancel.cancel();
        answer
    };
    tokio::join!(serving, asking).1
}

async fn say(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_and_the_next_one_served() {
    let site = Site::new(Some(api_outage()));
    served(&site, async |address| {
        let large =
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(20_000));
        let answer = say(address, &large).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        let head = "GET /api/v1/verdict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        assert!(say(address, head).await.contains("\"state\":\"outage\""));
    })
    .await;
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_the_end() {
    let site = Site::new(Some(api_outage()));
    let begun = tokio::time::Instant::now();
    let idle = served(&site, async |address| TcpStream::connect(address).await.unwrap()).await;
    drop(idle);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}
