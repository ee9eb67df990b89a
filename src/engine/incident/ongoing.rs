//! What is going on right now, one entry per blame and cause (verdicts.md, section 3).
//!
//! Owns how facts are grouped into causes. Does not remember incidents. Invariant: one cause, one
//! entry, however many probes and capabilities it touches.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::engine::attribute::Assessment;
use crate::engine::attribute::evidence;
use crate::engine::attribute::facts::{Fact, Family};
use crate::engine::evaluate::Memory;
use crate::engine::headline::{self, Platform};
use crate::engine::official::Notice;
use crate::engine::settings::Settings;
use crate::engine::words;
use crate::model::{
    Blame, Capability, CapabilityVerdict, Cause, EvidenceItem, Incident, JobKind, Reason, State,
    Timestamp,
};

/// Being unable to tell for this long is worth an incident (verdicts.md, section 2).
pub const UNKNOWN_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// The cause of an incident that takes everything.
pub const PLATFORM: &str = "platform";
/// How the cause of an incident about jobs begins.
const JOBS: &str = "jobs:";

/// One thing that is going on.
#[derive(Debug, Clone)]
pub struct Ongoing {
    /// Whose side.
    pub blame: Blame,
    /// What it is about.
    pub cause: Cause,
    /// The hosts that fail; empty when it is not about hosts.
    pub hosts: BTreeSet<String>,
    /// Why.
    pub reason: Reason,
    /// How bad.
    pub state: State,
    /// What it touches.
    pub capabilities: Vec<Capability>,
    /// The first bad observation.
    pub since: Timestamp,
    /// The last confirmation of any of its parts.
    pub changed_at: Timestamp,
    /// Whether it may open an incident, or only keep one open.
    pub may_open: bool,
    /// Subject of its thread, without the number.
    pub subject: String,
    /// One sentence.
    pub headline: String,
    /// What it rests on.
    pub evidence: Vec<EvidenceItem>,
}

/// Everything that is going on.
pub fn ongoing(
    memory: &Memory,
    settings: &Settings,
    assessment: &Assessment<'_>,
    now: Timestamp,
) -> Vec<Ongoing> {
    let scene = Scene { memory, settings, assessment, now };
    let mut all = scene.of_hosts();
    all.extend(scene.of_local());
    all.extend(scene.of_jobs());
    all.extend(scene.of_account());
    all.extend(scene.of_client());
    all.extend(scene.of_pages());
    all.extend(scene.of_offline());
    all.extend(scene.of_unknown());
    all
}

/// All that there is to see.
#[derive(Debug, Clone, Copy)]
struct Scene<'a> {
    memory: &'a Memory,
    settings: &'a Settings,
    assessment: &'a Assessment<'a>,
    now: Timestamp,
}

