//! `/`: the verdict, whose side, since when, what to do; and what HeyGen's own page claims.
//!
//! Owns what stands on it and in which order; the words are the core's. Answers from the view and
//! from what changed; no query grows with the number of observations.

use askama::Template;
use jiff::SignedDuration;

use super::chart::Strip;
use super::days::{self, Calendar};
use super::frame::Frame;
use super::incidents::{self, Entry};
use super::jobs::StageRow;
use super::parts::{Mark, Moment};
use super::{Answer, Visit, outside, rendered, sentence};
use crate::engine::words;
use crate::model::{
    CapabilityVerdict, Incident, ProbeView, Reason, SourceRole, SourceView, State as Condition,
    View,
};

/// Open incidents that are told in full, and the lines of their timelines; the rest is a click away.
const INCIDENTS: usize = 5;
const TIMELINE: usize = 5;

/// Status pages that are shown, notices of HeyGen's own, and of each other one.
const SOURCES: usize = 10;
const OWN_NOTICES: usize = 4;
const NOTICES: usize = 1;

/// Substitutes of one capability.
const ALTERNATIVES: usize = 3;

/// What is owed for so long is called undeliverable so far; it is tried for a week.
const UNDELIVERABLE_AFTER: SignedDuration = SignedDuration::from_hours(24);

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    mark: Mark,
    headline: String,
    used: Vec<Row>,
    others: Vec<Row>,
    incidents: Vec<IncidentRow>,
    /// Open incidents that are not shown.
    more_incidents: usize,
    stages: Vec<StageRow>,
    /// Channels that refuse for good, and since when.
    broken: Vec<(String, Moment)>,
    /// Channels that have not taken what they are owed for a day, and since when.
    stalled: Vec<(String, Moment)>,
    sources: Vec<SourceRow>,
    /// Status pages that are not shown.
    more_sources: usize,
    probes: Vec<Chip>,
}

/// One capability.
struct Row {
    id: &'static str,
    name: &'static str,
    mark: Mark,
    side: Option<&'static str>,
    since: Option<Moment>,
    lasted: String,
    headline: String,
    advice: String,
    alternatives: Vec<String>,
    is_troubled: bool,
    claim: Claim,
    strip: Option<Strip>,
}

/// What HeyGen's own page says of a capability, and whether we see something else.
pub(super) struct Claim {
    pub(super) text: String,
    pub(super) differs: bool,
}

/// One open incident.
struct IncidentRow {
    id: i64,
    headline: String,
    mark: Mark,
    side: &'static str,
    touches: String,
    since: Moment,
    lasted: String,
    remark: Option<&'static str>,
    timeline: Vec<Entry>,
}

/// One status page.
struct SourceRow {
    name: String,
    link: Option<String>,
    says: String,
    notices: Vec<String>,
    checked: Option<Moment>,
}

/// One check.
struct Chip {
    name: String,
    says: &'static str,
}

pub(super) async fn page(visit: Visit) -> Answer {
    let view = visit.view.clone()?;
    let calendar = days::calendar(&visit).await;
    let mut page = compose(&visit, &view, calendar.as_ref());
    if visit.is_trusted() {
        // A database that cannot be read is counted by the store; the rest of the page stands.
        let broken = visit.state.store.broken_channels().await.unwrap_or_default();
        let said = |channel: &crate::store::BrokenChannel| {
            (outside(&channel.channel), visit.moment(channel.refused_at))
        };
        page.broken = broken.iter().map(said).collect();
        page.stalled = stalled(&visit).await;
    }
    rendered(&page)
}

/// Channels whose messages are still tried, and have been for longer than [`UNDELIVERABLE_AFTER`].
async fn stalled(visit: &Visit) -> Vec<(String, Moment)> {
    let lines = visit.state.store.outbox().await.unwrap_or_default();
    let old = lines.iter().filter_map(|line| {
        let oldest_at = line.oldest_at?;
        let is_old = visit.now.duration_since(oldest_at) >= UNDELIVERABLE_AFTER;
        is_old.then(|| (outside(&line.channel), visit.moment(oldest_at)))
    });
    old.collect()
}

