//! Sample media, the model, and measures that the tests share.

use std::path::{Path, PathBuf};
use std::process::Command;

use contracts::transcript::{Cue, Word};
use transcribe::audio::{SAMPLE_RATE, read_wav};
use transcribe::{EngineConfig, LocalConfig, Transcriber};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The offline engine, or none with a line that says why.
pub fn local_engine() -> Option<Transcriber> {
    let models_dir =
        std::env::var_os("SM_MODELS_DIR").map_or_else(|| repository().join(".local/models"), PathBuf::from);
    let engine = Transcriber::new(EngineConfig::Local(LocalConfig { models_dir, threads: 2 })).unwrap();
    match engine.check() {
        Ok(()) => Some(engine),
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{error}"),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

/// Samples of a file of the sample media, decoded by ffmpeg, or none with a line that says why.
pub fn speech(name: &str) -> Option<Vec<f32>> {
    let folder = std::env::var_os("SM_TEST_MEDIA")
        .map_or_else(|| repository().join("../shared/testdata/media"), PathBuf::from);
    let path = folder.join(name);
    if !path.is_file() {
        println!("skipped: there is no {}; set SM_TEST_MEDIA", path.display());
        return None;
    }
    let out = tempfile::tempdir().unwrap();
    let wav = out.path().join("speech.wav");
    let decoded = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(&path)
        .args(["-vn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le"])
        .arg(&wav)
        .status();
    match decoded {
        Ok(status) if status.success() => Some(read_wav(&wav).unwrap()),
        Ok(status) => panic!("ffmpeg could not decode {name}: {status}"),
        Err(error) => panic!("ffmpeg is needed to decode the sample media: {error}"),
    }
}

/// Silence of `seconds`, with the speech laid in at the given seconds.
pub fn compose(seconds: f64, parts: &[(f64, &[f32])]) -> Vec<f32> {
    let mut samples = vec![0.0; (seconds * f64::from(SAMPLE_RATE)) as usize];
    for (at, part) in parts {
        let start = (at * f64::from(SAMPLE_RATE)) as usize;
        samples[start..start + part.len()].copy_from_slice(part);
    }
    samples
}

/// The first and last moment, in seconds, at which the audio is louder than `level`: where known speech truly is.
pub fn loud_bounds(samples: &[f32], level: f32) -> (f64, f64) {
    let second = |index: usize| index as f64 / f64::from(SAMPLE_RATE);
    let loud = |sample: &f32| sample.abs() > level;
    (second(samples.iter().position(loud).unwrap()), second(samples.iter().rposition(loud).unwrap()))
}

/// Lower-case words without punctuation.
pub fn bare_words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase())
        .filter(|word| !word.is_empty())
        .collect()
}

pub fn said(cues: &[Cue]) -> String {
    cues.iter().map(|cue| cue.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Every word of the cues whose bare form is `wanted`.
pub fn find<'a>(cues: &'a [Cue], wanted: &str) -> Vec<&'a Word> {
    cues.iter().flat_map(|cue| &cue.words).filter(|word| bare_words(&word.text) == [wanted]).collect()
}

/// Words that were inserted, left out or changed, over the words that were said.
pub fn word_error_rate(truth: &str, heard: &str) -> f64 {
    let (truth, heard) = (bare_words(truth), bare_words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in truth.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in heard.iter().enumerate() {
            let change = diagonal + usize::from(word != other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[heard.len()] as f64 / truth.len() as f64
}
