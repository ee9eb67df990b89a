//! Gatus: `/api/v1/endpoints/statuses`.
//!
//! Invariant: of an endpoint the newest result counts, and one without results is `unknown`.

use serde_json::Value;

use super::form::{Documents, Form, Found, Reading, Refusal, Warnings, row};
use super::json;
use crate::model::{Component, ComponentState, Product};

/// Every endpoint with its latest results; Gatus knows no incidents.
pub(super) const STATUSES: Form = Form::json("Gatus JSON", &["api/v1/endpoints/statuses"], read);

fn read(documents: &Documents<'_>) -> Result<Reading, Refusal> {
    let endpoints = json::array(documents.main())?;
    if !endpoints.iter().any(is_endpoint) {
        return Err("lists no endpoint of Gatus".into());
    }
    let mut warnings = Warnings::default();
    let components = json::each(&endpoints, "endpoints", &mut warnings, component);
    let found = Found { components, warnings, ..Found::default() };
    Ok(found.on(documents, Product::named("gatus")))
}

fn is_endpoint(entry: &Value) -> bool {
    entry.get("key").is_some_and(Value::is_string)
        && entry.get("results").is_some_and(Value::is_array)
}

fn component(entry: &Value) -> Option<Component> {
    let id = json::text(entry, "key")?;
    // Results stand oldest first; of equal times the last one counts.
    let results = entry.get("results")?.as_array()?;
    let newest = results.iter().max_by_key(|result| json::time(result, "timestamp"));
    let (raw, state) = match newest.and_then(|result| result.get("success")?.as_bool()) {
        Some(true) => ("success", ComponentState::Operational),
        Some(false) => ("failure", ComponentState::MajorOutage),
        None => ("", ComponentState::Unknown),
    };
    let own = row(id, json::text(entry, "name"), raw.to_owned(), state);
    Some(Component { group: json::text(entry, "group"), ..own })
}
