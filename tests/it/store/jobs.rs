//! Jobs: what was seen of them comes back, page by page and at start, however many there are.

use std::time::Duration;

use heygen_monitor::model::{
    Backfill, Interval, Job, JobFailure, JobKind, JobPosition, JobState, Origin, Sample, Stage,
};
use heygen_monitor::store::{JobCursor, JobFilter, Retention, Store};

use super::samples::{at, completed, decision, job, seen};
use super::{DAY, open, query};

const HOUR: i64 = 3_600;

const EVERYTHING: JobFilter =
    JobFilter { live_only: false, kind: None, origin: None, before: None, limit: usize::MAX };

async fn store_jobs(store: &Store, jobs: &[Job]) {
    store.commit(&seen(jobs.to_vec()), at(0)).await.unwrap();
    store.flush().await.unwrap();
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

/// One of each state, kind and origin, with everything that a job can have and without.
fn every_sort_of_job() -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut second = 0;
    for kind in JobKind::ALL {
        for origin in Origin::ALL {
            for state in JobState::ALL {
                second += 1;
                jobs.push(Job { kind, origin, state, ..job(&format!("bare-{second}"), second) });
                second += 1;
                jobs.push(Job {
                    kind,
                    origin,
                    state,
                    title: Some("Grüße – „neu“".to_owned()),
                    is_abandoned: true,
                    failure: Some(JobFailure {
                        code: Some("rendering_failed".to_owned()),
                        message: Some("Avatar rendering timed out".to_owned()),
                    }),
                    ..completed(&format!("full-{second}"), second)
                });
            }
        }
    }
    jobs[0].failure = Some(JobFailure::default());
    jobs
}

#[tokio::test]
async fn every_job_comes_back_as_it_was_seen() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut jobs = every_sort_of_job();
    // An id is unique within its kind alone.
    jobs.push(Job { kind: JobKind::Video, ..job("same", 500) });
    jobs.push(Job { kind: JobKind::Translation, ..job("same", 500) });
    store_jobs(&store, &jobs).await;
    assert_eq!(store.recall(at(1_000)).await.unwrap().jobs, jobs);
    jobs.reverse();
    assert_eq!(store.jobs(EVERYTHING).await.unwrap(), jobs);
    assert!(store.health().errors.iter().all(|(_, count)| *count == 0));
}

#[tokio::test]
async fn a_changed_job_is_the_same_row() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let titled = Job { title: Some("Quarterly results".to_owned()), ..job("a", 10) };
    store_jobs(&store, &[titled]).await;
    let done = Job { origin: Origin::Canary, ..completed("a", 9) };
    store_jobs(&store, std::slice::from_ref(&done)).await;
    assert_eq!(store.jobs(EVERYTHING).await.unwrap(), [done], "the title is gone too");
    store_jobs(&store, &[job("a", 10)]).await;
    assert_eq!(store.recall(at(100 * HOUR)).await.unwrap().jobs, [job("a", 10)], "it lives again");
}

#[tokio::test]
async fn what_lives_or_ended_within_26_hours_is_recalled() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let now = 100 * HOUR;
    let ended_at = |second| Some(Interval::exact(at(second)));
    let jobs = [
        Job { is_abandoned: true, ..job("old and alive", 0) },
        Job { ended: ended_at(now - 26 * HOUR - 1), ..completed("ended too early", 1) },
        Job { ended: ended_at(now - 26 * HOUR), ..completed("ended just in time", 2) },
        Job { state: JobState::Gone, seen_at: at(now - HOUR), ..job("end unknown", 3) },
        Job { state: JobState::Gone, seen_at: at(now - 30 * HOUR), ..job("gone for long", 4) },
        Job { ended: ended_at(now), state: JobState::Failed, ..completed("just failed", 5) },
    ];
    store_jobs(&store, &jobs).await;
    let recalled = store.recall(at(now)).await.unwrap().jobs;
    let expected = ["old and alive", "ended just in time", "end unknown", "just failed"];
    assert_eq!(ids(&recalled), expected);
}

fn sample(origin: Origin, stage: Option<Stage>, seconds: u64, at_second: i64) -> Sample {
    let duration = Duration::from_secs(seconds);
    Sample { kind: JobKind::Video, origin, stage, duration, at: at(at_second) }
}

