//! What HeyGen's catalogues hold: a handful of voices, avatars, looks and languages.
//!
//! Owns fixed JSON alone. Invariant: every id that another body may name is one of these.

use serde_json::{Value, json};

/// Names of the languages that translations know.
pub(super) const LANGUAGES: [&str; 6] = [
    "English",
    "English (United States)",
    "German (Germany)",
    "Japanese (Japan)",
    "Spanish (Mexico)",
    "Spanish (Spain)",
];

/// Ids of the looks that a video may use.
pub(super) const LOOKS: [&str; 3] = ["look_anna_office", "look_anna_street", "look_ben_studio"];

/// Ids of the voices.
pub(super) const VOICES: [&str; 3] = ["voice_anna", "voice_ben", "voice_carla"];

/// Ids of the templates of v2.
pub(super) const TEMPLATES: [&str; 1] = ["template_greeting"];

pub(super) fn voices() -> Vec<Value> {
    let voices =
        [("Anna", "English", "female"), ("Ben", "English", "male"), ("Carla", "Spanish", "female")];
    let rows = VOICES.iter().zip(voices);
    rows.map(|(id, (name, language, gender))| {
        json!({"voice_id": id, "name": name, "language": language, "gender": gender,
               "preview_audio_url": null, "support_pause": true, "support_locale": false,
               "type": "public"})
    })
    .collect()
}

pub(super) fn avatars() -> Vec<Value> {
    [("group_anna", "Anna", "female", 2), ("group_ben", "Ben", "male", 1)]
        .map(|(id, name, gender, looks)| {
            json!({"id": id, "name": name, "preview_image_url": null, "preview_video_url": null,
                   "gender": gender, "created_at": 1_756_000_000, "looks_count": looks,
                   "default_voice_id": null, "consent_status": null, "status": "completed",
                   "error": null})
        })
        .into()
}

pub(super) fn looks() -> Vec<Value> {
    let looks =
        [("Anna at work", "group_anna"), ("Anna outside", "group_anna"), ("Ben", "group_ben")];
    let rows = LOOKS.iter().zip(looks);
    rows.map(|(id, (name, group))| {
        json!({"id": id, "name": name, "avatar_type": "studio_avatar", "group_id": group,
               "preview_image_url": null, "preview_video_url": null, "gender": null, "tags": [],
               "default_voice_id": null, "supported_api_engines": ["avatar_iv", "avatar_v"],
               "image_width": 1280, "image_height": 720, "preferred_orientation": "landscape",
               "status": "completed", "error": null})
    })
    .collect()
}
