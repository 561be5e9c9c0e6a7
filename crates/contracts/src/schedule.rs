//! Schedules: when, from where, and with which template jobs are made unattended.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ids::ScheduleId,
    import::{Days, HighlightSource, ImportReport, ImportedJob, MontageRule, WindowRule},
    spec::Highlight,
};

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
    /// Which days are asked for. Needed for `dynamodb` and `twitch`; without it everything that the source lists counts.
    #[serde(default)]
    pub window: Option<WindowRule>,
    /// Which montages are made of them, 1 to 10; one of everything if absent.
    #[serde(default)]
    pub montages: Vec<MontageRule>,
    /// The job without its highlights: `title`, `labels`, `priority` and `spec` with the options. In the title `{date}` becomes
    /// the tick's date in the schedule's time zone, and what a montage's own title names can be named too.
    #[schema(value_type = Object)]
    pub template: serde_json::Value,
    /// A run begins up to so much later than its tick, like `5m`, so that schedules with the same moment do not all begin at once; 0 to 1 h,
    /// none if absent. How much is the schedule's own and stays the same.
    #[serde(default)]
    pub jitter: Option<String>,
    /// What is done about ticks that passed while no scheduler was there; `once` if absent.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// What is done when the jobs of the run before are not done yet; `allow` if absent.
    #[serde(default)]
    pub overlap: Overlap,
    /// Whether it starts paused.
    #[serde(default)]
    pub paused: bool,
}

/// What is done about ticks that were missed: that are more than five minutes old when a scheduler sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// They are left out; one run says so.
    Skip,
    /// One run makes up for all of them: that of the latest.
    #[default]
    Once,
    /// Each has its run, with its own date and window; the latest hundred at most.
    Each,
}

/// What is done when a run is due and jobs of the run before are not done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The run goes ahead.
    #[default]
    Allow,
    /// The run is left out.
    Skip,
    /// The run waits until they are done.
    Wait,
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
    /// New window; null for none.
    #[serde(default)]
    pub window: Option<WindowRule>,
    /// New montages.
    #[serde(default)]
    pub montages: Option<Vec<MontageRule>>,
    /// New template.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub template: Option<serde_json::Value>,
    /// New jitter; null for none.
    #[serde(default)]
    pub jitter: Option<String>,
    /// New policy for missed ticks.
    #[serde(default)]
    pub catch_up: Option<CatchUp>,
    /// New policy for runs whose predecessor is not done.
    #[serde(default)]
    pub overlap: Option<Overlap>,
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

/// `POST /v1/schedules/try`: a schedule, of which what says when it runs is left out or says nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrialRequest {
    /// 1 to 100 characters.
    pub name: String,
    /// IANA time zone, such as `Europe/Berlin`; UTC if absent.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Where the highlights come from.
    pub source: HighlightSource,
    /// Which days are asked for.
    #[serde(default)]
    pub window: Option<WindowRule>,
    /// Which montages would be made of them.
    #[serde(default)]
    pub montages: Vec<MontageRule>,
    /// The job without its highlights.
    #[schema(value_type = Object)]
    pub template: serde_json::Value,
}

/// What a run of a schedule would read and post now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleTrial {
    /// The days that it would ask for.
    pub window: Option<Days>,
    /// What was read and skipped.
    pub report: ImportReport,
    /// How many jobs it would post.
    pub job_count: u32,
    /// The first twenty of them.
    pub jobs: Vec<ImportedJob>,
    /// The first five highlights of the first job.
    pub highlights: Vec<Highlight>,
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
    /// Which days are asked for.
    pub window: Option<WindowRule>,
    /// Which montages are made of them.
    pub montages: Vec<MontageRule>,
    /// The job without its highlights.
    #[schema(value_type = Object)]
    pub template: serde_json::Value,
    /// Seconds by which a run may begin later than its tick.
    pub jitter_seconds: u32,
    /// What is done about missed ticks.
    pub catch_up: CatchUp,
    /// What is done when jobs of the run before are not done.
    pub overlap: Overlap,
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
    /// Its jobs were posted, or had been posted before.
    Submitted,
    /// The source listed no highlights that were wanted: no job was posted.
    Empty,
    /// It was left out, as its schedule's policies say; `reason` says which.
    Skipped,
    /// It failed; `reason` says why.
    Failed,
}

/// `POST /v1/schedules/{id}/run`; an empty body is an empty object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// The days to ask for, instead of the schedule's own window.
    #[serde(default)]
    pub window: Option<WindowRule>,
    /// Post also what was posted before for the same window; false if absent.
    #[serde(default)]
    pub again: bool,
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
    /// The days that it asked for.
    pub window: Option<Days>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// How many jobs it has.
    pub job_count: u32,
    /// Its jobs; in a list of runs the first twenty.
    pub jobs: Vec<ImportedJob>,
    /// What was read, once the source was.
    pub report: Option<ImportReport>,
    /// Why it failed, was left out, or is tried again.
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
