//! The pages, the feed and the badges: what people read, and what no text from outside can change.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use heygen_monitor::engine::uptime::Scope;
use heygen_monitor::engine::{Decision, Owed};
use heygen_monitor::model::{
    Ack, Baseline, Blame, Capability, CapabilityChange, ComponentState, EventKind, Evidence,
    Incident, IncidentEvent, Interval, Job, JobFailure, JobKind, JobState, Outcome, Reason, Stage,
    StageView, State, View,
};
use heygen_monitor::model::{IncidentChange, Origin};
use heygen_monitor::web::{Brand, BrandLink, Logo, LogoKind};
use heygen_monitor::wire::Titles;
use jiff::SignedDuration;
use scraper::{Html, Selector};

use super::{Answer, Site};
use crate::notify::injection::{CORPUS, is_trick};
use crate::sample_view::{HOSTILE, api_outage, at, incident, map, observation, page, reading};
use crate::store::samples::owed;

/// Every page there is, in the state that [`full`] leaves behind.
const PAGES: [&str; 9] = [
    "/",
    "/capabilities/api",
    "/capabilities/video_generation",
    "/probes/api-read",
    "/probes/control",
    "/incidents",
    "/incidents/1",
    "/jobs",
    "/incidents/2",
];

/// Everything that may come from outside says `text`.
fn hostile_view(text: &str) -> View {
    let mut view = api_outage();
    text.clone_into(&mut view.verdict.headline);
    text.clone_into(&mut view.verdict.vantage);
    text.clone_into(&mut view.verdict.account);
    for one in &mut view.verdict.capabilities {
        text.clone_into(&mut one.headline);
        text.clone_into(&mut one.advice.text);
        one.evidence.iter_mut().for_each(|item| {
            text.clone_into(&mut item.text);
            item.detail = hostile_evidence(text);
        });
        if let Some(official) = &mut one.official {
            official.notice = Some(text.to_owned());
        }
    }
    view.incidents = vec![hostile_incident(1, text)];
    let read = view.sources[0].last.as_mut().unwrap();
    let page = read.page.as_mut().unwrap();
    page.url = format!("javascript:{text}");
    text.clone_into(&mut page.incidents[0].title);
    view.stages = vec![StageView {
        kind: JobKind::Video,
        origin: Origin::Natural,
        stage: Stage::Queue,
        in_flight: 3,
        oldest_since: Some(at("2026-11-20T08:56:00Z")),
        baseline: Some(Baseline {
            count: 212,
            median: Duration::from_mins(2),
            q90: Duration::from_mins(4),
            q99: Duration::from_mins(6),
        }),
        late: Duration::from_mins(6),
        stuck: Duration::from_mins(20),
    }];
    view
}

fn hostile_evidence(text: &str) -> Evidence {
    let some = || Some(text.to_owned());
    Evidence {
        text: text.to_owned(),
        host: text.to_owned(),
        http_status: Some(503),
        code: some(),
        message: some(),
        param: some(),
        doc_url: Some(format!("javascript:alert('{text}')")),
        retry_after_secs: Some(30),
        request_id: some(),
        job_id: some(),
    }
}

fn hostile_incident(id: i64, text: &str) -> Incident {
    let event = |seq, kind, minute: i64| IncidentEvent {
        seq,
        kind,
        at: at("2026-11-20T09:00:00Z") + SignedDuration::from_mins(minute),
        state: State::Outage,
        channels: vec![text.to_owned()],
    };
    let mut incident = incident(id);
    text.clone_into(&mut incident.headline);
    text.clone_into(&mut incident.subject);
    text.clone_into(&mut incident.evidence[0].text);
    text.clone_into(&mut incident.evidence[0].probe);
    incident.evidence[0].detail = hostile_evidence(text);
    incident.ack = Some(Ack {
        at: at("2026-11-20T09:10:00Z"),
        author: text.to_owned(),
        comment: text.to_owned(),
    });
    incident.events = vec![event(1, EventKind::Opened, 1), event(2, EventKind::Worsened, 5)];
    incident
}

