//! A master playlist: which of its renditions is taken. A pure choice over untrusted text.

use m3u8_rs::{AlternativeMediaType, MasterPlaylist, VariantStream};
use url::Url;

use super::without_mark;

/// What a video in a size that is not told is taken for, so that known ones within the limit are preferred.
const UNTOLD_PIXELS: u64 = 1;

/// Whether this is a playlist of playlists.
pub(crate) fn is_master(text: &[u8]) -> bool {
    m3u8_rs::is_master_playlist(without_mark(text))
}

/// The address of the rendition that is taken: picture and sound together, the largest picture of at most `max_pixels` (the
/// smallest one if all are larger), and among equal ones the highest bit rate.
///
/// # Errors
/// Why none can be, completing the sentence "… cannot be used: ".
pub(crate) fn choose(text: &[u8], base: &Url, max_pixels: u64) -> Result<Url, String> {
    let master = m3u8_rs::parse_master_playlist_res(without_mark(text))
        .map_err(|_| "it begins like a playlist but cannot be read as one".to_owned())?;
    let videos: Vec<&VariantStream> =
        master.variants.iter().filter(|variant| !variant.is_i_frame && has_picture(variant)).collect();
    if videos.is_empty() {
        return Err("it is a playlist without a rendition with pictures".to_owned());
    }
    let rank = |variant: &VariantStream| {
        let pixels = variant.resolution.map_or(UNTOLD_PIXELS, |size| size.width.saturating_mul(size.height));
        let fits = pixels <= max_pixels;
        let size = if fits { pixels } else { u64::MAX - pixels };
        (common_codec(variant), fits, size, variant.bandwidth)
    };
    let chosen = videos
        .into_iter()
        .filter(|variant| !sound_apart(&master, variant))
        .max_by_key(|variant| rank(variant))
        .ok_or_else(|| {
            "its sound is in a playlist of its own, which is not supported. Give a source with picture and sound together"
                .to_owned()
        })?;
    let text = chosen.uri.trim();
    if text.is_empty() || text.starts_with('#') {
        return Err("the address of a rendition is missing".to_owned());
    }
    base.join(text).map_err(|_| "the address of a rendition cannot be read".to_owned())
}

fn codecs(variant: &VariantStream) -> impl Iterator<Item = &str> {
    variant.codecs.iter().flat_map(|codecs| codecs.split(',')).map(str::trim)
}

fn has_picture(variant: &VariantStream) -> bool {
    let sound = |codec: &str| {
        ["mp4a", "ac-3", "ec-3", "opus", "Opus", "fLaC", "alac"].iter().any(|name| codec.starts_with(name))
    };
    variant.resolution.is_some() || variant.codecs.is_none() || codecs(variant).any(|codec| !sound(codec))
}

/// H.264 and HEVC are what everything can play; what is not told is mostly the first.
fn common_codec(variant: &VariantStream) -> bool {
    variant.codecs.is_none()
        || codecs(variant)
            .any(|codec| ["avc1", "avc3", "hvc1", "hev1"].iter().any(|name| codec.starts_with(name)))
}

/// Whether the sound that belongs to it has an address of its own. A rendition without one is in the video's own segments.
fn sound_apart(master: &MasterPlaylist, variant: &VariantStream) -> bool {
    let Some(group) = &variant.audio else { return false };
    let mut members = master
        .alternatives
        .iter()
        .filter(|media| media.media_type == AlternativeMediaType::Audio && media.group_id == *group)
        .peekable();
    members.peek().is_some() && members.all(|media| media.uri.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HD: u64 = 1920 * 1080;

    fn choose_from(lines: &str) -> Result<String, String> {
        let text = format!("#EXTM3U\n{lines}\n");
        assert!(is_master(text.as_bytes()));
        let base = Url::parse("https://a.example/v/master.m3u8").unwrap();
        choose(text.as_bytes(), &base, HD).map(|url| url.path().to_owned())
    }

    #[test]
    fn the_best_picture_within_the_limit_is_taken() {
        let all = "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=3840x2160\n4k.m3u8\n\
                   #EXT-X-STREAM-INF:BANDWIDTH=5,RESOLUTION=1920x1080,CODECS=\"avc1.64,mp4a.40.2\"\nhd.m3u8\n\
                   #EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1920x1080,CODECS=\"av01.0,mp4a.40.2\"\nav1.m3u8\n\
                   #EXT-X-STREAM-INF:BANDWIDTH=4,RESOLUTION=1920x1080\nlow.m3u8\n\
                   #EXT-X-STREAM-INF:BANDWIDTH=99,CODECS=\"mp4a.40.2\"\nsound.m3u8\n\
                   #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=99,URI=\"i.m3u8\",RESOLUTION=1920x1080";
        assert_eq!(choose_from(all).unwrap(), "/v/hd.m3u8");
        let large = "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=3840x2160\n4k.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=2560x1440\n2k.m3u8";
        assert_eq!(choose_from(large).unwrap(), "/v/2k.m3u8");
    }

    #[test]
    fn sound_of_its_own_is_refused_and_sound_within_is_not() {
        let apart = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"en.m3u8\"\n\
                     #EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1280x720,AUDIO=\"a\"\napart.m3u8";
        assert!(choose_from(apart).unwrap_err().contains("sound"));
        let both = format!("{apart}\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=640x360\ntogether.m3u8");
        assert_eq!(choose_from(&both).unwrap(), "/v/together.m3u8");
        let within = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",DEFAULT=YES\n\
                      #EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=1280x720,AUDIO=\"a\"\nwithin.m3u8";
        assert_eq!(choose_from(within).unwrap(), "/v/within.m3u8");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(lines in prop::collection::vec(
            "(#EXT-X-(STREAM-INF|MEDIA):[A-Z0-9=\",x-]{0,40}|[a-z/.#:?é]{0,12})", 0..12)) {
            let text = format!("#EXTM3U\n{}", lines.join("\n"));
            let _ = is_master(text.as_bytes());
            let _ = choose(text.as_bytes(), &Url::parse("https://a.example/").unwrap(), HD);
        }
    }
}
