//! A media playlist as segments and groups: a pure reading of untrusted text.
//!
//! A group is a run of segments whose times go on: it ends at a discontinuity, and where the initialisation section changes. The
//! times of segments are sums of the playlist's own durations. What a parser would pass over in silence is looked for here and
//! refused: encryption, gaps, tags that cannot be read.

use m3u8_rs::{ByteRange, MediaSegment};
use url::Url;

use super::{TICKS_PER_SECOND, without_mark};

/// The most segments of a playlist.
const MOST_SEGMENTS: usize = 50_000;
/// The longest segment and the longest playlist, in seconds.
const LONGEST_SEGMENT: i64 = 3_600;
const LONGEST: i64 = 400 * 3_600;
/// Tags without which segments would be misread, so that one that cannot be parsed must not be passed over.
const VITAL: [&str; 3] = ["X-MAP", "X-BYTERANGE", "X-DISCONTINUITY"];

/// A finished recording in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// The pieces, in order; at least one.
    pub segments: Vec<Segment>,
    /// Runs of pieces whose times go on; they cover all segments, in order.
    pub groups: Vec<Group>,
}

/// A piece of media: a file or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where it is.
    pub url: Url,
    /// Its first byte and its length, if it is a part of a file.
    pub range: Option<(u64, u64)>,
    /// Where it begins in the playlist, in ticks.
    pub start: i64,
    /// How long it is, in ticks.
    pub duration: i64,
}

/// A run of segments whose times go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Index of its first segment.
    pub first: usize,
    /// Index after its last segment.
    pub end: usize,
    /// Where it begins in the playlist, in ticks.
    pub start: i64,
    /// What every segment of it needs before itself (fMP4).
    pub init: Option<Init>,
}

/// An initialisation section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// Where it is.
    pub url: Url,
    /// Its first byte and its length, if it is a part of a file.
    pub range: Option<(u64, u64)>,
}

impl MediaPlaylist {
    /// Reads a playlist whose addresses are relative to `base`.
    ///
    /// # Errors
    /// Why it cannot be used, completing the sentence "… cannot be used: ".
    pub fn parse(text: &[u8], base: &Url) -> Result<Self, String> {
        let text = without_mark(text);
        refuse_by_line(text)?;
        let parsed = m3u8_rs::parse_media_playlist_res(text)
            .map_err(|_| "it begins like a playlist but cannot be read as one".to_owned())?;
        if parsed.segments.is_empty() {
            return Err("it is a playlist without a segment".to_owned());
        }
        if !parsed.end_list {
            return Err("it is the playlist of a live stream (it has no end). Give the recording's, when it is finished"
                .to_owned());
        }
        if parsed.i_frames_only {
            return Err("it is a playlist of single pictures. Give the one of the whole video".to_owned());
        }
        if parsed.segments.len() > MOST_SEGMENTS {
            return Err(format!("it has more than {MOST_SEGMENTS} segments"));
        }
        let mut reading = Reading { base, segments: Vec::new(), groups: Vec::new(), init: None, at: 0 };
        for segment in &parsed.segments {
            reading.take(segment)?;
        }
        Ok(Self { segments: reading.segments, groups: reading.groups })
    }

    /// Where it ends, in ticks.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.segments.last().map_or(0, |segment| segment.start + segment.duration)
    }
}

/// What the parser does not tell.
fn refuse_by_line(text: &[u8]) -> Result<(), String> {
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        if let Some(key) = line.strip_prefix(b"#EXT-X-KEY:")
            && !key.split(|byte| *byte == b',').any(|part| part.trim_ascii() == b"METHOD=NONE")
        {
            return Err("its segments are encrypted, which is not supported".to_owned());
        }
        if line.starts_with(b"#EXT-X-GAP") {
            return Err("it has gaps: some of its segments are missing".to_owned());
        }
    }
    Ok(())
}

struct Reading<'a> {
    base: &'a Url,
    segments: Vec<Segment>,
    groups: Vec<Group>,
    init: Option<Init>,
    at: i64,
}

