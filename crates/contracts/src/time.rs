//! Time on media, in integer ticks, and the ways in which people write it.
//!
//! A tick is 1/705,600,000 of a second (the "flick"): every common frame rate, 1000/1001 rates included, and every common
//! sample rate divides it, so that no clip is ever rounded on its way. An `i64` of ticks spans 414 years; up to 147
//! days of it are exact in JSON readers that use doubles.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;

/// Ticks in one second.
pub const TICKS_PER_SECOND: i64 = 705_600_000;

/// The longest time that is accepted: 100 hours, in seconds.
pub const LONGEST_SECONDS: i64 = 360_000;

/// A position or length on a source: in ticks, or in the source's own frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaTime {
    /// In [`TICKS_PER_SECOND`]ths of a second.
    Ticks(i64),
    /// In frames of the source, counted from 0.
    Frames(u64),
}

impl MediaTime {
    /// Reads what a person wrote: seconds as a number, `"25s"`, `"M:SS"`, `"H:MM:SS(.mmm)"`, `"1234f"`, or the form that
    /// we answer (`{"seconds": 12.5, "ticks": 8820000000}` or `{"frames": 1234}`).
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        match value {
            Value::Number(number) => decimal_ticks(&number.to_string()).map(Self::Ticks),
            Value::String(text) => Self::parse(text),
            Value::Object(map) => {
                match (map.get("ticks").and_then(Value::as_i64), map.get("frames").and_then(Value::as_u64)) {
                    (Some(ticks), None) => check_range(ticks).map(Self::Ticks),
                    (None, Some(frames)) => check_frames(frames).map(Self::Frames),
                    _ => Err(ACCEPTED.to_owned()),
                }
            }
            _ => Err(ACCEPTED.to_owned()),
        }
    }

    /// Reads the text forms of [`MediaTime::from_json`].
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(frames) = text.strip_suffix('f') {
            let frames = digits(frames).ok_or_else(|| ACCEPTED.to_owned())?;
            return check_frames(u64::try_from(frames).map_err(|_| ACCEPTED.to_owned())?).map(Self::Frames);
        }
        if let Some(seconds) = text.strip_suffix('s') {
            return decimal_ticks(seconds).map(Self::Ticks);
        }
        let parts: Vec<&str> = text.split(':').collect();
        let (hours, minutes, seconds) = match parts.as_slice() {
            [seconds] => return decimal_ticks(seconds).map(Self::Ticks),
            [minutes, seconds] => ("0", *minutes, *seconds),
            [hours, minutes, seconds] => (*hours, *minutes, *seconds),
            _ => return Err(ACCEPTED.to_owned()),
        };
        let (hours, minutes) = match (digits(hours), digits(minutes)) {
            (Some(hours), Some(minutes)) if parts.len() == 2 || minutes < 60 => (hours, minutes),
            _ => return Err(ACCEPTED.to_owned()),
        };
        let whole = seconds.split('.').next().unwrap_or_default();
        if whole.len() != 2 || digits(whole).is_none_or(|whole| whole >= 60) {
            return Err("seconds after a colon have two digits below 60, like 1:05 or 1:02:03.500".to_owned());
        }
        let base = hours
            .checked_mul(3600)
            .and_then(|total| total.checked_add(minutes.checked_mul(60)?))
            .filter(|total| *total <= LONGEST_SECONDS)
            .ok_or_else(too_long)?;
        check_range(base * TICKS_PER_SECOND + decimal_ticks(seconds)?).map(Self::Ticks)
    }

    /// The time in seconds, where it is known without the source's frame rate.
    #[must_use]
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::Ticks(ticks) => Some(ticks_to_seconds(ticks)),
            Self::Frames(_) => None,
        }
    }

    /// The time in ticks, where it is known without the source's frame rate.
    #[must_use]
    pub fn ticks(self) -> Option<i64> {
        match self {
            Self::Ticks(ticks) => Some(ticks),
            Self::Frames(_) => None,
        }
    }

    /// Whether this is no time at all.
    #[must_use]
    pub fn is_zero(self) -> bool {
        matches!(self, Self::Ticks(0) | Self::Frames(0))
    }
}

/// Ticks as seconds, for people: never for arithmetic.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn ticks_to_seconds(ticks: i64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND as f64
}

const ACCEPTED: &str =
    "expected a time: seconds (12.5 or \"25s\"), \"M:SS\", \"H:MM:SS.mmm\", or frames (\"1234f\")";

fn too_long() -> String {
    format!("times reach up to {} hours", LONGEST_SECONDS / 3600)
}