fn hostile_job(text: &str) -> Job {
    let created_at = at("2026-11-20T08:30:00Z");
    let after = |minutes| Some(Interval::exact(created_at + SignedDuration::from_mins(minutes)));
    Job {
        kind: JobKind::Video,
        id: text.to_owned(),
        origin: Origin::Natural,
        title: Some(text.to_owned()),
        created_at,
        first_seen_at: created_at,
        seen_at: created_at,
        state: JobState::Completed,
        started: after(3),
        ended: after(9),
        is_abandoned: false,
        is_sample: true,
        failure: Some(JobFailure { code: Some(text.to_owned()), message: Some(text.to_owned()) }),
    }
}

/// A site with something of everything, every text from outside being `text`.
async fn full(text: &str) -> Site {
    let site = Site::new(Some(hostile_view(text)));
    site.settings.send_modify(|settings| {
        settings.titles = Titles::Shown;
        "Studio status".clone_into(&mut settings.brand.name);
    });
    let mut message = crate::notify::message(EventKind::Opened);
    message.incident.as_mut().unwrap().id = 1;
    let mut resolved = hostile_incident(2, text);
    resolved.resolved_at = Some(at("2026-11-20T09:15:00Z"));
    let mut seen = observation("api-read", Outcome::Unavailable);
    seen.evidence = Some(Box::new(hostile_evidence(text)));
    let decision = Decision {
        observation: Some(seen),
        changes: [hostile_incident(1, text), resolved]
            .map(|incident| IncidentChange { incident })
            .to_vec(),
        jobs: vec![hostile_job(text)],
        standings: ups_and_downs(),
        owed: vec![Owed { channel: text.to_owned(), message }],
        ..Decision::nothing(api_outage().verdict)
    };
    let store = &site.state.store;
    store.heartbeat(at("2026-10-01T00:00:00Z")).await.unwrap();
    let mut now = at("2026-10-01T00:00:00Z");
    // One stretch of being alive, as the daemon leaves it behind.
    while now < site.state.clock.now() {
        now += SignedDuration::from_secs(80);
        if now.as_second() % (86_400 / 8) < 400 {
            store.heartbeat(now).await.unwrap();
        }
    }
    store.commit(&decision, site.state.clock.now()).await.unwrap();
    store.flush().await.unwrap();
    site
}

/// The API fails for an hour every third day.
fn ups_and_downs() -> Vec<CapabilityChange> {
    let change = |hours: i64, state, blame, reason| CapabilityChange {
        capability: Capability::Api,
        at: at("2026-10-01T00:00:00Z") + SignedDuration::from_hours(hours),
        state,
        blame,
        reason,
    };
    let down = Reason::Outcome(Outcome::Unavailable);
    let up = Reason::Outcome(Outcome::Ok);
    let mut changes = vec![change(0, State::Operational, Blame::None, up)];
    for day in (1..48).step_by(3) {
        changes.push(change(day * 24 + 9, State::Outage, Blame::Provider, down));
        changes.push(change(day * 24 + 10, State::Operational, Blame::None, up));
    }
    changes
}

fn parsed(answer: &Answer) -> Html {
    Html::parse_document(&answer.text)
}

/// Which elements there are, with the names of their attributes.
fn skeleton(answer: &Answer) -> Vec<String> {
    let all = Selector::parse("*").unwrap();
    let mut elements: Vec<String> = parsed(answer)
        .select(&all)
        .map(|element| {
            let names: Vec<_> = element.value().attrs().map(|(name, _)| name).collect();
            format!("{} {}", element.value().name(), names.join(" "))
        })
        .collect();
    elements.sort();
    elements
}

