//! The HLS playlist of a written file.

use std::fmt::Write as _;

use super::Layout;

/// A media playlist whose segments are ranges of the file. `media` is the file's address as seen from the playlist; it
/// should end with `.mp4`, because FFmpeg (and so mpv and others) refuses segments without a name it knows.
pub(crate) fn playlist(layout: &Layout, media: &str) -> String {
    let scale = u64::from(layout.timescale.max(1));
    let longest =
        layout.fragments.iter().map(|fragment| fragment.duration.div_ceil(scale)).max().unwrap_or(0);
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "#EXT-X-TARGETDURATION:{}", longest.max(1));
    text.push_str("#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n");
    if layout.fragments.iter().all(|fragment| fragment.starts_with_key) {
        text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    let init = &layout.init;
    let _ =
        writeln!(text, "#EXT-X-MAP:URI=\"{media}\",BYTERANGE=\"{}@{}\"", init.end - init.start, init.start);
    for fragment in &layout.fragments {
        let micros = (u128::from(fragment.duration) * 1_000_000 + u128::from(scale) / 2) / u128::from(scale);
        let _ = writeln!(text, "#EXTINF:{}.{:06},", micros / 1_000_000, micros % 1_000_000);
        let range = &fragment.range;
        let _ = writeln!(text, "#EXT-X-BYTERANGE:{}@{}\n{media}", range.end - range.start, range.start);
    }
    text.push_str("#EXT-X-ENDLIST\n");
    text
}

#[cfg(test)]
mod tests {
    use super::super::Fragment;
    use super::*;

    #[test]
    fn ranges_and_durations() {
        let fragment = |range, duration, key| Fragment { range, start: 0, duration, starts_with_key: key };
        let mut layout = Layout {
            bytes: 5000,
            init: 100..400,
            timescale: 30_000,
            fragments: vec![fragment(400..3000, 120_120, true), fragment(3000..5000, 1001, true)],
        };
        let expected = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n\
            #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"media.mp4\",BYTERANGE=\"300@100\"\n\
            #EXTINF:4.004000,\n#EXT-X-BYTERANGE:2600@400\nmedia.mp4\n\
            #EXTINF:0.033367,\n#EXT-X-BYTERANGE:2000@3000\nmedia.mp4\n#EXT-X-ENDLIST\n";
        assert_eq!(playlist(&layout, "media.mp4"), expected);
        layout.fragments[1].starts_with_key = false;
        assert!(!playlist(&layout, "media.mp4").contains("INDEPENDENT"));
    }
}
