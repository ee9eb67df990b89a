//! `/api/v1/advice` and `/api/v1/gate`: what a script should do now.
//!
//! Invariant: the gate is open exactly when the advice is `go`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WebState;
use super::super::access::Reader;
use super::super::problem::Problem;
use super::super::segment::Segment;
use super::query::{Asked, Nothing};
use crate::model::{
    Action, Capability, CapabilityVerdict, Confidence, State as Condition, Timestamp,
};
use crate::wire::AdviceJson;

/// When to ask the gate again where nothing says until when it stays shut.
const GATE_RETRY_SECS: u64 = 30;

/// The answer of `advice` and `gate`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AdviceAnswer")]
pub(super) struct AdviceAnswer {
    action: Action,
    reason: &'static str,
    until: Option<Timestamp>,
    state: Condition,
    confidence: Confidence,
}

/// `?capability=NAME`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdviceQuery {
    /// What the script is about to use.
    capability: Capability,
}

pub(super) async fn advice(
    Asked(query): Asked<AdviceQuery>,
    State(state): State<WebState>,
) -> Result<Json<AdviceAnswer>, Problem> {
    answer(&state, query.capability).map(Json)
}

/// 200 for `go`, 503 and `Retry-After` for anything else: for `curl -f`.
pub(super) async fn gate(
    Asked(Nothing {}): Asked<Nothing>,
    State(state): State<WebState>,
    Segment(name): Segment,
) -> Result<Response, Problem> {
    let capability = name.parse().map_err(|_| unknown())?;
    let answer = answer(&state, capability)?;
    if answer.action == Action::Go {
        return Ok(Json(answer).into_response());
    }
    let seconds = answer.until.map_or(GATE_RETRY_SECS, |until| {
        let left = Duration::try_from(until.duration_since(state.clock.now()));
        state.clock.real(left.unwrap_or_default()).as_secs() + 1
    });
    let retry_after = [(RETRY_AFTER, HeaderValue::from(seconds))];
    Ok((StatusCode::SERVICE_UNAVAILABLE, retry_after, Json(answer)).into_response())
}

fn answer(state: &WebState, capability: Capability) -> Result<AdviceAnswer, Problem> {
    // None of the five words is a secret.
    let view = state.current(Reader::Trusted)?;
    let mut all = view.verdict.capabilities.iter();
    let found = all.find(|verdict| verdict.capability == capability);
    found.map(AdviceAnswer::of).ok_or_else(Problem::internal)
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

fn unknown() -> Problem {
    let known: Vec<_> = Capability::ALL.iter().map(|capability| capability.as_str()).collect();
    Problem::not_found(format!("unknown capability; known are {}", known.join(", ")))
}
