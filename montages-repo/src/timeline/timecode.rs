//! Frame rates and timecodes (SMPTE ST 12-1). Pure.
//!
//! Promises: one frame, one timecode, in their order. At 29.97 and 59.94 frames a second timecodes are drop-frame: they leave out
//! numbers, never frames (2 resp. 4 at the start of every minute but each tenth), so that they keep pace with the clock. At
//! all other rates they count on, 24 to the second at 23.976.

/// Where records begin: one hour, as editing programs expect it.
const RECORD_START_HOURS: u64 = 1;

/// Frames in a second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    num: u32,
    den: u32,
}

impl Rate {
    /// Reads `30000/1001`; from 1 frame a second on.
    pub fn parse(text: &str) -> Option<Self> {
        let (num, den) = text.split_once('/')?;
        let (num, den) = (num.parse().ok()?, den.parse().ok()?);
        (den > 0 && num >= den).then_some(Self { num, den })
    }

    /// Frames in a second.
    pub fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// The frame that begins nearest to a second; 0 for what lies before the first.
    pub fn frames(self, seconds: f64) -> u64 {
        // Saturates; below 2^53, where doubles count single frames, for any media.
        (seconds * self.fps()).round() as u64
    }

    /// How many numbers timecodes have for a second.
    fn base(self) -> u64 {
        (u64::from(self.num) + u64::from(self.den) / 2) / u64::from(self.den)
    }

    /// How many numbers are left out at the start of a minute; 0 where timecodes are not drop-frame.
    fn dropped(self) -> u64 {
        match (self.num, self.den) {
            (30_000, 1001) => 2,
            (60_000, 1001) => 4,
            _ => 0,
        }
    }

    /// Whether timecodes leave out numbers.
    pub fn is_drop_frame(self) -> bool {
        self.dropped() > 0
    }

    /// Whether the numbers of a second have two digits, as timecodes do.
    pub fn has_timecode(self) -> bool {
        self.base() <= 100
    }

    /// Frames in ten minutes, the shortest time after which the dropping of numbers repeats.
    fn in_ten_minutes(self) -> u64 {
        self.base() * 600 - self.dropped() * 9
    }

    /// The frame at which records begin: that of 01:00:00:00.
    pub fn record_start(self) -> u64 {
        self.in_ten_minutes() * 6 * RECORD_START_HOURS
    }

    /// The timecode of a frame, with `;` before the frames where it is drop-frame. Hours go on behind 23.
    pub fn timecode(self, frame: u64) -> String {
        let (base, dropped) = (self.base(), self.dropped());
        let (tens, rest) = (frame / self.in_ten_minutes(), frame % self.in_ten_minutes());
        // The first of ten minutes has all its numbers.
        let minutes = rest.saturating_sub(dropped) / (base * 60 - dropped);
        let number = frame + tens * dropped * 9 + minutes * dropped;
        let (seconds, frames) = (number / base, number % base);
        let sign = if self.is_drop_frame() { ';' } else { ':' };
        format!("{:02}:{:02}:{:02}{sign}{frames:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.den {
            1 => write!(formatter, "{}", self.num),
            den => write!(formatter, "{}/{den}", self.num),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    #[test]
    fn timecodes_are_those_of_the_standard() {
        for (text, frame, timecode) in [
            ("30/1", 0, "00:00:00:00"),
            ("30/1", 1800, "00:01:00:00"),
            ("25/1", 90_024, "01:00:00:24"),
            ("24000/1001", 86_400, "01:00:00:00"),
            ("60/1", 59, "00:00:00:59"),
            ("30000/1001", 1799, "00:00:59;29"),
            ("30000/1001", 1800, "00:01:00;02"),
            ("30000/1001", 17_981, "00:09:59;29"),
            ("30000/1001", 17_982, "00:10:00;00"),
            ("30000/1001", 19_782, "00:11:00;02"),
            ("30000/1001", 107_892, "01:00:00;00"),
            ("60000/1001", 3600, "00:01:00;04"),
            ("60000/1001", 215_784, "01:00:00;00"),
            ("30/1", 30 * 3600 * 26, "26:00:00:00"),
        ] {
            assert_eq!(rate(text).timecode(frame), timecode, "{text} {frame}");
        }
        for text in ["24/1", "24000/1001", "25/1", "30/1", "30000/1001", "50/1", "60/1", "60000/1001"] {
            let rate = rate(text);
            assert!(rate.has_timecode());
            assert!(rate.timecode(rate.record_start()).starts_with("01:00:00"), "{text}");
        }
        assert!(!rate("120/1").has_timecode() && rate("100/1").has_timecode());
    }

    #[test]
    fn drop_frame_keeps_pace_with_the_clock() {
        for text in ["30000/1001", "60000/1001"] {
            let day = rate(text).frames(86_400.0);
            let timecode = rate(text).timecode(day);
            assert!(timecode.starts_with("24:00:00;0"), "{text}: {timecode}");
        }
    }

    proptest! {
        #[test]
        fn every_frame_has_a_timecode_of_its_own(
            text in prop_oneof![Just("30000/1001"), Just("60000/1001"), Just("24/1"), Just("25/1"), Just("12345/1000")],
            frame in 0_u64..5_000_000,
        ) {
            let rate = rate(text);
            let (one, next) = (rate.timecode(frame), rate.timecode(frame + 1));
            prop_assert!(one < next, "{} {}", one, next);
            if rate.is_drop_frame() {
                let left_out = (one.as_bytes()[4] != b'0') && one[6..].starts_with("00;0");
                let digit = u64::from(one.as_bytes()[10] - b'0');
                prop_assert!(!left_out || digit >= rate.dropped(), "{}", one);
            }
        }
    }
}
