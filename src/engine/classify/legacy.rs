//! The versions that ended on 1 November 2026: what still lives of them, and what replaces the rest.
//!
//! Owns two small tables (facts, section 10) and the meaning of the `sunset` header. Invariant: a
//! path that lives keeps its own outcomes, and a success is never retired, whatever it announces.

use super::Answer;
use crate::model::{Timestamp, http_date};

/// Where HeyGen compares the versions; for what has no successor in the table.
const GUIDE: &str = "https://developers.heygen.com/endpoint-version-comparison";

/// "End of Life November 1, 2026" (the guide), midnight UTC.
const ENDED_AT_SECS: i64 = 1_793_491_200;

/// Studio and Template calls stay until v3 has their equal (the guide).
const LIVING: [&str; 3] = ["/v2/template", "/v2/templates", "/v2/studio"];

/// Path or its beginning → what replaces it. The first that fits wins.
const SUCCESSORS: [(&str, &str); 17] = [
    ("/v2/video/generate", "/v3/videos"),
    ("/v1/video.generate", "/v3/videos"),
    ("/v1/video_status.get", "/v3/videos/{id}"),
    ("/v1/video.delete", "/v3/videos/{id}"),
    ("/v1/video.list", "/v3/videos"),
    ("/v2/video_translate/target_languages", "/v3/video-translations/languages"),
    ("/v2/video_translate", "/v3/video-translations"),
    ("/v2/user/remaining_quota", "/v3/users/me"),
    ("/v1/user/remaining_quota", "/v3/users/me"),
    ("/v1/user/me", "/v3/users/me"),
    ("/v2/user/me", "/v3/users/me"),
    ("/v2/avatars", "/v3/avatars"),
    ("/v2/voices", "/v3/voices"),
    ("/v1/asset", "/v3/assets"),
    ("/v1/webhook", "/v3/webhooks/endpoints"),
    ("/v2/template", "/v3/templates"),
    ("/v2/studio", "/v3/videos"),
];

/// Whether a path belongs to the versions that ended.
pub(super) fn is_legacy(path: &str) -> bool {
    path.split('/').find(|part| !part.is_empty()).is_some_and(|first| matches!(first, "v1" | "v2"))
}

/// Whether a refusal says that the path is gone, whatever its body says.
pub(super) fn is_retired(answer: &Answer<'_>, path: &str) -> bool {
    if !is_legacy(path) || is_living(path) {
        return false;
    }
    let has_ended = answer.at.as_second() >= ENDED_AT_SECS;
    match answer.status {
        301 | 403 | 404 | 410 if has_ended => true,
        400..=499 => sunset(answer).is_some_and(|sunset| sunset <= answer.at),
        _ => false,
    }
}

/// What to use instead, as the end of a sentence; empty for a path of v3.
pub(super) fn instead(path: &str) -> String {
    if !is_legacy(path) {
        return String::new();
    }
    let successor = SUCCESSORS.iter().find(|(old, _)| begins_with(path, old));
    successor.map_or_else(
        || format!("; what replaces it is listed at {GUIDE}"),
        |(_, new)| format!("; {new} replaces it"),
    )
}

fn is_living(path: &str) -> bool {
    let path = format!("/{}", path.trim_start_matches('/'));
    LIVING.iter().any(|living| {
        path.strip_prefix(living).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn begins_with(path: &str, beginning: &str) -> bool {
    path.trim_start_matches('/').starts_with(beginning.trim_start_matches('/'))
}

/// When the path ends or ended, as HeyGen announces it (RFC 8594).
fn sunset(answer: &Answer<'_>) -> Option<Timestamp> {
    answer.header("sunset").and_then(http_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_v1_and_v2_names_what_replaces_it() {
        for (path, words) in [
            ("/v2/video/generate", "; /v3/videos replaces it"),
            ("/v1/video_status.get", "; /v3/videos/{id} replaces it"),
            ("/v2/video_translate", "; /v3/video-translations replaces it"),
            ("/v2/video_translate/t1", "; /v3/video-translations replaces it"),
            (
                "/v2/video_translate/target_languages",
                "; /v3/video-translations/languages replaces it",
            ),
            ("/v2/user/remaining_quota", "; /v3/users/me replaces it"),
            ("/v2/avatars", "; /v3/avatars replaces it"),
            ("v2/voices", "; /v3/voices replaces it"),
            ("/v1/asset", "; /v3/assets replaces it"),
            ("/v2/template/t1/generate", "; /v3/templates replaces it"),
            ("/v3/videos", ""),
            ("/v3/v2/avatars", ""),
        ] {
            assert_eq!(instead(path), words, "{path}");
        }
        for path in ["/v1/streaming.new", "/v2/", "/v1"] {
            assert!(instead(path).contains(GUIDE), "{path}");
        }
    }

    #[test]
    fn the_end_is_that_of_october() {
        let end: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        assert_eq!(end.as_second(), ENDED_AT_SECS);
    }

    #[test]
    fn templates_and_studio_live() {
        for path in ["/v2/template/t1/generate", "/v2/templates", "/v2/template", "/v2/studio/x"] {
            assert!(is_living(path), "{path}");
        }
        for path in ["/v2/templates_of_old", "/v1/templates", "/v2/video/generate", "/v3/templates"]
        {
            assert!(!is_living(path), "{path}");
        }
    }
}
