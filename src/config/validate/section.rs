//! The sections that stand once: who and where we are, HeyGen's API, history, the HTTP side.
//!
//! Invariant: `None` only when a problem was added.

use jiff::tz::TimeZone;

use super::{Check, in_order};
use crate::config::document::At;
use crate::config::problem::Fault;
use crate::config::raw::{RawHeygen, RawStorage, RawWeb};
use crate::config::value::{self, Purpose};
use crate::config::word::CapabilityWord;
use crate::config::{HeygenConfig, StorageConfig, WebConfig, place, secrets};
use crate::model::Capability;
use crate::secret::Secret;
use crate::store::Retention;

impl Check<'_> {
    pub(super) fn zone(&mut self, written: Option<&str>) -> TimeZone {
        let at = At::root().key("timezone");
        written.and_then(|name| self.value(&at, value::zone(name))).unwrap_or(TimeZone::UTC)
    }

    pub(super) fn vantage(&mut self, written: Option<&str>) -> String {
        match written {
            Some(text) => self.value(&At::root().key("vantage"), value::name(text)),
            None => None,
        }
        .unwrap_or_else(|| place::host_name(self.surroundings))
    }

    pub(super) fn uses(&mut self, written: Option<&[CapabilityWord]>) -> Vec<Capability> {
        let words = written.unwrap_or_default();
        if words.is_empty() {
            self.fail(
                &At::root().key("uses"),
                Fault::new(
                    "`uses` names no capability",
                    "list what your team depends on, or remove the key: then it is everything",
                ),
            );
        }
        in_order(words)
    }

    /// The name of the account, and how it is reached.
    pub(super) fn heygen(&mut self, raw: Option<&RawHeygen>) -> Option<(String, HeygenConfig)> {
        let raw = raw?;
        let at = At::root().key("heygen");
        let account = self.value(&at.key("account"), value::name(raw.account.as_deref()?));
        let base_url = self.url(&at.key("base_url"), raw.base_url.as_deref(), Purpose::Ask);
        let api_key = self.api_key(raw.api_key_file.as_deref(), &at.key("api_key_file"));
        Some((account?, HeygenConfig { base_url: base_url?, api_key }))
    }

    fn api_key(&mut self, file: Option<&str>, at: &At) -> Option<Secret> {
        let kind = &secrets::API_KEY;
        let path = file.map(|file| self.path(file));
        let offers = self.vault.offers(kind, path.as_deref());
        let secret = match path {
            Some(path) if !offers.is_empty() => {
                let mut sources = vec![format!("`api_key_file` ({})", path.display())];
                sources.extend(offers);
                self.fail(at, secrets::two_sources(kind, &sources));
                return None;
            }
            Some(path) => {
                let read = self.vault.file(kind, kind.label.to_owned(), &path);
                self.value(at, read)
            }
            None => {
                let offered = self.vault.offered(kind);
                self.value(&At::nowhere(), offered).flatten()
            }
        }?;
        let at = if file.is_some() { at } else { &At::nowhere() };
        // It goes into a header: whatever else stands there was not copied from HeyGen.
        if secret.expose().bytes().any(|byte| !byte.is_ascii_graphic()) {
            self.fail(
                at,
                Fault::new(
                    "the HeyGen API key holds spaces or other characters that no key has",
                    "copy it again from HeyGen's settings, alone",
                ),
            );
        }
        Some(secret)
    }

    pub(super) fn storage(&mut self, raw: Option<&RawStorage>) -> Option<StorageConfig> {
        let raw = raw?;
        let at = At::root().key("storage");
        let configured = raw.path.as_deref().map(|text| self.path(text));
        let names_directory = raw.path.as_deref().is_some_and(|text| {
            text.trim().is_empty() || text.ends_with('/') || self.path(text).is_dir()
        });
        if names_directory {
            self.fail(
                &at.key("path"),
                Fault::new(
                    "`storage.path` names a directory",
                    "it names the database itself: \"/var/lib/heygen-monitor/history.db\"",
                ),
            );
        }
        let kept = raw.retention.as_ref()?;
        let at = at.key("retention");
        let observations = self.duration(&at.key("observations"), kept.observations.as_ref());
        let failures = self.duration(&at.key("failures"), kept.failures.as_ref());
        Some(StorageConfig {
            path: place::database(configured, self.surroundings),
            retention: Retention { observations: observations?, failures: failures? },
        })
    }

    pub(super) fn web(&mut self, raw: Option<&RawWeb>) -> Option<WebConfig> {
        let raw = raw?;
        let at = At::root().key("web");
        let listen = self.value(&at.key("listen"), value::listen(raw.listen.as_deref()?));
        let auth = self.auth(raw.auth.as_ref(), &at.key("auth"));
        let is_open = listen.is_some_and(|listen| !listen.ip().is_loopback());
        if is_open && raw.auth.is_none() && raw.allow_unauthenticated != Some(true) {
            self.fail(
                &at.key("listen"),
                Fault::new(
                    "others could reach this address, and nothing asks who they are",
                    "listen on 127.0.0.1 behind a reverse proxy, ask readers with `auth`, or permit \
                     it with `allow_unauthenticated = true`",
                ),
            );
        }
        let public_url = self.url(&at.key("public_url"), raw.public_url.as_deref(), Purpose::Link);
        let names = raw.hosts.as_deref().unwrap_or_default();
        let hosts = self.each(&at.key("hosts"), names, value::host_name);
        let brand = self.brand(raw.brand.as_ref(), &at.key("brand"));
        Some(WebConfig { listen: listen?, public_url, hosts, auth, brand })
    }
}
