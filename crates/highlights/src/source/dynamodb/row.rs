//! From an item of a table to highlights, or to the reasons why it has none. Pure.
//!
//! An item names a video and lists its moments, as JSON in a text or as a list of DynamoDB's own. A moment says when it is and how good
//! it was; numbers may be written as text. A timestamp of two parts is hours and minutes: `1:05` is an hour and five minutes, other
//! than in a job's spec, where it would be a minute and five seconds.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use contracts::{
    import::{DateForm, DynamodbSource, StreamersTable},
    time::MediaTime,
};
use serde_json::Value;

use super::{Channel, Item};
use crate::{
    candidate::{Found, Gathered, Streamer, When},
    source::video,
};

/// Somebody of the table of streamers; without an id they are reported.
pub(super) fn channel(table: &StreamersTable, mut item: Item, into: &mut Gathered) -> Option<Channel> {
    let key = item.remove(&table.id);
    // Where the name is the id, it went with it.
    let named = if table.name == table.id { key.as_ref() } else { item.get(&table.name) };
    let name = named.and_then(text).map(str::trim).filter(|name| !name.is_empty());
    let Some((id, key)) = key.as_ref().and_then(text).zip(key.clone()) else {
        let reason = format!("it has no `{}` that is a text or a number", table.id);
        into.skip(format!("{} in `{}`", name.unwrap_or("somebody"), table.table), reason);
        return None;
    };
    if named.is_some_and(|named| text(named).is_none() && !named.is_null()) {
        let reason = format!("its `{}` is not a text: the id stands in for it", table.name);
        into.skip(format!("{id} in `{}`", table.table), reason);
    }
    Some(Channel {
        streamer: Arc::new(Streamer { id: id.to_owned(), name: name.unwrap_or(id).to_owned() }),
        key,
    })
}

/// The highlights of an item of the table of highlights.
pub(super) fn item(source: &DynamodbSource, streamer: &Arc<Streamer>, item: &Item, into: &mut Gathered) {
    let table = &source.highlights;
    let date = item.get(&table.date);
    let place = || {
        let who = if streamer.name == streamer.id {
            streamer.id.clone()
        } else {
            format!("{} ({})", streamer.name, streamer.id)
        };
        format!("{who}, {}", date.and_then(text).unwrap_or("without a date"))
    };
    let Some(when) = date.and_then(|date| when(table.date_form, date)) else {
        return into.skip(place(), format!("its `{}` is not {}", table.date, expected(table.date_form)));
    };
    let moments = match moments(item.get(&table.list), &table.list) {
        Ok(moments) if moments.is_empty() => return,
        Ok(moments) => moments,
        Err(reason) => return into.skip(place(), reason),
    };
    let video = item.get(&table.video).and_then(text);
    let video = video.ok_or_else(|| format!("it has no `{}` that is a text or a number", table.video));
    let place_of_video = match video.and_then(|id| video::of(&source.video, id)) {
        Ok(place_of_video) => Arc::new(place_of_video),
        Err(reason) => return into.skip(place(), reason),
    };
    for (index, moment) in moments.iter().enumerate() {
        let place = || format!("{}, highlight {}", place(), index + 1);
        let read = moment.as_object().ok_or_else(|| "it is not an object".to_owned()).and_then(|moment| {
            Ok((
                start(moment.get(&table.timestamp))
                    .map_err(|reason| format!("its `{}` {reason}", table.timestamp))?,
                score(moment.get(&table.score))
                    .map_err(|reason| format!("its `{}` {reason}", table.score))?,
            ))
        });
        match read {
            Ok((start, score)) => into.found(
                Found {
                    source: place_of_video.clone(),
                    start,
                    duration: Some(source.duration),
                    end: None,
                    title: None,
                    streamer: Some(streamer.clone()),
                    score,
                    cut: None,
                    when: Some(when),
                },
                place,
            ),
            Err(reason) => into.skip(place(), reason),
        }
    }
}

/// A text, or a number as it is written.
fn text(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
        _ => None,
    }
}

fn when(form: DateForm, date: &AttributeValue) -> Option<When> {
    let milliseconds = |number: f64| {
        // What is no moment of this calendar is none after the cast either.
        let moment = DateTime::from_timestamp_millis(number.floor() as i64)?;
        number.is_finite().then_some(When::Moment(moment))
    };
    match (form, date) {
        (DateForm::Day, AttributeValue::S(day)) => day.parse().ok().map(When::Day),
        (DateForm::Timestamp, AttributeValue::S(moment)) => {
            DateTime::parse_from_rfc3339(moment).ok().map(|moment| When::Moment(moment.with_timezone(&Utc)))
        }
        (DateForm::Seconds, AttributeValue::N(number)) => milliseconds(number.parse::<f64>().ok()? * 1000.0),
        (DateForm::Milliseconds, AttributeValue::N(number)) => milliseconds(number.parse().ok()?),
        _ => None,
    }
}

fn expected(form: DateForm) -> &'static str {
    match form {
        DateForm::Day => "a day like 2026-11-22",
        DateForm::Timestamp => "a moment like 2026-11-22T18:30:00Z",
        DateForm::Seconds => "a number of seconds since 1970",
        DateForm::Milliseconds => "a number of milliseconds since 1970",
    }
}

/// The moments of a list in whichever form it is.
fn moments(list: Option<&AttributeValue>, name: &str) -> Result<Vec<Value>, String> {
    match list {
        Some(AttributeValue::S(json)) => {
            serde_json::from_str(json).map_err(|error| format!("its `{name}` is not a JSON list: {error}"))
        }
        Some(AttributeValue::L(list)) => Ok(list.iter().map(plain).collect()),
        Some(AttributeValue::Null(_)) | None => Err(format!("it has no `{name}`")),
        Some(_) => Err(format!("its `{name}` is neither a list nor a text with one")),
    }
}

