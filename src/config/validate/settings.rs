//! What the core needs to know of the probes, pages and channels that were configured.
//!
//! Pure. Invariant: one entry per configured item, in the order of the configuration.

use std::collections::BTreeMap;

use url::Url;

use crate::engine::{ChannelInfo, JobsWatch, Settings, Source, Watch};
use crate::model::{Capability, Timestamp};
use crate::notify::ChannelSpec;
use crate::probe::{CheckSpec, ProbeSpec};

/// Every probe but the status pages.
pub(super) fn watches(
    probes: &[ProbeSpec],
    jobs: &BTreeMap<String, JobsWatch>,
    base_url: &Url,
    now: Timestamp,
) -> Vec<Watch> {
    let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    probes
        .iter()
        .filter_map(|probe| {
            let (anonymous, host, replaces) = match &probe.check {
                CheckSpec::Api(check) => (check.anonymous, host(base_url), Vec::new()),
                CheckSpec::Web(check) => (true, host(&check.url), check.replaces.clone()),
                CheckSpec::Control(_) => (true, String::new(), Vec::new()),
                CheckSpec::Submit(_)
                | CheckSpec::Queue(_)
                | CheckSpec::Render(_)
                | CheckSpec::Translation(_)
                | CheckSpec::Speech(_)
                | CheckSpec::Webhook(_) => (false, host(base_url), Vec::new()),
                CheckSpec::StatusPage(_) => return None,
            };
            let target = match &probe.check {
                CheckSpec::Api(check) => target("GET", base_url, &check.path),
                CheckSpec::Web(check) => target("GET", &check.url, ""),
                CheckSpec::Submit(_) => target("POST", base_url, ""),
                _ => String::new(),
            };
            let jobs = jobs.get(&probe.name).cloned().unwrap_or_default();
            let interval = match &jobs {
                JobsWatch::Canary(rules) => rules.max_silence,
                JobsWatch::None | JobsWatch::Natural { .. } | JobsWatch::Events => {
                    probe.schedule.interval(now)
                }
            };
            Some(Watch {
                name: probe.name.clone(),
                kind: probe.kind(),
                anonymous,
                capabilities: probe.capabilities.clone(),
                interval,
                host,
                target,
                thresholds: probe.thresholds,
                replaces,
                jobs,
            })
        })
        .collect()
}

/// What is asked, so that two monitors can tell whether they ask the same. A query may hold a secret.
fn target(method: &str, base: &Url, path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    let (origin, base) = (base.origin().ascii_serialization(), base.path().trim_end_matches('/'));
    format!("{method} {origin}{base}{slash}{path}")
}

/// Every status page.
pub(super) fn sources(probes: &[ProbeSpec], now: Timestamp) -> Vec<Source> {
    probes
        .iter()
        .filter_map(|probe| match &probe.check {
            CheckSpec::StatusPage(check) => Some(Source {
                name: probe.name.clone(),
                role: check.role,
                replaces: check.replaces.clone(),
                interval: probe.schedule.interval(now),
                map: check.map.clone(),
            }),
            _ => None,
        })
        .collect()
}

/// Every channel.
pub(super) fn channels(channels: &[ChannelSpec]) -> Vec<ChannelInfo> {
    channels
        .iter()
        .map(|channel| ChannelInfo { name: channel.name.clone(), kind: channel.kind() })
        .collect()
}

/// One sentence per capability that the team depends on and nothing watches.
pub(super) fn unwatched(settings: &Settings) -> Vec<String> {
    let is_probed = |one: &Capability| {
        let mut watches = settings.probes.iter();
        watches.any(|watch| watch.replaces.is_empty() && watch.capabilities.contains(one))
    };
    let is_on_a_page = |one: &Capability| {
        let maps = settings.sources.iter().map(|source| &source.map);
        let mut words = maps.flat_map(|map| map.components.iter().chain(&map.incidents));
        words.any(|(_, other)| other == one)
    };
    let blind = settings.uses.iter().filter(|one| !is_probed(one) && !is_on_a_page(one));
    blind
        .map(|one| format!("`uses` names {one}, but no probe and no status page tells of it"))
        .collect()
}
