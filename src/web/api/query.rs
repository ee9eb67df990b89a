//! What a request asks for in its query.
//!
//! Invariant: a parameter that is not known, or has no meaning, is told; never ignored.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use jiff::{Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::problem::Problem;
use crate::model::Timestamp;

/// The query of a request, read or refused as a problem.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::bad_request(rejection.body_text())),
        }
    }
}

/// No parameter at all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// An instant (`2026-11-20T00:00:00Z`) or how long ago (`30d`, `12h`).
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct When(String);

impl When {
    pub(super) fn ago(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn at(&self, now: Timestamp) -> Result<Timestamp, Problem> {
        let wrong = || {
            Problem::bad_request(
                "a time is a duration such as 30d, or RFC 3339 as in ...T00:00:00Z",
            )
        };
        if let Ok(at) = self.0.parse() {
            return Ok(at);
        }
        let span: Span = self.0.parse().map_err(|_| wrong())?;
        let ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
        if ago.is_negative() {
            return Err(wrong());
        }
        Ok(now.checked_sub(ago).unwrap_or(Timestamp::MIN))
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An instant, or how long ago",
            "anyOf": [
                {"type": "string", "format": "date-time", "examples": ["2026-11-20T00:00:00Z"]},
                {"type": "string", "pattern": "^[1-9][0-9]{0,3}[smhd]$", "examples": ["30d"]},
            ],
        })
    }
}

/// Both ends of a stretch of time.
pub(super) fn range(
    since: Option<&When>,
    until: Option<&When>,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Problem> {
    let at = |when: Option<&When>| when.map(|when| when.at(now)).transpose();
    Ok((at(since)?, at(until)?))
}

/// A token that an earlier page gave.
pub(super) fn token<T: std::str::FromStr>(token: Option<&str>) -> Result<Option<T>, Problem> {
    let read = token.map(str::parse).transpose();
    read.map_err(|_| Problem::bad_request("token is not one that we gave"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_durations_and_instants_and_refuses_the_rest() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let said = |text: &str| When::ago(text).at(now).map(|at| at.to_string()).ok();
        assert_eq!(said("30d").as_deref(), Some("2026-10-21T12:00:00Z"));
        assert_eq!(said("90m").as_deref(), Some("2026-11-20T10:30:00Z"));
        assert_eq!(said("2026-11-01T00:00:00Z").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(said("-1d"), None);
        assert_eq!(said("1 month"), None);
        assert_eq!(said("soon"), None);
        assert_eq!(said("9000000h").as_deref(), said("9000000h").as_deref());
    }
}
