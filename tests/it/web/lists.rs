//! Lists: pages, filters, tags.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use heygen_monitor::engine::uptime::Scope;
use heygen_monitor::engine::{Decision, Owed};
use heygen_monitor::model::{
    Attempt, AttemptResult, Blame, Capability, EventKind, FailureReason, Incident, IncidentChange,
    Message, MessageIncident, Observation, Outcome, State,
};

use super::{Answer, ROUTES, Site, request};
use crate::sample_view::{api_outage, at, incident, map, observation};

impl Site {
    /// Stores an observation and an incident.
    pub(super) async fn see(&self, seen: Observation, incident: Incident) {
        let decision = Decision {
            observation: Some(seen),
            changes: vec![IncidentChange { incident }],
            ..Decision::nothing(api_outage().verdict)
        };
        self.state.store.commit(&decision, self.state.clock.now()).await.unwrap();
        self.state.store.flush().await.unwrap();
    }

    /// Stores runs of one probe, a second apart, from 08:00.
    async fn observe(&self, probe: &str, outcomes: &[Outcome]) {
        for (i, outcome) in (0_u64..).zip(outcomes) {
            let mut seen = observation(probe, *outcome);
            seen.ended_at = at("2026-11-20T08:00:00Z") + Duration::from_secs(i);
            seen.begun_at = seen.ended_at - Duration::from_millis(100);
            if probe == "web-app" {
                seen.capabilities = vec![Capability::WebApp];
            }
            let decision =
                Decision { observation: Some(seen), ..Decision::nothing(api_outage().verdict) };
            self.state.store.commit(&decision, self.state.clock.now()).await.unwrap();
        }
        self.state.store.flush().await.unwrap();
    }

    /// Owes two channels the opening of incidents 1 to `count`.
    pub(super) async fn owe(&self, count: i64) {
        for id in 1..=count {
            let one = incident(id);
            let message = Message {
                event: EventKind::Opened,
                at: one.confirmed_at,
                seq: 1,
                incident: Some(MessageIncident {
                    id,
                    blame: one.blame,
                    cause: one.cause.clone(),
                    reason: one.reason,
                    state: one.state,
                    capabilities: one.capabilities.clone(),
                    opened_at: one.opened_at,
                    resolved_at: None,
                    subject: one.subject.clone(),
                }),
                headline: one.headline.clone(),
                advice: None,
                evidence: Vec::new(),
                official: None,
                notes: Vec::new(),
                vantage: "fra-1".to_owned(),
                account: "default".to_owned(),
            };
            let owed = ["mail", "slack"]
                .map(|channel| Owed { channel: channel.to_owned(), message: message.clone() });
            let decision = Decision {
                changes: vec![IncidentChange { incident: one }],
                owed: owed.to_vec(),
                ..Decision::nothing(api_outage().verdict)
            };
            self.state.store.commit(&decision, self.state.clock.now()).await.unwrap();
        }
    }

    /// The rows of an answer.
    async fn rows(&self, path: &str) -> Vec<serde_json::Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()["data"].as_array().unwrap().clone()
    }
}

/// The place of an observation among all.
fn place(row: &serde_json::Value) -> (String, String) {
    let text = |key: &str| row[key].as_str().unwrap().to_owned();
    (text("ended_at"), text("probe"))
}

#[tokio::test]
async fn pages_have_every_row_once_while_rows_arrive() {
    let site = Site::new(Some(api_outage()));
    let many = [Outcome::Ok, Outcome::Unavailable, Outcome::Slow].repeat(5);
    for probe in ["api-read", "submit", "web-app"] {
        site.observe(probe, &many).await;
    }
    let before: BTreeSet<_> =
        site.rows("/api/v1/observations?limit=200").await.iter().map(place).collect();
    assert_eq!(before.len(), 45);
    let mut seen = Vec::new();
    let mut path = "/api/v1/observations?limit=7".to_owned();
    loop {
        let page = site.get(&path).await.json();
        seen.extend(page["data"].as_array().unwrap().iter().map(place));
        let Some(token) = page["next_token"].as_str() else {
            assert_eq!(page["has_more"], false);
            break;
        };
        assert_eq!(page["has_more"], true);
        path = format!("/api/v1/observations?limit=7&token={token}");
        let mut late = observation("late", Outcome::Ok);
        late.ended_at = at("2026-11-20T09:00:00Z") + Duration::from_secs(seen.len() as u64);
        site.see(late, incident(1)).await;
    }
    assert!(seen.is_sorted_by(|one, other| one.0 >= other.0), "newest first: {seen:?}");
    let distinct: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(distinct.len(), seen.len(), "no row twice");
    assert_eq!(distinct, before, "each row that was there, and none that came later");
}