impl Reading<'_> {
    fn take(&mut self, segment: &MediaSegment) -> Result<(), String> {
        let number = self.segments.len() + 1;
        if let Some(tag) = segment.unknown_tags.iter().find(|tag| VITAL.contains(&tag.tag.as_str())) {
            return Err(format!("the tag EXT-{} of its segment {number} cannot be read", tag.tag));
        }
        let mut begins = segment.discontinuity || self.segments.is_empty();
        if let Some(map) = &segment.map {
            let range = match &map.byte_range {
                Some(range) => Some(byte_range(range, || Some(0))?),
                None => None,
            };
            let init = Some(Init { url: self.address(&map.uri)?, range });
            begins |= self.init != init;
            self.init = init;
        }
        let url = self.address(&segment.uri)?;
        let range = match &segment.byte_range {
            // Without an offset it follows the segment before, if that is a part of the same file.
            Some(range) => Some(byte_range(range, || match self.segments.last() {
                Some(Segment { url: before, range: Some((first, length)), .. }) if *before == url => {
                    first.checked_add(*length)
                }
                _ => None,
            })?),
            None => None,
        };
        let duration = ticks(segment.duration)
            .ok_or_else(|| format!("the duration of its segment {number} cannot be used"))?;
        if begins {
            self.groups.push(Group {
                first: self.segments.len(),
                end: self.segments.len(),
                start: self.at,
                init: self.init.clone(),
            });
        }
        if let Some(group) = self.groups.last_mut() {
            group.end += 1;
        }
        self.segments.push(Segment { url, range, start: self.at, duration });
        self.at += duration;
        if self.at > LONGEST * TICKS_PER_SECOND {
            return Err(format!("it is longer than {} hours", LONGEST / 3_600));
        }
        Ok(())
    }

    fn address(&self, text: &str) -> Result<Url, String> {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Err(format!("the address of its segment {} is missing", self.segments.len() + 1));
        }
        self.base
            .join(text)
            .map_err(|_| format!("the address of its segment {} cannot be read", self.segments.len() + 1))
    }
}

/// The first byte and the length of a part, whose offset may be left out.
fn byte_range(range: &ByteRange, follows: impl FnOnce() -> Option<u64>) -> Result<(u64, u64), String> {
    range
        .offset
        .or_else(follows)
        .filter(|first| range.length > 0 && first.checked_add(range.length).is_some())
        .map(|first| (first, range.length))
        .ok_or_else(|| "a byte range of it cannot be used".to_owned())
}

