//! The page for people: one glance answers "is it them or us?".
//!
//! Owns what stands on it and in which order; the words are the core's. Invariant: every text goes
//! through the template's escaping, and a link leads to `https:` or to ourselves.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use jiff::tz::TimeZone;

use super::WebState;
use super::problem::Problem;
use crate::engine::words;
use crate::model::{
    CapabilityVerdict, ComponentState, Incident, Reason, SourceRole, SourceView,
    State as Condition, Timestamp, View,
};

const STYLE: &str = include_str!("../../templates/style.css");
const SCRIPT: &str = include_str!("../../templates/page.js");

/// The page before the first decision, or when the core stands still.
#[derive(Template)]
#[template(path = "blind.html")]
struct Blind<'a> {
    detail: &'a str,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    headline: &'a str,
    mark: Mark,
    vantage: &'a str,
    account: &'a str,
    used: Vec<Row<'a>>,
    others: Vec<Row<'a>>,
    incidents: Vec<IncidentRow<'a>>,
    /// Channels that refuse for good, and since when.
    broken: Vec<(&'a str, Moment)>,
    sources: Vec<SourceRow>,
    updated: Moment,
    next_check: Option<Moment>,
    version: &'static str,
}

/// Icon, word and colour of a state: never colour alone.
struct Mark {
    icon: &'static str,
    word: &'static str,
    class: &'static str,
}

/// One capability.
struct Row<'a> {
    name: &'static str,
    mark: Mark,
    side: Option<&'static str>,
    since: Option<Moment>,
    headline: &'a str,
    advice: &'a str,
    official: Option<String>,
    alternatives: Vec<String>,
}

/// One open incident.
struct IncidentRow<'a> {
    id: i64,
    headline: &'a str,
    touches: String,
    since: Moment,
    suspended: bool,
    flapping: bool,
}

/// One status page.
struct SourceRow {
    name: String,
    link: Option<String>,
    says: String,
    notices: Vec<String>,
    checked: Option<Moment>,
}

/// A time for machines and for people.
struct Moment {
    machine: String,
    people: String,
}

/// How the page says times.
struct Times<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Times<'_> {
    fn say(&self, at: Timestamp) -> Moment {
        Moment { machine: format!("{at:.0}"), people: words::time(at, self.zone, self.now) }
    }
}

pub(super) async fn page(State(state): State<WebState>) -> Response {
    let view = match state.current() {
        Ok(view) => view,
        Err(problem) => return blind(&problem),
    };
    let zone = state.settings.borrow().timezone.clone();
    let times = Times { zone: &zone, now: state.clock.now() };
    // A database that cannot be read is counted by the store; the rest of the page stands.
    let broken = state.store.broken_channels().await.unwrap_or_default();
    let mut page = compose(&view, &times);
    page.broken = broken
        .iter()
        .map(|channel| (channel.channel.as_str(), times.say(channel.refused_at)))
        .collect();
    rendered(&page, StatusCode::OK)
}

/// The files beside the page; the version in the address ends their caching.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "page.js" => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return Problem::not_found("there is nothing here").into_response(),
    };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=86400")], text).into_response()
}

fn blind(problem: &Problem) -> Response {
    let page = Blind { detail: problem.detail(), version: env!("CARGO_PKG_VERSION") };
    rendered(&page, problem.status())
}

fn rendered(page: &impl Template, status: StatusCode) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => {
            tracing::error!(%error, "The page could not be rendered.");
            Problem::internal().into_response()
        }
    }
}

