//! `status`, `incidents` and `advice` by the real binary: plain in a pipe, JSON for scripts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heygen_monitor::admin::{AdminHandler, Request, Response};
use heygen_monitor::clock::Clock;
use heygen_monitor::engine::Decision;
use heygen_monitor::model::{
    Action, EventKind, Incident, IncidentChange, IncidentEvent, State, Timestamp, View,
};
use heygen_monitor::store::Store;
use heygen_monitor::wire::VerdictJson;

use crate::cli_jobs::{Host, Said, json, line};
use crate::sample_view::{api_outage, incident};

/// Believes a view; from the second question on, another.
struct Daemon {
    first: View,
    then: View,
    asked: AtomicUsize,
}

impl Daemon {
    fn of(view: View) -> Self {
        Self { then: view.clone(), first: view, asked: AtomicUsize::new(0) }
    }
}

impl AdminHandler for &Daemon {
    async fn handle(&self, request: Request) -> Response {
        assert_eq!(request, Request::Status, "nothing else is asked");
        let count = self.asked.fetch_add(1, Ordering::Relaxed);
        let view = if count == 0 { &self.first } else { &self.then };
        let verdict = Some(Box::new(VerdictJson::from(&view.verdict)));
        let since = "2026-11-20T09:12:00Z".parse().unwrap();
        Response::Status { verdict, broken: [("oncall".to_owned(), since)].into() }
    }
}

async fn host() -> Host {
    Host::new(Vec::new(), Vec::new(), Clock::system().now()).await
}

/// A host on which these incidents happened.
async fn host_with(incidents: Vec<Incident>) -> (Host, Timestamp) {
    let host = host().await;
    let now = Clock::system().now();
    let store = Store::open(&host.path("history.db"), now).unwrap().store;
    let changes = incidents.into_iter().map(|incident| IncidentChange { incident }).collect();
    let decision = Decision { changes, ..Decision::nothing(api_outage().verdict) };
    store.commit(&decision, now).await.unwrap();
    store.close().await;
    (host, now)
}

fn advising(action: Action) -> View {
    let mut view = api_outage();
    view.verdict.capabilities.iter_mut().for_each(|one| one.advice.action = action);
    view
}

/// No colours, no signs, nothing at the end of a line.
#[track_caller]
fn assert_plain(said: &Said) {
    for sign in ["\u{1b}", "✓", "▲", "✕", "◆"] {
        assert!(!said.stdout.contains(sign), "{sign:?} in a pipe: {}", said.stdout);
    }
    assert!(said.stdout.lines().all(|line| line.trim_end() == line), "{}", said.stdout);
}

#[tokio::test]
async fn status_is_one_sentence_a_table_and_what_to_do() {
    let host = host().await;
    let daemon = Daemon::of(api_outage());
    let said = host.say_beside(&daemon, &["status"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(2), ""));
    assert_plain(&said);
    assert!(
        said.stdout.starts_with("HeyGen: the API has answered 503 since 09:00."),
        "{}",
        said.stdout
    );
    let down = line(&said.stdout, &["API", "down", "HeyGen's side", "since"]);
    let fine = line(&said.stdout, &["web app", "working"]);
    assert_eq!(down.find("down"), fine.find("working"), "aligned:\n{}", said.stdout);
    line(&said.stdout, &["Stop starting new ones."]);
    line(&said.stdout, &["not watched: speech"]);
    line(&said.stdout, &["Channel oncall takes no messages since", "09:12"]);
    let verdict = json(&host.say_beside(&daemon, &["status", "--json"]).await);
    assert_eq!(verdict["state"], "outage");
    assert_eq!(verdict, serde_json::to_value(VerdictJson::from(&api_outage().verdict)).unwrap());
}

