//! What a request asks for in its query.
//!
//! Invariant: a parameter that is not known, or has no meaning, is told; never ignored.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::problem::Problem;
use super::refusal;
use crate::model::Timestamp;

/// The query of a request, read or refused as a problem.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned + JsonSchema, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(_) => Err(Problem::bad_request(refusal::sentence::<T>(&parts.uri))),
        }
    }
}

/// No parameter at all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// An instant (`2026-11-20T00:00:00Z`) or how long ago (`30d`, `12h`).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum When {
    At(Timestamp),
    Ago(SignedDuration),
}

impl When {
    pub(super) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

impl TryFrom<String> for When {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        let span = text.parse::<Span>();
        let ago = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
        match ago {
            Ok(ago) if !ago.is_negative() => Ok(Self::Ago(ago)),
            Ok(_) | Err(_) => Err("neither an instant nor how long ago"),
        }
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

/// A token that an earlier page gave.
pub(super) fn token<T: std::str::FromStr>(token: Option<&str>) -> Result<Option<T>, Problem> {
    let read = token.map(str::parse).transpose();
    read.map_err(|_| Problem::bad_request("token takes the next_token of the page before"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_durations_and_instants_and_refuses_the_rest() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let said =
            |text: &str| When::try_from(text.to_owned()).map(|when| when.at(now).to_string()).ok();
        assert_eq!(said("30d").as_deref(), Some("2026-10-21T12:00:00Z"));
        assert_eq!(said("90m").as_deref(), Some("2026-11-20T10:30:00Z"));
        assert_eq!(said("2026-11-01T00:00:00Z").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(said("175000h").as_deref(), Some("2006-12-03T20:00:00Z"));
        for wrong in ["-1d", "1 month", "soon", ""] {
            assert_eq!(said(wrong), None, "{wrong}");
        }
    }
}
