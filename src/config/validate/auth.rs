//! `web.auth`: who is trusted to see everything.
//!
//! Invariant: what is let through can be checked: a token that cannot be guessed, or hashes that a
//! login does not wait seconds for.

use std::collections::BTreeSet;

use super::Check;
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::RawAuth;
use crate::config::secrets::{WEB_PASSWORDS, WEB_TOKEN};
use crate::secret::Secret;
use crate::web::{AuthSpec, Password};

/// Shorter tokens can be guessed.
const TOKEN_CHARS_MIN: usize = 16;

/// A login of a higher cost takes longer than a second (bcrypt doubles with each).
const COST_MAX: u32 = 14;

impl Check<'_> {
    /// `None` without `auth`, or when a problem was added.
    pub(super) fn auth(&mut self, raw: Option<&RawAuth>, at: &At) -> Option<AuthSpec> {
        // Both at once were refused for their shape already.
        let raw = raw.filter(|raw| raw.bearer_file.is_none() || raw.basic_file.is_none())?;
        if let Some(file) = &raw.bearer_file {
            let at = at.key("bearer_file");
            let path = self.path(file);
            let token = self.vault.file(&WEB_TOKEN, WEB_TOKEN.label.to_owned(), &path);
            let token = token.and_then(|token| good_token(&token).map(|()| token));
            return self.value(&at, token).map(AuthSpec::Bearer);
        }
        let at = at.key("basic_file");
        let path = self.path(raw.basic_file.as_deref()?);
        let lines = self.vault.lines(&WEB_PASSWORDS, &path);
        let lines = self.value(&at, lines)?;
        let passwords = self.value(&at, passwords(&lines))?;
        for password in &passwords {
            self.vault.redactor.learn(&password.hash);
        }
        Some(AuthSpec::Basic(passwords))
    }
}

fn good_token(token: &Secret) -> Result<(), Fault> {
    let text = token.expose();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && text.chars().count() >= TOKEN_CHARS_MIN {
        return Ok(());
    }
    Err(Fault::new(
        format!("{} is shorter than {TOKEN_CHARS_MIN} plain characters", WEB_TOKEN.label),
        "make one that cannot be guessed: openssl rand -hex 32",
    ))
}

fn passwords(lines: &[(usize, String)]) -> Result<Vec<Password>, Fault> {
    let mut users = BTreeSet::new();
    let mut passwords = Vec::new();
    for (number, line) in lines {
        let wrong = |what: &str| {
            Fault::new(
                format!("line {number} of {} {what}", WEB_PASSWORDS.label),
                "one `user:hash` a line, as this writes it: htpasswd -nB USER",
            )
        };
        let (user, hash) = line.split_once(':').ok_or_else(|| wrong("has no colon"))?;
        let parts: bcrypt::HashParts =
            hash.parse().map_err(|_| wrong("holds no bcrypt hash after the colon"))?;
        if parts.get_cost() > COST_MAX {
            return Err(wrong(&format!("has a cost above {COST_MAX}: a login would take seconds")));
        }
        if user.is_empty() || !users.insert(user) {
            return Err(wrong("names no user, or one that stands there twice"));
        }
        passwords.push(Password { user: user.to_owned(), hash: Secret::new(hash) });
    }
    if passwords.is_empty() {
        let hint = "write one `user:hash` a line: htpasswd -nB USER";
        return Err(Fault::new(format!("{} name nobody", WEB_PASSWORDS.label), hint));
    }
    Ok(passwords)
}
