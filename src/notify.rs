//! Notifiers: what tells people. One file per kind.
//!
//! Owns the seam between `deliver` and the kinds: a delivery goes in, one attempt's result comes
//! out. Does not own retries or order (`deliver`), nor what is owed (`engine`).
//! Invariant: a new kind is a new file, a variant of [`TargetSpec`] and its lines in the two
//! matches below.

use futures_util::future::BoxFuture;

use crate::http_client::HttpClient;
use crate::model::{AttemptResult, ChannelKind, Delivery, Timestamp};
use crate::secret::Redactor;

pub mod email;
pub mod render;
pub mod sample;
pub mod slack;
mod smtp;

/// One configured channel.
#[derive(Debug, Clone)]
pub struct ChannelSpec {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub target: TargetSpec,
}

impl ChannelSpec {
    /// The code behind it.
    pub fn kind(&self) -> ChannelKind {
        match &self.target {
            TargetSpec::Email(_) => ChannelKind::Email,
            TargetSpec::Slack(_) => ChannelKind::Slack,
        }
    }
}

/// Where a channel leads: one variant per kind, each defined in the kind's own file.
#[derive(Debug, Clone)]
pub enum TargetSpec {
    /// `channel.email`
    Email(email::EmailTarget),
    /// `channel.slack`
    Slack(slack::SlackTarget),
}

/// What notifiers need from outside.
#[derive(Debug, Clone)]
pub struct NotifyDeps {
    /// Sends requests.
    pub http: HttpClient,
    /// Keeps secrets out of errors.
    pub redactor: Redactor,
    /// Address of our own pages, if people can reach them: no links without it.
    pub public_url: Option<url::Url>,
    /// Zone in which people read times.
    pub timezone: jiff::tz::TimeZone,
    /// Id of this installation, for deterministic Message-IDs.
    pub monitor_id: String,
}

impl NotifyDeps {
    /// Where and when a message is rendered.
    fn place(&self, now: Timestamp) -> render::Place<'_> {
        render::Place { zone: &self.timezone, public_url: self.public_url.as_ref(), now }
    }
}

/// Sends one delivery. Never panics; ends within 30 s of real time.
pub trait Notifier: Send + Sync {
    /// The kind it is the code behind.
    fn kind(&self) -> ChannelKind;

    /// One attempt, begun at `now`.
    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult>;

    /// What would be sent at `now`, as text for people: `notify render`.
    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String;
}

/// Makes the notifier of a configured channel.
pub fn notifier(spec: &ChannelSpec, deps: &NotifyDeps) -> Box<dyn Notifier> {
    match &spec.target {
        TargetSpec::Email(target) => {
            Box::new(email::EmailNotifier::new(target.clone(), deps.clone()))
        }
        TargetSpec::Slack(target) => {
            Box::new(slack::SlackNotifier::new(target.clone(), deps.clone()))
        }
    }
}

/// The result with its sentence passed through `clean`: the last line of defence against secrets.
fn cleaned(result: AttemptResult, clean: impl Fn(&str) -> String) -> AttemptResult {
    match result {
        AttemptResult::Accepted { provider_ref } => AttemptResult::Accepted { provider_ref },
        AttemptResult::Retry { reason, detail, after } => {
            AttemptResult::Retry { reason, detail: clean(&detail), after }
        }
        AttemptResult::Dead { reason, detail } => {
            AttemptResult::Dead { reason, detail: clean(&detail) }
        }
    }
}
