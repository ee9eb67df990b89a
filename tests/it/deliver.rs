//! The deliver loop on a real database, against real servers.

mod memory;
mod outage;
mod self_test;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use heygen_monitor::clock::Clock;
use heygen_monitor::deliver::{Deliver, Notifiers, drill_results, owe_drills};
use heygen_monitor::engine::Owed;
use heygen_monitor::metrics::{Catalogue, Metrics};
use heygen_monitor::model::{
    AttemptResult, ChannelKind, Delivery, DeliveryState, EventKind, FailureReason, Timestamp,
};
use heygen_monitor::notify::sample::Speaker;
use heygen_monitor::notify::{Notifier, TargetSpec};
use heygen_monitor::simulator::smtp::{Reaction, Script, SmtpServer, Stage};
use heygen_monitor::store::{Opened, Store};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::notify::{deps, mail_target, message};
use super::store;

const SPEAKER: Speaker<'static> = Speaker { vantage: "fra-1", account: "default" };

/// A notifier that does as it is told.
#[derive(Clone)]
struct Puppet {
    result: AttemptResult,
    hangs: bool,
    forgets: bool,
    calls: Arc<AtomicU64>,
    /// What it was sent, as `seq event thread_ref merged`.
    sent: Arc<Mutex<Vec<String>>>,
    repeated: Arc<AtomicU64>,
    /// What it answers when it is asked without telling anybody.
    checked: Option<AttemptResult>,
    checks: Arc<AtomicU64>,
}

impl Puppet {
    fn answering(result: AttemptResult) -> Self {
        Self {
            result,
            hangs: false,
            forgets: false,
            calls: Arc::default(),
            sent: Arc::default(),
            repeated: Arc::default(),
            checked: None,
            checks: Arc::default(),
        }
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Notifier for Puppet {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Slack
    }

    fn send<'a>(&'a self, delivery: &'a Delivery, _now: Timestamp) -> BoxFuture<'a, AttemptResult> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let merged = delivery.merged.as_ref().map(|merged| merged.events.as_slice());
        let is_degraded = delivery.message.notes.iter().any(|note| note.contains("degraded"));
        self.sent.lock().unwrap().push(format!(
            "{} {} {} {merged:?}{}",
            delivery.message.seq,
            delivery.message.event,
            delivery.thread_ref.as_deref().unwrap_or("-"),
            if is_degraded { " storage degraded" } else { "" }
        ));
        Box::pin(async move {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            self.result.clone()
        })
    }

    fn check(&self, _now: Timestamp) -> BoxFuture<'_, Option<AttemptResult>> {
        self.checks.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(self.checked.clone()))
    }

    fn forgets(&self) -> bool {
        self.forgets
    }

    fn repeat<'a>(&'a self, standing: &'a [Delivery], _now: Timestamp) -> BoxFuture<'a, ()> {
        self.repeated.fetch_add(u64::try_from(standing.len()).unwrap(), Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }

    fn preview(&self, _delivery: &Delivery, _now: Timestamp) -> String {
        String::new()
    }
}

fn accepted() -> AttemptResult {
    AttemptResult::Accepted { provider_ref: None }
}

fn dead() -> AttemptResult {
    AttemptResult::Dead {
        reason: FailureReason::Rejected,
        detail: "Slack answered 404: no_service".to_owned(),
    }
}

fn retry(after: Duration) -> AttemptResult {
    AttemptResult::Retry {
        reason: FailureReason::RateLimited,
        detail: "Slack answered 429".to_owned(),
        after: Some(after),
    }
}

