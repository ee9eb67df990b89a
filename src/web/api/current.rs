//! What the daemon believes now: the verdict and its parts.
//!
//! Invariant: nothing here is older than the view; a view that is too old is a problem.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::WebState;
use super::super::access::Reader;
use super::super::problem::Problem;
use super::list::List;
use super::query::{Asked, Nothing};
use crate::model::{Blame, ComponentState, ProbeKind, State as Condition};
use crate::wire::{CapabilityJson, ComponentJson, ProbeJson, VerdictJson};

/// `?state=outage&blame=provider&used=true`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CapabilitiesQuery {
    state: Option<Condition>,
    blame: Option<Blame>,
    /// Whether this team depends on it (`uses` in the configuration).
    used: Option<bool>,
}

/// `?source=heygen&state=major_outage`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ComponentsQuery {
    /// Name of a status page in the configuration.
    source: Option<String>,
    state: Option<ComponentState>,
}

/// `?probe=api-read&kind=api`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProbesQuery {
    /// Its name in the configuration.
    probe: Option<String>,
    kind: Option<ProbeKind>,
}

/// Whether a value passes a filter.
fn fits<T: PartialEq>(wanted: Option<&T>, value: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}

pub(super) async fn verdict(
    reader: Reader,
    Asked(Nothing {}): Asked<Nothing>,
    State(state): State<WebState>,
) -> Result<Json<VerdictJson>, Problem> {
    Ok(Json(VerdictJson::from(&state.current(reader)?.verdict)))
}

pub(super) async fn capabilities(
    reader: Reader,
    Asked(query): Asked<CapabilitiesQuery>,
    State(state): State<WebState>,
) -> Result<Json<List<CapabilityJson>>, Problem> {
    let view = state.current(reader)?;
    let wanted = view.verdict.capabilities.iter().filter(|one| {
        fits(query.state.as_ref(), &one.state)
            && fits(query.blame.as_ref(), &one.blame)
            && fits(query.used.as_ref(), &one.used)
    });
    Ok(List::whole(wanted.map(CapabilityJson::from)))
}

pub(super) async fn components(
    reader: Reader,
    Asked(query): Asked<ComponentsQuery>,
    State(state): State<WebState>,
) -> Result<Json<List<ComponentJson>>, Problem> {
    let view = state.current(reader)?;
    let scope = state.settings.borrow().scope.clone();
    let readings = view.sources.iter().filter_map(|source| source.last.as_ref());
    let rows = readings.flat_map(|reading| {
        let page = scope.pages.iter().find(|(name, _)| *name == reading.source);
        ComponentJson::of(reading, page.map(|(_, map)| map))
    });
    let wanted = rows.filter(|row| {
        fits(query.source.as_ref(), &row.source) && fits(query.state.as_ref(), &row.state)
    });
    Ok(List::whole(wanted))
}

pub(super) async fn probes(
    reader: Reader,
    Asked(query): Asked<ProbesQuery>,
    State(state): State<WebState>,
) -> Result<Json<List<ProbeJson>>, Problem> {
    let view = state.current(reader)?;
    let wanted = view.probes.iter().filter(|one| {
        fits(query.probe.as_ref(), &one.series.probe) && fits(query.kind.as_ref(), &one.kind)
    });
    Ok(List::whole(wanted.map(ProbeJson::from)))
}
