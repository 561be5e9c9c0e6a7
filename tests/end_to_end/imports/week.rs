//! A week of highlights in two tables, some of them bad, and the montages that have to come out of it, worked out here in another way than
//! the product does.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::{
    job::Job,
    spec::{Highlight, JobSpec, Source},
    time::{MediaTime, TICKS_PER_SECOND},
};
use highlights::testing::{AttributeValue, DynamodbServer, KeyIs, item, number, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Who streams.
pub const STREAMERS: usize = 30;
/// Streams of each.
const STREAMS: usize = 100;
/// Streams of each that are within the days.
pub const WITHIN: usize = 96;
/// Moments of each stream.
const MOMENTS: usize = 3;
/// The days, by the clock of `ZONE`.
pub const FROM: &str = "2026-11-16";
pub const TO: &str = "2026-11-22";
pub const ZONE: &str = "Europe/Berlin";
/// The first moment of the first day and the first one after the last: in November it is UTC+1 there.
const WINDOW: (&str, &str) = ("2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z");
/// Streams follow one another so that they begin before the days and end after them.
const FIRST: &str = "2026-11-15T21:00:00Z";
const MINUTES_BETWEEN: i64 = 105;
/// The streamer without a name that can be read.
const NAMELESS: usize = 7;

type Item = HashMap<String, AttributeValue>;

enum Spoilt {
    /// All of a stream.
    Stream(fn(&mut Item)),
    /// Its second moment.
    Moment(fn(&mut Value)),
}

/// Every kind of mistake: whose stream it is in, which one, what is done to it, and what has to be said about it.
const MISTAKES: [(usize, usize, Spoilt, &str); 12] = [
    (3, 10, Spoilt::Stream(|item| set(item, "TopHighlights", text("[{"))), "is not a JSON list"),
    (3, 11, Spoilt::Stream(|item| drop(item.remove("TopHighlights"))), "it has no `TopHighlights`"),
    (3, 12, Spoilt::Stream(|item| set(item, "TopHighlights", number("7"))), "is neither a list nor a text"),
    (3, 13, Spoilt::Stream(|item| drop(item.remove("VideoId"))), "it has no `VideoId`"),
    (3, 14, Spoilt::Stream(|item| set(item, "VideoId", text(".."))), "no name of a file"),
    (3, 15, Spoilt::Stream(|item| set(item, "Date", text("2026-11-18Tnoon"))), "`Date` is not a moment"),
    (4, 20, Spoilt::Moment(|moment| drop(moment.as_object_mut().unwrap().remove("Timestamp"))), "is missing"),
    (4, 21, Spoilt::Moment(|moment| moment["Timestamp"] = json!("soon")), "`Timestamp` is not a time"),
    (4, 22, Spoilt::Moment(|moment| moment["Timestamp"] = json!("-0:01:00")), "`Timestamp` is negative"),
    (4, 23, Spoilt::Moment(|moment| moment["Score"] = json!("much")), "`Score` is not a number"),
    (4, 24, Spoilt::Moment(|moment| *moment = json!(5)), "it is not an object"),
    (4, 25, Spoilt::Moment(|moment| moment["Score"] = json!(1e300)), "the score is not a number from"),
];

fn set(item: &mut Item, name: &str, value: AttributeValue) {
    item.insert(name.to_owned(), value);
}

fn id(streamer: usize) -> String {
    format!("10{streamer:02}")
}

/// What montages are called by.
fn name(streamer: usize) -> String {
    if streamer == NAMELESS { id(streamer) } else { format!("Channel {streamer:02}") }
}

fn moment_of(stream: usize) -> DateTime<Utc> {
    let first: DateTime<Utc> = FIRST.parse().unwrap();
    first + TimeDelta::minutes(MINUTES_BETWEEN * i64::try_from(stream).unwrap())
}

fn video(streamer: usize, stream: usize) -> String {
    format!("{streamer:02}-{stream:03}")
}

/// When a moment is, in seconds. No two of a stream are near each other, and which is the best changes from stream to stream.
fn seconds(stream: usize, moment: usize) -> i64 {
    i64::try_from(60 * (5 + 17 * moment + stream % 13)).unwrap()
}

fn score(streamer: usize, stream: usize, moment: usize) -> f64 {
    // By steps without a common factor with the range, so that no two are the same.
    ((streamer * 7_919 + stream * 104_729 + moment * 350_377) % 1_000_003) as f64 / 1e6
}

/// The forms that a timestamp has.
fn written(seconds: i64, form: usize) -> Value {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match form % 5 {
        0 => json!(format!("{hours}:{minutes:02}")),
        1 => json!(format!("{hours}:{minutes:02}:00")),
        2 => json!(format!("{hours:02}:{minutes:02}:00.000")),
        3 => json!(seconds),
        _ => json!(seconds.to_string()),
    }
}

fn stream(streamer: usize, stream: usize) -> Item {
    let mut moments: Vec<Value> = (0..MOMENTS)
        .map(|moment| {
            json!({
                "Timestamp": written(seconds(stream, moment), streamer + stream + moment),
                "Score": score(streamer, stream, moment),
            })
        })
        .collect();
    let spoilt = MISTAKES.iter().find(|(of, number, ..)| (*of, *number) == (streamer, stream));
    if let Some((_, _, Spoilt::Moment(spoil), _)) = spoilt {
        spoil(&mut moments[1]);
    }
    // Two streamers have several pages each.
    let notes = if streamer < 2 { 25_000 } else { 50 };
    let mut item = item([
        ("ChannelId", text(&id(streamer))),
        ("Date", text(&moment_of(stream).format("%Y-%m-%dT%H:%M:%SZ").to_string())),
        ("VideoId", text(&video(streamer, stream))),
        ("TopHighlights", text(&Value::from(moments).to_string())),
        ("Notes", text(&"x".repeat(notes))),
    ]);
    if let Some((_, _, Spoilt::Stream(spoil), _)) = spoilt {
        spoil(&mut item);
    }
    item
}

/// Fills both tables; each has several pages.
pub async fn fill(server: &DynamodbServer) {
    server.create("streamers", ("ChannelId", KeyIs::S), None).await;
    server.create("stream-highlights", ("ChannelId", KeyIs::S), Some(("Date", KeyIs::S))).await;
    let about = text(&"x".repeat(100_000));
    let who = (0..STREAMERS).map(|streamer| {
        let name = if streamer == NAMELESS { AttributeValue::Bool(true) } else { text(&name(streamer)) };
        item([("ChannelId", text(&id(streamer))), ("Name", name), ("About", about.clone())])
    });
    server.put("streamers", who.collect::<Vec<_>>()).await;
    let all = (0..STREAMERS).flat_map(|streamer| (0..STREAMS).map(move |number| stream(streamer, number)));
    server.put("stream-highlights", all.collect::<Vec<_>>()).await;
    let client = DynamodbServer::client(server.endpoint()).await;
    let page = client.scan().table_name("streamers").send().await.unwrap();
    assert!(page.last_evaluated_key.is_some(), "the streamers are on one page");
    let page = client.query().table_name("stream-highlights").key_condition_expression("ChannelId = :id");
    let page = page.expression_attribute_values(":id", text(&id(0))).send().await.unwrap();
    assert!(page.last_evaluated_key.is_some(), "a streamer's highlights are on one page");
}

/// Where the rows are that have to be reported, and why.
pub fn mistakes() -> BTreeSet<(String, &'static str)> {
    let mut all = BTreeSet::from([(format!("{} in `streamers`", id(NAMELESS)), "its `Name` is not a text")]);
    for (streamer, stream, spoilt, reason) in &MISTAKES {
        let date = match stream {
            15 => "2026-11-18Tnoon".to_owned(),
            _ => moment_of(*stream).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        let highlight = if matches!(spoilt, Spoilt::Moment(_)) { ", highlight 2" } else { "" };
        all.insert((format!("{} ({}), {date}{highlight}", name(*streamer), id(*streamer)), reason));
    }
    all
}

/// Highlights that can be used.
pub fn usable() -> u64 {
    let all = STREAMERS * WITHIN * MOMENTS;
    let lost: usize = MISTAKES
        .iter()
        .map(|(_, _, spoilt, _)| if matches!(spoilt, Spoilt::Moment(_)) { 1 } else { MOMENTS })
        .sum();
    u64::try_from(all - lost).unwrap()
}

/// A clip: its video, where it starts in seconds, its streamer and score.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    pub video: String,
    pub start: i64,
    pub streamer: String,
    pub score: f64,
}

/// The clips of each streamer's montage, one of each video in the order of time, by title.
pub fn of_each_streamer() -> BTreeMap<String, Vec<Clip>> {
    let montage = |streamer: usize| {
        let title = format!("{}, {FROM} to {TO}", name(streamer));
        (title, (0..STREAMS).filter_map(|stream| best_of_stream(streamer, stream)).collect())
    };
    (0..STREAMERS).map(montage).collect()
}

/// The title and the clips of the montage of all, by streamer.
pub fn of_all_streamers() -> (String, Vec<Clip>) {
    let best = |streamer: usize| {
        let clips = (0..STREAMS).filter_map(|stream| best_of_stream(streamer, stream));
        clips.max_by(|a, b| a.score.total_cmp(&b.score)).unwrap()
    };
    (format!("The best of all, {FROM} to {TO}"), (0..STREAMERS).map(best).collect())
}

fn best_of_stream(streamer: usize, stream: usize) -> Option<Clip> {
    let at = moment_of(stream);
    let within =
        at >= WINDOW.0.parse::<DateTime<Utc>>().unwrap() && at < WINDOW.1.parse::<DateTime<Utc>>().unwrap();
    let spoilt = MISTAKES.iter().find(|(of, number, ..)| (*of, *number) == (streamer, stream));
    let usable = |moment: &usize| match spoilt {
        None => true,
        Some((_, _, Spoilt::Stream(_), _)) => false,
        Some((_, _, Spoilt::Moment(_), _)) => *moment != 1,
    };
    let clip = |moment: usize| Clip {
        video: format!("https://media.example/videos/{}.mp4", video(streamer, stream)),
        start: seconds(stream, moment),
        streamer: name(streamer),
        score: score(streamer, stream, moment),
    };
    let clips = (0..MOMENTS).filter(|moment| within && usable(moment)).map(clip);
    clips.max_by(|a, b| a.score.total_cmp(&b.score))
}

/// The clips of a job.
pub fn clips(job: &Job) -> Vec<Clip> {
    let JobSpec::Montage(spec) = &job.spec else { panic!("{job:#?}") };
    let clip = |highlight: &Highlight| {
        let (Source::Url(video), MediaTime::Ticks(start)) = (&highlight.source, highlight.start) else {
            panic!("{highlight:?}")
        };
        assert_eq!(highlight.duration, MediaTime::Ticks(60 * TICKS_PER_SECOND));
        assert_eq!(start % TICKS_PER_SECOND, 0);
        Clip {
            video: video.clone(),
            start: start / TICKS_PER_SECOND,
            streamer: highlight.streamer.clone().unwrap_or_default(),
            score: highlight.score.unwrap_or_default(),
        }
    };
    spec.highlights.iter().map(clip).collect()
}