/// A running deliver loop.
struct Running {
    store: Store,
    metrics: Arc<Metrics>,
    owed: Arc<Notify>,
    turns: Arc<AtomicU64>,
    notifiers: watch::Sender<Notifiers>,
    clock: Clock,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn open(directory: &Path, clock: &Clock) -> Opened {
    Store::open(&directory.join("history.db"), clock.now()).unwrap()
}

fn start(store: Store, clock: Clock, notifiers: Notifiers) -> Running {
    let channels = notifiers.keys().cloned().collect();
    let metrics = Arc::new(Metrics::new(&Catalogue { channels, ..Catalogue::default() }));
    let (notifiers, watched) = watch::channel(notifiers);
    let owed = Arc::new(Notify::new());
    let turns = Arc::new(AtomicU64::new(0));
    let counted = turns.clone();
    let deliver = Deliver {
        store: store.clone(),
        metrics: metrics.clone(),
        clock: clock.clone(),
        owed: owed.clone(),
        notifiers: watched,
        turned: Box::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        }),
    };
    let cancel = CancellationToken::new();
    #[expect(clippy::disallowed_methods, reason = "a test is its own little daemon")]
    let task = tokio::spawn(deliver.run(cancel.clone()));
    Running { store, metrics, owed, turns, notifiers, clock, cancel, task }
}

impl Running {
    async fn owe(&self, channel: &str, event: EventKind, incident: i64, seq: u32) -> i64 {
        let mut message = message(event);
        message.at = self.clock.now();
        message.seq = seq;
        if let Some(known) = &mut message.incident {
            known.id = incident;
        }
        let owed = Owed { channel: channel.to_owned(), message };
        let id = self.store.owe(&owed, self.clock.now()).await.unwrap();
        self.owed.notify_one();
        id
    }

    async fn wait_for(&self, id: i64, state: DeliveryState) -> Delivery {
        self.wait_until(id, |delivery| delivery.state == state).await
    }

    async fn wait_until(&self, id: i64, is_so: impl Fn(&Delivery) -> bool) -> Delivery {
        let looking = async {
            loop {
                let delivery = self.store.delivery(id).await.unwrap().unwrap();
                if is_so(&delivery) {
                    return delivery;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), looking).await.unwrap()
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
        self.store.close().await;
    }
}

fn notifiers(all: &[(&str, Puppet)]) -> Notifiers {
    let boxed = |puppet: &Puppet| Arc::new(puppet.clone()) as Arc<dyn Notifier>;
    all.iter().map(|(name, puppet)| ((*name).to_owned(), boxed(puppet))).collect()
}

fn mail(port: u16, monitor_id: &str) -> Notifiers {
    let target = TargetSpec::Email(mail_target(port));
    let spec = heygen_monitor::notify::ChannelSpec { name: "mail".to_owned(), target };
    let mut deps = deps();
    monitor_id.clone_into(&mut deps.monitor_id);
    let notifier = heygen_monitor::notify::notifier(&spec, &deps);
    [("mail".to_owned(), Arc::from(notifier))].into()
}

#[tokio::test]
async fn what_is_owed_is_delivered_at_once_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let slack = Puppet::answering(accepted());
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, notifiers(&[("slack", slack.clone())]));
    let id = running.owe("slack", EventKind::Opened, 42, 1).await;
    let delivery = running.wait_for(id, DeliveryState::Delivered).await;
    assert_eq!((delivery.attempts, slack.calls()), (1, 1));
    assert!(running.turns.load(Ordering::SeqCst) > 0, "the watchdog sees it turn");
    let text = running.metrics.render();
    let line = "heygen_monitor_notifications_total{channel=\"slack\",event=\"opened\"} 1";
    assert!(text.contains(line), "{text}");
    running.stop().await;
}

#[tokio::test]
async fn a_channel_that_hangs_delays_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let hung = Puppet { hangs: true, ..Puppet::answering(accepted()) };
    let good = Puppet::answering(accepted());
    let opened = open(directory.path(), &clock);
    let running =
        start(opened.store, clock, notifiers(&[("hung", hung.clone()), ("good", good.clone())]));
    running.owe("hung", EventKind::Opened, 42, 1).await;
    running.owe("hung", EventKind::Opened, 43, 1).await;
    for incident in 42..52 {
        let id = running.owe("good", EventKind::Opened, incident, 1).await;
        running.wait_for(id, DeliveryState::Delivered).await;
    }
    assert_eq!((hung.calls(), good.calls()), (1, 10), "one at a time in each lane");
}

