//! The schema of what may be posted, for the OpenAPI document: what is required, and what stands for the rest.
//!
//! It describes the decoder of `contracts::spec`, which accepts more than the answers hold; a test compares the two. Nothing
//! is ever decoded into these types.
#![expect(dead_code, clippy::large_enum_variant, reason = "only their schemas are used")]

use chrono::{DateTime, Utc};
use contracts::{
    ids::MontageId,
    job::Job,
    replay::ReplayOptions,
    spec::{CanvasCodec, CutMode, Order, Rgb, Source, TitleShow, TransitionKind},
    time::MediaTime,
    transcript::Engine,
};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One job, or a list of which either all or none are stored.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum PostedJobs {
    /// One job.
    One(PostedJob),
    /// 1 to 100 jobs.
    List(Vec<PostedJob>),
}

/// What `POST /v1/jobs` answers: a list where a list was posted.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum StoredJobs {
    /// The job.
    One(Job),
    /// The jobs, in the order in which they were posted.
    List(Vec<Job>),
}

/// What `POST /v1/plans` takes: a montage job, of which only the spec matters.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedPlan {
    /// `montage`, if it is there.
    kind: Option<PostedKind>,
    /// Has no meaning here.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// Have no meaning here.
    labels: Option<BTreeMap<String, String>>,
    /// Has no meaning here.
    #[schema(minimum = -100, maximum = 100)]
    priority: Option<i16>,
    /// Has no meaning here.
    run_at: Option<DateTime<Utc>>,
    /// The montage.
    spec: PostedMontage,
}

/// Which kinds of jobs are posted.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PostedKind {
    /// A montage of highlights.
    Montage,
    /// A new transcript for a montage that is in the library.
    Transcript,
    /// The video of a game's replay.
    Replay,
}

/// A job to be done.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedJob {
    /// The kind of result.
    kind: PostedKind,
    /// That of the first highlight if absent; of a replay, what was played.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// Names (1 to 63 of a-z, 0-9, _ - .) and values (up to 200 characters) of your own, at most 32.
    labels: Option<BTreeMap<String, String>>,
    /// Higher goes first.
    #[schema(minimum = -100, maximum = 100, default = 0)]
    priority: Option<i16>,
    /// Not before this moment; at once if absent.
    run_at: Option<DateTime<Utc>>,
    /// What is asked for, by kind.
    spec: PostedSpec,
}

/// What `PATCH /v1/jobs/{id}` takes.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobPatch {
    /// Another title.
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    /// Labels to add or change, by the rules of posting, and with null those to remove.
    labels: Option<BTreeMap<String, Option<String>>>,
    /// Higher goes first.
    #[schema(minimum = -100, maximum = 100)]
    priority: Option<i16>,
}

/// What is asked for, by kind.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum PostedSpec {
    /// Of a `montage` job.
    Montage(PostedMontage),
    /// Of a `transcript` job.
    Transcript(PostedTranscript),
    /// Of a `replay` job.
    Replay(PostedReplay),
}

/// A montage of highlights.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedMontage {
    /// The moments.
    #[schema(min_items = 1, max_items = 500)]
    highlights: Vec<PostedHighlight>,
    /// How clips are cut; `exact` if absent.
    cut: Option<PostedCut>,
    /// The picture that all clips are put on; what is absent is taken from the sources.
    canvas: Option<PostedCanvas>,
    /// In which order the clips stand; `given` if absent.
    order: Option<Order>,
    /// How it sounds; -16 LUFS if absent.
    audio: Option<PostedAudio>,
    /// What is between clips; nothing if absent.
    transition: Option<PostedTransition>,
    /// What is written over each clip; nothing if absent.
    titles: Option<PostedTitles>,
    /// What stands before the first clip.
    intro: Option<PostedBookend>,
    /// What stands after the last clip.
    outro: Option<PostedBookend>,
    /// How it is transcribed.
    transcribe: Option<PostedTranscribe>,
}

/// A moment worth showing. Exactly one of `duration` and `end` is required.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedHighlight {
    /// Where the video is.
    source: Source,
    /// Where the clip starts on the source.
    start: MediaTime,
    /// How long it is.
    duration: Option<MediaTime>,
    /// Where it ends on the source, instead of a duration.
    end: Option<MediaTime>,
    /// Its chapter.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// Who is seen.
    #[schema(max_length = 100)]
    streamer: Option<String>,
    /// The higher the better.
    score: Option<f64>,
    /// How this clip is cut, where it differs from the whole.
    cut: Option<PostedCut>,
}

/// How clips are cut.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedCut {
    /// `exact` if absent.
    mode: Option<CutMode>,
    /// How far start and end may each move, with `snap` and `auto`: up to 10 seconds; half a second if absent.
    tolerance: Option<MediaTime>,
}

/// The picture that all clips are put on.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedCanvas {
    /// `auto` if absent.
    codec: Option<CanvasCodec>,
    /// In pixels, even; goes with the height.
    #[schema(minimum = 16, maximum = 7680)]
    width: Option<u32>,
    /// In pixels, even; goes with the width.
    #[schema(minimum = 16, maximum = 4320)]
    height: Option<u32>,
    /// Such as `30`, `29.97` or `30000/1001`; 1 to 120. A number is accepted too.
    #[schema(max_length = 20)]
    frame_rate: Option<String>,
}

/// How it sounds.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedAudio {
    /// Integrated loudness that every clip is levelled to (EBU R128); -16 if absent. Null for no levelling.
    #[schema(minimum = -40, maximum = -5, default = -16)]
    loudness_lufs: Option<f64>,
}

/// What is between clips.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedTransition {
    /// `none` if absent.
    kind: Option<TransitionKind>,
    /// 0.1 to 5 seconds, for all kinds but `none`; half a second if absent.
    duration: Option<MediaTime>,
    /// What `dip` passes through; white if absent.
    colour: Option<Rgb>,
}

