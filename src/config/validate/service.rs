//! The channels that are services with an API of their own: Slack by token, webhooks,
//! Alertmanager, PagerDuty, ntfy.
//!
//! Invariant: a secret of a channel comes from its file or from outside, never from both.

use super::Check;
use super::channel::is_bot;
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::{
    RawAlertmanager, RawChannel, RawNtfy, RawPagerduty, RawSlack, RawWebhook,
};
use crate::config::secrets::{
    NTFY_TOKEN, PAGERDUTY_KEY, SLACK_BOT_TOKEN, WEBHOOK_SECRET, WEBHOOK_URL,
};
use crate::config::value::{self, Purpose};
use crate::notify::TargetSpec;
use crate::notify::alertmanager::AlertmanagerTarget;
use crate::notify::ntfy::NtfyTarget;
use crate::notify::pagerduty::{PAGERDUTY_EVENTS, PagerdutyTarget};
use crate::notify::slack_bot::{SLACK_API, SlackBotTarget};
use crate::notify::webhook::WebhookTarget;

/// Characters of a topic (docs.ntfy.sh, "Publishing").
const TOPIC_CHARS: usize = 64;

impl Check<'_> {
    pub(super) fn slack_bot(
        &mut self,
        raw: &RawSlack,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<SlackBotTarget> {
        if raw.webhook_url_file.is_some() {
            let hint = "keep `webhook_url_file` alone, or `token_file` and `channel`";
            let message = "a webhook and a bot token are two ways to write to Slack";
            self.fail(&at.key("webhook_url_file"), Fault::new(message, hint));
            return None;
        }
        let is_odd = |name: &str| name.trim().is_empty() || name.contains(char::is_control);
        if raw.channel.as_deref().is_none_or(is_odd) {
            let hint = "add the channel that the bot is a member of: channel = \"#video\"";
            self.fail(at, Fault::new("a bot token says nothing about where to write", hint));
        }
        let bots = all.iter().filter_map(|one| one.slack.as_ref()).filter(|one| is_bot(one));
        let is_claimed = bots.clone().any(|one| one.token_file.is_none());
        let file = (raw.token_file.as_deref(), at, "token_file");
        let token = self.file_or_offered(&SLACK_BOT_TOKEN, channel, file, is_claimed);
        let channel = raw.channel.as_ref().filter(|name| !is_odd(name))?.trim().to_owned();
        Some(SlackBotTarget { token: token?, channel, api: SLACK_API.parse().ok()? })
    }

    pub(super) fn own_webhook(
        &mut self,
        raw: &RawWebhook,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<TargetSpec> {
        let webhooks = || all.iter().filter_map(|one| one.webhook.as_ref());
        let is_claimed = webhooks().any(|one| one.url_file.is_none());
        let file = (raw.url_file.as_deref(), at, "url_file");
        let url = self.file_or_offered(&WEBHOOK_URL, channel, file, is_claimed)?;
        self.value(&at.key("url_file"), value::url(url.expose(), Purpose::Ask))?;
        let is_offered = !self.vault.offers(&WEBHOOK_SECRET, None).is_empty();
        let secret = if raw.secret_file.is_some() || is_offered {
            let is_claimed = webhooks().any(|one| one.secret_file.is_none());
            let file = (raw.secret_file.as_deref(), at, "secret_file");
            Some(self.file_or_offered(&WEBHOOK_SECRET, channel, file, is_claimed)?)
        } else {
            None
        };
        Some(TargetSpec::Webhook(WebhookTarget { url, secret }))
    }

    pub(super) fn alertmanager(&mut self, raw: &RawAlertmanager, at: &At) -> Option<TargetSpec> {
        let at = at.key("urls");
        let written = raw.urls.as_deref()?;
        if written.is_empty() {
            let hint = "name every instance: urls = [\"https://alertmanager.example.org\"]";
            self.fail(&at, Fault::new("these alerts would go to nobody", hint));
            return None;
        }
        let urls = self.each(&at, written, |url| value::url(url, Purpose::Ask));
        Some(TargetSpec::Alertmanager(AlertmanagerTarget { urls }))
    }

    pub(super) fn pagerduty(
        &mut self,
        raw: &RawPagerduty,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<TargetSpec> {
        let mut others = all.iter().filter_map(|one| one.pagerduty.as_ref());
        let is_claimed = others.any(|one| one.routing_key_file.is_none());
        let file = (raw.routing_key_file.as_deref(), at, "routing_key_file");
        let routing_key = self.file_or_offered(&PAGERDUTY_KEY, channel, file, is_claimed)?;
        let events = PAGERDUTY_EVENTS.parse().ok()?;
        Some(TargetSpec::Pagerduty(PagerdutyTarget { routing_key, events }))
    }

    pub(super) fn ntfy(
        &mut self,
        raw: &RawNtfy,
        channel: &str,
        at: &At,
        all: &[RawChannel],
    ) -> Option<TargetSpec> {
        let url = raw.url.as_deref().map(|url| value::url(url, Purpose::Ask));
        let url = url.and_then(|url| self.value(&at.key("url"), url));
        let topic = raw.topic.as_deref().map(topic);
        let topic = topic.and_then(|topic| self.value(&at.key("topic"), topic));
        let is_offered = !self.vault.offers(&NTFY_TOKEN, None).is_empty();
        let token = if raw.token_file.is_some() || is_offered {
            let mut others = all.iter().filter_map(|one| one.ntfy.as_ref());
            let is_claimed = others.any(|one| one.token_file.is_none());
            let file = (raw.token_file.as_deref(), at, "token_file");
            Some(self.file_or_offered(&NTFY_TOKEN, channel, file, is_claimed)?)
        } else {
            None
        };
        Some(TargetSpec::Ntfy(NtfyTarget { url: url?, topic: topic?, token }))
    }
}

fn topic(text: &str) -> Result<String, Fault> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.chars().count() > TOPIC_CHARS || !text.chars().all(is_plain) {
        return Err(Fault::new(
            format!("\"{text}\" is not a topic of ntfy"),
            "up to 64 letters, digits, `-` and `_`: topic = \"heygen-alerts\"",
        ));
    }
    Ok(text.to_owned())
}
