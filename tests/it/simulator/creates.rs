//! Creates: what they cost, what their callers learn of them, and what the account makes of both.

use std::time::Duration;

use heygen_monitor::simulator::{
    Billing, CreateKind, Dialect, Effect, Prices, Quirk, Rule, Service, Simulator,
};
use serde_json::{Value, json};

use super::{API_KEY, created, still, video_body};
use crate::support::{client, get, wait_until};

async fn create(simulator: &Simulator, key: &str, title: &str) -> (u16, Value) {
    let request = client().post(format!("{}/v3/videos", simulator.url(Service::Api)));
    created(request.header("idempotency-key", key).json(&video_body(title))).await
}

async fn billing(simulator: &Simulator) -> Value {
    let url = format!("{}/v3/users/me", simulator.url(Service::Api));
    get(&client(), &url).await.1["data"].clone()
}

#[tokio::test]
async fn an_accepted_create_is_paid_for_and_a_refused_one_is_not() {
    let simulator = still().await;
    simulator.account(|account| {
        account.wallet.balance_usd = 1.0;
        account.prices = Prices { video_usd: 0.75, translation_usd: 0.05, speech_usd: 0.002 };
    });
    assert_eq!(create(&simulator, "a", "one").await.0, 200);
    assert_eq!(create(&simulator, "a", "one").await.0, 200, "a replay");
    let (status, refused) = create(&simulator, "b", "two").await;
    assert_eq!((status, refused["error"]["code"].as_str()), (402, Some("insufficient_credit")));
    let dub = json!({"video": {"type": "url", "url": "https://example.com/a.mp4"},
                     "output_languages": ["Spanish (Spain)", "Spanish (Mexico)"]});
    let base = simulator.url(Service::Api);
    created(client().post(format!("{base}/v3/video-translations")).json(&dub)).await;
    let left = billing(&simulator).await["wallet"]["remaining_balance"].as_f64().unwrap();
    assert!((left - 0.15).abs() < 1e-9, "{left}");
    simulator.account(|account| {
        let kinds: Vec<_> = account.accepted().iter().map(|create| create.kind).collect();
        assert_eq!(kinds, [CreateKind::Video, CreateKind::Translation]);
        account.wallet.balance_usd = 1.0;
    });
    assert_eq!(create(&simulator, "b", "two").await.0, 200, "the refused key is free");
}

#[tokio::test]
async fn a_wallet_that_reloads_charges_its_card() {
    let simulator = still().await;
    simulator.account(|account| {
        account.wallet.balance_usd = 10.1;
        account.wallet.reloads = true;
    });
    assert_eq!(billing(&simulator).await["wallet"]["auto_reload"]["enabled"], true);
    create(&simulator, "a", "one").await;
    simulator.account(|account| {
        assert_eq!(account.reloads, 1);
        assert!((account.wallet.balance_usd - 59.9).abs() < 1e-9);
        account.wallet.balance_usd = 0.0;
    });
    assert_eq!(create(&simulator, "b", "two").await.0, 402);
    simulator.account(|account| assert_eq!(account.reloads, 2, "even a refused one does"));
}

#[tokio::test]
async fn credits_and_caps_run_out_as_well() {
    let simulator = still().await;
    let plan = Billing::Subscription { premium: 1, resets_at: None, add_on: 1 };
    simulator.account(|account| account.billing = plan);
    let statuses = [
        create(&simulator, "a", "one").await.0,
        create(&simulator, "b", "two").await.0,
        create(&simulator, "c", "three").await.0,
    ];
    assert_eq!(statuses, [200, 200, 402]);
    let told = billing(&simulator).await;
    assert_eq!(told["billing_type"], "subscription");
    assert_eq!(told["subscription"]["credits"]["add_on_credits"]["remaining"], 0);
    let used = Billing::UsageBased { spent_usd: 99.9, cap_usd: Some(100.0) };
    simulator.account(|account| account.billing = used);
    assert_eq!(create(&simulator, "d", "four").await.0, 402);
    assert_eq!(billing(&simulator).await["usage_based"]["spending_cap_usd"], 100.0);
    simulator.account(|account| account.billing = Billing::Untold);
    assert_eq!(billing(&simulator).await["billing_type"], Value::Null);
}

