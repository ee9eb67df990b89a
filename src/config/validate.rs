//! From the TOML as written to a configuration that cannot be wrong: every problem at once.
//!
//! Owns what holds for the file as a whole; probes, status pages and channels are judged in files
//! of their own. Reads nothing but secrets (`secrets`). Invariant: when no problem was added, the
//! answer is complete and consistent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::document::{At, Document};
use super::problem::{Fault, Problems};
use super::raw::{Raw, RawProbe};
use super::secrets::{self, Vault};
use super::value::{self, Purpose};
use super::word::CapabilityWord;
use super::{Config, Surroundings, spend};
use crate::engine::{Cadence, JobsWatch, Settings, Thresholds};
use crate::model::{Capability, Timestamp};
use crate::notify::ChannelSpec;
use crate::probe::{CheckSpec, ProbeSpec};

mod auth;
mod brand;
mod channel;
mod job_probe;
mod jobs;
mod price;
mod probe;
pub(super) mod route;
mod section;
mod service;
mod settings;
mod status_page;
mod timing;

/// Jobs that an account may have in flight at once unless HeyGen agreed to more (facts, section 6).
const CONCURRENCY: u32 = 10;

/// What validation looks at and what it gathers.
pub(super) struct Check<'a> {
    document: &'a Document,
    surroundings: &'a Surroundings,
    problems: &'a mut Problems,
    warnings: Vec<String>,
    /// What each probe has to do with jobs, by its name.
    jobs: BTreeMap<String, JobsWatch>,
    vault: Vault<'a>,
    directory: PathBuf,
    zone: TimeZone,
    now: Timestamp,
    is_fast: bool,
    /// True when the file says something of a key, be it right or wrong.
    pub(super) names_key: bool,
}

/// The built-in configuration.
pub(super) struct BuiltIn {
    /// Its tree.
    pub(super) document: Document,
    /// Its values.
    pub(super) raw: Raw,
}

impl<'a> Check<'a> {
    pub(super) fn new(
        document: &'a Document,
        surroundings: &'a Surroundings,
        problems: &'a mut Problems,
        directory: &Path,
        now: Timestamp,
    ) -> Self {
        Self {
            document,
            surroundings,
            problems,
            warnings: Vec::new(),
            jobs: BTreeMap::new(),
            vault: Vault::new(surroundings),
            directory: directory.to_owned(),
            zone: TimeZone::UTC,
            now,
            is_fast: false,
            names_key: false,
        }
    }

    /// The configuration; worth something only when no problem was added. `None` when what is
    /// missing has no stand-in.
    pub(super) fn config(mut self, raw: Raw, built_in: &BuiltIn) -> Option<Config> {
        let is_chosen = raw.uses.is_some();
        let raw = raw.filled_from(&built_in.raw);
        let root = At::root();
        self.zone = self.zone(raw.timezone.as_deref());
        let vantage = self.vantage(raw.vantage.as_deref());
        let uses = self.uses(raw.uses.as_deref());
        let proxy = self.url(&root.key("proxy"), raw.proxy.as_deref(), Purpose::Proxy);
        let heygen = self.heygen(raw.heygen.as_ref());
        let storage = self.storage(raw.storage.as_ref());
        let web = self.web(raw.web.as_ref());
        let base_url = heygen.as_ref().map(|(_, heygen)| heygen.base_url.clone());
        let probes = self.all_probes(&raw, built_in, base_url);
        let channels = self.all_channels(&raw);
        let jobs = self.job_rules(raw.jobs.as_ref());
        self.refuse_shared_listeners(&probes, web.as_ref().map(|web| web.listen));
        let routes = self.routes(raw.route.as_deref().unwrap_or_default(), &channels);
        let windows = self.windows(raw.maintenance.as_deref().unwrap_or_default());
        let heartbeat = self.heartbeat(raw.heartbeat.as_ref());
        self.warn_of_fast_time();
        let (account, heygen) = heygen?;
        let settings = Settings {
            vantage,
            account,
            uses,
            timezone: self.zone,
            probes: settings::watches(&probes, &self.jobs, &heygen.base_url, self.now),
            sources: settings::sources(&probes, self.now),
            channels: settings::channels(&channels),
            cadence: Cadence::Daemon,
            instance: String::new(),
            concurrency: raw.heygen.and_then(|raw| raw.concurrency).unwrap_or(CONCURRENCY),
            jobs,
            routes,
            windows,
            budget: Self::budget(raw.budget.as_ref()),
        };
        if is_chosen {
            self.warnings.extend(settings::unwatched(&settings));
        }
        self.warnings.extend(spend::warnings(&settings, self.now));
        Some(Config {
            file: None,
            settings,
            show_titles: raw.show_titles.unwrap_or(false),
            heygen,
            proxy,
            probes,
            channels,
            heartbeat,
            storage: storage?,
            web: web?,
            redactor: self.vault.redactor,
            secrets: self.vault.origins,
            warnings: self.warnings,
        })
    }

