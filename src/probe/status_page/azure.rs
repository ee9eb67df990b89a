//! Azure: the feed of its status page, and the health of Azure DevOps.
//!
//! The feed is prose: what stands in it is going on, and its entries say neither how far they are
//! nor how bad. Invariant: an empty feed is silence, not green.

use serde_json::Value;

use super::form::{Documents, Form, Found, Media, Reading, Refusal};
use super::{feed, json};
use crate::model::{Component, ComponentState, Product};

/// The feed, in one of its languages.
pub(super) const FEED: Form = Form {
    name: "Azure feed",
    paths: &["/en-us/status/feed/"],
    hosts: &["azure.status.microsoft", "azurestatuscdn.azureedge.net"],
    media: Media::Feed,
    read: read_feed,
};

/// Azure DevOps: services by geography.
pub(super) const DEVOPS: Form = Form {
    name: "Azure DevOps JSON",
    paths: &["/_apis/status/health"],
    hosts: &["status.dev.azure.com"],
    media: Media::Json,
    read: read_devops,
};

fn read_feed(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let feed = feed::parse(documents)?;
    let title = feed.title.as_ref().map(|title| title.content.trim().to_owned());
    if title.as_deref() != Some("Azure Status") {
        return Err("is no feed of Azure".into());
    }
    let found = Found {
        name: title,
        incidents: feed.entries.iter().filter_map(feed::event).collect(),
        warnings: vec!["a feed lists no components and never says that all is well".to_owned()],
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
    let mut warnings = Vec::new();
    let services = json::rows(&health, "services", &mut warnings, |service| {
        let id = json::text(service, "id")?;
        let geographies = service.get("geographies")?.as_array()?.iter();
        Some(geographies.filter_map(|row| component(&id, row)).collect::<Vec<Component>>())
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
fn component(service: &str, row: &Value) -> Option<Component> {
    let geography = json::text(row, "id")?;
    let raw = json::text(row, "health").unwrap_or_default();
    Some(Component {
        id: format!("{service}/{geography}"),
        name: json::text(row, "name").unwrap_or(geography),
        group: Some(service.to_owned()),
        state: state_of(&raw),
        raw,
    })
}

fn state_of(word: &str) -> ComponentState {
    match word {
        "healthy" => ComponentState::Operational,
        "degraded" => ComponentState::DegradedPerformance,
        "unhealthy" => ComponentState::MajorOutage,
        _ => ComponentState::Unknown,
    }
}
