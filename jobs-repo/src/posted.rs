//! The schema of what may be posted, for the OpenAPI document: what is required, and what stands for the rest.
//!
//! It describes the decoder of `contracts::spec`, which accepts more than the answers hold; a test compares the two. Nothing
//! is ever decoded into these types.
#![expect(dead_code, reason = "only their schemas are used")]

use chrono::{DateTime, Utc};
use contracts::{
    ids::MontageId,
    job::JobKind,
    spec::{Audio, Canvas, Cut, Order, Source, Transition},
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

/// A job to be done.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedJob {
    /// The kind of result.
    kind: JobKind,
    /// That of the first highlight if absent.
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

/// What is asked for, by kind.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum PostedSpec {
    /// Of a `montage` job.
    Montage(PostedMontage),
    /// Of a `transcript` job.
    Transcript(PostedTranscript),
}

/// A montage of highlights.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostedMontage {
    /// The moments.
    #[schema(min_items = 1, max_items = 500)]
    highlights: Vec<PostedHighlight>,
    /// How clips are cut; `exact` if absent.
    cut: Option<Cut>,
    /// The picture that all clips are put on; what is absent is taken from the sources.
    canvas: Option<Canvas>,
    /// In which order the clips stand; `given` if absent.
    order: Option<Order>,
    /// How it sounds; -16 LUFS if absent.
    audio: Option<Audio>,
    /// What is between clips; `none` if absent.
    transition: Option<Transition>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::spec::{NewJob, SpecError};
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use utoipa::PartialSchema;

    /// The names that the decoder knows at a place: it lists them when it refuses one that resembles none.
    fn known_to_decoder(place: &str, kind: &str, spec: &Value) -> BTreeSet<String> {
        let mut sent = json!({ "kind": kind, "spec": spec });
        sent.pointer_mut(place).unwrap()["qqqqqqqqqqqqqqqq"] = json!(1);
        let Err(SpecError::Invalid(errors)) = NewJob::decode(&sent) else { panic!("{place} is refused") };
        let error = errors.iter().find(|error| error.pointer == format!("{place}/qqqqqqqqqqqqqqqq")).unwrap();
        let (_, names) = error.detail.split_once("known are ").unwrap();
        names.split(", ").map(str::to_owned).collect()
    }

    fn known_to_schema<T: PartialSchema>() -> BTreeSet<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_schema_and_the_decoder_agree() {
        let montage = json!({ "highlights": [{ "source": {} }], "transcribe": {} });
        let transcript = json!({ "montage": "x" });
        for (place, kind, spec, names) in [
            ("", "montage", &montage, known_to_schema::<PostedJob>()),
            ("/spec", "montage", &montage, known_to_schema::<PostedMontage>()),
            ("/spec/highlights/0", "montage", &montage, known_to_schema::<PostedHighlight>()),
            ("/spec/transcribe", "montage", &montage, known_to_schema::<PostedTranscribe>()),
            ("/spec", "transcript", &transcript, known_to_schema::<PostedTranscript>()),
        ] {
            assert_eq!(names, known_to_decoder(place, kind, spec), "{kind} {place}");
        }
    }
}
