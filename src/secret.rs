//! A secret that cannot be printed, and the redactor that knows them all.
//!
//! Invariant: the value leaves a [`Secret`] only through [`Secret::expose`], which is called where
//! it goes onto the wire and nowhere else.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// A value that never appears in a log, an error, a page or the database.
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Wraps a value; surrounding white space (a file's last newline) is dropped.
    pub fn new(value: &str) -> Self {
        Self(Arc::new(SecretString::from(value.trim().to_owned())))
    }

    /// The value itself, for the wire alone.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

/// The last line of defence: replaces every known secret in a text by `***`.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    secrets: Arc<Mutex<Vec<Secret>>>,
}

/// Shorter values are not searched for: they would blank out ordinary words.
const SHORTEST_BYTES: usize = 6;

impl Redactor {
    /// Remembers a secret and, for a URL, its path (which is the secret part of a webhook).
    pub fn learn(&self, secret: &Secret) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let path = url::Url::parse(secret.expose()).ok().map(|url| Secret::new(url.path()));
        for new in [Some(secret.clone()), path].into_iter().flatten() {
            if new.expose().len() >= SHORTEST_BYTES && !secrets.contains(&new) {
                secrets.push(new);
            }
        }
    }

    /// The text without any known secret, plain, percent-encoded or JSON-escaped.
    pub fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clean = text.to_owned();
        for secret in secrets.iter() {
            for form in forms(secret.expose()) {
                if clean.contains(&form) {
                    clean = clean.replace(&form, "***");
                }
            }
        }
        clean
    }
}

fn forms(value: &str) -> Vec<String> {
    let percent: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let json = serde_json::Value::from(value).to_string();
    let json = json.trim_matches('"').to_owned();
    let mut forms = vec![value.to_owned(), percent, json];
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        assert_eq!(format!("{:?}", Secret::new("sk-live-1234")), "***");
    }

    #[test]
    fn every_form_of_a_known_secret_is_redacted() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("https://hooks.example.org/services/T0/B0/SECRET"));
        redactor.learn(&Secret::new("p\"ss+word\n"));
        let text = "POST /services/T0/B0/SECRET failed, p%22ss%2Bword and p\\\"ss+word";
        assert_eq!(redactor.redact(text), "POST *** failed, *** and ***");
    }
}
