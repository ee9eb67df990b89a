//! Which events are let in.
//!
//! Owns signature, age and newness of an event, and its reading. Invariant: nothing of a body is
//! looked at before its signature is known to be right, and signatures are compared in a time that
//! tells nothing of them.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::heygen::job::{JobRow, job_event};
use crate::model::text::clean;
use crate::model::{JobEvent, JobKind, Sighting, Timestamp};
use crate::secret::Secret;

/// An event that was sent longer ago is refused (facts, section 9).
const FRESH_FOR: Duration = Duration::from_mins(5);
/// Ids are remembered for this long: thrice as long as an event is fresh.
const REMEMBERED_FOR: Duration = Duration::from_mins(15);
/// So many ids are remembered at most; an account has a few events a minute.
const REMEMBERED: usize = 10_000;
/// Longest event id kept, in characters.
const ID_CHARS: usize = 200;
/// What a secret begins with; whether the prefix is part of the key is told nowhere.
const SECRET_PREFIX: &str = "whsec_";

/// Lets events in.
pub(super) struct Door {
    probe: String,
    secret: Secret,
    seen: Mutex<VecDeque<(String, Timestamp)>>,
}

/// Why an event was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It came before.
    Duplicate,
    /// Its signature is missing or wrong, or it is too old.
    NotGenuine,
    /// It is no event.
    Unreadable,
}

impl Door {
    pub(super) fn new(probe: String, secret: Secret) -> Self {
        Self { probe, secret, seen: Mutex::default() }
    }

    /// Judges an event.
    pub(super) fn admit(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<JobEvent, Refused> {
        let signature = signature(headers).ok_or(Refused::NotGenuine)?;
        if !self.has_signed(&signature.bytes, body) {
            return Err(Refused::NotGenuine);
        }
        let sent_at = match header(headers, "heygen-timestamp") {
            Some(text) => sent_at(text).ok_or(Refused::Unreadable)?,
            // The legacy form has no time.
            None if signature.is_legacy => now,
            None => return Err(Refused::NotGenuine),
        };
        if now.duration_since(sent_at).unsigned_abs() > FRESH_FOR {
            return Err(Refused::NotGenuine);
        }
        let (_, said) = job_event(body).ok_or(Refused::Unreadable)?;
        let event_id = header(headers, "heygen-event-id")
            .map(|id| clean(id, ID_CHARS))
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| digest(body));
        if self.has_seen(&event_id, now) {
            return Err(Refused::Duplicate);
        }
        // Clocks differ by a little: nothing is seen in the future.
        let sent_at = sent_at.min(now);
        Ok(JobEvent {
            probe: self.probe.clone(),
            event_id,
            sent_at,
            at: now,
            sighting: said.map(|(kind, row)| sighting(kind, row, sent_at)),
        })
    }

    /// An event was passed on: when it comes again, it is a duplicate.
    pub(super) fn remember(&self, event_id: String, now: Timestamp) {
        let mut seen = self.seen();
        while seen.len() >= REMEMBERED {
            seen.pop_front();
        }
        seen.push_back((event_id, now));
    }

    /// Whether the signature is the secret's, with its prefix or without.
    fn has_signed(&self, signature: &[u8], body: &[u8]) -> bool {
        let secret = self.secret.expose();
        let bare = secret.strip_prefix(SECRET_PREFIX).filter(|bare| !bare.is_empty());
        [Some(secret), bare].into_iter().flatten().any(|key| {
            Hmac::<Sha256>::new_from_slice(key.as_bytes())
                .is_ok_and(|mac| mac.chain_update(body).verify_slice(signature).is_ok())
        })
    }

    fn has_seen(&self, event_id: &str, now: Timestamp) -> bool {
        let mut seen = self.seen();
        let is_old = |at: Timestamp| now.duration_since(at).unsigned_abs() > REMEMBERED_FOR;
        while seen.front().is_some_and(|(_, at)| is_old(*at)) {
            seen.pop_front();
        }
        seen.iter().any(|(id, _)| id == event_id)
    }

    fn seen(&self) -> MutexGuard<'_, VecDeque<(String, Timestamp)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A signature, as sent.
struct Signature {
    bytes: Vec<u8>,
    is_legacy: bool,
}

fn signature(headers: &HeaderMap) -> Option<Signature> {
    let named = |name, is_legacy| {
        let text = header(headers, name)?;
        let text = text.strip_prefix("sha256=").unwrap_or(text);
        Some(Signature { bytes: unhex(text)?, is_legacy })
    };
    named("heygen-signature", false).or_else(|| named("signature", true))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Seconds since 1970, or milliseconds.
fn sent_at(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    let is_millis = number >= 100_000_000_000;
    if is_millis { Timestamp::from_millisecond(number) } else { Timestamp::from_second(number) }
        .ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
    )
}

fn digest(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::from("sha256-"), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// HeyGen tells of an end when it comes: what does not say itself when it ended, ended then.
fn sighting(kind: JobKind, row: JobRow, at: Timestamp) -> Sighting {
    let completed_at = row.completed_at.or(Some(at));
    Sighting { completed_at, ..crate::probe::job_calls::bulk_sighting(kind, row, at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_hex_is_a_signature() {
        assert_eq!(unhex(&"aF".repeat(32)), Some(vec![0xaf; 32]));
        for text in ["", "aF", &"g".repeat(64), &"a".repeat(66), &"ä".repeat(64)] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_seen_is_bounded_and_forgotten_in_time() {
        let door = Door::new("webhook".to_owned(), Secret::new("whsec_0123456789"));
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let later = |minutes| now + Duration::from_mins(minutes);
        assert!(!door.has_seen("a", now));
        door.remember("a".to_owned(), now);
        assert!(door.has_seen("a", later(14)) && !door.has_seen("a", later(16)));
        for number in 0..REMEMBERED + 5 {
            door.remember(number.to_string(), later(17));
        }
        assert_eq!(door.seen().len(), REMEMBERED);
    }
}
