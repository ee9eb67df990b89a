//! Lists, a page at a time.
//!
//! Invariant: a token is given exactly when there is more, and it is the place of the last row that
//! was given.

use std::borrow::Cow;

use axum::Json;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Rows per page at most.
const LIMIT_MAX: usize = 200;

/// How many rows a page has.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "usize")]
pub(super) struct Limit(pub(super) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<usize> for Limit {
    type Error = &'static str;

    fn try_from(rows: usize) -> Result<Self, &'static str> {
        if (1..=LIMIT_MAX).contains(&rows) { Ok(Self(rows)) } else { Err("out of range") }
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Rows per page",
            "type": "integer",
            "minimum": 1,
            "maximum": LIMIT_MAX,
            "default": Self::default().0,
        })
    }
}

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
        Limit(limit): Limit,
        place: impl Fn(&R) -> String,
        show: impl Fn(R) -> T,
    ) -> Json<Self> {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_token = rows.last().filter(|_| has_more).map(place);
        Json(Self { data: rows.into_iter().map(show).collect(), has_more, next_token })
    }
}
