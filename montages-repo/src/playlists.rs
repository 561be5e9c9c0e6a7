//! HLS playlists (RFC 8216): the one of a job's preview is written here, the one that an executor sends of a finished montage is
//! checked here. Pure.
//!
//! Promises: what is written names objects of the same preview only; what passes the check leads nowhere but to the montage's
//! own media, within its size. A playlist that says anything else is refused with a reason for people.

use contracts::preview::PreviewEntry;
use std::fmt::Write as _;

/// Largest playlist of a montage, in bytes: a line or two for each keyframe of many hours.
pub const LARGEST: u64 = 4 << 20;

/// What a montage's playlist calls the media: the path beside its own. FFmpeg, and so mpv and others, refuses segments whose
/// name does not end like a file that it knows.
const MEDIA: &str = "media.mp4";

/// The least that a preview's playlist announces as its longest entry, in seconds. Players do not expect the number to grow.
const SHORTEST_TARGET: f64 = 10.0;

/// The playlist of a preview. Players begin at its beginning, not at its growing end. Each address names the fence, so that none ever answers other bytes than it did.
pub fn preview(entries: &[PreviewEntry], done: bool, fence: i64) -> String {
    let longest = entries.iter().map(|entry| entry.seconds).fold(SHORTEST_TARGET, f64::max);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{longest:.0}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n\
         #EXT-X-START:TIME-OFFSET=0\n",
        longest = longest.ceil()
    );
    for entry in entries {
        if entry.discontinuity {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        // Writing to a string does not fail.
        if let Some(map) = &entry.map {
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"preview/{map}?fence={fence}\"");
        }
        let _ = writeln!(text, "#EXTINF:{:.6},", entry.seconds);
        if let Some((offset, length)) = entry.byterange {
            let _ = writeln!(text, "#EXT-X-BYTERANGE:{length}@{offset}");
        }
        let _ = writeln!(text, "preview/{}?fence={fence}", entry.name);
    }
    if done {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}

/// Checks the playlist of a montage whose media has so many bytes.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check(text: &str, media_bytes: u64) -> Result<(), String> {
    let mut lines = text.lines();
    if lines.next() != Some("#EXTM3U") {
        return Err("the first line is not #EXTM3U".to_owned());
    }
    let (mut ended, mut entries, mut next) = (false, 0_u64, None);
    for (line, number) in lines.zip(2_u64..) {
        let wrong = |reason: &str| format!("line {number}: {reason}");
        if let Some(range) = line.strip_prefix("#EXT-X-BYTERANGE:") {
            let end = end(range, next).ok_or_else(|| wrong("the byte range cannot be read"))?;
            if end > media_bytes {
                return Err(wrong("the byte range lies outside the media"));
            }
            next = Some(end);
        } else if let Some(attributes) = line.strip_prefix("#EXT-X-MAP:") {
            let range =
                attribute(attributes, "BYTERANGE").ok_or_else(|| wrong("the map has no byte range"))?;
            if end(range, Some(0)).is_none_or(|end| end > media_bytes) {
                return Err(wrong("the map's byte range lies outside the media"));
            }
        } else if line == "#EXT-X-ENDLIST" {
            ended = true;
        } else if !line.is_empty() && !line.starts_with('#') {
            if line != MEDIA {
                return Err(wrong("it leads elsewhere than to `media.mp4`"));
            }
            entries += 1;
        }
        // Whatever tag it stands in: keys, renditions and what is yet to be invented.
        if line.starts_with('#') && line.contains("URI=") && attribute_of(line, "URI") != Some(MEDIA) {
            return Err(wrong("it leads elsewhere than to `media.mp4`"));
        }
    }
    match (entries, ended) {
        (0, _) => Err("it names no media".to_owned()),
        (_, false) => Err("it does not end with #EXT-X-ENDLIST".to_owned()),
        (_, true) => Ok(()),
    }
}

/// The end of `length[@offset]`; without an offset it begins where the one before ended.
fn end(range: &str, before: Option<u64>) -> Option<u64> {
    let (length, offset) = match range.split_once('@') {
        Some((length, offset)) => (length, offset.parse().ok()?),
        None => (range, before?),
    };
    length.parse::<u64>().ok()?.checked_add(offset)
}

