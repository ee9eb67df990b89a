//! The deliver loop: claim → send → finish; woken by a commit and by time.
//!
//! Owns when a delivery is tried (again) and what a dead one causes. Does not own what is owed
//! (`engine`), where it is kept (`store`) or how it is sent (`notify`). Invariants: what was sent is
//! not sent again while this process knows how that went, so a full disk never turns one message
//! into many; nor does it hold any back; a channel that hangs holds up no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::engine::{Owed, words};
use crate::fault;
use crate::metrics::{Metrics, Task};
use crate::model::{
    Attempt, AttemptResult, Delivery, EventKind, FailureReason, IncidentId, Timestamp,
};
use crate::notify::Notifier;
use crate::notify::sample::{Speaker, channel_broken};
use crate::store::{Store, StoreError, Thread};

mod backoff;
mod drill;
mod lanes;
mod memory;
mod self_test;
mod standing;
mod unsaved;

pub use drill::{DrillResult, drill_results, owe_drills};
use lanes::{Lanes, Sent};
use memory::{Ended, Memory, is_from_memory};
pub use self_test::SelfTest;
use standing::Standing;
use unsaved::{Finish, Unsaved, Write};

/// How long a claimed delivery is ours, in real time: longer than the longest attempt.
const LEASE: Duration = Duration::from_secs(90);
/// The loop turns at least this often in real time, so that the watchdog sees it live.
const TURN: Duration = Duration::from_secs(5);
/// Pause after the database refused something.
const PAUSE: Duration = Duration::from_secs(1);
/// What is in flight when we are told to stop may take this long to land.
const LANDING: Duration = Duration::from_secs(5);

/// The notifiers of one configuration, by the name of their channel.
pub type Notifiers = BTreeMap<String, Arc<dyn Notifier>>;

/// The deliver loop.
pub struct Deliver {
    /// Where deliveries are claimed and finished.
    pub store: Store,
    /// Counters and gauges.
    pub metrics: Arc<Metrics>,
    /// The time; attempts themselves have real deadlines.
    pub clock: Clock,
    /// Rung when something new is owed.
    pub owed: Arc<Notify>,
    /// The channels of the current configuration.
    pub notifiers: watch::Receiver<Notifiers>,
    /// Called once a turn: the loop is alive.
    pub turned: Box<dyn Fn() + Send + Sync>,
}

/// A running loop: its parts and what it knows besides the outbox. Nothing of the latter is needed
/// after a restart.
struct Loop {
    parts: Deliver,
    lanes: Lanes,
    standing: Standing,
    memory: Memory,
    unsaved: Unsaved,
    /// The database refused something last; warned of once.
    is_refused: bool,
    /// Channels whose last delivery was refused for good; the others were told.
    broken: BTreeSet<String>,
    /// Channels with deliveries that the configuration does not know; warned of once.
    unknown: BTreeSet<String>,
}

