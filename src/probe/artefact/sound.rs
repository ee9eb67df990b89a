//! Whether bytes are the beginning of a sound (MP3, WAV, Ogg, FLAC, AAC), and how long it lasts.
//!
//! Owns the marks by which each is told, and the length of MP3 and WAV. Decodes nothing.
//! Invariant: total, and a length is told only where it is certain.

use std::time::Duration;

use super::mpeg;

/// How long a sound lasts; `Ok(None)` where it does not say. The error goes on after "the file … ".
/// `length` is that of the whole file, where it is known.
pub(super) fn duration(head: &[u8], length: Option<u64>) -> Result<Option<Duration>, String> {
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WAVE") {
        return wav(head, length);
    }
    if head.starts_with(b"ID3") || mpeg::frame(head).is_some() {
        return mpeg::duration(head, length);
    }
    if head.starts_with(b"OggS") || head.starts_with(b"fLaC") || is_adts(head) {
        return Ok(None);
    }
    Err("is no sound that is known here".to_owned())
}

/// AAC in ADTS (ISO/IEC 13818-7): twelve ones and a layer of zero.
fn is_adts(head: &[u8]) -> bool {
    matches!(head, [0xff, second, _, ..] if second & 0xf6 == 0xf0)
}

/// A file that was streamed does not know how long it is.
fn wav(head: &[u8], length: Option<u64>) -> Result<Option<Duration>, String> {
    let number = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let Some(size) = number(4).filter(|size| *size != 0 && *size != u32::MAX) else {
        return Ok(None);
    };
    let announced = u64::from(size) + 8;
    if let Some(length) = length.filter(|length| *length < announced) {
        return Err(format!("is truncated: it announces {announced} bytes, it has {length}"));
    }
    let is_plain = head.get(12..16) == Some(b"fmt ") && head.get(36..40) == Some(b"data");
    let rate = number(28).filter(|rate| is_plain && *rate != 0);
    let bytes = number(40).filter(|bytes| *bytes <= size);
    Ok(rate
        .zip(bytes)
        .map(|(rate, bytes)| Duration::from_secs_f64(f64::from(bytes) / f64::from(rate))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sounds_are_told_from_other_bytes() {
        for (head, is_sound) in [
            (&b"\xff\xf1\x50\x80"[..], true),
            (b"OggS", true),
            (b"fLaC", true),
            (b"\xff\xff\xff\xff", false),
            (b"\xff\xd8\xff\xe0", false),
            (b"hello", false),
            (b"", false),
        ] {
            assert_eq!(duration(head, None).is_ok(), is_sound, "{head:?}");
        }
    }

    #[test]
    fn a_wave_says_how_long_it_is_and_whether_it_is_whole() {
        let wave = |bytes: u32| {
            let mut head = b"RIFF".to_vec();
            head.extend((bytes + 36).to_le_bytes());
            head.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
            head.extend([8_000_u32, 16_000].map(u32::to_le_bytes).concat());
            head.extend(b"\x02\0\x10\0data");
            head.extend(bytes.to_le_bytes());
            head
        };
        let head = wave(24_000);
        assert_eq!(duration(&head, Some(24_044)), Ok(Some(Duration::from_millis(1_500))));
        assert!(duration(&head, Some(24_043)).is_err());
    }
}
