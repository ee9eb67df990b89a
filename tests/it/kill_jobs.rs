//! A paid test, and `kill -9` at every fault point of it: the daemon is a process of its own, in
//! fast time so that the last look for a lost create (10 min) comes within seconds. Some of the
//! points again with the real binary in real time.
//!
//! The table is printed with `--nocapture`.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use heygen_monitor::clock::Clock;
use heygen_monitor::fault::POINTS;
use heygen_monitor::model::{Intent, IntentState, Outcome, Timestamp};
use heygen_monitor::simulator::{Effect, Lifecycle, Rule, Service};
use heygen_monitor::store::JobFilter;
use tokio::process::{Child, Command};

use crate::support::bench::{Bench, Channels, KILL_AT, Key, Wanted};
use crate::support::days::Days;

/// What the child runs on; its absence makes [`child`] an empty test.
const CONFIGURATION: &str = "HEYGEN_MONITOR_TEST_CONFIGURATION";
/// `WALL SIMULATED`: a moment by both clocks.
const MOMENT: &str = "HEYGEN_MONITOR_TEST_MOMENT";
/// Simulated seconds in a real one.
const FACTOR: f64 = 60.0;
/// Worlds at the same time.
const AT_ONCE: usize = 4;
/// What an unfinished job may wait for its first poll after a start (facts I15).
const FOUND_AGAIN: Duration = Duration::from_secs(10);
/// Real time that one life may take on a slow machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A kill, and what has to come of it.
struct Case {
    kill_at: &'static str,
    /// Whether the answer to the create is lost on its way.
    answer: Answer,
    /// Requests that may leave for the one intent.
    posts: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Comes,
    IsLost,
}

fn cases() -> Vec<Case> {
    let case = |answer, posts| move |kill_at| Case { kill_at, answer, posts };
    // Nothing was intended when it was killed: the next life sends.
    let unborn =
        ["sweep.before", "sweep.after", "prepare.before", "prepare.after", "intents.before"];
    // Intended, and killed before the request left: never sent, by no life.
    let unsent = ["intents.after", "submit.before"];
    let sent = [
        "submit.after",
        "intents.before:2",
        "intents.after:2",
        "poll.before",
        "poll.after",
        "poll.before:4",
        "poll.after:4",
        "check.before",
        "check.after",
        "intents.before:3",
        "intents.after:3",
        "delete.before",
        "delete.after",
        "intents.before:4",
        "intents.after:4",
    ];
    let lost = [
        "intents.before:2",
        "intents.after:2",
        "find.before",
        "find.after",
        "intents.before:3",
        "intents.after:3",
    ];
    let mut cases: Vec<Case> = unborn.map(case(Answer::Comes, 1)).into();
    cases.extend(unsent.map(case(Answer::Comes, 0)));
    cases.extend(sent.map(case(Answer::Comes, 1)));
    cases.extend(lost.map(case(Answer::IsLost, 1)));
    cases
}

/// What came of a case.
struct Line {
    case: Case,
    /// Where the intent stood on disk when the next life began.
    left: Option<IntentState>,
    posts: usize,
    intents: Vec<Intent>,
    orphans: usize,
    forgotten: usize,
    /// From the start of the next life to its first request for the job that was left; real time.
    found_again: Option<Duration>,
    /// The job's time of creation as it is stored at the end.
    job_created_at: Option<Timestamp>,
}

