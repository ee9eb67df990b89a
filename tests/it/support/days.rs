//! A simulated world in fast time with the daemon on it, in this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::config::Surroundings;
use heygen_monitor::daemon::{Daemon, Deps, ReadConfig, Running, StartError};
use heygen_monitor::http_client::ClientOptions;
use heygen_monitor::metrics::LogCounter;
use heygen_monitor::model::{Blame, State, View};
use heygen_monitor::store::OpenError;
use jiff::Timestamp;

use super::bench::{Bench, Wanted};

/// Starts in vain because of a lock that nobody of ours holds.
const LOCKED_MOST: u32 = 100;

/// A world in fast time with a daemon on it.
pub(crate) struct Days {
    pub(crate) bench: Bench,
    pub(crate) running: Running,
    pub(crate) origin: Timestamp,
}

impl Days {
    /// Starts at nine o'clock, time running `factor` times as fast as real time.
    pub(crate) async fn start(factor: f64, script: impl FnOnce(&Bench, Timestamp)) -> Self {
        Self::with(factor, Wanted::default(), script).await
    }

    /// As [`Self::start`], with another configuration.
    pub(crate) async fn with(
        factor: f64,
        wanted: Wanted,
        script: impl FnOnce(&Bench, Timestamp),
    ) -> Self {
        let origin: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let clock = Clock::starting_at(origin, factor);
        let bench = Bench::start(clock.clone()).await;
        script(&bench, origin);
        let running = Self::daemon(&bench, &wanted, clock).await;
        Self { bench, running, origin }
    }

    /// A daemon in this process on a world, by this clock.
    pub(crate) async fn daemon(bench: &Bench, wanted: &Wanted, clock: Clock) -> Running {
        Self::daemon_of(bench.write_configuration(wanted), Bench::surroundings(wanted.key), clock)
            .await
    }

    /// A daemon in this process on a configuration, by this clock.
    pub(crate) async fn daemon_of(
        path: PathBuf,
        surroundings: Surroundings,
        clock: Clock,
    ) -> Running {
        let read = {
            let (clock, surroundings) = (clock.clone(), surroundings.clone());
            move || heygen_monitor::config::load(Some(&path), &surroundings, clock.now())
        };
        let read: ReadConfig = Arc::new(read);
        let start = || {
            let deps = Deps {
                clock: clock.clone(),
                http: ClientOptions::default(),
                surroundings: surroundings.clone(),
                log_counter: LogCounter::default(),
                read_config: Arc::clone(&read),
            };
            Daemon::start(read().unwrap(), deps)
        };
        // A process that another test is just starting holds every file of this one, and with it
        // the lock of a daemon that has stopped, until it becomes another program.
        for _ in 0..LOCKED_MOST {
            match start().await {
                Err(StartError::Store(OpenError::Locked { .. })) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                started => return started.unwrap(),
            }
        }
        start().await.unwrap()
    }

    pub(crate) fn at(&self, minute: u64) -> Timestamp {
        after(self.origin, minute)
    }

    /// Lets simulated time pass.
    pub(crate) async fn until(&self, minute: u64) {
        self.bench.simulator.clock().sleep_until(self.at(minute)).await;
    }

    /// Waits for a view that is as it should be, at most until `minute`.
    pub(crate) async fn sees(
        &self,
        what: &str,
        minute: u64,
        is_so: impl Fn(&View) -> bool,
    ) -> Arc<View> {
        let mut views = self.running.view();
        let deadline = self.bench.simulator.clock().sleep_until(self.at(minute));
        let seen = views.wait_for(|view| view.as_deref().is_some_and(&is_so));
        tokio::select! {
            view = seen => return view.unwrap().clone().unwrap(),
            () = deadline => {}
        }
        let view = self.running.view().borrow().clone().unwrap();
        let one = |one: &heygen_monitor::model::CapabilityVerdict| {
            let seen: Vec<_> = one.evidence.iter().map(|item| item.text.as_str()).collect();
            format!("  {}/{}/{} {} {seen:?}", one.state, one.blame, one.reason, one.headline)
        };
        let said: Vec<_> = view.verdict.capabilities.iter().map(one).collect();
        panic!("{what} is not seen by minute {minute}:\n{}\n{:?}", said.join("\n"), view.budget);
    }

    pub(crate) fn slack(&self) -> Vec<String> {
        self.bench.slack().into_iter().map(|(_, text)| text).collect()
    }
}

pub(crate) fn after(origin: Timestamp, minute: u64) -> Timestamp {
    origin.saturating_add(Duration::from_mins(minute)).unwrap()
}

pub(crate) fn is(state: State, blame: Blame) -> impl Fn(&View) -> bool {
    move |view| view.verdict.state == state && view.verdict.blame == blame
}