#[tokio::test]
async fn observations_are_filtered_by_what_scripts_ask_for() {
    let site = Site::new(Some(api_outage()));
    let outcomes = [Outcome::Ok, Outcome::Ok, Outcome::Timeout, Outcome::Slow, Outcome::Ok];
    site.observe("api-read", &outcomes).await;
    site.observe("web-app", &[Outcome::Ok, Outcome::Timeout]).await;
    for (query, count) in [
        ("", 7),
        ("probe=api-read", 5),
        ("probe=nobody", 0),
        ("outcome=ok", 4),
        ("outcome=timeout", 2),
        ("outcome=timeout&probe=web-app", 1),
        ("outcome=job_lost", 0),
        ("capability=web_app", 2),
        ("capability=speech", 0),
        ("since=2026-11-20T08:00:02Z", 3),
        ("until=2026-11-20T08:00:02Z", 4),
        ("since=2026-11-20T08:00:01Z&until=2026-11-20T08:00:02Z", 2),
        ("outcome=ok&since=2026-11-20T08:00:01Z", 2),
        ("outcome=slow&until=2026-11-20T08:00:03Z", 0),
        ("since=2h", 7),
        ("since=1h", 0),
    ] {
        let rows = site.rows(&format!("/api/v1/observations?{query}")).await;
        assert_eq!(rows.len(), count, "{query}: {rows:?}");
    }
    let bad = &site.rows("/api/v1/observations?outcome=slow").await[0];
    assert_eq!(bad["ended_at"], "2026-11-20T08:00:03Z");
    assert_eq!(bad["duration_seconds"], 0.1);
    assert_eq!(bad["counts"], "degraded");
    assert_eq!(bad["capabilities"], serde_json::json!(["api"]));
}

#[tokio::test]
async fn incidents_are_filtered_by_side_state_capability_and_time() {
    let site = Site::new(Some(api_outage()));
    let at_eight = Some(at("2026-11-20T08:30:00Z"));
    let account = Incident {
        blame: Blame::Account,
        capabilities: vec![Capability::Authentication],
        opened_at: at("2026-11-20T08:00:00Z"),
        resolved_at: at_eight,
        ..incident(1)
    };
    let old = Incident {
        opened_at: at("2026-08-01T08:00:00Z"),
        resolved_at: Some(at("2026-08-01T09:00:00Z")),
        ..incident(2)
    };
    for one in [account, old, incident(3)] {
        site.see(observation("api-read", Outcome::Ok), one).await;
    }
    for (query, ids) in [
        ("", &[3, 1][..]),
        ("since=2026-01-01T00:00:00Z", &[3, 2, 1]),
        ("since=2026-01-01T00:00:00Z&until=2026-11-01T00:00:00Z", &[2]),
        ("state=open", &[3]),
        ("state=resolved", &[1]),
        ("blame=account", &[1]),
        ("blame=network", &[]),
        ("capability=api", &[3]),
        ("capability=authentication&state=resolved", &[1]),
        ("capability=authentication&state=open", &[]),
    ] {
        let rows = site.rows(&format!("/api/v1/incidents?{query}")).await;
        let found: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!(found, ids, "{query}");
    }
}

#[tokio::test]
async fn deliveries_say_where_each_message_stands() {
    let site = Site::new(Some(api_outage()));
    site.owe(3).await;
    let refused = Attempt {
        at: at("2026-11-20T09:01:00Z"),
        result: AttemptResult::Dead {
            reason: FailureReason::Unauthorized,
            detail: "it refuses our credentials".to_owned(),
        },
    };
    let first = &site.rows("/api/v1/deliveries?channel=mail&incident=1").await[0];
    assert_eq!((&first["state"], &first["event"]), (&"pending".into(), &"opened".into()));
    site.state.store.finish(first["id"].as_i64().unwrap(), &refused, None).await.unwrap();
    let dead = site.rows("/api/v1/deliveries?state=dead").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["last_error"], "it refuses our credentials");
    assert_eq!(
        (&dead[0]["incident_id"], &dead[0]["next_at"]),
        (&1.into(), &serde_json::Value::Null)
    );
    assert_eq!(site.rows("/api/v1/deliveries?incident=2").await.len(), 2);
    assert_eq!(site.rows("/api/v1/deliveries?incident=9").await.len(), 0);
    let page = site.get("/api/v1/deliveries?limit=4").await.json();
    let token = page["next_token"].as_str().unwrap();
    assert_eq!(site.rows(&format!("/api/v1/deliveries?limit=4&token={token}")).await.len(), 2);
}

#[tokio::test]
async fn what_the_daemon_believes_is_filtered_too() {
    let site = Site::new(Some(api_outage()));
    for (path, count) in [
        ("capabilities", 7),
        ("capabilities?state=outage", 1),
        ("capabilities?blame=provider&used=true", 1),
        ("capabilities?used=false", 1),
        ("components", 2),
        ("components?state=major_outage", 1),
        ("components?source=heygen&state=partial_outage", 1),
        ("components?source=nobody", 0),
        ("probes", 2),
        ("probes?kind=control", 1),
        ("probes?probe=api-read", 1),
    ] {
        assert_eq!(site.rows(&format!("/api/v1/{path}")).await.len(), count, "{path}");
    }
    let probe = &site.rows("/api/v1/probes?probe=api-read").await[0];
    assert_eq!(
        (&probe["outcome"], &probe["last"]["counts"]),
        (&"unavailable".into(), &"down".into())
    );
    assert_eq!(probe["last"]["phases"]["ttfb_seconds"], 0.18);
}

