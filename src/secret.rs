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
    /// Every form of every secret, longest first: one may contain another.
    forms: Arc<Mutex<Vec<Secret>>>,
}

/// Shorter values are not searched for: they would blank out ordinary words.
const SHORTEST_BYTES: usize = 6;

impl Redactor {
    /// Remembers a secret and, for a URL, the parts of it that are the secret ones: the path of a
    /// webhook, a token behind it, a password before it.
    pub fn learn(&self, secret: &Secret) {
        let url = url::Url::parse(secret.expose()).ok();
        let parts = url
            .iter()
            .flat_map(|url| [Some(url.as_str()), Some(url.path()), url.query(), url.password()]);
        let values = std::iter::once(secret.expose()).chain(parts.flatten());
        let mut all = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(values.filter(|value| value.len() >= SHORTEST_BYTES).flat_map(forms));
        all.sort_by(|one, other| {
            let order = |form: &Secret| std::cmp::Reverse(form.expose().len());
            order(one).cmp(&order(other)).then_with(|| one.expose().cmp(other.expose()))
        });
        all.dedup();
    }

    /// The text without any known secret, plain, percent-encoded or JSON-escaped.
    pub fn redact(&self, text: &str) -> String {
        let forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clean = text.to_owned();
        for form in forms.iter().filter(|form| text.contains(form.expose())) {
            clean = clean.replace(form.expose(), "***");
        }
        clean
    }
}

fn forms(value: &str) -> [Secret; 3] {
    let percent: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let json = serde_json::Value::from(value).to_string();
    [value, &percent, json.trim_matches('"')].map(Secret::new)
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

    #[test]
    fn a_secret_within_another_leaves_nothing_of_it() {
        let redactor = Redactor::default();
        let url = "HTTPS://Bot:hunter22@A.example/?t=tokentoken";
        for secret in ["sk-live-1", "sk-live-1-and-more", url] {
            redactor.learn(&Secret::new(secret));
        }
        let as_sent = "https://Bot:hunter22@a.example/?t=tokentoken";
        let text = format!("sk-live-1-and-more, t=tokentoken, hunter22, {as_sent}");
        assert_eq!(redactor.redact(&text), "***, ***, ***, ***");
    }
}
