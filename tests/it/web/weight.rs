//! No page is heavy, however much there is to say.

use std::sync::Arc;
use std::time::Duration;

use heygen_monitor::engine::page::ComponentMap;
use heygen_monitor::engine::uptime::Scope;
use heygen_monitor::engine::{Decision, Owed};
use heygen_monitor::model::{
    Alternative, Attempt, AttemptResult, Baseline, Blame, Capability, CapabilityChange, Component,
    ComponentState, EventKind, Evidence, FailureReason, Incident, IncidentChange, IncidentEvent,
    Interval, Job, JobFailure, JobKind, JobState, OfficialView, Origin, Outcome, ProbeKind,
    ProbeView, Reason, Series, SourceRole, SourceView, Stage, StageView, State, Timestamp, View,
};
use heygen_monitor::web::BrandLink;
use heygen_monitor::wire::Titles;
use jiff::SignedDuration;

use super::Site;
use super::pages::{assert_sound, text_of};
use crate::sample_view::{api_outage, at, incident, observation, page, reading};
use crate::store::samples::owed;

/// Longer than anything that a page shows of a text from outside.
fn long(text: &str) -> String {
    format!("{text} {}", "ab ".repeat(700))
}

/// As long as a name in the configuration may be.
fn name(text: &str) -> String {
    format!("{text:x<64}")
}

fn now() -> Timestamp {
    at("2026-11-20T09:20:00Z")
}

fn days_ago(days: i64) -> Timestamp {
    now() - SignedDuration::from_hours(24 * days)
}

fn evidence() -> Evidence {
    let some = |text: &str| Some(long(text));
    Evidence {
        text: long("What was seen"),
        host: "api.heygen.com".to_owned(),
        http_status: Some(503),
        code: Some("c".repeat(100)),
        message: some("HeyGen's message"),
        param: Some("p".repeat(200)),
        doc_url: Some(format!("https://developers.heygen.com/{}", "d".repeat(170))),
        retry_after_secs: Some(30),
        request_id: Some("r".repeat(200)),
        job_id: Some("j".repeat(200)),
    }
}

fn heavy_incident(id: i64) -> Incident {
    let mut incident = incident(id);
    incident.headline = long(&format!("Incident {id}"));
    incident.capabilities = Capability::ALL.to_vec();
    incident.opened_at = days_ago(9);
    incident.confirmed_at = days_ago(9);
    incident.flapping = true;
    let mut item = incident.evidence[0].clone();
    item.text = long("What was seen");
    item.detail = evidence();
    incident.evidence = vec![item; 20];
    let kinds = [EventKind::Worsened, EventKind::Eased, EventKind::Flapping, EventKind::Reminder];
    let events = (1_u32..=100).zip(kinds.into_iter().cycle());
    incident.events = events
        .map(|(seq, kind)| IncidentEvent {
            seq,
            kind,
            at: days_ago(8) + SignedDuration::from_hours(i64::from(seq)),
            state: State::Outage,
            channels: vec![name("channel"); 10],
        })
        .collect();
    incident
}

fn heavy_view() -> View {
    let mut view = api_outage();
    view.verdict.headline = long("Everything fails");
    let item = {
        let api = view.verdict.capabilities.iter().find(|one| !one.evidence.is_empty()).unwrap();
        let mut item = api.evidence[0].clone();
        item.text = long("What was seen");
        item.detail = evidence();
        item
    };
    for one in &mut view.verdict.capabilities {
        let its = one.capability.as_str();
        one.used = true;
        (one.state, one.blame) = (State::Outage, Blame::Provider);
        one.reason = Reason::Outcome(Outcome::Unavailable);
        one.since = Some(days_ago(9));
        one.headline = long(&format!("{its} fails"));
        one.advice.text = long(&format!("Do not use {its}."));
        one.evidence = vec![item.clone(); 20];
        one.official = Some(OfficialView {
            source: "heygen".to_owned(),
            state: ComponentState::Operational,
            acknowledged: false,
            lead_seconds: Some(777_777),
            notice: Some(long("A notice")),
        });
        let alternative = Alternative {
            name: name("alternative"),
            state: ComponentState::DegradedPerformance,
            checked_at: days_ago(10),
        };
        one.alternatives = vec![alternative; 6];
    }
    view.incidents = (1..=12).map(heavy_incident).collect();
    view.sources = sources();
    view.probes = probes(&view.probes[0]);
    view.stages = stages();
    view
}

/// HeyGen's own page, substitutes and peers, each with more notices than anybody reads.
fn sources() -> Vec<SourceView> {
    let source = |index: usize| {
        let mut page = page();
        page.incidents[0].title = long("A notice");
        page.incidents = vec![page.incidents[0].clone(); 10];
        let role = match index {
            0 => SourceRole::Primary,
            1..10 => SourceRole::Alternative,
            _ => SourceRole::Peer,
        };
        let last = Some(reading(Ok(page)));
        SourceView { name: name(&format!("s{index}")), role, last, last_success_at: Some(now()) }
    };
    (0..20).map(source).collect()
}