fn check_range(ticks: i64) -> Result<i64, String> {
    if ticks < 0 {
        return Err("times are not negative".to_owned());
    }
    if ticks > LONGEST_SECONDS * TICKS_PER_SECOND {
        return Err(too_long());
    }
    Ok(ticks)
}

fn check_frames(frames: u64) -> Result<u64, String> {
    // 1000 frames a second over the longest time.
    if frames > LONGEST_SECONDS.unsigned_abs() * 1000 { Err(too_long()) } else { Ok(frames) }
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Decimal seconds to ticks without passing through a float, so that `0.1` is exactly a tenth.
fn decimal_ticks(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err("times are not negative".to_owned());
    }
    if text.contains(['e', 'E']) {
        // serde_json prints very small or very large floats so; none of them is a useful time but zero.
        let seconds: f64 = text.parse().map_err(|_| ACCEPTED.to_owned())?;
        return if seconds.abs() < 1e-6 { Ok(0) } else { Err(too_long()) };
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = if whole.is_empty() && !fraction.is_empty() { Some(0) } else { digits(whole) };
    let whole = whole.ok_or_else(|| ACCEPTED.to_owned())?;
    if whole > LONGEST_SECONDS {
        return Err(too_long());
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || (fraction.is_empty() && text.ends_with('.')) {
        return Err(ACCEPTED.to_owned());
    }
    // Twelve digits are finer than a tick; the rest cannot matter.
    let fraction: String = fraction.chars().chain("000000000000".chars()).take(12).collect();
    let fraction: i128 = fraction.parse().map_err(|_| ACCEPTED.to_owned())?;
    let ticks = (fraction * i128::from(TICKS_PER_SECOND) + 500_000_000_000) / 1_000_000_000_000;
    check_range(whole * TICKS_PER_SECOND + i64::try_from(ticks).map_err(|_| too_long())?)
}

impl Serialize for MediaTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ticks(ticks) => {
                let mut object = serializer.serialize_struct("MediaTime", 2)?;
                object.serialize_field("seconds", &ticks_to_seconds(*ticks))?;
                object.serialize_field("ticks", ticks)?;
                object.end()
            }
            Self::Frames(frames) => {
                let mut object = serializer.serialize_struct("MediaTime", 1)?;
                object.serialize_field("frames", frames)?;
                object.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for MediaTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for MediaTime {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
        OneOfBuilder::new()
            .description(Some(
                "A time on a source. Accepted: seconds as a number, `25s`, `M:SS`, `H:MM:SS.mmm`, or frames of the source as `1234f`. \
                 Answered: an object of `seconds` and `ticks` (705,600,000 a second), or of `frames`.",
            ))
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(
                ObjectBuilder::new()
                    .schema_type(Type::Object)
                    .property("seconds", ObjectBuilder::new().schema_type(Type::Number))
                    .property("ticks", ObjectBuilder::new().schema_type(Type::Integer))
                    .property("frames", ObjectBuilder::new().schema_type(Type::Integer)),
            )
            .into()
    }
}

impl utoipa::ToSchema for MediaTime {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ticks(milliseconds: i64) -> Result<MediaTime, String> {
        Ok(MediaTime::Ticks(milliseconds * TICKS_PER_SECOND / 1000))
    }

    #[test]
    fn every_written_form_is_read() {
        for (text, milliseconds) in [
            ("25s", 25_000),
            ("0.5s", 500),
            ("12.5", 12_500),
            ("1:05", 65_000),
            ("90:00", 5_400_000),
            ("1:02:03.500", 3_723_500),
            ("0:10", 10_000),
            ("00:00:00", 0),
        ] {
            assert_eq!(MediaTime::parse(text), ticks(milliseconds), "{text}");
        }
        assert_eq!(MediaTime::from_json(&json!(12.0)), ticks(12_000));
        assert_eq!(MediaTime::from_json(&json!(0.1)), ticks(100));
        assert_eq!(MediaTime::parse("1234f"), Ok(MediaTime::Frames(1234)));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "x",
            "-1",
            "1:5",
            "1:60",
            "1:61:00",
            "1:2:3:4",
            "12f5",
            "f",
            "1.",
            "1.2.3",
            "400000s",
            "99999999999999999999:00",
        ] {
            assert!(MediaTime::parse(text).is_err(), "{text}");
        }
        for value in [json!(null), json!(-1), json!(1e300), json!([1]), json!({"seconds": 1.0}), json!(true)]
        {
            assert!(MediaTime::from_json(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn what_we_answer_is_what_we_accept() {
        for time in [MediaTime::Ticks(1), MediaTime::Ticks(23_543_520), MediaTime::Frames(7)] {
            let value = serde_json::to_value(time).unwrap();
            assert_eq!(MediaTime::from_json(&value), Ok(time));
        }
    }
}
