//! `kill -9` at random moments of open, update and resolve: nothing lost, nothing out of order,
//! nothing twice but under the same `Message-ID`.
//!
//! `HEYGEN_MONITOR_KILLS=10000 cargo test --release --test it kills -- --nocapture` prints the
//! figures of ten thousand; `HEYGEN_MONITOR_SEED=7` takes other moments. Without the first variable
//! it is two hundred. Owns nothing but the story: the mail server, Slack and HeyGen are the
//! simulator's, the product is the real binary, the truth is what they received and its database.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use heygen_monitor::clock::Clock;
use heygen_monitor::model::{Delivery, DeliveryState, Timestamp};
use heygen_monitor::simulator::{
    ComponentState, Effect, IncidentStatus, Notice, Plan, Rule, Service,
};
use heygen_monitor::store::Store;
use tokio::time::Instant;

use crate::support::bench::{Bench, Foreground, Wanted};
use crate::support::random::Random;

/// Worlds at once: mostly they wait.
const AT_ONCE: usize = 8;
/// Kills in one story; more stories rather than longer ones, for a fourth change within the hour
/// would be told as flapping.
const KILLS_OF_A_STORY: usize = 8;
/// What is told of one outage, in this order.
const STORY: [&str; 3] = ["opened", "acknowledged_officially", "resolved"];
/// A message that has not come by then counts as lost.
const PATIENCE: Duration = Duration::from_mins(1);
/// The row of the page that the simulated outage concerns.
const API_ROW: &str = "https://api.heygen.com";

/// How much is killed.
#[derive(Debug, Clone, Copy)]
struct Size {
    kills: usize,
    seed: u64,
}

impl Size {
    fn of_this_run() -> Self {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
        Self {
            kills: usize::try_from(number("HEYGEN_MONITOR_KILLS").unwrap_or(200)).unwrap(),
            seed: u64::from(number("HEYGEN_MONITOR_SEED").unwrap_or(2026)),
        }
    }

    /// The seed and the number of kills of each story.
    fn stories(self) -> Vec<(u64, usize)> {
        let mut left = self.kills;
        let mut seeds = Random(self.seed);
        let mut stories = Vec::new();
        while left > 0 {
            let kills = left.min(KILLS_OF_A_STORY);
            stories.push((seeds.next(), kills));
            left -= kills;
        }
        stories
    }
}

/// What came of some stories.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    stories: usize,
    /// Messages that arrived, the repeated ones not counted.
    messages: usize,
    mails_again: usize,
    slack_again: usize,
    lost: Vec<String>,
    disordered: Vec<String>,
    /// Another message, under another name, than the three.
    needless: Vec<String>,
}

impl Figures {
    fn add(mut self, other: Self) -> Self {
        self.kills += other.kills;
        self.stories += other.stories;
        self.messages += other.messages;
        self.mails_again += other.mails_again;
        self.slack_again += other.slack_again;
        self.lost.extend(other.lost);
        self.disordered.extend(other.disordered);
        self.needless.extend(other.needless);
        self
    }
}

/// One outage, its admission and its end, on a world of its own.
struct Story {
    bench: Bench,
    seed: u64,
    random: Random,
    /// The daemon; none between a kill and the next start.
    run: Option<Foreground>,
    figures: Figures,
}

fn wanted() -> Wanted {
    Wanted { every: "0.3s", recheck: "0.1s", ..Wanted::default() }
}