#[tokio::test]
async fn samples_are_the_stages_of_completed_jobs_that_count() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let jobs = [
        completed("whole", 1_000),
        Job { origin: Origin::Canary, started: None, ..completed("never seen in the queue", 0) },
        Job { is_sample: false, ..completed("in an incident", 0) },
        Job { state: JobState::Failed, ..completed("failed", 0) },
        Job { state: JobState::Processing, ended: None, ..completed("at work", 0) },
        Job {
            ended: Some(Interval::exact(at(1_990))),
            created_at: at(2_000),
            started: None,
            ..completed("ended before it began", 0)
        },
        completed("more than 30 days old", -31 * 86_400),
    ];
    store_jobs(&store, &jobs).await;
    let recalled = store.recall(at(HOUR)).await.unwrap().samples;
    let expected = [
        sample(Origin::Canary, None, 450, 450),
        sample(Origin::Natural, Some(Stage::Queue), 60, 1_450),
        sample(Origin::Natural, Some(Stage::Processing), 400, 1_450),
        sample(Origin::Natural, None, 450, 1_450),
        sample(Origin::Natural, None, 0, 1_990),
    ];
    assert_eq!(recalled, expected);
}

/// 100,000 jobs of 25 days, the 40 youngest alive, every tenth with both stages.
const MANY: &str = "
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000)
    INSERT INTO jobs (kind, id, origin, created_at_ms, first_seen_at_ms, seen_at_ms, state,
        started_earliest_at_ms, started_latest_at_ms, ended_earliest_at_ms, ended_latest_at_ms,
        finished_at_ms, abandoned, sample, has_failure)
    SELECT 'video', 'v_' || n, 'natural', at, at, at + 60000,
        iif(lives, 'queued', 'completed'), iif(staged, at + 1000, NULL),
        iif(staged, at + 1000, NULL), iif(lives, NULL, at + 60000), iif(lives, NULL, at + 60000),
        iif(lives, NULL, at + 60000), 0, NOT lives, 0
    FROM (SELECT n, 1790000000000 - n * 21600 AS at, n <= 40 AS lives,
        n > 40 AND n % 10 = 0 AS staged FROM number)";

#[tokio::test]
async fn a_hundred_thousand_jobs_are_recalled_by_a_bounded_part() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let connection = rusqlite::Connection::open(directory.path().join("history.db")).unwrap();
    connection.execute_batch(MANY).unwrap();
    drop(connection);

    let recalled = store.recall(at(0)).await.unwrap();
    let live = recalled.jobs.iter().filter(|job| job.state.is_live()).count();
    assert_eq!(live, 40);
    assert_eq!(recalled.jobs.len(), 4_336, "26 h at one in 21.6 s, ended a minute later");
    for stage in [Some(Stage::Queue), Some(Stage::Processing), None] {
        let samples: Vec<&Sample> =
            recalled.samples.iter().filter(|sample| sample.stage == stage).collect();
        let (newest, of_last_day) = if stage.is_some() { (50, 396) } else { (41, 3_962) };
        assert_eq!(samples.len(), of_last_day + 1_000, "{stage:?}");
        let newest_end = -newest * 21_600 + 60_000;
        assert_eq!(
            samples.last().unwrap().at.as_millisecond() - at(0).as_millisecond(),
            newest_end
        );
        assert!(samples.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }

    let page = store.jobs(JobFilter { limit: 50, ..EVERYTHING }).await.unwrap();
    assert_eq!((ids(&page)[0], ids(&page)[49]), ("v_1", "v_50"));
    let before = Some(JobCursor::of(&page[49]));
    let next = store.jobs(JobFilter { limit: 50, before, ..EVERYTHING }).await.unwrap();
    assert_eq!((ids(&next)[0], ids(&next)[49]), ("v_51", "v_100"));
    let live = store.jobs(JobFilter { live_only: true, ..EVERYTHING }).await.unwrap();
    assert_eq!(live.len(), 40);
}

/// Reads the whole list in pages of `limit`; a job that is new meanwhile changes no later page.
async fn in_pages(store: &Store, filter: &JobFilter, limit: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut before = None;
    loop {
        let page = store.jobs(JobFilter { limit, before, ..filter.clone() }).await.unwrap();
        let Some(last) = page.last() else {
            return jobs;
        };
        assert!(page.len() <= limit);
        before = Some(JobCursor::of(last).to_string().parse().unwrap());
        jobs.extend(page);
    }
}