impl Deliver {
    /// Runs until cancelled; then lets what is in flight land for at most 5 s.
    pub async fn run(self, cancel: CancellationToken) {
        let mut this = self.begin();
        loop {
            (this.parts.turned)();
            let wait = this.turn().await;
            this.say_again().await;
            tokio::select! {
                () = cancel.cancelled() => break,
                sent = this.lanes.next() => this.settle(sent).await,
                () = this.standing.next() => {}
                Ok(()) = this.parts.notifiers.changed() => this.unknown.clear(),
                () = this.parts.owed.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        if tokio::time::timeout(LANDING, this.land()).await.is_err() {
            info!("stopping with messages in flight; they are sent again after the next start");
        }
    }

    /// Sends everything that is due, once each: `notify test` without a daemon.
    pub async fn pass(self) {
        let mut this = self.begin();
        this.turn().await;
        while !this.lanes.is_idle() {
            let sent = this.lanes.next().await;
            this.settle(sent).await;
            this.turn().await;
        }
    }

    fn begin(self) -> Loop {
        Loop {
            parts: self,
            lanes: Lanes::default(),
            standing: Standing::default(),
            memory: Memory::default(),
            unsaved: Unsaved::default(),
            is_refused: false,
            broken: BTreeSet::new(),
            unknown: BTreeSet::new(),
        }
    }
}

impl Loop {
    async fn land(&mut self) {
        while !self.lanes.is_idle() {
            let sent = self.lanes.next().await;
            self.settle(sent).await;
        }
    }

    /// Saves what is unsaved, claims what is due, sends it off; answers how long, in real time, to
    /// wait for anything else.
    async fn turn(&mut self) -> Duration {
        self.save().await;
        let now = self.parts.clock.now();
        let claimed = self.claim(now).await;
        let wait = match &claimed {
            Ok(None) => TURN,
            Ok(Some(next_at)) => {
                let wait = words::between(self.parts.clock.now(), *next_at);
                self.parts.clock.real(wait).clamp(Duration::from_millis(10), TURN)
            }
            Err(_) => {
                self.take_on_unleased(now).await;
                PAUSE
            }
        };
        self.note(claimed.err().as_ref());
        self.take_on_from_memory(now).await;
        self.lanes.depart(now, &self.parts.notifiers.borrow());
        wait
    }

    async fn claim(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let claimed = self.parts.store.claim(now, self.lease()).await?;
        if !claimed.is_empty() {
            fault::point("claim.after");
        }
        for delivery in claimed {
            self.take_on(delivery, now);
        }
        self.save().await;
        self.parts.metrics.outbox(&self.parts.store.outbox().await?);
        self.parts.store.next_delivery_at().await
    }

    /// What is on disk and cannot be leased is sent all the same: no lease is needed against
    /// another process, for the database is ours alone.
    async fn take_on_unleased(&mut self, now: Timestamp) {
        match self.parts.store.due(now, self.unsaved.ended()).await {
            Ok(due) => {
                for delivery in due {
                    self.take_on(delivery, now);
                }
            }
            Err(failure) => self.note(Some(&failure)),
        }
    }

    /// What could not be committed is sent all the same, after whatever its thread has on disk.
    async fn take_on_from_memory(&mut self, now: Timestamp) {
        let mut held = Vec::new();
        for owed in self.parts.store.held() {
            let thread = self.thread(&owed.channel, owed.message.thread()).await;
            if !thread.is_ok_and(|thread| thread.is_owed) {
                held.push(owed);
            }
        }
        for mut delivery in self.memory.due(&held, now) {
            let stored = self.thread(&delivery.channel, delivery.message.thread()).await;
            let stored = stored.ok().and_then(|thread| thread.provider_ref);
            let unsaved = self.unsaved.thread_ref(&delivery);
            delivery.thread_ref = self.memory.thread_ref(&delivery).or(unsaved).or(stored);
            self.lanes.take_on(delivery);
        }
    }

    async fn thread(&mut self, channel: &str, id: IncidentId) -> Result<Thread, StoreError> {
        self.parts.store.thread(channel, id, self.unsaved.ended()).await
    }

    /// A delivery that has a row, unless it was sent and its row does not say so.
    fn take_on(&mut self, mut delivery: Delivery, now: Timestamp) {
        if self.memory.is_flying(&delivery) {
            return;
        }
        if let Some(Ended { at, result }) = self.memory.ended(&delivery) {
            self.unsaved.finish(delivery, Attempt { at, result }, None);
            return;
        }
        let Some(attempts) = self.unsaved.attempts(delivery.id, now) else {
            return;
        };
        delivery.attempts += attempts;
        delivery.thread_ref = self.unsaved.thread_ref(&delivery).or(delivery.thread_ref);
        let channel = &delivery.channel;
        if !self.parts.notifiers.borrow().contains_key(channel) {
            if backoff::is_too_old(&delivery, now) {
                return self.give_up(delivery, now);
            }
            if self.unknown.insert(channel.clone()) {
                warn!(
                    channel,
                    "channel {channel} is owed messages but is not in the configuration; they are \
                     kept for 7 days"
                );
            }
        }
        self.lanes.take_on(delivery);
    }

    /// Nobody waits for it any more, and nobody can be told.
    fn give_up(&mut self, delivery: Delivery, now: Timestamp) {
        let result = AttemptResult::Dead {
            reason: FailureReason::Rejected,
            detail: "given up after 7 days: no channel of this name is configured".to_owned(),
        };
        let attempt = Attempt { at: now, result };
        log(&delivery, &attempt, None);
        self.lanes.let_go(&delivery);
        self.unsaved.finish(delivery, attempt, None);
    }

    /// The lease in the clock's time.
    fn lease(&self) -> Duration {
        let second = self.parts.clock.real(Duration::from_secs(1)).as_secs_f64();
        LEASE.mul_f64(second.recip().max(1.0))
    }

    async fn settle(&mut self, sent: Sent) {
        let Sent { delivery, begun_at, kind, result, has_panicked } = sent;
        if has_panicked {
            self.parts.metrics.panicked(Task::Deliver);
        }
        let now = self.parts.clock.now();
        let is_from_memory = is_from_memory(&delivery);
        let (result, next_at) = if is_from_memory {
            self.memory.settle(&delivery, kind, result, now)
        } else {
            backoff::after(kind, &delivery, result, now)
        };
        let attempt = Attempt { at: begun_at, result };
        self.parts.metrics.attempted(&delivery.channel, delivery.message.event, &attempt);
        log(&delivery, &attempt, next_at);
        match &attempt.result {
            AttemptResult::Accepted { .. } => drop(self.broken.remove(&delivery.channel)),
            AttemptResult::Retry { .. } => {}
            AttemptResult::Dead { detail, .. } => self.tell_others(&delivery, detail),
        }
        if !is_from_memory {
            self.unsaved.finish(delivery, attempt, next_at);
        }
        self.save().await;
    }

    /// A channel that refuses for good is news for the others, once until it works again.
    fn tell_others(&mut self, delivery: &Delivery, detail: &str) {
        if !self.broken.insert(delivery.channel.clone()) {
            return;
        }
        let speaker =
            Speaker { vantage: &delivery.message.vantage, account: &delivery.message.account };
        let message = channel_broken(&delivery.channel, detail, speaker, self.parts.clock.now());
        let notifiers = self.parts.notifiers.borrow();
        let others = notifiers.keys().filter(|name| !self.broken.contains(*name));
        let owed =
            others.map(|name| Owed { channel: name.clone(), message: message.clone() }).collect();
        self.unsaved.push(Write::Broken { channel: delivery.channel.clone(), owed });
    }

    /// Says again what stands, to channels that forget.
    async fn say_again(&mut self) {
        let notifiers = self.parts.notifiers.borrow().clone();
        for (name, notifier) in self.standing.due(&notifiers) {
            match self.parts.store.standing(&name).await {
                Ok(deliveries) => {
                    self.standing.depart(name, notifier, deliveries, self.parts.clock.now());
                }
                Err(failure) => self.note(Some(&failure)),
            }
        }
    }

    /// Writes what the store does not know yet, up to the first refusal.
    async fn save(&mut self) {
        while let Some(write) = self.unsaved.pop() {
            if let Err(failure) = self.write(&write).await {
                // To the end: what can never be written must hold up nothing else.
                self.unsaved.push(write);
                return self.note(Some(&failure));
            }
        }
    }

    async fn write(&mut self, write: &Write) -> Result<(), StoreError> {
        let store = &self.parts.store;
        match write {
            Write::Finish(finish) => {
                let Finish { delivery, attempt, next_at } = finish.as_ref();
                fault::point("finish.before");
                let finished = store.finish(delivery.id, attempt, *next_at).await;
                fault::point("finish.after");
                finished
            }
            Write::Broken { channel, owed } => {
                store.tell_broken(channel, owed, self.parts.clock.now()).await.map(drop)
            }
        }
    }

    /// Says when the database begins to refuse the outbox, and when it takes it again.
    fn note(&mut self, failure: Option<&StoreError>) {
        match failure {
            Some(failure) if !self.is_refused => {
                let reason = crate::error_chain(failure);
                let operation = failure.operation;
                warn!(operation, "the database refuses the outbox: {reason}");
                self.is_refused = true;
            }
            // Where there is nothing to write, nothing can be refused.
            None if self.is_refused && self.unsaved.is_empty() => {
                info!("the database takes the outbox again");
                self.is_refused = false;
            }
            Some(_) | None => {}
        }
    }
}

fn log(delivery: &Delivery, attempt: &Attempt, next_at: Option<Timestamp>) {
    let channel = &delivery.channel;
    let number = delivery.attempts + 1;
    let what = what(delivery);
    match &attempt.result {
        AttemptResult::Accepted { .. } => info!(
            channel,
            delivery.id = delivery.id,
            incident.id = delivery.message.thread(),
            attempt = number,
            "channel {channel} was told {what}"
        ),
        AttemptResult::Retry { detail, .. } => {
            let wait =
                next_at.map(|next_at| words::between(attempt.at, next_at)).unwrap_or_default();
            warn!(
                channel,
                delivery.id = delivery.id,
                incident.id = delivery.message.thread(),
                attempt = number,
                "channel {channel} could not be told {what}: {detail}; again in {}",
                words::duration(wait)
            );
        }
        AttemptResult::Dead { detail, .. } => error!(
            channel,
            delivery.id = delivery.id,
            incident.id = delivery.message.thread(),
            attempt = number,
            "channel {channel} will never be told {what}: {detail}"
        ),
    }
}

fn what(delivery: &Delivery) -> String {
    let event = delivery.message.event;
    match (&delivery.message.incident, event) {
        (Some(incident), _) => format!("of incident #{}: {event}", incident.id),
        (None, EventKind::Drill) => "a drill".to_owned(),
        (None, _) => format!("a message about this monitor: {event}"),
    }
}
