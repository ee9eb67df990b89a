//! `/probes/{name}`: what one check saw lately, how long it took, and its last failures.
//!
//! Owns the shape of what a single observation says. Invariant: every query is bounded by its own
//! limit, however much was observed; what HeyGen answered us is for trusted readers alone.

use std::time::Duration;

use askama::Template;

use super::super::problem::{Problem, unreadable};
use super::super::segment::Segment;
use super::chart::{Plot, Point, took};
use super::frame::Frame;
use super::parts::Moment;
use super::{Answer, Visit, outside, rendered, sentence};
use crate::engine::words;
use crate::model::{
    Counts, EvidenceItem, Job, JobKind, JobState, Observation, Origin, Outcome, PathCheck,
    ProbeKind, ProbeView, Timestamp,
};
use crate::store::{JobFilter, ObservationFilter, Run, StoreError};

/// Series of one probe that are drawn.
const SERIES: usize = 6;
/// Places on the time axes of all series together; few runs share fewer, so that none stands empty
/// by chance.
const POINTS: usize = 72;
/// Places on the axis of one series, at most.
const POINTS_OF_ONE: usize = 48;
const RUNS_PER_POINT: usize = 2;
/// Runs that a chart is made of.
const RUNS: usize = 2_000;
/// How far back a chart goes.
const CHART: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// Items of evidence that a page shows.
const EVIDENCE: usize = 8;
/// Observations and failures in the lists.
const RECENT: usize = 20;
const FAILURES: usize = 5;
/// Ended jobs that are looked at for the stages, and drawn.
const JOBS: usize = 200;
const DRAWN: usize = 30;

#[derive(Template)]
#[template(path = "probe.html")]
struct Page {
    frame: Frame,
    name: String,
    kind: &'static str,
    informs: String,
    charts: Vec<Chart>,
    stages: Vec<StageChart>,
    recent: Vec<Proof>,
    failures: Vec<Proof>,
}

/// One series, drawn and in figures.
struct Chart {
    subject: String,
    outcome: &'static str,
    last: Option<Moment>,
    next: Option<Moment>,
    plot: Option<Plot>,
    figures: Vec<Figure>,
}

/// One row of the table beside a chart.
struct Figure {
    since: Moment,
    runs: usize,
    usual: String,
    most: String,
    failed: usize,
}

/// How long the stages of the last jobs took.
struct StageChart {
    whose: &'static str,
    plot: Plot,
    jobs: Vec<(String, Moment, String, String)>,
}