#[tokio::test]
async fn the_messages_of_a_thread_keep_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let server =
        SmtpServer::start(Script::once(Stage::Dot, Reaction::Reply("451 4.3.0 Later".to_owned())))
            .await
            .unwrap();
    let clock = Clock::starting_at(clock.now(), 600.0);
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, mail(server.address().port(), "m0n1"));
    running.owe("mail", EventKind::Opened, 42, 1).await;
    let admitted = running.owe("mail", EventKind::AcknowledgedOfficially, 42, 2).await;
    running.wait_for(admitted, DeliveryState::Delivered).await;
    let events: Vec<_> = server
        .mails()
        .iter()
        .map(|mail| {
            let mail = super::notify::email::parsed(mail);
            mail.header_raw("X-HeyGen-Monitor-Event").unwrap().trim().to_owned()
        })
        .collect();
    assert_eq!(events, ["opened", "acknowledged_officially"]);
    running.stop().await;
}

#[tokio::test]
async fn an_attempt_that_fails_is_repeated_when_the_channel_allows() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let slack = Puppet::answering(retry(Duration::from_secs(30)));
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, notifiers(&[("slack", slack.clone())]));
    let id = running.owe("slack", EventKind::Opened, 42, 1).await;
    let delivery = running.wait_until(id, |delivery| delivery.attempts == 1).await;
    assert_eq!(delivery.state, DeliveryState::Pending);
    let wait = delivery.next_at.duration_since(delivery.created_at).as_secs();
    assert!((30..=31).contains(&wait), "{wait}");
    assert_eq!(delivery.last_error.as_deref(), Some("Slack answered 429"));
    running.stop().await;
}

#[tokio::test]
async fn a_dead_delivery_is_told_to_the_other_channels_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let good = Puppet::answering(accepted());
    let opened = open(directory.path(), &clock);
    let running = start(
        opened.store,
        clock,
        notifiers(&[("broken", Puppet::answering(dead())), ("good", good.clone())]),
    );
    let first = running.owe("broken", EventKind::Opened, 42, 1).await;
    running.wait_for(first, DeliveryState::Dead).await;
    let second = running.owe("broken", EventKind::Resolved, 42, 2).await;
    running.wait_for(second, DeliveryState::Dead).await;
    let told = if second == first + 1 { second + 1 } else { first + 1 };
    let told = running.wait_for(told, DeliveryState::Delivered).await;
    assert_eq!(told.channel, "good");
    assert_eq!(told.message.event, EventKind::ChannelBroken);
    assert!(told.message.headline.contains("broken"), "{}", told.message.headline);
    assert_eq!(good.calls(), 1);
    assert_eq!(running.store.outbox().await.unwrap(), []);
    running.stop().await;
}

#[tokio::test]
async fn what_a_removed_channel_is_owed_is_kept_until_it_returns() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::starting_at(Clock::system().now(), 600.0);
    let good = Puppet::answering(accepted());
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, notifiers(&[("good", good.clone())]));
    let kept = running.owe("gone", EventKind::Opened, 42, 1).await;
    let other = running.owe("good", EventKind::Opened, 42, 1).await;
    running.wait_for(other, DeliveryState::Delivered).await;
    running.wait_for(kept, DeliveryState::Leased).await;
    running.notifiers.send_replace(notifiers(&[("good", good.clone()), ("gone", good.clone())]));
    let delivery = running.wait_for(kept, DeliveryState::Delivered).await;
    assert_eq!(delivery.attempts, 1);
    running.stop().await;
}

