//! From timecodes and counts of frames to exact ticks (SMPTE ST 12-1). Pure.
//!
//! Drop-frame timecode leaves out the first two numbers of every minute but each tenth (four at 59.94), so that it keeps pace with the clock
//! at 1000/1001 rates; no frame is left out, only numbers are. A number that is left out is a mistake.

use contracts::time::TICKS_PER_SECOND;

use crate::source::rate::FrameRate;

/// How many numbers a second of timecode has.
fn base(rate: FrameRate) -> u64 {
    (u64::from(rate.frames) + u64::from(rate.seconds) / 2) / u64::from(rate.seconds)
}

/// Whether timecode of this rate can leave out numbers.
fn can_drop(rate: FrameRate) -> bool {
    rate.seconds == 1001 && rate.frames.is_multiple_of(30_000)
}

/// Whether a text looks like a timecode.
#[must_use]
pub fn is_timecode(text: &str) -> bool {
    split(text).is_some()
}

/// Hours, minutes, seconds and frames, and whether the signs say that numbers are left out.
fn split(text: &str) -> Option<([u64; 4], bool)> {
    let mut parts = text.split([':', ';', '.', ',']);
    let mut numbers = [0; 4];
    for number in &mut numbers {
        let part = parts.next().filter(|part| (1..=3).contains(&part.len()))?;
        *number = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    let drops = text.contains([';', '.', ',']);
    (parts.next().is_none()).then_some((numbers, drops))
}

/// The number of the frame that a timecode names, from 0.
///
/// # Errors
/// A sentence that says why there is no such frame.
pub fn frame(text: &str, rate: FrameRate, drops: bool) -> Result<u64, String> {
    let ([hours, minutes, seconds, frames], by_sign) =
        split(text).ok_or_else(|| format!("{text} is not a timecode like 01:02:03:04"))?;
    let base = base(rate);
    if minutes > 59 || seconds > 59 {
        return Err(format!("{text} is not a timecode: minutes and seconds go up to 59"));
    }
    if frames >= base {
        return Err(format!(
            "{text}: a second has no frame {frames} at this frame rate; check the source's `frame_rate`"
        ));
    }
    let all_minutes = hours * 60 + minutes;
    let number = (all_minutes * 60 + seconds) * base + frames;
    if !drops && !by_sign {
        return Ok(number);
    }
    if !can_drop(rate) {
        return Err(format!(
            "{text} is drop-frame, which exists at 29.97 and 59.94 frames a second; check the source's `frame_rate`"
        ));
    }
    let left_out = base / 15;
    if seconds == 0 && frames < left_out && minutes % 10 != 0 {
        return Err(format!("{text}: drop-frame timecode leaves out frame {frames} of this minute"));
    }
    Ok(number - left_out * (all_minutes - all_minutes / 10))
}

/// When a frame begins, in ticks, nearest where the rate does not divide them.
#[must_use]
pub fn ticks(frame: u64, rate: FrameRate) -> i64 {
    scaled(i128::from(frame), i128::from(rate.seconds), i128::from(rate.frames))
}

/// `value × seconds / frames` seconds in ticks. Saturates.
#[must_use]
pub fn scaled(value: i128, seconds: i128, frames: i128) -> i64 {
    let over = value * seconds * i128::from(TICKS_PER_SECOND);
    let ticks = (over + frames / 2).div_euclid(frames);
    i64::try_from(ticks).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(text: &str) -> FrameRate {
        FrameRate::parse(text).unwrap()
    }

    #[test]
    fn frames_are_counted_as_the_standard_counts_them() {
        for (text, of, number) in [
            ("00:00:01:00", "25", 25),
            ("01:00:00:00", "29.97", 108_000),
            ("01:00:00:00", "23.976", 86_400),
            ("00:00:00:59", "60", 59),
            ("00:00:59;29", "29.97", 1799),
            ("00:01:00;02", "29.97", 1800),
            ("00:10:00;00", "29.97", 17_982),
            ("01;00;00;00", "29.97", 107_892),
            ("00:01:00;04", "59.94", 3600),
            ("01:00:00.00", "60000/1001", 215_784),
        ] {
            assert_eq!(frame(text, rate(of), false), Ok(number), "{text} at {of}");
        }
        assert_eq!(
            frame("00:01:00:02", rate("29.97"), true),
            Ok(1800),
            "the list says that numbers are left out"
        );
    }

    #[test]
    fn what_no_frame_has_is_refused() {
        for (text, of) in [
            ("00:01:00;00", "29.97"),
            ("00:01:00;03", "59.94"),
            ("00:00:00:30", "30"),
            ("00:00:00;10", "25"),
            ("00:60:00:00", "25"),
            ("00:00:60:00", "25"),
            ("1:2:3", "25"),
            ("", "25"),
            ("a:00:00:00", "25"),
            ("00:00:00:00:00", "25"),
            ("1111:00:00:00", "25"),
        ] {
            assert!(frame(text, rate(of), false).is_err(), "{text} at {of}");
        }
    }

    #[test]
    fn ticks_are_exact_at_every_common_rate() {
        assert_eq!(ticks(1, rate("29.97")), 23_543_520);
        assert_eq!(ticks(30_000, rate("29.97")), 1001 * TICKS_PER_SECOND);
        for of in ["24", "23.976", "25", "50", "59.94", "60", "119.88"] {
            let rate = rate(of);
            assert_eq!(ticks(7, rate), 7 * ticks(1, rate), "{of}");
        }
    }

    proptest! {
        /// Each frame has one number, over every change of a minute.
        #[test]
        fn following_timecodes_are_following_frames(of in prop_oneof![Just("29.97"), Just("59.94")], minute in 0_u64..1430) {
            let rate = rate(of);
            let mut expected = None;
            for second in minute * 60 + 59..minute * 60 + 62 {
                for number in 0..base(rate) {
                    let (hours, minutes, seconds) = (second / 3600, second / 60 % 60, second % 60);
                    let text = format!("{hours:02}:{minutes:02}:{seconds:02};{number:02}");
                    let Ok(counted) = frame(&text, rate, false) else { continue };
                    prop_assert!(expected.is_none_or(|expected| expected == counted), "{}", text);
                    expected = Some(counted + 1);
                }
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,20}|[0-9:;.,]{0,20}", frames in 1_u32..=1_000_000, seconds in 1_u32..=1001) {
            let _ = frame(&text, FrameRate { frames, seconds }, true);
        }
    }
}
