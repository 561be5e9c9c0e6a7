//! The report: what a render worker says about the montage it made. Data only.

use contracts::replay::ReplayReport;
use serde::{Deserialize, Serialize};

use crate::facts::Probe;
use crate::plan::{Plan, SegmentKind};
use crate::time::FrameRate;

/// Name of the finished file in the job directory.
pub const MEDIA_FILE: &str = "media.mp4";
/// Name of the poster in the job directory.
pub const POSTER_FILE: &str = "poster.jpg";
/// Name of the HLS playlist over the finished file in the job directory.
pub const PLAYLIST_FILE: &str = "media.m3u8";
/// The sound of the whole montage in the job directory, while it is put together.
pub(crate) const TRACK_FILE: &str = "track";
/// Name of the preview sprites in the job directory.
pub const SPRITES_FILE: &str = "sprites.jpg";
/// Name of the montage's sound for transcription in the job directory: 16 kHz, mono, 16 bit, as long as the montage.
pub const SPEECH_FILE: &str = "speech.wav";

/// A finished and verified montage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The finished file.
    pub media: MediaFacts,
    /// Where the HLS stream lies in it.
    pub hls: HlsLayout,
    /// The clips, in order.
    pub clips: Vec<ClipReport>,
    /// What became of each segment of the picture, in order.
    pub segments: Vec<SegmentReport>,
    /// How the sound was made, for people: copied, or why it was encoded.
    pub sound: String,
    /// Segments and sounds that lay in the job directory already, and ones that were made.
    pub pieces_kept: u32,
    /// Pieces that were made.
    pub pieces_made: u32,
    /// Clips that were to be copied and did not pass their checks, with the reason; they were encoded.
    pub fallbacks: Vec<Fallback>,
    /// The preview sprites.
    pub sprites: Sprites,
    /// What was found in the sources, by source index; absent for a source that no clip uses.
    pub sources: Vec<Option<Probe>>,
    /// The plan that was carried out.
    pub plan: Plan,
    /// SHA-256 of the plan's canonical JSON, in hexadecimal.
    pub plan_hash: String,
    /// The checks that the file passed.
    pub checks: Vec<Check>,
    /// Versions of the libraries that made it.
    pub libraries: Vec<Library>,
    /// What kept the worker in bounds.
    pub sandbox: SandboxReport,
}

/// A plan, and what it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanReport {
    /// The plan.
    pub plan: Plan,
    /// Its [`Plan::hash`].
    pub plan_hash: String,
    /// What was found in the sources, by source index; absent for a source that no clip uses.
    pub sources: Vec<Option<Probe>>,
    /// What will not be as somebody may expect, for people.
    pub warnings: Vec<String>,
}

/// What is in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// What was found in it.
    pub probe: Probe,
    /// Where its picture can be decoded from, in ticks from the first one, ascending; empty where the container has no index.
    /// Evenly taken from all of them where they are too many.
    pub keyframes: Vec<i64>,
    /// How many there are in all.
    pub keyframes_total: u64,
}

/// Pieces that were made for a montage that is put together elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartsReport {
    /// Pieces that were made.
    pub made: u32,
    /// Pieces that lay in the job directory already.
    pub kept: u32,
    /// Clips of which a segment could not be copied, with the reason: they have to be planned anew.
    pub unfit: Vec<Fallback>,
}

/// What a worker gives for what it was asked to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A plan.
    Plan(Box<PlanReport>),
    /// A look into a source.
    Source(Box<SourceReport>),
    /// Pieces, in the job directory.
    Parts(PartsReport),
    /// A montage, in the job directory.
    Montage(Box<Report>),
    /// The video of a replay, in the job directory.
    Replay(Box<ReplayOutcome>),
}

/// The video of a replay, and what was played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayOutcome {
    /// The video: a montage whose clips are its chapters.
    pub report: Report,
    /// What was played, and whether it is what the replay counts.
    pub play: ReplayReport,
    /// What happens, in words, in order of time.
    pub captions: Vec<ReplayCaption>,
}

