//! The free probes against real sockets: what they send, and what they make of what comes back.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::engine::Thresholds;
use heygen_monitor::engine::schedule::Schedule;
use heygen_monitor::http_client::{ClientOptions, HostEntry, HostTable, HttpClient};
use heygen_monitor::model::{Capability, Observation, Outcome, PathCheck, ProbeKind, SkipReason};
use heygen_monitor::probe::api::ApiCheck;
use heygen_monitor::probe::control::{ControlCheck, DnsTarget};
use heygen_monitor::probe::submit::SubmitCheck;
use heygen_monitor::probe::web::WebCheck;
use heygen_monitor::probe::{CheckSpec, ProbeDeps, ProbeSpec, Run, Worker, worker};
use heygen_monitor::secret::Secret;

use crate::faulty::{Behaviour, Server, answer, closed_port, json, name_server};

mod account;
mod artefact;
mod canary;
mod desk;
mod made;
mod queue;
mod simulated;
mod webhook;

const KEY: &str = "sk_test_do_not_leak_0123456789";
const TIMEOUT: Duration = Duration::from_secs(2);

fn deps(base_url: &str) -> ProbeDeps {
    deps_with(base_url, HostTable::default(), Vec::new())
}

fn deps_with(base_url: &str, hosts: HostTable, second_resolvers: Vec<SocketAddr>) -> ProbeDeps {
    let options = ClientOptions { hosts, ..ClientOptions::default() };
    ProbeDeps {
        http: HttpClient::new(&options).unwrap(),
        clock: Clock::starting_at("2026-11-20T09:00:00Z".parse().unwrap(), 1.0),
        base_url: base_url.parse().unwrap(),
        api_key: Some(Secret::new(KEY)),
        second_resolvers,
        show_titles: false,
        instance: "test".to_owned(),
        submit_timeout: TIMEOUT,
    }
}

fn host(name: &str, entry: HostEntry) -> HostTable {
    HostTable::new([(name.to_owned(), entry)])
}

fn spec(check: CheckSpec) -> ProbeSpec {
    ProbeSpec {
        name: "probe".to_owned(),
        schedule: Schedule::Every(Duration::from_mins(1)),
        timeout: TIMEOUT,
        capabilities: vec![Capability::Api, Capability::Authentication],
        thresholds: Thresholds::default(),
        check,
    }
}

fn api(anonymous: bool) -> CheckSpec {
    CheckSpec::Api(ApiCheck {
        path: "/v3/users/me".to_owned(),
        anonymous,
        expect: vec!["data".to_owned()],
        slow_after: Duration::from_secs(1),
    })
}

fn web(url: url::Url, contains: Option<&str>) -> CheckSpec {
    CheckSpec::Web(WebCheck {
        url,
        status: vec![200],
        contains: contains.map(str::to_owned),
        slow_after: Duration::from_secs(1),
        certificate_days: 3,
        replaces: Vec::new(),
    })
}

async fn all(spec: ProbeSpec, deps: &ProbeDeps, run: Run) -> Vec<Observation> {
    let Worker::Looks(prober) = worker(&spec, deps) else { panic!("a probe that looks") };
    let step = prober.run(run).await;
    assert!(step.reading.is_none());
    step.observations
}

async fn one(check: CheckSpec, deps: &ProbeDeps) -> Observation {
    let mut observations = all(spec(check), deps, Run::looking(TIMEOUT, false)).await;
    assert_eq!(observations.len(), 1);
    let observation = observations.remove(0);
    assert!(!format!("{observation:?}").contains(KEY), "{observation:?}");
    assert!(observation.ended_at >= observation.begun_at);
    observation
}

fn text(observation: &Observation) -> &str {
    observation.evidence.as_ref().map_or("", |evidence| &evidence.text)
}

