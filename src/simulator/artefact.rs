//! The files that HeyGen makes: an MP4 for a video, an MP3 for sound, and what can be wrong with one.
//!
//! Owns the bytes; who asks for them and how is `files`. Invariant: a file says of itself that it
//! lasts as long as it was asked to, unless [`Artefact::Lasting`] says otherwise.

mod mp3;
mod mp4;

use std::time::Duration;

/// What stands behind the URL of a completed job.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Artefact {
    /// What was ordered.
    #[default]
    Sound,
    /// The same, but its index (`moov`) comes after the media, as encoders write it by default.
    IndexLast,
    /// It ends in the middle of its index.
    CutInIndex,
    /// It ends in the middle of its media, which announces more.
    CutInMedia,
    /// Without an audio track.
    WithoutAudio,
    /// Without a video track.
    WithoutVideo,
    /// Lasts this long instead.
    Lasting(Duration),
    /// A page of HTML, with status 200.
    Page,
    /// Not a byte.
    Empty,
    /// Its first so many fetches answer 403; what was ordered from then on.
    Refused(u32),
}

/// A file as it is served.
#[derive(Debug)]
pub(super) struct File {
    pub(super) content_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// The two types of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Mp4,
    Mp3,
}

impl FileKind {
    /// The ending of its name.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mp3 => "mp3",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::Mp3 => "audio/mpeg",
        }
    }
}

impl Artefact {
    /// The file of `kind` that should last `length`.
    pub(super) fn file(&self, kind: FileKind, length: Duration) -> File {
        if *self == Self::Page {
            let page = "<!DOCTYPE html><html><head><title>HeyGen</title></head><body>\
                        <p>Something went wrong.</p></body></html>";
            return File { content_type: "text/html; charset=utf-8", bytes: page.into() };
        }
        let bytes = match kind {
            FileKind::Mp4 => self.mp4(length),
            FileKind::Mp3 => self.mp3(length),
        };
        File { content_type: kind.content_type(), bytes }
    }

    fn mp4(&self, length: Duration) -> Vec<u8> {
        use mp4::{Movie, Order, Track};
        let whole =
            Movie { length, tracks: &[Track::Video, Track::Audio], order: Order::IndexFirst };
        match self {
            Self::Sound | Self::Refused(_) | Self::Page => whole.bytes(),
            Self::IndexLast => Movie { order: Order::IndexLast, ..whole }.bytes(),
            Self::CutInIndex => cut(whole.bytes(), whole.index_middle()),
            Self::CutInMedia => {
                let bytes = whole.bytes();
                let end = bytes.len() - mp4::MEDIA_BYTES / 2;
                cut(bytes, end)
            }
            Self::WithoutAudio => Movie { tracks: &[Track::Video], ..whole }.bytes(),
            Self::WithoutVideo => Movie { tracks: &[Track::Audio], ..whole }.bytes(),
            Self::Lasting(length) => Movie { length: *length, ..whole }.bytes(),
            Self::Empty => Vec::new(),
        }
    }

    fn mp3(&self, length: Duration) -> Vec<u8> {
        match self {
            Self::Sound | Self::IndexLast | Self::WithoutVideo | Self::Refused(_) | Self::Page => {
                mp3::bytes(length)
            }
            Self::CutInIndex | Self::CutInMedia => {
                let bytes = mp3::bytes(length);
                let half = bytes.len() / 2;
                cut(bytes, half)
            }
            Self::WithoutAudio => mp3::bytes(Duration::ZERO),
            Self::Lasting(length) => mp3::bytes(*length),
            Self::Empty => Vec::new(),
        }
    }
}

fn cut(mut bytes: Vec<u8>, end: usize) -> Vec<u8> {
    bytes.truncate(end);
    bytes
}
