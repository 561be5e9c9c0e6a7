//! Reading where highlights come from.

use contracts::{
    decode::{Fields, Mistakes},
    import::{
        DateForm, DocumentSource, DynamodbSource, HighlightSource, HighlightsTable, ListFormat, Mapping,
        Paging, Place, StreamersTable, TwitchMedia, TwitchSource, VideoTemplate,
    },
    spec::{LONGEST_CLIP_SECONDS, LONGEST_STREAMER, Source},
    time::{MediaTime, TICKS_PER_SECOND},
};
use fetch::ReadStore;
use serde_json::{Value, json};

use crate::{
    source::{
        document::{path, row::names_id},
        dynamodb,
        rate::FrameRate,
    },
    template,
};

/// How long a highlight in DynamoDB is, if its source does not say.
const USUAL_SECONDS: i64 = 60;
/// Longest name of a table, an attribute, a column, and longest JSONPath.
const LONGEST_FIELD: usize = 255;
/// Most Twitch channels of one source.
const MOST_CHANNELS: usize = 100;
/// What can be named in a place.
const OF_PLACE: &[&str] = &["from", "to"];
/// What stands for a video's id.
const OF_VIDEO: &[&str] = &["id"];

/// Why a source can only be asked for a window, if it can only be.
pub(super) fn needs_window(source: &HighlightSource) -> Option<&'static str> {
    let named = |text: &str| OF_PLACE.iter().any(|name| text.contains(&format!("{{{name}}}")));
    match source {
        HighlightSource::Dynamodb { .. } => Some("tables are asked for some days"),
        HighlightSource::Twitch { .. } => Some("clips are asked for some days"),
        HighlightSource::Document(DocumentSource {
            place: Place::Url(place) | Place::Path(place) | Place::Object(place),
            ..
        }) => named(place).then_some("the place of the list names the window's days"),
    }
}

pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<HighlightSource> {
    let document = [
        "url",
        "path",
        "object",
        "format",
        "mapping",
        "paging",
        "video",
        "duration",
        "streamer",
        "frame_rate",
    ];
    let known: Vec<&str> = ["dynamodb", "twitch"].into_iter().chain(document).collect();
    let fields = Fields::open(value, pointer, &known, mistakes)?;
    let kinds = ["url", "path", "object", "dynamodb", "twitch"];
    let given: Vec<&str> = kinds.into_iter().filter(|name| fields.get(name).is_some()).collect();
    let [kind] = given.as_slice() else {
        mistakes.add(pointer, format!("exactly one of `{}` is required", kinds.join("`, `")));
        return None;
    };
    if matches!(*kind, "dynamodb" | "twitch") {
        for name in document.into_iter().filter(|name| fields.get(name).is_some()) {
            mistakes.add(fields.at(name), format!("`{name}` says nothing beside `{kind}`"));
        }
        let inner = fields.get(kind)?;
        return match *kind {
            "dynamodb" => read_dynamodb(inner, &fields.at(kind), mistakes)
                .map(|dynamodb| HighlightSource::Dynamodb { dynamodb }),
            _ => read_twitch(inner, &fields.at(kind), mistakes)
                .map(|twitch| HighlightSource::Twitch { twitch }),
        };
    }
    read_document(&fields, kind, mistakes).map(HighlightSource::Document)
}

fn read_document(fields: &Fields<'_>, kind: &str, mistakes: &mut Mistakes) -> Option<DocumentSource> {
    let formats = [
        ("highlights", ListFormat::Highlights),
        ("json", ListFormat::Json),
        ("csv", ListFormat::Csv),
        ("edl", ListFormat::Edl),
        ("otio", ListFormat::Otio),
        ("chapters", ListFormat::Chapters),
    ];
    let format = fields.choice("format", &formats, mistakes).unwrap_or_default();
    let place = read_place(fields, kind, mistakes);
    let mapping =
        fields.get("mapping").and_then(|value| read_mapping(value, &fields.at("mapping"), format, mistakes));
    let paging = fields.get("paging").and_then(|value| read_paging(value, &fields.at("paging"), mistakes));
    let video = fields.get("video").and_then(|value| read_video(value, &fields.at("video"), mistakes));
    let duration = fields.length("duration", 1..=LONGEST_CLIP_SECONDS * 1000, mistakes);
    let streamer = fields.text("streamer", LONGEST_STREAMER, mistakes);
    let frame_rate = fields.text("frame_rate", 20, mistakes);
    if let Some(Err(detail)) = frame_rate.as_deref().map(FrameRate::parse) {
        mistakes.add(fields.at("frame_rate"), detail);
    }
    let mut only = |name: &str, for_what: &[ListFormat], says: &str| {
        if fields.get(name).is_some() && !for_what.contains(&format) {
            mistakes.add(fields.at(name), format!("only for {says}"));
        }
    };
    only("mapping", &[ListFormat::Json, ListFormat::Csv], "the formats `json` and `csv`");
    only("paging", &[ListFormat::Json, ListFormat::Highlights], "the formats `json` and `highlights`");
    only("frame_rate", &[ListFormat::Edl], "the format `edl`");
    if fields.get("paging").is_some() && kind != "url" {
        mistakes.add(fields.at("paging"), "only an address has pages");
    }
    match format {
        ListFormat::Edl if frame_rate.is_none() => {
            mistakes.add(fields.at("frame_rate"), "an `edl` does not say its frame rate: it is required");
        }
        ListFormat::Chapters if fields.get("video").is_none() => {
            mistakes.add(fields.at("video"), "`chapters` do not say their video: it is required");
        }
        ListFormat::Chapters if video.as_ref().is_some_and(names_id) => {
            mistakes
                .add(fields.at("video"), "`chapters` do not say a video's id: give it whole, without {id}");
        }
        ListFormat::Highlights if fields.get("video").is_some() => {
            mistakes.add(fields.at("video"), "the format `highlights` says each video whole: leave it out");
        }
        _ => {}
    }
    Some(DocumentSource { place: place?, format, mapping, paging, video, duration, streamer, frame_rate })
}

