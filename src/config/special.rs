//! Keys that deserve a better answer than "unknown": secrets written inline, and what things are
//! called elsewhere.
//!
//! Invariant: none of them is a key of `raw`.

use super::problem::Fault;
use super::secrets::{self, Kind};

/// Tables and keys of secrets that must not stand in the file: the same key with `_file` may.
const INLINE_SECRETS: [(&str, &str, &Kind); 10] = [
    ("heygen", "api_key", &secrets::API_KEY),
    ("heartbeat", "url", &secrets::HEARTBEAT_URL),
    ("probe.check.webhook", "secret", &secrets::EVENTS_SECRET),
    ("channel.slack", "webhook_url", &secrets::SLACK_WEBHOOK),
    ("channel.slack", "token", &secrets::SLACK_BOT_TOKEN),
    ("channel.email.smtp", "password", &secrets::SMTP_PASSWORD),
    ("channel.webhook", "url", &secrets::WEBHOOK_URL),
    ("channel.webhook", "secret", &secrets::WEBHOOK_SECRET),
    ("channel.pagerduty", "routing_key", &secrets::PAGERDUTY_KEY),
    ("channel.ntfy", "token", &secrets::NTFY_TOKEN),
];

/// What a key is called elsewhere, and here.
const ELSEWHERE: [(&str, &str); 16] = [
    ("avatar", "avatars"),
    ("avatar_id", "avatars"),
    ("voice_id", "voice"),
    ("url", "video_url"),
    ("interval", "every"),
    ("period", "every"),
    ("cron", "schedule"),
    ("tz", "timezone"),
    ("zone", "timezone"),
    ("address", "listen"),
    ("bind", "listen"),
    ("recipients", "to"),
    ("user", "username"),
    ("database", "path"),
    ("file", "path"),
    ("names", "name"),
];

/// The fault of a key that is known to be wrong in the table `table` (`probe.check`).
pub(super) fn fault(table: &str, key: &str) -> Option<Fault> {
    let (_, _, kind) =
        INLINE_SECRETS.iter().find(|(place, name, _)| *place == table && *name == key)?;
    Some(Fault::new(
        format!("`{key}` is a secret and must not stand in the configuration"),
        format!(
            "put it into a file of its own (mode 600) and write `{key}_file = \"/path/to/file\"`, \
             or set {} in the environment; a value that stood here may have been read by others: \
             replace it",
            kind.variable()
        ),
    ))
}

/// The fault of a word that was right once.
pub(super) fn word_fault(kind: &str, word: &str) -> Option<Fault> {
    let is_ended = kind == "API version" && matches!(word, "v1" | "v2");
    is_ended.then(|| {
        Fault::new(
            "HeyGen's API versions v1 and v2 ended on 2026-10-31",
            "write \"v3\", or remove the key; a `check.api` whose path begins with /v1/ or /v2/ \
             still tells the end of an endpoint that you use",
        )
    })
}

/// What people who know another tool may have meant, if it is one of the known keys.
pub(super) fn elsewhere(key: &str, known: &[&str]) -> Option<&'static str> {
    ELSEWHERE
        .iter()
        .find(|(theirs, ours)| *theirs == key && known.contains(ours))
        .map(|(_, ours)| *ours)
}
