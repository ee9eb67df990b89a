//! Secrets come from a file, from systemd's credentials or from the environment; exactly one of
//! them.
//!
//! Owns reading them and teaching the redactor. Invariant: no fault quotes a secret, and every
//! secret that was read is known to the redactor before anything else is done with it.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::problem::Fault;
use super::{SecretOrigin, Surroundings, place};
use crate::secret::{Redactor, Secret};

/// Longer files are no keys.
const LONGEST_SECRET_BYTES: u64 = 16 * 1024;

/// A secret that can come from several places.
#[derive(Debug)]
pub(super) struct Kind {
    /// What people call it.
    pub(super) label: &'static str,
    /// Its name among the credentials; in capitals that of its variable.
    pub(super) credential: &'static str,
}

/// HeyGen's API key.
pub(super) const API_KEY: Kind = Kind { label: "the HeyGen API key", credential: "heygen_api_key" };

/// The incoming webhook of Slack.
pub(super) const SLACK_WEBHOOK: Kind =
    Kind { label: "the Slack webhook", credential: "slack_webhook_url" };

/// What HeyGen signs its events with.
pub(super) const EVENTS_SECRET: Kind =
    Kind { label: "the HeyGen webhook secret", credential: "heygen_webhook_secret" };

/// The bot token of Slack.
pub(super) const SLACK_BOT_TOKEN: Kind =
    Kind { label: "the Slack bot token", credential: "slack_bot_token" };

/// The address of a webhook of one's own.
pub(super) const WEBHOOK_URL: Kind =
    Kind { label: "the webhook's address", credential: "webhook_url" };

/// What signs the requests to it.
pub(super) const WEBHOOK_SECRET: Kind =
    Kind { label: "the webhook's secret", credential: "webhook_secret" };

/// The routing key of PagerDuty.
pub(super) const PAGERDUTY_KEY: Kind =
    Kind { label: "the PagerDuty routing key", credential: "pagerduty_routing_key" };

/// The access token of ntfy.
pub(super) const NTFY_TOKEN: Kind = Kind { label: "the ntfy token", credential: "ntfy_token" };

/// Where a sign of life is given.
pub(super) const HEARTBEAT_URL: Kind =
    Kind { label: "the heartbeat's address", credential: "heartbeat_url" };

/// The password of the SMTP server.
pub(super) const SMTP_PASSWORD: Kind =
    Kind { label: "the SMTP password", credential: "smtp_password" };

/// What readers show that are trusted; its file is named in the configuration alone.
pub(super) const WEB_TOKEN: Kind =
    Kind { label: "the token of `web.auth`", credential: "web_token" };

/// The users and hashes of readers that are trusted; as for the token.
pub(super) const WEB_PASSWORDS: Kind =
    Kind { label: "the passwords of `web.auth`", credential: "web_passwords" };

impl Kind {
    /// Its variable.
    pub(super) fn variable(&self) -> String {
        self.credential.to_ascii_uppercase()
    }
}

/// All of them.
pub(super) const ALL: [&Kind; 12] = [
    &API_KEY,
    &SLACK_WEBHOOK,
    &EVENTS_SECRET,
    &SLACK_BOT_TOKEN,
    &WEBHOOK_URL,
    &WEBHOOK_SECRET,
    &PAGERDUTY_KEY,
    &NTFY_TOKEN,
    &HEARTBEAT_URL,
    &SMTP_PASSWORD,
    &WEB_TOKEN,
    &WEB_PASSWORDS,
];

/// Reads secrets.
#[derive(Debug)]
pub(super) struct Vault<'a> {
    surroundings: &'a Surroundings,
    credentials: Option<PathBuf>,
    /// Knows every secret that was read.
    pub(super) redactor: Redactor,
    /// Where each came from.
    pub(super) origins: Vec<SecretOrigin>,
}

