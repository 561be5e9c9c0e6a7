//! Replays: what can be set about a replay's video, and what the library says of a play.
//!
//! The options are one document: everything in it has a default, and the decoded form is complete.

mod failures;
mod read;

pub use failures::{REPLAY_FAILURES, ReplayFailure};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What can be set about a replay's video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayOptions {
    /// The picture.
    pub video: VideoOptions,
    /// What lies behind the play.
    pub background: BackgroundOptions,
    /// Objects and cursor.
    pub play: PlayOptions,
    /// What lies over the play.
    pub hud: HudOptions,
    /// How it sounds.
    pub sound: SoundOptions,
    /// Before the play: seconds of the warning where the map asks for one (0 for none).
    #[schema(minimum = 0, maximum = 10)]
    pub warning_seconds: u32,
    /// After the play: seconds of the results (0 for none).
    #[schema(minimum = 0, maximum = 30)]
    pub results_seconds: u32,
    /// What the captions tell.
    pub captions: CaptionOptions,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            video: VideoOptions::default(),
            background: BackgroundOptions::default(),
            play: PlayOptions::default(),
            hud: HudOptions::default(),
            sound: SoundOptions::default(),
            warning_seconds: 3,
            results_seconds: 5,
            captions: CaptionOptions::default(),
        }
    }
}

/// The picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VideoOptions {
    /// In pixels; even, 256 to 3840.
    #[schema(minimum = 256, maximum = 3840)]
    pub width: u32,
    /// In pixels; even, 144 to 3840.
    #[schema(minimum = 144, maximum = 3840)]
    pub height: u32,
    /// Frames in a second: 30 to 240.
    #[schema(minimum = 30, maximum = 240)]
    pub frame_rate: u32,
    /// How hard the encoder tries: `ultrafast` to `medium`, as libx264 names it.
    pub preset: VideoPreset,
    /// Constant quality: 10 to 40, lower is better.
    #[schema(minimum = 10, maximum = 40)]
    pub crf: u8,
    /// Pictures that are blended for one frame, for motion blur: 1 (none) to 16.
    #[schema(minimum = 1, maximum = 16)]
    pub blur_pictures: u32,
    /// Skips what is before the first object, down to two seconds.
    pub skip_intro: bool,
    /// The first second of the play that is shown, on the map's own time; its beginning if absent.
    pub start: Option<f64>,
    /// The last second of the play that is shown, on the map's own time; its end if absent.
    pub end: Option<f64>,
}

impl Default for VideoOptions {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            frame_rate: 60,
            preset: VideoPreset::Veryfast,
            crf: 20,
            blur_pictures: 1,
            skip_intro: true,
            start: None,
            end: None,
        }
    }
}

/// How hard the encoder tries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VideoPreset {
    /// Fastest, largest file.
    Ultrafast,
    /// Between the two others.
    Superfast,
    /// Good quality for its time.
    #[default]
    Veryfast,
    /// Slower, smaller.
    Faster,
    /// Slower still.
    Fast,
    /// The encoder's own default.
    Medium,
}

impl VideoPreset {
    /// All presets, by name.
    pub const NAMES: &[(&str, Self)] = &[
        ("ultrafast", Self::Ultrafast),
        ("superfast", Self::Superfast),
        ("veryfast", Self::Veryfast),
        ("faster", Self::Faster),
        ("fast", Self::Fast),
        ("medium", Self::Medium),
    ];
}

/// What lies behind the play.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackgroundOptions {
    /// How much it is darkened before the first object, in percent.
    #[schema(minimum = 0, maximum = 100)]
    pub dim_intro: u8,
    /// How much it is darkened while there is something to play, in percent.
    #[schema(minimum = 0, maximum = 100)]
    pub dim: u8,
    /// How much it is darkened in breaks, in percent.
    #[schema(minimum = 0, maximum = 100)]
    pub dim_breaks: u8,
    /// How much it is blurred, in percent.
    #[schema(minimum = 0, maximum = 100)]
    pub blur: u8,
    /// Whether the map's image is shown.
    pub image: bool,
    /// Whether the map's video is shown.
    pub video: bool,
    /// Whether the map's storyboard is shown.
    pub storyboard: bool,
}

impl Default for BackgroundOptions {
    fn default() -> Self {
        Self { dim_intro: 40, dim: 80, dim_breaks: 50, blur: 0, image: true, video: true, storyboard: true }
    }
}

/// Objects and cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlayOptions {
    /// Sliders grow out of their heads.
    pub snaking_in: bool,
    /// Sliders shrink behind the ball.
    pub snaking_out: bool,
    /// Points lead from one object to the next.
    pub follow_points: bool,
    /// The map's own colours are used.
    pub map_colours: bool,
    /// The map's own elements are used.
    pub map_skin: bool,
    /// The cursor's size, in percent: 20 to 300.
    #[schema(minimum = 20, maximum = 300)]
    pub cursor_size: u32,
    /// The cursor's trail.
    pub cursor_trail: bool,
    /// Smoke is shown.
    pub smoke: bool,
    /// Results such as 100 and miss are shown at their objects.
    pub hit_results: bool,
    /// 300 is shown too.
    pub hit_great: bool,
    /// How fast notes come in mania, 1 to 40.
    #[schema(minimum = 1, maximum = 40)]
    pub mania_scroll_speed: u32,
}

