//! The job probes against the simulator, and what they send against HeyGen's own OpenAPI file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use heygen_monitor::clock::Clock;
use heygen_monitor::model::{
    Backfill, Capability, Finding, JobKind, JobStatus, Owner, ProbeKind, Task,
};
use heygen_monitor::probe::queue::QueueCheck;
use heygen_monitor::probe::translation::TranslationSource;
use heygen_monitor::probe::{CheckSpec, ProbeDeps, ProbeSpec, Run, Worker, worker};
use heygen_monitor::secret::Secret;
use heygen_monitor::simulator::{self, API_KEY, Lifecycle, Options, Service, Simulator};
use serde_json::Value;

use super::canary::{NONCE, attend, intent, now, render, speech, translation};
use super::desk::{Desk, refusal};
use super::{deps, spec};
use crate::support::schema::Schemas;

const FILE: &str = "../shared/facts/heygen-openapi-2026-04-08.json";

async fn heygen() -> (Simulator, ProbeDeps) {
    let clock = Clock::starting_at(now(), 1.0);
    let simulator = Simulator::start(Options::new(clock.clone())).await.unwrap();
    let own = deps(&simulator.url(Service::Api));
    let deps = ProbeDeps { clock, api_key: Some(Secret::new(API_KEY)), ..own };
    (simulator, deps)
}

#[tokio::test]
async fn a_test_video_is_sent_found_followed_and_deleted() {
    let (_simulator, deps) = heygen().await;
    let languages = TranslationSource::Asset("asset_1".to_owned());
    for (spec, kind, job) in [
        (render(), ProbeKind::Render, JobKind::Video),
        (translation(languages), ProbeKind::Translation, JobKind::Translation),
    ] {
        let mut intent = intent(kind, None);
        if kind == ProbeKind::Render {
            intent.look = "look_anna_office".to_owned();
        }
        let prepared = attend(&spec, &deps, Task::Prepare).await.finding;
        assert!(matches!(prepared, Finding::Prepared { .. }), "{prepared:?}");
        let absent = attend(&spec, &deps, Task::Find(intent.clone())).await.finding;
        assert_eq!(absent, Finding::NotFound);
        let sent = attend(&spec, &deps, Task::Submit(intent.clone())).await;
        let Finding::Accepted { job_id: Some(job_id) } = sent.finding else { panic!("{sent:?}") };
        let found = attend(&spec, &deps, Task::Find(intent.clone())).await.finding;
        assert_eq!(found, Finding::Found { job_id: job_id.clone() });
        intent.job_id = Some(job_id.clone());
        let polled = attend(&spec, &deps, Task::Poll(intent.clone())).await.finding;
        let Finding::Seen(seen) = polled else { panic!("{polled:?}") };
        assert_eq!((seen.kind, &seen.id, seen.status), (job, &job_id, JobStatus::Queued));
        assert_eq!(seen.owner, Some(Owner::Ours { nonce: NONCE.to_owned() }));
        let deleted = attend(&spec, &deps, Task::Delete(intent.clone())).await.finding;
        assert_eq!(deleted, Finding::Deleted);
        let again = attend(&spec, &deps, Task::Delete(intent.clone())).await.finding;
        assert_eq!(again, Finding::Deleted);
        let gone = attend(&spec, &deps, Task::Poll(intent)).await.finding;
        let Finding::Seen(seen) = gone else { panic!("{gone:?}") };
        assert_eq!(seen.status, JobStatus::NotFound);
    }
}

#[tokio::test]
async fn the_accounts_jobs_are_seen_in_the_simulator() {
    let (simulator, deps) = heygen().await;
    let minute = Duration::from_mins(1);
    simulator.account(|account| {
        for number in 0..250 {
            let created_at = now() - minute * (number + 3);
            let life = Lifecycle::completing(minute, minute);
            account.seed(simulator::JobKind::Video, "mine", created_at, life);
        }
        let created_at = now() - minute * 2;
        account.seed(
            simulator::JobKind::Translation,
            "mine",
            created_at,
            Lifecycle::stuck_in_queue(),
        );
    });
    let check = QueueCheck {
        kinds: JobKind::ALL.to_vec(),
        exclude_titles: Vec::new(),
        ignore_older_than: Duration::from_hours(24),
        max_silence: Duration::from_hours(6),
        max_requests: 10,
    };
    let capabilities = vec![Capability::VideoGeneration, Capability::VideoTranslation];
    let spec = ProbeSpec { capabilities, ..spec(CheckSpec::Queue(check)) };
    let Worker::Looks(prober) = worker(&spec, &deps) else { panic!("a probe that looks") };
    let run = Run { followed: Arc::default(), ..Run::looking(Duration::from_secs(30), false) };
    let step = prober.run(run).await;
    let seen: Vec<_> = step
        .jobs
        .iter()
        .map(|reading| (reading.kind, reading.sightings.len(), reading.backfill.clone()))
        .collect();
    let expected =
        [(JobKind::Video, 250, Backfill::Done), (JobKind::Translation, 1, Backfill::Done)];
    assert_eq!(seen, expected);
    let videos = &step.jobs[0].sightings;
    assert!(videos.iter().all(|seen| seen.status == JobStatus::Completed
        && seen.completed_at.is_some_and(|at| Some(at) > seen.created_at)));
    assert_eq!(step.jobs[1].sightings[0].status, JobStatus::Queued);
}

#[tokio::test]
async fn what_is_sent_is_what_heygens_file_allows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let document: Value = serde_json::from_str(&text).unwrap();
    let schemas = Schemas { document: &document };
    let url = TranslationSource::Url("https://example.com/a.mp4".parse().unwrap());
    for (spec, path) in [
        (render(), "/v3/videos"),
        (translation(url), "/v3/video-translations"),
        (translation(TranslationSource::Asset("a".to_owned())), "/v3/video-translations"),
        (speech(), "/v3/voices/speech"),
    ] {
        let desk = Desk::open(|_| refusal(400, "invalid_parameter")).await;
        attend(&spec, &deps(&desk.url), Task::Submit(intent(spec.kind(), None))).await;
        let operation = &document["paths"][path]["post"];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{path} is in the file");
        let body: Value = serde_json::from_str(&desk.asked()[0].body).unwrap();
        assert_eq!(schemas.complaints(schema, &body, path), Vec::<String>::new());
    }
}
