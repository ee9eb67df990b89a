//! How long an MP3 file lasts.
//!
//! Owns ID3 tags, frame headers of layer III (ISO/IEC 11172-3, 13818-3) and the two notes that
//! encoders leave in the first frame. Decodes nothing. Invariant: total, and the length of a file
//! whose bit rate changes is told only where its encoder told it.

use std::time::Duration;

/// Behind its tag a file may have some padding.
const PADDING_BYTES: usize = 4 << 10;
/// Bit rates of layer III in kbit/s, MPEG 1.
const RATES_1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
/// The same, MPEG 2 and 2.5.
const RATES_2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
/// What may be missing from the bytes that an encoder announces: it counts tags differently.
const TOLERANCE: f64 = 0.98;

/// The header of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    kilobits: u32,
    hertz: u32,
    samples: u32,
    /// Bytes of the whole frame.
    bytes: usize,
    /// Where the first frame's note stands.
    note_at: usize,
}

/// The frame at the start of these bytes.
pub(super) fn frame(bytes: &[u8]) -> Option<Frame> {
    let [0xff, second, third, fourth, ..] = *bytes else { return None };
    let is_layer_3 = second & 0xe6 == 0xe2;
    let is_1 = second & 0x18 == 0x18;
    let is_mono = fourth & 0xc0 == 0xc0;
    let divisor = match second & 0x18 {
        0x18 => 1,
        0x10 => 2,
        0x00 => 4,
        _ => return None,
    };
    let rates = if is_1 { RATES_1 } else { RATES_2 };
    let kilobits = *rates.get(usize::from(third >> 4).checked_sub(1)?)?;
    let hertz = [44_100, 48_000, 32_000].get(usize::from(third >> 2 & 3))? / divisor;
    let samples = if is_1 { 1_152 } else { 576 };
    let padding = u32::from(third >> 1 & 1);
    let bytes = usize::try_from(samples / 8 * kilobits * 1_000 / hertz + padding).ok()?;
    let note_at = match (is_1, is_mono) {
        (true, false) => 36,
        (true, true) | (false, false) => 21,
        (false, true) => 13,
    };
    is_layer_3.then_some(Frame { kilobits, hertz, samples, bytes, note_at })
}

/// How long a file lasts; `Ok(None)` where that is not certain.
pub(super) fn duration(head: &[u8], length: Option<u64>) -> Result<Option<Duration>, String> {
    let start = tag_bytes(head);
    if length.is_some_and(|length| length <= start as u64) {
        return Err("holds no sound".to_owned());
    }
    let behind = head.get(start..).unwrap_or_default();
    let found = (0..behind.len().min(PADDING_BYTES))
        .find_map(|skipped| Some((start + skipped, frame(behind.get(skipped..)?)?)));
    let Some((start, first)) = found else {
        // The tag, or its padding, is longer than what was read.
        return Ok(None);
    };
    let audio = length.map(|length| length.saturating_sub(start as u64));
    let first_frame = head.get(start..).unwrap_or_default();
    if let Some(note) = note(first_frame, first) {
        if let (Some(announced), Some(audio)) = (note.bytes, audio)
            && is_short(audio, announced)
        {
            return Err(format!("is truncated: it announces {announced} bytes, it has {audio}"));
        }
        let samples = f64::from(note.frames) * f64::from(first.samples);
        return Ok(Some(Duration::from_secs_f64(samples / f64::from(first.hertz))));
    }
    let is_constant = frames(first_frame).all(|frame| frame.kilobits == first.kilobits);
    Ok(audio.filter(|_| is_constant).map(|audio| lasting(audio, first.kilobits)))
}

#[expect(clippy::cast_precision_loss, reason = "a duration in seconds needs no 64 bits")]
fn lasting(bytes: u64, kilobits: u32) -> Duration {
    Duration::from_secs_f64(bytes as f64 / (f64::from(kilobits) * 125.0))
}

#[expect(clippy::cast_precision_loss, reason = "two per cent are not a matter of bits")]
fn is_short(audio: u64, announced: u32) -> bool {
    (audio as f64) < f64::from(announced) * TOLERANCE
}

