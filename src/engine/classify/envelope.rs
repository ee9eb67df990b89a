//! What a body is: the documented JSON, HeyGen's error envelope, HTML, or something else.
//!
//! Tolerant in what it accepts: v3 and legacy envelopes, codes as text or number, missing fields,
//! a byte order mark, broken UTF-8. Whoever nests deeper than serde_json's 128 is not JSON to us.

use serde_json::{Map, Value};

use crate::model::text::clean;

/// Longest error code kept, in characters.
const CODE_CHARS: usize = 100;
/// Longest message kept, in characters: HeyGen's are one or two sentences.
const MESSAGE_CHARS: usize = 1000;
/// Longest parameter name kept, in characters.
const PARAM_CHARS: usize = 200;
/// Longest link kept, in characters.
const LINK_CHARS: usize = 500;
/// `code` of a v1 answer that is a success (docs.heygen.com/reference/errors).
const V1_SUCCESS: &str = "100";

/// HeyGen's error envelope, cleaned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// Error code.
    pub(super) code: Option<String>,
    /// Error message.
    pub(super) message: Option<String>,
    /// Parameter it names.
    pub(super) param: Option<String>,
    /// Documentation link; `https:` only.
    pub(super) doc_url: Option<String>,
}

impl Envelope {
    /// Codes compare without case.
    pub(super) fn is_code(&self, code: &str) -> bool {
        self.code.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(code))
    }

    pub(super) fn has_code_prefix(&self, prefix: &str) -> bool {
        self.code.as_deref().is_some_and(|own| own.to_ascii_lowercase().starts_with(prefix))
    }

    /// The envelope in an object: under `error` (v3, v2), else at the top (v1).
    fn of(object: &Map<String, Value>) -> Option<Self> {
        if let Some(Value::Object(error)) = object.get("error") {
            let envelope = Self::from_fields(error);
            return (envelope.code.is_some() || envelope.message.is_some()).then_some(envelope);
        }
        let envelope = Self::from_fields(object);
        let is_error = envelope.message.is_some()
            && envelope.code.as_deref().is_some_and(|code| code != V1_SUCCESS);
        is_error.then_some(envelope)
    }

    fn from_fields(fields: &Map<String, Value>) -> Self {
        let text = |name: &str, max_chars| match fields.get(name) {
            Some(Value::String(text)) => {
                Some(clean(text, max_chars)).filter(|text| !text.is_empty())
            }
            Some(Value::Number(number)) => Some(clean(&number.to_string(), max_chars)),
            _ => None,
        };
        Self {
            code: text("code", CODE_CHARS),
            message: text("message", MESSAGE_CHARS),
            param: text("param", PARAM_CHARS),
            doc_url: text("doc_url", LINK_CHARS).filter(|link| link.starts_with("https://")),
        }
    }
}

/// A body that was looked at once.
#[derive(Debug)]
pub(super) enum Reading {
    /// A JSON object, with the error envelope that is in it.
    Object(Map<String, Value>, Option<Envelope>),
    /// JSON, but no object: nothing of HeyGen's looks so.
    OtherJson,
    /// HTML; its beginning, in lower case.
    Html(String),
    /// Plain text, nothing, or bytes; its beginning, in lower case.
    Other(String),
}

/// How much of a body that is not JSON is looked at, in bytes.
const LOOKED_AT_BYTES: usize = 64 << 10;

impl Reading {
    pub(super) fn of(body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let parsed = serde_json::from_slice(body)
            .or_else(|_broken| serde_json::from_str(&String::from_utf8_lossy(body)));
        match parsed {
            Ok(Value::Object(object)) => {
                let envelope = Envelope::of(&object);
                Self::Object(object, envelope)
            }
            Ok(_) => Self::OtherJson,
            Err(_not_json) => Self::of_text(body),
        }
    }

    /// A body that is not expected to be JSON.
    pub(super) fn of_page(body: &[u8]) -> Self {
        Self::of_text(body)
    }

    fn of_text(body: &[u8]) -> Self {
        let head = body.get(..LOOKED_AT_BYTES).unwrap_or(body);
        let text = String::from_utf8_lossy(head).to_ascii_lowercase();
        let start = text.trim_start();
        let is_html = ["<!doctype html", "<html", "<head", "<body", "<title", "<!--"]
            .iter()
            .any(|tag| start.starts_with(tag))
            || text.contains("<html");
        if is_html { Self::Html(text) } else { Self::Other(text) }
    }

    pub(super) fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Object(_, envelope) => envelope.as_ref(),
            Self::OtherJson | Self::Html(_) | Self::Other(_) => None,
        }
    }

    pub(super) fn is_html(&self) -> bool {
        matches!(self, Self::Html(_))
    }

    /// Whether it is an object without an error that has all of these keys, none of them null.
    pub(super) fn documents(&self, expect: &[impl AsRef<str>]) -> bool {
        match self {
            Self::Object(object, None) => expect
                .iter()
                .all(|key| object.get(key.as_ref()).is_some_and(|value| !value.is_null())),
            Self::Object(..) | Self::OtherJson | Self::Html(_) | Self::Other(_) => false,
        }
    }

    /// The first of these keys that is missing.
    pub(super) fn missing<'a>(&self, expect: &'a [String]) -> Option<&'a str> {
        let Self::Object(object, _) = self else {
            return None;
        };
        let is_there =
            |key: &&String| object.get(key.as_str()).is_some_and(|value| !value.is_null());
        expect.iter().find(|key| !is_there(key)).map(String::as_str)
    }

    /// What may hold the marks of a challenge: everything but HeyGen's own JSON.
    pub(super) fn foreign_text(&self) -> Option<&str> {
        match self {
            Self::Html(text) | Self::Other(text) => Some(text),
            Self::Object(..) | Self::OtherJson => None,
        }
    }
}
