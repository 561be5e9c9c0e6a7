//! Where highlights come from, which of them are wanted, and which jobs are made of them: the words of schedules and imports.
//!
//! The decoded form serialises into a form that decodes to the same again. Decoding, with all mistakes at once, and everything
//! that is done with these words is in the crate `highlights`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ids::JobId, time::MediaTime};

/// Where highlights come from: one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum HighlightSource {
    /// Tables in DynamoDB.
    Dynamodb {
        /// Which tables, and what is in them.
        dynamodb: DynamodbSource,
    },
    /// Clips that viewers made on Twitch.
    Twitch {
        /// Whose clips.
        twitch: TwitchSource,
    },
    /// A list: a file, or the answer of an address.
    Document(DocumentSource),
}

/// A list of highlights, in one of several formats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DocumentSource {
    /// Where the list is.
    #[serde(flatten)]
    pub place: Place,
    /// How the list is written; `highlights` if absent.
    #[serde(default)]
    pub format: ListFormat,
    /// Where in a row of `json` or `csv` what is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// How an address answers one page after the other; one page if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Paging>,
    /// Where the video is that a row names; without it a row names it whole, by an address or as `name:path`. Without `{id}` all rows are
    /// of one video. The id is a row's `video`; in an `edl` or `otio` the name of the file that is named, else the clip's name, else the reel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoTemplate>,
    /// How long a highlight is where its row does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<MediaTime>,
    /// Who is seen where a row does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streamer: Option<String>,
    /// Frames in a second of an `edl`'s timecodes, as `25` or `30000/1001`. `;` in a timecode counts by dropped frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<String>,
    /// The timecode of the first frame of each video that an `edl` names, like `01:00:00:00`; `00:00:00:00` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timecode: Option<String>,
}

/// Where a list is: one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// An address, fetched under the same guard as sources. `{from}` and `{to}` in it become the window's dates.
    Url(String),
    /// A file below one of the media directories, as `name:path/list.json`. `{from}` and `{to}` become the window's dates.
    Path(String),
    /// An object of the operator's store of lists (`SM_LISTS_STORE`). `{from}` and `{to}` become the window's dates.
    Object(String),
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListFormat {
    /// A JSON list in the form of a job's `spec.highlights`, or an object that holds one as `highlights`. Beside its other fields a
    /// highlight may say `at`, as in a mapping.
    #[default]
    Highlights,
    /// Any JSON, read by a mapping of JSONPaths.
    Json,
    /// Comma-separated values with a line of names.
    Csv,
    /// An edit decision list (CMX 3600). Its source timecodes count from the sources' first picture.
    Edl,
    /// An OpenTimelineIO timeline.
    Otio,
    /// Chapters as they stand below a YouTube video: a line each, a time and a title. Each lasts until the next one, or for the source's
    /// `duration` if that is shorter.
    Chapters,
}

/// Where in a row what is said: a column's name in `csv`, a JSONPath (RFC 9535) from the row in `json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Mapping {
    /// JSONPath from the document to its rows; `$[*]` if absent. Only for `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// The video: its id for the template of `video`, or all of its place. `video` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<String>,
    /// Where the highlight starts. `start` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Where it ends. `end` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// How long it is. `duration` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Its title. `title` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who is seen. `streamer` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streamer: Option<String>,
    /// The higher the better. `score` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// When it was: a day, a moment with its offset, or seconds or milliseconds since 1970. `at` if absent. A row that does not say is in
    /// every window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// How an address answers one page after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Paging {
    /// JSONPath from the document to what leads to the next page: a cursor, or an address if there is no `parameter`. The page
    /// where it finds nothing, null or an empty text is the last.
    pub next: String,
    /// The query parameter that a cursor is sent in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

/// Where a video is, with `{id}` for what a row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VideoTemplate {
    /// An address, like `https://media.example/{id}.mp4`. The id is percent-encoded.
    Url(String),
    /// A file below a media directory, like `library:{id}.mkv`.
    Path(String),
}

