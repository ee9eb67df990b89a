//! Test translations end to end, and stuck translations beside videos that come out.

use super::*;
use crate::support::bench::Bench;

/// A real create; the submit probe's has an empty body.
const CREATE: &str = "output_languages";

/// Where the simulation keeps the source.
const HOST: &str = "127.0.0.1";

/// A daemon whose configuration names the source that the simulation serves.
async fn begin(factor: f64, more: &str, script: impl FnOnce(&Bench, Timestamp)) -> Days {
    let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let clock = heygen_monitor::clock::Clock::starting_at(origin, factor);
    let bench = Bench::start(clock.clone()).await;
    script(&bench, origin);
    let url = bench.simulator.source_url();
    let every = if more.contains("fixed") { "every = \"5m\"\n" } else { "" };
    let wanted = wanted(&format!(
        "{BUDGET}[[probe]]\nname = \"translation\"\n{every}\
         check.translation = {{ video_url = \"{url}\", {more} }}\n"
    ));
    let running = Days::daemon(&bench, &wanted, clock).await;
    Days { bench, running, origin }
}

impl Days {
    /// Bodies of the creates of translations, oldest first.
    fn ordered(&self) -> Vec<serde_json::Value> {
        let received = self.bench.simulator.received(Service::Api).into_iter();
        let creates = received.filter(|one| {
            one.method == "POST"
                && one.path == "/v3/video-translations"
                && String::from_utf8_lossy(&one.body).contains(CREATE)
        });
        creates.map(|create| create.json()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_translation_is_sent_followed_measured_and_deleted() {
    for (more, price) in [("audio_only = true", "$0.17"), ("audio_only = false", "$0.33")] {
        let days = begin(60.0, more, |_, _| {}).await;
        let intents = days.tested(1, 20).await;
        assert_eq!(intents, [(IntentState::Closed, Some(Outcome::Ok))], "{more}");
        days.sees("translation works", 20, is(TRANSLATION, "operational/none/ok")).await;
        let ordered = days.ordered();
        assert_eq!(ordered.len(), 1, "{ordered:?}");
        assert_eq!(ordered[0]["output_languages"], serde_json::json!(["Spanish (Spain)"]));
        assert_eq!(ordered[0]["translate_audio_only"], more == "audio_only = true");
        assert_eq!(days.received("DELETE", "/v3/video-translations/"), 1);
        let files = days.bench.simulator.received(Service::Files);
        let is_source = |one: &&heygen_monitor::simulator::Received| {
            days.bench.simulator.source_url().ends_with(&one.path)
        };
        let of_source = files.iter().filter(is_source).count();
        assert!(of_source > 0 && files.len() > of_source, "source and result: {files:?}");
        assert!(files.iter().all(|one| !one.headers.contains_key("x-api-key")));
        assert!(days.bench.simulator.account(|account| account.jobs().is_empty()), "no orphan");
        assert_eq!(complaints_of_creates(&days.bench.simulator.log()), Vec::<String>::new());
        let view = days.running.view().borrow().clone().unwrap();
        assert_eq!(view.budget.spent_today.to_string(), price);
        assert!(days.slack().is_empty(), "{:#?}", days.slack());
        days.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn languages_take_turns() {
    let languages = "languages = [\"Spanish (Spain)\", \"German\", \"French (France)\"]";
    let days = begin(90.0, &format!("mode = \"fixed\", {languages}"), |_, _| {}).await;
    days.tested(4, 60).await;
    let ordered = days.ordered();
    let said: Vec<&str> = ordered
        .iter()
        .take(4)
        .filter_map(|create| create["output_languages"][0].as_str())
        .collect();
    assert_eq!(said, ["Spanish (Spain)", "German", "French (France)", "Spanish (Spain)"]);
    days.running.stop().await;
}

/// What a create that carries a URL meets, until which minute the verdict may take, and what
/// becomes of the intents.
async fn our_file(effect: Effect, minute: u64, ends_as: IntentState) {
    let days = begin(120.0, "max_silence = \"30m\"", |bench, _| {
        let refused = Rule::on(Service::Api, "/v3/video-translations", effect.clone());
        bench.simulator.plan(|plan| plan.add(refused.method("POST").body(CREATE)));
    })
    .await;
    let words = "unknown/client/upstream_fetch_failed";
    let view = days.sees("our file", minute, is(TRANSLATION, words)).await;
    let advice = &of(&view, TRANSLATION).advice;
    assert_eq!(advice.action, Action::FixRequest);
    assert!(advice.text.contains(&format!("our file from {HOST}")), "{}", advice.text);
    assert_eq!(of(&view, Capability::Api).state, State::Operational);
    let intents = days.intents().await;
    assert_eq!(intents[0].0, ends_as, "{intents:?}");
    days.tested(2, minute + 30).await;
    let view = days.running.view().borrow().clone().unwrap();
    assert_eq!(view.budget.spent_month.to_string(), "$0.00", "neither was accepted");
    let posts = days.bench.simulator.creates_by_title();
    assert!(posts.values().all(|count| *count == 1), "{posts:?}");
    assert!(!view.incidents.iter().any(|incident| incident.blame == Blame::Provider));
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_9b_download_failed_at_a_create_is_our_file() {
    let effect = Effect::envelope(400, "download_failed", "Failed to download video from url.");
    our_file(effect, 50, IntentState::Refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_9b_a_504_envelope_at_a_create_is_our_file() {
    our_file(Effect::gateway_timeout(), 55, IntentState::Absent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_12_translations_are_stuck_and_videos_come_out() {
    let days = Days::with(90.0, wanted(QUEUE), |bench, origin| {
        bench.simulator.account(|account| {
            for minute in [2, 4, 6] {
                let at = after(origin, minute);
                account.seed(JobKind::Translation, "dub", at, Lifecycle::stuck_in_queue());
            }
            for minute in [2, 20, 40] {
                account.seed(JobKind::Video, "spot", after(origin, minute), Lifecycle::default());
            }
        });
    })
    .await;
    let view = days.sees("it", 65, is(TRANSLATION, "outage/provider/jobs_stuck")).await;
    assert_eq!(of(&view, GENERATION).state, State::Operational);
    assert_eq!(of(&view, TRANSLATION).advice.action, Action::Hold);
    assert_eq!(view.incidents.len(), 1);
    assert_eq!(view.incidents[0].capabilities, [TRANSLATION]);
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_heygen_cannot_read_later_is_our_input_and_no_outage() {
    let message = "Failed to download video from url, please check the url is valid or the video \
                   is public";
    let days = begin(60.0, "audio_only = true", |bench, _| {
        let failing = Lifecycle::default().failing("", message);
        bench.simulator.account(|account| account.translation = failing);
    })
    .await;
    let intents = days.tested(1, 20).await;
    assert_eq!(intents[0].1, Some(Outcome::JobRejected));
    days.until(25).await;
    let view = days.running.view().borrow().clone().unwrap();
    assert_ne!(of(&view, TRANSLATION).blame, Blame::Provider);
    assert!(days.slack().is_empty(), "{:#?}", days.slack());
    days.running.stop().await;
}