#[tokio::test]
async fn the_key_travels_with_keyed_calls_alone() {
    let server = Server::start(vec![Behaviour::Answer(json("200 OK", "{\"data\":{}}"))]).await;
    let deps = deps(server.url("/").as_str());
    let keyed = one(api(false), &deps).await;
    assert_eq!((keyed.outcome, keyed.anonymous, keyed.answered), (Outcome::Ok, false, true));
    assert_eq!(keyed.evidence, None);
    assert_eq!(keyed.capabilities, [Capability::Api, Capability::Authentication]);
    assert!(keyed.phases.connect.is_some() && keyed.phases.ttfb.is_some());
    let anonymous = one(api(true), &deps).await;
    assert_eq!((anonymous.outcome, anonymous.anonymous), (Outcome::Ok, true));
    let requests = server.requests();
    assert!(requests[0].starts_with("GET /v3/users/me HTTP/1.1"));
    assert!(requests[0].contains(&format!("x-api-key: {KEY}")), "{}", requests[0]);
    assert!(requests[1].starts_with("GET /v3/api_keys/self HTTP/1.1"), "{}", requests[1]);
    assert!(!requests[2].contains("x-api-key"), "{}", requests[2]);
}

#[tokio::test]
async fn a_keyed_probe_without_a_key_is_skipped() {
    let server = Server::start(vec![Behaviour::Close]).await;
    let keyless = ProbeDeps { api_key: None, ..deps(server.url("/").as_str()) };
    let observation = one(api(false), &keyless).await;
    assert_eq!(observation.outcome, Outcome::Skipped);
    assert_eq!(observation.skipped, Some(SkipReason::NoKey));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_answer_becomes_an_outcome_with_its_evidence() {
    let unavailable = answer("503 Service Unavailable", "retry-after: 7\r\n", "<html>busy</html>");
    let server = Server::start(vec![Behaviour::Answer(unavailable)]).await;
    let seen = one(api(false), &deps(server.url("/").as_str())).await;
    assert_eq!(seen.outcome, Outcome::Unavailable);
    let evidence = seen.evidence.unwrap();
    assert!(evidence.text.starts_with("503 from 127.0.0.1 after "), "{}", evidence.text);
    assert_eq!((evidence.http_status, evidence.retry_after_secs), (Some(503), Some(7)));
    assert_eq!(seen.transport, None);
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_away() {
    let thief = Server::start(vec![Behaviour::Answer(json("200 OK", "{\"data\":{}}"))]).await;
    let location = format!("location: {}\r\n", thief.url("/v3/users/me"));
    let server = Server::start(vec![Behaviour::Answer(answer("302 Found", &location, ""))]).await;
    let seen = one(api(false), &deps(server.url("/").as_str())).await;
    assert_eq!(seen.outcome, Outcome::Malformed);
    assert_eq!(thief.connections(), 0);
}

#[tokio::test]
async fn a_submit_sends_nothing_that_could_create_anything() {
    let refused = "{\"error\":{\"code\":\"invalid_parameter\",\"message\":\"type is required\"}}";
    let server = Server::start(vec![Behaviour::Answer(json("400 Bad Request", refused))]).await;
    let paths = vec!["/v3/videos".to_owned(), "/v3/video-translations".to_owned()];
    let check = CheckSpec::Submit(SubmitCheck { paths: paths.clone() });
    let seen =
        all(spec(check), &deps(server.url("/").as_str()), Run::looking(TIMEOUT, false)).await;
    let summary: Vec<_> = seen
        .iter()
        .map(|seen| (seen.series.subject.clone(), seen.outcome, seen.capabilities.clone()))
        .collect();
    assert_eq!(
        summary,
        [
            (paths[0].clone(), Outcome::Ok, vec![Capability::VideoGeneration]),
            (paths[1].clone(), Outcome::Ok, vec![Capability::VideoTranslation]),
        ]
    );
    for request in server.requests() {
        assert!(request.starts_with("POST /v3/video"), "{request}");
        assert!(request.ends_with("\r\n\r\n{}"), "{request}");
        assert!(request.contains(&format!("x-api-key: {KEY}")), "{request}");
    }
}

#[tokio::test]
async fn a_page_is_judged_as_it_answers() {
    let page = answer("200 OK", "content-type: text/html\r\n", "<html>HeyGen App</html>");
    let away = answer("302 Found", "location: /login\r\n", "");
    let wall = answer("403 Forbidden", "", "<html>no</html>");
    for (bytes, contains, outcome) in [
        (page.clone(), Some("HeyGen"), Outcome::Ok),
        (page, Some("missing"), Outcome::Malformed),
        (away, None, Outcome::Malformed),
        (wall, None, Outcome::Blocked),
    ] {
        let server = Server::start(vec![Behaviour::Answer(bytes)]).await;
        let deps = deps("https://api.heygen.com");
        let seen = one(web(server.url("/app"), contains), &deps).await;
        assert_eq!(seen.outcome, outcome, "{contains:?} {}", text(&seen));
        assert!(seen.anonymous && seen.kind == ProbeKind::Web);
        assert!(!server.requests()[0].contains("x-api-key"));
    }
}

#[tokio::test]
async fn a_literal_address_that_refuses_is_left_to_the_controls() {
    let base = format!("http://{}", closed_port().await);
    let seen = one(api(false), &deps(&base)).await;
    assert_eq!(seen.outcome, Outcome::ConnectFailed);
    assert_eq!(text(&seen), "connection refused by 127.0.0.1");
    assert_eq!(seen.transport.unwrap().path_check, None);
    assert!(!seen.answered);
}

#[tokio::test]
async fn a_run_ends_with_its_timeout() {
    let server = Server::start(vec![Behaviour::Hang]).await;
    let run = Run::looking(Duration::from_millis(300), false);
    let began = tokio::time::Instant::now();
    let seen = all(spec(api(false)), &deps(server.url("/").as_str()), run).await.remove(0);
    assert_eq!(seen.outcome, Outcome::Timeout);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_name_that_only_our_resolver_does_not_know_is_ours() {
    const NAME: &str = "api.heygen.test";
    let public = Ipv4Addr::new(203, 0, 113, 7);
    for (server, path_check) in [
        (name_server(Some((NAME, public))).await, Some(PathCheck::LocalDns)),
        (name_server(Some(("other.test", public))).await, Some(PathCheck::NotOurs)),
        (name_server(None).await, None),
    ] {
        let hosts = host(NAME, HostEntry::Unknown);
        let deps = deps_with(&format!("https://{NAME}"), hosts, vec![server]);
        let seen = one(api(false), &deps).await;
        assert_eq!(seen.outcome, Outcome::DnsFailed);
        assert_eq!(text(&seen), "api.heygen.test does not resolve: no such name");
        assert_eq!(seen.transport.unwrap().path_check, path_check);
    }
    let alone = deps_with(&format!("https://{NAME}"), host(NAME, HostEntry::Unknown), Vec::new());
    assert_eq!(one(api(false), &alone).await.transport.unwrap().path_check, None);
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_ours() {
    let seen = one(api(false), &deps("https://localhost")).await;
    assert_eq!(seen.outcome, Outcome::DnsFailed);
    assert_eq!(seen.transport.as_ref().unwrap().path_check, Some(PathCheck::LocalDns));
    assert!(text(&seen).contains("refused"), "{}", text(&seen));
}

#[tokio::test]
async fn one_dead_address_among_living_ones_is_our_path() {
    const NAME: &str = "api.heygen.test";
    let fine = Behaviour::Answer(json("401 Unauthorized", "{}"));
    let dead = Server::start(vec![Behaviour::Reset]).await;
    for (other, path_check) in
        [(fine, PathCheck::LocalPath), (Behaviour::Close, PathCheck::NotOurs)]
    {
        let other = Server::start(vec![other]).await;
        let addresses = HostEntry::Addresses(vec![dead.address, other.address]);
        let deps = deps_with(&format!("http://{NAME}"), host(NAME, addresses), Vec::new());
        let seen = one(api(false), &deps).await;
        assert_eq!(seen.outcome, Outcome::ConnectFailed, "{}", text(&seen));
        assert_eq!(seen.transport.unwrap().path_check, Some(path_check));
        let tried = other.requests();
        assert!(!tried.is_empty() && !tried[0].contains("x-api-key"), "{tried:?}");
    }
    let single = host(NAME, HostEntry::Addresses(vec![dead.address]));
    let deps = deps_with(&format!("http://{NAME}"), single, Vec::new());
    assert_eq!(one(api(false), &deps).await.transport.unwrap().path_check, None);
}

#[tokio::test]
async fn connections_are_kept_between_close_runs_and_never_for_a_recheck() {
    let fine = json("200 OK", "{\"data\":{}}");
    for (every, rechecks, connections) in
        [(30, [false; 3], 1), (30, [true; 3], 3), (60, [false; 3], 4)]
    {
        let server = Server::start(vec![Behaviour::KeepAlive(fine.clone())]).await;
        let mut spec = spec(api(false));
        spec.schedule = Schedule::Every(Duration::from_secs(every));
        let deps = deps(server.url("/").as_str());
        let Worker::Looks(prober) = worker(&spec, &deps) else { panic!("a probe that looks") };
        for recheck in rechecks {
            prober.run(Run { recheck, ..Run::looking(TIMEOUT, false) }).await;
        }
        assert_eq!(server.connections(), connections, "every {every} s, {rechecks:?}");
    }
}

#[tokio::test]
async fn controls_say_which_targets_answer() {
    let server = Server::start(vec![Behaviour::Answer(answer("404 Not Found", "", "no"))]).await;
    let dead = format!("http://{}/", closed_port().await).parse().unwrap();
    let known = name_server(Some(("control.test", Ipv4Addr::new(192, 0, 2, 1)))).await;
    let target = |name: &str, server| DnsTarget { name: name.to_owned(), server };
    let dns = vec![target("control.test", known), target("unknown.test", known)];
    let check = ControlCheck { https: vec![server.url("/"), dead], dns };
    let deps = deps("https://api.heygen.com");
    let seen = one(CheckSpec::Control(check.clone()), &deps).await;
    let reading = seen.control.unwrap();
    let answered: Vec<bool> =
        reading.targets.iter().map(|target| target.latency.is_some()).collect();
    assert_eq!(answered, [true, false, true, false]);
    assert_eq!(reading.targets[2].target, "control.test@127.0.0.1");
    assert_eq!((seen.outcome, seen.evidence), (Outcome::Ok, None));

    let offline =
        ControlCheck { https: vec![check.https[1].clone()], dns: vec![check.dns[1].clone()] };
    let seen = one(CheckSpec::Control(offline), &deps).await;
    assert!(seen.control.as_ref().unwrap().is_silent());
    assert_eq!((seen.outcome, seen.answered), (Outcome::ConnectFailed, false));
    assert!(text(&seen).starts_with("0 of 2 control targets answered"), "{}", text(&seen));
}

#[tokio::test]
async fn silent_controls_end_within_their_bound() {
    let silent = name_server(None).await;
    let mute = Server::start(vec![Behaviour::Mute]).await;
    let dns = vec![DnsTarget { name: "control.test".to_owned(), server: silent }];
    let check = CheckSpec::Control(ControlCheck { https: vec![mute.url("/")], dns });
    let began = tokio::time::Instant::now();
    let run = Run::looking(Duration::from_secs(30), false);
    let seen = all(spec(check), &deps("https://api.heygen.com"), run).await.remove(0);
    assert!(seen.control.unwrap().is_silent());
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}
