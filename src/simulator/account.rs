//! The simulated account: its money, its key, its jobs.
//!
//! Owns the state behind the API, in memory; the HTTP side is `api`. Invariant: every create that was
//! accepted is in [`Account::accepted`], whatever its caller was told.

mod money;
mod register;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::artefact::Artefact;
use super::dialect::{Dialect, Quirk};
use super::job::{Job, JobKind, Lifecycle, Place, View};
use super::log::counted;
use super::webhook::{WebhookEndpoint, WebhookEvent};

use money::Purse;
use register::Register;

pub use money::{Billing, Prices, Wallet};
pub(super) use money::{RELOAD_BELOW_USD, RELOAD_USD};
pub(super) use register::{Cursor, Part, Wanted};

/// HeyGen replays the answer to an `Idempotency-Key` for 24 hours.
const REPLAY_FOR: Duration = Duration::from_hours(24);

/// What the account holds. Fields may be changed at any time; those that jobs copy (lifecycle,
/// artefact, length) count for jobs made from then on.
#[derive(Debug, Clone)]
pub struct Account {
    /// How it is billed.
    pub billing: Billing,
    /// Its money, where it is billed from a wallet.
    pub wallet: Wallet,
    /// What creates cost.
    pub prices: Prices,
    /// How often its card was charged.
    pub reloads: u32,
    /// When its key ends; from then on every call with it is refused.
    pub key_expires_at: Option<Timestamp>,
    /// What becomes of videos.
    pub video: Lifecycle,
    /// What becomes of translations.
    pub translation: Lifecycle,
    /// What becomes of videos of one avatar (look id) or template, before [`Self::video`].
    pub by_avatar: BTreeMap<String, Lifecycle>,
    /// What stands behind the URLs of jobs.
    pub artefact: Artefact,
    /// Seconds that a video lasts.
    pub video_secs: f64,
    /// Seconds that a translation lasts, and its source ([`super::Simulator::source_url`]).
    pub translation_secs: f64,
    /// How long the URL of a result holds.
    pub url_lifetime: Duration,
    /// How its answers differ from the documented ones.
    pub dialect: Dialect,
    /// By how much the API's `Date` headers are ahead of the simulation's clock.
    pub date_ahead: jiff::SignedDuration,
    /// Real time that accepting a job takes.
    pub accept_delay: Duration,
    /// Who is told of the end of jobs.
    pub webhooks: Vec<WebhookEndpoint>,
    /// What was told, oldest first.
    pub webhook_events: Vec<WebhookEvent>,
    register: Register,
    accepted: Vec<Accepted>,
    speeches: BTreeMap<String, Duration>,
    fetches: BTreeMap<String, u32>,
    created: u64,
    replays: BTreeMap<(CreateKind, String), Replay>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            billing: Billing::Wallet,
            wallet: Wallet { balance_usd: 125.5, reloads: false },
            prices: Prices::default(),
            reloads: 0,
            key_expires_at: None,
            video: Lifecycle::default(),
            translation: Lifecycle::default(),
            by_avatar: BTreeMap::new(),
            artefact: Artefact::Sound,
            video_secs: 3.0,
            translation_secs: 10.0,
            url_lifetime: Duration::from_hours(7 * 24),
            dialect: Dialect::default(),
            date_ahead: jiff::SignedDuration::ZERO,
            accept_delay: Duration::ZERO,
            webhooks: Vec::new(),
            webhook_events: Vec::new(),
            register: Register::default(),
            accepted: Vec::new(),
            speeches: BTreeMap::new(),
            fetches: BTreeMap::new(),
            created: 0,
            replays: BTreeMap::new(),
        }
    }
}

/// What a create makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CreateKind {
    /// A video from an avatar or an image.
    Video,
    /// A video from a template (v2).
    Template,
    /// A translation.
    Translation,
    /// Speech from a text.
    Speech,
}

/// A create that was accepted, whether or not its caller learned of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// When.
    pub at: Timestamp,
    /// What it made.
    pub kind: CreateKind,
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The jobs that it made; none for speech.
    pub ids: Vec<String>,
    /// What it cost.
    pub usd: f64,
}

/// What is known of an `Idempotency-Key`.
#[derive(Debug, Clone)]
enum Replay {
    InProgress,
    Done { at: Timestamp, body: Value },
}

