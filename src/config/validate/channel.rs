//! `[[channel]]`: where messages go, and the one that the environment adds.
//!
//! Invariant: a channel exists only with everything it needs to send, its secret included.

use super::Check;
use crate::config::document::At;
use crate::config::place;
use crate::config::problem::Fault;
use crate::config::raw::{RawChannel, RawEmail, RawSlack, RawSmtp, TlsWord};
use crate::config::secrets::{self, Kind, SLACK_WEBHOOK, SMTP_PASSWORD};
use crate::config::value::{self, Purpose};
use crate::notify::email::{EmailTarget, SmtpServer, SmtpTls};
use crate::notify::slack::SlackTarget;
use crate::notify::{ChannelSpec, TargetSpec};
use crate::secret::Secret;

/// Name of the channel that the environment adds.
const ENVIRONMENT_CHANNEL: &str = "slack";

impl Check<'_> {
    pub(super) fn channels(&mut self, written: &[RawChannel]) -> Vec<ChannelSpec> {
        let at = At::root().key("channel");
        let mut channels: Vec<ChannelSpec> = written
            .iter()
            .enumerate()
            .filter_map(|(i, raw)| self.channel(raw, &at.index(i), written))
            .collect();
        channels.extend(self.environment_channel(written));
        channels
    }

    fn channel(&mut self, raw: &RawChannel, at: &At, all: &[RawChannel]) -> Option<ChannelSpec> {
        let name =
            raw.name.as_deref().and_then(|name| self.value(&at.key("name"), value::name(name)));
        let label = raw.name.as_deref().unwrap_or("?");
        let target = self.target(raw, label, at, all);
        Some(ChannelSpec { name: name?, target: target? })
    }

    fn target(
        &mut self,
        raw: &RawChannel,
        label: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<TargetSpec> {
        if let Some(slack) = &raw.slack {
            return self.slack(slack, label, &at.key("slack"), all);
        }
        if let Some(email) = &raw.email {
            return self.email(email, label, &at.key("email"), all).map(TargetSpec::Email);
        }
        if let Some(webhook) = &raw.webhook {
            return self.own_webhook(webhook, label, &at.key("webhook"), all);
        }
        if let Some(alertmanager) = &raw.alertmanager {
            return self.alertmanager(alertmanager, &at.key("alertmanager"));
        }
        if let Some(pagerduty) = &raw.pagerduty {
            return self.pagerduty(pagerduty, label, &at.key("pagerduty"), all);
        }
        self.ntfy(raw.ntfy.as_ref()?, label, &at.key("ntfy"), all)
    }

    fn slack(
        &mut self,
        raw: &RawSlack,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<TargetSpec> {
        if is_bot(raw) {
            return self.slack_bot(raw, channel, at, all).map(TargetSpec::SlackBot);
        }
        let at = at.key("webhook_url_file");
        let webhook_url = match &raw.webhook_url_file {
            Some(file) => {
                // A channel of this name is the one that the environment would add.
                let is_same = channel == ENVIRONMENT_CHANNEL;
                self.named_file(&SLACK_WEBHOOK, channel, file, &at, is_same)
            }
            None => self.offered(&SLACK_WEBHOOK, &at, "webhook_url_file"),
        }?;
        self.webhook(webhook_url, &at).map(TargetSpec::Slack)
    }

    fn webhook(&mut self, webhook_url: Secret, at: &At) -> Option<SlackTarget> {
        self.value(at, value::url(webhook_url.expose(), Purpose::Ask))?;
        Some(SlackTarget { webhook_url })
    }

    fn environment_channel(&mut self, written: &[RawChannel]) -> Option<ChannelSpec> {
        let offers = self.vault.offers(&SLACK_WEBHOOK, None);
        let slacks = || {
            let slacks = written.iter().filter_map(|channel| channel.slack.as_ref());
            slacks.filter(|slack| !is_bot(slack))
        };
        let is_claimed = slacks().any(|slack| slack.webhook_url_file.is_none());
        let is_named = slacks().any(|slack| {
            let path = slack.webhook_url_file.as_ref().map(|file| self.path(file));
            self.vault.offers(&SLACK_WEBHOOK, path.as_deref()).is_empty()
        });
        if offers.is_empty() || is_claimed || is_named {
            return None;
        }
        if written.iter().any(|channel| channel.name.as_deref() == Some(ENVIRONMENT_CHANNEL)) {
            self.warnings.push(format!(
                "{} is not used: the configuration has a channel `{ENVIRONMENT_CHANNEL}` already",
                offers.join(" and ")
            ));
            return None;
        }
        let webhook_url = self.offered(&SLACK_WEBHOOK, &At::nowhere(), "webhook_url_file")?;
        let target = self.webhook(webhook_url, &At::nowhere())?;
        let target = TargetSpec::Slack(target);
        Some(ChannelSpec { name: ENVIRONMENT_CHANNEL.to_owned(), target })
    }

    fn email(
        &mut self,
        raw: &RawEmail,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<EmailTarget> {
        let from =
            raw.from.as_deref().and_then(|from| self.value(&at.key("from"), value::mailbox(from)));
        if raw.to.as_ref().is_some_and(Vec::is_empty) {
            let hint = "name at least one: to = [\"oncall@example.org\"]";
            self.fail(&at.key("to"), Fault::new("this e-mail would go to nobody", hint));
        }
        let to = self.each(&at.key("to"), raw.to.as_deref().unwrap_or_default(), value::mailbox);
        let smtp = self.smtp(raw.smtp.as_ref()?, channel, &at.key("smtp"), all);
        Some(EmailTarget { from: from?, to, smtp: smtp? })
    }

    fn smtp(
        &mut self,
        raw: &RawSmtp,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<SmtpServer> {
        let host = raw
            .host
            .as_deref()
            .and_then(|host| self.value(&at.key("host"), value::host_name(host)));
        let (tls, usual_port) = match raw.tls {
            Some(TlsWord::Starttls) | None => (SmtpTls::Starttls, 587),
            Some(TlsWord::Tls) => (SmtpTls::Tls, 465),
            Some(TlsWord::None) => (SmtpTls::None, 25),
        };
        if tls == SmtpTls::None && host.as_deref().is_some_and(|host| !is_this_host(host)) {
            let hint = "write tls = \"starttls\" or \"tls\"; none is for 127.0.0.1 and ::1 alone";
            let message = "without TLS the message and the password could be read on the way";
            self.fail(&at.key("tls"), Fault::new(message, hint));
        }
        let ca_file = raw.ca_file.as_deref().map(|file| self.path(file));
        if ca_file.as_ref().is_some_and(|path| place::open(path).is_err()) {
            let hint = "name a readable file of PEM certificates";
            self.fail(&at.key("ca_file"), Fault::new("this file cannot be read", hint));
        }
        let login = self.login(raw, channel, at, all);
        Some(SmtpServer { host: host?, port: raw.port.unwrap_or(usual_port), tls, login, ca_file })
    }

    fn login(
        &mut self,
        raw: &RawSmtp,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<(String, Secret)> {
        let file_at = at.key("password_file");
        match (&raw.username, &raw.password_file) {
            (Some(username), Some(file)) => {
                let is_same = !all.iter().any(claims_password);
                let password = self.named_file(&SMTP_PASSWORD, channel, file, &file_at, is_same);
                Some((username.clone(), password?))
            }
            (Some(username), None) => {
                let password = self.offered(&SMTP_PASSWORD, &at.key("username"), "password_file");
                Some((username.clone(), password?))
            }
            (None, Some(_)) => {
                let hint = "add `username = …`";
                self.fail(&file_at, Fault::new("a password without a user name", hint));
                None
            }
            (None, None) => None,
        }
    }

    /// The secret in a file, or the one that is offered outside of it.
    pub(super) fn file_or_offered(
        &mut self,
        kind: &Kind,
        channel: &str,
        file: (Option<&str>, &At, &str),
        is_claimed: bool,
    ) -> Option<Secret> {
        let (file, at, key) = file;
        match file {
            Some(file) => self.named_file(kind, channel, file, &at.key(key), !is_claimed),
            None => self.offered(kind, &at.key(key), key),
        }
    }

    /// The secret in a file; `is_same`: what is offered outside is meant for the same channel.
    pub(super) fn named_file(
        &mut self,
        kind: &Kind,
        channel: &str,
        file: &str,
        at: &At,
        is_same: bool,
    ) -> Option<Secret> {
        let path = self.path(file);
        let offers = self.vault.offers(kind, Some(&path));
        if is_same && !offers.is_empty() {
            let mut sources = vec![path.display().to_string()];
            sources.extend(offers);
            self.fail(at, secrets::two_sources(kind, &sources));
            return None;
        }
        let what = if channel.is_empty() {
            kind.label.to_owned()
        } else {
            format!("{} of `{channel}`", kind.label)
        };
        let read = self.vault.file(kind, what, &path);
        self.value(at, read)
    }

    /// The secret that is offered outside of the file, which must be.
    pub(super) fn offered(&mut self, kind: &Kind, at: &At, file_key: &str) -> Option<Secret> {
        let offered = self.vault.offered(kind);
        let secret = self.value(at, offered)?;
        if secret.is_none() {
            let hint = format!(
                "add `{file_key} = \"/path/to/file\"`, or set {} in the environment",
                kind.variable()
            );
            self.fail(at, Fault::new(format!("{} is missing", kind.label), hint));
        }
        secret
    }
}

/// True for a bot, false for an incoming webhook.
pub(super) fn is_bot(slack: &RawSlack) -> bool {
    slack.token_file.is_some() || slack.channel.is_some()
}

fn claims_password(channel: &RawChannel) -> bool {
    let smtp = channel.email.as_ref().and_then(|email| email.smtp.as_ref());
    smtp.is_some_and(|smtp| smtp.username.is_some() && smtp.password_file.is_none())
}

fn is_this_host(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
