//! `/api/v1/jobs` and `/api/v1/budget`: what is in flight, what it took, and what it may cost.
//!
//! Invariant: a title is answered only while `show_titles` is on, whatever is stored.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::WebState;
use super::super::access::{Reader, Trusted};
use super::super::problem::{Problem, unreadable};
use super::list::{Limit, List};
use super::query::{Asked, Nothing, token};
use crate::model::{Job, JobKind, Origin};
use crate::store::{JobCursor, JobFilter};
use crate::wire::{BudgetJson, JobJson};

/// `?kind=video&origin=natural&state=live&limit=50&token=…`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsQuery {
    kind: Option<JobKind>,
    origin: Option<Origin>,
    state: Option<JobsState>,
    #[serde(default)]
    limit: Limit,
    /// The `next_token` of the page before.
    #[schemars(extend("pattern" = "^[0-9]{1,13}\\.(video|translation)\\.[0-9A-Za-z_-]+$"))]
    token: Option<String>,
}

/// Which jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum JobsState {
    /// Those that have not ended.
    Live,
}

/// Newest first.
pub(super) async fn jobs(
    _: Trusted,
    Asked(query): Asked<JobsQuery>,
    State(state): State<WebState>,
) -> Result<Json<List<JobJson>>, Problem> {
    let filter = JobFilter {
        live_only: query.state == Some(JobsState::Live),
        kind: query.kind,
        origin: query.origin,
        before: token(query.token.as_deref())?,
        limit: query.limit.0 + 1,
    };
    let found = state.store.jobs(filter).await.map_err(|error| unreadable(&error))?;
    let titles = state.settings.borrow().titles;
    let place = |job: &Job| JobCursor::of(job).to_string();
    Ok(List::page(found, query.limit, place, |job| JobJson::of(&job, titles)))
}

pub(super) async fn budget(
    _: Trusted,
    Asked(Nothing {}): Asked<Nothing>,
    State(state): State<WebState>,
) -> Result<Json<BudgetJson>, Problem> {
    Ok(Json(BudgetJson::from(&state.current(Reader::Trusted)?.budget)))
}
