//! Where the sound of an MP3 begins for the game.
//!
//! An encoder puts silence before the sound, a decoder adds 529 samples of its own, and players differ in what they take away
//! again: by up to 25 ms, which a player of the game hears. The game plays with BASS and asks it for its old rule
//! (`BASS_CONFIG_MP3_OLDGAPS` in osu-framework's `AudioManager`): what a LAME tag names is left out, and the decoder's delay with
//! it; without such a tag nothing is. A tag's own frame is not played, except for VBRI's, which is silent. These are BASS 2.4.17's
//! numbers as they were measured with synthetic files by the author of a data set of osu!mania maps.

/// What a decoder adds at the beginning.
const DECODER_DELAY: i64 = 529;

/// How far after its tags the first frame of a file may be.
const SEARCHED: usize = 1 << 16;

/// Frames that are left out at the beginning of what is decoded (without the tag's own frame); negative: silence before it.
pub(super) fn left_out(bytes: &[u8]) -> i64 {
    let Some(frame) = first_frame(bytes) else { return 0 };
    if frame.get(36..40) == Some(b"VBRI") {
        let delay = frame.get(42..44).map_or(0, |delay| i64::from(u16::from_be_bytes([delay[0], delay[1]])));
        // Samples of a frame: 1,152 in MPEG 1, 576 in the others.
        let length = if frame.get(1).is_some_and(|byte| byte & 0x08 != 0) { 1152 } else { 576 };
        return delay.max(DECODER_DELAY) - length;
    }
    // The tag lies after the frame's header and its side information, whose length depends on version and channels.
    let tag = [13, 21, 36].into_iter().filter_map(|at| frame.get(at..));
    let mut tag = tag.filter(|tag| tag.starts_with(b"Xing") || tag.starts_with(b"Info"));
    tag.next().and_then(lame_delay).map_or(0, |delay| delay + DECODER_DELAY)
}

/// The bytes from the first frame on.
fn first_frame(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let Some([b'I', b'D', b'3', _, _, flags, a, b, c, d]) = rest.first_chunk::<10>() {
        let size = [a, b, c, d].iter().fold(0, |size, byte| size << 7 | usize::from(**byte & 0x7f));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        rest = rest.get(10 + size + footer..)?;
    }
    let at = rest.windows(2).take(SEARCHED).position(|pair| pair[0] == 0xff && pair[1] & 0xe6 == 0xe2)?;
    rest.get(at..)
}

/// The encoder's delay that a Xing or Info tag names, if it does.
fn lame_delay(tag: &[u8]) -> Option<i64> {
    let flags = tag.get(7)?;
    let fields = [(1, 4), (2, 4), (4, 100), (8, 4)];
    let lame: usize =
        8 + fields.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, length)| length).sum::<usize>();
    let name = tag.get(lame)?;
    let [a, b, c] = *tag.get(lame + 21..)?.first_chunk::<3>()?;
    let both = u32::from_be_bytes([0, a, b, c]);
    (*name != 0 && both != 0).then_some(i64::from(both >> 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with an ID3 tag, and a frame with this at byte 36 (MPEG 1, stereo).
    fn file(tag: &[u8]) -> Vec<u8> {
        let mut bytes = b"ID3\x04\0\0\0\0\0\x05.....\xff\xfb\x90\0".to_vec();
        bytes.resize(bytes.len() + 32, 0);
        bytes.extend(tag);
        bytes.resize(600, 0);
        bytes
    }

    fn info(name: &[u8; 9], delay_and_padding: [u8; 3]) -> Vec<u8> {
        let mut tag = b"Info\0\0\0\x0f".to_vec();
        tag.resize(8 + 112, 0);
        tag.extend(name);
        tag.resize(tag.len() + 12, 0);
        tag.extend(delay_and_padding);
        tag
    }

    #[test]
    fn what_is_left_out_follows_the_tag() {
        let lame = info(b"LAME3.100", [0x24, 0x01, 0x23]);
        assert_eq!(left_out(&file(&lame)), 576 + 529);
        assert_eq!(left_out(&file(&info(b"LAME3.100", [0; 3]))), 0);
        assert_eq!(left_out(&file(&info(&[0; 9], [0x24, 0x01, 0x23]))), 0);
        assert_eq!(left_out(&file(b"Xing")), 0);
        assert_eq!(left_out(&file(b"VBRI\0\x01\x04\x51")), 1105 - 1152);
        assert_eq!(left_out(&file(b"")), 0);
        for cut in 0..180 {
            // Nothing is read beyond the end.
            left_out(&file(&lame)[..cut]);
        }
    }
}
