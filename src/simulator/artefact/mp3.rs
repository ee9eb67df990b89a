//! A silent MP3: an empty ID3 tag, then MPEG 1 layer III frames.
//!
//! Invariant: each frame lasts 1152 samples at 44.1 kHz, so their number gives the length.

use std::time::Duration;

/// MPEG 1, layer III, no checksum, 32 kbit/s, 44.1 kHz, no padding, mono.
const FRAME_HEADER: [u8; 4] = [0xFF, 0xFB, 0x10, 0xC4];

/// 144 × 32,000 / 44,100, rounded down (ISO/IEC 11172-3).
const FRAME_BYTES: usize = 104;

const FRAME_SECS: f64 = 1152.0 / 44_100.0;

/// `ID3`, version 2.4, no flags, size 10; ten bytes of padding follow.
const TAG: [u8; 20] = *b"ID3\x04\0\0\0\0\0\x0A\0\0\0\0\0\0\0\0\0\0";

/// A file that lasts `length`, to the nearest frame.
pub(super) fn bytes(length: Duration) -> Vec<u8> {
    let mut frame = [0; FRAME_BYTES];
    for (place, byte) in frame.iter_mut().zip(FRAME_HEADER) {
        *place = byte;
    }
    let mut bytes = TAG.to_vec();
    let mut left = length.as_secs_f64();
    while left >= FRAME_SECS / 2.0 {
        bytes.extend_from_slice(&frame);
        left -= FRAME_SECS;
    }
    bytes
}
