//! Leftovers of this installation's own tests.
//!
//! Owns which jobs are leftovers. Invariant: a job is deleted only if its whole title is a nonce of
//! this installation, it has ended, and it is older than asked for.

use crate::heygen::job::{JobPage, JobRow, list_path};
use crate::http_client::Limits;
use crate::model::{JobKind, JobStatus, Timestamp};
use crate::probe::job_calls::JobCalls;

/// Jobs deleted by one errand.
const MOST: usize = 20;
/// Pages of a hundred that are read at most.
const PAGES: usize = 10;

/// Deletes finished leftovers that were created before a time; answers how many.
pub(super) async fn sweep(calls: &JobCalls, kind: JobKind, before: Timestamp) -> u32 {
    let Some(prefix) = calls.titles.own_prefix() else { return 0 };
    let mut deleted = 0;
    for id in leftovers(calls, kind, prefix, before).await {
        let asked = calls.delete(kind, &id).await;
        deleted += u32::from(asked.is_some_and(|asked| super::is_gone(asked.status())));
    }
    deleted
}

async fn leftovers(
    calls: &JobCalls,
    kind: JobKind,
    prefix: &str,
    before: Timestamp,
) -> Vec<String> {
    let filter = (kind == JobKind::Video).then_some(prefix);
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let path = list_path(kind, cursor.as_deref(), filter);
        let page = calls.page(&calls.subject, &path, Limits::API.total).await;
        let Some((_, Some(JobPage { rows, next }))) = page else { break };
        let is_one = |row: &JobRow| is_leftover(row, calls, before);
        found.extend(rows.into_iter().filter(is_one).map(|row| row.id));
        if found.len() >= MOST || next.is_none() || next == cursor {
            break;
        }
        cursor = next;
    }
    found.truncate(MOST);
    found
}

fn is_leftover(row: &JobRow, calls: &JobCalls, before: Timestamp) -> bool {
    calls.titles.is_own(row.title.as_deref().unwrap_or_default())
        && matches!(row.status, JobStatus::Completed | JobStatus::Failed)
        && row.created_at.is_some_and(|created_at| created_at < before)
}
