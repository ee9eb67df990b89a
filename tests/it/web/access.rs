//! Who sees what.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use heygen_monitor::http_server::Peer;
use heygen_monitor::model::{
    Ack, BudgetView, Evidence, JobKind, Origin, Reason, Stage, StageView, Usd, View,
};
use heygen_monitor::secret::Secret;
use heygen_monitor::web::{Auth, AuthSpec, Password};

use super::{Answer, ROUTES, Site, request};
use crate::sample_view::{api_outage, observation};

const TOKEN: &str = "0123456789abcdef0123";

/// Of `correct horse`, as `htpasswd -nBC 4 anna` writes it.
fn hash(password: &str) -> Secret {
    Secret::new(&bcrypt::hash(password, 4).unwrap())
}

fn bearer() -> AuthSpec {
    AuthSpec::Bearer(Secret::new(TOKEN))
}

fn basic() -> AuthSpec {
    AuthSpec::Basic(vec![
        Password { user: "anna".to_owned(), hash: hash("correct horse") },
        Password { user: "bert".to_owned(), hash: hash("battery:staple") },
    ])
}

/// Everything that is nobody else's business has this in it.
const PRIVATE: &str = "PRIVATE";

fn told() -> View {
    let mut view = api_outage();
    let private = || PRIVATE.to_owned();
    let detail = Evidence {
        text: private(),
        host: private(),
        http_status: Some(503),
        code: Some(private()),
        message: Some(private()),
        param: Some(private()),
        doc_url: Some(private()),
        retry_after_secs: Some(30),
        request_id: Some(private()),
        job_id: Some("v_PRIVATE".to_owned()),
    };
    view.verdict.account = private();
    let items = view.verdict.capabilities.iter_mut().flat_map(|one| one.evidence.iter_mut());
    let items = items.chain(view.incidents.iter_mut().flat_map(|one| one.evidence.iter_mut()));
    for item in items {
        item.text = private();
        item.detail = detail.clone();
    }
    for one in &mut view.verdict.capabilities {
        one.advice.text = format!("HeyGen says: {PRIVATE}");
        if !one.evidence.is_empty() {
            one.reason = Reason::SingleJobStuck;
            "HeyGen: video v_PRIVATE has waited 44 min.".clone_into(&mut one.headline);
        }
    }
    view.verdict.reason = Reason::SingleJobStuck;
    "HeyGen: video v_PRIVATE has waited.".clone_into(&mut view.verdict.headline);
    view.incidents[0].reason = Reason::SingleJobStuck;
    view.verdict.capabilities.retain(|one| !one.evidence.is_empty());
    "stuck: v_PRIVATE".clone_into(&mut view.incidents[0].headline);
    view.incidents[0].ack =
        Some(Ack { at: view.verdict.at, author: private(), comment: private() });
    for probe in &mut view.probes {
        let last = probe.last.iter_mut();
        last.for_each(|last| last.evidence = Some(Box::new(detail.clone())));
    }
    view.stages = vec![StageView {
        kind: JobKind::Video,
        origin: Origin::Natural,
        stage: Stage::Queue,
        in_flight: 4,
        oldest_since: None,
        baseline: None,
        late: Duration::from_mins(6),
        stuck: Duration::from_mins(12),
    }];
    view.budget = BudgetView { spent_month: Usd(4_200_000), ..BudgetView::default() };
    view
}

/// A site that asks for `spec`, with something private wherever it can be.
async fn site(spec: Option<AuthSpec>) -> Site {
    let view = told();
    let site = Site::new(Some(view.clone()));
    site.settings.send_modify(|settings| {
        settings.auth = spec.map(|spec| Arc::new(Auth::new(spec)));
    });
    site.work(2).await;
    let mut seen = observation("api-read", heygen_monitor::model::Outcome::Unavailable);
    seen.evidence = view.probes[0].last.as_ref().and_then(|last| last.evidence.clone());
    site.see(seen, view.incidents[0].clone()).await;
    site
}

