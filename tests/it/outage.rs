//! An outage reaches people: through a real SMTP conversation and a real webhook, in time, and
//! wherever on its way the process is killed (at random moments: `kills`).

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use heygen_monitor::clock::Clock;
use heygen_monitor::simulator::{API_KEY, Effect, JobKind, Lifecycle, Rule, Service};
use tokio::time::Instant;

use crate::real_time::{leave_videos_waiting, listed, watching_videos};
use crate::support::bench::{Bench, Channels, Foreground, Key, Wanted, make_private};
use crate::support::wait_until;

/// Probes are due this often here.
const EVERY: Duration = Duration::from_millis(500);
/// Suspects are asked again this often here.
const RECHECK: Duration = Duration::from_millis(200);
/// Bad observations in a row that confirm an outage without a second probe's word.
const FAILURES: u32 = 5;
/// What a confirmed outage may take to arrive (the issue's own figure).
const DELIVERY: Duration = Duration::from_secs(2);

fn wanted() -> Wanted {
    Wanted { every: "0.5s", recheck: "0.2s", ..Wanted::default() }
}

async fn healthy(bench: &Bench) -> Foreground {
    let run = bench.run(&wanted()).await;
    let asked = || bench.simulator.received(Service::Api).len();
    wait_until("the API is asked", || asked() > 2).await;
    run
}

fn break_the_api(bench: &Bench) {
    let rule = Rule::on(Service::Api, "/v3", Effect::unavailable());
    bench.simulator.plan(|plan| plan.add(rule));
}

fn mend_the_api(bench: &Bench) {
    bench.simulator.plan(|plan| *plan = heygen_monitor::simulator::Plan::default());
}

