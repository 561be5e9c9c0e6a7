//! Which picture a montage gets when its order leaves that open. Pure functions.
//!
//! The size and rate that most of the montage already has win, so that as little as possible is scaled.

use crate::error::ProblemKind;
use crate::facts::VideoFacts;
use crate::order::{CanvasOptions, MediaLimits};
use crate::plan::Canvas;
use crate::time::FrameRate;

/// Longest side of an elected canvas, in pixels.
const LONG_SIDE: u32 = 3840;
/// Shorter side of an elected canvas at most, in pixels.
const SHORT_SIDE: u32 = 2160;

/// One clip's vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weighted {
    /// Shown width in pixels.
    pub width: u32,
    /// Shown height in pixels.
    pub height: u32,
    /// Frames per second.
    pub frame_rate: FrameRate,
    /// Length of the clip in ticks.
    pub ticks: i64,
}

impl Weighted {
    /// The vote of a clip of `ticks` from such a source.
    pub fn of(video: &VideoFacts, ticks: i64) -> Self {
        let (width, height) = video.display_size();
        let frame_rate = if video.variable_rate { even_rate(video.frame_rate) } else { video.frame_rate };
        Self { width, height, frame_rate, ticks }
    }
}

/// The canvas: what the options say, and for the rest the size and rate with most time among the clips (the
/// earlier one of equals), with even sides within 3840 x 2160 and at most 60 frames per second.
///
/// # Errors
/// [`ProblemKind::InvalidCanvas`] when the sides cannot be encoded.
pub fn elect_canvas(
    options: &CanvasOptions,
    clips: &[Weighted],
    limits: &MediaLimits,
) -> Result<Canvas, ProblemKind> {
    let sizes = clips.iter().map(|clip| ((clip.width, clip.height), clip.ticks));
    let (shown_width, shown_height) = majority(sizes).unwrap_or((1280, 720));
    let rate = match options.frame_rate {
        Some(rate) => rate,
        None => {
            let elected = majority(clips.iter().map(|clip| (clip.frame_rate, clip.ticks)));
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
    Ok(Canvas { width, height, frame_rate: rate })
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

    fn vote(width: u32, height: u32, rate: &str, ticks: i64) -> Weighted {
        Weighted { width, height, frame_rate: rate.parse().unwrap(), ticks }
    }

    fn elect(options: CanvasOptions, votes: &[Weighted]) -> (u32, u32, String) {
        let canvas = elect_canvas(&options, votes, &MediaLimits::default()).unwrap();
        (canvas.width, canvas.height, canvas.frame_rate.to_string())
    }

    #[test]
    fn the_majority_by_time_wins() {
        let votes = [vote(640, 360, "30", 5), vote(1280, 720, "25", 4), vote(1280, 720, "30", 3)];
        assert_eq!(elect(CanvasOptions::default(), &votes), (1280, 720, "30".into()));
        let tie = [vote(640, 360, "30", 5), vote(1280, 720, "25", 5)];
        assert_eq!(elect(CanvasOptions::default(), &tie), (640, 360, "30".into()));
    }

    #[test]
    fn options_go_first_and_keep_the_shape() {
        let votes = [vote(1920, 1080, "29.97", 5)];
        let narrow = CanvasOptions { width: Some(640), ..CanvasOptions::default() };
        assert_eq!(elect(narrow, &votes), (640, 360, "30000/1001".into()));
        let fixed = CanvasOptions { width: Some(320), height: Some(320), frame_rate: "12".parse().ok() };
        assert_eq!(elect(fixed, &votes), (320, 320, "12".into()));
    }

    #[test]
    fn large_and_fast_is_capped() {
        assert_eq!(elect(CanvasOptions::default(), &[vote(7680, 4320, "120", 1)]), (3840, 2160, "60".into()));
        assert_eq!(elect(CanvasOptions::default(), &[vote(1080, 4000, "239.76", 1)]).1, 3840);
        assert_eq!(elect(CanvasOptions::default(), &[vote(568, 321, "25", 1)]), (568, 322, "25".into()));
    }

    proptest! {
        #[test]
        fn an_elected_canvas_can_be_encoded(width in 2_u32..20_000, height in 2_u32..20_000) {
            let votes = [vote(width, height, "30", 1)];
            if let Ok(canvas) = elect_canvas(&CanvasOptions::default(), &votes, &MediaLimits::default()) {
                prop_assert!(canvas.width % 2 == 0 && canvas.height % 2 == 0);
                prop_assert!(canvas.width.max(canvas.height) <= 3840 && canvas.width.min(canvas.height) <= 2160);
            }
        }
    }
}