fn compose(visit: &Visit, view: &View, calendar: Option<&Calendar>) -> Overview {
    let verdict = &view.verdict;
    let (used, others): (Vec<_>, Vec<_>) =
        verdict.capabilities.iter().partition(|one| one.used && one.reason != Reason::NotWatched);
    let rows = |all: Vec<&CapabilityVerdict>, calendar: Option<&Calendar>| -> Vec<Row> {
        all.into_iter().map(|one| row(visit, one, calendar)).collect()
    };
    let mut used: Vec<Row> = rows(used, calendar);
    refer_to_same_advice(&mut used);
    let open = view.incidents.iter().rev().take(INCIDENTS);
    let sources = view.sources.iter().take(SOURCES);
    Overview {
        frame: Frame::of(visit, ""),
        mark: Mark::of(verdict.state, verdict.blame),
        headline: sentence(&verdict.headline),
        used,
        others: rows(others, None),
        incidents: open.map(|one| incident_row(visit, one)).collect(),
        more_incidents: view.incidents.len().saturating_sub(INCIDENTS),
        stages: super::jobs::stages(visit, &view.stages),
        broken: Vec::new(),
        stalled: Vec::new(),
        sources: sources.map(|source| source_row(visit, source)).collect(),
        more_sources: view.sources.len().saturating_sub(SOURCES),
        probes: chips(&view.probes),
    }
}

/// The same advice is read once.
fn refer_to_same_advice(rows: &mut [Row]) {
    for index in 1..rows.len() {
        let (before, after) = rows.split_at_mut(index);
        let row = &mut after[0];
        let same = |other: &&Row| other.is_troubled && other.advice == row.advice;
        if let Some(other) = before.iter().find(same).filter(|_| !row.advice.is_empty()) {
            row.advice = format!("as for {}.", other.name);
        }
    }
}

fn row(visit: &Visit, verdict: &CapabilityVerdict, calendar: Option<&Calendar>) -> Row {
    let is_troubled = is_troubled(verdict);
    let alternatives = verdict.alternatives.iter().take(ALTERNATIVES).map(|one| {
        let says = words::component_state(one.state);
        let checked = visit.moment(one.checked_at).people;
        format!("{}: {says} (checked {checked})", outside(&one.name))
    });
    Row {
        id: verdict.capability.as_str(),
        name: words::capability(verdict.capability),
        mark: capability_mark(verdict),
        side: is_troubled.then(|| words::side(verdict.blame)),
        since: verdict.since.map(|since| visit.moment(since)),
        lasted: verdict.since.map(|since| visit.ago(since)).unwrap_or_default(),
        headline: outside(&verdict.headline),
        advice: sentence(&verdict.advice.text),
        alternatives: alternatives.collect(),
        is_troubled,
        claim: claim(verdict),
        strip: calendar.and_then(|calendar| calendar.strip(verdict.capability)),
    }
}

/// There is something to say beyond "it works".
pub(super) fn is_troubled(verdict: &CapabilityVerdict) -> bool {
    verdict.reason != Reason::NotWatched && verdict.state != Condition::Operational
}

pub(super) fn capability_mark(verdict: &CapabilityVerdict) -> Mark {
    if verdict.reason == Reason::NotWatched {
        return Mark { class: "unknown", word: "not watched" };
    }
    Mark::of(verdict.state, verdict.blame)
}