#[tokio::test]
async fn what_a_channel_is_owed_that_never_returns_is_dead_after_seven_days() {
    let directory = tempfile::tempdir().unwrap();
    let begin = Clock::system().now();
    let mut id = 0;
    for (hours, expected) in
        [(0, DeliveryState::Leased), (167, DeliveryState::Leased), (169, DeliveryState::Dead)]
    {
        let clock = Clock::starting_at(begin + Duration::from_hours(hours), 1.0);
        let opened = open(directory.path(), &clock);
        let running = start(opened.store, clock, Notifiers::default());
        if hours == 0 {
            id = running.owe("gone", EventKind::Opened, 42, 1).await;
        }
        running.wait_for(id, expected).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_lease_that_ends_while_its_message_is_sent_sends_it_no_second_time() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let hung = Puppet { hangs: true, ..Puppet::answering(accepted()) };
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, notifiers(&[("slack", hung.clone())]));
    let id = running.owe("slack", EventKind::Opened, 42, 1).await;
    running.wait_for(id, DeliveryState::Leased).await;
    let until_turned = async |more| {
        let before = running.turns.load(Ordering::SeqCst);
        while running.turns.load(Ordering::SeqCst) < before + more {
            running.owed.notify_one();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    until_turned(2).await;
    assert_eq!(hung.calls(), 1);
    running.clock.step(Duration::from_hours(30 * 24));
    until_turned(4).await;
    assert_eq!(hung.calls(), 1);
}

#[tokio::test]
async fn killed_between_acceptance_and_mark_the_same_mail_goes_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let script = Script::once(Stage::Dot, Reaction::Hang);
    let server = SmtpServer::start(script).await.unwrap();
    let opened = open(directory.path(), &clock);
    let running =
        start(opened.store, clock.clone(), mail(server.address().port(), &opened.monitor_id));
    let id = running.owe("mail", EventKind::Opened, 42, 1).await;
    let data = async {
        while !server.commands().iter().any(|line| line == "DATA") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), data).await.unwrap();
    // Killed: the loop is gone at an await, nothing of the attempt is recorded.
    running.task.abort();
    running.store.close().await;
    drop(running);

    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, mail(server.address().port(), &opened.monitor_id));
    running.wait_for(id, DeliveryState::Delivered).await;
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = super::notify::email::parsed(&mails[0]);
    let expected = format!("inc-42.ev-1.ch-mail.{}@example.org", opened.monitor_id);
    assert_eq!(mail.message_id(), Some(expected.as_str()), "the same id after a restart");
    running.stop().await;
}

#[tokio::test]
async fn stopping_lets_what_is_in_flight_land() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let server = SmtpServer::start(Script::default()).await.unwrap();
    let opened = open(directory.path(), &clock);
    let running =
        start(opened.store, clock.clone(), mail(server.address().port(), &opened.monitor_id));
    let id = running.owe("mail", EventKind::Opened, 42, 1).await;
    while server.commands().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    running.stop().await;
    let store = open(directory.path(), &clock).store;
    let delivery = store.delivery(id).await.unwrap().unwrap();
    assert_eq!(delivery.state, DeliveryState::Delivered);
    store.close().await;
}

#[tokio::test]
async fn a_drill_goes_through_the_outbox_and_says_how_it_ended() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let opened = open(directory.path(), &clock);
    let channels = notifiers(&[
        ("good", Puppet::answering(accepted())),
        ("later", Puppet::answering(retry(Duration::from_secs(30)))),
        ("never", Puppet::answering(dead())),
    ]);
    let running = start(opened.store, clock.clone(), channels);
    let names: Vec<_> = ["good", "later", "never"].map(str::to_owned).into();
    let drills = owe_drills(&running.store, &names, SPEAKER, clock.now()).await.unwrap();
    running.owed.notify_one();
    let results = drill_results(&running.store, &drills, Duration::from_secs(10)).await.unwrap();
    let told: Vec<_> =
        results.iter().map(|result| (result.delivered, result.detail.as_str())).collect();
    assert_eq!(
        told,
        [
            (true, "accepted"),
            (false, "not accepted, and tried again later by the daemon: Slack answered 429"),
            (false, "refused for good: Slack answered 404: no_service"),
        ]
    );
    running.stop().await;
}

