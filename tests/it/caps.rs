//! The caps hold: whatever is restarted, whatever the clock says, however many daemons there are,
//! and even when the ledger says that nothing was spent.

use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::daemon::Running;
use heygen_monitor::engine::{Input, Memory, Recollection, Settings, evaluate};
use heygen_monitor::model::{
    AccountReading, Errand, Finding, Pool, PoolName, Report, SkipReason, Task, Timestamp, Unit,
    Usd, View,
};
use heygen_monitor::monitor::errands::Errands;
use heygen_monitor::simulator::{Lifecycle, Service};
use jiff::SignedDuration;

use crate::support::bench::{Bench, Channels, Key, Wanted};
use crate::support::days::Days;
use crate::support::wait_until;

/// Restarts of the issue.
const RESTARTS: usize = 200;
/// What the caps below leave room for.
const ALLOWED: usize = 3;

/// Three tests a day at $0.15, and a hunger for many more.
fn hungry(more: &str) -> Wanted {
    Wanted {
        every: "10m",
        channels: Channels::None,
        extra: format!(
            "[budget]\nusd_per_day = 0.45\nusd_per_month = 200.0\n{more}\
             [[probe]]\nname = \"render\"\n\
             check.render = {{ avatars = [\"look_anna_office\"], voice = \"voice_anna\", \
             max_silence = \"1s\" }}\n"
        ),
        ..Wanted::default()
    }
}

/// The same with nothing beside it: two hundred starts are enough work.
fn lean(bench: &Bench) -> String {
    format!(
        "timezone = \"UTC\"\n[heygen]\nbase_url = \"{}\"\n[storage]\npath = \"history.db\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n{}",
        bench.simulator.url(Service::Api),
        hungry("").extra
    )
}

fn origin() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

/// A world whose videos are made at once.
async fn world(clock: &Clock) -> Bench {
    let bench = Bench::start(clock.clone()).await;
    let second = Duration::from_secs(1);
    bench.simulator.account(|account| account.video = Lifecycle::completing(second, second));
    bench
}

fn creates(bench: &Bench) -> usize {
    bench.simulator.creates_by_title().values().sum()
}

/// What was spent on: a request that was cut off before it was taken costs nothing, and once that
/// is certain (10 min) another may take its place.
fn accepted(bench: &Bench) -> usize {
    bench.simulator.account(|account| account.accepted().len())
}

/// Why no test is sent, once it is held back.
fn hold(view: &View) -> Option<(SkipReason, String)> {
    view.budget.probes.iter().find_map(|probe| probe.held_back.clone())
}

/// Waits until a daemon is held back from spending.
async fn held_back(running: &Running) -> (SkipReason, String) {
    let mut views = running.view();
    let held = views.wait_for(|view| view.as_deref().is_some_and(|view| hold(view).is_some()));
    let view = tokio::time::timeout(Duration::from_secs(30), held).await;
    let view = view.expect("it is held back").unwrap().clone().unwrap();
    hold(&view).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_restarts_spend_no_more_than_the_days_cap() {
    let begun = tokio::time::Instant::now();
    let clock = Clock::starting_at(origin(), 60.0);
    let bench = world(&clock).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, lean(&bench)).unwrap();
    let (mut sent, mut held) = (0, 0);
    for restart in 0..RESTARTS {
        let surroundings = Bench::surroundings(Key::Right);
        let running = Days::daemon_of(path.clone(), surroundings, clock.clone()).await;
        let before = creates(&bench);
        let mut views = running.view();
        let settled = views.wait_for(|view| {
            creates(&bench) > before || view.as_deref().is_some_and(|view| hold(view).is_some())
        });
        let settled = tokio::time::timeout(Duration::from_secs(30), settled).await;
        let view = settled.unwrap_or_else(|_| panic!("restart {restart} neither spends nor not"));
        let is_held = hold(view.unwrap().as_deref().unwrap()).is_some();
        sent += usize::from(creates(&bench) > before);
        held += usize::from(is_held);
        // A request that is under way is cut off now and then.
        running.stop().await;
        let posts = bench.simulator.creates_by_title();
        assert!(posts.values().all(|count| *count == 1), "restart {restart}: {posts:?}");
        assert!(accepted(&bench) <= ALLOWED, "restart {restart}: {posts:?}");
    }
    println!(
        "{RESTARTS} restarts: {sent} sent, {} accepted, {held} held back; {:.0?}",
        accepted(&bench),
        begun.elapsed()
    );
    assert_eq!(accepted(&bench), ALLOWED);
    // How many requests were cut off before they arrived is the machine's affair; what arrived is not.
    assert!(held >= RESTARTS * 9 / 10, "{held}");
    assert!(clock.now().duration_since(origin()) < SignedDuration::from_hours(14), "one day");
}