fn told(bench: &Bench, word: &str) -> (usize, usize) {
    let slack = bench.slack().iter().filter(|(_, text)| text.contains(word)).count();
    let mail = bench.mails().iter().filter(|mail| mail.text.starts_with(word)).count();
    (slack, mail)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_within_its_confirmation_and_two_seconds() {
    let bench = Bench::start(Clock::system()).await;
    let run = healthy(&bench).await;
    break_the_api(&bench);
    let begun = Instant::now();
    wait_until("mail and Slack are told", || {
        let (slack, mail) = told(&bench, "Down");
        slack > 0 && mail > 0
    })
    .await;
    let confirmation = EVERY + RECHECK * FAILURES;
    let took = begun.elapsed();
    assert!(took < confirmation + DELIVERY, "{took:?}, confirmed within {confirmation:?}");
    assert_eq!(told(&bench, "Down"), (1, 1));
    assert_eq!(run.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_replaced_in_its_file_is_taken_over_before_anybody_is_told() {
    let bench = Bench::start(Clock::system()).await;
    let wanted = Wanted { key: Key::InFile, recheck: "2s", ..Wanted::default() };
    let file = bench.write_configuration(&wanted).with_file_name("heygen_api_key");
    std::fs::write(&file, "sk_replaced_0123456789").unwrap();
    make_private(&file);
    // Until the file holds the new key, nothing tells that the old one is refused.
    break_the_api(&bench);
    let run = bench.run(&wanted).await;
    std::fs::write(&file, API_KEY).unwrap();
    mend_the_api(&bench);
    wait_until("the new key is used", || {
        let received = bench.simulator.received(Service::Api);
        let is_new = |key: Option<&String>| key.is_some_and(|key| key == API_KEY);
        received.iter().any(|one| one.status == Some(200) && is_new(one.headers.get("x-api-key")))
    })
    .await;
    assert_eq!(run.stop().await, Some(0));
    assert!(bench.slack().iter().all(|(_, text)| !text.contains("key")), "{:?}", bench.slack());
}

/// Fault points on the way of a message.
pub(crate) const POINTS_OF_MESSAGES: [&str; 8] = [
    "owed.before",
    "owed.after",
    "claim.before",
    "claim.after",
    "send.before",
    "send.after",
    "finish.before",
    "finish.after",
];
/// Between these a message was accepted and is not marked.
const UNMARKED: [&str; 2] = ["send.after", "finish.before"];
/// What a message may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Worlds at the same time.
const AT_ONCE: usize = 4;

/// What goes wrong at HeyGen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Golden scenario 2.
    ApiDown,
    /// Golden scenario 11.
    VideosStuck,
}

impl Trouble {
    fn wanted(self) -> Wanted {
        let base = match self {
            Self::ApiDown => wanted(),
            Self::VideosStuck => watching_videos(),
        };
        Wanted { channels: Channels::Email, ..base }
    }

    async fn is_watched(self, bench: &Bench) {
        match self {
            Self::ApiDown => {
                let asked = || bench.simulator.received(Service::Api).len();
                wait_until("the API is asked", || asked() > 2).await;
            }
            Self::VideosStuck => listed(bench).await,
        }
    }

    fn begins(self, bench: &Bench) {
        match self {
            Self::ApiDown => break_the_api(bench),
            Self::VideosStuck => drop(leave_videos_waiting(bench)),
        }
    }

    fn ends(self, bench: &Bench) {
        match self {
            Self::ApiDown => mend_the_api(bench),
            Self::VideosStuck => finish_the_videos(bench),
        }
    }
}

/// What waited is done, and later ones leave in time: as many as had to wait, and more.
fn finish_the_videos(bench: &Bench) {
    let now = bench.simulator.clock().now();
    let soon = Duration::from_millis(300);
    bench.simulator.account(|account| {
        let waiting: Vec<String> = account.jobs().iter().map(|job| job.id.clone()).collect();
        for id in waiting {
            account.change(&id, |job| {
                let age = Duration::try_from(now.duration_since(job.created_at));
                job.lifecycle = Lifecycle::completing(age.unwrap_or_default(), Duration::ZERO);
            });
        }
        for _ in 0..5 {
            account.seed(JobKind::Video, "spot", now, Lifecycle::completing(Duration::ZERO, soon));
        }
    });
}

/// What came of a kill.
struct Told {
    trouble: Trouble,
    kill_at: String,
    /// Copies of each message, by its `Message-ID`.
    copies: BTreeMap<String, usize>,
    /// Messages that were ever owed, and those of them that still are.
    owed: (usize, usize),
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_26_no_kill_on_the_way_of_a_message_loses_or_needlessly_repeats_it() {
    let begun = Instant::now();
    let troubles = [Trouble::ApiDown, Trouble::VideosStuck];
    // The first message tells of the trouble, the second of its end (or that it grew worse).
    let cases = troubles.into_iter().flat_map(|trouble| {
        let points = POINTS_OF_MESSAGES.into_iter();
        points.flat_map(move |point| [1, 2].map(|nth| (trouble, format!("{point}:{nth}"))))
    });
    let kills =
        stream::iter(cases).map(|(trouble, kill_at)| killed_while_telling(trouble, kill_at));
    let all: Vec<Told> = kills.buffered(AT_ONCE).collect().await;
    println!("trouble      killed at        messages  lost  copies too many");
    for told in &all {
        println!(
            "{:<12} {:<16} {:>8}  {:>4}  {:>15}",
            format!("{:?}", told.trouble),
            told.kill_at,
            told.copies.len(),
            told.owed.0 - told.copies.len(),
            told.duplicates()
        );
    }
    println!("{} kills; {:.0?}", all.len(), begun.elapsed());
    for told in &all {
        let said =
            format!("{:?} {}: {:?} of {:?}", told.trouble, told.kill_at, told.copies, told.owed);
        assert_eq!(told.owed, (told.copies.len(), 0), "every message arrived: {said}");
        assert!(told.copies.len() >= 2, "the beginning and the end: {said}");
        let is_unmarked = UNMARKED.iter().any(|point| told.kill_at.starts_with(point));
        assert_eq!(told.duplicates(), usize::from(is_unmarked), "{said}");
    }
}

impl Told {
    fn duplicates(&self) -> usize {
        self.copies.values().map(|count| count - 1).sum()
    }
}

async fn killed_while_telling(trouble: Trouble, kill_at: String) -> Told {
    let bench = Bench::start(Clock::system()).await;
    let wanted = trouble.wanted();
    let doomed = bench.run_until(&wanted, &kill_at);
    trouble.is_watched(&bench).await;
    trouble.begins(&bench);
    let mut dying = Box::pin(doomed.ends());
    // The first message kills; else its successor will, once the trouble is over.
    let first = async {
        wait_until(&format!("{kill_at} tells"), || told(&bench, "Down").1 > 0).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let status = tokio::select! {
        status = &mut dying => status,
        () = first => {
            trouble.ends(&bench);
            dying.await
        }
    };
    assert_eq!(status.signal(), Some(9), "{kill_at}");
    let run = bench.run(&wanted).await;
    is_told(&bench, trouble, &kill_at, "Down").await;
    trouble.ends(&bench);
    is_told(&bench, trouble, &kill_at, "Resolved").await;
    assert_eq!(run.stop().await, Some(0));
    let mut copies = BTreeMap::new();
    for mail in bench.mails() {
        *copies.entry(mail.id).or_default() += 1;
    }
    let history = bench.history();
    let mut owed = 0;
    while history.delivery(owed + 1).await.unwrap().is_some() {
        owed += 1;
    }
    let pending: u64 = history.outbox().await.unwrap().iter().map(|line| line.pending).sum();
    let owed = (usize::try_from(owed).unwrap(), usize::try_from(pending).unwrap());
    Told { trouble, kill_at, copies, owed }
}

async fn is_told(bench: &Bench, trouble: Trouble, kill_at: &str, word: &str) {
    let telling = async {
        while told(bench, word).1 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let is_told = tokio::time::timeout(PATIENCE, telling).await.is_ok();
    assert!(is_told, "{trouble:?}, killed at {kill_at}: no `{word}` in {:#?}", bench.mails());
}
