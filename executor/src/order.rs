//! From what a person asked for to what a render worker is asked for. Pure.

use std::sync::Arc;

use contracts::{
    replay::VideoPreset,
    spec::{CanvasCodec, Cut, CutMode, Highlight, MontageSpec, ReplaySpec, Rgb, TitleShow, TransitionKind},
    time::MediaTime,
    transcript::Engine,
};
use cutter::{
    order::{
        self, AudioOptions, CanvasOptions, ClipOrder, EncoderSettings, Extent, MediaLimits, Moment, Order,
        Overlay, Preset, ReplayOrder, SourceInfo,
    },
    plan::VideoCodec,
};

use crate::{
    failure::Failed,
    sources::{OpenSource, Placed, Sources, TO_THE_END, moments},
};

/// The order for a montage whose sources are open and whose clips are these.
///
/// # Errors
/// A canvas that cannot be made.
pub fn order(
    title: &str,
    spec: &MontageSpec,
    clips: &[Placed],
    sources: &Sources,
    threads: u32,
) -> Result<Order, Failed> {
    let frame_rate = match &spec.canvas.frame_rate {
        None => None,
        Some(text) => Some(text.parse().map_err(|error: cutter::time::BadFrameRate| {
            Failed::permanent("invalid_canvas", error.to_string()).at("/spec/canvas/frame_rate")
        })?),
    };
    let moments = moments(spec);
    let mut before = None;
    let clips = clips.iter().filter_map(|placed| {
        let highlight = moments.get(placed.highlight)?;
        // Parts of one highlight in two sources are one clip for whoever sees it.
        let continues = before.replace(placed.highlight) == Some(placed.highlight);
        let bookend = placed.highlight >= spec.highlights.len();
        Some(ClipOrder {
            source: u32::try_from(placed.part.source).ok()?,
            start: moment(placed.part.start),
            extent: match placed.part.duration {
                TO_THE_END => Extent::Rest,
                duration => Extent::Duration(moment(duration)),
            },
            title: Some(chapter(highlight, placed.highlight)),
            cut: Some(cut(spec.cut_of(highlight))),
            overlay: if continues || bookend { None } else { overlay(spec, highlight) },
            continues,
            shift_ticks: 0,
        })
    });
    Ok(Order {
        clips: clips.collect(),
        cut: cut(spec.cut),
        transition: transition(spec),
        canvas: CanvasOptions {
            codec: match spec.canvas.codec {
                CanvasCodec::Auto => None,
                CanvasCodec::H264 => Some(VideoCodec::H264),
                CanvasCodec::Hevc => Some(VideoCodec::Hevc),
            },
            width: spec.canvas.width,
            height: spec.canvas.height,
            frame_rate,
        },
        audio: AudioOptions { loudness_lufs: spec.audio.loudness_lufs, speech: true },
        limits: MediaLimits { threads, ..MediaLimits::default() },
        ..without_clips(title, &sources.readers())
    })
}

/// An order that shows nothing of its sources yet.
#[must_use]
pub fn without_clips(title: &str, sources: &[Arc<OpenSource>]) -> Order {
    let info =
        |source: &Arc<OpenSource>| SourceInfo { bytes: source.bytes(), identity: source.fingerprint() };
    Order {
        title: title.to_owned(),
        sources: sources.iter().map(info).collect(),
        clips: Vec::new(),
        cut: order::Cut::default(),
        transition: order::Transition::default(),
        canvas: CanvasOptions::default(),
        audio: AudioOptions::default(),
        limits: MediaLimits::default(),
        encoder: EncoderSettings::default(),
    }
}

/// The order for a replay whose files are open, in the order of [`ReplaySpec::files`].
#[must_use]
pub fn of_replay(
    title: &str,
    spec: &ReplaySpec,
    files: &[Arc<OpenSource>],
    threads: u32,
) -> (Order, ReplayOrder) {
    let video = &spec.options.video;
    let order = Order {
        limits: MediaLimits { threads, ..MediaLimits::default() },
        encoder: EncoderSettings {
            preset: preset(video.preset),
            crf: video.crf,
            audio_bit_rate: 192_000,
            drawn: true,
            ..EncoderSettings::default()
        },
        ..without_clips(title, files)
    };
    let mut more = 2..;
    let replay = ReplayOrder {
        replay: 0,
        map: 1,
        audio: spec.audio.as_ref().and_then(|_| more.next()),
        skin: spec.skin.as_ref().and_then(|_| more.next()),
        options: spec.options.clone(),
    };
    (order, replay)
}

fn preset(preset: VideoPreset) -> Preset {
    match preset {
        VideoPreset::Ultrafast => Preset::Ultrafast,
        VideoPreset::Superfast => Preset::Superfast,
        VideoPreset::Veryfast => Preset::Veryfast,
        VideoPreset::Faster => Preset::Faster,
        VideoPreset::Fast => Preset::Fast,
        VideoPreset::Medium => Preset::Medium,
    }
}

/// Whether a transcript is wanted.
#[must_use]
pub fn transcribes(spec: &MontageSpec) -> bool {
    spec.transcribe.engine != Engine::None
}

/// The montage's length, where no clip's is given in frames of its source or by the source's end.
#[must_use]
pub fn seconds(spec: &MontageSpec) -> Option<f64> {
    let lengths = moments(spec).into_iter();
    lengths.map(|moment| Some(moment.duration).filter(|duration| *duration != TO_THE_END)?.seconds()).sum()
}

/// A highlight's chapter: its title, or else who is seen, or else its number.
#[must_use]
pub fn chapter(highlight: &Highlight, index: usize) -> String {
    let named = highlight.title.as_ref().or(highlight.streamer.as_ref());
    named.cloned().unwrap_or_else(|| format!("Highlight {}", index + 1))
}

fn moment(time: MediaTime) -> Moment {
    match time {
        MediaTime::Ticks(ticks) => Moment::Ticks(ticks),
        MediaTime::Frames(frames) => Moment::Frames(frames),
    }
}

fn cut(cut: Cut) -> order::Cut {
    order::Cut {
        mode: match cut.mode {
            CutMode::Exact => order::CutMode::Exact,
            CutMode::Snap => order::CutMode::Snap,
            CutMode::Copy => order::CutMode::Copy,
            CutMode::Auto => order::CutMode::Auto,
        },
        tolerance_ticks: cut.tolerance_ticks(),
    }
}

fn transition(spec: &MontageSpec) -> order::Transition {
    let transition = spec.transition;
    let Rgb { red, green, blue } = transition.colour.unwrap_or(Rgb::WHITE);
    order::Transition {
        kind: match transition.kind {
            TransitionKind::None => order::TransitionKind::None,
            TransitionKind::Fade => order::TransitionKind::Fade,
            TransitionKind::Dip => order::TransitionKind::Dip,
            TransitionKind::Dissolve => order::TransitionKind::Dissolve,
        },
        ticks: transition.duration_ticks(),
        colour: [red, green, blue],
    }
}

/// What is written over a highlight's first seconds; nothing where it has none of what is to be shown.
fn overlay(spec: &MontageSpec, highlight: &Highlight) -> Option<Overlay> {
    let (title, streamer) = (highlight.title.clone(), highlight.streamer.clone());
    let (text, subtitle) = match spec.titles.show {
        TitleShow::None => return None,
        TitleShow::Title => (title?, None),
        TitleShow::Streamer => (streamer?, None),
        TitleShow::Both => match (title, streamer) {
            (Some(title), streamer) => (title, streamer),
            (None, streamer) => (streamer?, None),
        },
    };
    Some(Overlay { text, subtitle, ticks: spec.titles.ticks() })
}