impl<'a> Vault<'a> {
    pub(super) fn new(surroundings: &'a Surroundings) -> Self {
        let credentials = surroundings.variable("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self { surroundings, credentials, redactor: Redactor::default(), origins: Vec::new() }
    }

    /// The places outside the configuration that offer this secret, for people; `named` is the
    /// file that the configuration names, which may be the credential itself.
    pub(super) fn offers(&self, kind: &Kind, named: Option<&Path>) -> Vec<String> {
        let credential = self
            .credential(kind)
            .filter(|path| named != Some(path))
            .map(|_| format!("$CREDENTIALS_DIRECTORY/{}", kind.credential));
        let name = kind.variable();
        let variable = self.surroundings.variable(&name);
        let variable = variable.map(|_| format!("{name} in the environment"));
        credential.into_iter().chain(variable).collect()
    }

    /// The secret from outside the configuration, if it is offered.
    ///
    /// # Errors
    /// Offered twice, or unreadable.
    pub(super) fn offered(&mut self, kind: &Kind) -> Result<Option<Secret>, Fault> {
        let offers = self.offers(kind, None);
        if offers.len() > 1 {
            return Err(two_sources(kind, &offers));
        }
        let Some(from) = offers.into_iter().next() else {
            return Ok(None);
        };
        let text = match self.credential(kind) {
            Some(path) => read(kind, &path, Guard::Systemd)?,
            None => self.surroundings.variable(&kind.variable()).unwrap_or_default().to_owned(),
        };
        self.learn(kind, kind.label.to_owned(), &text, from).map(Some)
    }

    /// The secret in a file that the configuration names. `what` says whose secret it is.
    ///
    /// # Errors
    /// Missing, unreadable, empty, or open to others.
    pub(super) fn file(&mut self, kind: &Kind, what: String, path: &Path) -> Result<Secret, Fault> {
        let text = read(kind, path, self.guard(path))?;
        self.learn(kind, what, &text, path.display().to_string())
    }

    /// The lines of a file that holds many secrets, with their numbers; empty lines and comments
    /// are left out. Who knows which part is secret teaches the redactor.
    ///
    /// # Errors
    /// Missing, unreadable, or open to others.
    pub(super) fn lines(
        &mut self,
        kind: &Kind,
        path: &Path,
    ) -> Result<Vec<(usize, String)>, Fault> {
        let text = read(kind, path, self.guard(path))?;
        let from = path.display().to_string();
        self.origins.push(SecretOrigin { what: kind.label.to_owned(), from });
        let lines = text.lines().map(str::trim).enumerate();
        let told = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        Ok(told.map(|(i, line)| (i + 1, line.to_owned())).collect())
    }

    fn guard(&self, path: &Path) -> Guard {
        let inside =
            self.credentials.as_deref().is_some_and(|directory| path.starts_with(directory));
        if inside { Guard::Systemd } else { Guard::Mode }
    }

    fn learn(
        &mut self,
        kind: &Kind,
        what: String,
        text: &str,
        from: String,
    ) -> Result<Secret, Fault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Fault::new(
                format!("{} is empty: {from}", kind.label),
                "write the secret into it, and nothing else",
            ));
        }
        let secret = Secret::new(text);
        self.redactor.learn(&secret);
        if text.contains(char::is_control) {
            return Err(Fault::new(
                format!("{} has more than one line: {from}", kind.label),
                "the secret must stand there alone",
            ));
        }
        self.origins.push(SecretOrigin { what, from });
        Ok(secret)
    }

    fn credential(&self, kind: &Kind) -> Option<PathBuf> {
        let path = self.credentials.as_ref()?.join(kind.credential);
        match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            _ => Some(path),
        }
    }
}

/// The fault of a secret with more than one source.
pub(super) fn two_sources(kind: &Kind, sources: &[String]) -> Fault {
    Fault::new(
        format!("{} has two sources: {}", kind.label, sources.join(" and ")),
        "keep one of them: it could not be told which is the right one",
    )
}

/// Who guards a secret file against other users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Its mode.
    Mode,
    /// The service manager: credentials are mounted for this service alone.
    Systemd,
}

fn read(kind: &Kind, path: &Path, guard: Guard) -> Result<String, Fault> {
    let shown = path.display();
    let mut file = place::open(path).map_err(|error| unreadable(kind, path, &error))?;
    let metadata = file.metadata().map_err(|error| unreadable(kind, path, &error))?;
    if metadata.is_dir() {
        return Err(Fault::new(
            format!("the file of {} is a directory: {shown}", kind.label),
            "name the file in it",
        ));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if guard == Guard::Mode && mode & 0o077 != 0 {
        return Err(Fault::new(
            format!("the file of {} can be read by others (mode {mode:03o}): {shown}", kind.label),
            format!("run `chmod 600 {shown}`, and replace the secret if others may have read it"),
        ));
    }
    let mut text = String::new();
    let limit = LONGEST_SECRET_BYTES + 1;
    file.by_ref()
        .take(limit)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(kind, path, &error))?;
    if text.len() as u64 == limit {
        return Err(Fault::new(
            format!("the file of {} is longer than 16 KiB: {shown}", kind.label),
            "the secret must stand there alone",
        ));
    }
    Ok(text)
}

fn unreadable(kind: &Kind, path: &Path, error: &std::io::Error) -> Fault {
    let shown = path.display();
    let hint = match error.kind() {
        ErrorKind::NotFound => {
            format!("write the secret to {shown} (mode 600), or correct the path")
        }
        ErrorKind::PermissionDenied => {
            "make the user that runs heygen-monitor its owner (chown), or use LoadCredential".into()
        }
        _ => "the file must hold the secret as plain text, and nothing else".into(),
    };
    let why = match error.kind() {
        ErrorKind::NotFound => "is missing".to_owned(),
        _ => format!("cannot be read ({error})"),
    };
    Fault::new(format!("the file of {} {why}: {shown}", kind.label), hint)
}
