//! HeyGen's own material disagrees on words and fields: the same jobs in other words mean the same.

use heygen_monitor::simulator::{Dialect, Quirk};

use super::*;

/// Everything said otherwise at once.
fn strange() -> Dialect {
    [
        Quirk::NestedTranslationIds,
        Quirk::Word("completed", "succeeded"),
        Quirk::Word("pending", "queued"),
        Quirk::Word("processing", "baking"),
        Quirk::Word("running", "dubbing_in_progress"),
        Quirk::Name("failure_message", "failure_reason"),
        Quirk::Without("failure_code"),
        Quirk::Without("completed_at"),
        Quirk::Without("duration"),
        Quirk::NoNulls,
    ]
    .into_iter()
    .fold(Dialect::default(), Dialect::with)
}

fn both(source: &str) -> Wanted {
    let translation = translation(source).replacen(BUDGET, "", 1);
    wanted(&format!("{}{translation}", render(&["look_anna_office"])))
}

async fn begin(configured: impl FnOnce(&str) -> Wanted, script: impl FnOnce(&Days)) -> Days {
    let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let clock = heygen_monitor::clock::Clock::starting_at(origin, 60.0);
    let bench = crate::support::bench::Bench::start(clock.clone()).await;
    bench.simulator.account(|account| account.dialect = strange());
    let source = bench.simulator.source_url();
    let running = Days::daemon(&bench, &configured(&source), clock).await;
    let days = Days { bench, running, origin };
    script(&days);
    days
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_in_another_dialect_are_followed_to_their_end() {
    let days = begin(both, |_| {}).await;
    let good = (IntentState::Closed, Some(Outcome::Ok));
    assert_eq!(days.tested(2, 30).await, [good, good]);
    days.sees("videos", 30, is(GENERATION, "operational/none/ok")).await;
    days.sees("translations", 30, is(TRANSLATION, "operational/none/ok")).await;
    assert!(days.bench.simulator.account(|account| account.jobs().is_empty()), "no orphan");
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_another_dialect_keeps_its_reason() {
    let failing = |days: &Days| {
        let failing = Lifecycle::default().failing("rendering_failed", "The encoder gave up.");
        days.bench.simulator.account(|account| account.translation = failing);
    };
    let days = begin(|source| wanted(&translation(source)), failing).await;
    let view = days.sees("it", 20, is(TRANSLATION, "degraded/provider/job_failed")).await;
    let headline = &of(&view, TRANSLATION).headline;
    assert!(headline.contains("The encoder gave up."), "{headline}");
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stuck_jobs_are_stuck_in_every_dialect() {
    let limits =
        "[jobs.render]\nqueue_floor = \"2m\"\nqueue_late = \"5m\"\nqueue_stuck = \"10m\"\n";
    let stuck = |days: &Days| {
        days.bench.simulator.account(|account| {
            for minute in [2, 3] {
                let at = after(days.origin, minute);
                account.seed(JobKind::Video, "spot", at, Lifecycle::stuck_in_queue());
                account.seed(JobKind::Translation, "dub", at, Lifecycle::default());
            }
        });
    };
    let days = begin(|_| wanted(&format!("{QUEUE}{limits}")), stuck).await;
    let view = days.sees("it", 30, is(GENERATION, "outage/provider/jobs_stuck")).await;
    assert_eq!(of(&view, TRANSLATION).state, State::Operational);
    days.running.stop().await;
}