fn attribute_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    attribute(line.split_once(':')?.1, name)
}

/// The value of a quoted attribute; `None` where it is absent, not quoted, or stands there more than once.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mark = format!("{name}=");
    let mut places = attributes.match_indices(&mark);
    let (place, _) = places.next()?;
    if places.next().is_some() {
        return None;
    }
    attributes[place + mark.len()..].strip_prefix('"')?.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str) -> PreviewEntry {
        PreviewEntry { name: name.into(), seconds: 2.0, discontinuity: false, map: None, byterange: None }
    }

    #[test]
    fn a_preview_grows_until_it_is_done() {
        let first = PreviewEntry { map: Some("init-0".into()), ..entry("0") };
        let second = PreviewEntry {
            seconds: 12.25,
            discontinuity: true,
            map: Some("init-1".into()),
            byterange: Some((100, 50)),
            ..entry("1")
        };
        let head = |target| {
            format!(
                "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n\
                 #EXT-X-START:TIME-OFFSET=0\n"
            )
        };
        let one = "#EXT-X-MAP:URI=\"preview/init-0?fence=3\"\n#EXTINF:2.000000,\npreview/0?fence=3\n";
        assert_eq!(preview(std::slice::from_ref(&first), false, 3), head(10) + one);
        let two = "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"preview/init-1?fence=3\"\n#EXTINF:12.250000,\n\
                   #EXT-X-BYTERANGE:50@100\npreview/1?fence=3\n#EXT-X-ENDLIST\n";
        assert_eq!(preview(&[first, second], true, 3), head(13) + one + two);
    }

    const GOOD: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n\
                        #EXT-X-MAP:URI=\"media.mp4\",BYTERANGE=\"100@0\"\n#EXTINF:2.0,\n#EXT-X-BYTERANGE:400@100\nmedia.mp4\n\
                        #EXTINF:1.0,\n#EXT-X-BYTERANGE:500\nmedia.mp4\n#EXT-X-ENDLIST\n";

    #[test]
    fn a_playlist_leads_to_its_media_only() {
        assert_eq!(check(GOOD, 1000), Ok(()));
        assert!(check(&GOOD.replace('\n', "\r\n"), 1000).is_ok());
        for (from, to) in [
            ("#EXTM3U\n", ""),
            ("\nmedia.mp4\n", "\nmedia\n"),
            ("\nmedia.mp4\n", "\nhttps://example.org/media.mp4\n"),
            ("\nmedia.mp4\n", "\n//example.org/media.mp4\n"),
            ("\nmedia.mp4\n", "\n../../x/media.mp4\n"),
            ("\nmedia.mp4\n", "\n media.mp4\n"),
            ("URI=\"media.mp4\"", "URI=\"https://example.org/\""),
            ("URI=\"media.mp4\"", "URI=media.mp4"),
            ("URI=\"media.mp4\"", "URI=\"media.mp4\",URI=\"https://example.org/\""),
            ("#EXT-X-VERSION:7", "#EXT-X-KEY:METHOD=AES-128,URI=\"https://example.org/\""),
            ("#EXT-X-VERSION:7", "#EXT-X-KEY,URI=\"https://example.org/\""),
            (",BYTERANGE=\"100@0\"", ""),
            ("100@0", "1001@0"),
            ("400@100", "400"),
            ("400@100", "x@100"),
            ("400@100", "901@100"),
            ("400@100", "18446744073709551615@100"),
            ("BYTERANGE:500", "BYTERANGE:501"),
            ("#EXT-X-ENDLIST\n", ""),
            ("\nmedia.mp4\n", "\n"),
        ] {
            assert_ne!(GOOD.replace(from, to), GOOD);
            assert!(check(&GOOD.replace(from, to), 1000).is_err(), "{from:?} as {to:?}");
        }
        assert!(check("", 1000).is_err());
    }

    proptest! {
        #[test]
        fn nothing_is_unreadable(text in "(#EXTM3U\n)?([#A-Z:=\"@,0-9a-z\n-]{0,12}|URI=|#EXT-X-MAP:|#EXT-X-BYTERANGE:|media.mp4\n){0,20}") {
            let _ = check(&text, 1000);
        }
    }
}
