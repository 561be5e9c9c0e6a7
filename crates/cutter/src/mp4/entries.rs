//! Sample descriptions (`stsd`): how the pictures, the sound and the chapters' titles are coded.

use super::boxes::{Bytes, Put, put_box, put_full_box};
use super::{AudioTrack, VideoCodec, VideoTrack};

fn put_description(out: &mut Bytes, kind: &[u8; 4], entry: impl FnOnce(&mut Bytes)) {
    put_full_box(out, b"stsd", 0, 0, |out| {
        out.u32(1);
        put_box(out, kind, |out| {
            out.zeros(6);
            out.u16(1);
            entry(out);
        });
    });
}

/// Appends the description of the pictures.
pub(super) fn put_video(out: &mut Bytes, track: &VideoTrack) {
    let (entry, configuration) = match track.codec {
        VideoCodec::H264 => (b"avc1", b"avcC"),
        VideoCodec::Hevc => (b"hev1", b"hvcC"),
    };
    put_description(out, entry, |out| {
        out.zeros(16);
        out.u16(track.width as u16);
        out.u16(track.height as u16);
        // 72 dots per inch, as everyone writes.
        out.u32(0x0048_0000);
        out.u32(0x0048_0000);
        out.u32(0);
        out.u16(1);
        out.zeros(32);
        out.u16(0x18);
        out.u16(0xFFFF);
        put_box(out, configuration, |out| out.bytes(&track.configuration));
        if let Some(colour) = track.colour {
            put_box(out, b"colr", |out| {
                out.bytes(b"nclx");
                out.u16(colour.primaries);
                out.u16(colour.transfer);
                out.u16(colour.matrix);
                out.u8(u8::from(colour.full_range) << 7);
            });
        }
        let (width, height) = track.sar;
        if width != height && width != 0 && height != 0 {
            put_box(out, b"pasp", |out| {
                out.u32(width);
                out.u32(height);
            });
        }
    });
}

/// Appends the description of the sound.
pub(super) fn put_audio(out: &mut Bytes, track: &AudioTrack) {
    put_description(out, b"mp4a", |out| {
        out.zeros(8);
        out.u16(track.channels);
        out.u16(16);
        out.u32(0);
        // Rates that do not fit are only in the decoder's configuration.
        let rate = u16::try_from(track.sample_rate).unwrap_or(0);
        out.u32(u32::from(rate) << 16);
        put_elementary_stream(out, track);
    });
}

/// Appends `esds`: nested descriptors, each with a tag and its length in four times seven bits.
fn put_elementary_stream(out: &mut Bytes, track: &AudioTrack) {
    let mut decoder = Bytes::new();
    // MPEG-4 audio, an audio stream.
    decoder.bytes(&[0x40, 0x15]);
    // A size of the decoder's buffer that nobody asks for, and the highest and the average bit rate.
    decoder.zeros(3);
    decoder.u32(track.bit_rate);
    decoder.u32(track.bit_rate);
    put_descriptor(&mut decoder, 0x05, &track.asc);

    let mut stream = Bytes::new();
    // A stream id of 0 (as it must be in a file) and no flags.
    stream.zeros(3);
    put_descriptor(&mut stream, 0x04, &decoder);
    put_descriptor(&mut stream, 0x06, &[0x02]);

    put_full_box(out, b"esds", 0, 0, |out| put_descriptor(out, 0x03, &stream));
}

fn put_descriptor(out: &mut Bytes, tag: u8, content: &[u8]) {
    out.u8(tag);
    let length = content.len();
    for shift in [21, 14, 7] {
        out.u8((length >> shift) as u8 & 0x7F | 0x80);
    }
    out.u8(length as u8 & 0x7F);
    out.bytes(content);
}

/// Appends the description of chapters' titles: QuickTime text.
pub(super) fn put_text(out: &mut Bytes) {
    put_description(out, b"text", |out| {
        // Display flags, justification, background, box, font, foreground: nobody shows this track. An empty font name.
        out.zeros(4 + 4 + 6 + 8 + 8 + 2 + 2 + 1 + 2 + 6);
        out.u8(0);
    });
}