/// What one observation said.
pub(super) struct Proof {
    pub(super) moment: Moment,
    pub(super) probe: String,
    pub(super) outcome: &'static str,
    pub(super) is_good: bool,
    pub(super) is_decisive: bool,
    pub(super) took: String,
    pub(super) text: String,
    /// HeyGen's answer and the way to it, piece by piece; empty for the public.
    pub(super) transcript: Vec<(&'static str, String)>,
    pub(super) doc_url: Option<String>,
}

pub(super) async fn page(visit: Visit, Segment(name): Segment) -> Answer {
    let view = visit.view.clone()?;
    let series: Vec<&ProbeView> =
        view.probes.iter().filter(|probe| probe.series.probe == name).take(SERIES).collect();
    if series.is_empty() {
        return Err(Problem::not_found("there is no such check"));
    }
    let page = compose(&visit, &name, &series).await;
    rendered(&page.map_err(|error| unreadable(&error))?)
}

async fn compose(visit: &Visit, name: &str, series: &[&ProbeView]) -> Result<Page, StoreError> {
    let (mut charts, mut failures) = (Vec::new(), Vec::new());
    let since = visit.now.checked_sub(CHART).unwrap_or(visit.now);
    let places = (POINTS / series.len()).min(POINTS_OF_ONE);
    for probe in series {
        let store = &visit.state.store;
        let runs = store.runs(&probe.series, since, RUNS).await?;
        charts.push(chart(visit, probe, &runs, places));
        failures.extend(store.failures(&probe.series, FAILURES).await?);
    }
    let wanted =
        ObservationFilter { probe: Some(name.to_owned()), limit: RECENT, ..Default::default() };
    let recent = visit.state.store.list_observations(wanted).await?;
    let recent = recent.into_iter().map(|(_, observation)| observation).collect();
    let kind = series.first().map(|probe| probe.kind);
    let informs = series.iter().filter_map(|probe| probe.last.as_ref());
    let mut informs: Vec<_> = informs.flat_map(|last| last.capabilities.clone()).collect();
    informs.sort_unstable();
    informs.dedup();
    Ok(Page {
        frame: Frame::of(visit, &outside(name)),
        name: outside(name),
        kind: kind.map_or("", ProbeKind::as_str),
        informs: words::capabilities(&informs),
        charts,
        stages: stage_charts(visit, kind).await?,
        recent: newest(visit, recent, RECENT),
        failures: if visit.is_trusted() { newest(visit, failures, FAILURES) } else { Vec::new() },
    })
}

fn newest(visit: &Visit, mut all: Vec<Observation>, limit: usize) -> Vec<Proof> {
    all.sort_by_key(|observation| std::cmp::Reverse(observation.ended_at));
    all.truncate(limit);
    all.into_iter().map(|one| of_observation(visit, &visit.reader.observation(one))).collect()
}

fn chart(visit: &Visit, probe: &ProbeView, runs: &[Run], most_places: usize) -> Chart {
    let oldest = runs.last().map(|run| run.ended_at);
    let mut chart = Chart {
        subject: outside(&probe.series.subject),
        outcome: probe.last_outcome.map_or("not run yet", words::outcome),
        last: probe.last.as_ref().map(|last| visit.moment(last.ended_at)),
        next: probe.next_due_at.map(|at| visit.moment(at)),
        plot: None,
        figures: Vec::new(),
    };
    let Some(since) = oldest.filter(|_| probe.kind.is_scheduled()) else {
        return chart;
    };
    let places = (runs.len() / RUNS_PER_POINT).clamp(1, most_places);
    let buckets = buckets(runs, since, visit.now, places);
    let points: Vec<Point> = buckets.iter().map(|bucket| point(bucket)).collect();
    let (first, last) = (visit.moment(since).people, visit.moment(visit.now).people);
    let label = format!("How long {} runs took from {first} to {last}", runs.len());
    let width = words::between(since, visit.now) / u32::try_from(places).unwrap_or(1);
    for (index, (bucket, point)) in buckets.iter().zip(&points).enumerate() {
        let begun_at = since + width * u32::try_from(index).unwrap_or_default();
        if !bucket.is_empty() {
            chart.figures.push(Figure {
                since: visit.moment(begun_at),
                runs: bucket.len(),
                usual: point.usual.map_or("–".to_owned(), took),
                most: point.most.map_or("–".to_owned(), took),
                failed: bucket.iter().filter(|run| has_failed(run.outcome)).count(),
            });
        }
    }
    chart.figures.reverse();
    chart.plot = Some(Plot::of_points(&points, label, (first, last)));
    chart
}

/// The runs of each share of the time, oldest share first.
fn buckets(runs: &[Run], since: Timestamp, now: Timestamp, places: usize) -> Vec<Vec<&Run>> {
    let mut buckets = vec![Vec::new(); places];
    let whole = words::between(since, now).as_millis().max(1);
    for run in runs {
        let place = words::between(since, run.ended_at).as_millis() * places as u128 / whole;
        let last = places.saturating_sub(1);
        buckets[usize::try_from(place).unwrap_or(last).min(last)].push(run);
    }
    buckets
}

fn point(bucket: &[&Run]) -> Point {
    let mut took: Vec<Duration> = bucket
        .iter()
        .filter(|run| matches!(run.outcome, Outcome::Ok | Outcome::Slow))
        .map(|run| run.duration)
        .collect();
    took.sort_unstable();
    Point {
        usual: took.get(took.len() / 2).copied(),
        most: took.last().copied(),
        has_failed: bucket.iter().any(|run| has_failed(run.outcome)),
    }
}

fn has_failed(outcome: Outcome) -> bool {
    outcome.counts() != Counts::Up && !matches!(outcome, Outcome::Slow | Outcome::Skipped)
}

/// How long the last jobs waited and were made, for a probe that is about jobs.
async fn stage_charts(
    visit: &Visit,
    kind: Option<ProbeKind>,
) -> Result<Vec<StageChart>, StoreError> {
    let wanted: &[(JobKind, Origin)] = match kind {
        _ if !visit.is_trusted() => &[],
        Some(ProbeKind::Queue) => {
            &[(JobKind::Video, Origin::Natural), (JobKind::Translation, Origin::Natural)]
        }
        Some(ProbeKind::Render) => &[(JobKind::Video, Origin::Canary)],
        Some(ProbeKind::Translation) => &[(JobKind::Translation, Origin::Canary)],
        Some(_) | None => &[],
    };
    let mut charts = Vec::new();
    for (kind, origin) in wanted.iter().copied() {
        let filter = JobFilter {
            live_only: false,
            kind: Some(kind),
            origin: Some(origin),
            before: None,
            limit: JOBS,
        };
        let jobs = visit.state.store.jobs(filter).await?;
        charts.extend(stage_chart(visit, words::jobs(kind, origin), &jobs));
    }
    Ok(charts)
}

fn stage_chart(visit: &Visit, whose: &'static str, jobs: &[Job]) -> Option<StageChart> {
    let finished = jobs.iter().filter(|job| job.state == JobState::Completed);
    let mut drawn: Vec<(&Job, Duration, Duration)> = finished
        .filter_map(|job| {
            let (started, ended) = (job.started?, job.ended?);
            let wait = words::between(job.created_at, started.latest);
            Some((job, wait, words::between(started.latest, ended.latest)))
        })
        .take(DRAWN)
        .collect();
    drawn.reverse();
    let said = |at| visit.moment(at).people;
    let ends = (said(drawn.first()?.0.created_at), said(drawn.last()?.0.created_at));
    let durations: Vec<_> = drawn.iter().map(|(_, wait, made)| (*wait, *made)).collect();
    let label = format!("How long the last {} {whose} waited and were made", drawn.len());
    let rows = drawn.iter().rev().map(|(job, wait, made)| {
        let id = outside(&job.id);
        (id, visit.moment(job.created_at), words::duration(*wait), words::duration(*made))
    });
    Some(StageChart { whose, plot: Plot::of_jobs(&durations, label, ends), jobs: rows.collect() })
}

/// What the evidence said, the decisive first where not all of it is shown.
pub(super) fn proofs(visit: &Visit, evidence: &[EvidenceItem]) -> Vec<Proof> {
    let mut shown: Vec<&EvidenceItem> = evidence.iter().collect();
    if shown.len() > EVIDENCE {
        shown.sort_by_key(|item| !item.decisive);
        shown.truncate(EVIDENCE);
    }
    shown.into_iter().map(|item| proof(visit, item)).collect()
}

fn proof(visit: &Visit, item: &EvidenceItem) -> Proof {
    let transcript = if visit.is_trusted() { answer(&item.detail) } else { Vec::new() };
    Proof {
        moment: visit.moment(item.at),
        probe: outside(&item.probe),
        outcome: words::outcome(item.outcome),
        is_good: !has_failed(item.outcome),
        is_decisive: item.decisive,
        took: String::new(),
        text: sentence(&item.text),
        transcript,
        doc_url: link(item.detail.doc_url.as_deref()),
    }
}

fn of_observation(visit: &Visit, observation: &Observation) -> Proof {
    let evidence = observation.evidence.as_deref();
    let mut transcript = Vec::new();
    if visit.is_trusted() {
        transcript.extend(evidence.map(answer).unwrap_or_default());
        transcript.extend(way(observation));
    }
    let skipped = observation.skipped.map(|why| why.as_str().to_owned());
    let text = evidence.map(|evidence| sentence(&evidence.text)).or(skipped);
    Proof {
        moment: visit.moment(observation.ended_at),
        probe: outside(&observation.series.subject),
        outcome: words::outcome(observation.outcome),
        is_good: !has_failed(observation.outcome),
        is_decisive: false,
        took: took(observation.duration()),
        text: text.unwrap_or_default(),
        transcript,
        doc_url: link(evidence.and_then(|evidence| evidence.doc_url.as_deref())),
    }
}

/// HeyGen's answer, redacted when it was taken in.
fn answer(evidence: &crate::model::Evidence) -> Vec<(&'static str, String)> {
    let status = evidence.http_status.map(|status| status.to_string());
    let retry = evidence.retry_after_secs.map(|secs| format!("{secs} s"));
    let host = Some(evidence.host.as_str()).filter(|host| !host.is_empty());
    let pieces = [
        ("Host", host),
        ("HTTP status", status.as_deref()),
        ("Code", evidence.code.as_deref()),
        ("Message", evidence.message.as_deref()),
        ("Parameter", evidence.param.as_deref()),
        ("Retry after", retry.as_deref()),
        ("Request id", evidence.request_id.as_deref()),
        ("Job", evidence.job_id.as_deref()),
    ];
    let said = pieces.into_iter().filter_map(|(name, text)| Some((name, sentence(text?))));
    said.collect()
}

/// How far the request came.
fn way(observation: &Observation) -> Vec<(&'static str, String)> {
    let phases = &observation.phases;
    let mut way: Vec<(&'static str, String)> = [
        ("DNS", phases.dns),
        ("Connection", phases.connect),
        ("First byte", phases.ttfb),
        ("Body", phases.body),
    ]
    .into_iter()
    .filter_map(|(name, phase)| Some((name, took(phase?))))
    .collect();
    let transport = observation.transport.as_ref();
    if let Some(check) = transport.and_then(|transport| transport.path_check) {
        let text = match check {
            PathCheck::LocalDns => "another resolver knows the name: ours",
            PathCheck::LocalPath => "another address answers: ours",
            PathCheck::NotOurs => "another resolver and address fail too",
        };
        way.push(("Second try", text.to_owned()));
    }
    let control = transport.and_then(|transport| transport.control.as_ref());
    if let Some(control) = control.or(observation.control.as_ref()) {
        let text = format!("{} of {} answered", control.answered(), control.targets.len());
        way.push(("Controls", text));
    }
    way
}

fn link(url: Option<&str>) -> Option<String> {
    url.map(outside).filter(|url| url.starts_with("https://"))
}
