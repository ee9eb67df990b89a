//! What the create operations accept: the request schemas, and the refusal of everything else.
//!
//! Owns the fields of each body as tables. Invariant: an unknown field, a missing one and a wrong
//! type are all `invalid_parameter` and name the field.

use serde_json::{Map, Value};

use super::super::account::Order;
use super::super::catalogue::{LANGUAGES, LOOKS, VOICES};
use super::Refusal;

/// One field of a body; optional ones may also be null.
struct Field {
    name: &'static str,
    kind: Kind,
    presence: Presence,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

enum Kind {
    /// A text of at most so many characters, at least one.
    Text(usize),
    OneOf(&'static [&'static str]),
    Number(f64, f64),
    Flag,
    Texts,
    Object,
    /// `{"type": "url", "url": …}`, `{"type": "asset_id", …}` or `{"type": "base64", …}`.
    Asset,
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, presence: Presence::Required }
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, presence: Presence::Optional }
}

const ANY_TEXT: Kind = Kind::Text(usize::MAX);

/// What videos from an avatar and from an image have in common.
const VIDEO: [Field; 22] = [
    required("type", Kind::OneOf(&["avatar", "image"])),
    optional("title", ANY_TEXT),
    optional("resolution", Kind::OneOf(&["4k", "1080p", "720p"])),
    optional("aspect_ratio", Kind::OneOf(&["16:9", "9:16", "4:5", "5:4", "1:1", "auto"])),
    optional("fit", ANY_TEXT),
    optional("background", Kind::Object),
    optional("remove_background", Kind::Flag),
    optional("callback_url", ANY_TEXT),
    optional("callback_id", ANY_TEXT),
    optional("caption", Kind::Object),
    optional("watermark", Kind::Object),
    optional("output_format", Kind::OneOf(&["mp4", "webm"])),
    optional("script", Kind::Text(5000)),
    optional("voice_id", ANY_TEXT),
    optional("audio_url", ANY_TEXT),
    optional("audio_asset_id", ANY_TEXT),
    optional("voice_settings", Kind::Object),
    optional("engine", Kind::Object),
    optional("folder_id", ANY_TEXT),
    optional("motion_prompt", ANY_TEXT),
    optional("expressiveness", Kind::OneOf(&["high", "medium", "low"])),
    optional("test", Kind::Flag),
];

const TRANSLATION: [Field; 24] = [
    required("video", Kind::Asset),
    required("output_languages", Kind::Texts),
    optional("title", ANY_TEXT),
    optional("audio", Kind::Asset),
    optional("input_language", ANY_TEXT),
    optional("translate_audio_only", Kind::Flag),
    optional("speaker_num", Kind::Number(0.0, 100.0)),
    optional("mode", Kind::OneOf(&["speed", "precision"])),
    optional("callback_url", ANY_TEXT),
    optional("callback_id", ANY_TEXT),
    optional("enable_caption", Kind::Flag),
    optional("keep_the_same_format", Kind::Flag),
    optional("enable_dynamic_duration", Kind::Flag),
    optional("disable_music_track", Kind::Flag),
    optional("enable_speech_enhancement", Kind::Flag),
    optional("enable_watermark", Kind::Flag),
    optional("start_time", Kind::Number(0.0, f64::MAX)),
    optional("end_time", Kind::Number(0.0, f64::MAX)),
    optional("brand_voice_id", ANY_TEXT),
    optional("srt", Kind::Asset),
    optional("srt_role", Kind::OneOf(&["input", "output"])),
    optional("fps_mode", ANY_TEXT),
    optional("folder_id", ANY_TEXT),
    optional("format", ANY_TEXT),
];

const SPEECH: [Field; 6] = [
    required("text", Kind::Text(5000)),
    required("voice_id", ANY_TEXT),
    optional("input_type", Kind::OneOf(&["text", "ssml"])),
    optional("speed", Kind::Number(0.5, 2.0)),
    optional("language", ANY_TEXT),
    optional("locale", ANY_TEXT),
];

