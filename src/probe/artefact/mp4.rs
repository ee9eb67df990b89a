//! The boxes of an MP4 file (ISO/IEC 14496-12), as far as they tell length and tracks.
//!
//! Owns the reading of bytes that are there; fetching them is `part`'s. Invariant: total. Whatever
//! the bytes are, nothing is read beyond them.

use std::time::Duration;

/// A box header is at most this long.
pub(super) const HEADER_BYTES: usize = 16;
/// Boxes deeper than this hold nothing that is looked for.
const DEPTH: usize = 4;

/// What a film is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Film {
    pub(super) duration: Option<Duration>,
    pub(super) has_picture: bool,
    pub(super) has_sound: bool,
    pub(super) is_fragmented: bool,
}

/// The head of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: [u8; 4],
    /// Bytes of the header itself.
    pub(super) length: u64,
    /// Bytes of the whole box; `None`: to the end of the file.
    pub(super) size: Option<u64>,
}

/// Whether a file begins as one.
pub(super) fn is_one(head: &[u8]) -> bool {
    let Some(header) = header(head) else { return false };
    let known = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"];
    known.contains(&&header.name)
}

/// The head of the box at the start of these bytes; `None` when there is no such thing.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let name: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    match number(bytes, 0)? {
        0 => Some(Header { name, length: 8, size: None }),
        1 => {
            let size = u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?);
            (size >= 16).then_some(Header { name, length: 16, size: Some(size) })
        }
        size if size >= 8 => Some(Header { name, length: 8, size: Some(u64::from(size)) }),
        _ => None,
    }
}

/// What the content of a `moov` box tells.
pub(super) fn film(moov: &[u8]) -> Film {
    let mut film = Film::default();
    let mut lengths = Lengths::default();
    read(moov, DEPTH, &mut film, &mut lengths);
    film.duration = lengths.film.or(lengths.fragments).or(lengths.track);
    film
}

/// The lengths that different boxes tell; those of zero are left out.
#[derive(Debug, Default)]
struct Lengths {
    timescale: u32,
    film: Option<Duration>,
    fragments: Option<Duration>,
    track: Option<Duration>,
}

fn read(mut bytes: &[u8], depth: usize, film: &mut Film, lengths: &mut Lengths) {
    while let Some(header) = header(bytes) {
        let size =
            header.size.map_or(bytes.len(), |size| usize::try_from(size).unwrap_or(usize::MAX));
        let size = size.min(bytes.len());
        let start = usize::try_from(header.length).unwrap_or(HEADER_BYTES).min(size);
        let content = &bytes[start..size];
        match &header.name {
            b"trak" | b"mdia" if depth > 0 => read(content, depth - 1, film, lengths),
            b"mvex" => {
                film.is_fragmented = true;
                if depth > 0 {
                    read(content, depth - 1, film, lengths);
                }
            }
            b"mvhd" => {
                let (timescale, units) = timed(content).unwrap_or_default();
                lengths.timescale = timescale;
                lengths.film = length(units, timescale);
            }
            b"mdhd" => {
                let (timescale, units) = timed(content).unwrap_or_default();
                lengths.track = lengths.track.max(length(units, timescale));
            }
            b"mehd" => lengths.fragments = length(fragments(content), lengths.timescale),
            b"hdlr" => match content.get(8..12) {
                Some(b"vide") => film.has_picture = true,
                Some(b"soun") => film.has_sound = true,
                _ => {}
            },
            _ => {}
        }
        bytes = &bytes[size..];
    }
}

/// Timescale and duration of an `mvhd` or `mdhd` box.
fn timed(content: &[u8]) -> Option<(u32, u64)> {
    if *content.first()? == 1 {
        let units = u64::from_be_bytes(content.get(24..32)?.try_into().ok()?);
        return Some((number(content, 20)?, units));
    }
    Some((number(content, 12)?, u64::from(number(content, 16)?)))
}

fn fragments(content: &[u8]) -> u64 {
    let long = || Some(u64::from_be_bytes(content.get(4..12)?.try_into().ok()?));
    let short = || number(content, 4).map(u64::from);
    if content.first() == Some(&1) { long() } else { short() }.unwrap_or_default()
}

/// All ones mean that it is not known.
#[expect(clippy::cast_precision_loss, reason = "a duration in seconds needs no 64 bits")]
fn length(units: u64, timescale: u32) -> Option<Duration> {
    let is_known = units != 0 && units != u64::MAX && units != u64::from(u32::MAX);
    (is_known && timescale != 0)
        .then(|| Duration::try_from_secs_f64(units as f64 / f64::from(timescale)).ok())
        .flatten()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn boxed(name: &[u8], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes()[..], name, content].concat()
    }

    fn mvhd(units: u32) -> Vec<u8> {
        let numbers = [0_u32, 0, 0, 1_000, units].map(u32::to_be_bytes).concat();
        boxed(b"mvhd", &[&numbers[..], &[0; 80]].concat())
    }

    fn track(kind: &[u8]) -> Vec<u8> {
        let hdlr = boxed(b"hdlr", &[&[0; 8][..], kind, &[0; 13]].concat());
        boxed(b"trak", &boxed(b"mdia", &hdlr))
    }

    #[test]
    fn length_and_tracks_are_read() {
        let moov = [mvhd(2_500), track(b"vide"), track(b"soun")].concat();
        let expected = Film {
            duration: Some(Duration::from_millis(2_500)),
            has_picture: true,
            has_sound: true,
            is_fragmented: false,
        };
        assert_eq!(film(&moov), expected);
        assert!(!film(&[mvhd(1), track(b"vide")].concat()).has_sound);
        assert_eq!(film(&mvhd(0)).duration, None);
        let mehd = boxed(b"mvex", &boxed(b"mehd", &[0_u32, 4_000].map(u32::to_be_bytes).concat()));
        let fragmented = film(&[mvhd(0), mehd].concat());
        assert_eq!(fragmented.duration, Some(Duration::from_secs(4)));
        assert!(fragmented.is_fragmented);
    }

    #[test]
    fn long_boxes_and_last_boxes_are_known() {
        let long = [&1_u32.to_be_bytes()[..], b"mdat", &(1_u64 << 33).to_be_bytes()].concat();
        assert_eq!(header(&long).unwrap().size, Some(1 << 33));
        let last = [&0_u32.to_be_bytes()[..], b"mdat"].concat();
        assert_eq!(header(&last).unwrap().size, None);
        assert_eq!(header(&[0, 0, 0, 7, b'm', b'd', b'a', b't']), None);
        assert!(is_one(&boxed(b"ftyp", b"isom")) && !is_one(b"<html>") && !is_one(b""));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            film(&bytes);
            film(&boxed(b"trak", &boxed(b"mdia", &bytes)));
            film(&boxed(b"mvhd", &bytes));
        }
    }
}
