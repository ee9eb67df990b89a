//! A validator for the part of JSON Schema that HeyGen's OpenAPI file uses.
//!
//! Owns: `$ref`, `type` (one or several), `enum`, `const`, `required`, `properties`,
//! `additionalProperties: false`, `items`, `anyOf`, `oneOf` and the bounds. The `jsonschema` crate
//! would bring some sixty crates for that. Invariant: an unknown keyword is ignored, never an error.

use serde_json::Value;

/// A document whose schemas refer to each other.
pub(crate) struct Schemas<'a> {
    pub(crate) document: &'a Value,
}

impl Schemas<'_> {
    /// Every way in which `value` breaks `schema`, each with its place.
    pub(crate) fn complaints(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.check(schema, value, place, &mut found);
        found
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.document.pointer(reference.trim_start_matches('#'));
            let target = target.unwrap_or_else(|| panic!("{reference} leads nowhere"));
            return self.check(target, value, place, found);
        }
        for (keyword, least, most) in [("anyOf", 1, usize::MAX), ("oneOf", 1, 1)] {
            let Some(choices) = schema[keyword].as_array() else {
                continue;
            };
            let fits = |choice: &&Value| self.complaints(choice, value, place).is_empty();
            let count = choices.iter().filter(fits).count();
            if count < least || count > most {
                found.push(format!("{place}: {value} fits {count} of {keyword}"));
            }
        }
        if !has_type(&schema["type"], value) {
            found.push(format!("{place}: {value} is no {}", schema["type"]));
            return;
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            found.push(format!("{place}: {value} is none of {}", schema["enum"]));
        }
        if schema.get("const").is_some_and(|constant| constant != value) {
            found.push(format!("{place}: {value} is not {}", schema["const"]));
        }
        bounds(schema, value, place, found);
        self.check_members(schema, value, place, found);
    }

    fn check_members(&self, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
        if let Some(rows) = value.as_array()
            && schema.get("items").is_some()
        {
            for (i, row) in rows.iter().enumerate() {
                self.check(&schema["items"], row, &format!("{place}/{i}"), found);
            }
        }
        let Some(fields) = value.as_object() else {
            return;
        };
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                found.push(format!("{place}: `{name}` is missing"));
            }
        }
        for (name, field) in fields {
            let place = format!("{place}/{name}");
            match schema["properties"].get(name) {
                Some(schema) => self.check(schema, field, &place, found),
                None if schema["additionalProperties"] == false => {
                    found.push(format!("{place}: not part of it"));
                }
                None => {}
            }
        }
    }
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let fits = |word: &str| match word {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    };
    match wanted {
        Value::String(word) => fits(word),
        Value::Array(words) => words.iter().filter_map(Value::as_str).any(fits),
        _ => true,
    }
}

fn bounds(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let length = match value {
        Value::String(text) => Some(("minLength", "maxLength", text.chars().count() as f64)),
        Value::Array(rows) => Some(("minItems", "maxItems", rows.len() as f64)),
        Value::Number(number) => number.as_f64().map(|number| ("minimum", "maximum", number)),
        _ => None,
    };
    let Some((least, most, size)) = length else {
        return;
    };
    if schema[least].as_f64().is_some_and(|bound| size < bound) {
        found.push(format!("{place}: {value} is below {least} {}", schema[least]));
    }
    if schema[most].as_f64().is_some_and(|bound| size > bound) {
        found.push(format!("{place}: {value} is above {most} {}", schema[most]));
    }
}

#[test]
fn the_validator_complains_about_what_is_wrong() {
    let document = serde_json::json!({"schemas": {"Name": {"type": "string", "minLength": 2}}});
    let schemas = Schemas { document: &document };
    let schema = serde_json::json!({
        "type": "object", "required": ["name", "state"], "additionalProperties": false,
        "properties": {
            "name": {"$ref": "#/schemas/Name"},
            "state": {"enum": ["on", "off"]},
            "size": {"anyOf": [{"type": "integer", "maximum": 3}, {"type": "null"}]},
        },
    });
    let complaints = |value: Value| schemas.complaints(&schema, &value, "").len();
    assert_eq!(complaints(serde_json::json!({"name": "ab", "state": "on", "size": null})), 0);
    assert_eq!(complaints(serde_json::json!({"name": "a", "state": "on"})), 1);
    assert_eq!(complaints(serde_json::json!({"name": "ab", "state": "no"})), 1);
    assert_eq!(complaints(serde_json::json!({"name": "ab", "state": "on", "size": 4})), 1);
    assert_eq!(complaints(serde_json::json!({"name": "ab", "more": 1})), 2);
    assert_eq!(complaints(serde_json::json!([])), 1);
}
