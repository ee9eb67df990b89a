//! What an account says otherwise: words, fields, dates; and deletes that fail.

use std::time::Duration;

use heygen_monitor::simulator::{
    Dialect, Effect, JobKind, Lifecycle, Quirk, Rule, Service, Simulator,
};
use serde_json::{Value, json};

use super::{API_KEY, after, created, origin, still};
use crate::support::{client, get};

const MINUTE: Duration = Duration::from_mins(1);

/// The detail of a translation in `dialect`.
async fn said(simulator: &Simulator, dialect: Dialect, lifecycle: Lifecycle) -> Value {
    let id = simulator.account(|account| {
        account.dialect = dialect;
        account.seed(JobKind::Translation, "mine", after(-10), lifecycle)
    });
    let url = format!("{}/v3/video-translations/{id}", simulator.url(Service::Api));
    get(&client(), &url).await.1["data"].clone()
}

#[tokio::test]
async fn words_names_and_absent_fields_follow_the_dialect() {
    let simulator = still().await;
    let done = Lifecycle::completing(MINUTE, MINUTE);
    let plain = Dialect::default();
    let succeeded = plain.clone().with(Quirk::Word("completed", "succeeded"));
    assert_eq!(said(&simulator, succeeded, done.clone()).await["status"], "succeeded");
    let queued = plain.clone().with(Quirk::Word("pending", "queued"));
    assert_eq!(said(&simulator, queued, Lifecycle::stuck_in_queue()).await["status"], "queued");
    let unknown = plain.clone().with(Quirk::Word("running", "teleporting"));
    let running = Lifecycle::stuck_in_processing(MINUTE);
    assert_eq!(said(&simulator, unknown, running.clone()).await["status"], "teleporting");
    let reason = plain.clone().with(Quirk::Name("failure_message", "failure_reason"));
    let failed = said(&simulator, reason, done.clone().failing("x", "No sound.")).await;
    assert_eq!(
        (failed["failure_reason"].as_str(), failed.get("failure_message")),
        (Some("No sound."), None)
    );
    let sparse = plain.with(Quirk::NoNulls).with(Quirk::Without("created_at"));
    let sparse = said(&simulator, sparse, running).await;
    assert!(sparse.get("video_url").is_none() && sparse.get("created_at").is_none(), "{sparse}");
    let waiting = Lifecycle { waiting: 60 * MINUTE, ..done };
    assert_eq!(said(&simulator, Dialect::default(), waiting).await["status"], "waiting");
}

#[tokio::test]
async fn created_translations_may_be_nested() {
    let simulator = still().await;
    simulator.account(|account| {
        account.dialect = Dialect::default().with(Quirk::NestedTranslationIds);
    });
    let dub = json!({"video": {"type": "asset_id", "asset_id": "asset_1"},
                     "output_languages": ["Spanish (Spain)"]});
    let url = format!("{}/v3/video-translations", simulator.url(Service::Api));
    let (_, answer) = created(client().post(url).json(&dub)).await;
    assert!(answer["data"]["video_translations"][0]["video_translation_id"].is_string());
    assert_eq!(answer["data"].get("video_translation_ids"), None);
}

#[tokio::test]
async fn dates_are_the_simulation_s_unless_they_are_to_disagree() {
    let simulator = still().await;
    let url = format!("{}/v3/users/me", simulator.url(Service::Api));
    let date = || async {
        let answer = client().get(&url).header("x-api-key", API_KEY).send().await.unwrap();
        answer.headers()["date"].to_str().unwrap().to_owned()
    };
    assert_eq!(origin().to_string(), "2026-11-20T09:00:00Z");
    assert_eq!(date().await, "Fri, 20 Nov 2026 09:00:00 GMT");
    simulator.account(|account| account.date_ahead = jiff::SignedDuration::from_mins(-6));
    assert_eq!(date().await, "Fri, 20 Nov 2026 08:54:00 GMT");
}

#[tokio::test]
async fn a_delete_may_fail_and_its_job_stays() {
    let simulator = still().await;
    let id = simulator
        .account(|account| account.seed(JobKind::Video, "mine", after(-10), Lifecycle::default()));
    let url = format!("{}/v3/videos/{id}", simulator.url(Service::Api));
    simulator.plan(|plan| {
        let fails = Rule::on(Service::Api, "/v3/videos/", Effect::delete_failed());
        plan.add(fails.method("DELETE").first(1));
    });
    let (status, refused) = created(client().delete(&url)).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (500, Some("video_delete_failed")));
    assert_eq!(get(&client(), &url).await.0, 200);
    assert_eq!(created(client().delete(&url)).await.0, 200);
    assert_eq!(created(client().delete(&url)).await.0, 404);
    let statuses = format!("{}/v3/videos/statuses?video_ids={id}", simulator.url(Service::Api));
    assert_eq!(get(&client(), &statuses).await.1["data"][0]["status"], "not_found");
}
