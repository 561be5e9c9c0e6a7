//! Probes: what is in a source, found out by a render worker and told to whoever asked.
//!
//! The source is opened by the same door as a montage's. Of a file its head and index are read; of a playlist the first
//! segment, and the rest is what the playlist itself says.

use std::{path::Path, sync::Arc};

use contracts::{
    job::Stage,
    media::{SNIFF_BYTES, media_type, plays_in_browsers},
    object::HLS,
    probe::{MOST_KEYFRAMES, ProbeAudio, ProbeVideo, ProbeView},
    spec::{ProbeSpec, Source},
    time::ticks_to_seconds,
};
use cutter::{
    facts::VideoFacts,
    protocol::Task,
    report::{Outcome, SourceReport},
};
use fetch::{
    MediaWish,
    hls::{self, MediaPlaylist, Window},
};

use crate::{
    attempt::Attempt,
    failure::Failed,
    montage::explain_with,
    order::without_clips,
    sources::{FoundMedia, OpenSource, within},
    worker,
};

/// Looks into a source.
///
/// # Errors
/// Why it cannot be looked into.
pub async fn make(attempt: &Attempt<'_>, spec: &ProbeSpec, dir: &Path) -> Result<ProbeView, Failed> {
    let failed = |failed: Failed| failed.at(within(&spec.source));
    attempt.reporter.stage(Stage::Fetching, 0.0);
    // Fetching bounds its own time.
    let opened = attempt.reporter.while_it_lasts(open(attempt, &spec.source)).await.map_err(failed)?;
    let report = survey(attempt, spec, &opened.source, dir).await?;
    match &opened.playlist {
        Some(playlist) => Ok(of_playlist(&report, playlist, opened.source.bytes())),
        None => {
            let head = opened.source.read_at(0, SNIFF_BYTES).await.map_err(|error| failed(error.into()))?;
            Ok(of_file(&report, &head, opened.source.bytes(), opened.is_reached))
        }
    }
}

/// What is looked into.
struct Opened {
    source: Arc<OpenSource>,
    /// The playlist that it is the first segment of, if it is.
    playlist: Option<MediaPlaylist>,
    /// Whether the library can read it for a browser: it knows no directories and looks behind no pages.
    is_reached: bool,
}

async fn open(attempt: &Attempt<'_>, named: &Source) -> Result<Opened, Failed> {
    let door = &attempt.shop.door;
    let found = door.find(attempt.lease, named, MediaWish::default().max_pixels).await?;
    match found.media {
        FoundMedia::File(source) => {
            let is_reached = match named {
                Source::Url(_) => found.page.is_none() && source.is_served_in_parts(),
                Source::Upload(_) | Source::Montage(_) => true,
                Source::Path(_) => false,
            };
            Ok(Opened { source: Arc::from(source), playlist: None, is_reached })
        }
        FoundMedia::Playlist(playlist) => {
            let first = hls::windows(&playlist, &[Some(Window { start: 0, end: 1 })], 0);
            let nothing = || Failed::permanent("source_unusable", "The playlist has no segment.");
            let composite = first.composites.first().ok_or_else(nothing)?;
            let source = door.open_segments(&playlist, composite, found.page.as_ref()).await?;
            Ok(Opened { source: Arc::new(source), playlist: Some(playlist), is_reached: false })
        }
    }
}

/// Has a worker look into a source that is open.
async fn survey(
    attempt: &Attempt<'_>,
    spec: &ProbeSpec,
    source: &Arc<OpenSource>,
    dir: &Path,
) -> Result<SourceReport, Failed> {
    attempt.reporter.stage(Stage::Planning, 0.0);
    let config = &attempt.shop.config.render;
    let sources = [Arc::clone(source)];
    let order = without_clips("", &sources);
    let task = Task::Survey { most_keyframes: u32::try_from(MOST_KEYFRAMES).unwrap_or(u32::MAX) };
    let done = worker::run(config, attempt.lease, dir, (order, task), &sources, |_| {}).await;
    let pointer = within(&spec.source);
    match done.map_err(|error| explain_with(error, &|_| Some(pointer.to_owned())).at(pointer))? {
        Outcome::Source(report) => Ok(*report),
        _ => Err(Failed::transient("worker_protocol", "The render worker did not look into the source.")),
    }
}

/// What is told of a file. `is_reached`: the library can read it for a browser.
fn of_file(report: &SourceReport, head: &[u8], bytes: u64, is_reached: bool) -> ProbeView {
    let probe = &report.probe;
    let media_type = media_type(head);
    let sound = probe.audio.as_ref().map(|audio| audio.codec.as_str());
    // Browsers decode H.264 of eight bits in which colour is half as fine as brightness, and no other.
    let usual =
        probe.video.codec != "h264" || matches!(probe.video.pixel_format.as_str(), "yuv420p" | "yuvj420p");
    ProbeView {
        container: probe.container.clone(),
        bytes,
        duration: ticks_to_seconds(probe.duration_ticks.unwrap_or(0)),
        media_type: media_type.map(str::to_owned),
        playable: is_reached && usual && plays_in_browsers(media_type, &probe.video.codec, sound),
        keyframes: report.keyframes.iter().map(|key| ticks_to_seconds(*key)).collect(),
        keyframes_total: report.keyframes_total,
        ..tracks(report)
    }
}