/// Thirty checks; `many` looks at six things, `queue` at both kinds of jobs.
fn probes(sample: &ProbeView) -> Vec<ProbeView> {
    let probe = |series: Series, kind| ProbeView { series, kind, ..sample.clone() };
    let others =
        (0..28).map(|index| probe(Series::of(&name(&format!("p{index}"))), ProbeKind::Api));
    let of = |probe: &str, subject: String| Series { probe: probe.to_owned(), subject };
    let many =
        (0..6).map(|index| probe(of("many", format!("/v3/path-{index}")), ProbeKind::Submit));
    let queue = ["video", "translation"];
    let queue = queue.map(|kind| probe(of("queue", kind.to_owned()), ProbeKind::Queue));
    others.chain(many).chain(queue).collect()
}

fn stages() -> Vec<StageView> {
    let kinds = JobKind::ALL.into_iter().flat_map(|kind| Origin::ALL.map(|origin| (kind, origin)));
    kinds
        .flat_map(|(kind, origin)| {
            Stage::ALL.map(|stage| StageView {
                kind,
                origin,
                stage,
                in_flight: 100,
                oldest_since: Some(days_ago(1)),
                baseline: Some(Baseline {
                    count: 1_000,
                    median: Duration::from_mins(2),
                    q90: Duration::from_mins(4),
                    q99: Duration::from_mins(6),
                }),
                late: Duration::from_mins(6),
                stuck: Duration::from_mins(20),
            })
        })
        .collect()
}

fn heavy_job(number: i64) -> Job {
    let created_at = now() - SignedDuration::from_mins(20 * number);
    let after = |minutes| Some(Interval::exact(created_at + SignedDuration::from_mins(minutes)));
    Job {
        kind: if number % 2 == 0 { JobKind::Video } else { JobKind::Translation },
        id: format!("{number:0>200}"),
        origin: Origin::Natural,
        title: Some(long("A title")),
        created_at,
        first_seen_at: created_at,
        seen_at: created_at,
        state: JobState::Completed,
        started: after(3),
        ended: after(9),
        is_abandoned: false,
        is_sample: true,
        failure: Some(JobFailure { code: None, message: Some(long("Why")) }),
    }
}

impl Site {
    async fn keep(&self, decision: Decision) {
        self.state.store.commit(&decision, now()).await.unwrap();
    }

    /// Ninety days on each of which the verdict and HeyGen's page say something else than the day
    /// before, and not the same.
    async fn change_daily(&self) {
        let states = [State::Outage, State::Operational, State::Degraded, State::Maintenance];
        let said = [
            ComponentState::Operational,
            ComponentState::MajorOutage,
            ComponentState::UnderMaintenance,
            ComponentState::DegradedPerformance,
        ];
        for day in 0..95_i64 {
            let at = days_ago(94 - day);
            let turn = usize::try_from(day % 4).unwrap();
            let change = |capability| CapabilityChange {
                capability,
                at,
                state: states[turn],
                blame: Blame::Provider,
                reason: Reason::Outcome(Outcome::Unavailable),
            };
            let mut page = page();
            page.components = Capability::ALL.map(|capability| row(capability, said[turn])).into();
            let mut reading = reading(Ok(page));
            reading.at = at;
            self.keep(Decision {
                standings: Capability::ALL.map(change).into(),
                reading: Some(reading),
                ..Decision::nothing(api_outage().verdict)
            })
            .await;
            // The daemon was alive for a while after each change.
            for beat in 0..3 {
                let beat_at = at + SignedDuration::from_secs(80 * beat);
                self.state.store.heartbeat(beat_at).await.unwrap();
            }
        }
    }

    async fn run(&self, series: &Series, kind: ProbeKind) {
        let runs = if kind == ProbeKind::Queue { 80 } else { 30 };
        for run in 0..runs {
            let failed = run % 2 == 0;
            let mut seen =
                observation(&series.probe, if failed { Outcome::Unavailable } else { Outcome::Ok });
            seen.series = series.clone();
            seen.kind = kind;
            seen.ended_at = now() - SignedDuration::from_mins(17 * run);
            seen.begun_at = seen.ended_at - SignedDuration::from_millis(1_234 + run);
            seen.evidence = failed.then(|| Box::new(evidence()));
            let decision =
                Decision { observation: Some(seen), ..Decision::nothing(api_outage().verdict) };
            self.keep(decision).await;
        }
    }