#[tokio::test]
async fn incidents_are_a_table_and_one_of_them_is_a_page() {
    let now = Clock::system().now();
    let ago = |minutes: u64| now - Duration::from_mins(minutes);
    let event = |seq, kind, minutes| IncidentEvent {
        seq,
        kind,
        at: ago(minutes),
        state: State::Outage,
        channels: Vec::new(),
    };
    let over = Incident {
        opened_at: ago(300),
        confirmed_at: ago(299),
        acknowledged_at: Some(ago(280)),
        resolved_at: Some(ago(260)),
        headline: "the API answered 503 for 40 min".to_owned(),
        events: vec![event(1, EventKind::Opened, 299), event(2, EventKind::Resolved, 260)],
        ..incident(9)
    };
    let open = Incident { opened_at: ago(20), confirmed_at: ago(19), ..incident(10) };
    let (host, _) = host_with(vec![over, open]).await;
    let said = host.say(&["incidents"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    assert_plain(&said);
    let heading = line(&said.stdout, &["#", "began", "lasted", "whose side", "what"]);
    let first =
        line(&said.stdout, &["#10", "open for 20 min", "HeyGen's side", "API not answering"]);
    let second = line(&said.stdout, &["#9", "40 min", "the API answered 503"]);
    assert!(said.stdout.find(first) < said.stdout.find(second), "newest first");
    assert_eq!(heading.find("whose side"), first.find("HeyGen's side"), "{}", said.stdout);
    let list = json(&host.say(&["incidents", "list", "--json"]).await);
    assert_eq!((&list[0]["id"], &list[1]["id"]), (&10.into(), &9.into()));
    let shown = host.say(&["incidents", "show", "9"]).await;
    assert_plain(&shown);
    line(&shown.stdout, &["ended", "(40 min)"]);
    line(&shown.stdout, &["admitted", "by HeyGen's page"]);
    line(&shown.stdout, &["opened"]);
    line(&shown.stdout, &["api-read", "503 from api.heygen.com"]);
    assert_eq!(json(&host.say(&["incidents", "show", "9", "--json"]).await)["id"], 9);
    let missing = host.say(&["incidents", "show", "99"]).await;
    assert_eq!((missing.code, missing.stdout.as_str()), (Some(1), ""));
}

#[tokio::test]
async fn a_terminal_gets_colours_and_signs() {
    let (host, _) = host_with(vec![incident(10)]).await;
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_heygen-monitor"));
    command.env_clear().env("CLICOLOR_FORCE", "1").env("HEYGEN_API_KEY", "sk-test-0123456789");
    command.arg("--config").arg(host.path("config.toml"));
    command.args(["incidents", "list", "--since", "36500d"]).kill_on_drop(true);
    let output = command.stdin(std::process::Stdio::null()).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\u{1b}[31m✕\u{1b}[0m  #10"), "{text:?}");
}

#[tokio::test]
async fn advice_waits_for_go_and_says_meanwhile_for_what() {
    let host = host().await;
    let daemon = Daemon { then: advising(Action::Go), ..Daemon::of(advising(Action::Hold)) };
    let said = host.say_beside(&daemon, &["advice", "api", "--wait", "5m"]).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.starts_with("go"), "{}", said.stdout);
    assert_eq!(said.stderr, "api: hold, waiting for go\n");
    assert_eq!(daemon.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn advice_has_an_exit_code_for_each_word() {
    let host = host().await;
    for (action, code) in [(Action::Go, 0), (Action::SlowDown, 1), (Action::FixAccount, 2)] {
        let daemon = Daemon::of(advising(action));
        let said = host.say_beside(&daemon, &["advice", "api", "--json"]).await;
        assert_eq!((said.code, said.stderr.as_str()), (Some(code), ""));
        assert_eq!(json(&said)["action"], action.as_str());
    }
    let daemon = Daemon::of(advising(Action::Hold));
    let begun = tokio::time::Instant::now();
    let said = host.say_beside(&daemon, &["advice", "api", "--wait", "1s"]).await;
    assert_eq!(said.code, Some(2), "the wait is over, and it is not go");
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn without_a_monitor_the_advice_is_go_and_says_that_it_is_blind() {
    let host = host().await;
    std::fs::remove_file(host.path("history.db")).unwrap();
    let said = host.say(&["advice", "api", "--wait", "5m", "--json"]).await;
    assert_eq!(said.code, Some(0));
    assert_eq!(json(&said)["confidence"], "blind");
    assert!(said.stderr.contains("no daemon answers"), "{}", said.stderr);
}
