//! What a stretch of time was like, for the boss and for an argument with HeyGen.
//!
//! Owns which figures a report has and what each one means. Renders nothing but sentences. Invariant:
//! time on another side than HeyGen's is its own figure, and time nobody watched is always stated.

pub mod dossier;
mod figures;
mod jobs;
mod sentences;

use std::time::Duration;

use super::settings::Settings;
use super::uptime::{CapabilityUptime, Past, Scope, Spent, Window, together, uptime};
use crate::model::{Blame, Capability, Incident, Job, JobKind, Reason, State, Timestamp};

pub use figures::{Mean, Share, percent};
pub use jobs::{JobsReport, LateJob};

/// What making videos takes.
const MAKING: [Capability; 4] = [
    Capability::VideoGeneration,
    Capability::VideoTranslation,
    Capability::Api,
    Capability::Authentication,
];

/// A stretch of time and how people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `In November`, `In the last 30 days`, `Since 2026-10-01`.
    pub name: String,
    /// The time itself.
    pub window: Window,
}

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// What changed.
    pub past: &'a Past,
    /// Incidents that were open at some time of the period.
    pub incidents: &'a [Incident],
    /// The account's jobs that were created within it.
    pub jobs: &'a [Job],
}

/// What a stretch of time was like.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Which.
    pub period: Period,
    /// For people; the first one is for the boss.
    pub sentences: Vec<String>,
    /// Where the time went for making videos: whatever of it this team uses, together.
    pub making: Spent,
    /// HeyGen's incidents that kept videos from being made.
    pub outages: usize,
    /// Those of them that HeyGen's page admitted.
    pub admitted: usize,
    /// Each capability that this team uses.
    pub capabilities: Vec<CapabilityReport>,
    /// The account's jobs, by kind; only kinds of which there were any.
    pub jobs: Vec<JobsReport>,
    /// How good the watching was.
    pub watching: Watching,
    /// Every incident, newest first.
    pub incidents: Vec<IncidentLine>,
}

/// One capability.
#[derive(Debug, Clone, PartialEq)]
pub struct CapabilityReport {
    /// Our own checks, and what HeyGen's page said.
    pub uptime: CapabilityUptime,
    /// HeyGen's incidents that touched it.
    pub incidents: usize,
    /// The account's own jobs: those that came in time.
    pub experienced: Option<Share>,
}

/// How soon trouble on HeyGen's side was found, and how long it lasted.
#[derive(Debug, Clone, PartialEq)]
pub struct Watching {
    /// From the first bad observation to the confirmation.
    pub detected: Option<Mean>,
    /// From the first bad observation to the first good one, of incidents that ended.
    pub repaired: Option<Mean>,
    /// By how much we knew before HeyGen's page, of incidents that it admitted later than we knew.
    pub lead: Option<Mean>,
    /// Incidents of HeyGen's that go on.
    pub open: usize,
    /// Incidents of HeyGen's for which no matching notice was found.
    pub unannounced: Vec<i64>,
}

/// One incident.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentLine {
    /// Its number.
    pub id: i64,
    /// Whose side.
    pub blame: Blame,
    /// The worst that it was.
    pub worst: State,
    /// What it touched.
    pub capabilities: Vec<Capability>,
    /// The first bad observation.
    pub opened_at: Timestamp,
    /// The first good one.
    pub resolved_at: Option<Timestamp>,
    /// How long it lasted (so far).
    pub lasted: Duration,
    /// When HeyGen's page admitted it.
    pub acknowledged_at: Option<Timestamp>,
    /// The latest sentence about it.
    pub headline: String,
}

/// Makes a report.
pub fn report(
    settings: &Settings,
    period: Period,
    material: Material<'_>,
    now: Timestamp,
) -> Report {
    let window = period.window;
    let mut incidents: Vec<&Incident> = material.incidents.iter().collect();
    incidents.retain(|one| one.opened_at < window.until);
    incidents.sort_by_key(|one| std::cmp::Reverse(one.id));
    let of_heygen: Vec<&Incident> =
        incidents.iter().filter(|one| one.blame == Blame::Provider).copied().collect();
    let needed: Vec<Capability> =
        MAKING.into_iter().filter(|one| settings.uses.contains(one)).collect();
    let keeps_from_making = |one: &&&Incident| {
        one.worst_state == State::Outage && one.capabilities.iter().any(|it| needed.contains(it))
    };
    let outages: Vec<&Incident> = of_heygen.iter().filter(keeps_from_making).copied().collect();
    let jobs: Vec<JobsReport> = JobKind::ALL
        .into_iter()
        .filter_map(|kind| jobs::of_kind(settings, kind, material.jobs, now))
        .collect();
    let mut report = Report {
        making: together(material.past, &needed, window),
        outages: outages.len(),
        admitted: outages.iter().filter(|one| one.acknowledged_at.is_some()).count(),
        capabilities: capabilities(settings, window, material.past, (&of_heygen, &jobs)),
        watching: watching(&of_heygen),
        incidents: incidents.iter().map(|one| line(one, now)).collect(),
        jobs,
        period,
        sentences: Vec::new(),
    };
    report.sentences = sentences::all(&report);
    report
}

fn capabilities(
    settings: &Settings,
    window: Window,
    past: &Past,
    (of_heygen, jobs): (&[&Incident], &[JobsReport]),
) -> Vec<CapabilityReport> {
    let used = uptime(past, &Scope::from(settings), window).into_iter().filter(|one| one.used);
    used.map(|uptime| {
        let capability = uptime.capability;
        let touches = |one: &&&Incident| one.capabilities.contains(&capability);
        let its_jobs = jobs.iter().find(|one| one.kind.capability() == capability);
        CapabilityReport {
            uptime,
            incidents: of_heygen.iter().filter(touches).count(),
            experienced: its_jobs.and_then(JobsReport::experienced),
        }
    })
    .collect()
}

fn watching(of_heygen: &[&Incident]) -> Watching {
    let between = |since: Timestamp, until: Timestamp| until.duration_since(since);
    let seen_by_us = || of_heygen.iter().filter(|one| one.reason != Reason::OfficialIncident);
    let detected = seen_by_us().map(|one| between(one.opened_at, one.confirmed_at));
    let repaired = of_heygen.iter();
    let repaired = repaired.filter_map(|one| Some(between(one.opened_at, one.resolved_at?)));
    let lead = seen_by_us().filter_map(|one| Some(between(one.opened_at, one.acknowledged_at?)));
    let unannounced = of_heygen.iter().filter(|one| one.acknowledged_at.is_none());
    Watching {
        detected: Mean::of(detected),
        repaired: Mean::of(repaired),
        lead: Mean::of(lead.filter(jiff::SignedDuration::is_positive)),
        open: of_heygen.iter().filter(|one| one.is_open()).count(),
        unannounced: unannounced
            .filter(|one| one.reason != Reason::OfficialIncident)
            .map(|one| one.id)
            .collect(),
    }
}

fn line(incident: &Incident, now: Timestamp) -> IncidentLine {
    let end = incident.resolved_at.unwrap_or(now);
    IncidentLine {
        id: incident.id,
        blame: incident.blame,
        worst: incident.worst_state,
        capabilities: incident.capabilities.clone(),
        opened_at: incident.opened_at,
        resolved_at: incident.resolved_at,
        lasted: super::words::between(incident.opened_at, end),
        acknowledged_at: incident.acknowledged_at,
        headline: incident.headline.clone(),
    }
}
