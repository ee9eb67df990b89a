//! `/api/v1/jobs` and `/api/v1/budget`: what is in flight, what it took, and what it may cost.
//!
//! Invariant: a title is answered only while `show_titles` is on, whatever is stored.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::super::WebState;
use super::super::problem::Problem;
use super::{List, failed};
use crate::model::UnknownWord;
use crate::store::{JobCursor, JobFilter};
use crate::wire::{BudgetJson, JobJson};

/// Jobs per page unless asked otherwise.
const JOBS_DEFAULT: usize = 50;

/// Jobs per page at most.
const JOBS_MAX: usize = 200;

/// `?kind=video&origin=natural&state=live&limit=50&token=…`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    kind: Option<String>,
    origin: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
    token: Option<String>,
}

impl JobsQuery {
    /// One job more than the page holds tells whether there is another page.
    fn filter(&self) -> Result<JobFilter, Problem> {
        let limit = self.limit.unwrap_or(JOBS_DEFAULT);
        if !(1..=JOBS_MAX).contains(&limit) {
            return Err(Problem::bad_request(format!("limit is between 1 and {JOBS_MAX}")));
        }
        let live_only = match self.state.as_deref() {
            None => false,
            Some("live") => true,
            Some(_) => return Err(Problem::bad_request("state can be `live` alone")),
        };
        let token = self.token.as_deref().map(str::parse::<JobCursor>).transpose();
        let before = token.map_err(|_| Problem::bad_request("token is not one that we gave"))?;
        Ok(JobFilter {
            live_only,
            kind: word(self.kind.as_deref(), "kind is `video` or `translation`")?,
            origin: word(self.origin.as_deref(), "origin is `canary` or `natural`")?,
            before,
            limit: limit + 1,
        })
    }
}

fn word<T>(word: Option<&str>, help: &str) -> Result<Option<T>, Problem>
where
    T: std::str::FromStr<Err = UnknownWord>,
{
    word.map(str::parse).transpose().map_err(|_| Problem::bad_request(help))
}

/// Newest first.
pub(crate) async fn jobs(
    State(state): State<WebState>,
    query: Result<Query<JobsQuery>, QueryRejection>,
) -> Result<Json<List<JobJson>>, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let filter = query.filter()?;
    let limit = filter.limit - 1;
    let mut found = state.store.jobs(filter).await.map_err(|error| failed(&error))?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    let next_token = last.map(|job| JobCursor::of(job).to_string());
    let titles = state.settings.borrow().titles;
    let data = found.iter().map(|job| JobJson::of(job, titles)).collect();
    Ok(Json(List { data, has_more, next_token }))
}

pub(crate) async fn budget(State(state): State<WebState>) -> Result<Json<BudgetJson>, Problem> {
    let view = state.current()?;
    Ok(Json(BudgetJson::from(&view.budget)))
}
