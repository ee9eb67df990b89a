//! Messages on the way out: real SMTP and HTTP conversations on loopback.

mod command;
pub(crate) mod email;
mod injection;
mod secure;
mod slack;
mod texts;

use std::time::Duration;

use heygen_monitor::http_client::{ClientOptions, HttpClient};
use heygen_monitor::model::{Delivery, DeliveryState, EventKind, Message, Timestamp};
use heygen_monitor::notify::email::{EmailTarget, SmtpServer, SmtpTls};
use heygen_monitor::notify::sample::{Speaker, sample};
use heygen_monitor::notify::slack::SlackTarget;
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
    }
}

pub(crate) fn deps() -> NotifyDeps {
    NotifyDeps {
        http: HttpClient::new(&ClientOptions::default()).unwrap(),
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
    let name = "oncall".to_owned();
    let target = TargetSpec::Email(target);
    notifier(&ChannelSpec { name, target }, &deps())
}

pub(crate) fn slack_channel(url: &str) -> Box<dyn Notifier> {
    let webhook_url = Secret::new(url);
    let deps = deps();
    deps.redactor.learn(&webhook_url);
    let name = "oncall".to_owned();
    let target = TargetSpec::Slack(SlackTarget { webhook_url });
    notifier(&ChannelSpec { name, target }, &deps)
}
