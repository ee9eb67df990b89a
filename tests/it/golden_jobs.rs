//! The golden scenarios of jobs and paid tests: the daemon in this process, in fast time, against a
//! simulated account.

use std::time::Duration;

use heygen_monitor::model::{
    Action, Blame, Capability, CapabilityVerdict, IntentState, Outcome, State, Timestamp, View,
};
use heygen_monitor::simulator::{Artefact, Caller, Effect, JobKind, Lifecycle, Rule, Service};

use crate::openapi::complaints_of_creates;
use crate::support::bench::Wanted;
use crate::support::days::{Days, after};
use crate::support::wait_until;

mod dialects;
mod events;
mod speech;
mod translations;

/// Reads the account's jobs.
const QUEUE: &str = "[[probe]]\nname = \"queue\"\nevery = \"60s\"\ncheck.queue = {}\n";
/// Money enough for a scenario.
const BUDGET: &str = "[budget]\nusd_per_day = 10.0\nusd_per_month = 200.0\n";

fn render(avatars: &[&str]) -> String {
    format!(
        "{BUDGET}[[probe]]\nname = \"render\"\ncheck.render = {{ avatars = {avatars:?}, voice = \"voice_anna\" }}\n"
    )
}

fn translation(days: &str) -> String {
    format!(
        "{BUDGET}[[probe]]\nname = \"translation\"\ncheck.translation = {{ video_url = \"{days}\" }}\n"
    )
}

fn wanted(extra: &str) -> Wanted {
    Wanted { extra: extra.to_owned(), ..Wanted::default() }
}

fn of(view: &View, capability: Capability) -> &CapabilityVerdict {
    view.verdict.capabilities.iter().find(|one| one.capability == capability).unwrap()
}

fn is(capability: Capability, words: &'static str) -> impl Fn(&View) -> bool {
    move |view| {
        let one = of(view, capability);
        format!("{}/{}/{}", one.state, one.blame, one.reason) == words
    }
}

const GENERATION: Capability = Capability::VideoGeneration;
const TRANSLATION: Capability = Capability::VideoTranslation;

impl Days {
    /// What was spent on, oldest first, with what came of it.
    async fn intents(&self) -> Vec<(IntentState, Option<Outcome>)> {
        let mut intents = self.running.store().intents(Timestamp::UNIX_EPOCH, 100).await.unwrap();
        intents.reverse();
        intents.into_iter().map(|intent| (intent.state, intent.outcome)).collect()
    }

    /// Waits until the `count`th paid test is over.
    async fn tested(&self, count: usize, minute: u64) -> Vec<(IntentState, Option<Outcome>)> {
        let clock = self.bench.simulator.clock().clone();
        loop {
            let intents = self.intents().await;
            let over = intents.iter().filter(|(state, _)| !state.is_open()).count();
            if over >= count {
                return intents;
            }
            assert!(clock.now() < self.at(minute), "by minute {minute}: {intents:?}");
            clock.sleep(Duration::from_secs(5)).await;
        }
    }