/// Seconds to ticks by their shortest decimal form, which is what the playlist said: single precision would add up to errors.
fn ticks(seconds: f32) -> Option<i64> {
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    let text = format!("{seconds}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole: i64 = whole.parse().ok().filter(|whole| *whole <= LONGEST_SEGMENT)?;
    let fraction: i128 =
        fraction.chars().chain("000000000".chars()).take(9).collect::<String>().parse().ok()?;
    let fraction = (fraction * i128::from(TICKS_PER_SECOND) + 500_000_000) / 1_000_000_000;
    Some(whole * TICKS_PER_SECOND + i64::try_from(fraction).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<MediaPlaylist, String> {
        MediaPlaylist::parse(text.as_bytes(), &Url::parse("https://a.example/v/list.m3u8?key=1").unwrap())
    }

    #[test]
    fn parts_of_files_groups_and_sections_are_read() {
        let playlist = parse(
            "\u{feff}#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:7\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"100@0\"\n\
             #EXT-X-KEY:METHOD=NONE\n#EXTINF:6.006,\n#EXT-X-BYTERANGE:1000@100\nall.mp4\n#EXTINF:6.006,\n#EXT-X-BYTERANGE:500\nall.mp4\n\
             #EXT-X-DISCONTINUITY\n#EXTINF:2.5,\n/other/b.mp4\n#EXT-X-MAP:URI=\"init2.mp4\"\n#EXTINF:1,\nhttps://b.example/c.mp4\n#EXT-X-ENDLIST\n",
        )
        .unwrap();
        let second = TICKS_PER_SECOND;
        let found: Vec<_> = playlist
            .segments
            .iter()
            .map(|segment| (segment.url.as_str(), segment.range, segment.start))
            .collect();
        assert_eq!(
            found,
            [
                ("https://a.example/v/all.mp4", Some((100, 1000)), 0),
                ("https://a.example/v/all.mp4", Some((1100, 500)), 6 * second + second * 6 / 1000),
                ("https://a.example/other/b.mp4", None, 12 * second + second * 12 / 1000),
                ("https://b.example/c.mp4", None, 14 * second + second * 512 / 1000),
            ]
        );
        let groups: Vec<_> = playlist.groups.iter().map(|group| (group.first, group.end)).collect();
        assert_eq!(groups, [(0, 2), (2, 3), (3, 4)]);
        assert_eq!(playlist.groups[0].init.as_ref().unwrap().range, Some((0, 100)));
        assert_eq!(playlist.groups[2].init.as_ref().unwrap().url.path(), "/v/init2.mp4");
        assert_eq!(playlist.end(), playlist.segments[3].start + second);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_its_reason() {
        for (text, word) in [
            ("#EXTM3U\n#EXTINF:6,\na.ts\n", "live"),
            ("#EXTM3U\n#EXT-X-ENDLIST\n", "without a segment"),
            ("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n", "encrypted"),
            (
                "#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n",
                "encrypted",
            ),
            ("#EXTM3U\n#EXTINF:6,\n#EXT-X-GAP\na.ts\n#EXT-X-ENDLIST\n", "gaps"),
            ("#EXTM3U\n#EXT-X-I-FRAMES-ONLY\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n", "single pictures"),
            ("#EXTM3U\n#EXTINF:6,\n#EXT-X-BYTERANGE:10\na.ts\n#EXT-X-ENDLIST\n", "byte range"),
            ("#EXTM3U\n#EXTINF:6,\n#EXT-X-BYTERANGE:ten@0\na.ts\n#EXT-X-ENDLIST\n", "X-BYTERANGE"),
            ("#EXTM3U\n#EXT-X-MAP:BYTERANGE=\"x\"\n#EXTINF:6,\na.ts\n#EXT-X-ENDLIST\n", ""),
            ("#EXTM3U\n#EXTINF:99999999,\na.ts\n#EXT-X-ENDLIST\n", "duration"),
            ("#EXTM3U\n#EXTINF:6,\nhttp://[\n#EXT-X-ENDLIST\n", "address"),
        ] {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(word), "{text}: {reason}");
        }
    }

    #[test]
    fn durations_do_not_drift() {
        assert_eq!(ticks(6.006), Some(TICKS_PER_SECOND * 6006 / 1000));
        assert_eq!(ticks(0.0), Some(0));
        assert_eq!(ticks(f32::INFINITY), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(lines in prop::collection::vec(
            "(#EXTINF:[0-9.]{0,6},|#EXT-X-(MAP|KEY|BYTERANGE|DISCONTINUITY|ENDLIST)[:A-Z0-9=@\",a-z.]{0,20}|[a-z/.#:?é]{0,12})", 0..20)) {
            let _ = parse(&format!("#EXTM3U\n{}", lines.join("\n")));
        }

        #[test]
        fn groups_cover_the_segments_in_order(breaks in prop::collection::vec(any::<bool>(), 1..40)) {
            let mut text = "#EXTM3U\n".to_owned();
            for (index, begins) in breaks.iter().enumerate() {
                if *begins {
                    text.push_str("#EXT-X-DISCONTINUITY\n");
                }
                text.push_str(&format!("#EXTINF:{}.5,\n{index}.ts\n", index % 7));
            }
            let playlist = parse(&format!("{text}#EXT-X-ENDLIST\n")).unwrap();
            let mut next = (0, 0);
            for group in &playlist.groups {
                prop_assert_eq!((group.first, group.start), next);
                prop_assert!(group.end > group.first);
                let last = &playlist.segments[group.end - 1];
                next = (group.end, last.start + last.duration);
            }
            prop_assert_eq!(next, (breaks.len(), playlist.end()));
        }
    }
}