impl Scene<'_> {
    fn facts(&self) -> impl Iterator<Item = &Fact<'_>> {
        self.assessment.facts.iter().filter(|fact| !fact.capabilities.is_empty())
    }

    fn verdict_of(&self, capability: Capability) -> Option<&CapabilityVerdict> {
        self.assessment.verdict.capabilities.iter().find(|one| one.capability == capability)
    }

    /// Provider failures seen over HTTP or transport: one per host, or one for everything.
    fn of_hosts(&self) -> Vec<Ongoing> {
        let is_of_host = |fact: &&Fact<'_>| {
            matches!(fact.family, Family::Down | Family::Intermittent | Family::Slow)
        };
        let facts: Vec<&Fact<'_>> = self.facts().filter(is_of_host).collect();
        let hosts: BTreeSet<String> = facts.iter().map(|fact| fact.watch.host.clone()).collect();
        if self.is_everything_down(&facts) {
            let cause = Cause(PLATFORM.to_owned());
            return self.grouped(&facts, cause, Platform::Whole).into_iter().collect();
        }
        let of_host = |host: &String| {
            let facts: Vec<&Fact<'_>> =
                facts.iter().filter(|fact| fact.watch.host == *host).copied().collect();
            self.grouped(&facts, host_cause(host), Platform::Part)
        };
        hosts.iter().filter_map(of_host).collect()
    }

    /// Every host of HeyGen's that is watched fails, and there is more than one.
    fn is_everything_down(&self, facts: &[&Fact<'_>]) -> bool {
        let hosts: BTreeSet<&str> =
            self.memory.of_heygen(self.settings).map(|(_, watch)| watch.host.as_str()).collect();
        let is_down = |host: &&str| {
            let fails =
                facts.iter().any(|fact| fact.family == Family::Down && fact.watch.host == **host);
            let works = self.memory.of_heygen(self.settings).any(|(line, watch)| {
                watch.host == **host
                    && !line.is_down_now()
                    && line.success().is_some()
                    && line.is_fresh(watch.fresh_for(), self.now)
                    && line.good_run.is_some_and(|(count, _)| count >= watch.thresholds.successes)
            });
            fails && !works
        };
        hosts.len() > 1 && hosts.iter().all(is_down)
    }

    /// What fails from here alone. Where HeyGen's trouble with that host is told already, it is the
    /// rest of that.
    fn of_local(&self) -> Option<Ongoing> {
        let facts: Vec<&Fact<'_>> =
            self.facts().filter(|fact| fact.family == Family::Local).collect();
        let is_of = |incident: &Incident, fact: &Fact<'_>| {
            incident.cause.0 == PLATFORM || incident.cause == host_cause(&fact.watch.host)
        };
        let is_told = self.memory.incidents.iter().any(|incident| {
            incident.is_open()
                && incident.blame == Blame::Provider
                && facts.iter().any(|fact| is_of(incident, fact))
        });
        let cause = Cause(Reason::LocalView.as_str().to_owned());
        let local = self.grouped(&facts, cause, Platform::Part)?;
        Some(Ongoing { may_open: local.may_open && !is_told, ..local })
    }

    /// What the jobs say of HeyGen: one per kind.
    fn of_jobs(&self) -> Vec<Ongoing> {
        let of_capability = |capability: &Capability| {
            let is_about = |fact: &&Fact<'_>| {
                matches!(fact.family, Family::JobsDown | Family::JobsDegraded)
                    && fact.capabilities.contains(capability)
            };
            let facts: Vec<&Fact<'_>> = self.facts().filter(is_about).collect();
            self.grouped(&facts, jobs_cause(*capability), Platform::Part)
        };
        Capability::ALL.iter().filter_map(of_capability).collect()
    }

    fn of_account(&self) -> Vec<Ongoing> {
        let of_family = |fact: &&Fact<'_>| matches!(fact.family, Family::Account | Family::Limited);
        self.by_reason(&self.facts().filter(of_family).collect::<Vec<_>>())
    }

    /// A refused request is an incident only where it is all that is known.
    fn of_client(&self) -> Vec<Ongoing> {
        let decides = |fact: &&Fact<'_>| {
            fact.family == Family::Client
                && fact.capabilities.iter().any(|capability| {
                    self.verdict_of(*capability).is_some_and(|one| one.blame == Blame::Client)
                })
        };
        self.by_reason(&self.facts().filter(decides).collect::<Vec<_>>())
    }

    fn by_reason(&self, facts: &[&Fact<'_>]) -> Vec<Ongoing> {
        let reasons: BTreeSet<&str> = facts.iter().map(|fact| fact.reason.as_str()).collect();
        let of_reason = |reason: &str| {
            let is_its = |fact: &&&Fact<'_>| fact.reason.as_str() == reason;
            let facts: Vec<&Fact<'_>> = facts.iter().filter(is_its).copied().collect();
            self.grouped(&facts, Cause(reason.to_owned()), Platform::Part)
        };
        reasons.into_iter().filter_map(of_reason).collect()
    }

    fn grouped(&self, facts: &[&Fact<'_>], cause: Cause, platform: Platform) -> Option<Ongoing> {
        let mut facts: Vec<&Fact<'_>> = facts.to_vec();
        facts.sort_by_key(|fact| {
            (
                std::cmp::Reverse(fact.state.severity()),
                std::cmp::Reverse(fact.watch.nearness()),
                fact.since,
            )
        });
        let worst = facts.first()?;
        let touched = |one: &Capability| facts.iter().any(|fact| fact.capabilities.contains(one));
        let capabilities: Vec<Capability> = Capability::ALL.into_iter().filter(touched).collect();
        let since = facts.iter().map(|fact| fact.since).min()?;
        let is_announced = |one: &Capability| {
            self.verdict_of(*one).is_some_and(|one| one.state == State::Maintenance)
        };
        let place = (&self.settings.timezone, self.settings.vantage.as_str());
        let who = (capabilities.as_slice(), platform);
        Some(Ongoing {
            blame: worst.blame,
            cause,
            hosts: match worst.family {
                Family::Down | Family::Intermittent | Family::Slow => {
                    facts.iter().map(|fact| fact.watch.host.clone()).collect()
                }
                Family::Local
                | Family::Account
                | Family::Limited
                | Family::Client
                | Family::JobsDown
                | Family::JobsDegraded
                | Family::Backlog => BTreeSet::new(),
            },
            reason: worst.reason,
            state: worst.state,
            since,
            changed_at: facts.iter().map(|fact| fact.confirmed_at).max()?,
            may_open: facts.iter().any(|fact| fact.is_lasting)
                && !capabilities.iter().all(is_announced),
            subject: headline::subject(who, worst.reason, since, place.0, self.now),
            headline: headline::of_incident(&facts, who, since, place, self.now),
            evidence: facts
                .iter()
                .take(evidence::MOST)
                .map(|fact| evidence::of_fact(fact))
                .collect(),
            capabilities,
        })
    }

    /// What only the page knows of.
    fn of_pages(&self) -> Vec<Ongoing> {
        let notices = self.assessment.notices.iter();
        notices
            .filter(|notice| notice.is_serious && !notice.capabilities.is_empty())
            .map(|notice| self.of_notice(notice))
            .collect()
    }

    fn of_notice(&self, notice: &Notice) -> Ongoing {
        let is_decisive = self.assessment.verdict.capabilities.iter().any(|one| {
            one.reason == Reason::OfficialIncident && notice.capabilities.contains(&one.capability)
        });
        let is_known = self.memory.incidents.iter().any(|incident| {
            let overlaps =
                incident.capabilities.iter().any(|one| notice.capabilities.contains(one));
            // Our own incident that the page admits, now or until lately; or another notice.
            let is_own = incident.blame == Blame::Provider && !is_official(&incident.cause);
            let is_admitted = incident.is_open() || incident.acknowledged_at.is_some();
            overlaps
                && ((is_own && is_admitted) || (is_official(&incident.cause) && incident.is_open()))
        });
        let name = words::capabilities(&notice.capabilities);
        let since = words::time(notice.since, &self.settings.timezone, self.now);
        let subject = headline::trouble(&name, Reason::OfficialIncident, &since);
        let text = format!("the page says: {}", notice.title);
        Ongoing {
            blame: Blame::Provider,
            cause: official_cause(&notice.source, &notice.key),
            hosts: BTreeSet::new(),
            reason: Reason::OfficialIncident,
            state: State::Degraded,
            capabilities: notice.capabilities.clone(),
            since: notice.since,
            changed_at: notice.since,
            may_open: is_decisive && !is_known,
            headline: format!(
                "{subject} ({}); our checks do not see it. HeyGen's side.",
                notice.title
            ),
            subject,
            evidence: vec![evidence::of_page(&notice.source, &text, self.now)],
        }
    }

    fn of_offline(&self) -> Option<Ongoing> {
        let spell = self.memory.network.offline_incident(self.now)?;
        let zone = &self.settings.timezone;
        let since = words::time(spell.since, zone, self.now);
        let subject = headline::trouble("", Reason::MonitorOffline, &since);
        Some(Ongoing {
            blame: Blame::Network,
            cause: Cause(Reason::MonitorOffline.as_str().to_owned()),
            hosts: BTreeSet::new(),
            reason: Reason::MonitorOffline,
            state: State::Unknown,
            capabilities: self.settings.uses.clone(),
            since: spell.since,
            changed_at: spell.since,
            may_open: true,
            headline: format!("{subject}; nothing is known about HeyGen. Your network."),
            subject,
            evidence: Vec::new(),
        })
    }

    /// Being unable to tell for ten minutes.
    fn of_unknown(&self) -> Vec<Ongoing> {
        let unknown: Vec<&CapabilityVerdict> = self
            .assessment
            .verdict
            .capabilities
            .iter()
            .filter(|one| one.used && is_worth_telling(one))
            .collect();
        let is_long = |one: &&&CapabilityVerdict| self.is_unknown_for_long(one);
        let reasons: BTreeSet<&str> =
            unknown.iter().filter(is_long).map(|one| one.reason.as_str()).collect();
        reasons
            .into_iter()
            .filter_map(|reason| {
                let these: Vec<&&CapabilityVerdict> =
                    unknown.iter().filter(|one| one.reason.as_str() == reason).collect();
                let first = these.first()?;
                let capabilities: Vec<Capability> =
                    these.iter().map(|one| one.capability).collect();
                let since = these.iter().filter_map(|one| one.since).min()?;
                let at = words::time(since, &self.settings.timezone, self.now);
                Some(Ongoing {
                    blame: first.blame,
                    cause: Cause(reason.to_owned()),
                    hosts: BTreeSet::new(),
                    reason: first.reason,
                    state: State::Unknown,
                    since,
                    changed_at: since,
                    may_open: true,
                    subject: headline::trouble(
                        &words::capabilities(&capabilities),
                        first.reason,
                        &at,
                    ),
                    headline: first.headline.clone(),
                    evidence: first.evidence.clone(),
                    capabilities,
                })
            })
            .collect()
    }

    /// What could not be seen while this machine slept is not missing yet.
    fn is_unknown_for_long(&self, verdict: &CapabilityVerdict) -> bool {
        let since = verdict.since.map(|since| self.memory.awake_from(since));
        since.is_some_and(|since| self.now.duration_since(since) >= UNKNOWN_AFTER)
    }
}

/// Unknown for a reason that is told when it lasts.
fn is_worth_telling(verdict: &CapabilityVerdict) -> bool {
    let is_told = match verdict.reason {
        Reason::MonitorOffline | Reason::NoRecentJobs | Reason::NotWatching => false,
        _ => matches!(verdict.blame, Blame::Network | Blame::Monitor),
    };
    verdict.state == State::Unknown && is_told
}

/// The cause of an incident about a host.
fn host_cause(host: &str) -> Cause {
    Cause(format!("host:{host}"))
}

/// The cause of an incident about the jobs of a capability: the kind of job.
pub fn jobs_cause(capability: Capability) -> Cause {
    let kind = JobKind::of(capability).map_or(capability.as_str(), JobKind::as_str);
    Cause(format!("{JOBS}{kind}"))
}

/// The capability of an incident about jobs.
pub fn of_jobs(cause: &Cause) -> Option<Capability> {
    Capability::ALL.into_iter().find(|one| jobs_cause(*one) == *cause)
}

/// The cause of an incident that only the page knows of.
pub fn official_cause(source: &str, key: &str) -> Cause {
    Cause(format!("official:{source}:{key}"))
}

/// True for an incident that only the page knows of.
pub fn is_official(cause: &Cause) -> bool {
    cause.0.starts_with("official:")
}

/// True when both stand for the same thing: a host belongs to an incident of everything.
pub fn is_same(blame: Blame, cause: &Cause, ongoing: &Ongoing) -> bool {
    if blame != ongoing.blame {
        return false;
    }
    let host = cause.0.strip_prefix("host:");
    *cause == ongoing.cause
        || (cause.0 == PLATFORM && !ongoing.hosts.is_empty())
        || (ongoing.cause.0 == PLATFORM && host.is_some_and(|host| ongoing.hosts.contains(host)))
}