impl Default for PlayOptions {
    fn default() -> Self {
        Self {
            snaking_in: true,
            snaking_out: true,
            follow_points: true,
            map_colours: true,
            map_skin: true,
            cursor_size: 100,
            cursor_trail: true,
            smoke: true,
            hit_results: true,
            hit_great: false,
            mania_scroll_speed: 24,
        }
    }
}

/// What lies over the play.
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HudOptions {
    /// Size of everything in it, in percent: 50 to 200.
    #[schema(minimum = 50, maximum = 200)]
    pub scale: u32,
    /// How opaque it is, in percent: 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub opacity: u32,
    /// The score.
    pub score: bool,
    /// The combo.
    pub combo: bool,
    /// The accuracy.
    pub accuracy: bool,
    /// The life bar.
    pub life: bool,
    /// Which keys are pressed, and how often they were.
    pub keys: bool,
    /// How early and late presses are, with the unstable rate.
    pub hit_errors: bool,
    /// Where presses are on their objects.
    pub aim_errors: bool,
    /// pp.
    pub pp: bool,
    /// Counts of 300, 100, 50 and misses.
    pub counts: bool,
    /// How hard the map is over time.
    pub strains: bool,
    /// The mods.
    pub mods: bool,
    /// How far the play is.
    pub progress: bool,
    /// Who plays which map.
    pub names: bool,
}

impl Default for HudOptions {
    fn default() -> Self {
        Self {
            scale: 100,
            opacity: 100,
            score: true,
            combo: true,
            accuracy: true,
            life: true,
            keys: true,
            hit_errors: true,
            aim_errors: false,
            pp: true,
            counts: true,
            strains: true,
            mods: true,
            progress: true,
            names: true,
        }
    }
}

/// How it sounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SoundOptions {
    /// The song's volume, in percent: 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub music: u8,
    /// The samples' volume, in percent: 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub effects: u8,
    /// The map's own samples are used.
    pub map_samples: bool,
    /// Samples come from where their objects are.
    pub panning: bool,
    /// NightCore's drums are heard with it.
    pub nightcore_beats: bool,
    /// By how much samples are later than they should be, in milliseconds: -500 to 500.
    #[schema(minimum = -500, maximum = 500)]
    pub offset: i32,
}

impl Default for SoundOptions {
    fn default() -> Self {
        Self { music: 70, effects: 60, map_samples: true, panning: true, nightcore_beats: true, offset: 0 }
    }
}

/// What the captions tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CaptionOptions {
    /// Misses, and where the combo breaks.
    pub misses: bool,
    /// Breaks of the map, and the end.
    pub breaks: bool,
}

impl Default for CaptionOptions {
    fn default() -> Self {
        Self { misses: true, breaks: true }
    }
}

/// What the library says of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReplayReport {
    /// `osu`, `taiko` or `mania`.
    pub mode: String,
    /// Who played.
    pub player: String,
    /// When, in the replay's own words; absent where it says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub played_at: Option<chrono::DateTime<chrono::Utc>>,
    /// The song's artist.
    pub artist: String,
    /// The song's title.
    pub title: String,
    /// The difficulty's name.
    pub difficulty: String,
    /// Who made the map.
    pub creator: String,
    /// MD5 of the map.
    pub map_md5: String,
    /// The mods' short names.
    pub mods: Vec<String>,
    /// Whether the rules of lazer recorded it.
    pub lazer: bool,
    /// Stars with these mods.
    pub stars: f64,
    /// pp by the rules of today, as this play would get them.
    pub pp: f64,
    /// Accuracy, 0 to 1.
    pub accuracy: f64,
    /// The score that the replay's header holds.
    pub score: i64,
    /// The highest combo.
    pub max_combo: u32,
    /// Unstable rate: ten times the standard deviation of the presses' errors in milliseconds, as they were heard at the play's speed.
    pub unstable_rate: f64,
    /// Counts by name: `300`, `100`, `50`, `miss`; in mania `max` and `200` too; in lazer its own.
    pub counts: std::collections::BTreeMap<String, u32>,
    /// Breaks of the combo at sliders.
    pub slider_breaks: u32,
    /// Whether the play that is shown is the one that the replay's header counts.
    pub verification: Verification,
}

/// Whether the play that is shown is the one that the replay's header counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verification {
    /// All counts and the highest combo are those of the header.
    pub verified: bool,
    /// What differs, also where it does not decide (score, geki, katu).
    pub differences: Vec<Difference>,
}

/// A number that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Such as `count_100`, `max_combo`, `score`.
    pub name: String,
    /// In the replay's header.
    pub header: i64,
    /// As it was judged here.
    pub judged: i64,
}
