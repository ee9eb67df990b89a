//! The queue probe: what it asks for, in which order, and what it makes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use heygen_monitor::model::{
    Backfill, Capability, Followed, JobKind, JobStatus, JobsReading, Outcome, Owner, SkipReason,
    Timestamp,
};
use heygen_monitor::probe::queue::QueueCheck;
use heygen_monitor::probe::{CheckSpec, ProbeDeps, ProbeSpec, Prober, Run, Step, Worker, worker};

use super::desk::{Asked, Desk, Reply, json, refusal};
use super::{KEY, deps, spec};

const NOW: &str = "2026-11-20T09:00:00Z";
const SECRET_TITLE: &str = "Merger with Initech";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn check(kinds: &[JobKind], max_requests: u32) -> ProbeSpec {
    let check = QueueCheck {
        kinds: kinds.to_vec(),
        exclude_titles: vec!["*draft*".to_owned()],
        ignore_older_than: Duration::from_hours(24),
        max_silence: Duration::from_hours(6),
        max_requests,
    };
    let capabilities = vec![Capability::VideoGeneration, Capability::VideoTranslation];
    ProbeSpec { capabilities, timeout: Duration::from_secs(20), ..spec(CheckSpec::Queue(check)) }
}

fn prober(spec: &ProbeSpec, deps: &ProbeDeps) -> Arc<dyn Prober> {
    let Worker::Looks(prober) = worker(spec, deps) else { panic!("a probe that looks") };
    prober
}

fn followed(kind: JobKind, followed: Followed) -> BTreeMap<JobKind, Followed> {
    BTreeMap::from([(kind, followed)])
}

async fn run(prober: &dyn Prober, followed: BTreeMap<JobKind, Followed>) -> Step {
    let run = Run { followed: Arc::new(followed), ..Run::looking(Duration::from_secs(20), false) };
    let step = prober.run(run).await;
    let printed = format!("{step:?}");
    assert!(!printed.contains(KEY) && !printed.contains("Signature"), "{printed}");
    step
}

/// Rows `first..first + count` of an account whose job number n was created n minutes ago.
fn rows(first: i64, count: i64) -> String {
    let mut text = String::new();
    for number in first..first + count {
        let created = now().as_second() - number * 60;
        let comma = if number == first { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"id":"v{number}","status":"completed","title":"{SECRET_TITLE}",
               "created_at":{created},"completed_at":{},
               "video_url":"https://files.heygen.test/v{number}.mp4?Signature=s"}}"#,
            created + 30
        )
        .unwrap();
    }
    text
}

/// A list of a hundred rows a page; the cursor is the number of the first row.
fn list(asked: &Asked, all: i64) -> Reply {
    let first = asked.path.split_once("token=").map_or(0, |(_, token)| token.parse().unwrap());
    let count = (all - first).clamp(0, 100);
    let next = first + count;
    let has_more = next < all;
    let body = format!(
        r#"{{"data":[{}],"has_more":{has_more},"next_token":{}}}"#,
        rows(first, count),
        if has_more { format!("\"{next}\"") } else { "null".to_owned() }
    );
    json(200, &body)
}

fn reading(step: &Step) -> &JobsReading {
    assert_eq!(step.jobs.len(), 1);
    assert_eq!(step.observations[0].outcome, Outcome::Ok, "{:?}", step.observations[0].evidence);
    &step.jobs[0]
}

fn known(backfill: Backfill, live: &[&str]) -> Followed {
    Followed {
        live: live.iter().map(|id| (*id).to_owned()).collect(),
        newest_created_at: Some(now() - Duration::from_mins(5)),
        backfill,
    }
}