    /// Probes, then status pages.
    fn all_probes(
        &mut self,
        raw: &Raw,
        built_in: &BuiltIn,
        base_url: Option<url::Url>,
    ) -> Vec<ProbeSpec> {
        let at = At::root().key("thresholds");
        let thresholds = self.thresholds(raw.thresholds.as_ref(), Thresholds::default(), &at);
        let has_key = self.names_key || !self.vault.offers(&secrets::API_KEY, None).is_empty();
        let takes_secret = |probe: &RawProbe| {
            let check = probe.check.as_ref().and_then(|check| check.webhook.as_ref());
            check.is_some_and(|webhook| webhook.secret_file.is_none())
        };
        let offers_webhook_secret = raw.probe.iter().flatten().any(takes_secret);
        let scope = probe::Scope { thresholds, base_url, has_key, offers_webhook_secret };
        let mut probes = self.probes(raw.probe.as_deref(), built_in, &scope);
        probes.extend(self.status_pages(raw.status_page.as_deref(), built_in, thresholds));
        self.unique(&["probe", "status_page"], "a probe or status page");
        probes
    }

    fn all_channels(&mut self, raw: &Raw) -> Vec<ChannelSpec> {
        let channels = self.channels(raw.channel.as_deref().unwrap_or_default());
        self.unique(&["channel"], "a channel");
        channels
    }

    /// Listeners that want one address for themselves.
    fn refuse_shared_listeners(&mut self, probes: &[ProbeSpec], web: Option<SocketAddr>) {
        let mut taken: Vec<SocketAddr> = web.into_iter().collect();
        for at in self.document.elements(&At::root().key("probe")) {
            let name = self.document.text(&at.key("name"));
            let spec = probes.iter().find(|spec| Some(spec.name.as_str()) == name);
            let Some(CheckSpec::Webhook(webhook)) = spec.map(|spec| &spec.check) else {
                continue;
            };
            if webhook.listen.port() != 0 && taken.contains(&webhook.listen) {
                let fault = Fault::new(
                    format!("something else listens on {} already", webhook.listen),
                    "`web.listen` and every `check.webhook` need an address of their own",
                );
                self.fail(&at.key("check").key("webhook").key("listen"), fault);
            }
            taken.push(webhook.listen);
        }
    }

    /// Names that occur twice in the lists of `tables`, compared without case.
    fn unique(&mut self, tables: &[&str], what: &str) {
        let mut seen = BTreeSet::new();
        for at in tables.iter().flat_map(|table| self.document.elements(&At::root().key(table))) {
            let at = at.key("name");
            let Some(name) = self.document.text(&at) else {
                continue;
            };
            if !seen.insert(name.to_lowercase()) {
                let fault = Fault::new(
                    format!("{what} of the name \"{name}\" exists already"),
                    "names tell them apart in messages, metrics and history: choose another",
                );
                self.fail(&at, fault);
            }
        }
    }
}

/// Reading single values.
impl Check<'_> {
    fn fail(&mut self, at: &At, fault: Fault) {
        self.problems.add(self.document, at, fault);
    }

    fn value<T>(&mut self, at: &At, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.fail(at, fault)).ok()
    }

    fn url(&mut self, at: &At, text: Option<&str>, purpose: Purpose) -> Option<url::Url> {
        text.and_then(|text| self.value(at, value::url(text, purpose)))
    }

    /// Every element that is right.
    fn each<T>(
        &mut self,
        at: &At,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Vec<T> {
        texts
            .iter()
            .enumerate()
            .filter_map(|(i, text)| self.value(&at.index(i), parse(text)))
            .collect()
    }

    /// A path; relative ones are relative to the configuration file.
    fn path(&self, text: &str) -> PathBuf {
        self.directory.join(text)
    }
}

/// Each capability once, in the order of [`Capability::ALL`].
fn in_order(words: &[CapabilityWord]) -> Vec<Capability> {
    let is_named = |capability: &Capability| words.iter().any(|word| word.0 == *capability);
    Capability::ALL.into_iter().filter(is_named).collect()
}