/// Two tables: who streams, and what the best moments of each stream were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DynamodbSource {
    /// Who streams: one item each.
    pub streamers: StreamersTable,
    /// What the best moments were: one item for each streamer and date.
    pub highlights: HighlightsTable,
    /// Where the video is that an item names.
    pub video: VideoTemplate,
    /// How long a highlight is; a minute if absent.
    #[schema(required = false)]
    pub duration: MediaTime,
    /// The AWS region; that of the operator if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// The table of streamers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamersTable {
    /// Its name.
    pub table: String,
    /// The attribute that is its key: the channel's id. `ChannelId` if absent.
    #[schema(required = false)]
    pub id: String,
    /// The attribute with the name that people know; the id stands in for it where it is absent. `Name` if absent.
    #[schema(required = false)]
    pub name: String,
}

/// The table of highlights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HighlightsTable {
    /// Its name.
    pub table: String,
    /// The attribute that is its partition key: the channel's id. `ChannelId` if absent.
    #[schema(required = false)]
    pub streamer: String,
    /// The attribute that is its sort key: the date. `Date` if absent.
    #[schema(required = false)]
    pub date: String,
    /// How the date is written; `day` if absent.
    #[serde(default)]
    pub date_form: DateForm,
    /// The attribute with the video's id. `VideoId` if absent.
    #[schema(required = false)]
    pub video: String,
    /// The attribute with the moments, best first: a JSON list as text, or a list. `TopHighlights` if absent.
    #[schema(required = false)]
    pub list: String,
    /// The field of a moment that says where it starts. `Timestamp` if absent.
    #[schema(required = false)]
    pub timestamp: String,
    /// The field of a moment that says how good it is. `Score` if absent.
    #[schema(required = false)]
    pub score: String,
}

/// How a date is written in a sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateForm {
    /// Text like `2026-11-22`.
    #[default]
    Day,
    /// Text like `2026-11-22T18:30:00Z`, in UTC, so that it sorts by time.
    Timestamp,
    /// A number of seconds since 1970.
    Seconds,
    /// A number of milliseconds since 1970.
    Milliseconds,
}

/// Clips of Twitch channels. A clip's views are its score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TwitchSource {
    /// Login names of the channels, 1 to 100.
    pub channels: Vec<String>,
    /// What is cut from; `clip` if absent.
    #[serde(default)]
    pub cut_from: TwitchMedia,
}

/// What a Twitch clip is cut from. Both are pages, which executors look behind only where the operator set `SM_YT_DLP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TwitchMedia {
    /// The clip itself, whole.
    #[default]
    Clip,
    /// The recording that the clip was made from, at the clip's place, so that padding finds what was around it. Clips whose recording is
    /// gone are reported.
    Recording,
}

/// Which days are asked for, by the clock of the time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum WindowRule {
    /// So many whole days before the day of the run, so that runs that follow one another neither share a day nor leave one out.
    LastDays {
        /// 1 to 366.
        last_days: u16,
    },
    /// From one day to another, both included.
    Days(Days),
}

/// From one day to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct Days {
    /// The first day.
    pub from: NaiveDate,
    /// The last day, included.
    pub to: NaiveDate,
}

/// One montage, or one for each streamer, that is made of what a source lists.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct MontageRule {
    /// Of whom; `all_streamers` if absent.
    #[serde(default)]
    pub of: MontageOf,
    /// Its title, instead of the template's. `{date}` is the day of the run, `{from}` and `{to}` the window's days, `{streamer}` whose montage
    /// it is, `{count}` its number of highlights, `{name}` the name of the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The title of each highlight. `{title}`, `{streamer}`, `{score}`, `{day}` are the highlight's own; `{number}` is its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highlight_title: Option<String>,
    /// Labels beside those of the template; the same places as in the title can be named in their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Which highlights, and in which order; all of them as they come if absent.
    #[serde(default)]
    pub select: Selection,
}

/// Of whom a montage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MontageOf {
    /// One montage of all streamers.
    #[default]
    AllStreamers,
    /// One montage for each streamer who has highlights.
    EachStreamer,
}