impl Site {
    /// Forgets who guessed wrong: the same credentials are asked for by a new judge.
    fn forgive(&self, spec: AuthSpec) {
        self.settings.send_modify(|settings| settings.auth = Some(Arc::new(Auth::new(spec))));
    }
}

fn from(peer: &str, path: &str, credentials: Option<&str>) -> Request<Body> {
    let mut request = request(Method::GET, path);
    if let Some(credentials) = credentials {
        request = request.header("authorization", credentials);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(peer.parse::<SocketAddr>().unwrap()));
    request
}

async fn ask(site: &Site, path: &str, credentials: Option<&str>) -> Answer {
    site.send(from("192.0.2.1:5000", path, credentials)).await
}

fn basic_header(user: &str, password: &str) -> String {
    use base64::Engine;
    let pair = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {pair}")
}

/// What only trusted readers are answered; everything else is public.
const TRUSTED: [&str; 5] =
    ["/jobs", "/metrics", "/api/v1/jobs", "/api/v1/deliveries", "/api/v1/budget"];

#[tokio::test]
async fn each_route_shows_each_reader_what_is_meant_for_them() {
    let site = site(Some(bearer())).await;
    let right = format!("Bearer {TOKEN}");
    for path in ROUTES {
        let path = if path == "/api/v1/advice" { "/api/v1/advice?capability=api" } else { path };
        let stranger = ask(&site, path, None).await;
        let trusted = ask(&site, path, Some(&right)).await;
        let wrong = ask(&site, path, Some("Bearer 0123456789abcdef0124")).await;
        assert_ne!(trusted.status, StatusCode::UNAUTHORIZED, "{path}");
        if TRUSTED.contains(&path) {
            assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(stranger.header("www-authenticate"), "Bearer realm=\"heygen-monitor\"");
            assert_eq!(trusted.status, StatusCode::OK, "{path}");
        } else {
            assert_eq!(stranger.status, trusted.status, "{path}");
        }
        assert!(!stranger.text.contains(PRIVATE), "{path}: {}", stranger.text);
        assert!(stranger.header("vary").contains("authorization"), "{path}");
        let expected = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
        assert!(expected.contains(&wrong.status), "{path}: wrong credentials are never public");
        super::assert_secured(&wrong, path);
        site.forgive(bearer());
    }
}

#[tokio::test]
async fn trusted_readers_see_what_strangers_do_not() {
    let site = site(Some(bearer())).await;
    let right = format!("Bearer {TOKEN}");
    for path in [
        "/api/v1/verdict",
        "/api/v1/capabilities",
        "/api/v1/probes",
        "/api/v1/observations",
        "/api/v1/incidents/7",
    ] {
        assert!(ask(&site, path, Some(&right)).await.text.contains(PRIVATE), "{path}");
    }
    let verdict = ask(&site, "/api/v1/verdict", None).await.json();
    let api = &verdict["capabilities"][0];
    assert_eq!(verdict["account"], "");
    assert_eq!(api["evidence"][0]["http_status"], 503);
    assert_eq!(api["evidence"][0]["text"], "");
    assert_eq!(api["headline"], "API: down. HeyGen's side.");
    assert_eq!(verdict["headline"], "API: down. HeyGen's side.");
    assert_eq!(api["advice"]["text"], "Don't start new videos.");
    assert_eq!(api["advice"]["action"], "hold");
}

#[tokio::test]
async fn a_browser_without_credentials_is_asked_for_them_and_told_why_on_a_page() {
    let site = site(Some(basic())).await;
    let answer = site.look("/jobs").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.header("www-authenticate").starts_with("Basic "));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.text.contains("<h1>not public</h1>"), "{}", answer.text);
    assert!(!answer.text.contains(PRIVATE), "{}", answer.text);
}

#[tokio::test]
async fn without_auth_everybody_on_the_listener_is_trusted() {
    let site = site(None).await;
    for path in TRUSTED {
        assert_eq!(ask(&site, path, None).await.status, StatusCode::OK, "{path}");
    }
    assert!(ask(&site, "/api/v1/verdict", None).await.text.contains(PRIVATE));
}

