//! What waits while the disk fails.

use super::*;
use crate::model::{JobKind, JobState, Origin};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn entry(second: i64, ids: &[&str]) -> Entry {
    let job = |id: &&str| Job {
        kind: JobKind::Video,
        id: (*id).to_owned(),
        origin: Origin::Natural,
        title: None,
        created_at: at(0),
        first_seen_at: at(0),
        seen_at: at(second),
        state: JobState::Queued,
        started: None,
        ended: None,
        is_abandoned: false,
        is_sample: false,
        failure: None,
    };
    Entry { at: at(second), jobs: ids.iter().map(job).collect(), ..Entry::default() }
}

#[test]
fn while_the_disk_fails_each_job_waits_once_as_it_was_last_seen() {
    let backlog = Backlog::default();
    for (second, ids) in [(10, &["a", "b"][..]), (20, &["a"]), (30, &["a", "c"])] {
        backlog.push(entry(second, ids));
    }
    backlog.put_back(backlog.take());
    let waiting: Vec<(String, Timestamp)> = backlog
        .take()
        .into_iter()
        .flat_map(|entry| entry.jobs)
        .map(|job| (job.id, job.seen_at))
        .collect();
    let expected =
        [("b", 10), ("a", 30), ("c", 30)].map(|(id, second)| (id.to_owned(), at(second)));
    assert_eq!(waiting, expected);
}
