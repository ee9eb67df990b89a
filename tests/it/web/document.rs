//! The OpenAPI document says what is answered, all of it and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use heygen_monitor::model::{
    AccountReading, BudgetView, PaidProbeView, Pool, PoolName, SkipReason, Unit, Usd,
};
use heygen_monitor::secret::Secret;
use heygen_monitor::web::{Auth, AuthSpec};
use serde_json::Value;

use super::{ROUTES, Site};
use crate::sample_view::{api_outage, at, incident, observation};
use crate::support::schema::Schemas;

/// A site with something in every list.
async fn site() -> Site {
    let mut view = api_outage();
    view.budget = BudgetView {
        probes: vec![PaidProbeView {
            probe: "render".to_owned(),
            price: Usd(150_000),
            runs_month: 2,
            spent_month: Usd(300_000),
            last_at: Some(at("2026-11-20T08:00:00Z")),
            next_due_at: None,
            held_back: Some((SkipReason::Backlog, "eight of ten jobs are yours".to_owned())),
        }],
        account: Some(AccountReading {
            at: at("2026-11-20T08:00:00Z"),
            pools: vec![Pool { name: PoolName::AddOn, unit: Unit::Credits, remaining: 7.5 }],
            auto_reload: None,
            key_expires_at: None,
            clock_skew: None,
            plan: heygen_monitor::model::Plan::default(),
        }),
        ..BudgetView::default()
    };
    let mut seen = observation("api-read", heygen_monitor::model::Outcome::Unavailable);
    seen.evidence = Some(Box::default());
    view.probes[0].last = Some(seen.clone());
    let site = Site::new(Some(view));
    site.work(4).await;
    site.owe(2).await;
    site.see(seen, incident(3)).await;
    site
}

fn documented(document: &Value) -> BTreeSet<String> {
    document["paths"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn its_paths_are_the_routes() {
    let site = site().await;
    let document = site.get("/api/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "../", "a proxy's path prefix stays in place");
    let routes = ROUTES
        .into_iter()
        .filter(|path| path.starts_with("/api/v1/") && !path.ends_with("nowhere"));
    let routes = routes.map(|path| match path {
        "/api/v1/incidents/1" => "/api/v1/incidents/{id}".to_owned(),
        "/api/v1/gate/api" => "/api/v1/gate/{capability}".to_owned(),
        other => other.to_owned(),
    });
    assert_eq!(documented(&document), routes.collect());
    for path in documented(&document) {
        let path = path.replace("{id}", "1").replace("{capability}", "api");
        let answer = site.get(&path).await;
        assert_ne!(answer.status, StatusCode::NOT_FOUND, "{path} has no route");
    }
}

#[tokio::test]
async fn real_answers_are_what_it_promises() {
    let site = site().await;
    let document = site.get("/api/openapi.json").await.json();
    let schemas = Schemas { document: &document };
    for (path, operations) in document["paths"].as_object().unwrap() {
        let asked = path.replace("{id}", "1").replace("{capability}", "speech");
        let asked =
            if path.ends_with("/advice") { format!("{asked}?capability=api") } else { asked };
        let answer = site.get(&asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{asked}: {}", answer.text);
        let body = answer.json();
        assert!(
            body["data"].as_array().is_none_or(|rows| !rows.is_empty()),
            "{asked} shows nothing"
        );
        let schema =
            &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{path}");
        let complaints = schemas.complaints(schema, &body, path);
        assert!(complaints.is_empty(), "{complaints:#?}");
        let refused =
            site.get(&format!("{asked}{}x=1", if asked.contains('?') { '&' } else { '?' })).await;
        let refusals = &operations["get"]["responses"][refused.status.as_str()];
        let failure = &refusals["content"]["application/problem+json"]["schema"];
        assert!(failure.is_object(), "{path}: a wrong parameter is documented");
        let complaints = schemas.complaints(failure, &refused.json(), path);
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
    let empty = serde_json::json!({});
    let verdict = &document["paths"]["/api/v1/verdict"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert!(schemas.complaints(verdict, &empty, "").len() > 5, "the schemas ask for something");
}

#[tokio::test]
async fn it_names_the_parameters_and_says_who_may_read() {
    let site = site().await;
    let document = site.get("/api/openapi.json").await.json();
    let get = |path: &str| document["paths"][path]["get"].clone();
    let parameters = get("/api/v1/observations")["parameters"].clone();
    let names: Vec<_> =
        parameters.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let expected = ["probe", "outcome", "capability", "since", "until", "limit", "token"];
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), expected.into());
    assert!(!parameters.to_string().contains("null"), "{parameters}");
    let text = document.to_string();
    for inside in ["contract", "verdicts.md", "[`"] {
        assert!(!text.contains(inside), "{inside} says nothing to those outside");
    }
    let limit = parameters.as_array().unwrap().iter().find(|one| one["name"] == "limit").unwrap();
    assert_eq!((&limit["required"], &limit["schema"]["maximum"]), (&false.into(), &200.into()));
    assert_eq!(get("/api/v1/advice")["parameters"][0]["required"], true);
    assert_eq!(get("/api/v1/gate/{capability}")["parameters"][0]["in"], "path");
    assert_eq!(get("/api/v1/jobs")["security"], Value::Null, "nothing asks who anybody is");
    let auth = Auth::new(AuthSpec::Bearer(Secret::new("0123456789abcdef0123")));
    site.settings.send_modify(|settings| settings.auth = Some(Arc::new(auth)));
    let document = site.get("/api/openapi.json").await.json();
    let security = |path: &str| document["paths"][path]["get"]["security"].clone();
    assert_eq!(security("/api/v1/jobs"), serde_json::json!([{"reader": []}]));
    assert_eq!(security("/api/v1/verdict"), serde_json::json!([{}, {"reader": []}]));
    assert_eq!(document["components"]["securitySchemes"]["reader"]["scheme"], "bearer");
}