const TEMPLATE: [Field; 12] = [
    required("variables", Kind::Object),
    optional("title", ANY_TEXT),
    optional("caption", Kind::Flag),
    optional("dimension", Kind::Object),
    optional("include_gif", Kind::Flag),
    optional("enable_sharing", Kind::Flag),
    optional("folder_id", ANY_TEXT),
    optional("brand_voice_id", ANY_TEXT),
    optional("scene_ids", Kind::Texts),
    optional("callback_url", ANY_TEXT),
    optional("callback_id", ANY_TEXT),
    optional("test", Kind::Flag),
];

/// What is needed of an accepted video.
#[derive(Debug)]
pub(super) struct NewVideo {
    pub(super) order: Order,
    pub(super) output_format: String,
}

pub(super) fn video(body: &[u8]) -> Result<NewVideo, Refusal> {
    let body = object(body)?;
    let own = match text(&body, "type").as_deref() {
        Some("image") => required("image", Kind::Asset),
        _ => required("avatar_id", ANY_TEXT),
    };
    check(&body, &VIDEO, Some(&own))?;
    let sources = ["script", "audio_url", "audio_asset_id"];
    if sources.iter().filter(|name| text(&body, name).is_some()).count() != 1 {
        let message = "Exactly one of script, audio_url or audio_asset_id is required.";
        return Err(Refusal::invalid("script", message.to_owned()));
    }
    if text(&body, "script").is_some() {
        known(&body, "voice_id", "voice_not_found", &VOICES)?;
    }
    if own.name == "avatar_id" {
        known(&body, "avatar_id", "avatar_not_found", &LOOKS)?;
    }
    Ok(NewVideo {
        order: Order {
            title: text(&body, "title"),
            callback_id: text(&body, "callback_id"),
            avatar: text(&body, "avatar_id"),
            ..Order::default()
        },
        output_format: text(&body, "output_format").unwrap_or_else(|| "mp4".to_owned()),
    })
}

pub(super) fn translation(body: &[u8]) -> Result<Order, Refusal> {
    let body = object(body)?;
    check(&body, &TRANSLATION, None)?;
    let wanted = body.get("output_languages").and_then(Value::as_array);
    let languages: Vec<String> =
        wanted.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if let Some(unknown) = languages.iter().find(|name| !LANGUAGES.contains(&name.as_str())) {
        let message = format!("'{unknown}' is not a supported output language.");
        return Err(Refusal::invalid("output_languages", message));
    }
    let is_audio_only = body.get("translate_audio_only").and_then(Value::as_bool) == Some(true);
    Ok(Order {
        title: text(&body, "title"),
        callback_id: text(&body, "callback_id"),
        languages,
        is_audio_only,
        ..Order::default()
    })
}

/// What v2 takes for a video from a template.
pub(super) fn template(body: &[u8]) -> Result<Order, Refusal> {
    let body = object(body)?;
    check(&body, &TEMPLATE, None)?;
    Ok(Order {
        title: text(&body, "title"),
        callback_id: text(&body, "callback_id"),
        ..Order::default()
    })
}

/// The text to be spoken.
pub(super) fn speech(body: &[u8]) -> Result<String, Refusal> {
    let body = object(body)?;
    check(&body, &SPEECH, None)?;
    known(&body, "voice_id", "voice_not_found", &VOICES)?;
    Ok(text(&body, "text").unwrap_or_default())
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
        return Ok(fields);
    }
    let message = "The request body must be a JSON object.";
    Err(Refusal::invalid("body", message.to_owned()))
}

fn text(body: &Map<String, Value>, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn check(body: &Map<String, Value>, fields: &[Field], own: Option<&Field>) -> Result<(), Refusal> {
    let fields = || fields.iter().chain(own);
    for field in fields() {
        check_field(field, body.get(field.name))?;
    }
    for name in body.keys() {
        if !fields().any(|field| field.name == name) {
            return Err(Refusal::invalid(name, format!("Unknown field '{name}'.")));
        }
    }
    Ok(())
}

fn check_field(field: &Field, value: Option<&Value>) -> Result<(), Refusal> {
    let name = field.name;
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return match field.presence {
            Presence::Optional => Ok(()),
            Presence::Required => Err(Refusal::invalid(name, format!("'{name}' is required."))),
        };
    };
    let complaint = complaint(&field.kind, value);
    complaint
        .map_or(Ok(()), |what| Err(Refusal::invalid(name, format!("'{name}' must be {what}."))))
}

