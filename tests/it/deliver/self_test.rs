//! Channels that are asked once a day, without telling anybody, whether they would take a message.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::deliver::{Notifiers, SelfTest};
use heygen_monitor::model::{AttemptResult, View};
use heygen_monitor::store::{BrokenChannel, Store};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{Puppet, accepted, dead, notifiers, open, retry};
use crate::sample_view::api_outage;

/// A day takes less than a second.
const FACTOR: f64 = 100_000.0;

/// A loop that asks, and nothing that delivers.
struct Asking {
    store: Store,
    clock: Clock,
    notifiers: watch::Sender<Notifiers>,
    view: watch::Sender<Option<Arc<View>>>,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl Asking {
    fn start(channels: Notifiers, seen: View) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::starting_at(Clock::system().now(), FACTOR);
        let store = open(directory.path(), &clock).store;
        let (notifiers, watched) = watch::channel(channels);
        let (view, viewed) = watch::channel(Some(Arc::new(seen)));
        let asking = SelfTest {
            store: store.clone(),
            clock: clock.clone(),
            owed: Arc::new(Notify::new()),
            notifiers: watched,
            view: viewed,
            monitor_id: "0a1b2c3d".to_owned(),
        };
        let cancel = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "a test is its own little daemon")]
        let task = tokio::spawn(asking.run(cancel.clone()));
        Self { store, clock, notifiers, view, cancel, task, _directory: directory }
    }

    /// Waits until the broken channels are as they should be.
    async fn lists(&self, is_so: impl Fn(&[BrokenChannel]) -> bool) {
        let looking = async {
            while !is_so(&self.store.broken_channels().await.unwrap()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), looking).await.unwrap();
    }

    /// Who is owed messages, and how many.
    async fn owed(&self) -> Vec<(String, u64)> {
        let lines = self.store.outbox().await.unwrap();
        lines.into_iter().map(|line| (line.channel, line.pending)).collect()
    }

    async fn days(&self, days: u64) {
        self.clock.sleep(Duration::from_hours(24 * days)).await;
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
        self.store.close().await;
    }
}

fn asked(answer: AttemptResult) -> Puppet {
    Puppet { checked: Some(answer), ..Puppet::answering(accepted()) }
}

#[tokio::test]
async fn a_channel_that_fails_is_told_to_the_others_and_listed_until_it_passes() {
    let good = asked(accepted());
    let asking = Asking::start(
        notifiers(&[("broken", asked(dead())), ("good", good.clone())]),
        api_outage(),
    );
    asking.lists(|broken| broken.len() == 1 && broken[0].channel == "broken").await;
    assert_eq!(asking.owed().await, [("good".to_owned(), 1)], "the other one, and it alone");
    let mended = notifiers(&[("broken", asked(accepted())), ("good", good.clone())]);
    asking.notifiers.send_replace(mended);
    asking.lists(<[_]>::is_empty).await;
    assert_eq!(good.calls(), 0, "nobody is told by being asked");
    asking.stop().await;
}

#[tokio::test]
async fn each_channel_is_asked_once_a_day() {
    let good = asked(accepted());
    let asking = Asking::start(notifiers(&[("good", good.clone())]), api_outage());
    asking.days(5).await;
    asking.stop().await;
    let checks = good.checks.load(Ordering::SeqCst);
    assert!((1..=6).contains(&checks), "{checks} in five days");
}

#[tokio::test]
async fn an_answer_that_proves_nothing_fails_only_when_it_comes_again_and_again() {
    let silent = asked(retry(Duration::ZERO));
    let asking = Asking::start(notifiers(&[("silent", silent.clone())]), api_outage());
    asking.lists(|broken| !broken.is_empty()).await;
    assert!(silent.checks.load(Ordering::SeqCst) >= 3);
    asking.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_while_there_is_no_way_out() {
    let cut_off = asked(dead());
    let offline = View { internet_up: Some(false), ..api_outage() };
    let asking = Asking::start(notifiers(&[("cut-off", cut_off.clone())]), offline);
    asking.days(2).await;
    assert_eq!(cut_off.checks.load(Ordering::SeqCst), 0);
    asking.view.send_replace(Some(Arc::new(api_outage())));
    asking.lists(|broken| !broken.is_empty()).await;
    asking.stop().await;
}
