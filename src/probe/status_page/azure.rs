//! Azure: the feed of its status page, and the health of Azure DevOps.
//!
//! The feed is prose: what stands in it is going on, and its entries say neither how far they are
//! nor how bad. Invariant: an empty feed is silence, not green.

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, row};
use super::{feed, json};
use crate::model::{Component, ComponentState, Product};

/// The feed, in one of its languages.
pub(super) const FEED: Form = Form::feed("Azure feed", &["/en-us/status/feed/"], read_feed)
    .of(&["azure.status.microsoft", "azurestatuscdn.azureedge.net"]);

/// Azure DevOps: services by geography.
pub(super) const DEVOPS: Form =
    Form::json("Azure DevOps JSON", &["/_apis/status/health"], read_devops)
        .of(&["status.dev.azure.com"]);

fn read_feed(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let feed = feed::parse(documents)?;
    let title = feed.title.as_ref().map(|title| title.content.trim().to_owned());
    if title.as_deref() != Some("Azure Status") {
        return Err("is no feed of Azure".into());
    }
    let found = Found {
        name: title,
        incidents: feed.entries.iter().filter_map(feed::event).collect(),
        warnings: Warnings::of(feed::NO_COMPONENTS),
        ..Found::default()
    };
    Ok(found.on(documents, Product::named("azure")))
}

fn read_devops(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let health = json::object(documents.main())?;
    let own_word = health.get("status").and_then(|status| json::text(status, "health"));
    let is_service = |row: &Value| row.get("geographies").is_some_and(Value::is_array);
    let (Some(own_word), true) = (own_word, json::list(&health, "services").iter().any(is_service))
    else {
        return Err("has no `status.health` and `services` of Azure DevOps".into());
    };
    let mut warnings = Warnings::default();
    let services = json::rows(&health, "services", &mut warnings, |service| {
        let id = json::text(service, "id")?;
        let geographies = json::first(service.get("geographies")?.as_array()?);
        Some(geographies.iter().filter_map(|one| component(&id, one)).collect::<Vec<Component>>())
    });
    let found = Found {
        name: Some("Azure DevOps".to_owned()),
        own_word: Some(state_of(&own_word)),
        components: services.into_iter().flatten().collect(),
        warnings,
        ..Found::default()
    };
    Ok(found.on(documents, Product::named("azure")))
}

/// A service in one geography.
fn component(service: &str, geography: &Value) -> Option<Component> {
    let id = json::text(geography, "id")?;
    let name = json::text(geography, "name").unwrap_or_else(|| id.clone());
    let raw = json::text(geography, "health").unwrap_or_default();
    let state = state_of(&raw);
    let own = row(format!("{service}/{id}"), Some(name), raw, state);
    Some(Component { group: Some(service.to_owned()), ..own })
}

fn state_of(word: &str) -> ComponentState {
    match word {
        "healthy" => ComponentState::Operational,
        "degraded" => ComponentState::DegradedPerformance,
        "unhealthy" => ComponentState::MajorOutage,
        _ => ComponentState::Unknown,
    }
}
