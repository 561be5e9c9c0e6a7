//! Which picture a montage gets, and which sources are unlike it. Pure functions.
//!
//! The canvas that costs the fewest encoded frames wins. Where nothing can be copied, the size and rate that most of
//! the montage already has win, so that as little as possible is scaled.

use crate::error::ProblemKind;
use crate::facts::{Colour, VideoFacts};
use crate::order::{CanvasOptions, MediaLimits};
use crate::plan::{Canvas, Difference, VideoCodec};
use crate::time::FrameRate;

/// Longest side of an elected canvas, in pixels.
const LONG_SIDE: u32 = 3840;
/// Shorter side of an elected canvas at most, in pixels.
const SHORT_SIDE: u32 = 2160;

/// One clip's part in the election.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The picture of its source.
    pub video: &'a VideoFacts,
    /// Its length in ticks.
    pub ticks: i64,
    /// How many of its frames are encoded if the canvas is its own picture; `None` where nothing of it can be copied.
    pub encoded: Option<u64>,
}

/// The canvas for these clips, within what the options say: the one with which the fewest frames are encoded. The
/// candidates are the picture of each source of which something can be copied, and the plain one: H.264, 8 bit, the
/// size and rate with most time among the clips (the earlier one of equals), within 3840 x 2160 and 60 frames a second.
///
/// # Errors
/// [`ProblemKind::InvalidCanvas`] when the sides cannot be encoded.
pub fn elect(
    options: &CanvasOptions,
    clips: &[Candidate<'_>],
    limits: &MediaLimits,
) -> Result<Canvas, ProblemKind> {
    let plain = plain(options, clips, limits)?;
    let own = clips.iter().filter(|clip| clip.encoded.is_some());
    let own = own.filter_map(|clip| Canvas::of(clip.video)).filter(|canvas| allows(options, canvas, limits));
    let mut best = (cost(&plain, clips), plain);
    for canvas in own {
        let cost = cost(&canvas, clips);
        if cost < best.0 {
            best = (cost, canvas);
        }
    }
    Ok(best.1)
}

/// Frames that are encoded with this canvas.
fn cost(canvas: &Canvas, clips: &[Candidate<'_>]) -> u64 {
    let frames = clips.iter().map(|clip| match clip.encoded {
        Some(encoded) if differences(clip.video, canvas).is_empty() => encoded,
        _ => canvas.frame_rate.ticks_to_frames(clip.ticks).max(1),
    });
    frames.fold(0, u64::saturating_add)
}

fn allows(options: &CanvasOptions, canvas: &Canvas, limits: &MediaLimits) -> bool {
    let pixels = u64::from(canvas.width) * u64::from(canvas.height);
    options.codec.is_none_or(|codec| codec == canvas.codec)
        && options.width.is_none_or(|width| width == canvas.width)
        && options.height.is_none_or(|height| height == canvas.height)
        && options.frame_rate.is_none_or(|rate| rate == canvas.frame_rate)
        && canvas.width.min(canvas.height) >= 16
        && canvas.width <= limits.max_width
        && canvas.height <= limits.max_height
        && pixels <= limits.max_pixels
}

/// The size and rate of a clip when everything is encoded.
fn vote(video: &VideoFacts) -> ((u32, u32), FrameRate) {
    let rate = if video.variable_rate { even_rate(video.frame_rate) } else { video.frame_rate };
    (video.display_size(), rate)
}

fn plain(
    options: &CanvasOptions,
    clips: &[Candidate<'_>],
    limits: &MediaLimits,
) -> Result<Canvas, ProblemKind> {
    let sizes = clips.iter().map(|clip| (vote(clip.video).0, clip.ticks));
    let (shown_width, shown_height) = majority(sizes).unwrap_or((1280, 720));
    let rate = match options.frame_rate {
        Some(rate) => rate,
        None => {
            let elected = majority(clips.iter().map(|clip| (vote(clip.video).1, clip.ticks)));
            at_most_sixty(elected.map_or_else(|| FrameRate::new(30, 1), Ok).map_err(bad)?)
        }
    };
    let shape = |side: u32, by: u32, over: u32| {
        even((u64::from(side) * u64::from(by) + u64::from(over) / 2) / u64::from(over.max(1)))
    };
    let (width, height) = match (options.width, options.height) {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, shape(width, shown_height, shown_width)),
        (None, Some(height)) => (shape(height, shown_width, shown_height), height),
        (None, None) => within(shown_width, shown_height),
    };
    let pixels = u64::from(width) * u64::from(height);
    if width > limits.max_width || height > limits.max_height || pixels > limits.max_pixels {
        let reason = format!("{width} x {height} is larger than allowed");
        return Err(ProblemKind::InvalidCanvas { reason });
    }
    if width < 16 || height < 16 {
        let reason = format!("{width} x {height} is too small");
        return Err(ProblemKind::InvalidCanvas { reason });
    }
    Ok(Canvas {
        codec: options.codec.unwrap_or(VideoCodec::H264),
        width,
        height,
        sar_num: 1,
        sar_den: 1,
        frame_rate: rate,
        bit_depth: 8,
        colour: Colour::bt709(),
    })
}

impl Canvas {
    /// The canvas onto which pictures of this source can be copied; `None` where they cannot be.
    pub fn of(video: &VideoFacts) -> Option<Self> {
        let bit_depth = match video.pixel_format.as_str() {
            "yuv420p" | "yuvj420p" => 8,
            "yuv420p10le" => 10,
            _ => return None,
        };
        let (sar_num, sar_den) = video.pixel_shape();
        let canvas = Self {
            codec: VideoCodec::named(&video.codec)?,
            width: video.width,
            height: video.height,
            sar_num,
            sar_den,
            frame_rate: video.frame_rate,
            bit_depth,
            colour: video.colour.clone(),
        };
        (video.width.is_multiple_of(2)
            && video.height.is_multiple_of(2)
            && differences(video, &canvas).is_empty())
        .then_some(canvas)
    }
}

/// Where a source is not like the canvas, so that its pictures have to be encoded. Empty: they can be copied.
pub fn differences(video: &VideoFacts, canvas: &Canvas) -> Vec<Difference> {
    let depth = match canvas.bit_depth {
        10 => video.pixel_format == "yuv420p10le",
        _ => matches!(video.pixel_format.as_str(), "yuv420p" | "yuvj420p"),
    };
    let found = [
        (VideoCodec::named(&video.codec) != Some(canvas.codec), Difference::Codec),
        ((video.width, video.height) != (canvas.width, canvas.height), Difference::Size),
        (video.pixel_shape() != (canvas.sar_num, canvas.sar_den), Difference::PixelShape),
        (video.rotation != 0, Difference::Rotation),
        (video.variable_rate || video.frame_rate != canvas.frame_rate, Difference::FrameRate),
        (!depth, Difference::PixelFormat),
        (!video.colour.agrees_with(&canvas.colour, (video.width, video.height)), Difference::Colour),
        (!video.progressive, Difference::Interlaced),
    ];
    found.into_iter().filter_map(|(differs, what)| differs.then_some(what)).collect()
}

fn bad(error: crate::time::BadFrameRate) -> ProblemKind {
    ProblemKind::InvalidCanvas { reason: error.to_string() }
}

/// The value with the largest sum; of equal sums the one that came first.
fn majority<T: PartialEq + Copy>(votes: impl Iterator<Item = (T, i64)>) -> Option<T> {
    let mut sums: Vec<(T, i64)> = Vec::new();
    for (value, weight) in votes {
        match sums.iter_mut().find(|(known, _)| *known == value) {
            Some((_, sum)) => *sum = sum.saturating_add(weight),
            None => sums.push((value, weight)),
        }
    }
    let best = sums.iter().map(|(_, sum)| *sum).max()?;
    sums.into_iter().find(|(_, sum)| *sum == best).map(|(value, _)| value)
}

/// A rate on which an uneven source is shown well: the slowest usual one that is not slower, 60 at most.
fn even_rate(average: FrameRate) -> FrameRate {
    let mut usual = [24, 25, 30, 50, 60].into_iter().filter_map(|fps| FrameRate::new(fps, 1).ok());
    usual.find(|rate| !average.is_faster_than(*rate)).or(FrameRate::new(60, 1).ok()).unwrap_or(average)
}

/// Every second (fourth, …) frame of what is faster than 60.
fn at_most_sixty(rate: FrameRate) -> FrameRate {
    let mut slower = rate;
    while u64::from(slower.num()) > 60 * u64::from(slower.den()) {
        match FrameRate::new(slower.num(), slower.den() * 2) {
            Ok(half) => slower = half,
            Err(_) => break,
        }
    }
    slower
}

fn within(width: u32, height: u32) -> (u32, u32) {
    let (long, short) = (width.max(height), width.min(height));
    // Compare both ratios as fractions: the stronger reduction wins.
    let (num, den) = if u64::from(LONG_SIDE) * u64::from(short) <= u64::from(SHORT_SIDE) * u64::from(long) {
        (LONG_SIDE, long)
    } else {
        (SHORT_SIDE, short)
    };
    let scale = |side: u32| {
        if num >= den {
            even(u64::from(side))
        } else {
            even(u64::from(side) * u64::from(num) / u64::from(den))
        }
    };
    (scale(width), scale(height))
}

/// The next even number, at least 16: chroma of 4:2:0 has half the picture's sides.
fn even(side: u64) -> u32 {
    (side.div_ceil(2) * 2).clamp(16, u64::from(u32::MAX - 1)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::tests::video;

    /// A source of that size and rate and a clip of so many seconds, of which so many frames would be encoded.
    fn shown(width: u32, height: u32, rate: &str) -> VideoFacts {
        VideoFacts { width, height, frame_rate: rate.parse().unwrap(), ..video() }
    }

    fn clip(video: &VideoFacts, seconds: i64, encoded: Option<u64>) -> Candidate<'_> {
        Candidate { video, ticks: seconds * crate::time::TICKS_PER_SECOND, encoded }
    }

    fn elected(options: CanvasOptions, clips: &[Candidate<'_>]) -> Canvas {
        elect(&options, clips, &MediaLimits::default()).unwrap()
    }

    fn size_and_rate(options: CanvasOptions, clips: &[Candidate<'_>]) -> (u32, u32, String) {
        let canvas = elected(options, clips);
        (canvas.width, canvas.height, canvas.frame_rate.to_string())
    }

    #[test]
    fn without_copying_the_majority_by_time_wins() {
        let (small, slow, hd) = (shown(640, 360, "30"), shown(1280, 720, "25"), shown(1280, 720, "30"));
        let votes = [clip(&small, 5, None), clip(&slow, 4, None), clip(&hd, 3, None)];
        assert_eq!(size_and_rate(CanvasOptions::default(), &votes), (1280, 720, "30".into()));
        let tie = [clip(&small, 5, None), clip(&slow, 5, None)];
        assert_eq!(size_and_rate(CanvasOptions::default(), &tie), (640, 360, "30".into()));
    }

    #[test]
    fn the_fewest_encoded_frames_win() {
        let (small, hd) = (shown(640, 360, "30"), shown(1280, 720, "30"));
        // Of the long clip hardly anything can be copied, of the short one nearly all.
        let clips = [clip(&hd, 10, Some(295)), clip(&small, 4, Some(10))];
        assert_eq!(size_and_rate(CanvasOptions::default(), &clips).0, 640);
        let clips = [clip(&hd, 10, Some(20)), clip(&small, 4, Some(10))];
        assert_eq!(size_and_rate(CanvasOptions::default(), &clips).0, 1280);
        let deep = VideoFacts {
            codec: "hevc".into(),
            pixel_format: "yuv420p10le".into(),
            bit_depth: 10,
            ..hd.clone()
        };
        let clips = [clip(&deep, 10, Some(20)), clip(&hd, 4, Some(10))];
        let canvas = elected(CanvasOptions::default(), &clips);
        assert_eq!((canvas.codec, canvas.bit_depth), (VideoCodec::Hevc, 10));
        let asked = CanvasOptions { codec: Some(VideoCodec::H264), ..CanvasOptions::default() };
        let canvas = elected(asked, &clips);
        assert_eq!((canvas.codec, canvas.bit_depth), (VideoCodec::H264, 8), "as asked");
    }

    #[test]
    fn what_is_unlike_is_named() {
        let plain = video();
        let canvas = Canvas::of(&plain).unwrap();
        assert!(differences(&plain, &canvas).is_empty());
        let unsaid = Colour { primaries: "unknown".into(), ..plain.colour.clone() };
        assert!(differences(&VideoFacts { colour: unsaid, ..plain.clone() }, &canvas).is_empty());
        let other = VideoFacts {
            codec: "vp9".into(),
            sar_num: 4,
            sar_den: 3,
            rotation: 90,
            variable_rate: true,
            progressive: false,
            ..plain
        };
        use Difference::{Codec, FrameRate, Interlaced, PixelShape, Rotation};
        assert_eq!(differences(&other, &canvas), [Codec, PixelShape, Rotation, FrameRate, Interlaced]);
        assert!(Canvas::of(&other).is_none());
    }

    #[test]
    fn options_go_first_and_keep_the_shape() {
        let source = shown(1920, 1080, "29.97");
        let clips = [clip(&source, 5, Some(3))];
        let narrow = CanvasOptions { width: Some(640), ..CanvasOptions::default() };
        assert_eq!(size_and_rate(narrow, &clips), (640, 360, "30000/1001".into()));
        let fixed =
            CanvasOptions { width: Some(320), height: Some(320), frame_rate: "12".parse().ok(), codec: None };
        assert_eq!(size_and_rate(fixed, &clips), (320, 320, "12".into()));
    }

    #[test]
    fn large_and_fast_is_capped_when_it_is_encoded() {
        let size =
            |video: &VideoFacts, encoded| size_and_rate(CanvasOptions::default(), &[clip(video, 1, encoded)]);
        assert_eq!(size(&shown(7680, 4320, "120"), None), (3840, 2160, "60".into()));
        assert_eq!(size(&shown(7680, 4320, "30"), Some(1)), (7680, 4320, "30".into()));
        assert_eq!(size(&shown(1080, 4000, "239.76"), None).1, 3840);
        assert_eq!(size(&shown(568, 321, "25"), None), (568, 322, "25".into()));
    }

    proptest! {
        #[test]
        fn an_elected_canvas_can_be_encoded(width in 2_u32..20_000, height in 2_u32..20_000) {
            let source = shown(width, height, "30");
            if let Ok(canvas) = elect(&CanvasOptions::default(), &[clip(&source, 1, None)], &MediaLimits::default()) {
                prop_assert!(canvas.width % 2 == 0 && canvas.height % 2 == 0);
                prop_assert!(canvas.width.max(canvas.height) <= 3840 && canvas.width.min(canvas.height) <= 2160);
            }
        }
    }
}
