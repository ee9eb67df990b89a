//! Messages on the way out: real SMTP and HTTP conversations on loopback.

mod command;
pub(crate) mod email;
mod golden;
pub(crate) mod injection;
mod secure;
mod service;
mod slack;
mod slack_bot;
pub(crate) mod stub;
mod table;
mod texts;

use std::sync::LazyLock;
use std::time::Duration;

use heygen_monitor::http_client::{ClientOptions, HttpClient};
use heygen_monitor::model::{
    AttemptResult, Delivery, DeliveryState, EventKind, Message, Timestamp,
};
use heygen_monitor::notify::alertmanager::AlertmanagerTarget;
use heygen_monitor::notify::email::{EmailTarget, SmtpServer, SmtpTls};
use heygen_monitor::notify::ntfy::NtfyTarget;
use heygen_monitor::notify::pagerduty::PagerdutyTarget;
use heygen_monitor::notify::sample::{Speaker, sample};
use heygen_monitor::notify::slack::SlackTarget;
use heygen_monitor::notify::slack_bot::SlackBotTarget;
use heygen_monitor::notify::webhook::WebhookTarget;
use heygen_monitor::notify::{ChannelSpec, Notifier, NotifyDeps, TargetSpec, notifier};
use heygen_monitor::secret::{Redactor, Secret};
use jiff::tz::TimeZone;

/// A minute before [`now`].
pub(crate) fn at() -> Timestamp {
    now().saturating_sub(Duration::from_mins(1)).unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-11-20T08:15:00Z".parse().unwrap()
}

pub(crate) fn message(event: EventKind) -> Message {
    let speaker = Speaker { vantage: "fra-1", account: "default" };
    sample(event, speaker, at())
}

pub(crate) fn delivery(message: Message) -> Delivery {
    Delivery {
        id: 7,
        channel: "oncall".to_owned(),
        created_at: message.at,
        next_at: message.at,
        message,
        state: DeliveryState::Leased,
        attempts: 0,
        last_error: None,
        provider_ref: None,
        thread_ref: None,
        merged: None,
    }
}

/// One for all: each reads the certificates of the system.
static HTTP: LazyLock<HttpClient> =
    LazyLock::new(|| HttpClient::new(&ClientOptions::default()).unwrap());

pub(crate) fn deps() -> NotifyDeps {
    NotifyDeps {
        http: HTTP.clone(),
        redactor: Redactor::default(),
        public_url: Some("https://status.example.org".parse().unwrap()),
        timezone: TimeZone::get("Europe/Berlin").unwrap(),
        monitor_id: "m0n1".to_owned(),
    }
}

pub(crate) fn mail_target(port: u16) -> EmailTarget {
    EmailTarget {
        from: "HeyGen monitor <monitor@example.org>".parse().unwrap(),
        to: vec!["oncall@example.org".parse().unwrap()],
        smtp: SmtpServer {
            host: "127.0.0.1".to_owned(),
            port,
            tls: SmtpTls::None,
            login: None,
            ca_file: None,
        },
    }
}

pub(crate) fn mail_channel(target: EmailTarget) -> Box<dyn Notifier> {
    channel(TargetSpec::Email(target), &[])
}

pub(crate) fn slack_channel(url: &str) -> Box<dyn Notifier> {
    let webhook_url = Secret::new(&format!("{url}services/T0/B0/SECRETSECRET"));
    let target = SlackTarget { webhook_url: webhook_url.clone() };
    channel(TargetSpec::Slack(target), &[&webhook_url])
}

/// A channel named `oncall`; `secrets` are known to the redactor.
pub(crate) fn channel(target: TargetSpec, secrets: &[&Secret]) -> Box<dyn Notifier> {
    let deps = deps();
    for secret in secrets {
        deps.redactor.learn(secret);
    }
    notifier(&ChannelSpec { name: "oncall".to_owned(), target }, &deps)
}

pub(crate) fn slack_bot_channel(url: &str) -> Box<dyn Notifier> {
    let token = Secret::new("xoxb-SECRETSECRET");
    let api = url.parse().unwrap();
    let target = SlackBotTarget { token: token.clone(), channel: "#video".to_owned(), api };
    channel(TargetSpec::SlackBot(target), &[&token])
}

pub(crate) fn webhook_channel(url: &str) -> Box<dyn Notifier> {
    let url = Secret::new(&format!("{url}hooks/SECRETSECRET"));
    let secret = Secret::new("whsec-SECRETSECRET");
    let target = WebhookTarget { url: url.clone(), secret: Some(secret.clone()) };
    channel(TargetSpec::Webhook(target), &[&url, &secret])
}

pub(crate) fn alertmanager_channel(urls: &[&str]) -> Box<dyn Notifier> {
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
    channel(TargetSpec::Alertmanager(AlertmanagerTarget { urls }), &[])
}

pub(crate) fn pagerduty_channel(url: &str) -> Box<dyn Notifier> {
    let routing_key = Secret::new("R0UT1NGSECRETSECRET");
    let events = format!("{url}v2/enqueue").parse().unwrap();
    let target = PagerdutyTarget { routing_key: routing_key.clone(), events };
    channel(TargetSpec::Pagerduty(target), &[&routing_key])
}

pub(crate) fn ntfy_channel(url: &str) -> Box<dyn Notifier> {
    let token = Secret::new("tk_SECRETSECRET");
    let topic = "heygen-alerts".to_owned();
    let target = NtfyTarget { url: url.parse().unwrap(), topic, token: Some(token.clone()) };
    channel(TargetSpec::Ntfy(target), &[&token])
}

/// `accepted`, `retry REASON SECS` or `dead REASON`.
pub(crate) fn word(result: &AttemptResult) -> String {
    match result {
        AttemptResult::Accepted { .. } => "accepted".to_owned(),
        AttemptResult::Dead { reason, .. } => format!("dead {}", reason.as_str()),
        AttemptResult::Retry { reason, after, .. } => {
            let secs = after.map(|after| format!(" {}", after.as_secs())).unwrap_or_default();
            format!("retry {}{secs}", reason.as_str())
        }
    }
}

/// Why it did not work, in a sentence.
pub(crate) fn detail(result: &AttemptResult) -> &str {
    match result {
        AttemptResult::Accepted { .. } => "",
        AttemptResult::Retry { detail, .. } | AttemptResult::Dead { detail, .. } => detail,
    }
}
