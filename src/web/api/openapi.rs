//! `/api/openapi.json`: OpenAPI 3.1 of `/api/v1`, from the types that are answered.
//!
//! Owns how a resource of the table becomes a path of the document. Invariant: no schema is written
//! by hand that a type could give.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::WebState;
use super::super::problem::ProblemJson;
use super::{Resource, table};
use crate::model::Capability;

/// The document. `security` says what this daemon asks for, which is nothing without `web.auth`.
pub(in crate::web) async fn document(State(state): State<WebState>) -> Json<Value> {
    let scheme = state.settings.borrow().auth.as_ref().map(|auth| auth.scheme());
    Json(of(scheme))
}

fn of(scheme: Option<&'static str>) -> Value {
    let mut table = table();
    let problem = table.schemas.subschema_for::<ProblemJson>().to_value();
    let capability = table.schemas.subschema_for::<Capability>().to_value();
    let paths: Map<String, Value> = table
        .resources
        .iter()
        .map(|resource| {
            let parameters = path_parameters(resource.path, &capability);
            let mut operation = operation(resource, parameters, &problem);
            if scheme.is_some()
                && let Some(fields) = operation.as_object_mut()
            {
                fields.insert("security".into(), security(resource.is_public));
            }
            (format!("/api/v1{}", resource.path), json!({ "get": operation }))
        })
        .collect();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "heygen-monitor",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Is it HeyGen or is it us? Everything here is read-only.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        // Relative to where this document was read: a path prefix of a proxy stays in place.
        "servers": [{ "url": "../" }],
        "paths": paths,
        "components": { "schemas": table.schemas.take_definitions(true) },
    });
    if let Some(scheme) = scheme {
        document["components"]["securitySchemes"] =
            json!({ "reader": { "type": "http", "scheme": scheme.to_lowercase() } });
    }
    for_readers(&mut document);
    document
}

/// A stranger may read what is public.
fn security(is_public: bool) -> Value {
    let asked = json!({ "reader": [] });
    if is_public { json!([{}, asked]) } else { json!([asked]) }
}

fn operation(resource: &Resource, path_parameters: Vec<Value>, problem: &Value) -> Value {
    let answers = |description: &str, schema: &Value| {
        json!({
            "description": description,
            "content": { "application/json": { "schema": schema } },
        })
    };
    let failure = json!({
        "description": "What was wrong, and what to do",
        "content": { "application/problem+json": { "schema": problem } },
    });
    let mut responses = json!({
        "200": answers("The answer", &resource.answer),
        "304": { "description": "It is still what `If-None-Match` names" },
        "400": failure,
        "default": failure,
    });
    if resource.path.starts_with("/gate/") {
        let mut shut = answers("Not now: `Retry-After` says when to ask again", &resource.answer);
        shut["content"]["application/problem+json"] = json!({ "schema": problem });
        responses["503"] = shut;
    }
    let parameters: Vec<Value> =
        path_parameters.into_iter().chain(resource.query.clone()).collect();
    json!({
        "operationId": operation_id(resource.path),
        "summary": resource.summary,
        "parameters": parameters,
        "responses": responses,
    })
}

fn operation_id(path: &str) -> String {
    path.replace("/{id}", "_one").replace("/{capability}", "").trim_start_matches('/').to_owned()
}

fn path_parameters(path: &str, capability: &Value) -> Vec<Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let described = names.map(|name| {
        let schema = match name {
            "capability" => capability.clone(),
            _ => json!({ "type": "integer", "minimum": 1 }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    described.collect()
}

/// The fields of `Q` as parameters of a query: they are absent, never null.
pub(super) fn parameters<Q: JsonSchema>() -> Vec<Value> {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<Q>().to_value();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields = schema["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, mut schema): (String, Value)| {
        without_null(&mut schema);
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let is_required = required.iter().any(|one| *one == name.as_str());
        let mut parameter =
            json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    };
    fields.into_iter().map(parameter).collect()
}

fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.retain(|word| !word.is_null());
    }
    if let Some(options) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        options.retain(|option| option["type"] != "null");
    }
}

/// Comments speak to those who read the code: of them only what others understand is left.
fn for_readers(value: &mut Value) {
    if let Some(text) = value.get("description").and_then(Value::as_str) {
        let told = text.split(" (contract").next().unwrap_or_default().trim_end_matches('.');
        let is_inside = ["[", "contract", "verdicts.md"].iter().any(|mark| told.contains(mark));
        let told = (!is_inside).then(|| Value::from(told));
        if let (Some(fields), told) = (value.as_object_mut(), told) {
            match told {
                Some(told) => fields.insert("description".to_owned(), told),
                None => fields.remove("description"),
            };
        }
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(for_readers),
        Value::Array(items) => items.iter_mut().for_each(for_readers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
