//! The JSON Schema of the configuration, derived from `raw`.
//!
//! Invariant: it is the same schema that `structure` checks files with, so an editor and the
//! daemon agree on which keys exist.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::raw::Raw;

/// The JSON Schema (2020-12) of a configuration file.
pub(super) fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Raw>().to_value();
    without_null(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "heygen-monitor configuration".into());
    }
    schema
}

/// TOML has no null: an optional key is absent, never null.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            without_null_type(object);
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn without_null_type(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|word| word != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(options)) = object.get_mut("anyOf") {
        options.retain(|option| option.get("type") != Some(&Value::from("null")));
        if let [only] = options.as_slice() {
            let only = only.as_object().cloned().unwrap_or_default();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}