/// What a create with an `Idempotency-Key` meets.
pub(super) enum Claim {
    New,
    InProgress,
    Replayed(Value),
}

/// A create whose body was accepted, before it is paid for.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) key: Option<String>,
    pub(super) title: Option<String>,
    pub(super) callback_id: Option<String>,
    /// Look or template.
    pub(super) avatar: Option<String>,
    /// Output languages, for translations.
    pub(super) languages: Vec<String>,
    pub(super) is_audio_only: bool,
}

/// There is not enough money.
#[derive(Debug)]
pub(super) struct OutOfCredit;

impl Account {
    /// Adds a job that is not made through the API; one whose time has not come yet appears when it
    /// has. Answers its id.
    pub fn seed(
        &mut self,
        kind: JobKind,
        title: &str,
        created_at: Timestamp,
        lifecycle: Lifecycle,
    ) -> String {
        let mut job = self.new_job(kind, created_at, lifecycle);
        job.title = Some(title.to_owned());
        let id = job.id.clone();
        self.register.add(job);
        id
    }

    /// Changes a job (its id, kind and time of creation excepted); true when there is one.
    pub fn change(&mut self, id: &str, change: impl FnOnce(&mut Job)) -> bool {
        self.register.change(id, change)
    }

    /// Processes at most so many jobs at once, the others wait in the order of their arrival.
    pub fn limit_concurrency(&mut self, jobs: usize) {
        self.register.limit(Some(jobs));
    }

    /// Processes any number of jobs at once, as at the start.
    pub fn lift_concurrency(&mut self) {
        self.register.limit(None);
    }

    /// Every job that was not deleted, oldest first.
    pub fn jobs(&self) -> Vec<&Job> {
        self.register.all()
    }

    /// Every create that was accepted, oldest first.
    pub fn accepted(&self) -> &[Accepted] {
        &self.accepted
    }

    /// How many creates with each title were accepted.
    pub fn accepted_by_title(&self) -> BTreeMap<String, usize> {
        counted(self.accepted.iter().filter_map(|accepted| accepted.title.clone()))
    }

    /// How many creates with each `Idempotency-Key` were accepted; replays are not.
    pub fn accepted_by_key(&self) -> BTreeMap<String, usize> {
        counted(self.accepted.iter().filter_map(|accepted| accepted.key.clone()))
    }

    /// Makes and charges what was ordered; the ids of its jobs.
    pub(super) fn accept(
        &mut self,
        kind: CreateKind,
        order: Order,
        now: Timestamp,
    ) -> Result<Vec<String>, OutOfCredit> {
        let count = if kind == CreateKind::Translation { order.languages.len() } else { 1 };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let usd = f64::from(count) * self.price(kind);
        let mut purse = Purse {
            billing: &mut self.billing,
            wallet: &mut self.wallet,
            reloads: &mut self.reloads,
        };
        if !purse.take(usd, count) {
            return Err(OutOfCredit);
        }
        let ids = match kind {
            CreateKind::Video | CreateKind::Template => vec![self.make_video(&order, now)],
            CreateKind::Translation => self.make_translations(&order, now),
            CreateKind::Speech => Vec::new(),
        };
        let Order { key, title, .. } = order;
        self.accepted.push(Accepted { at: now, kind, key, title, ids: ids.clone(), usd });
        Ok(ids)
    }

    fn price(&self, kind: CreateKind) -> f64 {
        match kind {
            CreateKind::Video | CreateKind::Template => self.prices.video_usd,
            CreateKind::Translation => self.prices.translation_usd,
            CreateKind::Speech => self.prices.speech_usd,
        }
    }

    fn make_video(&mut self, order: &Order, now: Timestamp) -> String {
        let own = order.avatar.as_ref().and_then(|avatar| self.by_avatar.get(avatar));
        let lifecycle = own.unwrap_or(&self.video).clone();
        let job = self.new_job(JobKind::Video, now, lifecycle);
        self.add(job, order)
    }

    fn make_translations(&mut self, order: &Order, now: Timestamp) -> Vec<String> {
        let mut ids = Vec::new();
        for language in &order.languages {
            let lifecycle = self.translation.clone();
            let mut job = self.new_job(JobKind::Translation, now, lifecycle);
            job.output_language = Some(language.clone());
            job.is_audio_only = order.is_audio_only;
            ids.push(self.add(job, order));
        }
        ids
    }

