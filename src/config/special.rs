//! Keys that deserve a better answer than "unknown": secrets written
//! inline, and what things are called elsewhere.
//!
//! Invariant: none of them is a key of `raw`.

use super::problem::Fault;

/// Secrets that must not stand in the file, and what stands there instead.
const INLINE_SECRETS: [(&str, &str, &str, &str); 9] = [
    ("heygen", "api_key", "api_key_file", "HEYGEN_API_KEY"),
    ("probe.check.webhook", "secret", "secret_file", "HEYGEN_WEBHOOK_SECRET"),
    ("channel.slack", "webhook_url", "webhook_url_file", "SLACK_WEBHOOK_URL"),
    ("channel.slack", "token", "token_file", "SLACK_BOT_TOKEN"),
    ("channel.email.smtp", "password", "password_file", "SMTP_PASSWORD"),
    ("channel.webhook", "url", "url_file", "WEBHOOK_URL"),
    ("channel.webhook", "secret", "secret_file", "WEBHOOK_SECRET"),
    ("channel.pagerduty", "routing_key", "routing_key_file", "PAGERDUTY_ROUTING_KEY"),
    ("channel.ntfy", "token", "token_file", "NTFY_TOKEN"),
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
    let (_, _, file_key, variable) =
        INLINE_SECRETS.iter().find(|(place, name, ..)| *place == table && *name == key)?;
    Some(Fault::new(
        format!("`{key}` is a secret and must not stand in the configuration"),
        format!(
            "put it into a file of its own (mode 600) and write `{file_key} = \"/path/to/file\"`, \
             or set {variable} in the environment; a value that stood here may have been read by \
             others: replace it"
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