#[tokio::test]
async fn a_row_of_heygens_page_names_the_capability_that_it_is_counted_to() {
    let site = Site::new(Some(api_outage()));
    site.settings.send_modify(|settings| {
        let pages = vec![("heygen".to_owned(), map())];
        settings.scope = Arc::new(Scope { pages, ..(*settings.scope).clone() });
    });
    let rows = site.rows("/api/v1/components").await;
    let said = |row: &serde_json::Value| {
        ["source", "role", "name", "capability"].map(|key| row[key].as_str().map(str::to_owned))
    };
    let row = |words: [&str; 4]| words.map(|word| Some(word.to_owned()).filter(|w| !w.is_empty()));
    assert_eq!(said(&rows[0]), row(["heygen", "primary", "https://api.heygen.com", "api"]));
    assert_eq!(said(&rows[1]), row(["heygen", "primary", "LiveAvatar", ""]));
    assert_eq!(rows[1].get("capability"), Some(&serde_json::Value::Null), "said, not left out");
}

#[tokio::test]
async fn what_is_not_known_is_told_and_not_ignored() {
    let site = Site::new(Some(api_outage()));
    for path in ROUTES.into_iter().filter(|path| path.starts_with("/api/v1/")) {
        if path == "/api/v1/nowhere" {
            continue;
        }
        let answer = site.get(&format!("{path}?colour=red")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.text.contains("colour"), "{path}: {}", answer.text);
    }
    for (wrong, said) in [
        ("observations?outcome=fine", "outcome takes one of ok, slow, blocked, rate_limited, "),
        ("observations?since=yesterday", "since takes a value such as 2026-11-20T00:00:00Z or 30d"),
        ("observations?until=-1d", "until takes a value such as 2026-11-20T00:00:00Z or 30d"),
        ("observations?token=x", "token takes the next_token of the page before"),
        ("observations?limit=201", "limit takes a whole number from 1 to 200"),
        ("observations?limit=x", "limit takes a whole number from 1 to 200"),
        ("observations?limit=1&limit=2", "limit may be given once"),
        ("incidents?state=dead", "state takes one of open, resolved"),
        ("deliveries?incident=one", "incident takes a whole number"),
        ("components?state=fine", "state takes one of operational, degraded_performance, "),
        ("capabilities?used=maybe", "used takes true or false"),
        ("components?colour=red", "colour is no parameter here: there are source and state"),
        ("verdict?x=%00%ff", "x is no parameter here: there are none"),
        ("advice", "capability is missing; it takes one of video_generation, "),
        ("advice?capability=tv", "capability takes one of video_generation, video_translation, "),
        ("uptime?since=1h&capability=", "capability takes one of video_generation, "),
    ] {
        let answer = site.get(&format!("/api/v1/{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(said), "{wrong}: {detail}");
    }
}

#[tokio::test]
async fn what_was_read_before_is_not_sent_again() {
    let site = Site::new(Some(api_outage()));
    let with = async |method: Method, path: &str, tag: &str| -> Answer {
        let request = request(method, path).header("if-none-match", tag).body(Body::empty());
        site.send(request.unwrap()).await
    };
    for path in
        ["/api/v1/verdict", "/api/v1/incidents", "/api/v2/summary.json", "/api/openapi.json"]
    {
        let first = site.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "{path}: {tag}");
        let lists = [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()];
        for known in lists {
            let again = with(Method::GET, path, &known).await;
            assert_eq!(
                (again.status, again.text.as_str()),
                (StatusCode::NOT_MODIFIED, ""),
                "{known}"
            );
            assert_eq!(again.header("etag"), tag);
            super::assert_secured(&again, path);
        }
        assert_eq!(with(Method::GET, path, "\"other\"").await.text, first.text);
        let head = site.send(request(Method::HEAD, path).body(Body::empty()).unwrap()).await;
        assert_eq!((head.header("etag"), head.text.as_str()), (tag.as_str(), ""));
        assert_eq!(head.header("content-length"), first.text.len().to_string());
        assert_eq!(with(Method::HEAD, path, &tag).await.status, StatusCode::NOT_MODIFIED);
    }
    let mut changed = api_outage();
    changed.verdict.state = State::Degraded;
    let tag = site.get("/api/v1/verdict").await.header("etag").to_owned();
    site.view.send_replace(Some(std::sync::Arc::new(changed)));
    assert_eq!(with(Method::GET, "/api/v1/verdict", &tag).await.status, StatusCode::OK);
    assert_eq!(site.get("/api/v1/nowhere").await.header("etag"), "", "a failure has no tag");
}
