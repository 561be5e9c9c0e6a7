//! What a video is called by its first bytes, and whether browsers play such a one.
//!
//! For answers only: what may be decoded is decided by the engine, by looks of its own.

/// The first bytes that [`media_type`] wants to see; fewer are looked at as well.
pub const SNIFF_BYTES: usize = 4096;

/// The media type of a video container that begins so; `None` for everything else, such as text of any kind.
#[must_use]
pub fn media_type(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return Some(if is_webm(head) { "video/webm" } else { "video/x-matroska" });
    }
    match head.get(4..8) {
        Some(b"ftyp") => return by_brand(head.get(8..12)?),
        Some(b"styp" | b"moof") => return Some("video/mp4"),
        // QuickTime of the time before it said so.
        Some(b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot") => return Some("video/quicktime"),
        _ => {}
    }
    // A sync byte every 188 bytes, or every 192 with a time in front of each packet (as Blu-ray has it).
    let synced = |first: usize, step: usize| {
        let places = (first..head.len()).step_by(step).take(5);
        places.clone().count() >= 2 && places.clone().all(|place| head.get(place) == Some(&0x47))
    };
    (synced(0, 188) || synced(4, 192)).then_some("video/mp2t")
}

fn by_brand(brand: &[u8]) -> Option<&'static str> {
    match brand {
        b"qt  " => Some("video/quicktime"),
        // Still pictures come in the same boxes.
        b"heic" | b"heix" | b"mif1" | b"avif" | b"msf1" => None,
        _ => Some("video/mp4"),
    }
}

/// Whether an EBML head says that what follows is WebM: its `DocType` (0x4282), which has a length of one byte.
fn is_webm(head: &[u8]) -> bool {
    let head = head.get(..64).unwrap_or(head);
    head.windows(7).any(|window| window == b"\x42\x82\x84webm")
}

/// Codecs of pictures that browsers play.
const PICTURES: &[&str] = &["h264", "vp8", "vp9", "av1"];
/// Codecs of sound that browsers play.
const SOUNDS: &[&str] = &["aac", "mp3", "opus", "vorbis"];

/// Whether a browser can be expected to play a file of this type with these codecs (as a probe names them).
#[must_use]
pub fn plays_in_browsers(media_type: Option<&str>, picture: &str, sound: Option<&str>) -> bool {
    let container =
        matches!(media_type, Some("video/mp4" | "video/quicktime" | "video/webm" | "video/x-matroska"));
    container && PICTURES.contains(&picture) && sound.is_none_or(|sound| SOUNDS.contains(&sound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_known_by_their_first_bytes() {
        let ebml = |kind: &str| {
            let mut head = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82".to_vec();
            head.push(0x80 + kind.len() as u8);
            head.extend(kind.bytes());
            head.extend(b"\x42\x87\x81\x04");
            head
        };
        let mut stream = vec![0; 400];
        (stream[0], stream[188], stream[376]) = (0x47, 0x47, 0x47);
        for (head, kind) in [
            (b"\0\0\0\x20ftypisom\0\0\x02\0".to_vec(), Some("video/mp4")),
            (b"\0\0\0\x14ftypqt  ".to_vec(), Some("video/quicktime")),
            (b"\0\0\x01\0moov".to_vec(), Some("video/quicktime")),
            (b"\0\0\0\x18ftypavif".to_vec(), None),
            (ebml("webm"), Some("video/webm")),
            (ebml("matroska"), Some("video/x-matroska")),
            (stream, Some("video/mp2t")),
            (b"<!doctype html><html>".to_vec(), None),
            (b"    ftyp".to_vec(), None),
            (b"#EXTM3U\n".to_vec(), None),
            (b"G".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(media_type(&head), kind, "{}", String::from_utf8_lossy(&head));
        }
    }

    #[test]
    fn browsers_play_what_all_of_them_decode() {
        for (kind, picture, sound, plays) in [
            (Some("video/mp4"), "h264", Some("aac"), true),
            (Some("video/webm"), "vp9", None, true),
            (Some("video/mp4"), "hevc", Some("aac"), false),
            (Some("video/x-matroska"), "h264", Some("ac3"), false),
            (Some("video/mp2t"), "h264", Some("aac"), false),
            (None, "h264", None, false),
        ] {
            assert_eq!(plays_in_browsers(kind, picture, sound), plays, "{kind:?} {picture} {sound:?}");
        }
    }
}
