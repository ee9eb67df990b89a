//! `/capabilities/{name}`: everything that the verdict of one capability rests on.

use askama::Template;
use jiff::SignedDuration;

use super::super::problem::{Problem, unreadable};
use super::super::segment::Segment;
use super::chart::Strip;
use super::days::{self, BadDay};
use super::frame::Frame;
use super::incidents::{self, Line};
use super::jobs::StageRow;
use super::overview::{self, Claim};
use super::parts::{Mark, Moment};
use super::probe::{Proof, proofs};
use super::{Answer, Visit, outside, rendered, sentence};
use crate::engine::words;
use crate::model::{Capability, CapabilityVerdict, View};
use crate::store::IncidentFilter;

/// How far back incidents are listed.
const SINCE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Incidents that are listed.
const LISTED: usize = 15;

#[derive(Template)]
#[template(path = "capability.html")]
struct Page {
    frame: Frame,
    id: &'static str,
    name: &'static str,
    mark: Mark,
    side: &'static str,
    is_troubled: bool,
    since: Option<Moment>,
    lasted: String,
    headline: String,
    advice: String,
    reason: &'static str,
    claim: Claim,
    notice: Option<String>,
    alternatives: Vec<(String, &'static str, Moment)>,
    strip: Option<Strip>,
    bad_days: Vec<BadDay>,
    stages: Vec<StageRow>,
    evidence: Vec<Proof>,
    probes: Vec<String>,
    incidents: Vec<Line>,
}

pub(super) async fn page(visit: Visit, Segment(name): Segment) -> Answer {
    let view = visit.view.clone()?;
    let known = name.parse::<Capability>().ok();
    let mut all = view.verdict.capabilities.iter();
    let verdict = known.and_then(|known| all.find(|one| one.capability == known));
    let verdict = verdict.ok_or_else(|| Problem::not_found("there is no such capability"))?;
    let wanted = IncidentFilter {
        since: visit.now.checked_sub(SINCE).ok(),
        capability: Some(verdict.capability),
        limit: LISTED,
        ..Default::default()
    };
    let found = visit.state.store.list_incidents(wanted).await;
    let found = found.map_err(|error| unreadable(&error))?;
    let its = found.into_iter().map(|one| visit.reader.incident(one));
    let mut page = compose(&visit, &view, verdict);
    page.incidents = its.map(|one| incidents::line(&visit, &one)).collect();
    if let Some(calendar) = days::calendar(&visit).await {
        page.strip = calendar.strip(verdict.capability);
        page.bad_days = calendar.bad_days(verdict.capability);
    }
    rendered(&page)
}

fn compose(visit: &Visit, view: &View, verdict: &CapabilityVerdict) -> Page {
    let capability = verdict.capability;
    let name = words::capability(capability);
    let alternatives = verdict.alternatives.iter().map(|one| {
        (outside(&one.name), words::component_state(one.state), visit.moment(one.checked_at))
    });
    let stages: Vec<_> =
        view.stages.iter().filter(|one| one.kind.capability() == capability).cloned().collect();
    let official = verdict.official.as_ref();
    Page {
        frame: Frame::of(visit, name),
        id: capability.as_str(),
        name,
        mark: overview::capability_mark(verdict),
        side: words::side(verdict.blame),
        is_troubled: overview::is_troubled(verdict),
        since: verdict.since.map(|since| visit.moment(since)),
        lasted: verdict.since.map(|since| visit.ago(since)).unwrap_or_default(),
        headline: sentence(&verdict.headline),
        advice: sentence(&verdict.advice.text),
        reason: verdict.reason.as_str(),
        claim: overview::claim(verdict),
        notice: official.and_then(|view| view.notice.as_deref()).map(outside),
        alternatives: alternatives.collect(),
        strip: None,
        bad_days: Vec::new(),
        stages: super::jobs::stages(visit, &stages),
        evidence: proofs(visit, &verdict.evidence),
        probes: probes(view, capability),
        incidents: Vec::new(),
    }
}

/// Names of the probes that inform it, each once.
fn probes(view: &View, capability: Capability) -> Vec<String> {
    let informs = view.probes.iter().filter(|probe| {
        probe.last.as_ref().is_some_and(|last| last.capabilities.contains(&capability))
    });
    let mut names: Vec<String> = informs.map(|probe| probe.series.probe.clone()).collect();
    names.dedup();
    names
}