    /// Everybody is told of incident 1 five times, and nobody takes it.
    async fn tell(&self) {
        let first = heavy_incident(1);
        for seq in 1..=5 {
            let owed = (0..12).map(|channel| {
                let owed =
                    owed(&name(&format!("c{channel}")), Some(&first), seq, EventKind::Reminder);
                Owed { ..owed }
            });
            self.keep(Decision { owed: owed.collect(), ..Decision::nothing(api_outage().verdict) })
                .await;
        }
        let store = &self.state.store;
        for delivery in store.claim(now(), Duration::from_mins(1)).await.unwrap() {
            for _ in 0..5 {
                let result = AttemptResult::Retry {
                    reason: FailureReason::RateLimited,
                    detail: long("It says"),
                    after: None,
                };
                store.finish(delivery.id, &Attempt { at: now(), result }, None).await.unwrap();
            }
        }
    }
}

fn row(capability: Capability, state: ComponentState) -> Component {
    Component {
        id: capability.as_str().to_owned(),
        name: name(capability.as_str()),
        group: None,
        state,
        raw: state.as_str().to_owned(),
    }
}

/// More of everything than any page shows.
async fn heavy() -> Site {
    let view = heavy_view();
    let watched: Vec<_> = view.probes.iter().map(|one| (one.series.clone(), one.kind)).collect();
    let site = Site::new(Some(view));
    site.settings.send_modify(|settings| {
        settings.titles = Titles::Shown;
        settings.brand.name = name("Studio");
        let url: url::Url = format!("https://wiki.example.org/{}", "l".repeat(80)).parse().unwrap();
        settings.brand.links = vec![BrandLink { text: name("link"), url }; 10];
        let components = Capability::ALL.map(|one| (one.as_str().to_owned(), one)).into();
        let map = ComponentMap { components, ..ComponentMap::default() };
        let pages = vec![("heygen".to_owned(), map)];
        settings.scope = Arc::new(Scope { pages, ..(*settings.scope).clone() });
    });
    site.change_daily().await;
    site.keep(Decision {
        jobs: (1..=80).map(heavy_job).collect(),
        changes: (1..=40).map(|id| IncidentChange { incident: heavy_incident(id) }).collect(),
        ..Decision::nothing(api_outage().verdict)
    })
    .await;
    for (series, kind) in watched {
        if series.probe == "many" || series.probe == "queue" {
            site.run(&series, kind).await;
        }
    }
    site.tell().await;
    site.state.store.flush().await.unwrap();
    for channel in 0..8 {
        let channel = name(&format!("broken{channel}"));
        site.state.store.tell_broken(&channel, &[], days_ago(2)).await.unwrap();
    }
    site.view.send_modify(|view| {
        let view = Arc::make_mut(view.as_mut().unwrap());
        view.verdict.at = site.state.clock.now();
    });
    site
}

#[tokio::test]
async fn every_page_stays_below_sixty_kilobytes_whatever_there_is_to_say() {
    let site = heavy().await;
    let mut pages = Vec::new();
    for path in [
        "/",
        "/capabilities/video_generation",
        "/probes/many",
        "/probes/queue",
        "/incidents",
        "/incidents/1",
        "/jobs",
        "/nowhere",
    ] {
        let answer = site.look(path).await;
        // For people who want to see what a full page looks like.
        if let Some(directory) = std::env::var_os("HEYGEN_MONITOR_PAGES") {
            let file = format!("{}.html", path.trim_start_matches('/').replace('/', "-"));
            std::fs::write(std::path::Path::new(&directory).join(file), &answer.text).unwrap();
        }
        pages.push((path, answer));
    }
    let bytes: Vec<_> = pages.iter().map(|(path, answer)| (path, answer.text.len())).collect();
    assert!(bytes.iter().all(|(_, bytes)| *bytes < 60_000), "{bytes:?}");
    for (path, answer) in pages.iter().filter(|(_, answer)| answer.status.is_success()) {
        assert_sound(answer, path);
    }
    assert_eq!(pages.iter().filter(|(_, answer)| answer.status.is_success()).count(), 7);
    // Each page was full, and says what it leaves out.
    let overview = site.look("/").await;
    assert_eq!(overview.text.matches("<li class=\"row outage\">").count(), Capability::ALL.len());
    assert!(
        text_of(&overview, "#details").contains("7 more open incidents"),
        "of twelve open incidents"
    );
    // Confirmed in the second in which it began: what came later stands above.
    let begun = "… 98 more until here. 2026-11-11 10:20 Confirmed: down, HeyGen's side. \
                 2026-11-11 10:20 First sign of trouble";
    assert!(text_of(&overview, ".timeline").contains(begun));
    assert!(text_of(&overview, "#official ~ p").contains("and 10 more"));
    let label = "video generation, the last 90 days: ";
    assert!(overview.text.contains(label) && overview.text.contains("said otherwise"));
    let days = text_of(&site.look("/capabilities/api").await, "#bad-days summary");
    assert_eq!(days, "Days with trouble: 90");
    let told = text_of(&site.look("/incidents/1").await, "#deliveries ~ p");
    assert_eq!(told, "The last 25; all as JSON.");
}