#[tokio::test]
async fn an_accepted_create_may_go_unanswered_in_every_way() {
    let simulator = still().await;
    let effects = [
        ("reset", Effect::Reset),
        ("close", Effect::Close),
        ("500", Effect::internal_error()),
        ("503", Effect::html(503, "Service Temporarily Unavailable")),
        ("504", Effect::gateway_timeout()),
        ("hang", Effect::Hang),
        ("late", Effect::Delay(Duration::from_hours(1))),
    ];
    let url = format!("{}/v3/videos", simulator.url(Service::Api));
    let send = |key: &str| {
        let request = client().post(&url).header("x-api-key", API_KEY).json(&video_body(key));
        request.header("idempotency-key", key).send()
    };
    let mut told = Vec::new();
    for (name, effect) in effects.clone() {
        simulator.plan(|plan| {
            plan.clear();
            plan.add(Rule::on(Service::Api, "/v3/videos", effect.after_serving()).method("POST"));
        });
        let is_accepted =
            || simulator.account(|account| account.accepted_by_title().contains_key(name));
        let is_silent = matches!(name, "hang" | "late");
        told.push(tokio::select! {
            answer = send(name) => answer.ok().map(|answer| answer.status().as_u16()),
            () = wait_until("it is accepted", is_accepted), if is_silent => None,
        });
    }
    assert_eq!(told, [None, None, Some(500), Some(503), Some(504), None, None]);
    simulator.plan(|plan| {
        plan.clear();
        plan.add(Rule::on(Service::Api, "/v3/videos", Effect::Reset).method("POST"));
    });
    assert!(send("never").await.is_err(), "this one does not arrive");
    let accepted = simulator.account(|account| account.accepted_by_title());
    assert_eq!(accepted.len(), effects.len());
    assert!(accepted.values().all(|count| *count == 1) && !accepted.contains_key("never"));
    assert_eq!(simulator.account(|account| account.accepted_by_key()), accepted);
    let sent = simulator.creates_by_title();
    assert_eq!((sent.len(), sent["never"]), (effects.len() + 1, 1));
    assert_eq!(simulator.creates_by_key(), sent);
    simulator.plan(heygen_monitor::simulator::Plan::clear);
    let (_, found) = get(&client(), &format!("{url}?title=reset")).await;
    assert_eq!(found["data"][0]["title"], "reset", "it is found by its title");
    assert_eq!(send("reset").await.unwrap().status(), 200, "and replayed by its key");
    simulator.account(|account| assert_eq!(account.jobs().len(), effects.len()));
}

#[tokio::test]
async fn speech_is_charged_even_when_its_answer_is_lost() {
    let simulator = still().await;
    simulator.plan(|plan| {
        let lost = Effect::Reset.after_serving();
        plan.add(Rule::on(Service::Api, "/v3/voices/speech", lost).first(1));
    });
    let body = json!({"text": "Hi.", "voice_id": "voice_ben"});
    let url = format!("{}/v3/voices/speech", simulator.url(Service::Api));
    let send = || client().post(&url).header("x-api-key", API_KEY).json(&body).send();
    assert!(send().await.is_err());
    assert_eq!(send().await.unwrap().status(), 200);
    simulator.account(|account| assert_eq!(account.accepted().len(), 2));
}

#[tokio::test]
async fn a_caller_that_gives_up_before_it_is_accepted_leaves_nothing_behind() {
    let simulator = still().await;
    simulator.account(|account| account.accept_delay = Duration::from_hours(1));
    tokio::select! {
        _ = create(&simulator, "one", "one") => panic!("it takes an hour"),
        () = wait_until("it arrived", || simulator.creates_by_key().contains_key("one")) => {}
    }
    simulator.account(|account| account.accept_delay = Duration::ZERO);
    let began = tokio::time::Instant::now();
    while create(&simulator, "one", "one").await.0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "the key stays taken");
    }
    simulator.account(|account| assert_eq!(account.accepted().len(), 1));
}

#[tokio::test]
async fn a_forgotten_key_makes_two_jobs() {
    let simulator = still().await;
    simulator.account(|account| {
        account.dialect = Dialect::default().with(Quirk::ForgetsKeys);
    });
    create(&simulator, "a", "one").await;
    create(&simulator, "a", "one").await;
    simulator.account(|account| assert_eq!(account.accepted_by_key()["a"], 2));
}

#[tokio::test]
async fn a_template_makes_a_video_in_the_old_words() {
    let simulator = still().await;
    let base = simulator.url(Service::Api);
    let body = json!({"title": "from a template", "variables": {}, "caption": false});
    let send = |id: &str| {
        let request = client().post(format!("{base}/v2/template/{id}/generate"));
        request.header("x-api-key", API_KEY).json(&body).send()
    };
    let answer = send("template_greeting").await.unwrap();
    assert_eq!(answer.headers()["deprecation"], "true");
    assert_eq!(answer.headers()["sunset"], "Sat, 31 Oct 2026 00:00:00 GMT");
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["error"], Value::Null);
    let id = answer["data"]["video_id"].as_str().unwrap();
    let (status, video) = get(&client(), &format!("{base}/v3/videos/{id}")).await;
    assert_eq!((status, video["data"]["title"].as_str()), (200, Some("from a template")));
    assert_eq!(send("template_unknown").await.unwrap().status(), 404);
    let listed = get(&client(), &format!("{base}/v2/templates")).await.1;
    assert_eq!(listed["data"]["templates"][0]["template_id"], "template_greeting");
    assert_eq!(simulator.creates_by_title()["from a template"], 2);
}
