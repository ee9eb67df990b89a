//! HeyGen's signed events: the simulator tells of the end of jobs.
//!
//! Owns who is told and how an event is signed; `webhook/courier` brings it there. Invariant: an event
//! keeps its id through every attempt and every copy.

mod courier;

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

pub(super) use courier::run;

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// `http://` and a loopback address.
    pub url: String,
    /// What events are signed with.
    pub secret: String,
    /// How they are brought.
    pub manner: Manner,
}

impl WebhookEndpoint {
    /// One that is told at once, and properly.
    pub fn new(url: &str, secret: &str) -> Self {
        Self { url: url.to_owned(), secret: secret.to_owned(), manner: Manner::Prompt }
    }

    /// The same, brought otherwise.
    #[must_use]
    pub fn manner(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }
}

/// How events are brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// At the end of the job.
    #[default]
    Prompt,
    /// This much later, with the time at which it is sent.
    Late(Duration),
    /// Each twice, with the same id.
    Twice,
    /// With a timestamp this much in the past.
    Backdated(Duration),
    /// Signed with another secret.
    WronglySigned,
    /// Without a signature.
    Unsigned,
    /// Never.
    Silent,
}

/// What was told, or tried to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// Its id.
    pub event_id: String,
    /// When it came into being: the end of its job.
    pub created_at: Timestamp,
    /// The job.
    pub job_id: String,
    /// Its type.
    pub event_type: String,
    /// The body that is posted.
    pub body: String,
    /// To whom.
    pub url: String,
    /// How often it was posted.
    pub attempts: u32,
    /// Status of the last answer; `None` when there was none.
    pub status: Option<u16>,
}

/// What HeyGen puts into `Heygen-Signature`: HMAC-SHA256 of the body, in hex.
pub fn webhook_signature(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let signature = webhook_signature("Jefe", b"what do ya want for nothing?");
        assert_eq!(signature, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
