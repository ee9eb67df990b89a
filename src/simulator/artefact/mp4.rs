//! A minimal MP4: `ftyp`, `moov` with a video and an audio track, `mdat` of padding.
//!
//! Owns the boxes (ISO/IEC 14496-12); the tracks describe no samples, which a reader of headers does
//! not look at. Invariant: the size of every box is that of its bytes.

use std::time::Duration;

/// Bytes of media: enough for the index of a file to lie outside a first small range.
pub(super) const MEDIA_BYTES: usize = 96 * 1024;

/// Units of a second in every header.
const TIMESCALE: u32 = 1000;

const WIDTH: u16 = 1280;
const HEIGHT: u16 = 720;

/// The identity matrix of `mvhd` and `tkhd`: a, b, u, c, d, v, x, y, w.
const MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];

/// The file to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Movie<'a> {
    pub(super) length: Duration,
    pub(super) tracks: &'a [Track],
    pub(super) order: Order,
}

/// What a track holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    Video,
    Audio,
}

/// Whether the index comes before the media or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    IndexFirst,
    IndexLast,
}

impl Movie<'_> {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let media = boxed(*b"mdat", &[&vec![0; MEDIA_BYTES]]);
        match self.order {
            Order::IndexFirst => [file_type(), self.index(), media].concat(),
            Order::IndexLast => [file_type(), media, self.index()].concat(),
        }
    }

    /// A place in the middle of an index that comes first.
    pub(super) fn index_middle(&self) -> usize {
        file_type().len() + self.index().len() / 2
    }

    fn units(&self) -> u32 {
        u32::try_from(self.length.as_millis()).unwrap_or(u32::MAX)
    }

    fn index(&self) -> Vec<u8> {
        let mut parts = vec![self.movie_header()];
        for (number, track) in (1..).zip(self.tracks) {
            parts.push(self.track(number, *track));
        }
        boxed(*b"moov", &[&parts.concat()])
    }

    fn movie_header(&self) -> Vec<u8> {
        let next_track = u32::try_from(self.tracks.len() + 1).unwrap_or(u32::MAX);
        let mut fields = Fields::default();
        // Creation and modification are not told.
        fields.u32(0).u32(0).u32(TIMESCALE).u32(self.units());
        // Rate 1.0, volume 1.0, reserved.
        fields.u32(0x0001_0000).u16(0x0100).zeros(10);
        fields.matrix().zeros(24).u32(next_track);
        full(*b"mvhd", 0, &fields)
    }

    fn track(&self, number: u32, track: Track) -> Vec<u8> {
        let media = [self.media_header(), media_kind(track), media_information(track)].concat();
        let parts = [self.track_header(number, track), boxed(*b"mdia", &[&media])];
        boxed(*b"trak", &[&parts.concat()])
    }

    fn track_header(&self, number: u32, track: Track) -> Vec<u8> {
        let (volume, width, height) = match track {
            Track::Video => (0, WIDTH, HEIGHT),
            Track::Audio => (0x0100, 0, 0),
        };
        let mut fields = Fields::default();
        fields.u32(0).u32(0).u32(number).u32(0).u32(self.units());
        // Reserved, layer, group, volume, reserved.
        fields.zeros(8).u16(0).u16(0).u16(volume).u16(0).matrix();
        fields.u32(u32::from(width) << 16).u32(u32::from(height) << 16);
        // Enabled, in the movie, in the preview.
        full(*b"tkhd", 7, &fields)
    }

    fn media_header(&self) -> Vec<u8> {
        const UNDETERMINED: u16 = 0x55C4;
        let mut fields = Fields::default();
        fields.u32(0).u32(0).u32(TIMESCALE).u32(self.units()).u16(UNDETERMINED).u16(0);
        full(*b"mdhd", 0, &fields)
    }
}

fn file_type() -> Vec<u8> {
    boxed(*b"ftyp", &[b"isom", &512_u32.to_be_bytes(), b"isomiso2avc1mp41"])
}

/// `hdlr`
fn media_kind(track: Track) -> Vec<u8> {
    let (kind, name) = match track {
        Track::Video => (b"vide", b"VideoHandler\0"),
        Track::Audio => (b"soun", b"SoundHandler\0"),
    };
    let mut fields = Fields::default();
    fields.u32(0).raw(kind).zeros(12).raw(name);
    full(*b"hdlr", 0, &fields)
}

/// `minf`
fn media_information(track: Track) -> Vec<u8> {
    let mut header = Fields::default();
    let header = match track {
        Track::Video => full(*b"vmhd", 1, header.zeros(8)),
        Track::Audio => full(*b"smhd", 0, header.zeros(4)),
    };
    let mut reference = Fields::default();
    // One entry, and the media is in this file.
    reference.u32(1).raw(&full(*b"url ", 1, &Fields::default()));
    let data = boxed(*b"dinf", &[&full(*b"dref", 0, &reference)]);
    boxed(*b"minf", &[&header, &data, &samples(track)])
}

/// `stbl`: the type of the samples, and tables without a row.
fn samples(track: Track) -> Vec<u8> {
    let mut entry = Fields::default();
    let entry = match track {
        Track::Video => {
            entry.zeros(6).u16(1).zeros(16).u16(WIDTH).u16(HEIGHT);
            // 72 dpi twice, reserved, one frame per sample, no name, depth 24, no colour table.
            entry.u32(0x0048_0000).u32(0x0048_0000).u32(0).u16(1).zeros(32).u16(0x18).u16(0xFFFF);
            boxed(*b"avc1", &[&entry.0])
        }
        Track::Audio => {
            // Two channels of 16 bits at 44.1 kHz.
            entry.zeros(6).u16(1).zeros(8).u16(2).u16(16).zeros(4).u32(44_100 << 16);
            boxed(*b"mp4a", &[&entry.0])
        }
    };
    let mut description = Fields::default();
    description.u32(1).raw(&entry);
    let mut parts = full(*b"stsd", 0, &description);
    for name in [*b"stts", *b"stsc", *b"stco"] {
        parts.extend(full(name, 0, Fields::default().u32(0)));
    }
    parts.extend(full(*b"stsz", 0, Fields::default().u32(0).u32(0)));
    boxed(*b"stbl", &[&parts])
}

fn boxed(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let size = u32::try_from(content.len() + 8).unwrap_or(u32::MAX);
    [&size.to_be_bytes(), name.as_slice(), &content].concat()
}

/// A box with version 0 and `flags`.
fn full(name: [u8; 4], flags: u32, fields: &Fields) -> Vec<u8> {
    boxed(name, &[&flags.to_be_bytes(), &fields.0])
}

/// The content of a box, field by field, big-endian.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    fn zeros(&mut self, count: usize) -> &mut Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }

    fn matrix(&mut self) -> &mut Self {
        MATRIX.iter().fold(self, |fields, value| fields.u32(*value))
    }
}