/// The frames that follow each other from here on.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Frame> {
    std::iter::from_fn(move || {
        let next = frame(bytes)?;
        bytes = bytes.get(next.bytes..).unwrap_or_default();
        Some(next)
    })
}

/// Bytes of an ID3 tag at the start (id3.org, version 2.4): seven bits of each byte count.
fn tag_bytes(head: &[u8]) -> usize {
    let Some([b'I', b'D', b'3', _, _, flags, size @ ..]) = head.first_chunk::<10>() else {
        return 0;
    };
    let size = size.iter().fold(0, |all, byte| all << 7 | usize::from(byte & 0x7f));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    10 + size + footer
}

/// What an encoder noted in the first frame.
struct Note {
    frames: u32,
    bytes: Option<u32>,
}

fn note(first: &[u8], frame: Frame) -> Option<Note> {
    let number =
        |at: usize| Some(u32::from_be_bytes(first.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let at = frame.note_at;
    let frames_of = |frames: u32| (frames > 0).then_some(frames);
    if matches!(first.get(at..at + 4), Some(b"Xing" | b"Info")) {
        let flags = number(at + 4)?;
        let frames = frames_of(number(at + 8).filter(|_| flags & 1 == 1)?)?;
        let bytes = number(at + 12).filter(|bytes| flags & 2 == 2 && *bytes > 0);
        return Some(Note { frames, bytes });
    }
    if first.get(36..40) == Some(b"VBRI") {
        return Some(Note { frames: frames_of(number(50)?)?, bytes: number(46) });
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 128 kbit/s, 44.1 kHz, stereo: 417 bytes.
    const HEADER: [u8; 4] = [0xff, 0xfb, 0x90, 0x00];

    fn plain(frames: usize) -> Vec<u8> {
        let mut frame = HEADER.to_vec();
        frame.resize(417, 0);
        frame.repeat(frames)
    }

    fn secs(bytes: &[u8], length: usize) -> f64 {
        duration(bytes, Some(length as u64)).unwrap().unwrap().as_secs_f64()
    }

    #[test]
    fn a_constant_rate_tells_the_length() {
        let bytes = plain(100);
        assert!((secs(&bytes, bytes.len()) - 2.61).abs() < 0.01);
        let tagged = [b"ID3\x04\0\0\0\0\x01\0".to_vec(), vec![0; 128], bytes.clone()].concat();
        assert!((secs(&tagged, tagged.len()) - 2.61).abs() < 0.01);
        assert!((secs(&bytes[..2_000], bytes.len()) - 2.61).abs() < 0.01, "the head will do");
        assert_eq!(duration(&bytes, None), Ok(None));
    }

    #[test]
    fn a_changing_rate_is_told_by_the_encoder_or_not_at_all() {
        let mut other = plain(2);
        other[417 + 2] = 0xa0;
        assert_eq!(duration(&other, Some(834)), Ok(None));
        let mut noted = plain(100);
        noted[36..40].copy_from_slice(b"Xing");
        noted[40..44].copy_from_slice(&3_u32.to_be_bytes());
        noted[44..48].copy_from_slice(&1_000_u32.to_be_bytes());
        noted[48..52].copy_from_slice(&41_700_u32.to_be_bytes());
        assert!((secs(&noted, noted.len()) - 26.12).abs() < 0.01);
        assert!(duration(&noted, Some(20_000)).is_err());
    }

    #[test]
    fn a_tag_alone_is_no_sound() {
        assert!(duration(b"ID3\x04\0\0\0\0\0\0", Some(10)).is_err());
        assert_eq!(duration(b"ID3\x04\0\0\x7f\x7f\x7f\x7f", Some(1 << 30)), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            duration(&bytes, Some(bytes.len() as u64)).ok();
            duration(&[&HEADER, &bytes[..]].concat(), None).ok();
            duration(&[b"ID3", &bytes[..]].concat(), Some(1000)).ok();
        }
    }
}