/// Spends what a day allows, and stops.
async fn spend_all(bench: &Bench, clock: &Clock) {
    let running = Days::daemon(bench, &hungry(""), clock.clone()).await;
    let (reason, text) = held_back(&running).await;
    assert_eq!(reason, SkipReason::Budget, "{text}");
    running.stop().await;
    assert_eq!(creates(bench), ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_by_thirty_days_at_a_restart_spends_nothing() {
    for days in [30, -30] {
        let clock = Clock::starting_at(origin(), 60.0);
        let bench = world(&clock).await;
        spend_all(&bench, &clock).await;
        let wrong = clock.now() + SignedDuration::from_hours(24 * days);
        let running = Days::daemon(&bench, &hungry(""), Clock::starting_at(wrong, 60.0)).await;
        let (reason, text) = held_back(&running).await;
        assert_eq!(reason, SkipReason::Budget, "{days} days");
        assert!(text.contains("clock"), "{days} days: {text}");
        assert_eq!(creates(&bench), ALLOWED, "{days} days");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_clock_was_set_back_what_was_spent_in_the_future_counts() {
    let clock = Clock::starting_at(origin(), 60.0);
    let bench = world(&clock).await;
    spend_all(&bench, &clock).await;
    // HeyGen's clock agrees: nothing but the ledger stands in the way.
    let back = SignedDuration::from_hours(-24 * 30);
    bench.simulator.account(|account| account.date_ahead = back);
    let earlier = Clock::starting_at(clock.now() + back, 60.0);
    let running = Days::daemon(&bench, &hungry(""), earlier).await;
    let (reason, text) = held_back(&running).await;
    assert_eq!(reason, SkipReason::Budget);
    assert!(text.contains("used up"), "{text}");
    let view = running.view().borrow().clone().unwrap();
    assert_eq!(view.budget.spent_today, Usd(450_000));
    running.stop().await;
    assert_eq!(creates(&bench), ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_clock_was_set_back_the_job_in_flight_is_followed() {
    let clock = Clock::starting_at(origin(), 60.0);
    let bench = world(&clock).await;
    bench.simulator.account(|account| account.video = Lifecycle::stuck_in_queue());
    let running = Days::daemon(&bench, &hungry(""), clock.clone()).await;
    let polls = || {
        let received = bench.simulator.log();
        let is_poll = |path: &str| path.starts_with("/v3/videos/v_");
        received.iter().filter(|one| one.method == "GET" && is_poll(&one.path)).count()
    };
    wait_until("the job is polled", || polls() > 0).await;
    running.stop().await;
    let before = polls();
    let back = SignedDuration::from_hours(-24 * 30);
    bench.simulator.account(|account| account.date_ahead = back);
    let earlier = Clock::starting_at(clock.now() + back, 60.0);
    let running = Days::daemon(&bench, &hungry(""), earlier).await;
    wait_until("the job is polled again", || polls() > before).await;
    running.stop().await;
    assert_eq!(creates(&bench), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_ahead_and_is_believed_has_a_new_day_and_no_more() {
    let clock = Clock::starting_at(origin(), 60.0);
    let bench = world(&clock).await;
    spend_all(&bench, &clock).await;
    let ahead = SignedDuration::from_hours(24 * 30);
    bench.simulator.account(|account| account.date_ahead = ahead);
    let later = Clock::starting_at(clock.now() + ahead, 60.0);
    let running = Days::daemon(&bench, &hungry(""), later).await;
    assert_eq!(held_back(&running).await.0, SkipReason::Budget);
    running.stop().await;
    assert_eq!(creates(&bench), 2 * ALLOWED, "both calendars agree that it is another day");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_daemons_on_one_directory_the_second_does_not_start() {
    let bench = world(&Clock::system()).await;
    let wanted = hungry("");
    let first = bench.run(&wanted).await;
    wait_until("the first one spends", || creates(&bench) == 1).await;
    assert_eq!(bench.refuses(&wanted).await, Some(75));
    assert!(creates(&bench) <= ALLOWED);
    let signed: std::collections::BTreeSet<String> = bench
        .simulator
        .creates_by_title()
        .into_keys()
        .map(|title| title.rsplit_once('-').unwrap().0.to_owned())
        .collect();
    assert_eq!(signed.len(), 1, "{signed:?}");
    assert_eq!(first.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_daemons_of_one_account_only_the_one_with_canaries_spends() {
    let clock = Clock::starting_at(origin(), 60.0);
    let bench = world(&clock).await;
    let other = tempfile::tempdir().unwrap();
    let silent = other.path().join("config.toml");
    std::fs::write(&silent, bench.configuration(&hungry("canaries = false\n"))).unwrap();
    let second = Days::daemon_of(silent, Bench::surroundings(Key::Right), clock.clone()).await;
    let first = Days::daemon(&bench, &hungry(""), clock.clone()).await;
    held_back(&first).await;
    clock.sleep(Duration::from_mins(5)).await;
    let intents = |running: &Running| {
        let store = running.store().clone();
        async move { store.intents(Timestamp::UNIX_EPOCH, 100).await.unwrap().len() }
    };
    assert_eq!((intents(&first).await, intents(&second).await), (ALLOWED, 0));
    assert_eq!(creates(&bench), ALLOWED);
    first.stop().await;
    second.stop().await;
}

/// The monitor's errands against a core that forgets everything between any two of them.
struct Forgetful {
    settings: Settings,
    errands: Errands,
    /// Uptimes at which something was sent.
    sent: Vec<Duration>,
}

impl Forgetful {
    /// One life of the core: prepare, and send if that is allowed. The wall clock may say anything.
    fn live(&mut self, uptime: Duration, now: Timestamp) {
        let mut memory = Memory::recall(&self.settings, Recollection::default(), now);
        let begun = evaluate(&mut memory, &self.settings, Input::Tick, now);
        self.errands.set(&begun.errands);
        loop {
            let due = self.errands.take_due(now, uptime);
            if due.is_empty() {
                break;
            }
            for errand in due {
                self.attend(&mut memory, &errand, uptime, now);
            }
        }
    }

    fn attend(&mut self, memory: &mut Memory, errand: &Errand, uptime: Duration, now: Timestamp) {
        if matches!(errand.task, Task::Submit(_)) {
            self.sent.push(uptime);
        }
        let mut report = report(errand, now);
        self.errands.finished(errand, &mut report, self.settings.budget.per_day, uptime);
        let decided = evaluate(memory, &self.settings, Input::Reported(Box::new(report)), now);
        self.errands.release(&decided.intents);
        self.errands.set(&decided.errands);
    }
}

fn report(errand: &Errand, now: Timestamp) -> Report {
    let pool = Pool { name: PoolName::Wallet, unit: Unit::Usd, remaining: 100.0 };
    let account = AccountReading {
        at: now,
        pools: vec![pool],
        plan: heygen_monitor::model::Plan::default(),
        auto_reload: Some(false),
        key_expires_at: None,
        clock_skew: Some(SignedDuration::ZERO),
    };
    Report {
        probe: errand.probe.clone(),
        intent: errand.task.intent().map(|intent| intent.id),
        begun_at: now,
        ended_at: now,
        finding: match &errand.task {
            Task::Prepare => Finding::Prepared { account: Box::new(account), headroom: Usd::ZERO },
            Task::Sweep { .. } => Finding::Swept { deleted: 0 },
            _ => Finding::Ambiguous,
        },
        observation: None,
    }
}

#[tokio::test]
async fn the_limiter_alone_holds_the_days_cap() {
    let bench = world(&Clock::system()).await;
    let path = bench.write_configuration(&hungry(""));
    let surroundings = Bench::surroundings(Key::Right);
    let config = heygen_monitor::config::load(Some(&path), &surroundings, origin()).unwrap();
    let errands = Errands::default();
    let mut core = Forgetful { settings: config.settings, errands, sent: Vec::new() };
    let day = Duration::from_hours(24);
    for turn in 0..432_u32 {
        let uptime = Duration::from_mins(10) * turn;
        // The wall clock jumps back and forth by up to thirty days.
        let off = SignedDuration::from_hours(24 * ((i64::from(turn) * 7) % 61 - 30));
        core.live(uptime, origin() + off);
        let lately = core.sent.iter().filter(|at| uptime.saturating_sub(**at) < day).count();
        assert!(lately <= ALLOWED, "turn {turn}: {lately} within 24 h of uptime");
    }
    println!("432 forgetful turns of 10 min: {} sent", core.sent.len());
    assert_eq!(core.sent.len(), 3 * ALLOWED, "three days of uptime");
}