#[tokio::test]
async fn a_pass_sends_everything_that_is_due_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let store = open(directory.path(), &clock).store;
    let names = vec!["good".to_owned(), "later".to_owned()];
    let good = Puppet::answering(accepted());
    let later = Puppet::answering(retry(Duration::from_secs(30)));
    let drills = owe_drills(&store, &names, SPEAKER, clock.now()).await.unwrap();
    let more = owe_drills(&store, &names[..1], SPEAKER, clock.now()).await.unwrap();
    let (_keep, notifiers) =
        watch::channel(notifiers(&[("good", good.clone()), ("later", later.clone())]));
    let deliver = Deliver {
        store: store.clone(),
        metrics: Arc::new(Metrics::new(&Catalogue::default())),
        clock,
        owed: Arc::default(),
        notifiers,
        turned: Box::new(|| ()),
    };
    tokio::time::timeout(Duration::from_secs(10), deliver.pass()).await.unwrap();
    assert_eq!((good.calls(), later.calls()), (2, 1));
    let all = [drills, more].concat();
    let results = drill_results(&store, &all, Duration::ZERO).await.unwrap();
    assert_eq!(results.iter().filter(|result| result.delivered).count(), 2);
    store.close().await;
}

#[tokio::test]
async fn later_messages_know_what_the_channel_calls_the_thread() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let taken = AttemptResult::Accepted { provider_ref: Some("C042/1.1".to_owned()) };
    let slack = Puppet::answering(taken);
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, notifiers(&[("slack", slack.clone())]));
    for (event, seq) in [(EventKind::Opened, 1), (EventKind::Worsened, 2), (EventKind::Resolved, 3)]
    {
        let id = running.owe("slack", event, 42, seq).await;
        running.wait_for(id, DeliveryState::Delivered).await;
    }
    let id = running.owe("slack", EventKind::Opened, 43, 1).await;
    running.wait_for(id, DeliveryState::Delivered).await;
    assert_eq!(
        slack.sent(),
        [
            "1 opened - None",
            "2 worsened C042/1.1 None",
            "3 resolved C042/1.1 None",
            "1 opened - None"
        ]
    );
    running.stop().await;
}

#[tokio::test]
async fn an_outage_that_was_never_told_and_its_end_are_one_message() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::starting_at(Clock::system().now(), 60.0);
    let failing = Puppet::answering(retry(Duration::from_mins(1)));
    let good = Puppet::answering(accepted());
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, notifiers(&[("slack", failing.clone())]));
    let first = running.owe("slack", EventKind::Opened, 42, 1).await;
    running.wait_until(first, |delivery| delivery.attempts == 1).await;
    let last = running.owe("slack", EventKind::Resolved, 42, 2).await;
    running.notifiers.send_replace(notifiers(&[("slack", good.clone())]));
    running.wait_for(last, DeliveryState::Delivered).await;
    let merged = running.wait_for(first, DeliveryState::Merged).await;
    assert_eq!(merged.attempts, 1);
    assert_eq!(good.sent(), ["2 resolved - Some([Opened])"]);
    assert_eq!(running.store.outbox().await.unwrap(), []);
    running.stop().await;
}