/// Which highlights are taken. The steps are done in the order of the fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Selection {
    /// Only those with this score or a better one; those without a score are left out then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_score: Option<f64>,
    /// What is added before and after each highlight; none if absent.
    #[serde(default)]
    pub padding: Padding,
    /// Whether highlights that overlap become one, with the best one's title and score; true if absent. The same moment a second time is
    /// dropped in any case.
    #[serde(default = "yes")]
    pub merge: bool,
    /// At most so many of one video, the best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_video: Option<u32>,
    /// At most so many of one streamer, the best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_streamer: Option<u32>,
    /// Who comes first where `top` and `budget` leave some out; `score` if absent.
    #[serde(default)]
    pub mix: Mix,
    /// At most so many in all; 500, which is the most of a montage, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
    /// At most so much time in all. What does not fit any more is left out, and what is shorter is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<MediaTime>,
    /// In which order they stand in the montage; as they come if absent.
    #[serde(default)]
    pub order: ClipOrder,
    /// Changes what `shuffle` makes. The same seed makes the same order, and one highlight more or less does not change the order of the
    /// others. 0 if absent.
    #[serde(default)]
    pub seed: i64,
}

const fn yes() -> bool {
    true
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            minimum_score: None,
            padding: Padding::default(),
            merge: true,
            per_video: None,
            per_streamer: None,
            mix: Mix::default(),
            top: None,
            budget: None,
            order: ClipOrder::default(),
            seed: 0,
        }
    }
}

/// What is added around a highlight. It never begins before its source; what lies behind the source's end is left out when it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Padding {
    /// Before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MediaTime>,
    /// After it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MediaTime>,
}

/// Who comes first where not all can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mix {
    /// The best, whoever it is.
    #[default]
    Score,
    /// The best of each streamer, then the second best of each, and so on.
    Equal,
}

/// In which order selected highlights stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClipOrder {
    /// As the source lists them.
    #[default]
    Given,
    /// The best first.
    Score,
    /// By the day or moment that they were, then by video and place in it.
    Time,
    /// As if drawn by lot, by `seed`.
    Shuffle,
}

/// What was read and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// Rows that were read.
    pub rows: u64,
    /// Highlights that they held within the window.
    pub highlights: u64,
    /// Rows, or highlights of a row, that could not be used.
    pub skipped: u64,
    /// The first fifty of those, with the reason.
    pub skipped_rows: Vec<SkippedRow>,
}

/// A row, or a highlight of a row, that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkippedRow {
    /// Where it is, like `line 14` or `hana, 2026-11-18, highlight 3`.
    pub row: String,
    /// Why.
    pub reason: String,
}

/// A job of an import, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedJob {
    /// Its title.
    pub title: String,
    /// Whose montage it is, where it is one streamer's.
    pub streamer: Option<String>,
    /// Its number of highlights.
    pub highlights: u32,
    /// Highlights that would have been selected, had there been room for more than a montage may have.
    pub left_out: u32,
    /// What became of it.
    pub outcome: PostOutcome,
    /// The job, where it is known.
    pub job_id: Option<JobId>,
    /// Why it was refused, or what was not changed.
    pub reason: Option<String>,
}

/// What became of a job that was to be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostOutcome {
    /// It is to be posted yet.
    Waiting,
    /// It was posted.
    Submitted,
    /// The same window's job had been posted before: nothing was posted.
    Known,
    /// It was refused.
    Refused,
}

/// What an import did, as the command line and the Lambda handler answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    /// The import's name.
    pub name: String,
    /// The days that were asked for.
    pub window: Option<Days>,
    /// Jobs that were posted.
    pub submitted: u32,
    /// Jobs that had been posted before.
    pub known: u32,
    /// Jobs that were refused.
    pub refused: u32,
    /// Jobs that are not posted.
    pub waiting: u32,
    /// All of them.
    pub jobs: Vec<ImportedJob>,
    /// What was read and what was skipped.
    pub report: ImportReport,
}
