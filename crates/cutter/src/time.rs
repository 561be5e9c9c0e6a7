//! The integer timeline: ticks, frame rates and the exact conversions between frames, ticks and samples.
//!
//! Everything in this crate that is a moment or a length is a whole number of ticks, frames or samples; floating
//! point never decides which frame is shown. All functions are pure. The only failure is text that is not a frame
//! rate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Ticks in one second. Divisible by 24, 25, 30, 50, 60, 90, 120 and their 1000/1001 relatives, and by 44 100 Hz
/// and 48 000 Hz, so that the usual frames and samples start on whole ticks.
pub const TICKS_PER_SECOND: i64 = 705_600_000;

/// Two source times nearer than this are the same moment: 1.25 ms. Matroska rounds each timestamp to a
/// millisecond (so that the first frame and the wanted one may be off by half a millisecond each), and people
/// write times with milliseconds.
pub const TIME_TOLERANCE_TICKS: i64 = TICKS_PER_SECOND / 800;

/// The sample rate of every montage, in hertz.
pub const SAMPLE_RATE: u32 = 48_000;

/// Frame rates that cameras and encoders mean when a measured rate is close to one of them.
const USUAL_RATES: [(u32, u32); 13] = [
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (15, 1),
    (10, 1),
    (12, 1),
    (120, 1),
];

/// Frames per second as an exact fraction in lowest terms.
///
/// Written `30`, `30000/1001` or `29.97`; in JSON it is that text. Decimal forms of the NTSC rates (`23.976`,
/// `29.97`, `59.94`, and longer spellings) mean the exact 1000/1001 fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameRate {
    num: u32,
    den: u32,
}

/// Text or numbers that are not a frame rate this crate works with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a frame rate: write 30, 29.97 or 30000/1001, between 1 and 240 frames per second")]
pub struct BadFrameRate(pub String);

impl FrameRate {
    /// Makes a rate of `num / den` frames per second.
    ///
    /// # Errors
    /// When the rate is not between 1 and 240, or its lowest terms do not fit an MP4 time scale.
    pub fn new(num: u32, den: u32) -> Result<Self, BadFrameRate> {
        let bad = || BadFrameRate(format!("{num}/{den}"));
        if num == 0 || den == 0 {
            return Err(bad());
        }
        let divisor = gcd(u64::from(num), u64::from(den)) as u32;
        let (n, d) = (num / divisor, den / divisor);
        if n < d || u64::from(n) > 240 * u64::from(d) || n > 10_000_000 {
            return Err(bad());
        }
        Ok(Self { num: n, den: d })
    }

    /// The usual rate within 0.04 % of `num / den`, or that fraction itself.
    ///
    /// # Errors
    /// As [`FrameRate::new`].
    pub fn nearest(num: u64, den: u64) -> Result<Self, BadFrameRate> {
        if let Some(rate) = Self::usual(num, den) {
            return Ok(rate);
        }
        // Measured averages can have huge terms: three decimals are plenty for what is not a usual rate.
        let bad = || BadFrameRate(format!("{num}/{den}"));
        if den == 0 {
            return Err(bad());
        }
        let milli = (u128::from(num) * 1000 + u128::from(den) / 2) / u128::from(den);
        Self::new(u32::try_from(milli).map_err(|_| bad())?, 1000)
    }

    /// The usual rate within 0.04 % of `num / den`, if there is one (29.97 and 30 are 0.1 % apart).
    pub fn usual(num: u64, den: u64) -> Option<Self> {
        USUAL_RATES
            .iter()
            .find(|(n, d)| {
                let ours = u128::from(num) * u128::from(*d);
                let theirs = u128::from(*n) * u128::from(den);
                ours.abs_diff(theirs) * 2500 <= theirs && den != 0
            })
            .map(|&(num, den)| Self { num, den })
    }

    /// The numerator in lowest terms.
    pub fn num(self) -> u32 {
        self.num
    }

    /// The denominator in lowest terms.
    pub fn den(self) -> u32 {
        self.den
    }