#[tokio::test]
async fn the_others_are_told_of_a_broken_channel_once_a_day_through_every_restart() {
    let directory = tempfile::tempdir().unwrap();
    let begin = Clock::system().now();
    let good = Puppet::answering(accepted());
    let all = [("broken", Puppet::answering(dead())), ("good", good.clone())];
    for (round, expected) in [(0, 1), (1, 1), (23, 1), (25, 2)] {
        let begin_of_round = begin + Duration::from_hours(round);
        let clock = Clock::starting_at(begin_of_round, 1.0);
        let opened = open(directory.path(), &clock);
        let running = start(opened.store, clock, notifiers(&all));
        let incident = 42 + i64::try_from(round).unwrap();
        let id = running.owe("broken", EventKind::Opened, incident, 1).await;
        running.wait_for(id, DeliveryState::Dead).await;
        // What a dead row causes is one transaction: once it is noted, it is owed.
        let noted = async {
            loop {
                let broken = running.store.broken_channels().await.unwrap();
                let is_idle = running.store.outbox().await.unwrap().is_empty();
                match broken.as_slice() {
                    [one] if one.refused_at >= begin_of_round && is_idle => return one.clone(),
                    _ => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let broken = tokio::time::timeout(Duration::from_secs(10), noted).await.unwrap();
        assert_eq!(broken.channel, "broken");
        assert_eq!(broken.reason, "Slack answered 404: no_service");
        running.stop().await;
        let told = good.sent().iter().filter(|one| one.contains("channel_broken")).count();
        assert_eq!(told, expected, "after {round} h");
    }
}

#[tokio::test]
async fn a_channel_that_takes_messages_again_is_broken_no_longer() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let opened = open(directory.path(), &clock);
    let channels = notifiers(&[("slack", Puppet::answering(dead()))]);
    let running = start(opened.store, clock, channels);
    let id = running.owe("slack", EventKind::Opened, 42, 1).await;
    running.wait_for(id, DeliveryState::Dead).await;
    let noted = async {
        while running.store.broken_channels().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noted).await.unwrap();
    running.notifiers.send_replace(notifiers(&[("slack", Puppet::answering(accepted()))]));
    let id = running.owe("slack", EventKind::Resolved, 42, 2).await;
    running.wait_for(id, DeliveryState::Delivered).await;
    assert_eq!(running.store.broken_channels().await.unwrap(), []);
    running.stop().await;
}

/// Commits `incident` as open, and that it is owed to `channel`.
async fn open_incident(running: &Running, channel: &str, id: i64) {
    let mut decision = store::samples::decision();
    let incident = store::samples::incident(id, 70);
    decision.changes = vec![store::samples::change(&incident)];
    let owed = store::samples::owed(channel, Some(&incident), 1, EventKind::Opened);
    decision.owed = vec![owed.clone()];
    let now = running.clock.now();
    running.store.commit(&decision, now).await.unwrap();
    let id = running.store.owe(&owed, now).await.unwrap();
    running.owed.notify_one();
    running.wait_for(id, DeliveryState::Delivered).await;
}

#[tokio::test]
async fn a_channel_that_forgets_is_told_what_stands_at_every_start() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let forgetful = Puppet { forgets: true, ..Puppet::answering(accepted()) };
    let other = Puppet::answering(accepted());
    let both = [("alerts", forgetful.clone()), ("slack", other.clone())];
    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock.clone(), notifiers(&both));
    open_incident(&running, "alerts", 1).await;
    open_incident(&running, "slack", 2).await;
    // An incident that is over in the database is not said again.
    let id = running.owe("alerts", EventKind::Opened, 43, 1).await;
    running.wait_for(id, DeliveryState::Delivered).await;
    let standing = running.store.standing("alerts").await.unwrap();
    assert_eq!(standing.iter().map(|one| one.message.thread()).collect::<Vec<_>>(), [1]);
    running.stop().await;
    assert_eq!(forgetful.repeated.load(Ordering::SeqCst), 0, "nothing stood at the start");

    let opened = open(directory.path(), &clock);
    let running = start(opened.store, clock, notifiers(&both));
    let repeated = async {
        while forgetful.repeated.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), repeated).await.unwrap();
    assert_eq!(forgetful.repeated.load(Ordering::SeqCst), 1);
    assert_eq!(other.repeated.load(Ordering::SeqCst), 0);
    assert_eq!(forgetful.calls(), 2, "what is said again is no delivery");
    running.stop().await;
}