/// A value of DynamoDB's as JSON. Numbers stay as they are written, which is read like a number; what neither is nor holds a text or a
/// number becomes something that neither is.
fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Value::String(text.clone()),
        AttributeValue::M(map) => map.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        AttributeValue::Null(_) => Value::Null,
        _ => Value::Array(Vec::new()),
    }
}

/// When a moment is.
fn start(said: Option<&Value>) -> Result<MediaTime, String> {
    match said {
        Some(Value::String(text)) => timestamp(text),
        Some(Value::Number(number)) => timestamp(&number.to_string()),
        Some(Value::Null) | None => Err("is missing".to_owned()),
        Some(_) => Err(NO_TIME.to_owned()),
    }
}

const NO_TIME: &str = "is not a time: H:MM, H:MM:SS, H:MM:SS.mmm or seconds";

/// Reads `H:MM`, `H:MM:SS`, `H:MM:SS.mmm`, or seconds.
fn timestamp(text: &str) -> Result<MediaTime, String> {
    let text = text.trim();
    if text.starts_with('-') {
        return Err("is negative".to_owned());
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let of_sixty = |part: &str| part.len() == 2 && digits(part) && part < "60";
    let decimal = |part: &str| match part.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(part),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let written = match parts.as_slice() {
        [seconds] if decimal(seconds) => text.to_owned(),
        [hours, minutes] if digits(hours) && of_sixty(minutes) => format!("{text}:00"),
        [hours, minutes, seconds]
            if digits(hours)
                && of_sixty(minutes)
                && decimal(seconds)
                && seconds.split('.').next().is_some_and(of_sixty) =>
        {
            text.to_owned()
        }
        _ => return Err(NO_TIME.to_owned()),
    };
    MediaTime::parse(&written).map_err(|reason| format!("cannot be used: {reason}"))
}

/// How good a moment was, where it says so.
fn score(said: Option<&Value>) -> Result<Option<f64>, String> {
    let number = match said {
        Some(Value::Null) | None => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    number.filter(|number| number.is_finite()).map(Some).ok_or_else(|| "is not a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::time::TICKS_PER_SECOND;

    #[test]
    fn two_parts_are_hours_and_minutes() {
        let seconds = |text: &str| match timestamp(text) {
            Ok(MediaTime::Ticks(ticks)) => ticks as f64 / TICKS_PER_SECOND as f64,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(seconds("1:05"), 3900.0);
        assert_eq!(seconds("0:00"), 0.0);
        assert_eq!(seconds("12:59"), 46_740.0);
        assert_eq!(seconds("1:02:03"), 3723.0);
        assert_eq!(seconds(" 01:02:03.5 "), 3723.5);
        assert_eq!(seconds("90"), 90.0);
        assert_eq!(seconds("90.25"), 90.25);
    }

    #[test]
    fn what_is_no_time_is_told_as_that() {
        let bad = [
            "",
            "x",
            "1:5",
            "1:60",
            "1:005",
            ":05",
            "1:",
            "1:02:60",
            "1:02:3",
            "1:02:",
            "1:2:03",
            "1:02:03:04",
            "1:02:03.",
            "1:02:003",
            "1h",
            "90s",
            "90f",
            "1e3",
            "1.",
            ".5",
            "NaN",
            "1:+5",
        ];
        for text in bad {
            assert_eq!(timestamp(text).unwrap_err(), NO_TIME, "{text}");
        }
        for text in ["-5", "-1:05", "-0:00:01"] {
            assert_eq!(timestamp(text).unwrap_err(), "is negative", "{text}");
        }
        for text in ["101:00", "360001", "99999999999999999999:00"] {
            assert!(timestamp(text).unwrap_err().starts_with("cannot be used"), "{text}");
        }
    }

    #[test]
    fn a_score_may_be_absent_but_not_something_else() {
        let of = |value: Value| score(Some(&value));
        assert_eq!(score(None), Ok(None));
        assert_eq!(of(Value::Null), Ok(None));
        assert_eq!(of(93.5.into()), Ok(Some(93.5)));
        assert_eq!(of(" -1e2 ".into()), Ok(Some(-100.0)));
        for bad in ["", "good", "NaN", "inf", "1e999"] {
            assert!(of(bad.into()).is_err(), "{bad}");
        }
        assert!(of(true.into()).is_err() && of(serde_json::json!([1])).is_err());
    }

    #[test]
    fn dates_are_read_in_their_form_only() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |text: &str| AttributeValue::N(text.to_owned());
        let moment = |text: &str| Some(When::Moment(text.parse().unwrap()));
        assert_eq!(when(DateForm::Day, &text("2026-11-22")), Some(When::Day("2026-11-22".parse().unwrap())));
        assert_eq!(
            when(DateForm::Timestamp, &text("2026-11-22T18:30:00.25Z")),
            moment("2026-11-22T18:30:00.25Z")
        );
        assert_eq!(when(DateForm::Seconds, &number("1795372200.5")), moment("2026-11-22T18:30:00.5Z"));
        assert_eq!(when(DateForm::Milliseconds, &number("1795372200500")), moment("2026-11-22T18:30:00.5Z"));
        assert_eq!(when(DateForm::Day, &text("2026-02-30")), None);
        assert_eq!(when(DateForm::Day, &number("20261122")), None);
        assert_eq!(when(DateForm::Timestamp, &text("2026-11-22T18:30:00")), None);
        assert_eq!(when(DateForm::Seconds, &text("1795372200")), None);
        assert_eq!(when(DateForm::Seconds, &number("1e99")), None);
    }
}
