//! Looking for a job by its nonce.
//!
//! Owns how far one looks. Sends nothing that costs. Invariant: "not there" is said only of lists
//! that were read back to before the intent.

use std::time::Duration;

use super::{Recipe, Search};
use crate::heygen::job::{JobPage, list_path};
use crate::http_client::Limits;
use crate::model::{Finding, Intent, JobKind, Timestamp};
use crate::probe::job_calls::JobCalls;
use crate::probe::title::nonce;

/// Clocks, and lists that are sorted a little differently, may be off by this.
const SLACK: Duration = Duration::from_mins(10);
/// Pages of a hundred that are read at most.
const PAGES: usize = 10;

/// Looks for the job of an intent.
pub(super) async fn find(calls: &JobCalls, recipe: &Recipe, intent: &Intent) -> Finding {
    if recipe.search == Search::Newest {
        return among_newest(calls, recipe.kind, intent).await;
    }
    let path = list_path(recipe.kind, None, Some(&intent.nonce));
    let Some((observation, page)) = calls.page(&calls.subject, &path, Limits::API.total).await
    else {
        return Finding::Unanswered;
    };
    let Some(page) = page else {
        let status = observation.evidence.and_then(|evidence| evidence.http_status);
        return match status {
            Some(400 | 422) => among_newest(calls, recipe.kind, intent).await,
            _ => Finding::Unanswered,
        };
    };
    if let Some(job_id) = listed(&page, &intent.nonce) {
        return Finding::Found { job_id };
    }
    let is_ignored = page.rows.iter().any(|row| !title_of(row).contains(&intent.nonce));
    if is_ignored || page.next.is_some() || recipe.search == Search::FilterThenNewest {
        return among_newest(calls, recipe.kind, intent).await;
    }
    Finding::NotFound
}

async fn among_newest(calls: &JobCalls, kind: JobKind, intent: &Intent) -> Finding {
    let bound = intent.created_at.saturating_sub(SLACK).unwrap_or(intent.created_at);
    let mut cursor = None;
    for _ in 0..PAGES {
        let path = list_path(kind, cursor.as_deref(), None);
        let page = calls.page(&calls.subject, &path, Limits::API.total).await;
        let Some((_, Some(page))) = page else {
            return Finding::Unanswered;
        };
        if let Some(job_id) = listed(&page, &intent.nonce) {
            return Finding::Found { job_id };
        }
        if reaches(&page, bound) || page.next.is_none() {
            return Finding::NotFound;
        }
        if page.next == cursor {
            break;
        }
        cursor = page.next;
    }
    Finding::Unanswered
}

fn listed(page: &JobPage, wanted: &str) -> Option<String> {
    let row = page.rows.iter().find(|row| nonce(title_of(row)) == wanted)?;
    Some(row.id.clone())
}

fn reaches(page: &JobPage, bound: Timestamp) -> bool {
    page.rows.iter().filter_map(|row| row.created_at).any(|created_at| created_at < bound)
}

fn title_of(row: &crate::heygen::job::JobRow) -> &str {
    row.title.as_deref().unwrap_or_default()
}
