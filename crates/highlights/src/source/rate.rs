//! Frame rates as people write them.

/// Frames in a second, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    /// Frames.
    pub frames: u32,
    /// In so many seconds.
    pub seconds: u32,
}

impl FrameRate {
    /// Reads `25`, `29.97`, `59.94`, `23.976` or `30000/1001`.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let accepted = || "expected frames in a second, like 25, 29.97 or 30000/1001".to_owned();
        let text = text.trim();
        let ntsc =
            [("23.976", 24), ("23.98", 24), ("29.97", 30), ("47.952", 48), ("59.94", 60), ("119.88", 120)];
        if let Some((_, nominal)) = ntsc.iter().find(|(name, _)| *name == text) {
            return Ok(Self { frames: nominal * 1000, seconds: 1001 });
        }
        let (frames, seconds) = text.split_once('/').unwrap_or((text, "1"));
        let whole = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(accepted);
        let rate = Self { frames: whole(frames)?, seconds: whole(seconds)? };
        let per_second = f64::from(rate.frames) / f64::from(rate.seconds);
        if (1.0..=1000.0).contains(&per_second) { Ok(rate) } else { Err(accepted()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let rate = |frames, seconds| Ok(FrameRate { frames, seconds });
        assert_eq!(FrameRate::parse("25"), rate(25, 1));
        assert_eq!(FrameRate::parse("29.97"), rate(30_000, 1001));
        assert_eq!(FrameRate::parse("30000/1001"), rate(30_000, 1001));
        for bad in ["", "0", "-25", "1/0", "25.5", "2000", "a", "1/30"] {
            assert!(FrameRate::parse(bad).is_err(), "{bad}");
        }
    }
}