/// What `value` should have been; `None` when it is that.
fn complaint(kind: &Kind, value: &Value) -> Option<String> {
    match kind {
        Kind::Text(limit) => {
            let length = value.as_str().map_or(0, |text| text.chars().count());
            (length == 0 || length > *limit).then(|| match limit {
                &usize::MAX => "a non-empty string".to_owned(),
                limit => format!("a string of 1 to {limit} characters"),
            })
        }
        Kind::OneOf(words) => {
            let is_known = value.as_str().is_some_and(|word| words.contains(&word));
            (!is_known).then(|| format!("one of {}", words.join(", ")))
        }
        Kind::Number(low, high) => {
            let is_inside = value.as_f64().is_some_and(|number| (*low..=*high).contains(&number));
            (!is_inside).then(|| "a number within its range".to_owned())
        }
        Kind::Flag => (!value.is_boolean()).then(|| "a boolean".to_owned()),
        Kind::Texts => {
            let texts = value.as_array().filter(|texts| !texts.is_empty());
            let are_texts = texts.is_some_and(|texts| texts.iter().all(Value::is_string));
            (!are_texts).then(|| "a non-empty list of strings".to_owned())
        }
        Kind::Object => (!value.is_object()).then(|| "an object".to_owned()),
        Kind::Asset => (!is_asset(value)).then(|| "a url, asset_id or base64 object".to_owned()),
    }
}

fn is_asset(value: &Value) -> bool {
    let field = match value.get("type").and_then(Value::as_str) {
        Some("url") => "url",
        Some("asset_id") => "asset_id",
        Some("base64") => "data",
        _ => return false,
    };
    value.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

fn known(
    body: &Map<String, Value>,
    name: &str,
    code: &'static str,
    ids: &[&str],
) -> Result<(), Refusal> {
    let Some(id) = text(body, name) else {
        return Err(Refusal::invalid(name, format!("'{name}' is required.")));
    };
    if ids.contains(&id.as_str()) {
        return Ok(());
    }
    let message = format!("No such {name}: {id}");
    let status = axum::http::StatusCode::NOT_FOUND;
    Err(Refusal { status, code, message, param: Some(name.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param_of<T: std::fmt::Debug>(result: Result<T, Refusal>) -> String {
        result.unwrap_err().param.unwrap_or_default()
    }

    #[test]
    fn a_minimal_body_is_accepted() {
        let body = br#"{"type":"avatar","avatar_id":"look_ben_studio","voice_id":"voice_ben",
            "script":"Hi.","title":"probe","resolution":"720p","engine":{"type":"avatar_iii"}}"#;
        let accepted = video(body).unwrap();
        assert_eq!(accepted.order.title.as_deref(), Some("probe"));
        assert_eq!(accepted.order.avatar.as_deref(), Some("look_ben_studio"));
        let body = br#"{"video":{"type":"url","url":"https://example.com/a.mp4"},
            "output_languages":["Spanish (Spain)"],"translate_audio_only":true}"#;
        assert!(translation(body).unwrap().is_audio_only);
        assert_eq!(speech(br#"{"text":"Hi.","voice_id":"voice_ben"}"#).unwrap(), "Hi.");
    }

    #[test]
    fn every_mistake_names_its_field() {
        assert_eq!(param_of(video(b"[]")), "body");
        assert_eq!(param_of(video(b"{}")), "type");
        assert_eq!(param_of(video(br#"{"type":"avatar"}"#)), "avatar_id");
        assert_eq!(
            param_of(video(br#"{"type":"avatar","avatar_id":"look_ben_studio"}"#)),
            "script"
        );
        let dimension = br#"{"type":"avatar","avatar_id":"look_ben_studio","dimension":{}}"#;
        assert_eq!(param_of(video(dimension)), "dimension");
        assert_eq!(param_of(translation(b"{}")), "video");
        assert_eq!(param_of(speech(br#"{"text":"","voice_id":"x"}"#)), "text");
    }
}