/// What is written over the lower third of each clip when it begins.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedTitles {
    /// `none` if absent.
    show: Option<TitleShow>,
    /// For how long: 0.5 to 60 seconds, unless nothing is shown; four seconds if absent.
    seconds: Option<MediaTime>,
}

/// A clip before or after all others. The whole source, unless something else is said.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedBookend {
    /// Where the video is.
    source: Source,
    /// Where it starts on the source; at its beginning if absent.
    start: Option<MediaTime>,
    /// How long it is.
    duration: Option<MediaTime>,
    /// Where it ends on the source, instead of a duration.
    end: Option<MediaTime>,
}

/// How a montage is transcribed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedTranscribe {
    /// Which engine; `local` if absent.
    engine: Option<Engine>,
    /// BCP 47 language of the speech, such as `en`; the engine's default if absent.
    #[schema(max_length = 35)]
    language: Option<String>,
}

/// A new transcript for a montage of the library.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedTranscript {
    /// Which montage.
    montage: MontageId,
    /// How it is transcribed.
    transcribe: Option<PostedTranscribe>,
}

/// The video of a replay of osu!, osu!taiko or osu!mania. Its files are links, uploads or files of media directories.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedReplay {
    /// The replay: an .osr file.
    replay: Source,
    /// The map that was played: an .osz archive, or one .osu file.
    map: Source,
    /// The song, where the map is one .osu file.
    audio: Option<Source>,
    /// A skin: an .osk archive. Without one the video has its own looks.
    skin: Option<Source>,
    /// How it looks and sounds; what is absent has its default.
    options: Option<ReplayOptions>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::spec::{JobChange, NewJob, SpecError};
    use contracts::{problem::FieldError, replay};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use utoipa::PartialSchema;

    /// The names that the decoder knows at a place: it lists them when it refuses one that resembles none.
    fn known_to_decoder(place: &str, kind: &str, spec: &Value) -> BTreeSet<String> {
        let mut sent = json!({ "kind": kind, "spec": spec });
        sent.pointer_mut(place).unwrap()["qqqqqqqqqqqqqqqq"] = json!(1);
        let Err(SpecError::Invalid(errors)) = NewJob::decode(&sent) else { panic!("{place} is refused") };
        names_in(&errors, &format!("{place}/qqqqqqqqqqqqqqqq"))
    }

    fn names_in(errors: &[FieldError], pointer: &str) -> BTreeSet<String> {
        let error = errors.iter().find(|error| error.pointer == pointer).unwrap();
        let (_, names) = error.detail.split_once("known are ").unwrap();
        names.split(", ").map(str::to_owned).collect()
    }

    fn known_to_schema<T: PartialSchema>() -> BTreeSet<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_and_the_decoder_agree() {
        let montage = json!({
            "highlights": [{ "source": {}, "cut": {} }], "cut": {}, "canvas": {}, "audio": {}, "transition": {}, "titles": {},
            "intro": {}, "outro": {}, "transcribe": {} });
        let transcript = json!({ "montage": "x" });
        let replay = json!({
            "options": { "video": {}, "background": {}, "play": {}, "hud": {}, "sound": {}, "captions": {} } });
        for (place, kind, spec, names) in [
            ("", "montage", &montage, known_to_schema::<PostedJob>()),
            ("", "montage", &montage, known_to_schema::<PostedPlan>()),
            ("/spec", "montage", &montage, known_to_schema::<PostedMontage>()),
            ("/spec/highlights/0", "montage", &montage, known_to_schema::<PostedHighlight>()),
            ("/spec/highlights/0/cut", "montage", &montage, known_to_schema::<PostedCut>()),
            ("/spec/cut", "montage", &montage, known_to_schema::<PostedCut>()),
            ("/spec/canvas", "montage", &montage, known_to_schema::<PostedCanvas>()),
            ("/spec/audio", "montage", &montage, known_to_schema::<PostedAudio>()),
            ("/spec/transition", "montage", &montage, known_to_schema::<PostedTransition>()),
            ("/spec/titles", "montage", &montage, known_to_schema::<PostedTitles>()),
            ("/spec/intro", "montage", &montage, known_to_schema::<PostedBookend>()),
            ("/spec/outro", "montage", &montage, known_to_schema::<PostedBookend>()),
            ("/spec/transcribe", "montage", &montage, known_to_schema::<PostedTranscribe>()),
            ("/spec", "transcript", &transcript, known_to_schema::<PostedTranscript>()),
            ("/spec", "replay", &replay, known_to_schema::<PostedReplay>()),
            ("/spec/options", "replay", &replay, known_to_schema::<ReplayOptions>()),
            ("/spec/options/video", "replay", &replay, known_to_schema::<replay::VideoOptions>()),
            ("/spec/options/background", "replay", &replay, known_to_schema::<replay::BackgroundOptions>()),
            ("/spec/options/play", "replay", &replay, known_to_schema::<replay::PlayOptions>()),
            ("/spec/options/hud", "replay", &replay, known_to_schema::<replay::HudOptions>()),
            ("/spec/options/sound", "replay", &replay, known_to_schema::<replay::SoundOptions>()),
            ("/spec/options/captions", "replay", &replay, known_to_schema::<replay::CaptionOptions>()),
        ] {
            assert_eq!(names, known_to_decoder(place, kind, spec), "{kind} {place}");
        }
        let refused = JobChange::decode(&json!({ "qqqqqqqqqqqqqqqq": 1 }), &BTreeMap::new()).unwrap_err();
        assert_eq!(known_to_schema::<JobPatch>(), names_in(&refused, "/qqqqqqqqqqqqqqqq"));
    }
}