/// Something that happens in a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayCaption {
    /// Start on the video, in microseconds.
    pub from: i64,
    /// End on the video, in microseconds.
    pub to: i64,
    /// What.
    pub text: String,
}

/// Facts about the finished file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaFacts {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second.
    pub frame_rate: FrameRate,
    /// Number of frames.
    pub frames: u64,
    /// Length in ticks.
    pub duration_ticks: i64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Video codec, as in `h264`.
    pub video_codec: String,
    /// Audio codec, as in `aac`.
    pub audio_codec: String,
    /// Media type of the file.
    pub content_type: String,
}

/// The HLS stream within the finished file: what [`PLAYLIST_FILE`] says, as numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HlsLayout {
    /// Where the initialisation segment lies: offset and length in bytes.
    pub init: (u64, u64),
    /// The segments, in order.
    pub fragments: Vec<HlsFragment>,
}

/// One segment of the HLS stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HlsFragment {
    /// Its first byte in the file.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// How long it plays, in ticks.
    pub ticks: i64,
}

/// Where a clip went and what was done to it. All times in ticks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipReport {
    /// Position among the clips.
    pub index: u32,
    /// Index of its source.
    pub source: u32,
    /// Title of its chapter.
    pub title: String,
    /// Where it starts on the montage.
    pub montage_start_ticks: i64,
    /// Where it ends on the montage.
    pub montage_end_ticks: i64,
    /// Where it starts on the source.
    pub source_start_ticks: i64,
    /// Where it ends on the source.
    pub source_end_ticks: i64,
    /// Number of the source's frame that it starts with, counted in the source's rate.
    pub source_start_frame: u64,
    /// Number of frames on the montage.
    pub frames: u64,
    /// How many of them were encoded. In a dissolve a frame counts for the clip that comes.
    pub encoded_frames: u64,
    /// How many of them are the source's coded pictures, bit for bit.
    pub copied_frames: u64,
    /// How far its sound lies from its picture, in ticks: copied sound can only be placed on whole packets.
    pub sound_offset_ticks: i64,
    /// Loudness before levelling; absent for silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
}

/// A segment as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentReport {
    /// Index of its clip.
    pub clip: u32,
    /// How it was made.
    pub kind: SegmentKind,
    /// Its first frame on the montage.
    pub first_frame: u64,
    /// Number of frames.
    pub frames: u64,
    /// SHA-256 over the SHA-256 of its access units, in hexadecimal.
    pub sha256: String,
}

/// A clip that could not be copied as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// Its index.
    pub clip: u32,
    /// Why it was encoded.
    pub reason: String,
}

/// What was measured in a clip's sound and done to it (EBU R128).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated loudness, in LUFS.
    pub integrated_lufs: f64,
    /// True peak, in dBTP.
    pub true_peak_dbtp: f64,
    /// Gain that was applied, in dB.
    pub gain_db: f64,
}

/// A grid of small pictures, left to right and top to bottom, at even distances in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sprites {
    /// Width of one tile in pixels.
    pub tile_width: u32,
    /// Height of one tile in pixels.
    pub tile_height: u32,
    /// Tiles in a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Tiles in all; the last row may have empty places.
    pub count: u32,
    /// Frames between two tiles: tile `i` shows frame `i * interval_frames`, or the last independent picture before it.
    pub interval_frames: u64,
    /// Time between two tiles, in ticks.
    pub interval_ticks: i64,
}

/// One check of the finished file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name.
    pub name: String,
    /// Whether the file passed.
    pub passed: bool,
    /// What was found.
    pub detail: String,
}

/// A library that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// Name, as in `libavcodec`.
    pub name: String,
    /// Version.
    pub version: String,
}

/// What kept the worker in bounds. Older kernels offer less; the report says what was had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxReport {
    /// New programs get no more rights.
    pub no_new_privileges: bool,
    /// `full`, `partial` or `none`: writing only in the job directory.
    pub landlock: String,
    /// System calls for networks, new programs and other processes are refused.
    pub seccomp: bool,
}