#[test]
fn every_fault_point_is_killed_at() {
    let cases = cases();
    let jobs = cases.iter().map(|case| case.kill_at.split(':').next().unwrap());
    let named: Vec<&str> = jobs.chain(crate::outage::POINTS_OF_MESSAGES).collect();
    let missing: Vec<_> = POINTS.iter().filter(|point| !named.contains(point)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Not a test by itself: a daemon in fast time, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(path) = std::env::var_os(CONFIGURATION) else {
        return;
    };
    let moment = std::env::var(MOMENT).unwrap();
    let (wall, simulated) = moment.split_once(' ').unwrap();
    let (wall, simulated): (Timestamp, Timestamp) =
        (wall.parse().unwrap(), simulated.parse().unwrap());
    let gone = Duration::try_from(Clock::system().now().duration_since(wall)).unwrap_or_default();
    let now = simulated.saturating_add(gone.mul_f64(FACTOR)).unwrap();
    let clock = Clock::starting_at(now, FACTOR);
    let _running =
        Days::daemon_of(PathBuf::from(path), Bench::surroundings(Key::Right), clock).await;
    std::future::pending::<()>().await;
}

fn start(configuration: &PathBuf, simulated: &Clock, kill_at: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill_jobs::child", "--test-threads=1"]);
    command.env(CONFIGURATION, configuration);
    command.env(MOMENT, format!("{} {}", Clock::system().now(), simulated.now()));
    if let Some(kill_at) = kill_at {
        command.env(KILL_AT, kill_at);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_pays_twice_leaves_an_orphan_or_forgets_a_job() {
    let begun = tokio::time::Instant::now();
    let lines: Vec<Line> =
        stream::iter(cases()).map(followed).buffered(AT_ONCE).collect::<Vec<_>>().await;
    println!(
        "fault point          answer   left on disk  POSTs  outcome          orphans  forgotten  polled again"
    );
    for line in &lines {
        println!("{}", row(line));
    }
    let posts: usize = lines.iter().map(|line| line.posts).sum();
    let most = lines.iter().map(|line| line.posts).max().unwrap();
    let slowest = lines.iter().filter_map(|line| line.found_again).max().unwrap();
    println!(
        "{} kills, {posts} POSTs, at most {most} per intent; slowest first poll {slowest:.1?}; {:.0?}",
        lines.len(),
        begun.elapsed()
    );
    for line in &lines {
        is_as_it_should_be(line);
    }
}

fn row(line: &Line) -> String {
    let word = |state: Option<IntentState>| state.map_or("nothing", IntentState::as_str);
    let last = line.intents.last();
    let outcome = last.and_then(|intent| intent.outcome).map_or("-", Outcome::as_str);
    let again = line.found_again.map_or_else(|| "-".to_owned(), |took| format!("{took:.1?}"));
    format!(
        "{:<20} {:<8} {:<13} {:>5}  {:<8} {:<7} {:>7}  {:>9}  {again:>12}",
        line.case.kill_at,
        if line.case.answer == Answer::Comes { "comes" } else { "is lost" },
        word(line.left),
        line.posts,
        word(last.map(|intent| intent.state)),
        outcome,
        line.orphans,
        line.forgotten,
    )
}

fn is_as_it_should_be(line: &Line) {
    let said = row(line);
    assert_eq!(line.posts, line.case.posts, "{said}");
    let [intent] = line.intents.as_slice() else {
        panic!("one intent, not {}: {said}", line.intents.len());
    };
    match line.posts {
        0 => assert_eq!(intent.state, IntentState::Absent, "{said}"),
        _ => assert_eq!((intent.state, intent.outcome), (IntentState::Closed, Some(Outcome::Ok))),
    }
    assert_eq!((line.orphans, line.forgotten), (0, 0), "{said}");
    if matches!(line.left, Some(IntentState::Accepted | IntentState::Judged)) {
        let took = line.found_again.unwrap_or_else(|| panic!("never asked for again: {said}"));
        assert!(took <= FOUND_AGAIN, "{said}");
    }
    if line.posts > 0 {
        assert_eq!(line.job_created_at, Some(intent.created_at), "its age goes on: {said}");
    }
}

fn rendering(more: &str) -> Wanted {
    let probe = "[[probe]]\nname = \"render\"\n\
                 check.render = { avatars = [\"look_anna_office\"], voice = \"voice_anna\" }\n";
    Wanted {
        every: "10m",
        channels: Channels::None,
        extra: format!("{more}{probe}"),
        ..Wanted::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_binary_goes_on_in_real_time() {
    // After `submit.after` the job is found by the first look, 30 s after the intent.
    let points = ["submit.after", "poll.after:2", "check.after", "delete.after"];
    futures_util::future::join_all(points.map(in_real_time)).await;
}

async fn in_real_time(kill_at: &str) {
    let bench = Bench::start(Clock::system()).await;
    let second = Duration::from_secs(1);
    bench.simulator.account(|account| account.video = Lifecycle::completing(second, second));
    let wanted = rendering("[jobs.render]\npoll_min = \"0.1s\"\n");
    let status = bench.run_until(&wanted, kill_at).ends().await;
    assert_eq!(status.signal(), Some(9), "{kill_at}");
    let run = bench.run(&wanted).await;
    let intents = tokio::time::timeout(PATIENCE, over(&bench)).await;
    let intents = intents.unwrap_or_else(|_| panic!("{kill_at}: it is never over"));
    let ends: Vec<_> = intents.iter().map(|intent| (intent.state, intent.outcome)).collect();
    assert_eq!(ends, [(IntentState::Closed, Some(Outcome::Ok))], "{kill_at}");
    let posts = bench.simulator.creates_by_title();
    assert_eq!(posts.values().copied().collect::<Vec<_>>(), [1], "{kill_at}: {posts:?}");
    assert!(bench.simulator.account(|account| account.jobs().is_empty()), "{kill_at}: an orphan");
    assert_eq!(run.stop().await, Some(0));
}

/// Waits until every intent is over.
async fn over(bench: &Bench) -> Vec<Intent> {
    loop {
        let intents = intents(bench).await;
        if !intents.is_empty() && intents.iter().all(|intent| !intent.state.is_open()) {
            return intents;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Runs a case to the end of its intent.
async fn followed(case: Case) -> Line {
    let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let clock = Clock::starting_at(origin, FACTOR);
    let bench = Bench::start(clock.clone()).await;
    if case.answer == Answer::IsLost {
        let lost = Rule::on(Service::Api, "/v3/videos", Effect::Reset.after_serving());
        bench.simulator.plan(|plan| plan.add(lost.method("POST").body("script").first(1)));
    }
    let configuration = bench.write_configuration(&rendering(""));
    let mut killed = start(&configuration, &clock, Some(case.kill_at));
    let status = tokio::time::timeout(PATIENCE, killed.wait()).await;
    let status = status.unwrap_or_else(|_| panic!("{} is never passed", case.kill_at)).unwrap();
    assert_eq!(status.signal(), Some(9), "{}", case.kill_at);
    let left = intents(&bench).await.pop();
    let (restarted_at, seen) = (clock.now(), bench.simulator.log().len());
    let mut next = start(&configuration, &clock, None);
    let Ok(intents) = tokio::time::timeout(PATIENCE, over(&bench)).await else {
        panic!("{}: {:?}", case.kill_at, intents(&bench).await);
    };
    next.kill().await.unwrap();
    let asked_again = left.as_ref().and_then(|intent| intent.job_id.clone()).and_then(|job| {
        let since = bench.simulator.log().into_iter().skip(seen);
        let path = format!("/v3/videos/{job}");
        since.filter(|one| one.path == path).map(|one| one.at).next()
    });
    let found_again = asked_again.map(|at| {
        Duration::try_from(at.duration_since(restarted_at)).unwrap_or_default().div_f64(FACTOR)
    });
    let filter = JobFilter { live_only: false, kind: None, origin: None, before: None, limit: 9 };
    let jobs = bench.history().jobs(filter).await.unwrap();
    let is_closed = |title: &String| {
        let mut own = intents.iter().filter(|intent| intent.nonce == *title);
        own.any(|intent| intent.state == IntentState::Closed)
    };
    let accepted = bench.simulator.account(|account| account.accepted_by_title());
    Line {
        left: left.map(|intent| intent.state),
        posts: bench.simulator.creates_by_title().values().sum(),
        orphans: bench.simulator.account(|account| account.jobs().len()),
        forgotten: accepted.keys().filter(|title| !is_closed(title)).count(),
        found_again,
        job_created_at: jobs.first().map(|job| job.created_at),
        intents,
        case,
    }
}

/// What is on disk, oldest first; nothing where there is no history yet.
async fn intents(bench: &Bench) -> Vec<Intent> {
    let stored = bench.history().intents(Timestamp::UNIX_EPOCH, 9).await;
    let mut intents = stored.unwrap_or_default();
    intents.reverse();
    intents
}