    fn add(&mut self, job: Job, order: &Order) -> String {
        let (title, callback_id) = (order.title.clone(), order.callback_id.clone());
        let job = Job { title, callback_id, ..job };
        let id = job.id.clone();
        self.register.add(job);
        id
    }

    /// A job that is not yet one of the account's.
    fn new_job(&mut self, kind: JobKind, now: Timestamp, lifecycle: Lifecycle) -> Job {
        self.created += 1;
        let number = self.created;
        let (id, duration_secs) = match kind {
            JobKind::Video => (format!("v_{number:012x}"), self.video_secs),
            JobKind::Translation => (format!("{number:032x}"), self.translation_secs),
        };
        Job {
            id,
            kind,
            title: None,
            created_at: now,
            lifecycle,
            duration_secs,
            output_language: None,
            is_audio_only: false,
            artefact: self.artefact.clone(),
            callback_id: None,
            place: Place::Free,
        }
    }

    pub(super) fn find(&self, kind: JobKind, id: &str, now: Timestamp) -> Option<&Job> {
        self.register.find(kind, id, now)
    }

    /// True when there was such a job.
    pub(super) fn delete(&mut self, kind: JobKind, id: &str, now: Timestamp) -> bool {
        self.register.remove(kind, id, now)
    }

    /// Newest first, at most `limit` of those that are wanted.
    pub(super) fn part(&self, wanted: &Wanted<'_>, limit: usize, now: Timestamp) -> Part<'_> {
        self.register.part(wanted, limit, now)
    }

    /// Jobs that ended after `after`, up to and including `now`.
    pub(super) fn ended(&self, after: Timestamp, now: Timestamp) -> Vec<&Job> {
        self.register.ended(after, now)
    }

    /// How its jobs are shown.
    pub(super) fn view<'a>(&'a self, files: &'a str, now: Timestamp) -> View<'a> {
        View { now, files, url_lifetime: self.url_lifetime, dialect: &self.dialect }
    }

    /// A name for the sound of a text that lasts `length`.
    pub(super) fn add_speech(&mut self, length: Duration) -> String {
        let name = format!("tts_{:012x}", self.speeches.len() + 1);
        self.speeches.insert(name.clone(), length);
        name
    }

    /// How long the sound of this name lasts.
    pub(super) fn speech(&self, name: &str) -> Option<Duration> {
        self.speeches.get(name).copied()
    }

    /// Counts a fetch of a file; true while it is to be refused.
    pub(super) fn refuses_fetch(&mut self, name: &str, artefact: &Artefact) -> bool {
        let fetches = self.fetches.entry(name.to_owned()).or_default();
        *fetches = fetches.saturating_add(1);
        matches!(artefact, Artefact::Refused(times) if *fetches <= *times)
    }

    /// Reserves an `Idempotency-Key` for a create.
    pub(super) fn claim(&mut self, kind: CreateKind, key: &str, now: Timestamp) -> Claim {
        if self.dialect.has(&Quirk::ForgetsKeys) {
            return Claim::New;
        }
        let place = (kind, key.to_owned());
        match self.replays.get(&place) {
            Some(Replay::InProgress) => return Claim::InProgress,
            Some(Replay::Done { at, body })
                if now.duration_since(*at).unsigned_abs() < REPLAY_FOR =>
            {
                return Claim::Replayed(body.clone());
            }
            Some(Replay::Done { .. }) | None => {}
        }
        self.replays.insert(place, Replay::InProgress);
        Claim::New
    }

    /// Notes the answer to a claimed create.
    pub(super) fn settle(&mut self, kind: CreateKind, key: &str, body: Value, now: Timestamp) {
        self.replays.insert((kind, key.to_owned()), Replay::Done { at: now, body });
    }

    /// Frees a key whose create was not settled.
    pub(super) fn release(&mut self, kind: CreateKind, key: &str) {
        let place = (kind, key.to_owned());
        if matches!(self.replays.get(&place), Some(Replay::InProgress)) {
            self.replays.remove(&place);
        }
    }
}