#[tokio::test]
async fn pages_of_any_size_are_the_whole_list_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let mut jobs = Vec::new();
    for (number, id) in ["a", "b.c", "d", "", "é", "f"].iter().enumerate() {
        for kind in JobKind::ALL {
            for origin in Origin::ALL {
                let id = format!("{id}-{}", origin.as_str());
                // Three instants for 24 jobs: most of them are told apart by kind and id alone.
                let second = i64::try_from(number % 3).unwrap();
                let mut job = Job { kind, origin, ..job(&id, second) };
                if number % 2 == 0 {
                    job.state = JobState::Completed;
                }
                jobs.push(job);
            }
        }
    }
    store_jobs(&store, &jobs).await;
    for live_only in [false, true] {
        for kind in [None, Some(JobKind::Video), Some(JobKind::Translation)] {
            for origin in [None, Some(Origin::Canary), Some(Origin::Natural)] {
                let filter = JobFilter { live_only, kind, origin, ..EVERYTHING };
                let mut expected: Vec<Job> = jobs
                    .iter()
                    .filter(|job| !live_only || job.state.is_live())
                    .filter(|job| kind.is_none_or(|kind| job.kind == kind))
                    .filter(|job| origin.is_none_or(|origin| job.origin == origin))
                    .cloned()
                    .collect();
                expected.sort_by_key(|job| {
                    std::cmp::Reverse((job.created_at, job.kind, job.id.clone()))
                });
                for limit in [1, 2, 5, 100] {
                    assert_eq!(in_pages(&store, &filter, limit).await, expected, "{filter:?}");
                }
            }
        }
    }
    assert_eq!(store.jobs(JobFilter { limit: 0, ..EVERYTHING }).await.unwrap(), []);
}

#[tokio::test]
async fn a_new_job_changes_no_later_page() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    store_jobs(&store, &[job("a", 1), job("b", 2), job("c", 3)]).await;
    let first = store.jobs(JobFilter { limit: 2, ..EVERYTHING }).await.unwrap();
    assert_eq!(ids(&first), ["c", "b"]);
    store_jobs(&store, &[job("d", 4), completed("b", 2)]).await;
    let before = Some(JobCursor::of(&first[1]));
    let second = store.jobs(JobFilter { limit: 2, before, ..EVERYTHING }).await.unwrap();
    assert_eq!(ids(&second), ["a"]);
}

#[test]
fn a_place_in_the_list_survives_as_text_and_nonsense_does_not() {
    let cursor = JobCursor::of(&job("v_1.2", 7));
    assert_eq!(cursor.to_string(), "1790000007000.video.v_1.2");
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for token in ["", "1", "1.video", "x.video.a", "1.film.a", "9999999999999999999.video.a"] {
        assert!(token.parse::<JobCursor>().is_err(), "{token}");
    }
}

#[tokio::test]
async fn the_look_back_goes_on_where_it_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    assert_eq!(store.recall(at(0)).await.unwrap().positions, []);
    let cursor = Backfill::At("b3BhcXVl".to_owned());
    for backfill in [Backfill::Due, cursor, Backfill::Done] {
        let kinds = [(JobKind::Translation, None), (JobKind::Video, Some(at(7)))];
        let positions = kinds.map(|(kind, newest_created_at)| JobPosition {
            kind,
            newest_created_at,
            backfill: backfill.clone(),
        });
        let mut moved = decision();
        moved.positions = positions.to_vec();
        store.commit(&moved, at(0)).await.unwrap();
        store.flush().await.unwrap();
        assert_eq!(store.recall(at(0)).await.unwrap().positions, positions);
    }
}

#[tokio::test]
async fn retention_forgets_jobs_that_ended_and_none_that_lives() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), at(0));
    let old: Vec<Job> = (0..1_500).map(|n| completed(&format!("v_{n}"), n)).collect();
    store_jobs(&store, &old).await;
    let kept = [
        Job { is_abandoned: true, ..job("alive since for ever", -900 * 86_400) },
        completed("young", 30 * HOUR),
    ];
    store_jobs(&store, &kept).await;
    store.heartbeat(at(40 * HOUR)).await.unwrap();
    let retention = Retention { observations: DAY, failures: 3 * DAY };
    assert_eq!(store.retain(at(40 * HOUR), retention).await.unwrap(), 1_500);
    let left = store.jobs(EVERYTHING).await.unwrap();
    assert_eq!(ids(&left), ["young", "alive since for ever"]);
    assert_eq!(query(directory.path(), "SELECT count(*) FROM jobs"), [2]);
}
