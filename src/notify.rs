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

pub mod alertmanager;
mod answer;
pub mod email;
pub mod ntfy;
pub mod pagerduty;
mod render;
pub mod sample;
pub mod slack;
pub mod slack_bot;
mod smtp;
pub mod webhook;

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
            TargetSpec::Slack(_) | TargetSpec::SlackBot(_) => ChannelKind::Slack,
            TargetSpec::Webhook(_) => ChannelKind::Webhook,
            TargetSpec::Alertmanager(_) => ChannelKind::Alertmanager,
            TargetSpec::Pagerduty(_) => ChannelKind::Pagerduty,
            TargetSpec::Ntfy(_) => ChannelKind::Ntfy,
        }
    }
}

/// Where a channel leads: one variant per kind, each defined in the kind's own file.
#[derive(Debug, Clone)]
pub enum TargetSpec {
    /// `channel.email`
    Email(email::EmailTarget),
    /// `channel.slack` with a webhook
    Slack(slack::SlackTarget),
    /// `channel.slack` with a token
    SlackBot(slack_bot::SlackBotTarget),
    /// `channel.webhook`
    Webhook(webhook::WebhookTarget),
    /// `channel.alertmanager`
    Alertmanager(alertmanager::AlertmanagerTarget),
    /// `channel.pagerduty`
    Pagerduty(pagerduty::PagerdutyTarget),
    /// `channel.ntfy`
    Ntfy(ntfy::NtfyTarget),
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

    /// The result without any secret that we know: the last line of defence.
    fn redacted(&self, result: AttemptResult) -> AttemptResult {
        cleaned(result, |detail| self.redactor.redact(detail))
    }
}

/// Sends one delivery. Never panics; ends within 30 s of real time.
pub trait Notifier: Send + Sync {
    /// The kind it is the code behind.
    fn kind(&self) -> ChannelKind;

    /// One attempt, begun at `now`.
    fn send<'a>(&'a self, delivery: &'a Delivery, now: Timestamp) -> BoxFuture<'a, AttemptResult>;

    /// Asks the other side, without telling anybody anything, whether it would take a message;
    /// `None` where that cannot be asked.
    fn check(&self, _now: Timestamp) -> BoxFuture<'_, Option<AttemptResult>> {
        Box::pin(std::future::ready(None))
    }

    /// True when the other side forgets what it is not told again and again.
    fn forgets(&self) -> bool {
        false
    }

    /// Says again what stands: the last accepted delivery of each open incident. What fails here
    /// comes again with the next round.
    fn repeat<'a>(&'a self, _standing: &'a [Delivery], _now: Timestamp) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// What would be sent at `now`, as text for people: `notify render`.
    fn preview(&self, delivery: &Delivery, now: Timestamp) -> String;
}

/// Makes the notifier of a configured channel.
pub fn notifier(spec: &ChannelSpec, deps: &NotifyDeps) -> Box<dyn Notifier> {
    let deps = deps.clone();
    match spec.target.clone() {
        TargetSpec::Email(to) => Box::new(email::EmailNotifier::new(to, deps)),
        TargetSpec::Slack(to) => Box::new(slack::SlackNotifier::new(to, deps)),
        TargetSpec::SlackBot(to) => Box::new(slack_bot::SlackBotNotifier::new(to, deps)),
        TargetSpec::Webhook(to) => Box::new(webhook::WebhookNotifier::new(to, deps)),
        TargetSpec::Alertmanager(to) => Box::new(alertmanager::AlertmanagerNotifier::new(to, deps)),
        TargetSpec::Pagerduty(to) => Box::new(pagerduty::PagerdutyNotifier::new(to, deps)),
        TargetSpec::Ntfy(to) => Box::new(ntfy::NtfyNotifier::new(to, deps)),
    }
}

/// The result with its sentence passed through `clean`.
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
