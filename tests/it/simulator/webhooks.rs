//! The signed events that tell of the end of jobs.

use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{
    Effect, JobKind, Lifecycle, Manner, Options, Plan, Received, Rule, Service, Simulator,
    WebhookEndpoint, webhook_signature,
};
use serde_json::Value;

use super::{after, origin};
use crate::support::{client, get, wait_until};

const SECRET: &str = "whsec_simulated";

/// A control target takes every POST, so it is where the events go.
const TAKES: Service = Service::Control(0);

/// A simulation in which a video ends after a minute, in a tenth of a second.
async fn told(manner: Manner, lifecycle: Lifecycle) -> Simulator {
    told_amid(Plan::default(), manner, lifecycle).await
}

async fn told_amid(plan: Plan, manner: Manner, lifecycle: Lifecycle) -> Simulator {
    let clock = Clock::starting_at(origin(), 600.0);
    let options = Options { plan, ..Options::new(clock.clone()) };
    let simulator = Simulator::start(options).await.unwrap();
    let url = format!("{}/heygen", simulator.url(TAKES));
    simulator.account(|account| {
        account.seed(JobKind::Video, "before", after(-60), lifecycle.clone());
        account.webhooks.push(WebhookEndpoint::new(&url, SECRET).manner(manner));
        account.seed(JobKind::Video, "mine", clock.now(), lifecycle);
    });
    simulator
}

fn minute() -> Lifecycle {
    Lifecycle::completing(Duration::from_secs(20), Duration::from_secs(40))
}

/// The first events that come.
async fn events(simulator: &Simulator, count: usize) -> Vec<Received> {
    wait_until("events", || simulator.received(TAKES).len() >= count).await;
    simulator.received(TAKES)
}

fn is_signed(event: &Received) -> bool {
    event.headers.get("heygen-signature") == Some(&webhook_signature(SECRET, &event.body))
}

#[tokio::test]
async fn the_end_of_a_job_is_told_once_and_signed() {
    let simulator = told(Manner::Prompt, minute()).await;
    let event = events(&simulator, 1).await.remove(0);
    assert!(is_signed(&event));
    let sent_at: i64 = event.headers["heygen-timestamp"].parse().unwrap();
    let (id, ended_at) = simulator.account(|account| {
        let job = account.jobs()[1];
        (job.id.clone(), job.ends_at().unwrap())
    });
    assert!((ended_at.as_second()..=event.at.as_second()).contains(&sent_at), "simulated time");
    let body = event.json();
    assert_eq!(body["event_type"], "avatar_video.success");
    assert_eq!(body["event_data"]["video_id"], id.as_str());
    assert!(body["event_data"]["url"].is_string());
    let listed =
        get(&client(), &format!("{}/v3/webhooks/events", simulator.url(Service::Api))).await.1;
    assert_eq!(listed["data"][0]["event_id"], event.headers["heygen-event-id"].as_str());
    simulator.clock().sleep(Duration::from_mins(5)).await;
    assert_eq!(simulator.received(TAKES).len(), 1);
}

#[tokio::test]
async fn a_failed_job_is_told_as_such() {
    let simulator = told(Manner::Prompt, minute().failing("rendering_failed", "Timed out")).await;
    let body = events(&simulator, 1).await[0].json();
    assert_eq!(body["event_type"], "avatar_video.fail");
    assert_eq!(body["event_data"]["msg"], "Timed out");
}

#[tokio::test]
async fn an_event_may_come_twice_late_old_or_wrongly_signed() {
    let simulator = told(Manner::Twice, minute()).await;
    let both = events(&simulator, 2).await;
    assert_eq!(both[0].headers["heygen-event-id"], both[1].headers["heygen-event-id"]);
    let simulator = told(Manner::Late(Duration::from_mins(30)), minute()).await;
    let late = &events(&simulator, 1).await[0];
    let ended_at = simulator.account(|account| account.jobs()[1].ends_at().unwrap());
    assert!(late.at.duration_since(ended_at) >= jiff::SignedDuration::from_mins(30));
    let simulator = told(Manner::Backdated(Duration::from_hours(1)), minute()).await;
    let old = &events(&simulator, 1).await[0];
    let sent_at: i64 = old.headers["heygen-timestamp"].parse().unwrap();
    assert!(old.at.as_second() - sent_at >= 3600);
    let simulator = told(Manner::WronglySigned, minute()).await;
    assert!(!is_signed(&events(&simulator, 1).await[0]));
    let simulator = told(Manner::Unsigned, minute()).await;
    assert!(!events(&simulator, 1).await[0].headers.contains_key("heygen-signature"));
}

#[tokio::test]
async fn a_silent_account_tells_nobody() {
    let simulator = told(Manner::Silent, minute()).await;
    simulator.clock().sleep(Duration::from_mins(5)).await;
    assert_eq!(simulator.received(TAKES), Vec::new());
}

#[tokio::test]
async fn an_event_that_is_refused_comes_again() {
    let refused = Rule::on(TAKES, "/heygen", Effect::unavailable()).first(2);
    let simulator = told_amid(Plan::default().with(refused), Manner::Prompt, minute()).await;
    let three = events(&simulator, 3).await;
    assert_eq!(three[0].headers["heygen-event-id"], three[2].headers["heygen-event-id"]);
    wait_until("the answer is noted", || {
        simulator.account(|account| account.webhook_events[0].status == Some(204))
    })
    .await;
    let attempts = simulator.account(|account| account.webhook_events[0].attempts);
    assert_eq!(attempts, 3);
    assert_eq!(three[2].json()["event_data"]["callback_id"], Value::Null);
}
