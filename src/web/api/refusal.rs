//! What is wrong with a query, in one sentence for the person who wrote it.
//!
//! Owns the sentence; whether a query is right is decided where it is read. Invariant: what a
//! parameter takes is said from the schema that the OpenAPI document shows.

use axum::extract::Query;
use axum::http::Uri;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

use super::openapi;
use crate::engine::words;
use crate::model::text::clean;

/// Longest name of a parameter that is repeated.
const NAME_CHARS: usize = 40;

/// Why the query of `uri` is no `T`.
pub(super) fn sentence<T: DeserializeOwned + JsonSchema>(uri: &Uri) -> String {
    let parameters = openapi::parameters::<T>();
    let find = |name: &str| parameters.iter().find(|one| one["name"] == name);
    let mut seen = Vec::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        let Some(parameter) = find(&name) else {
            return unknown(&name, &parameters);
        };
        if seen.contains(&name) {
            return format!("{name} may be given once");
        }
        if !is_right::<T>(&name, &value) {
            return format!("{name} takes {}", takes(&parameter["schema"]));
        }
        seen.push(name);
    }
    let missing = parameters.iter().find(|one| one["required"] == true);
    let name = missing.and_then(|one| one["name"].as_str()).unwrap_or("a parameter");
    let schema = missing.map_or(&Value::Null, |one| &one["schema"]);
    format!("{name} is missing; it takes {}", takes(schema))
}

fn unknown(name: &str, parameters: &[Value]) -> String {
    let name = clean(name, NAME_CHARS);
    let known: Vec<&str> = parameters.iter().filter_map(|one| one["name"].as_str()).collect();
    if known.is_empty() {
        format!("{name} is no parameter here: there are none")
    } else {
        format!("{name} is no parameter here: there are {}", words::listed(&known))
    }
}

/// Whether a parameter is right by itself: one that is required has no others beside it.
fn is_right<T: DeserializeOwned>(name: &str, value: &str) -> bool {
    let pair = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    let uri = format!("/?{pair}").parse::<Uri>();
    uri.is_ok_and(|uri| Query::<T>::try_from_uri(&uri).is_ok())
}

fn takes(schema: &Value) -> String {
    let words = gathered(schema, &["const", "enum"]);
    if !words.is_empty() {
        return format!("one of {}", words.join(", "));
    }
    let examples = gathered(schema, &["examples"]);
    if !examples.is_empty() {
        return format!("a value such as {}", examples.join(" or "));
    }
    match (schema["type"].as_str(), &schema["minimum"], &schema["maximum"]) {
        (Some("boolean"), ..) => "true or false".to_owned(),
        (Some("integer"), least, most) if most.is_number() => {
            format!("a whole number from {least} to {most}")
        }
        (Some("integer"), ..) => "a whole number".to_owned(),
        _ => "a text".to_owned(),
    }
}

/// The texts that stand under `keys`, however deep.
fn gathered<'a>(schema: &'a Value, keys: &[&str]) -> Vec<&'a str> {
    let Some(fields) = schema.as_object() else {
        return Vec::new();
    };
    let inside = fields.iter().flat_map(|(key, value)| {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        values.iter().flat_map(move |one| match one {
            Value::String(text) if keys.contains(&key.as_str()) => vec![text.as_str()],
            other => gathered(other, keys),
        })
    });
    inside.collect()
}