    fn received(&self, method: &str, path: &str) -> usize {
        let received = self.bench.simulator.log();
        received.iter().filter(|one| one.method == method && one.path.starts_with(path)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_test_is_sent_followed_checked_and_deleted() {
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |_, _| {}).await;
    let intents = days.tested(1, 20).await;
    assert_eq!(intents, [(IntentState::Closed, Some(Outcome::Ok))]);
    days.sees("generation works", 20, is(GENERATION, "operational/none/ok")).await;
    assert_eq!(days.received("POST", "/v3/videos"), 1 + days.received_of_submit());
    assert_eq!(days.received("DELETE", "/v3/videos/"), 1);
    let files = days.bench.simulator.received(Service::Files);
    assert!(!files.is_empty(), "the artefact is fetched");
    assert!(files.iter().all(|one| !one.headers.contains_key("x-api-key")));
    assert!(days.bench.simulator.account(|account| account.jobs().is_empty()), "no orphan");
    assert_eq!(complaints_of_creates(&days.bench.simulator.log()), Vec::<String>::new());
    let view = days.running.view().borrow().clone().unwrap();
    assert_eq!(view.budget.spent_today.to_string(), "$0.15");
    days.until(40).await;
    assert_eq!(days.intents().await.len(), 1, "nothing more to learn for max_silence");
    assert!(days.slack().is_empty(), "{:#?}", days.slack());
    days.running.stop().await;
}

impl Days {
    /// Creates of the submit probe: an empty body.
    fn received_of_submit(&self) -> usize {
        let received = self.bench.simulator.log();
        let is_one = |one: &&heygen_monitor::simulator::Received| {
            one.method == "POST" && one.path == "/v3/videos" && one.body == b"{}"
        };
        received.iter().filter(is_one).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_artefact_is_an_invalid_result() {
    for artefact in
        [Artefact::CutInMedia, Artefact::CutInIndex, Artefact::WithoutAudio, Artefact::Page]
    {
        let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
            bench.simulator.account(|account| account.artefact = artefact.clone());
        })
        .await;
        days.sees(&format!("{artefact:?}"), 25, is(GENERATION, "degraded/provider/result_invalid"))
            .await;
        let intents = days.tested(1, 30).await;
        assert_eq!(intents[0].1, Some(Outcome::ResultInvalid), "{artefact:?}");
        days.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_translation_of_the_wrong_length_is_an_invalid_result() {
    let bench_url = |bench: &crate::support::bench::Bench| bench.simulator.source_url();
    let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let clock = heygen_monitor::clock::Clock::starting_at(origin, 60.0);
    let bench = crate::support::bench::Bench::start(clock.clone()).await;
    bench.simulator.account(|account| account.artefact = Artefact::Lasting(Duration::from_secs(4)));
    let wanted = wanted(&translation(&bench_url(&bench)));
    let running = Days::daemon(&bench, &wanted, clock).await;
    let days = Days { bench, running, origin };
    days.sees("it", 25, is(TRANSLATION, "degraded/provider/result_invalid")).await;
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_5_402_at_create_is_the_accounts_for_the_paid_capability_alone() {
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
        let refused = Effect::envelope(402, "insufficient_credit", "Your account has 0 credits.");
        // The submit probe of the same path goes through: its body is wrong before it costs.
        bench.simulator.plan(|plan| {
            plan.add(Rule::on(Service::Api, "/v3/videos", refused).method("POST").body("script"));
        });
    })
    .await;
    let view = days.sees("it", 15, is(GENERATION, "outage/account/insufficient_credit")).await;
    assert_eq!(of(&view, Capability::Api).state, State::Operational);
    assert_eq!(of(&view, GENERATION).advice.action, Action::FixAccount);
    assert_eq!(days.intents().await[0].0, IntentState::Refused);
    assert_eq!(view.budget.spent_today.to_string(), "$0.00", "nothing was spent");
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_6_a_test_that_fails_for_want_of_credit_is_the_accounts() {
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
        let unpaid = Lifecycle::out_of_credit(Duration::from_secs(30));
        bench.simulator.account(|account| account.video = unpaid);
    })
    .await;
    days.sees("it", 20, is(GENERATION, "outage/account/insufficient_credit")).await;
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_11_and_12_what_is_stuck_is_told_of_its_own_kind_alone() {
    let stuck_videos = |bench: &crate::support::bench::Bench, origin: Timestamp| {
        bench.simulator.account(|account| {
            for minute in [2, 4, 6] {
                account.seed(
                    JobKind::Video,
                    "spot",
                    after(origin, minute),
                    Lifecycle::stuck_in_queue(),
                );
                account.seed(
                    JobKind::Translation,
                    "dub",
                    after(origin, minute),
                    Lifecycle::default(),
                );
            }
        });
    };
    let days = Days::with(90.0, wanted(QUEUE), stuck_videos).await;
    let view = days.sees("stuck videos", 60, is(GENERATION, "outage/provider/jobs_stuck")).await;
    assert_eq!(of(&view, TRANSLATION).state, State::Operational);
    assert_eq!(view.incidents.len(), 1);
    assert!(!of(&view, GENERATION).official.as_ref().unwrap().acknowledged);
    days.until(62).await;
    let told = days.slack();
    assert!(told.iter().any(|text| text.contains("have waited")), "{told:#?}");
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_24_one_avatar_that_fails_is_that_avatar() {
    let days =
        Days::with(60.0, wanted(&render(&["look_anna_office", "look_ben_studio"])), |bench, _| {
            let failing =
                Lifecycle::default().failing("rendering_failed", "Avatar rendering timed out");
            bench.simulator.account(|account| {
                account.by_avatar.insert("look_anna_office".to_owned(), failing);
            });
        })
        .await;
    days.sees("the first failure", 15, is(GENERATION, "degraded/provider/job_failed")).await;
    let view = days
        .sees("the second avatar", 25, is(GENERATION, "degraded/provider/avatar_specific"))
        .await;
    let advice = &of(&view, GENERATION).advice;
    assert_eq!(advice.action, Action::SlowDown);
    assert!(advice.text.contains("look_anna_office"), "{}", advice.text);
    assert_eq!(days.tested(2, 25).await.len(), 2, "one second look");
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_failed_tests_are_an_outage() {
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
        let failing =
            Lifecycle::default().failing("rendering_failed", "Avatar rendering timed out");
        bench.simulator.account(|account| account.video = failing);
    })
    .await;
    days.sees("it", 25, is(GENERATION, "outage/provider/jobs_failing")).await;
    assert_eq!(days.tested(2, 25).await.len(), 2);
    days.bench.simulator.account(|account| account.video = Lifecycle::default());
    days.sees("the return", 80, is(GENERATION, "operational/none/ok")).await;
    let view = days.running.view().borrow().clone().unwrap();
    assert!(view.incidents.is_empty(), "{:#?}", view.incidents);
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_28_a_create_that_times_out_after_being_accepted_is_found_by_its_nonce() {
    let broken = [Effect::Reset.after_serving(), Effect::internal_error().after_serving()];
    for effect in broken {
        let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
            let once = Rule::on(Service::Api, "/v3/videos", effect.clone());
            bench.simulator.plan(|plan| plan.add(once.method("POST").body("script").first(1)));
        })
        .await;
        let intents = days.tested(1, 30).await;
        assert_eq!(intents, [(IntentState::Closed, Some(Outcome::Ok))], "{effect:?}");
        let posts = days.bench.simulator.creates_by_title();
        assert_eq!(posts.values().copied().collect::<Vec<_>>(), [1], "{posts:?}");
        let view = days.running.view().borrow().clone().unwrap();
        assert_ne!(of(&view, GENERATION).blame, Blame::Provider);
        assert!(days.slack().is_empty(), "{:#?}", days.slack());
        days.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_never_arrived_is_absent_and_costs_nothing() {
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
        let lost =
            Rule::on(Service::Api, "/v3/videos", Effect::Reset).method("POST").body("script");
        bench.simulator.plan(|plan| plan.add(lost.first(1)));
    })
    .await;
    let intents = days.tested(1, 30).await;
    assert_eq!(intents[0].0, IntentState::Absent);
    let view = days.running.view();
    let spent = || view.borrow().as_ref().map(|view| view.budget.spent_today.to_string());
    wait_until("nothing counts as spent", || spent().is_some_and(|spent| spent == "$0.00")).await;
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_29_a_fresh_url_that_is_refused_twice_is_an_invalid_result() {
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
        bench.simulator.account(|account| account.artefact = Artefact::Refused(9));
    })
    .await;
    days.sees("it", 25, is(GENERATION, "degraded/provider/result_invalid")).await;
    let fetches = days.bench.simulator.received(Service::Files).len();
    assert!(fetches >= 2, "{fetches}");
    days.running.stop().await;
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, _| {
        bench.simulator.account(|account| account.artefact = Artefact::Refused(1));
    })
    .await;
    assert_eq!(days.tested(1, 25).await, [(IntentState::Closed, Some(Outcome::Ok))], "once is not");
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_36_a_test_that_cannot_be_deleted_is_no_outage() {
    let days = Days::with(120.0, wanted(&render(&["look_anna_office"])), |bench, _| {
        let refused = Rule::on(Service::Api, "/v3/videos/", Effect::delete_failed());
        bench.simulator.plan(|plan| plan.add(refused.method("DELETE")));
    })
    .await;
    let intents = days.tested(1, 60).await;
    assert_eq!(intents, [(IntentState::Closed, Some(Outcome::Ok))]);
    let view = days.running.view().borrow().clone().unwrap();
    assert_eq!(of(&view, GENERATION).state, State::Operational, "{:#?}", of(&view, GENERATION));
    assert_eq!(days.received("DELETE", "/v3/videos/"), 4, "tried again, then left to the sweep");
    assert!(days.slack().is_empty(), "{:#?}", days.slack());
    days.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_create_is_looked_at_again_by_the_submit_probe_and_not_by_paying() {
    let days = Days::with(60.0, wanted(&render(&["look_anna_office"])), |bench, origin| {
        let down = Rule::on(Service::Api, "/v3/videos", Effect::unavailable());
        bench.simulator.plan(|plan| {
            plan.add(down.method("POST").caller(Caller::Keyed).until(after(origin, 60)));
        });
    })
    .await;
    days.sees("the outage", 15, is(GENERATION, "outage/provider/unavailable")).await;
    let posts = days.bench.simulator.creates_by_title();
    assert_eq!(posts.len(), 1, "one paid create, the rest are empty bodies: {posts:?}");
    days.running.stop().await;
}