/// Waits until something is so, and answers whether it ever was.
async fn comes(within: Duration, is_so: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > within {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    true
}

impl Story {
    async fn play(seed: u64, kills: usize) -> Figures {
        let bench = Bench::start(Clock::system()).await;
        let run = bench.run(&wanted()).await;
        let figures = Figures { stories: 1, ..Figures::default() };
        let mut story = Self { bench, seed, random: Random(seed), run: Some(run), figures };
        story.asked_again(Service::Api).await;
        let acts: Vec<usize> = (0..kills).map(|_| story.pick(STORY.len())).collect();
        for (act, event) in STORY.iter().enumerate() {
            story.change(event).await;
            for _ in acts.iter().filter(|one| **one == act) {
                story.kill().await;
            }
            let is_told = comes(PATIENCE, || story.is_told(event)).await;
            if !is_told {
                story.complain(|figures| &mut figures.lost, &format!("{event} never came"));
                return story.figures;
            }
        }
        story.end().await
    }

    /// In `0..bound`.
    fn pick(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(i64::try_from(bound).unwrap())).unwrap()
    }

    fn millis(&mut self, bound: usize) -> Duration {
        Duration::from_micros(u64::try_from(self.pick(bound * 1_000)).unwrap())
    }

    fn complain(&mut self, kind: impl FnOnce(&mut Figures) -> &mut Vec<String>, what: &str) {
        kind(&mut self.figures).push(format!("seed {}: {what}", self.seed));
    }

    /// The running daemon has asked this service twice more.
    async fn asked_again(&mut self, service: Service) {
        let count = || self.bench.simulator.received(service).len();
        let before = count();
        assert!(comes(PATIENCE, || count() >= before + 3).await, "{service:?} is not asked");
    }

    /// What HeyGen does so that `event` is to be told.
    async fn change(&mut self, event: &str) {
        let simulator = &self.bench.simulator;
        let now = simulator.clock().now();
        match event {
            "opened" => {
                let rule = Rule::on(Service::Api, "/v3", Effect::unavailable());
                simulator.plan(|plan| plan.add(rule));
            }
            "acknowledged_officially" => simulator.page(|page| {
                let notice = Notice::new(now, IncidentStatus::Investigating, "We look into it.");
                page.turn(API_ROW, ComponentState::FullOutage, now);
                page.open_incident("API errors", "major", API_ROW, notice);
            }),
            _ => {
                simulator.page(|page| {
                    let notice = Notice::new(now, IncidentStatus::Resolved, "It works again.");
                    page.turn(API_ROW, ComponentState::Operational, now);
                    page.incidents[0].updates.push(notice);
                });
                // Else the page's last word would outlive the outage, as it does in life.
                self.asked_again(Service::StatusPage).await;
                self.bench.simulator.plan(|plan| *plan = Plan::default());
            }
        }
    }

    /// Kills at a moment of chance: some time after the start, or within the next mail's dialogue.
    async fn kill(&mut self) {
        if self.pick(2) == 0 {
            let pause = self.millis(1_200);
            tokio::time::sleep(pause).await;
        } else {
            let commands = || self.bench.mail.commands().len();
            let (before, more) = (commands(), 1 + self.pick(6));
            let commands = || self.bench.mail.commands().len();
            comes(Duration::from_millis(1_500), || commands() >= before + more).await;
            let pause = self.millis(15);
            tokio::time::sleep(pause).await;
        }
        if let Some(run) = self.run.take() {
            run.kill().await;
        }
        self.run = Some(self.bench.launch(&wanted()));
        self.figures.kills += 1;
    }

    fn is_told(&self, event: &str) -> bool {
        let mail = self.bench.mails().iter().any(|mail| mail.event == event);
        mail && self.slack().iter().any(|told| STORY[*told] == event)
    }

    /// Which of the three each text that Slack took is, oldest first.
    fn slack(&self) -> Vec<usize> {
        let place = |(_, text): (_, String)| {
            let first = text.lines().next().unwrap_or_default().to_owned();
            match first {
                line if line.contains("Resolved") => 2,
                line if line.contains("page admits it") => 1,
                _ => 0,
            }
        };
        self.bench.slack().into_iter().map(place).collect()
    }

    /// Stops the daemon once it has nothing more to say, and compares what arrived with what it
    /// believes.
    async fn end(mut self) -> Figures {
        let store = self.bench.history();
        let begun = Instant::now();
        let mut rows = rows(&store).await;
        while rows.iter().any(Row::is_open) && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
            rows = self::rows(&store).await;
        }
        for row in rows.iter().filter(|row| !row.is_settled()) {
            self.complain(|figures| &mut figures.lost, &format!("left behind: {row:?}"));
        }
        self.judge_mail(&rows);
        self.judge_slack(&rows);
        let Self { run, figures, seed, .. } = self;
        let mut run = run.expect("the daemon runs after the last kill");
        run.says("listening on http://").await;
        assert_eq!(run.stop().await, Some(0), "seed {seed}");
        figures
    }

    fn judge_mail(&mut self, rows: &[Row]) {
        let mails = self.bench.mails();
        let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.id.as_str()).collect();
        let events: Vec<&str> = mails.iter().map(|mail| mail.event.as_str()).collect();
        self.judge("mail", rows, &events);
        if ids.len() != STORY.len() {
            let what = format!("{} mails of different names: {ids:?}", ids.len());
            self.complain(|figures| &mut figures.needless, &what);
        }
        self.figures.messages += ids.len();
        self.figures.mails_again += mails.len() - ids.len();
    }

    fn judge_slack(&mut self, rows: &[Row]) {
        let events: Vec<&str> = self.slack().into_iter().map(|told| STORY[told]).collect();
        self.judge("slack", rows, &events);
        let different = events.iter().collect::<BTreeSet<_>>().len();
        self.figures.messages += different;
        self.figures.slack_again += events.len() - different;
    }

    /// What a channel received, repetitions included, against what was owed to it.
    fn judge(&mut self, channel: &str, rows: &[Row], events: &[&str]) {
        let owed = rows.iter().filter(|row| row.channel == channel);
        let owed: Vec<&str> = owed.map(|row| row.event.as_str()).collect();
        if owed != STORY {
            let what = format!("{channel} was owed {owed:?}");
            self.complain(|figures| &mut figures.needless, &what);
        }
        let place = |event: &str| STORY.iter().position(|one| *one == event);
        if !events.is_sorted_by_key(|event| place(event)) {
            let what = format!("{channel} received {events:?}");
            self.complain(|figures| &mut figures.disordered, &what);
        }
        if events.len() > STORY.len() + self.figures.kills {
            let what = format!("{channel} received {} messages: {events:?}", events.len());
            self.complain(|figures| &mut figures.needless, &what);
        }
    }
}

