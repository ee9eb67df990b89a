//! Lenient access to JSON from outside: what is missing or of another type is missing, and one
//! malformed row never costs the others.
//!
//! Invariant: of a list that could not be read as a whole, that is said; and no list is longer than
//! work that grows with its square can bear.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{Warnings, row};
use super::words;
use crate::model::{Component, ComponentState, PageEvent, PageUpdate, Phase, Timestamp};

/// Rows and events of a page that are read; the largest pages have a thousand.
pub(super) const MOST_ROWS: usize = 2_000;

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

/// A field as text of several lines, its markup taken away; empty where it is missing.
pub(super) fn prose(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).map(words::plain_text).unwrap_or_default()
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

/// The entries of a list, as many as are read; missing, null or another type is no entry.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], |entries| first(entries))
}

/// As many entries as are read.
pub(super) fn first(entries: &[Value]) -> &[Value] {
    entries.get(..MOST_ROWS).unwrap_or(entries)
}

/// Reads the entries of a list one by one; those that cannot be read cost one warning.
pub(super) fn rows<T>(
    value: &Value,
    key: &str,
    warnings: &mut Warnings,
    read: impl Fn(&Value) -> Option<T>,
) -> Vec<T> {
    match value.get(key) {
        None | Some(Value::Null) => {}
        Some(Value::Array(entries)) => return each(entries, key, warnings, read),
        Some(_) => warnings.lose(format!("`{key}` is not a list")),
    }
    Vec::new()
}

/// Reads entries one by one; those that cannot be read cost one warning.
pub(super) fn each<T>(
    entries: &[Value],
    what: &str,
    warnings: &mut Warnings,
    read: impl Fn(&Value) -> Option<T>,
) -> Vec<T> {
    let rows: Vec<T> = first(entries).iter().filter_map(read).collect();
    let lost = entries.len() - rows.len();
    if lost > 0 {
        warnings.lose(format!("{lost} of {} rows of `{what}` could not be read", entries.len()));
    }
    rows
}

/// Rows by id; where there are several of one id, the worst counts, at the place of the first.
pub(super) fn unique(rows: impl IntoIterator<Item = Component>) -> Vec<Component> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut unique: Vec<Component> = Vec::new();
    for row in rows {
        match places.get(&row.id).and_then(|at| unique.get_mut(*at)) {
            Some(known) if known.state.severity() < row.state.severity() => *known = row,
            Some(_) => {}
            None => {
                places.insert(row.id.clone(), unique.len());
                unique.push(row);
            }
        }
    }
    unique
}

/// The attributes of what a JSON:API document includes of one type, by id.
pub(super) fn included<'a>(document: &'a Value, kind: &str) -> BTreeMap<String, &'a Value> {
    let entries = list(document, "included").iter();
    entries
        .filter(|entry| entry.get("type").and_then(Value::as_str) == Some(kind))
        .filter_map(|entry| Some((text(entry, "id")?, entry.get("attributes")?)))
        .collect()
}

/// A row with the name under `name` and the state under `status`; the id, where it is missing, is
/// the name. `None` when it has neither.
pub(super) fn component(
    value: &Value,
    name: Option<String>,
    state_of: impl Fn(&str) -> ComponentState,
) -> Option<Component> {
    let id = text(value, "id").or_else(|| name.clone())?;
    let raw = text(value, "status").unwrap_or_default();
    let state = state_of(&raw);
    Some(row(id, name, raw, state))
}

/// Says which states were not understood, once per word.
pub(super) fn warn_of_unknown_states(components: &[Component], warnings: &mut Warnings) {
    for row in components {
        if row.state == ComponentState::Unknown && !row.raw.is_empty() {
            warnings.say(format!("the state `{}` is not known", row.raw));
        }
    }
}

/// An incident or a maintenance, with the page's word for its phase.
pub(super) struct Told {
    pub(super) event: PageEvent,
    pub(super) word: String,
    pub(super) is_maintenance: bool,
}

/// Incidents and maintenances apart; says which phases were not understood.
pub(super) fn apart(all: Vec<Told>, warnings: &mut Warnings) -> (Vec<PageEvent>, Vec<PageEvent>) {
    let (mut incidents, mut maintenances) = (Vec::new(), Vec::new());
    for Told { event, word, is_maintenance } in all {
        if event.phase == Phase::Unknown {
            warnings.say(format!("the phase `{word}` of “{}” is not known", event.title));
        }
        if is_maintenance { &mut maintenances } else { &mut incidents }.push(event);
    }
    (incidents, maintenances)
}

/// Sorts updates newest first; those without a time keep their place at the end.
pub(super) fn newest_first(mut updates: Vec<PageUpdate>) -> Vec<PageUpdate> {
    updates.sort_by_key(|update| std::cmp::Reverse(update.at));
    updates
}
