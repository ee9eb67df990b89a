//! Lenient access to JSON from outside: what is missing or of another type is missing, and one
//! malformed row never costs the others.

use serde_json::Value;

use super::words;
use crate::model::{Component, ComponentState, PageEvent, PageUpdate, Phase, Timestamp};

/// Parses a document that must be an object.
pub(super) fn object(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("is JSON, but not an object".to_owned()),
        Err(error) => Err(format!("is not JSON: {error}")),
    }
}

/// A field as one clean line; numbers become text; missing, null and empty are `None`.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    let text = match value.get(key)? {
        Value::String(text) => words::line(text),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The first of several fields that is there.
pub(super) fn first_text(value: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| text(value, key))
}

/// A field as a time.
pub(super) fn time(value: &Value, key: &str) -> Option<Timestamp> {
    match value.get(key)? {
        Value::String(text) => words::time(text),
        Value::Number(number) => Timestamp::from_millisecond(number.as_i64()?).ok(),
        _ => None,
    }
}

/// The first of several fields that is a time.
pub(super) fn first_time(value: &Value, keys: &[&str]) -> Option<Timestamp> {
    keys.iter().find_map(|key| time(value, key))
}

/// A field that is true.
pub(super) fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// The entries of a list; missing, null or another type is no entry.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Reads the entries of a list one by one; each that cannot be read costs one warning.
pub(super) fn rows<T>(
    value: &Value,
    key: &str,
    warnings: &mut Vec<String>,
    read: impl Fn(&Value) -> Option<T>,
) -> Vec<T> {
    match value.get(key) {
        None | Some(Value::Null) => {}
        Some(Value::Array(entries)) => {
            let rows: Vec<T> = entries.iter().filter_map(&read).collect();
            let lost = entries.len() - rows.len();
            if lost > 0 {
                warnings
                    .push(format!("{lost} of {} rows of `{key}` could not be read", entries.len()));
            }
            return rows;
        }
        Some(_) => warnings.push(format!("`{key}` is not a list")),
    }
    Vec::new()
}

/// A row with the name under `name` and the state under `status`; the id, where it is missing, is
/// the name. `None` when it has neither.
pub(super) fn component(
    row: &Value,
    name: Option<String>,
    state_of: impl Fn(&str) -> ComponentState,
) -> Option<Component> {
    let id = text(row, "id").or_else(|| name.clone())?;
    let raw = text(row, "status").unwrap_or_default();
    Some(Component {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        group: None,
        state: state_of(&raw),
        raw,
    })
}

/// Says which states and phases were not understood, once per word.
pub(super) fn warn_of_unknown_words(
    components: &[Component],
    events: &[(&PageEvent, String)],
    warnings: &mut Vec<String>,
) {
    let states = components
        .iter()
        .filter(|row| row.state == ComponentState::Unknown && !row.raw.is_empty())
        .map(|row| format!("the state `{}` is not known", row.raw));
    let phases = events
        .iter()
        .filter(|(event, _)| event.phase == Phase::Unknown)
        .map(|(event, word)| format!("the phase `{word}` of “{}” is not known", event.title));
    let mut said: Vec<String> = Vec::new();
    for sentence in states.chain(phases) {
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    warnings.append(&mut said);
}

/// Sorts updates newest first; those without a time keep their place at the end.
pub(super) fn newest_first(mut updates: Vec<PageUpdate>) -> Vec<PageUpdate> {
    updates.sort_by_key(|update| std::cmp::Reverse(update.at));
    updates
}
