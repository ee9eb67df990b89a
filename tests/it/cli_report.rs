//! `report` by the real binary, from a database that nobody writes.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::engine::Decision;
use heygen_monitor::model::{
    Blame, Capability, CapabilityChange, Evidence, IncidentChange, Observation, Outcome, ProbeKind,
    Reason, Series, State, Timestamp,
};
use heygen_monitor::store::Store;
use serde_json::Value;

use crate::sample_view::{api_outage, incident};

const BINARY: &str = env!("CARGO_BIN_EXE_heygen-monitor");
const KEY: &str = "sk-test-0123456789";

struct Host(tempfile::TempDir);

impl Host {
    /// Watched for an hour; down for its last ten minutes, which the page has not admitted.
    async fn new() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        let now = Clock::system().now();
        let text = "timezone = \"UTC\"\nuses = [\"api\"]\n[storage]\npath = \"history.db\"\n\
                    [[probe]]\nname = \"control\"\ncheck.control = {}\n";
        std::fs::write(host.path("config.toml"), text).unwrap();
        let store = Store::open(&host.path("history.db"), now).unwrap().store;
        for minute in (0..=60_u64).rev() {
            store.heartbeat(ago(now, minute)).await.unwrap();
        }
        let said = |minutes, state| CapabilityChange {
            capability: Capability::Api,
            at: ago(now, minutes),
            state,
            blame: Blame::Provider,
            reason: Reason::Outcome(Outcome::Unavailable),
        };
        let mut known = incident(7);
        known.opened_at = ago(now, 10);
        known.confirmed_at = ago(now, 9);
        known.resolved_at = None;
        known.acknowledged_at = None;
        known.worst_state = State::Outage;
        known.blame = Blame::Provider;
        known.capabilities = vec![Capability::Api];
        let decision = Decision {
            standings: vec![said(60, State::Operational), said(9, State::Outage)],
            changes: vec![IncidentChange { incident: known }],
            observation: Some(failure(ago(now, 5))),
            ..Decision::nothing(api_outage().verdict)
        };
        store.commit(&decision, now).await.unwrap();
        store.close().await;
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn say(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = tokio::process::Command::new(BINARY);
        command.env_clear().env("HOME", self.0.path()).env("HEYGEN_API_KEY", KEY);
        command.arg("--config").arg(self.path("config.toml")).arg("report").args(arguments);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_mins(1), command.output());
        let output = output.await.expect("it ends").unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

fn ago(now: Timestamp, minutes: u64) -> Timestamp {
    now - Duration::from_mins(minutes)
}

/// An answer that echoes the key.
fn failure(at: Timestamp) -> Observation {
    let evidence = Evidence {
        http_status: Some(503),
        code: Some("service_unavailable".to_owned()),
        message: Some(format!("try later, {KEY}")),
        ..Evidence::default()
    };
    Observation {
        outcome: Outcome::Unavailable,
        capabilities: vec![Capability::Api],
        evidence: Some(Box::new(evidence)),
        ..Observation::blank(Series::of("api-read"), ProbeKind::Api, at)
    }
}

#[tokio::test]
async fn a_report_counts_what_the_daemon_wrote_down() {
    let host = Host::new().await;
    let (code, told, _) = host.say(&["--since", "1d"]).await;
    assert_eq!(code, Some(0));
    let first = told.lines().next().unwrap();
    let begins = "In the last 24 hours HeyGen kept you from making videos for 10 min";
    assert!(first.starts_with(begins), "{first}");
    assert!(first.ends_with("in 1 incident; its own page showed none."), "{first}");
    assert!(
        told.contains("Within it, for 22 h 5") && told.contains(" min nobody watched: "),
        "{told}"
    );
    let (_, json, _) = host.say(&["--since", "1d", "--json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    let down = json["making"]["down"]["provider"].as_f64().unwrap();
    assert!((590.0..700.0).contains(&down), "{down}");
    assert_eq!(json["watching"]["unannounced"], serde_json::json!([7]));
}

#[tokio::test]
async fn evidence_is_short_redacted_and_for_incidents_that_exist() {
    let host = Host::new().await;
    let (code, told, _) = host.say(&["--evidence", "7"]).await;
    assert_eq!(code, Some(0));
    assert!(told.contains("HTTP 503 service_unavailable \"try later, ***\""), "{told}");
    assert!(told.contains("failed jobs are not charged"), "{told}");
    assert!(!told.contains(KEY), "{told}");
    let (text, _) = told.split_once("\n\n").unwrap();
    assert!(text.chars().count() <= 2_000);
    let (code, _, why) = host.say(&["--evidence", "99"]).await;
    assert_eq!(code, Some(1));
    assert!(why.contains("there is no incident #99"), "{why}");
}

#[tokio::test]
async fn what_makes_no_sense_is_told_as_usage() {
    let host = Host::new().await;
    for wrong in [&["--since", "soon"][..], &["--since", "2126-01"], &["--format", "pdf"]] {
        let (code, told, why) = host.say(wrong).await;
        assert_eq!(code, Some(64), "{wrong:?}: {why}");
        assert_eq!(told, "");
    }
}
