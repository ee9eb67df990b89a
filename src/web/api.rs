//! `/api/v1`: the verdict, incidents and advice as JSON; jobs and money in a file of their own.
//!
//! Owns the shapes of lists and of advice; the others are `wire`'s. Invariant: what is answered is
//! what was decided, or a problem; never a guess.

pub(super) mod jobs;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::{Span, SpanRelativeTo};
use serde::{Deserialize, Serialize};

use super::WebState;
use super::problem::Problem;
use crate::model::{
    Action, Capability, CapabilityVerdict, Confidence, State as Condition, Timestamp,
};
use crate::store::StoreError;
use crate::wire::{AdviceJson, IncidentJson, VerdictJson};

/// Incidents per page unless asked otherwise.
const INCIDENTS_DEFAULT: usize = 50;

/// Incidents per page at most.
const INCIDENTS_MAX: usize = 200;

/// How far back incidents go unless asked otherwise.
const SINCE_DEFAULT: &str = "30d";

/// When to ask the gate again where nothing says until when it stays shut.
const GATE_RETRY_SECS: u64 = 30;

/// One page of a list.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    data: Vec<T>,
    has_more: bool,
    next_token: Option<String>,
}

/// The answer of `advice` and `gate`.
#[derive(Debug, Serialize)]
pub(super) struct AdviceAnswer {
    action: Action,
    reason: &'static str,
    until: Option<Timestamp>,
    state: Condition,
    confidence: Confidence,
}

/// `?since=30d&limit=50&token=…`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentsQuery {
    since: Option<String>,
    limit: Option<usize>,
    token: Option<String>,
}

/// `?capability=NAME`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdviceQuery {
    capability: String,
}

pub(super) async fn verdict(State(state): State<WebState>) -> Result<Json<VerdictJson>, Problem> {
    let view = state.current()?;
    Ok(Json(VerdictJson::from(&view.verdict)))
}

pub(super) async fn incidents(
    State(state): State<WebState>,
    query: Result<Query<IncidentsQuery>, QueryRejection>,
) -> Result<Json<List<IncidentJson>>, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let limit = query.limit.unwrap_or(INCIDENTS_DEFAULT);
    if !(1..=INCIDENTS_MAX).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is between 1 and {INCIDENTS_MAX}")));
    }
    let since = since(query.since.as_deref().unwrap_or(SINCE_DEFAULT), state.clock.now())?;
    let before = match query.token.as_deref().map(str::parse) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return Err(Problem::bad_request("token is not one that we gave")),
    };
    let mut found =
        state.store.incidents(since, before, limit + 1).await.map_err(|error| failed(&error))?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|incident| incident.id.to_string());
    let data = found.iter().map(IncidentJson::from).collect();
    Ok(Json(List { data, has_more, next_token: next }))
}

pub(super) async fn incident(
    State(state): State<WebState>,
    Path(id): Path<String>,
) -> Result<Json<IncidentJson>, Problem> {
    let missing = || Problem::not_found("there is no such incident");
    let id = id.parse().map_err(|_| missing())?;
    let found = state.store.incident(id).await.map_err(|error| failed(&error))?;
    found.as_ref().map(|incident| Json(IncidentJson::from(incident))).ok_or_else(missing)
}

pub(super) async fn advice(
    State(state): State<WebState>,
    query: Result<Query<AdviceQuery>, QueryRejection>,
) -> Result<Json<AdviceAnswer>, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let capability = capability(&query.capability).map_err(Problem::bad_request)?;
    answer(&state, capability).map(Json)
}

/// 200 for `go`, 503 and `Retry-After` for anything else: for `curl -f`.
pub(super) async fn gate(
    State(state): State<WebState>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let capability = capability(&name).map_err(Problem::not_found)?;
    let answer = answer(&state, capability)?;
    if answer.action == Action::Go {
        return Ok(Json(answer).into_response());
    }
    let seconds = answer.until.map_or(GATE_RETRY_SECS, |until| {
        let left = std::time::Duration::try_from(until.duration_since(state.clock.now()));
        state.clock.real(left.unwrap_or_default()).as_secs() + 1
    });
    let retry_after = [(RETRY_AFTER, HeaderValue::from(seconds))];
    Ok((StatusCode::SERVICE_UNAVAILABLE, retry_after, Json(answer)).into_response())
}

fn answer(state: &WebState, capability: Capability) -> Result<AdviceAnswer, Problem> {
    let view = state.current()?;
    let verdict = view
        .verdict
        .capabilities
        .iter()
        .find(|verdict| verdict.capability == capability)
        .ok_or_else(Problem::internal)?;
    Ok(AdviceAnswer::of(verdict))
}

impl AdviceAnswer {
    fn of(verdict: &CapabilityVerdict) -> Self {
        let advice = AdviceJson::from(&verdict.advice);
        Self {
            action: advice.action,
            reason: verdict.reason.as_str(),
            until: advice.until,
            state: verdict.state,
            confidence: advice.confidence,
        }
    }
}

fn capability(word: &str) -> Result<Capability, String> {
    word.parse().map_err(|_| {
        let known: Vec<_> = Capability::ALL.iter().map(|capability| capability.as_str()).collect();
        format!("unknown capability; known are {}", known.join(", "))
    })
}

/// An instant (`2026-11-20T00:00:00Z`) or how long ago (`30d`, `12h`).
fn since(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let wrong = || Problem::bad_request("since is a duration such as 30d, or an RFC 3339 time");
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    let ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if ago.is_negative() {
        return Err(wrong());
    }
    Ok(now.checked_sub(ago).unwrap_or(Timestamp::MIN))
}

fn failed(error: &StoreError) -> Problem {
    tracing::warn!(
        error = crate::error_chain(error),
        "The API could not read the history from the database."
    );
    Problem::unavailable("the history cannot be read at the moment", 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_durations_and_instants_and_refuses_the_rest() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let said = |text: &str| since(text, now).map(|at| at.to_string()).ok();
        assert_eq!(said("30d").as_deref(), Some("2026-10-21T12:00:00Z"));
        assert_eq!(said("90m").as_deref(), Some("2026-11-20T10:30:00Z"));
        assert_eq!(said("2026-11-01T00:00:00Z").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(said("-1d"), None);
        assert_eq!(said("1 month"), None);
        assert_eq!(said("soon"), None);
        assert_eq!(said("9000000h").as_deref(), said("9000000h").as_deref());
    }
}
