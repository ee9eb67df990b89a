//! Whether what HeyGen made can be used: fetched in parts, and looked into.
//!
//! Owns what makes a file a video, a translation or a sound. Decides nothing about the job. The
//! host of a file is not HeyGen's API: no key goes there. Invariant: a file is called bad only for
//! what was read of it; one that cannot be reached is neither good nor bad.

use std::time::Duration;

use url::Url;

use self::mp4::Film;
use self::part::{Remote, Trouble};
use crate::http_client::HttpClient;
use crate::model::text::clean;

mod mp4;
mod mpeg;
mod part;
mod sound;

pub(super) use self::part::Reach;

/// All requests for one file together.
const WITHIN: Duration = Duration::from_secs(45);
/// A video that is shorter than this shows nothing.
const SHORTEST_VIDEO: Duration = Duration::from_millis(200);
/// How far a translation may be from its source (issue 3, item 2).
const TOLERANCE: f64 = 0.15;
/// What frames and encoder delay may add to a short one.
const TOLERANCE_AT_LEAST: Duration = Duration::from_millis(500);

/// What a file should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Picture and sound.
    Video,
    /// Sound, and as long as its source where that is known.
    Translation {
        /// How long the source is.
        source: Option<Duration>,
    },
    /// Sound.
    Sound,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checked {
    /// As wanted.
    Fine,
    /// Not as wanted: one sentence without the file's query.
    Bad(String),
    /// It could not be fetched, which says nothing of it.
    Unreachable(String),
}

/// Fetches as much of a file as it takes to know.
pub(super) async fn check(http: &HttpClient, url: &Url, reach: Reach, wanted: Wanted) -> Checked {
    let looking = async {
        let mut remote = Remote::open(http, url.clone(), reach).await?;
        look(&mut remote, wanted).await
    };
    let name = named(url);
    match tokio::time::timeout(WITHIN, looking).await {
        Ok(Ok(())) => Checked::Fine,
        Ok(Err(Trouble::Bad(why))) => Checked::Bad(format!("the file {name} {why}")),
        Ok(Err(Trouble::Unreachable(why))) => Checked::Unreachable(why),
        Err(_) => Checked::Unreachable(format!("the file {name} took too long")),
    }
}

/// How long a recording is; `Ok(None)` when it is none, or does not say.
pub(super) async fn duration(
    http: &HttpClient,
    url: &Url,
    reach: Reach,
) -> Result<Option<Duration>, String> {
    let looking = async {
        let mut remote = Remote::open(http, url.clone(), reach).await?;
        if !mp4::is_one(remote.head()) {
            return Ok(sound::duration(remote.head(), remote.length()).ok().flatten());
        }
        Ok(part::film(&mut remote).await?.duration)
    };
    match tokio::time::timeout(WITHIN, looking).await {
        Ok(Ok(duration)) => Ok(duration),
        Ok(Err(Trouble::Bad(_))) => Ok(None),
        Ok(Err(Trouble::Unreachable(why))) => Err(why),
        Err(_) => Err("it took too long".to_owned()),
    }
}

async fn look(remote: &mut Remote<'_>, wanted: Wanted) -> Result<(), Trouble> {
    if remote.head().is_empty() {
        return Err(bad("is empty"));
    }
    if is_markup(remote.head()) {
        return Err(bad("is a page (HTML or XML), not a recording"));
    }
    if let Some(media) = remote.media_type().filter(|media| !is_media(media)) {
        return Err(bad(&format!("is of type {}, not a recording", clean(media, 60))));
    }
    if mp4::is_one(remote.head()) {
        return judge(&part::film(remote).await?, wanted);
    }
    match wanted {
        Wanted::Video => Err(bad("is no MP4")),
        Wanted::Translation { .. } | Wanted::Sound => {
            let length = sound::duration(remote.head(), remote.length());
            match length.map_err(|why| bad(&why))? {
                Some(duration) => lasts(duration, wanted),
                None => Ok(()),
            }
        }
    }
}

fn judge(film: &Film, wanted: Wanted) -> Result<(), Trouble> {
    if wanted == Wanted::Video && !film.has_picture {
        return Err(bad("has no video track"));
    }
    if !film.has_sound {
        return Err(bad("has no audio track"));
    }
    let Some(duration) = film.duration else {
        return if film.is_fragmented { Ok(()) } else { Err(bad("says no duration")) };
    };
    lasts(duration, wanted)
}

fn lasts(duration: Duration, wanted: Wanted) -> Result<(), Trouble> {
    let secs = duration.as_secs_f64();
    if wanted == Wanted::Video && duration < SHORTEST_VIDEO {
        return Err(bad(&format!("is {secs:.2} s long")));
    }
    if duration.is_zero() {
        return Err(bad("is 0 s long"));
    }
    match wanted {
        Wanted::Translation { source: Some(source) } if is_far(duration, source) => {
            let source = source.as_secs_f64();
            Err(bad(&format!("is {secs:.1} s long, its source {source:.1} s")))
        }
        Wanted::Translation { .. } | Wanted::Video | Wanted::Sound => Ok(()),
    }
}

fn is_far(duration: Duration, source: Duration) -> bool {
    duration.abs_diff(source) > source.mul_f64(TOLERANCE).max(TOLERANCE_AT_LEAST)
}

fn bad(why: &str) -> Trouble {
    Trouble::Bad(why.to_owned())
}

/// A URL for people: without query, user and fragment.
fn named(url: &Url) -> String {
    clean(&format!("{}{}", url.host_str().unwrap_or_default(), url.path()), 200)
}

fn is_media(media_type: &str) -> bool {
    let lower = media_type.to_ascii_lowercase();
    let known = ["video/", "audio/", "application/octet-stream", "binary/octet-stream"];
    known.iter().any(|known| lower.starts_with(known))
}

fn is_markup(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_translation_is_about_as_long_as_its_source() {
        let secs = Duration::from_secs_f64;
        for (duration, source, expected) in [
            (10.0, 10.0, false),
            (11.4, 10.0, false),
            (11.6, 10.0, true),
            (8.4, 10.0, true),
            (1.4, 1.0, false),
        ] {
            assert_eq!(is_far(secs(duration), secs(source)), expected, "{duration} of {source}");
        }
    }

    #[test]
    fn a_url_is_named_without_its_signature() {
        let url =
            "https://u:p@files.heygen.ai/video/a.mp4?Expires=1&Signature=S#f".parse().unwrap();
        assert_eq!(named(&url), "files.heygen.ai/video/a.mp4");
    }
}