#[tokio::test]
async fn users_come_in_with_their_own_password_alone() {
    let site = site(Some(basic())).await;
    let get = async |user: &str, password: &str| {
        ask(&site, "/api/v1/jobs", Some(&basic_header(user, password))).await.status
    };
    for _again_from_memory in 0..2 {
        assert_eq!(get("anna", "correct horse").await, StatusCode::OK);
        assert_eq!(get("bert", "battery:staple").await, StatusCode::OK);
    }
    let long = format!("correct horse{}", "x".repeat(80));
    for (user, password) in [
        ("anna", "battery:staple"),
        ("anna", ""),
        ("anna", "Correct horse"),
        ("carl", "correct horse"),
        ("", "correct horse"),
        ("anna", long.as_str()),
    ] {
        assert_eq!(get(user, password).await, StatusCode::UNAUTHORIZED, "{user}:{password}");
    }
    let stranger = ask(&site, "/api/v1/jobs", None).await;
    assert!(stranger.header("www-authenticate").starts_with("Basic "), "a browser asks its user");
    for odd in ["Basic", "Basic !!!", "Digest x", "Bearer 0123456789abcdef0123"] {
        site.forgive(basic());
        let answer = ask(&site, "/", Some(odd)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{odd}");
    }
}

#[tokio::test]
async fn passwords_guessed_side_by_side_are_no_more_than_one_after_the_other() {
    let site = site(Some(basic())).await;
    let guesses = (0..40).map(|i| basic_header("anna", &format!("guess {i}")));
    let guesses: Vec<String> = guesses.collect();
    let asked = guesses.iter().map(|guess| ask(&site, "/api/v1/jobs", Some(guess)));
    let answers = futures_util::future::join_all(asked).await;
    let looked_at = answers.iter().filter(|one| one.status == StatusCode::UNAUTHORIZED).count();
    assert!((10..=14).contains(&looked_at), "{looked_at} of 40 were compared");
    assert!(answers.iter().all(|one| [401, 429].contains(&one.status.as_u16())));
}

#[tokio::test]
async fn ten_wrong_guesses_in_a_minute_are_all_that_one_address_has() {
    tokio::time::pause();
    let site = site(Some(bearer())).await;
    let right = format!("Bearer {TOKEN}");
    let guess = async |peer: &str, forwarded: Option<&str>, credentials: &str| {
        let mut request = from(peer, "/api/v1/jobs", Some(credentials));
        if let Some(forwarded) = forwarded {
            request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        site.send(request).await.status
    };
    for _ in 0..10 {
        let status = guess("192.0.2.1:1", None, "Bearer x").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    // Not even the right token: otherwise guessing would go on behind the refusal.
    assert_eq!(guess("192.0.2.1:2", None, &right).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess("192.0.2.2:1", None, &right).await, StatusCode::OK);
    assert_eq!(guess("192.0.2.1:3", Some("192.0.2.9"), &right).await.as_u16(), 429);
    // Behind a proxy on this host it is the proxy's word that counts, the last one.
    for _ in 0..10 {
        guess("127.0.0.1:1", Some("10.0.0.1, 198.51.100.7"), "Bearer x").await;
    }
    assert_eq!(guess("127.0.0.1:1", Some("10.0.0.1, 198.51.100.7"), &right).await.as_u16(), 429);
    assert_eq!(guess("127.0.0.1:1", Some("198.51.100.7, 10.0.0.1"), &right).await, StatusCode::OK);
    // One IPv6 network is one address.
    for i in 0..10 {
        guess(&format!("[2001:db8::{i}]:1"), None, "Bearer x").await;
    }
    assert_eq!(guess("[2001:db8::ffff]:1", None, &right).await.as_u16(), 429);
    assert_eq!(guess("[2001:db8:0:1::1]:1", None, &right).await, StatusCode::OK);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(guess("192.0.2.1:1", None, &right).await, StatusCode::OK);
}