#[tokio::test]
async fn a_quiet_run_asks_for_one_list_and_one_bulk_answer() {
    let desk = Desk::open(|asked| {
        if asked.path.contains("/statuses") {
            return json(
                200,
                r#"{"data":[{"video_id":"old1","status":"processing"},
                   {"video_id":"old2","status":"failed","error":{"code":"X","message":"No."}},
                   {"video_id":"old3","status":"not_found"}],"has_more":false}"#,
            );
        }
        list(asked, 100_000)
    })
    .await;
    let prober = prober(&check(&[JobKind::Video], 10), &deps(&desk.url));
    let live = ["v7", "old1", "old2", "old3"];
    let step = run(&*prober, followed(JobKind::Video, known(Backfill::Done, &live))).await;
    let expected = ["GET /v3/videos?limit=100", "GET /v3/videos/statuses?video_ids=old1,old2,old3"];
    assert_eq!(desk.lines(), expected);
    assert!(desk.asked().iter().all(|asked| asked.header("x-api-key") == Some(KEY)));
    let reading = reading(&step);
    assert_eq!((reading.kind, reading.sightings.len()), (JobKind::Video, 103));
    let status = |id: &str| {
        let found = reading.sightings.iter().find(|sighting| sighting.id == id).unwrap();
        (found.status, found.owner.is_some(), found.failure.is_some(), found.has_url)
    };
    assert_eq!(status("v7"), (JobStatus::Completed, true, false, true));
    assert_eq!(status("old1"), (JobStatus::Processing, false, false, false));
    assert_eq!(status("old2"), (JobStatus::Failed, false, true, false));
    assert_eq!(status("old3"), (JobStatus::NotFound, false, false, false));
    let observation = &step.observations[0];
    assert_eq!(observation.series.subject, "video");
    assert_eq!(observation.capabilities, [Capability::VideoGeneration]);
    assert!(!format!("{step:?}").contains(SECRET_TITLE));
}

#[tokio::test]
async fn news_is_read_back_to_what_is_known_and_no_further() {
    let desk = Desk::open(|asked| list(asked, 100_000)).await;
    let prober = prober(&check(&[JobKind::Video], 10), &deps(&desk.url));
    let newest_created_at = Some(now() - Duration::from_mins(230));
    let known = Followed { newest_created_at, ..known(Backfill::Done, &[]) };
    let step = run(&*prober, followed(JobKind::Video, known)).await;
    assert_eq!(desk.lines().len(), 3, "{:?}", desk.lines());
    assert_eq!(reading(&step).sightings.len(), 300);
}

#[tokio::test]
async fn the_first_run_looks_back_within_its_requests_and_the_next_ones_go_on() {
    let desk = Desk::open(|asked| list(asked, 650)).await;
    let prober = prober(&check(&[JobKind::Video], 4), &deps(&desk.url));
    let step = run(&*prober, BTreeMap::new()).await;
    let first = reading(&step);
    assert_eq!((first.sightings.len(), &first.backfill), (400, &Backfill::At("400".to_owned())));
    let next = known(first.backfill.clone(), &[]);
    let step = run(&*prober, followed(JobKind::Video, next)).await;
    assert_eq!(reading(&step).backfill, Backfill::Done);
    assert_eq!(
        desk.lines()[5..],
        [
            "GET /v3/videos?limit=100&token=400",
            "GET /v3/videos?limit=100&token=500",
            "GET /v3/videos?limit=100&token=600"
        ]
    );
}

#[tokio::test]
async fn a_thousand_completed_jobs_end_the_look_back() {
    let desk = Desk::open(|asked| list(asked, 100_000)).await;
    let prober = prober(&check(&[JobKind::Video], 50), &deps(&desk.url));
    let step = run(&*prober, BTreeMap::new()).await;
    assert_eq!(reading(&step).backfill, Backfill::Done);
    assert_eq!(desk.lines().len(), 10);
}