fn compose<'a>(view: &'a View, times: &Times<'_>) -> Page<'a> {
    let verdict = &view.verdict;
    let (used, others): (Vec<_>, Vec<_>) =
        verdict.capabilities.iter().partition(|one| one.used && one.reason != Reason::NotWatched);
    let rows =
        |all: Vec<&'a CapabilityVerdict>| all.into_iter().map(|one| row(one, times)).collect();
    let due = view.probes.iter().filter_map(|probe| probe.next_due_at);
    Page {
        headline: &verdict.headline,
        mark: mark(verdict.state, words::state(verdict.state, verdict.blame)),
        vantage: &verdict.vantage,
        account: &verdict.account,
        used: rows(used),
        others: rows(others),
        incidents: view.incidents.iter().map(|incident| incident_row(incident, times)).collect(),
        broken: Vec::new(),
        sources: view.sources.iter().map(|source| source_row(source, times)).collect(),
        updated: times.say(verdict.at),
        next_check: due.min().map(|at| times.say(at.max(times.now))),
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn row<'a>(verdict: &'a CapabilityVerdict, times: &Times<'_>) -> Row<'a> {
    let is_watched = verdict.reason != Reason::NotWatched;
    let word = if is_watched { words::state(verdict.state, verdict.blame) } else { "not watched" };
    let is_fine = verdict.state == Condition::Operational;
    Row {
        name: words::capability(verdict.capability),
        mark: mark(verdict.state, word),
        side: (is_watched && !is_fine).then(|| words::side(verdict.blame)),
        since: verdict.since.map(|since| times.say(since)),
        headline: &verdict.headline,
        advice: if is_watched { &verdict.advice.text } else { "" },
        // The advice of a failure that the page does not admit says so itself.
        official: official(verdict).filter(|said| !verdict.advice.text.contains(said.as_str())),
        alternatives: verdict
            .alternatives
            .iter()
            .map(|one| {
                let says = words::component_state(one.state);
                let checked = times.say(one.checked_at).people;
                format!("{}: {says} (checked {checked})", one.name)
            })
            .collect(),
    }
}

/// What the official page says of a capability that fails here.
fn official(verdict: &CapabilityVerdict) -> Option<String> {
    let view = verdict.official.as_ref()?;
    let lead = view
        .lead_seconds
        .map(|seconds| words::duration(std::time::Duration::from_secs(seconds.unsigned_abs())))?;
    Some(match (view.acknowledged, view.lead_seconds.is_some_and(i64::is_negative)) {
        (true, false) => format!("HeyGen's page admits it; known here {lead} before."),
        (true, true) => format!("HeyGen's page knew it {lead} before us."),
        (false, _) => format!("HeyGen's page does not admit it yet ({lead} so far)."),
    })
}

fn incident_row<'a>(incident: &'a Incident, times: &Times<'_>) -> IncidentRow<'a> {
    IncidentRow {
        id: incident.id,
        headline: &incident.headline,
        touches: words::capabilities(&incident.capabilities),
        since: times.say(incident.opened_at),
        suspended: incident.suspended.is_some(),
        flapping: incident.flapping,
    }
}

fn source_row(source: &SourceView, times: &Times<'_>) -> SourceRow {
    let reading = source.last.as_ref();
    let name = match source.role {
        SourceRole::Primary => format!("{} (HeyGen's own page)", source.name),
        SourceRole::Alternative => format!("{} (substitute)", source.name),
        SourceRole::Peer => format!("{} (another monitor)", source.name),
    };
    let page = reading.and_then(|reading| reading.page.as_ref().ok());
    let events = page.iter().flat_map(|page| page.incidents.iter().chain(&page.maintenances));
    SourceRow {
        name,
        link: page.filter(|page| page.url.starts_with("https://")).map(|page| page.url.clone()),
        says: match reading.map(|reading| &reading.page) {
            None => "not read yet".to_owned(),
            Some(Ok(page)) => says(page.state).to_owned(),
            Some(Err(why)) => format!("cannot be read: {why}"),
        },
        notices: events
            .map(|event| format!("{} ({})", event.title, event.phase.as_str().replace('_', " ")))
            .collect(),
        checked: reading.map(|reading| times.say(reading.at)),
    }
}

fn says(state: ComponentState) -> &'static str {
    words::component_state(state)
}

fn mark(state: Condition, word: &'static str) -> Mark {
    let (icon, class) = match state {
        Condition::Operational => ("✓", "operational"),
        Condition::Degraded => ("▲", "degraded"),
        Condition::Outage => ("✕", "outage"),
        Condition::Maintenance => ("🔧", "maintenance"),
        Condition::Unknown => ("–", "unknown"),
    };
    Mark { icon, word, class }
}
