//! One JSON object of HeyGen's, read with tolerance.
//!
//! Owns how a single value is understood: absent, null and of another type are the same, numbers
//! may be text, times may be in three forms. Knows no operation. Invariant: what comes out is
//! cleaned and capped, and nothing that comes in makes the rest unreadable.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use url::Url;

use crate::model::Timestamp;
use crate::model::text::clean;

/// Longest id that is followed, in characters; HeyGen's have about 40.
const ID_CHARS: usize = 200;
/// From here on a number is milliseconds since 1970, not seconds (the year 5138).
const MILLIS_FROM: f64 = 1e11;
/// From here on it is microseconds.
const MICROS_FROM: f64 = 1e14;

/// One object.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

/// A body as JSON; `None` when it is none.
pub(super) fn parsed(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
}

impl<'a> Fields<'a> {
    /// An object; `None` for anything else.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// What is called so.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// The object that is called so.
    pub(super) fn part(self, name: &str) -> Option<Self> {
        self.get(name).and_then(Self::of)
    }

    /// The first of these that is text (or a number), cleaned; never empty.
    pub(super) fn text(self, names: &[&str], max_chars: usize) -> Option<String> {
        names.iter().find_map(|name| match self.get(name)? {
            Value::String(text) => Some(clean(text, max_chars)).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        })
    }

    /// The first of these that is a finite number.
    pub(super) fn number(self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| number(self.get(name)?))
    }

    /// Whether it is true; `None` when it is neither true nor false.
    pub(super) fn flag(self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    /// The first of these that is an instant: seconds, milliseconds or microseconds since 1970, or
    /// RFC 3339, with or without its zone.
    pub(super) fn time(self, names: &[&str]) -> Option<Timestamp> {
        names.iter().find_map(|name| time(self.get(name)?))
    }

    /// The first of these that is an id (see [`is_id`]).
    pub(super) fn id(self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(&[name], ID_CHARS + 1).filter(|id| is_id(id)))
    }

    /// The first of these that is a URL with a host.
    pub(super) fn url(self, names: &[&str]) -> Option<Url> {
        names.iter().find_map(|name| {
            let url = Url::parse(self.get(name)?.as_str()?).ok()?;
            url.has_host().then_some(url)
        })
    }
}

/// Whether a text may be an id of HeyGen's: it becomes part of a path and of a list with commas.
pub(super) fn is_id(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:=+~@".contains(c);
    (1..=ID_CHARS).contains(&text.len())
        && text.chars().all(is_plain)
        && text.chars().any(|c| c != '.')
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    number.is_finite().then_some(number)
}

fn time(value: &Value) -> Option<Timestamp> {
    if let Some(number) = number(value) {
        return of_epoch(number);
    }
    let text = value.as_str()?.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local: DateTime = text.parse().ok()?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and is then refused")]
fn of_epoch(number: f64) -> Option<Timestamp> {
    let millis = match number {
        number if number <= 0.0 => return None,
        number if number >= MICROS_FROM => number / 1e3,
        number if number >= MILLIS_FROM => number,
        seconds => seconds * 1e3,
    };
    Timestamp::from_millisecond(millis as i64).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instant_is_read_in_every_form() {
        let at: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let seconds = at.as_second();
        for value in [
            json!(seconds),
            json!(seconds * 1000),
            json!(seconds * 1_000_000),
            json!(seconds.to_string()),
            json!(format!("{seconds}.0")),
            json!("2026-11-20T09:00:00Z"),
            json!("2026-11-20T10:00:00+01:00"),
            json!("2026-11-20T09:00:00"),
            json!("2026-11-20 09:00:00"),
        ] {
            assert_eq!(time(&value), Some(at), "{value}");
        }
        for value in
            [json!(0), json!(-5), json!("soon"), json!(""), json!(1e300), json!([]), json!(true)]
        {
            assert_eq!(time(&value), None, "{value}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_id() {
        for (text, expected) in [
            ("v_abc123def456", true),
            ("8ce0fba6c1bf41339f991dcc0a0fc3e6-es", true),
            ("..", false),
            ("a/b", false),
            ("a,b", false),
            ("a?b", false),
            ("a b", false),
            ("%2e", false),
            ("", false),
        ] {
            assert_eq!(is_id(text), expected, "{text}");
        }
        assert!(!is_id(&"a".repeat(ID_CHARS + 1)));
    }
}