/// What is told of a playlist whose first segment was looked into and has so many bytes.
fn of_playlist(report: &SourceReport, playlist: &MediaPlaylist, first_bytes: u64) -> ProbeView {
    let (whole, total) = (playlist.end(), playlist.segments.len());
    let first = playlist.segments.first().map_or(0, |segment| segment.duration);
    let bytes = i128::from(first_bytes) * i128::from(whole) / i128::from(first.max(1));
    let shown = total.min(MOST_KEYFRAMES);
    let starts = (0..shown).filter_map(|place| playlist.segments.get(place * total / shown));
    ProbeView {
        container: "hls".to_owned(),
        bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        duration: ticks_to_seconds(whole),
        media_type: Some(HLS.to_owned()),
        keyframes: starts.map(|segment| ticks_to_seconds(segment.start)).collect(),
        keyframes_total: total as u64,
        ..tracks(report)
    }
}

/// The tracks alone.
fn tracks(report: &SourceReport) -> ProbeView {
    let video = &report.probe.video;
    let (width, height) = shown_size(video);
    ProbeView {
        container: String::new(),
        bytes: 0,
        duration: 0.0,
        media_type: None,
        video: ProbeVideo {
            codec: video.codec.clone(),
            width,
            height,
            frame_rate: format!("{}/{}", video.frame_rate.num(), video.frame_rate.den()),
        },
        audio: report.probe.audio.as_ref().map(|audio| ProbeAudio {
            codec: audio.codec.clone(),
            channels: audio.channels,
            sample_rate: audio.sample_rate,
        }),
        keyframes: Vec::new(),
        keyframes_total: 0,
        playable: false,
    }
}

/// How large a picture is shown: turned, and with pixels that are wider than high counted as such.
fn shown_size(video: &VideoFacts) -> (u32, u32) {
    let width = u64::from(video.width) * u64::from(video.sar_num) / u64::from(video.sar_den.max(1));
    let width = u32::try_from(width).ok().filter(|width| *width > 0).unwrap_or(video.width);
    if matches!(video.rotation, 90 | 270) { (video.height, width) } else { (width, video.height) }
}

#[cfg(test)]
mod tests {
    use cutter::{
        facts::{AudioFacts, Colour, Probe},
        time::{FrameRate, TICKS_PER_SECOND},
    };
    use url::Url;

    use super::*;

    fn report() -> SourceReport {
        SourceReport {
            probe: Probe {
                container: "mp4".to_owned(),
                origin_ticks: 0,
                duration_ticks: Some(10 * TICKS_PER_SECOND),
                duration_is_estimate: false,
                video: VideoFacts {
                    stream: 0,
                    codec: "h264".to_owned(),
                    width: 720,
                    height: 576,
                    sar_num: 16,
                    sar_den: 15,
                    rotation: 0,
                    frame_rate: FrameRate::new(25, 1).unwrap(),
                    variable_rate: false,
                    pixel_format: "yuv420p".to_owned(),
                    bit_depth: 8,
                    colour: Colour::bt709(),
                    profile: 100,
                    level: 31,
                    progressive: true,
                    bit_rate: 0,
                },
                audio: Some(AudioFacts {
                    stream: 1,
                    codec: "aac".to_owned(),
                    sample_rate: 48_000,
                    channels: 2,
                    aac: None,
                }),
            },
            keyframes: vec![0, 2 * TICKS_PER_SECOND],
            keyframes_total: 2,
        }
    }

    const MP4: &[u8] = b"\0\0\0\x20ftypisom";

    #[test]
    fn a_file_is_told_as_it_is_shown_and_played() {
        let view = of_file(&report(), MP4, 1000, true);
        assert_eq!((view.video.width, view.video.height, view.playable), (768, 576, true));
        assert_eq!((view.duration, view.keyframes.as_slice()), (10.0, [0.0, 2.0].as_slice()));
        assert!(!of_file(&report(), MP4, 1000, false).playable, "the library cannot read it");
        assert!(!of_file(&report(), b"<html>", 1000, true).playable);
        let mut deep = report();
        deep.probe.video.pixel_format = "yuv420p10le".to_owned();
        deep.probe.video.rotation = 90;
        let view = of_file(&deep, MP4, 1000, true);
        assert_eq!((view.video.width, view.video.height, view.playable), (576, 768, false));
    }

    #[test]
    fn a_playlist_is_told_by_its_own_words() {
        let list = "#EXTM3U\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.ts\n#EXTINF:2,\nc.ts\n#EXT-X-ENDLIST\n";
        let playlist =
            MediaPlaylist::parse(list.as_bytes(), &Url::parse("https://a.example/l.m3u8").unwrap()).unwrap();
        let view = of_playlist(&report(), &playlist, 4000);
        assert_eq!((view.container.as_str(), view.bytes, view.duration), ("hls", 10_000, 10.0));
        assert_eq!((view.keyframes.as_slice(), view.keyframes_total), ([0.0, 4.0, 8.0].as_slice(), 3));
        assert!(!view.playable);
    }
}