/// What the official page says of a capability, next to what we see.
pub(super) fn claim(verdict: &CapabilityVerdict) -> Claim {
    use crate::model::ComponentState as Said;
    let known = verdict.official.as_ref().filter(|view| view.state != Said::Unknown);
    let Some(view) = known else {
        let text = match &verdict.official {
            None => "HeyGen's own page has no row for this.",
            Some(_) => "HeyGen's own page says nothing of this.",
        };
        let text = text.to_owned();
        return Claim { text, differs: false };
    };
    let says = words::component_state(view.state);
    let is_ours = matches!(verdict.state, Condition::Outage | Condition::Degraded)
        && verdict.blame == crate::model::Blame::Provider;
    let admits = view.state != Said::Operational;
    let differs = (is_ours && !admits && !view.acknowledged)
        || (admits && verdict.state == Condition::Operational);
    let lead = view
        .lead_seconds
        .map(|seconds| words::duration(std::time::Duration::from_secs(seconds.unsigned_abs())));
    let is_behind = view.lead_seconds.is_some_and(i64::is_negative);
    let lead = match (lead, view.acknowledged) {
        (None, _) if differs && admits => "Our checks see nothing of it.".to_owned(),
        (None, _) if differs => "Our checks see otherwise.".to_owned(),
        (None, _) => String::new(),
        (Some(lead), true) if is_behind => format!("It knew it {lead} before us."),
        (Some(lead), true) => format!("It admits it; known here {lead} before."),
        (Some(lead), false) => format!("HeyGen's page does not admit it yet ({lead} so far)."),
    };
    // The advice of a failure that the page does not admit says so itself.
    let lead = if verdict.advice.text.contains(&lead) { "" } else { &lead };
    let text = format!("HeyGen's own page says: {says}. {lead}");
    let text = text.trim_end().to_owned();
    Claim { text, differs }
}

fn incident_row(visit: &Visit, incident: &Incident) -> IncidentRow {
    IncidentRow {
        id: incident.id,
        headline: outside(&incident.headline),
        mark: Mark::of(incident.state, incident.blame),
        side: words::side(incident.blame),
        touches: words::capabilities(&incident.capabilities),
        since: visit.moment(incident.opened_at),
        lasted: visit.ago(incident.opened_at),
        remark: incidents::remark(incident),
        timeline: incidents::shortened(incidents::timeline(visit, incident), TIMELINE),
    }
}

fn source_row(visit: &Visit, source: &SourceView) -> SourceRow {
    let reading = source.last.as_ref();
    let shown = outside(&source.name);
    let (name, most) = match source.role {
        SourceRole::Primary => (format!("{shown} (HeyGen's own page)"), OWN_NOTICES),
        SourceRole::Alternative => (format!("{shown} (substitute)"), NOTICES),
        SourceRole::Peer => (format!("{shown} (another monitor)"), NOTICES),
    };
    let page = reading.and_then(|reading| reading.page.as_ref().ok());
    let events = page.iter().flat_map(|page| page.incidents.iter().chain(&page.maintenances));
    let notices = events.take(most).map(|event| {
        format!("{} ({})", outside(&event.title), event.phase.as_str().replace('_', " "))
    });
    SourceRow {
        name,
        link: page.map(|page| outside(&page.url)).filter(|url| url.starts_with("https://")),
        says: match reading.map(|reading| &reading.page) {
            None => "not read yet".to_owned(),
            Some(Ok(page)) => words::component_state(page.state).to_owned(),
            Some(Err(why)) => format!("cannot be read: {}", outside(why)),
        },
        notices: notices.collect(),
        checked: reading.map(|reading| visit.moment(reading.at)),
    }
}

/// One per probe; of several series the first that is not fine speaks.
fn chips(probes: &[ProbeView]) -> Vec<Chip> {
    let mut chips: Vec<Chip> = Vec::new();
    for probe in probes {
        let says = probe.last_outcome.map_or("not run yet", words::outcome);
        match chips.iter_mut().find(|chip| chip.name == probe.series.probe) {
            Some(chip) if chip.says == words::outcome(crate::model::Outcome::Ok) => {
                chip.says = says;
            }
            Some(_) => {}
            None => chips.push(Chip { name: probe.series.probe.clone(), says }),
        }
    }
    chips
}
