//! What is stored: observations, incidents, deliveries.
//!
//! Invariant: a reader that turns pages sees every row that was there when it began, once.

use axum::Json;
use axum::extract::State;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::WebState;
use super::super::access::{Reader, Trusted};
use super::super::problem::{Problem, unreadable};
use super::super::segment::Segment;
use super::list::{Limit, List};
use super::query::{Asked, Nothing, When, token};
use crate::model::{Blame, Capability, DeliveryState, Outcome};
use crate::store::{DeliveryFilter, IncidentFilter, ObservationFilter};
use crate::wire::{DeliveryJson, IncidentJson, ObservationJson};

/// How far back incidents go unless asked otherwise.
const SINCE_DEFAULT: When = When::Ago(SignedDuration::from_hours(30 * 24));

/// `?probe=api-read&outcome=timeout&since=1d&limit=50&token=…`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ObservationsQuery {
    /// Name of a probe in the configuration.
    probe: Option<String>,
    outcome: Option<Outcome>,
    capability: Option<Capability>,
    /// Those that ended then or later.
    since: Option<When>,
    /// Those that ended before.
    until: Option<When>,
    #[serde(default)]
    limit: Limit,
    /// The `next_token` of the page before.
    #[schemars(extend("pattern" = "^[0-9]{1,13}\\.[0-9]{1,9}$"))]
    token: Option<String>,
}

/// `?blame=provider&state=open&since=30d&limit=50&token=…`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentsQuery {
    blame: Option<Blame>,
    capability: Option<Capability>,
    state: Option<IncidentState>,
    /// Those that were open at some time since then; `30d` unless given.
    since: Option<When>,
    /// Those that began before.
    until: Option<When>,
    #[serde(default)]
    limit: Limit,
    /// The `next_token` of the page before.
    #[schemars(extend("pattern" = "^[0-9]{1,18}$"))]
    token: Option<String>,
}

/// Whether an incident goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum IncidentState {
    Open,
    Resolved,
}

/// `?channel=oncall&state=dead&incident=42&limit=50&token=…`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveriesQuery {
    /// Name of a channel in the configuration.
    channel: Option<String>,
    state: Option<DeliveryState>,
    /// Number of an incident.
    incident: Option<i64>,
    #[serde(default)]
    limit: Limit,
    /// The `next_token` of the page before.
    #[schemars(extend("pattern" = "^[0-9]{1,18}$"))]
    token: Option<String>,
}

pub(super) async fn observations(
    reader: Reader,
    Asked(query): Asked<ObservationsQuery>,
    State(state): State<WebState>,
) -> Result<Json<List<ObservationJson>>, Problem> {
    let now = state.clock.now();
    let filter = ObservationFilter {
        probe: query.probe,
        outcome: query.outcome,
        capability: query.capability,
        since: query.since.map(|when| when.at(now)),
        until: query.until.map(|when| when.at(now)),
        before: token(query.token.as_deref())?,
        limit: query.limit.0 + 1,
    };
    let found = state.store.list_observations(filter).await.map_err(|error| unreadable(&error))?;
    let place = |row: &(_, _)| ToString::to_string(&row.0);
    Ok(List::page(found, query.limit, place, |(_, one)| {
        ObservationJson::from(&reader.observation(one))
    }))
}

pub(super) async fn incidents(
    reader: Reader,
    Asked(query): Asked<IncidentsQuery>,
    State(state): State<WebState>,
) -> Result<Json<List<IncidentJson>>, Problem> {
    let now = state.clock.now();
    let filter = IncidentFilter {
        since: Some(query.since.unwrap_or(SINCE_DEFAULT).at(now)),
        until: query.until.map(|when| when.at(now)),
        blame: query.blame,
        capability: query.capability,
        is_open: query.state.map(|state| state == IncidentState::Open),
        before: token(query.token.as_deref())?,
        limit: query.limit.0 + 1,
    };
    let found = state.store.list_incidents(filter).await.map_err(|error| unreadable(&error))?;
    let place = |incident: &crate::model::Incident| incident.id.to_string();
    Ok(List::page(found, query.limit, place, |one| IncidentJson::from(&reader.incident(one))))
}

pub(super) async fn incident(
    reader: Reader,
    Asked(Nothing {}): Asked<Nothing>,
    State(state): State<WebState>,
    Segment(id): Segment,
) -> Result<Json<IncidentJson>, Problem> {
    let missing = || Problem::not_found("there is no such incident");
    let id = id.parse().map_err(|_| missing())?;
    let found = state.store.incident(id).await.map_err(|error| unreadable(&error))?;
    let incident = reader.incident(found.ok_or_else(missing)?);
    Ok(Json(IncidentJson::from(&incident)))
}

pub(super) async fn deliveries(
    _: Trusted,
    Asked(query): Asked<DeliveriesQuery>,
    State(state): State<WebState>,
) -> Result<Json<List<DeliveryJson>>, Problem> {
    let filter = DeliveryFilter {
        channel: query.channel,
        state: query.state,
        incident: query.incident,
        before: token(query.token.as_deref())?,
        limit: query.limit.0 + 1,
    };
    let found = state.store.list_deliveries(filter).await.map_err(|error| unreadable(&error))?;
    let place = |delivery: &crate::model::Delivery| delivery.id.to_string();
    Ok(List::page(found, query.limit, place, |one| DeliveryJson::from(&one)))
}
