//! Schedules: when, from where, and with which template jobs are made unattended.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{JobId, ScheduleId};

/// Where highlights come from: a JSON list of highlights in the form of a job's `spec.highlights`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HighlightSource {
    /// A document on the web, fetched under the same guard as sources.
    Url(String),
    /// A file below one of the media directories, as `name:path/list.json`.
    Path(String),
}

/// `POST /v1/schedules`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// 1 to 100 characters.
    pub name: String,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// IANA time zone, such as `Europe/Berlin`; UTC if absent.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Where the highlights come from.
    pub source: HighlightSource,
    /// The job without its highlights: `title`, `labels`, `priority` and `spec` with the options. `{date}` in the title becomes
    /// the tick's date in the schedule's time zone.
    #[schema(value_type = Object)]
    pub template: serde_json::Value,
    /// Whether it starts paused.
    #[serde(default)]
    pub paused: bool,
}

/// `PATCH /v1/schedules/{id}`: absent fields stay as they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulePatch {
    /// New name.
    #[serde(default)]
    pub name: Option<String>,
    /// New cron expression.
    #[serde(default)]
    pub cron: Option<String>,
    /// New time zone.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// New source.
    #[serde(default)]
    pub source: Option<HighlightSource>,
    /// New template.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub template: Option<serde_json::Value>,
    /// Pause or resume.
    #[serde(default)]
    pub paused: Option<bool>,
}

/// `POST /v1/schedules/preview`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulePreviewRequest {
    /// Five fields: minute, hour, day of month, month, day of week.
    #[schema(example = "0 18 * * SUN")]
    pub cron: String,
    /// IANA time zone, such as `Europe/Berlin`; UTC if absent.
    #[serde(default)]
    #[schema(example = "Europe/Berlin")]
    pub time_zone: Option<String>,
}

/// When a schedule would tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SchedulePreview {
    /// The expression in English words, by the wall clock of the time zone.
    #[schema(example = "At 18:00, on Sunday")]
    pub description: String,
    /// The next five ticks, with the time zone's offset at each.
    #[schema(example = json!(["2026-11-29T18:00:00+01:00"]))]
    pub next: Vec<DateTime<FixedOffset>>,
}

/// A schedule as it is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// Five fields.
    pub cron: String,
    /// IANA time zone.
    pub time_zone: String,
    /// Where the highlights come from.
    pub source: HighlightSource,
    /// The job without its highlights.
    #[schema(value_type = Object)]
    pub template: serde_json::Value,
    /// Whether its ticks are skipped.
    pub paused: bool,
    /// The next tick; absent while paused.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
}

/// One page of schedules, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SchedulePage {
    /// The schedules.
    pub items: Vec<Schedule>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It is under way.
    Running,
    /// A job was posted.
    Submitted,
    /// The source listed no highlights: no job was posted.
    Empty,
    /// It failed; `reason` says why.
    Failed,
}

/// One tick, or one run by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleRun {
    /// Names the run.
    pub id: uuid::Uuid,
    /// The moment that the schedule meant, or when it was run by hand.
    pub tick_at: DateTime<Utc>,
    /// Whether a person asked for it.
    pub by_hand: bool,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The job.
    pub job_id: Option<JobId>,
    /// Why it failed.
    pub reason: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The newest runs, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunPage {
    /// The runs.
    pub items: Vec<ScheduleRun>,
    /// For the next page; absent on the last.
    pub next_cursor: Option<String>,
}