#[tokio::test]
async fn every_kind_has_its_newest_and_its_live_jobs_read_first() {
    let desk = Desk::open(|asked| match asked.path.as_str() {
        path if path.contains("/statuses") => json(200, r#"{"data":[]}"#),
        _ => list(asked, 100_000),
    })
    .await;
    let prober = prober(&check(&JobKind::ALL, 5), &deps(&desk.url));
    let both = JobKind::ALL.map(|kind| (kind, known(Backfill::Due, &["old"])));
    let step = run(&*prober, both.into()).await;
    let mut lines = desk.lines();
    lines[..2].sort();
    let expected = [
        "GET /v3/video-translations?limit=100",
        "GET /v3/videos?limit=100",
        "GET /v3/videos/statuses?video_ids=old",
        "GET /v3/video-translations/statuses?video_translation_ids=old",
        "GET /v3/videos?limit=100&token=100",
    ];
    assert_eq!(lines, expected);
    let cursors: Vec<_> = step.jobs.iter().map(|reading| reading.backfill.clone()).collect();
    assert_eq!(cursors, [Backfill::At("200".to_owned()), Backfill::At("100".to_owned())]);
}

#[tokio::test]
async fn where_there_is_no_bulk_answer_jobs_are_read_in_turn_and_that_is_remembered() {
    let desk = Desk::open(|asked| match asked.path.as_str() {
        path if path.contains("/statuses") => refusal(404, "not_found"),
        path if path.contains("limit=") => json(200, r#"{"data":[],"has_more":false}"#),
        "/v3/videos/gone" => refusal(404, "video_not_found"),
        _ => json(200, r#"{"data":{"id":"x","status":"pending","title":"hgm-other-3"}}"#),
    })
    .await;
    let prober = prober(&check(&[JobKind::Video], 4), &deps(&desk.url));
    let live = || followed(JobKind::Video, known(Backfill::Done, &["a", "gone", "b", "c"]));
    let step = run(&*prober, live()).await;
    let seen: Vec<_> = reading(&step)
        .sightings
        .iter()
        .map(|sighting| (sighting.id.clone(), sighting.status, sighting.owner.clone()))
        .collect();
    let foreign = Some(Owner::Foreign);
    let expected = [
        ("a".to_owned(), JobStatus::Queued, foreign),
        ("gone".to_owned(), JobStatus::NotFound, None),
    ];
    assert_eq!(seen, expected);
    run(&*prober, live()).await;
    let expected =
        ["GET /v3/videos?limit=100", "GET /v3/videos/b", "GET /v3/videos/c", "GET /v3/videos/a"];
    assert_eq!(desk.lines()[4..], expected);
}

#[tokio::test]
async fn titles_tell_owners_and_are_kept_only_where_they_may_be() {
    let desk = Desk::open(|_| {
        json(
            200,
            r#"{"data":[{"id":"1","status":"waiting","title":"hgm-test-9"},
               {"id":"2","status":"queued","title":"hgm-else-9"},
               {"id":"3","status":"running","title":"A Draft of it"},
               {"id":"4","status":"new_word","title":"Launch"},{"id":"5","status":"done"}]}"#,
        )
    })
    .await;
    let natural = Some(Owner::Natural);
    let ours = Some(Owner::Ours { nonce: "hgm-test-9".to_owned() });
    for show_titles in [false, true] {
        let deps = ProbeDeps { show_titles, ..deps(&desk.url) };
        let step = run(&*prober(&check(&[JobKind::Video], 4), &deps), BTreeMap::new()).await;
        let sightings = &reading(&step).sightings;
        let owners: Vec<_> = sightings.iter().map(|sighting| sighting.owner.clone()).collect();
        let foreign = Some(Owner::Foreign);
        let expected = [ours.clone(), foreign.clone(), foreign, natural.clone(), natural.clone()];
        assert_eq!(owners, expected);
        assert_eq!(sightings[3].title.as_deref(), show_titles.then_some("Launch"));
        assert_eq!(format!("{step:?}").contains("Launch"), show_titles);
        let statuses: Vec<_> = sightings.iter().map(|sighting| sighting.status).collect();
        let expected = [
            JobStatus::Queued,
            JobStatus::Queued,
            JobStatus::Processing,
            JobStatus::Unknown,
            JobStatus::Completed,
        ];
        assert_eq!(statuses, expected);
    }
}

#[tokio::test]
async fn a_list_that_is_not_read_is_an_observation_alone() {
    for (reply, outcome) in [
        (refusal(503, "service_unavailable"), Outcome::Unavailable),
        (refusal(403, "forbidden"), Outcome::Forbidden),
        (json(200, r#"{"data":{}}"#), Outcome::Malformed),
        (json(200, "<html>"), Outcome::Malformed),
    ] {
        let desk = Desk::open(move |_| reply.clone()).await;
        let prober = prober(&check(&[JobKind::Translation], 4), &deps(&desk.url));
        let step = run(&*prober, BTreeMap::new()).await;
        assert_eq!((step.jobs.len(), desk.lines().len()), (0, 1));
        assert_eq!(step.observations[0].outcome, outcome);
        assert!(step.observations[0].evidence.is_some());
        assert_eq!(step.observations[0].capabilities, [Capability::VideoTranslation]);
    }
}

#[tokio::test]
async fn without_a_key_every_kind_is_skipped() {
    let deps = ProbeDeps { api_key: None, ..deps("http://127.0.0.1:9") };
    let step = run(&*prober(&check(&JobKind::ALL, 4), &deps), BTreeMap::new()).await;
    assert!(step.jobs.is_empty());
    let seen: Vec<_> = step
        .observations
        .iter()
        .map(|seen| (seen.series.subject.as_str(), seen.outcome, seen.skipped))
        .collect();
    let no_key = Some(SkipReason::NoKey);
    let skipped = Outcome::Skipped;
    assert_eq!(seen, [("video", skipped, no_key), ("translation", skipped, no_key)]);
}
