//! Lenient access to JSON from outside: what is missing or of another type is missing, and one
//! malformed row never costs the others.

use serde_json::Value;

use super::words;
use crate::model::{Component, ComponentState, PageEvent, PageUpdate, Phase, Timestamp};

/// Parses a document that must be an object.
pub(super) fn object(bytes: &[u8]) -> Result<Value, String> {
    match value(bytes)? {
        value @ Value::Object(_) => Ok(value),
        _ => Err("is JSON, but not an object".to_owned()),
    }
}

/// Parses a document that must be a list.
pub(super) fn array(bytes: &[u8]) -> Result<Vec<Value>, String> {
    match value(bytes)? {
        Value::Array(entries) => Ok(entries),
        _ => Err("is JSON, but not a list".to_owned()),
    }
}

/// JSON in UTF-8, or, where a byte order mark says so, in UTF-16.
fn value(bytes: &[u8]) -> Result<Value, String> {
    let parsed = match bytes {
        [0xfe, 0xff, rest @ ..] => serde_json::from_str(&utf16(rest, u16::from_be_bytes)),
        [0xff, 0xfe, rest @ ..] => serde_json::from_str(&utf16(rest, u16::from_le_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => serde_json::from_slice(rest),
        bytes => serde_json::from_slice(bytes),
    };
    parsed.map_err(|error| format!("is not JSON: {error}"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).filter_map(|pair| Some(unit(pair.try_into().ok()?)));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
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
        Some(Value::Array(entries)) => return each(entries, key, warnings, read),
        Some(_) => warnings.push(format!("`{key}` is not a list")),
    }
    Vec::new()
}

/// Reads entries one by one; those that cannot be read cost one warning.
pub(super) fn each<T>(
    entries: &[Value],
    what: &str,
    warnings: &mut Vec<String>,
    read: impl Fn(&Value) -> Option<T>,
) -> Vec<T> {
    let rows: Vec<T> = entries.iter().filter_map(read).collect();
    let lost = entries.len() - rows.len();
    if lost > 0 {
        warnings.push(format!("{lost} of {} rows of `{what}` could not be read", entries.len()));
    }
    rows
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

/// Says which states were not understood, once per word.
pub(super) fn warn_of_unknown_states(components: &[Component], warnings: &mut Vec<String>) {
    let sentences = components
        .iter()
        .filter(|row| row.state == ComponentState::Unknown && !row.raw.is_empty())
        .map(|row| format!("the state `{}` is not known", row.raw));
    warn_once(sentences, warnings);
}

/// Says which phases were not understood.
pub(super) fn warn_of_unknown_phases<'a>(
    events: impl IntoIterator<Item = (&'a PageEvent, &'a String)>,
    warnings: &mut Vec<String>,
) {
    let sentences = events
        .into_iter()
        .filter(|(event, _)| event.phase == Phase::Unknown)
        .map(|(event, word)| format!("the phase `{word}` of “{}” is not known", event.title));
    warn_once(sentences, warnings);
}

fn warn_once(sentences: impl Iterator<Item = String>, warnings: &mut Vec<String>) {
    for sentence in sentences {
        if !warnings.contains(&sentence) {
            warnings.push(sentence);
        }
    }
}

/// Sorts updates newest first; those without a time keep their place at the end.
pub(super) fn newest_first(mut updates: Vec<PageUpdate>) -> Vec<PageUpdate> {
    updates.sort_by_key(|update| std::cmp::Reverse(update.at));
    updates
}