/// A row of the outbox.
#[derive(Debug)]
struct Row {
    channel: String,
    event: String,
    state: DeliveryState,
}

impl Row {
    fn is_open(&self) -> bool {
        matches!(self.state, DeliveryState::Pending | DeliveryState::Leased)
    }

    fn is_settled(&self) -> bool {
        matches!(self.state, DeliveryState::Delivered | DeliveryState::Merged)
    }
}

/// The outbox, incident by incident, oldest first.
async fn rows(store: &Store) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut incidents = store.incidents(Timestamp::UNIX_EPOCH, None, 100).await.unwrap();
    incidents.sort_by_key(|incident| incident.id);
    for incident in incidents {
        for trace in store.trace(incident.id, usize::MAX).await.unwrap() {
            let Delivery { channel, message, state, .. } = trace.delivery;
            rows.push(Row { channel, event: message.event.as_str().to_owned(), state });
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_disorder_nothing_and_repeat_no_more_than_their_number() {
    let size = Size::of_this_run();
    let begun = Instant::now();
    let stories = futures_util::stream::iter(size.stories());
    let playing = stories.map(|(seed, kills)| Story::play(seed, kills)).buffer_unordered(AT_ONCE);
    let sum = async |sum: Figures, one| sum.add(one);
    let figures = playing.fold(Figures::default(), sum).await;
    println!(
        "seed {}: {} kills in {} outages, {:.0} s: {} messages, lost {}, out of order {}, again {} \
         mails under the same Message-ID and {} Slack messages, needless {}",
        size.seed,
        figures.kills,
        figures.stories,
        begun.elapsed().as_secs_f64(),
        figures.messages,
        figures.lost.len(),
        figures.disordered.len(),
        figures.mails_again,
        figures.slack_again,
        figures.needless.len(),
    );
    assert_eq!(figures.lost, Vec::<String>::new());
    assert_eq!(figures.disordered, Vec::<String>::new());
    assert_eq!(figures.needless, Vec::<String>::new());
    assert_eq!(figures.kills, size.kills);
    assert_eq!(figures.messages, 2 * STORY.len() * figures.stories);
    assert!(figures.mails_again <= figures.kills, "{}", figures.mails_again);
    assert!(figures.slack_again <= figures.kills, "{}", figures.slack_again);
}
