//! What the simulation received: the ground truth of tests.
//!
//! Owns the list alone; who writes it is `gate` and `dns`. Invariant: entries are never changed but
//! for the status of their answer, and never removed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::Service;

/// One request, as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// When, in simulated time.
    pub at: Timestamp,
    /// Where.
    pub service: Service,
    /// Method; `QUERY` for DNS.
    pub method: String,
    /// Path with the query string; the name for DNS.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Vec<u8>,
    /// Status of the answer; `None` until it is given, and when none was.
    pub status: Option<u16>,
}

impl Received {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// True for a request that asks HeyGen's API to make something.
    pub fn is_create(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        let makes = ["/v3/videos", "/v3/video-translations", "/v3/voices/speech"].contains(&path)
            || (path.starts_with("/v2/template/") && path.ends_with("/generate"));
        self.service == Service::Api && self.method == "POST" && makes
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Everything received, oldest first.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<Received>>);

impl Log {
    /// All of it.
    pub fn all(&self) -> Vec<Received> {
        self.entries().clone()
    }

    /// That of one service.
    pub fn of(&self, service: Service) -> Vec<Received> {
        self.entries().iter().filter(|entry| entry.service == service).cloned().collect()
    }

    /// How many creates there were for each word that `name` gives them.
    pub fn creates_by(
        &self,
        name: impl Fn(&Received) -> Option<String>,
    ) -> BTreeMap<String, usize> {
        counted(self.entries().iter().filter(|entry| entry.is_create()).filter_map(name))
    }

    /// Appends; answers the entry's place.
    pub(super) fn push(&self, received: Received) -> usize {
        let mut entries = self.entries();
        entries.push(received);
        entries.len() - 1
    }

    /// Notes how the entry at `place` was answered.
    pub(super) fn answered(&self, place: usize, status: u16) {
        if let Some(entry) = self.entries().get_mut(place) {
            entry.status = Some(status);
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often each word comes.
pub(super) fn counted(words: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}
