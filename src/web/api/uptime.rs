//! `/api/v1/uptime`: where the time of each capability went, whole and by calendar day.
//!
//! Invariant: what it costs depends on how much changed, not on how much was observed.

use axum::Json;
use axum::extract::State;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::WebState;
use super::super::problem::{Problem, unreadable};
use super::query::{Asked, When};
use crate::engine::uptime::{Window, uptime};
use crate::model::Capability;
use crate::wire::UptimeJson;

/// Days shown unless asked otherwise: as many as a strip of bars has.
const DAYS: u16 = 90;
/// The longest window: a year and its leap day.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// `?capability=video_generation&since=30d&until=2026-11-20T00:00:00Z`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UptimeQuery {
    capability: Option<Capability>,
    /// From then on; without it the last 90 calendar days.
    since: Option<When>,
    /// Until then; now unless given. At most 366 days after `since`.
    until: Option<When>,
}

pub(super) async fn uptimes(
    Asked(query): Asked<UptimeQuery>,
    State(state): State<WebState>,
) -> Result<Json<UptimeJson>, Problem> {
    let now = state.clock.now();
    let scope = state.settings.borrow().scope.clone();
    let until = query.until.map_or(now, |when| when.at(now)).min(now);
    let since = match query.since {
        Some(when) => when.at(now),
        None => Window::of_days(DAYS, &scope.zone, until).since,
    };
    if since >= until {
        return Err(Problem::bad_request("since must lie before until, and in the past"));
    }
    if until.duration_since(since) > LONGEST {
        return Err(Problem::bad_request("at most 366 days can be asked for at once"));
    }
    let window = Window { since, until };
    let past = state.store.past(window).await.map_err(|error| unreadable(&error))?;
    let mut all = uptime(&past, &scope, window);
    all.retain(|one| query.capability.is_none_or(|wanted| wanted == one.capability));
    Ok(Json(UptimeJson::of(window, &all)))
}
