//! Golden scenario 30: the clock jumps thirty days, and nothing happens.

use std::time::Duration;

use heygen_monitor::model::{Blame, State};
use heygen_monitor::simulator::{Effect, Plan, Rule, Service};

use crate::support::days::{Days, after, is};

/// Thirty days.
const JUMP: Duration = Duration::from_hours(30 * 24);
/// The same in minutes.
const JUMPED: u64 = 30 * 24 * 60;

#[tokio::test(flavor = "multi_thread")]
async fn scenario_30_thirty_days_at_once_are_no_news_in_good_health() {
    let days = Days::start(120.0, |_, _| {}).await;
    days.sees("good health", 5, is(State::Operational, Blame::None)).await;
    days.until(6).await;
    days.bench.simulator.clock().step(JUMP);
    let mut views = days.running.view();
    let over = days.bench.simulator.clock().sleep_until(days.at(JUMPED + 30));
    tokio::pin!(over);
    loop {
        let view = views.borrow_and_update().clone().unwrap();
        assert!(view.incidents.is_empty(), "{:#?}", view.incidents);
        tokio::select! {
            changed = views.changed() => changed.unwrap(),
            () = &mut over => break,
        }
    }
    days.sees("good health", JUMPED + 31, is(State::Operational, Blame::None)).await;
    assert_eq!(days.slack(), Vec::<String>::new());
    assert_eq!(days.bench.mails(), []);
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_30_an_outage_goes_on_through_a_jump_and_ends_once() {
    let days = Days::start(120.0, |bench, origin| {
        let down = Rule::on(Service::Api, "/v3/", Effect::unavailable()).from(after(origin, 5));
        bench.simulator.plan(|plan| plan.add(down));
    })
    .await;
    let view = days.sees("the outage", 8, is(State::Outage, Blame::Provider)).await;
    let incident = view.incidents[0].id;
    days.until(10).await;
    let told = |word: &str| {
        let first = |text: &String| text.lines().next().is_some_and(|line| line.contains(word));
        days.slack().iter().filter(|text| first(text)).count()
    };
    assert_eq!(told("Down"), 1, "{:#?}", days.slack());
    days.bench.simulator.clock().step(JUMP);
    days.until(JUMPED + 20).await;
    let view = days.running.view().borrow().clone().unwrap();
    assert!(is(State::Outage, Blame::Provider)(&view), "{:#?}", view.verdict);
    let [open] = view.incidents.as_slice() else { panic!("{:#?}", view.incidents) };
    assert_eq!(open.id, incident);
    assert_eq!((told("Down"), told("Resolved")), (1, 0), "{:#?}", days.slack());
    days.bench.simulator.plan(|plan| *plan = Plan::default());
    days.sees("the end", JUMPED + 25, is(State::Operational, Blame::None)).await;
    days.until(JUMPED + 27).await;
    assert_eq!((told("Down"), told("Resolved")), (1, 1), "{:#?}", days.slack());
    days.running.stop().await;
}
