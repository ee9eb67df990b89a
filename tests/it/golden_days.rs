//! The golden scenarios of the daemon: a script of hours in, verdicts and messages out.
//!
//! The daemon runs in this process on a fast clock, against a simulation on the same clock, and tells
//! the simulated Slack and mail server.

use std::time::Duration;

use crate::support::bench::{Bench, Wanted};
use crate::support::days::{Days, after, is};
use heygen_monitor::clock::Clock;
use heygen_monitor::model::{Blame, ComponentState, State, View};
use heygen_monitor::simulator::{
    Caller, ComponentState as Row, Effect, Format, IncidentStatus, Notice, Rule, Service,
};

const API_ROW: &str = "https://api.heygen.com";

#[tokio::test(flavor = "multi_thread")]
async fn scenario_2_an_outage_is_told_at_once_and_the_page_admits_it_later() {
    let days = Days::start(90.0, |bench, origin| {
        let down = Rule::on(Service::Api, "/v3/", Effect::unavailable()).from(after(origin, 5));
        bench.simulator.plan(|plan| plan.add(down));
        bench.simulator.page(|page| {
            page.turn(API_ROW, Row::FullOutage, after(origin, 19));
            let text = "We are investigating.";
            let notice = Notice::new(after(origin, 19), IncidentStatus::Investigating, text);
            page.open_incident("API errors", "major", API_ROW, notice);
        });
    })
    .await;
    days.sees("good health", 5, is(State::Operational, Blame::None)).await;
    let view = days.sees("the outage", 8, is(State::Outage, Blame::Provider)).await;
    assert_eq!(view.incidents.len(), 1, "one incident for API and key");
    let failing = days.bench.simulator.received(Service::Api);
    let first = failing.iter().find(|entry| entry.status == Some(503)).unwrap().at;
    let confirmed = view.verdict.at.duration_since(first).as_secs();
    assert!(confirmed <= 60, "confirmed {confirmed} s after the first failure");
    days.until(18).await;
    assert_eq!(days.slack().len(), 1, "{:#?}", days.slack());
    let acknowledged = |view: &View| {
        let views = view.verdict.capabilities.iter().filter_map(|one| one.official.as_ref());
        let mut leads = views.filter(|one| one.acknowledged).filter_map(|one| one.lead_seconds);
        leads.any(|lead| (12 * 60..=16 * 60).contains(&lead))
    };
    days.sees("the lead", 23, acknowledged).await;
    days.until(25).await;
    assert_eq!(days.slack().len(), 2, "one update: {:#?}", days.slack());
    let mails = days.bench.mails();
    assert_eq!(mails.len(), 2, "{mails:#?}");
    assert!(mails[0].subject.starts_with("HeyGen: "), "{}", mails[0].subject);
    assert!(mails[1].subject.starts_with("Re: "), "{}", mails[1].subject);
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_14_a_lost_network_is_ours_and_is_told_once_it_is_back() {
    let days = Days::start(120.0, |bench, origin| {
        let lost = heygen_monitor::simulator::Plan::default();
        let lost = lost.network_lost(after(origin, 5), after(origin, 20));
        bench.simulator.plan(|plan| *plan = lost);
    })
    .await;
    days.sees("good health", 5, is(State::Operational, Blame::None)).await;
    let view = days.sees("the loss", 12, is(State::Unknown, Blame::Network)).await;
    assert_eq!(view.verdict.reason.as_str(), "monitor_offline");
    days.sees("the return", 25, is(State::Operational, Blame::None)).await;
    days.until(35).await;
    let told = days.slack();
    assert_eq!(told.len(), 1, "one message about ourselves: {told:#?}");
    assert!(!told[0].contains("HeyGen's side"), "{}", told[0]);
    let view = days.running.view().borrow().clone().unwrap();
    assert!(view.incidents.is_empty(), "{:#?}", view.incidents);
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_18_a_page_that_serves_html_is_never_green_from_memory() {
    let days = Days::start(120.0, |_, _| {}).await;
    let official = |view: &View, wanted: ComponentState| {
        let mut views = view.verdict.capabilities.iter().filter_map(|one| one.official.as_ref());
        views.any(|official| official.state == wanted)
    };
    days.sees("a green page", 5, |view| official(view, ComponentState::Operational)).await;
    days.bench.simulator.page(|page| page.format = Format::Landing);
    days.sees("an unreadable page", 15, |view| {
        !official(view, ComponentState::Operational)
            && view.sources[0].last.as_ref().is_some_and(|last| last.page.is_err())
    })
    .await;
    days.bench.simulator.page(|page| page.format = Format::Html);
    days.sees("the page in its HTML", 40, |view| official(view, ComponentState::Operational)).await;
    assert!(days.slack().is_empty(), "{:#?}", days.slack());
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_19_a_row_that_vanishes_is_a_warning() {
    let bench = Bench::start(Clock::system()).await;
    let wanted = Wanted { every: "0.2s", ..Wanted::default() };
    let mut run = bench.run(&wanted).await;
    let readings = || {
        let requests = bench.simulator.received(Service::StatusPage);
        requests.iter().filter(|entry| entry.path == "/api/v2/summary.json").count()
    };
    crate::support::wait_until("the page is read again and again", || readings() > 3).await;
    bench.simulator.page(|page| {
        page.component(API_ROW).unwrap().name = "Something else entirely".to_owned();
    });
    let warning = run.says(API_ROW).await;
    assert!(warning.contains("WARN"), "{warning}");
    assert_eq!(run.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_20_one_error_is_silence_and_one_in_four_is_one_message() {
    let days = Days::start(200.0, |bench, origin| {
        let server_error = || Effect::envelope(500, "internal_error", "Internal server error");
        let once = Rule::on(Service::Api, "/v3/users/me", server_error()).from(after(origin, 5));
        // One rule per caller: a common count would strike the same caller again and again.
        let often = |caller| {
            let rule = Rule::on(Service::Api, "/v3/users/me", Effect::unavailable());
            rule.caller(caller).from(after(origin, 40)).until(after(origin, 100)).every(4)
        };
        bench.simulator.plan(|plan| {
            plan.add(once.until(after(origin, 10)).first(1));
            plan.add(often(Caller::Keyed));
            plan.add(often(Caller::Anonymous));
        });
    })
    .await;
    days.until(40).await;
    assert!(days.slack().is_empty(), "one blip is silent: {:#?}", days.slack());
    let degraded =
        days.sees("intermittent errors", 100, is(State::Degraded, Blame::Provider)).await;
    assert_eq!(degraded.verdict.reason.as_str(), "intermittent_errors");
    days.until(98).await;
    assert_eq!(days.slack().len(), 1, "{:#?}", days.slack());
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_21_flapping_is_at_most_five_messages() {
    let days = Days::start(200.0, |bench, origin| {
        let flapping = Rule::on(Service::Api, "/v3/", Effect::unavailable());
        let flapping = flapping.from(after(origin, 5)).until(after(origin, 65));
        let flapping = flapping.on_and_off(Duration::from_secs(40));
        bench.simulator.plan(|plan| plan.add(flapping));
    })
    .await;
    days.until(110).await;
    let told = days.slack();
    assert!((1..=5).contains(&told.len()), "{} messages: {told:#?}", told.len());
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_32_a_key_that_expires_is_one_message_and_one_incident() {
    let days = Days::start(200.0, |bench, origin| {
        bench.simulator.account(|account| account.key_expires_at = Some(after(origin, 10)));
        // A key whose end HeyGen does not tell: nobody can warn of it.
        let untold = Rule::on(
            Service::Api,
            "/v3/api_keys/self",
            Effect::envelope(404, "not_found", "Not found"),
        );
        bench.simulator.plan(|plan| plan.add(untold));
    })
    .await;
    let view = days.sees("the refusal", 15, is(State::Outage, Blame::Account)).await;
    assert_eq!(view.verdict.reason.as_str(), "unauthorized");
    days.until(60).await;
    let view = days.running.view().borrow().clone().unwrap();
    assert_eq!(view.incidents.len(), 1, "{:#?}", view.incidents);
    assert_eq!(days.slack().len(), 1, "{:#?}", days.slack());
    assert_eq!(days.bench.mails().len(), 1);
    days.running.stop().await;
}