fn read_place(fields: &Fields<'_>, kind: &str, mistakes: &mut Mistakes) -> Option<Place> {
    let text = fields.text(kind, 4096, mistakes);
    let Some(text) = text else {
        if fields.get(kind).is_some_and(|value| value.as_str().is_some_and(|text| text.trim().is_empty())) {
            mistakes.add(fields.at(kind), "it is empty");
        }
        return None;
    };
    template::check(&text, OF_PLACE, &fields.at(kind), mistakes);
    let probe = template::fill(&text, &["from", "to"].map(|name| (name, "2026-11-22".to_owned())));
    if kind == "object" {
        if let Err(detail) = ReadStore::check_name(&probe) {
            mistakes.add(fields.at(kind), detail);
        }
        return Some(Place::Object(text));
    }
    check_source(kind, &probe, &fields.at(kind), mistakes);
    Some(if kind == "url" { Place::Url(text) } else { Place::Path(text) })
}

/// Judges an address or a path by the rules of a highlight's own source.
fn check_source(kind: &str, text: &str, pointer: &str, mistakes: &mut Mistakes) {
    if let Err(errors) = Source::decode(&json!({ kind: text })) {
        for error in errors {
            mistakes.add(pointer, error.detail);
        }
    }
}

/// Where the video is that a row names.
fn read_video(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<VideoTemplate> {
    let fields = Fields::open(value, pointer, &["url", "path"], mistakes)?;
    let kind = match (fields.get("url").is_some(), fields.get("path").is_some()) {
        (true, false) => "url",
        (false, true) => "path",
        _ => {
            mistakes.add(pointer, "exactly one of `url` and `path` is required, like {\"url\": \"https://media.example/{id}.mp4\"}");
            return None;
        }
    };
    let text = fields.text(kind, 2048, mistakes)?;
    template::check(&text, OF_VIDEO, &fields.at(kind), mistakes);
    check_source(kind, &template::fill(&text, &[("id", "x".to_owned())]), &fields.at(kind), mistakes);
    if kind == "url" {
        // A row must not choose the host that it is fetched from.
        let behind = text.split_once("://").map_or("", |(_, behind)| behind);
        let host = behind.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('{') {
            mistakes.add(fields.at(kind), "the id can stand in the path or the query, not in the host");
        }
        return Some(VideoTemplate::Url(text));
    }
    if text.split_once(':').is_some_and(|(root, _)| root.contains('{')) {
        mistakes.add(fields.at(kind), "the id can stand behind the directory's name, not in it");
    }
    Some(VideoTemplate::Path(text))
}

fn read_mapping(
    value: &Value,
    pointer: &str,
    format: ListFormat,
    mistakes: &mut Mistakes,
) -> Option<Mapping> {
    let known = ["rows", "video", "start", "end", "duration", "title", "streamer", "score", "at"];
    let fields = Fields::open(value, pointer, &known, mistakes)?;
    let mut field = |name: &str| {
        let text = fields.text(name, LONGEST_FIELD, mistakes)?;
        if format == ListFormat::Json {
            check_path(&text, &fields.at(name), mistakes);
        }
        Some(text)
    };
    let mapping = Mapping {
        rows: field("rows"),
        video: field("video"),
        start: field("start"),
        end: field("end"),
        duration: field("duration"),
        title: field("title"),
        streamer: field("streamer"),
        score: field("score"),
        at: field("at"),
    };
    if mapping.rows.is_some() && format == ListFormat::Csv {
        mistakes.add(fields.at("rows"), "every line of a `csv` is a row: leave it out");
    }
    Some(mapping)
}

fn read_paging(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Paging> {
    let fields = Fields::open(value, pointer, &["next", "parameter"], mistakes)?;
    let next = super::required(&fields, "next", LONGEST_FIELD, mistakes)?;
    check_path(&next, &fields.at("next"), mistakes);
    Some(Paging { next, parameter: fields.text("parameter", LONGEST_FIELD, mistakes) })
}

fn check_path(text: &str, pointer: &str, mistakes: &mut Mistakes) {
    if let Err(detail) = path::parse(text) {
        mistakes.add(pointer, detail);
    }
}

fn read_dynamodb(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<DynamodbSource> {
    let fields =
        Fields::open(value, pointer, &["streamers", "highlights", "video", "duration", "region"], mistakes)?;
    let streamers = fields.required("streamers", mistakes).and_then(|value| {
        let fields = Fields::open(value, &fields.at("streamers"), &["table", "id", "name"], mistakes)?;
        Some(StreamersTable {
            id: or(&fields, "id", "ChannelId", mistakes),
            name: or(&fields, "name", "Name", mistakes),
            table: super::required(&fields, "table", LONGEST_FIELD, mistakes)?,
        })
    });
    let highlights = fields
        .required("highlights", mistakes)
        .and_then(|value| read_highlights_table(value, &fields.at("highlights"), mistakes));
    let video =
        fields.required("video", mistakes).and_then(|value| read_video(value, &fields.at("video"), mistakes));
    let duration = fields.length("duration", 1..=LONGEST_CLIP_SECONDS * 1000, mistakes);
    let region = fields.text("region", 50, mistakes);
    if let Some(Err(detail)) = region.as_deref().map(dynamodb::check_region) {
        mistakes.add(fields.at("region"), detail);
    }
    Some(DynamodbSource {
        streamers: streamers?,
        highlights: highlights?,
        video: video?,
        duration: duration.unwrap_or(MediaTime::Ticks(USUAL_SECONDS * TICKS_PER_SECOND)),
        region,
    })
}

fn read_highlights_table(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<HighlightsTable> {
    let known = ["table", "streamer", "date", "date_form", "video", "list", "timestamp", "score"];
    let fields = Fields::open(value, pointer, &known, mistakes)?;
    let forms = [
        ("day", DateForm::Day),
        ("timestamp", DateForm::Timestamp),
        ("seconds", DateForm::Seconds),
        ("milliseconds", DateForm::Milliseconds),
    ];
    Some(HighlightsTable {
        streamer: or(&fields, "streamer", "ChannelId", mistakes),
        date: or(&fields, "date", "Date", mistakes),
        date_form: fields.choice("date_form", &forms, mistakes).unwrap_or_default(),
        video: or(&fields, "video", "VideoId", mistakes),
        list: or(&fields, "list", "TopHighlights", mistakes),
        timestamp: or(&fields, "timestamp", "Timestamp", mistakes),
        score: or(&fields, "score", "Score", mistakes),
        table: super::required(&fields, "table", LONGEST_FIELD, mistakes)?,
    })
}

/// A name, or what it usually is.
fn or(fields: &Fields<'_>, name: &str, usual: &str, mistakes: &mut Mistakes) -> String {
    fields.text(name, LONGEST_FIELD, mistakes).unwrap_or_else(|| usual.to_owned())
}

fn read_twitch(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<TwitchSource> {
    let fields = Fields::open(value, pointer, &["channels", "cut_from"], mistakes)?;
    let media = [("clip", TwitchMedia::Clip), ("recording", TwitchMedia::Recording)];
    let cut_from = fields.choice("cut_from", &media, mistakes).unwrap_or_default();
    let channels = fields.required("channels", mistakes)?;
    // https://dev.twitch.tv: a login name has up to 25 letters, digits and underscores.
    let login = |value: &Value| {
        let text = value.as_str()?.to_ascii_lowercase();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (plain && (1..=25).contains(&text.len())).then_some(text)
    };
    let read = channels.as_array().filter(|list| (1..=MOST_CHANNELS).contains(&list.len()));
    let read = read.and_then(|list| list.iter().map(login).collect::<Option<Vec<_>>>());
    if read.is_none() {
        mistakes.add(
            fields.at("channels"),
            format!("expected 1 to {MOST_CHANNELS} login names of Twitch channels, as in their addresses"),
        );
    }
    Some(TwitchSource { channels: read?, cut_from })
}
