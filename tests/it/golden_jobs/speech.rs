//! Tests of text to speech end to end: they answer at once and can never be found again.

use heygen_monitor::simulator::Answer;

use super::*;

const SPEECH: Capability = Capability::Speech;
const PATH: &str = "/v3/voices/speech";

fn speech() -> Wanted {
    wanted(&format!(
        "{BUDGET}[[probe]]\nname = \"speech\"\ncheck.speech = {{ voice = \"voice_anna\" }}\n"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_speech_is_sent_and_heard() {
    let days = Days::with(60.0, speech(), |_, _| {}).await;
    assert_eq!(days.tested(1, 10).await, [(IntentState::Closed, Some(Outcome::Ok))]);
    let view = days.sees("speech works", 10, is(SPEECH, "operational/none/ok")).await;
    assert_eq!(days.received("POST", PATH), 1);
    assert!(!days.bench.simulator.received(Service::Files).is_empty(), "the sound is fetched");
    assert!(view.budget.spent_today > heygen_monitor::model::Usd::ZERO);
    days.until(40).await;
    assert_eq!(days.received("POST", PATH), 1, "nothing more to learn for max_silence");
    assert!(days.slack().is_empty(), "{:#?}", days.slack());
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_sound_is_an_invalid_result() {
    for artefact in [Artefact::Page, Artefact::Empty, Artefact::Refused(9)] {
        let days = Days::with(60.0, speech(), |bench, _| {
            bench.simulator.account(|account| account.artefact = artefact.clone());
        })
        .await;
        let words = "degraded/provider/result_invalid";
        days.sees(&format!("{artefact:?}"), 10, is(SPEECH, words)).await;
        assert_eq!(days.tested(2, 15).await[1].1, Some(Outcome::ResultInvalid), "{artefact:?}");
        let view = days.running.view().borrow().clone().unwrap();
        assert_eq!(of(&view, SPEECH).state, State::Degraded, "it answers: never an outage");
        days.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn speech_that_is_unavailable_is_degraded_until_a_second_test_fails() {
    let body = r#"{"error":{"code":"service_unavailable","message":"Try again."}}"#;
    let slowly =
        Effect::Trickle(Answer::new(503, "application/json", body), Duration::from_millis(40));
    let days = Days::with(60.0, speech(), |bench, _| {
        bench.simulator.plan(|plan| {
            plan.add(Rule::on(Service::Api, PATH, Effect::unavailable()).first(1));
            plan.add(Rule::on(Service::Api, PATH, slowly));
        });
    })
    .await;
    days.sees("the first", 10, is(SPEECH, "degraded/provider/unavailable")).await;
    let view = days.sees("the second", 20, is(SPEECH, "outage/provider/jobs_failing")).await;
    assert_eq!(of(&view, Capability::Api).state, State::Operational);
    assert_eq!(days.received("POST", PATH), 2, "two say enough");
    days.bench.simulator.plan(heygen_monitor::simulator::Plan::clear);
    let view = days.sees("the return", 60, is(SPEECH, "operational/none/ok")).await;
    assert!(view.incidents.is_empty(), "{:#?}", view.incidents);
    days.running.stop().await;
}