pub(super) fn text_of(answer: &Answer, selector: &str) -> String {
    let selector = Selector::parse(selector).unwrap();
    let found: Vec<String> =
        parsed(answer).select(&selector).map(|one| one.text().collect::<String>()).collect();
    found.join("|").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What holds for every page, whatever stands on it.
pub(super) fn assert_sound(answer: &Answer, path: &str) {
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    assert!(answer.text.len() < 60_000, "{path}: {} bytes", answer.text.len());
    let document = parsed(answer);
    let count = |selector: &str| document.select(&Selector::parse(selector).unwrap()).count();
    assert_eq!(count("h1"), 1, "{path}");
    assert_eq!(count("main"), 1, "{path}");
    assert_eq!(count("html[lang=en]"), 1, "{path}");
    assert_eq!(count("link[rel=alternate][type='application/atom+xml']"), 1, "{path}");
    assert_eq!(count("style, [style], [onclick], [onload], [onerror], iframe, form"), 0, "{path}");
    assert_eq!(count("script"), 1, "{path}: our own alone");
    assert_eq!(count("script[src]"), 1, "{path}");
    let ids = Selector::parse("[id]").unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for element in document.select(&ids) {
        let id = element.value().attr("id").unwrap();
        assert!(seen.insert(id.to_owned()), "{path}: id {id} twice");
    }
    let linked = Selector::parse("[href], [src]").unwrap();
    for element in document.select(&linked) {
        let value = element.value();
        let target = value.attr("href").or_else(|| value.attr("src")).unwrap();
        let is_ours = !target.contains(':') && !target.starts_with('/');
        let is_page = value.name() == "a" && target.starts_with("https://");
        assert!(is_ours || is_page, "{path}: {} leads to {target}", value.name());
    }
}

#[tokio::test]
async fn every_page_is_sound_with_nothing_and_with_everything() {
    for (site, text) in [(Site::new(Some(api_outage())), "empty"), (full("harmless").await, "full")]
    {
        for path in PAGES {
            let answer = site.look(path).await;
            if text == "empty" && path.starts_with("/incidents/") {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
                assert!(answer.text.contains("There is no such incident."), "{path}");
            } else {
                assert_sound(&answer, path);
            }
        }
    }
}

#[tokio::test]
async fn every_link_of_every_page_leads_somewhere_of_ours() {
    let site = full("harmless").await;
    let base = url::Url::parse("http://localhost/some/prefix/").unwrap();
    for path in PAGES {
        let here = base.join(path.trim_start_matches('/')).unwrap();
        let answer = site.get(path).await;
        let linked = Selector::parse("[href], [src]").unwrap();
        let document = parsed(&answer);
        let targets: Vec<String> = document
            .select(&linked)
            .filter_map(|element| element.value().attr("href").or(element.value().attr("src")))
            .filter(|target| !target.starts_with("https://") && !target.starts_with('#'))
            .map(str::to_owned)
            .collect();
        assert!(targets.len() > 8, "{path}");
        for target in targets {
            let there = here.join(&target).unwrap();
            let route = there
                .path()
                .strip_prefix("/some/prefix")
                .unwrap_or_else(|| panic!("{path}: {target} leaves the prefix"));
            let status = site.get(route).await.status;
            assert_eq!(status, StatusCode::OK, "{path}: {target}");
        }
    }
}

#[tokio::test]
async fn hostile_text_changes_no_element_of_any_page_feed_or_badge() {
    let mut paths = PAGES.to_vec();
    paths.extend(["/feed.atom", "/badge/api.svg"]);
    let harmless = full("harmless").await;
    let mut expected = Vec::new();
    for path in &paths {
        expected.push(skeleton(&harmless.get(path).await));
    }
    let huge = "A".repeat(1_000_000);
    for text in CORPUS.into_iter().chain([huge.as_str(), HOSTILE]) {
        let site = full(text).await;
        for (path, expected) in paths.iter().zip(&expected) {
            let answer = site.get(path).await;
            assert_eq!(&skeleton(&answer), expected, "{path}: {text:.60}");
            assert!(!answer.text.chars().any(is_trick), "{path}: {text:.60}");
            assert!(!answer.text.contains(['\u{1b}', '\u{0}', '\u{7}', '\u{9b}', '\r']), "{path}");
            assert!(!answer.text.contains("href=\"javascript"), "{path}: {text:.60}");
            if path.starts_with("/feed") {
                let feed = feed_rs::parser::parse(answer.text.as_bytes()).unwrap();
                assert_eq!(feed.entries.len(), 2);
            } else if !path.starts_with("/badge") {
                assert_sound(&answer, path);
            }
        }
    }
}

#[tokio::test]
async fn the_page_says_what_is_wrong_whose_side_since_when_and_what_to_do() {
    let site = Site::new(Some(api_outage()));
    let answer = site.get("/").await;
    assert_eq!(text_of(&answer, "title"), "✕ down – HeyGen monitor");
    assert_eq!(text_of(&answer, "h1"), "down");
    let headline = "HeyGen: the API has answered 503 since 09:00. HeyGen's side.";
    assert_eq!(text_of(&answer, ".headline"), headline);
    let row = text_of(&answer, ".row.outage");
    for said in [
        "API down",
        "HeyGen's side",
        "since 10:00 (20 min)",
        "What to do: Stop starting new ones.",
        "HeyGen's own page says: all working. HeyGen's page does not admit it yet (20 min so far).",
    ] {
        assert!(row.contains(said), "{said}\n{row}");
    }
    assert!(text_of(&answer, ".differs").contains("does not admit"), "the disagreement stands out");
    assert!(answer.text.contains("<time datetime=\"2026-11-20T09:00:00Z\">"), "for machines too");
    let fresh = text_of(&answer, "#fresh");
    assert!(fresh.starts_with("Updated ") && fresh.contains(" ago, next check in "), "{fresh}");
    let place = "Checked from fra-1, account default. Times are in Europe/Berlin (CET).";
    assert!(text_of(&answer, "footer").starts_with(place));
    assert!(text_of(&answer, ".others").contains("speech not watched"));
    assert!(text_of(&answer, ".card").contains("#7 API not answering since 09:00"));
    assert!(text_of(&answer, ".timeline").contains("10:00 Confirmed: down, HeyGen's side."));
    assert!(text_of(&answer, "#details").contains("(HeyGen's own page): a partial outage"));
    assert_eq!(answer.text.matches("assets/outage.svg").count(), 1, "the icon follows the state");
}

#[tokio::test]
async fn a_page_that_is_red_while_our_checks_are_fine_is_shown_as_a_disagreement() {
    let mut view = api_outage();
    let web = view.verdict.capabilities.iter_mut().find(|one| one.capability == Capability::WebApp);
    let web = web.unwrap();
    web.official = Some(heygen_monitor::model::OfficialView {
        source: "heygen".to_owned(),
        state: ComponentState::MajorOutage,
        acknowledged: false,
        lead_seconds: None,
        notice: None,
    });
    let answer = Site::new(Some(view)).get("/capabilities/web_app").await;
    let expected = "HeyGen's own page says: a major outage. Our checks see nothing of it.";
    assert_eq!(text_of(&answer, ".differs"), expected);
}

#[tokio::test]
async fn the_last_days_show_our_checks_and_heygens_claim_side_by_side() {
    let site = full("harmless").await;
    site.settings.send_modify(|settings| {
        let pages = vec![("heygen".to_owned(), map())];
        settings.scope = Arc::new(Scope { pages, ..(*settings.scope).clone() });
    });
    let store = &site.state.store;
    // HeyGen's page was green all the time.
    let mut green = page();
    green.components[0].state = ComponentState::Operational;
    green.components.truncate(1);
    let mut read = reading(Ok(green));
    read.at = at("2026-10-01T00:00:00Z");
    let decision = Decision { reading: Some(read), ..Decision::nothing(api_outage().verdict) };
    store.commit(&decision, site.state.clock.now()).await.unwrap();
    store.flush().await.unwrap();
    let answer = site.get("/").await;
    let strips = Selector::parse(".strip svg[role=img]").unwrap();
    let document = parsed(&answer);
    let labels: Vec<&str> =
        document.select(&strips).filter_map(|svg| svg.value().attr("aria-label")).collect();
    let api = labels.iter().find(|label| label.starts_with("API")).unwrap();
    assert!(api.contains("the last 90 days"), "{api}");
    assert!(api.contains("HeyGen's page said otherwise"), "{api}");
    let said = text_of(&answer, ".strip title");
    assert!(said.contains("2026-11-16: down "), "a bad day says what it was: {said}");
    assert!(said.contains("(HeyGen's side). HeyGen's page: all working."), "{said}");
    let table = text_of(&site.get("/capabilities/api").await, "#bad-days");
    assert!(table.contains("2026-10-02") && table.contains("all working"), "{table}");
}

#[tokio::test]
async fn a_blind_monitor_is_loud_and_never_green() {
    let site = full("harmless").await;
    site.view.send_modify(|view| {
        let mut blind = (**view.as_ref().unwrap()).clone();
        blind.internet_up = Some(false);
        *view = Some(Arc::new(blind));
    });
    let alarm = text_of(&site.get("/").await, "#alarm");
    assert_eq!(alarm, "This monitor cannot reach the internet: it sees nothing of HeyGen.");
    site.view.send_replace(None);
    for path in PAGES {
        let answer = site.look(path).await;
        let alarm = text_of(&answer, "#alarm");
        assert!(alarm.starts_with("Nothing is known about HeyGen: starting"), "{path}: {alarm}");
        assert!(answer.text.contains("assets/unknown.svg"), "{path}");
        assert!(!text_of(&answer, ".hero.operational").contains("working"), "{path}");
    }
    let badge = site.get("/badge/api.svg").await;
    assert!(badge.text.contains("can&#39;t tell right now"), "{}", badge.text);
}

#[tokio::test]
async fn queues_are_told_against_what_is_usual() {
    let answer = Site::new(Some(hostile_view("x"))).get("/").await;
    let stages = text_of(&answer, "#stages ~ section tbody tr");
    let expected = "your videos waiting to start 3 stuck 24 min under 4 min (your last 212) 6 min";
    assert_eq!(stages, expected);
}

#[tokio::test]
async fn an_incident_shows_its_timeline_its_evidence_and_every_attempt() {
    let site = full("harmless").await;
    let delivery = site.state.store.claim(site.state.clock.now(), Duration::from_mins(1)).await;
    let attempt = heygen_monitor::model::Attempt {
        at: at("2026-11-20T09:19:00Z"),
        result: heygen_monitor::model::AttemptResult::Retry {
            reason: heygen_monitor::model::FailureReason::RateLimited,
            detail: "429, come back in 30 s".to_owned(),
            after: None,
        },
    };
    let id = delivery.unwrap()[0].id;
    site.state.store.finish(id, &attempt, None).await.unwrap();
    let answer = site.get("/incidents/1").await;
    let timeline = text_of(&answer, ".timeline");
    let order = ["Taken on by harmless. harmless", "Got worse: down.", "Confirmed", "First sign"];
    let places: Vec<_> = order.iter().map(|said| timeline.find(said).expect(said)).collect();
    assert!(places.is_sorted(), "newest first: {timeline}");
    assert!(text_of(&answer, ".transcript").contains("HTTP status503"));
    let told = text_of(&answer, "#deliveries ~ section");
    assert!(told.contains("openedharmlesspending"), "{told}");
    assert!(told.contains("10:19 retry 429, come back in 30 s"), "{told}");
}

#[tokio::test]
async fn a_check_shows_how_long_it_took_and_how_it_failed() {
    let site = Site::new(Some(hostile_view("harmless")));
    for minute in 0..31_i64 {
        let outcome = if minute == 30 { Outcome::Unavailable } else { Outcome::Ok };
        let mut seen = observation("api-read", outcome);
        seen.ended_at = at("2026-11-20T08:00:00Z") + SignedDuration::from_mins(minute);
        seen.begun_at = seen.ended_at - SignedDuration::from_millis(100 + minute);
        let decision =
            Decision { observation: Some(seen), ..Decision::nothing(api_outage().verdict) };
        site.state.store.commit(&decision, site.state.clock.now()).await.unwrap();
    }
    site.state.store.flush().await.unwrap();
    let answer = site.get("/probes/api-read").await;
    assert_sound(&answer, "/probes/api-read");
    assert!(answer.text.contains("<path class=\"line\""), "a line of what is usual");
    assert!(answer.text.contains("<path class=\"failure\""), "and a mark where it failed");
    let table = text_of(&answer, "#figures-1");
    assert!(table.contains("ms"), "the same as a table: {table}");
    assert!(text_of(&answer, "#failures ~ ul").contains("service unavailable"), "{}", answer.text);
    assert_eq!(site.get("/probes/none").await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/capabilities/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn titles_of_jobs_are_shown_only_where_that_is_wanted() {
    let site = full("harmless").await;
    assert!(text_of(&site.get("/jobs").await, "thead").contains("Title"));
    site.settings.send_modify(|settings| settings.titles = Titles::Hidden);
    let answer = site.get("/jobs").await;
    assert!(!text_of(&answer, "thead").contains("Title"));
    assert_eq!(answer.text.matches("harmless").count(), 4, "id, remark, vantage and account");
}

#[tokio::test]
async fn lists_go_on_page_by_page() {
    let site = Site::new(Some(api_outage()));
    site.remember(60).await;
    let mut path = "/incidents".to_owned();
    let mut seen = 0;
    for _ in 0..3 {
        let answer = site.get(&path).await;
        seen += answer.text.matches("class=\"row").count();
        let older = Selector::parse(".pager a[href*=before]").unwrap();
        let next = parsed(&answer)
            .select(&older)
            .next()
            .map(|link| format!("/{}", link.value().attr("href").unwrap()));
        let Some(next) = next else { break };
        path = next;
    }
    assert_eq!(seen, 60);
}

#[tokio::test]
async fn the_feed_keeps_its_ids_and_tells_when_something_happened() {
    let site = Site::new(Some(api_outage()));
    site.remember(2).await;
    let read = async || {
        let answer = site.get("/feed.atom").await;
        assert_eq!(answer.header("content-type"), "application/atom+xml; charset=utf-8");
        feed_rs::parser::parse(answer.text.as_bytes()).unwrap()
    };
    let before = read().await;
    assert_eq!(before.entries.len(), 2);
    let mut ended = incident(2);
    ended.resolved_at = Some(at("2026-11-20T09:18:00Z"));
    let decision = Decision {
        changes: vec![IncidentChange { incident: ended }],
        ..Decision::nothing(api_outage().verdict)
    };
    site.state.store.commit(&decision, site.state.clock.now()).await.unwrap();
    let after = read().await;
    let ids = |feed: &feed_rs::model::Feed| -> Vec<String> {
        feed.entries.iter().map(|entry| entry.id.clone()).collect()
    };
    assert_eq!(ids(&before), ids(&after));
    assert!(ids(&after).iter().all(|id| id.starts_with("tag:")), "{:?}", ids(&after));
    assert!(after.entries[0].updated > before.entries[0].updated);
    assert_eq!(after.entries[1].updated, before.entries[1].updated);
    assert!(after.updated > before.updated);
    let title = after.entries[0].title.as_ref().unwrap();
    assert_eq!(title.content, "Resolved: API not answering since 09:00");
    site.settings.send_modify(|settings| {
        settings.public_url = Some("https://status.example.org/heygen".parse().unwrap());
    });
    let links = read().await.entries[0].links.clone();
    assert_eq!(links[0].href, "https://status.example.org/heygen/incidents/2");
}

#[tokio::test]
async fn a_badge_is_a_picture_for_other_peoples_pages() {
    let site = Site::new(Some(api_outage()));
    let answer = site.get("/badge/api.svg").await;
    assert_eq!(answer.header("content-type"), "image/svg+xml");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
    assert_eq!(answer.header("content-security-policy"), policy);
    assert!(answer.text.contains("height=\"20\""));
    assert!(answer.text.contains("aria-label=\"HeyGen API: down\""), "{}", answer.text);
    let other = site.get("/badge/speech.svg").await;
    assert!(other.text.contains("HeyGen speech: not watched"), "{}", other.text);
    for missing in ["/badge/api", "/badge/none.svg", "/badge/.svg"] {
        assert_eq!(site.get(missing).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn the_pages_carry_the_name_the_logo_and_the_links_of_their_owner() {
    let site = Site::new(Some(api_outage()));
    assert_eq!(site.get("/assets/logo").await.status, StatusCode::NOT_FOUND);
    site.settings.send_modify(|settings| {
        settings.brand = Brand {
            name: "Studio <status>".to_owned(),
            logo: Some(Logo {
                file: "logo.svg".into(),
                kind: LogoKind::Svg,
                bytes: b"<svg/>".as_slice().into(),
            }),
            links: vec![BrandLink {
                text: "Runbook".to_owned(),
                url: "https://wiki.example.org/heygen".parse().unwrap(),
            }],
        };
    });
    let answer = site.get("/incidents").await;
    assert_eq!(text_of(&answer, ".brand"), "Studio <status>");
    assert!(answer.text.contains("<img src=\"assets/logo\" alt=\"\">"));
    let link =
        "<a href=\"https://wiki.example.org/heygen\" rel=\"noopener noreferrer\">Runbook</a>";
    assert!(answer.text.contains(link), "{}", answer.text);
    let logo = site.get("/assets/logo").await;
    assert_eq!(logo.header("content-type"), "image/svg+xml");
    assert!(logo.header("content-security-policy").contains("sandbox"), "it runs nothing");
}

#[tokio::test]
async fn a_channel_that_refuses_for_good_is_on_the_page() {
    let site = Site::new(Some(api_outage()));
    assert!(!site.get("/").await.text.contains("Broken channels"));
    site.state.store.tell_broken("on<call>", &[], at("2026-11-20T09:05:00Z")).await.unwrap();
    let said = text_of(&site.get("/").await, "#channels ~ ul");
    assert!(said.contains("Channel on<call> takes no messages since 10:05."), "{said}");
}

#[tokio::test]
async fn what_is_owed_for_a_day_is_undeliverable_so_far() {
    let site = Site::new(Some(api_outage()));
    let owed = owed("slack", None, 1, EventKind::Warning);
    site.state.store.owe(&owed, at("2026-11-20T08:00:00Z")).await.unwrap();
    assert!(!site.get("/").await.text.contains("undeliverable"), "it is an hour old");
    site.state
        .store
        .owe(&Owed { channel: "oncall".to_owned(), ..owed }, at("2026-11-19T08:00:00Z"))
        .await
        .unwrap();
    let said = text_of(&site.get("/").await, "#channels ~ ul");
    assert!(said.contains("Channel oncall: undeliverable so far, since"), "{said}");
}

#[test]
fn script_and_style_are_small_and_ask_nobody_else() {
    let script = include_str!("../../../templates/page.js");
    let style = include_str!("../../../templates/style.css");
    assert!(script.len() < 10_000, "{} bytes", script.len());
    for text in [script, style] {
        for foreign in ["http:", "https:", "//cdn", "@import", "url("] {
            assert!(!text.contains(foreign), "{foreign}");
        }
    }
}

#[test]
fn no_template_lets_a_text_through_unescaped() {
    let templates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for entry in std::fs::read_dir(templates).unwrap() {
        let path = entry.unwrap().path();
        // Mails have no policy, and their readers no style sheets.
        if path.ends_with("mail.html") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for way in ["|safe", "| safe", "escape(\"none\")", " style=\""] {
            assert!(!text.contains(way), "{}: {way}", path.display());
        }
    }
}