    /// The time scale of a file of this rate, and how long a frame lasts in it: a multiple of the lowest terms with at
    /// least 10,000 units in a second. A browser rounds the moment that it seeks to the file's own units, so in coarse
    /// ones it lands behind the frame that it was asked for.
    pub fn file_units(self) -> (u32, u32) {
        let times = 10_000_u32.div_ceil(self.num.max(1));
        // In lowest terms the numerator is the larger one: what fits there fits here.
        match (self.num.checked_mul(times), self.den.checked_mul(times)) {
            (Some(scale), Some(frame)) => (scale, frame),
            _ => (self.num, self.den),
        }
    }

    /// Whether this rate is faster than `other`.
    pub fn is_faster_than(self, other: Self) -> bool {
        u64::from(self.num) * u64::from(other.den) > u64::from(other.num) * u64::from(self.den)
    }

    /// The tick at which frame number `frame` starts, to the nearest tick.
    pub fn frame_to_ticks(self, frame: u64) -> i64 {
        let exact = u128::from(frame) * TICKS_PER_SECOND as u128 * u128::from(self.den);
        saturate((exact + u128::from(self.num) / 2) / u128::from(self.num))
    }

    /// How many frames `ticks` last, to the nearest whole frame.
    pub fn ticks_to_frames(self, ticks: i64) -> u64 {
        let unit = TICKS_PER_SECOND as u128 * u128::from(self.den);
        let exact = ticks.max(0) as u128 * u128::from(self.num);
        u64::try_from((exact + unit / 2) / unit).unwrap_or(u64::MAX)
    }

    /// How many audio samples (48 kHz) belong before frame number `frame`. Differences of this function give each
    /// clip's sample count, so that sound and picture cannot drift apart however many clips there are.
    pub fn samples_before(self, frame: u64) -> u64 {
        let exact = u128::from(frame) * u128::from(SAMPLE_RATE) * u128::from(self.den) / u128::from(self.num);
        u64::try_from(exact).unwrap_or(u64::MAX)
    }
}

/// The tick at which sample number `sample` (48 kHz) starts; exact.
pub fn samples_to_ticks(sample: u64) -> i64 {
    saturate(u128::from(sample) * (TICKS_PER_SECOND / i64::from(SAMPLE_RATE)) as u128)
}

/// Ticks as seconds with milliseconds, for messages to people.
pub fn ticks_to_text(ticks: i64) -> String {
    let milli = (i128::from(ticks) * 1000 + i128::from(TICKS_PER_SECOND) / 2) / i128::from(TICKS_PER_SECOND);
    format!("{}.{:03} s", milli / 1000, milli % 1000)
}

/// A time of `value` units of `num / den` seconds in ticks, to the nearest tick.
pub fn rescale_to_ticks(value: i64, num: i32, den: i32) -> i64 {
    if den == 0 {
        return 0;
    }
    let exact = i128::from(value) * i128::from(num) * i128::from(TICKS_PER_SECOND);
    round_div(exact, i128::from(den))
}

/// `ticks` in units of `num / den` seconds, to the nearest unit.
pub fn rescale_from_ticks(ticks: i64, num: i32, den: i32) -> i64 {
    if num == 0 {
        return 0;
    }
    round_div(i128::from(ticks) * i128::from(den), i128::from(num) * i128::from(TICKS_PER_SECOND))
}

fn round_div(value: i128, by: i128) -> i64 {
    let rounded = (value + by / 2).div_euclid(by);
    rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

fn saturate(value: u128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Greatest common divisor.
pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den == 1 { write!(f, "{}", self.num) } else { write!(f, "{}/{}", self.num, self.den) }
    }
}

impl FromStr for FrameRate {
    type Err = BadFrameRate;

