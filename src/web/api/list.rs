//! Lists, a page at a time.
//!
//! Invariant: a token is given exactly when there is more, and it is the place of the last row that
//! was given.

use axum::Json;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::problem::Problem;

/// Rows per page unless asked otherwise.
const LIMIT_DEFAULT: usize = 50;

/// Rows per page at most; the query structs say so too.
pub(super) const LIMIT_MAX: usize = 200;

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListOf{T}")]
pub(in crate::web) struct List<T> {
    /// The rows.
    data: Vec<T>,
    /// Whether there are more.
    has_more: bool,
    /// What to ask for next, as `token`; `null` on the last page.
    next_token: Option<String>,
}

impl<T> List<T> {
    /// All there is.
    pub(super) fn whole(data: impl IntoIterator<Item = T>) -> Json<Self> {
        Json(Self { data: data.into_iter().collect(), has_more: false, next_token: None })
    }

    /// The first `limit` of `rows`, of which one more was read; `place` is the token after a row.
    pub(super) fn page<R>(
        mut rows: Vec<R>,
        limit: usize,
        place: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Json<Self> {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_token = rows.last().filter(|_| has_more).map(place);
        Json(Self { data: rows.into_iter().map(show).collect(), has_more, next_token })
    }
}

/// How many rows are wanted.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(LIMIT_DEFAULT);
    if (1..=LIMIT_MAX).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::bad_request(format!("limit is between 1 and {LIMIT_MAX}")))
    }
}