    fn from_str(text: &str) -> Result<Self, BadFrameRate> {
        let bad = || BadFrameRate(text.chars().take(40).collect());
        let whole = |part: &str| part.trim().parse::<u32>().map_err(|_| bad());
        if let Some((num, den)) = text.split_once('/') {
            return Self::new(whole(num)?, whole(den)?).map_err(|_| bad());
        }
        let Some((seconds, decimals)) = text.trim().split_once('.') else {
            return Self::new(whole(text)?, 1).map_err(|_| bad());
        };
        if decimals.is_empty() || decimals.len() > 6 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let scale = 10_u32.pow(decimals.len() as u32);
        let num = u64::from(whole(seconds)?) * u64::from(scale) + u64::from(whole(decimals)?);
        // 29.97 and its longer spellings mean 30000/1001, not 2997/100.
        if let Some(rate) = Self::usual(num, u64::from(scale)) {
            return Ok(rate);
        }
        Self::new(u32::try_from(num).map_err(|_| bad())?, scale).map_err(|_| bad())
    }
}

impl TryFrom<String> for FrameRate {
    type Error = BadFrameRate;

    fn try_from(text: String) -> Result<Self, BadFrameRate> {
        text.parse()
    }
}

impl From<FrameRate> for String {
    fn from(rate: FrameRate) -> Self {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> FrameRate {
        text.parse().unwrap()
    }

    #[test]
    fn units_of_a_file_are_fine_and_whole() {
        for (text, units) in [("30", (10_020, 334)), ("29.97", (30_000, 1001)), ("1", (10_000, 10_000))] {
            assert_eq!(rate(text).file_units(), units);
        }
    }

    #[test]
    fn spellings_of_rates() {
        assert_eq!(rate("29.97"), rate("30000/1001"));
        assert_eq!(rate("23.976"), rate("24000/1001"));
        assert_eq!(rate("59.940060"), rate("60000/1001"));
        assert_eq!(rate("60/2"), rate("30"));
        assert_eq!(rate("12.5").to_string(), "25/2");
        assert_ne!(rate("30"), rate("29.97"));
        for bad in
            ["", "0", "-30", "30/0", "0/1", "1e3", "29.", ".5", "241", "0.5", "4294967295/1", "29.9700001"]
        {
            assert!(bad.parse::<FrameRate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn usual_rates_start_on_whole_ticks_and_samples() {
        for (num, den) in USUAL_RATES {
            assert_eq!(TICKS_PER_SECOND * i64::from(den) % i64::from(num), 0, "{num}/{den}");
        }
        assert_eq!(TICKS_PER_SECOND % 44_100, 0);
        assert_eq!(rate("30").samples_before(30), 48_000);
        assert_eq!(rate("29.97").samples_before(30_000), 1001 * 48_000);
    }

    #[test]
    fn measured_rates_snap() {
        assert_eq!(FrameRate::nearest(2_997_100, 100_000).unwrap(), rate("29.97"));
        assert_eq!(FrameRate::nearest(25_620, 1000).unwrap(), rate("25.62"));
    }

    proptest! {
        #[test]
        fn frames_survive_the_way_to_ticks_and_back(num in 1_u32..240_000, den in 1_u32..1002, frame in 0_u64..100_000_000) {
            if let Ok(rate) = FrameRate::new(num, den) {
                prop_assert_eq!(rate.ticks_to_frames(rate.frame_to_ticks(frame)), frame);
            }
        }

        #[test]
        fn samples_follow_ticks(num in 1_u32..240_000, den in 1_u32..1002, frame in 0_u64..10_000_000) {
            if let Ok(rate) = FrameRate::new(num, den) {
                let apart = samples_to_ticks(rate.samples_before(frame)) - rate.frame_to_ticks(frame);
                prop_assert!(apart.abs() <= TICKS_PER_SECOND / 48_000 + 1);
            }
        }

        #[test]
        fn rescaling_is_within_half_a_unit(value in -1_000_000_000_i64..1_000_000_000, den in 1_i32..200_000) {
            let back = rescale_from_ticks(rescale_to_ticks(value, 1, den), 1, den);
            prop_assert_eq!(back, value);
        }
    }
}
