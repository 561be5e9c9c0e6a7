//! The offline engine on real speech.

use std::sync::Arc;

use contracts::transcript::{Engine, Transcript, TranscriptState};
use transcribe::audio::SAMPLE_RATE;
use transcribe::{Clip, Control, EngineConfig, LocalConfig, TranscribeError, Transcriber};

use crate::support::{compose, find, local_engine, loud_bounds, said, speech, word_error_rate};

const JFK: &str = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your \
                   country.";
const TWO_CITIES: &str = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it \
     was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of \
     Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing \
     before us, we were all going direct to Heaven, we were all going direct the other way. In short, the period was so \
     far like the present period, that some of its noisiest authorities insisted on its being received, for good or for \
     evil, in the superlative degree of comparison only.";

fn whole(samples: &[f32]) -> Clip {
    Clip { start: 0.0, end: samples.len() as f64 / f64::from(SAMPLE_RATE), source_start: 0.0 }
}

async fn transcribe(engine: &Transcriber, samples: Vec<f32>, clips: &[Clip]) -> Transcript {
    let transcript = engine.transcribe(Arc::new(samples), clips, &Control::default()).await.unwrap();
    for cue in &transcript.cues {
        // Shown when a test fails.
        println!("{:7.3} {:7.3} {}", cue.start, cue.end, cue.text);
        println!(
            "   {}",
            cue.words
                .iter()
                .map(|w| format!("{}@{:.2}-{:.2}", w.text, w.start, w.end))
                .collect::<Vec<_>>()
                .join(" ")
        );
    }
    transcript
}

#[tokio::test]
async fn read_speech_is_recognised() {
    let (Some(engine), Some(samples)) = (local_engine(), speech("two_cities.wav")) else { return };
    let clip = whole(&samples);
    let transcript = transcribe(&engine, samples, &[clip]).await;
    let rate = word_error_rate(TWO_CITIES, &said(&transcript.cues));
    assert!(rate <= 0.08, "word error rate {rate:.3}");
    assert_eq!((transcript.engine, transcript.state), (Engine::Local, TranscriptState::Complete));
    assert_eq!(transcript.language.as_deref(), Some("en"));
    assert!(transcript.cues.len() >= 8, "one cue for about each six seconds at least");
}

#[tokio::test]
async fn words_are_where_they_were_said() {
    let (Some(engine), Some(jfk)) = (local_engine(), speech("jfk.flac")) else { return };
    let (first, last) = loud_bounds(&jfk, 0.05);
    let starts = [3.0, 20.0];
    let samples = compose(34.0, &starts.map(|at| (at, jfk.as_slice())));
    let clips = [
        Clip { start: 0.0, end: 17.0, source_start: 100.0 },
        Clip { start: 17.0, end: 34.0, source_start: 7.5 },
    ];
    let transcript = transcribe(&engine, samples, &clips).await;
    let cues = &transcript.cues;
    assert!(word_error_rate(&format!("{JFK} {JFK}"), &said(cues)) <= 0.1, "{}", said(cues));
    for (index, at) in starts.into_iter().enumerate() {
        let mine: Vec<_> = cues.iter().filter(|cue| cue.clip == index).cloned().collect();
        let (start, end) = (mine[0].start, mine[mine.len() - 1].end);
        assert!(
            (start - (at + first)).abs() < 0.5,
            "speech begins at {} and the cues at {start}",
            at + first
        );
        assert!((end - (at + last)).abs() < 0.5, "speech ends at {} and the cues at {end}", at + last);
        // Kennedy pauses before these words: where the level (20 ms RMS) rises above -34 dB again in the recording.
        for (word, nth, truth) in [("ask", 0, 3.28), ("what", 0, 5.40), ("ask", 1, 8.18)] {
            let found = find(&mine, word)[nth].start;
            assert!((found - (at + truth)).abs() < 0.5, "{word} is at {} and was put at {found}", at + truth);
        }
        for cue in &mine {
            assert!(
                (cue.source_start - (clips[index].source_start + cue.start - clips[index].start)).abs()
                    < 2e-3
            );
        }
    }
}

#[tokio::test]
async fn no_cue_crosses_a_seam() {
    let (Some(engine), Some(jfk)) = (local_engine(), speech("jfk.flac")) else { return };
    let end = whole(&jfk).end;
    // In the middle of "your country can do for you".
    let clips =
        [Clip { start: 0.0, end: 6.2, source_start: 0.0 }, Clip { start: 6.2, end, source_start: 50.0 }];
    let transcript = transcribe(&engine, jfk, &clips).await;
    for cue in &transcript.cues {
        let clip = &clips[cue.clip];
        assert!(clip.start - 1e-3 <= cue.start && cue.end <= clip.end + 1e-3, "{cue:?}");
    }
    assert!(
        transcript.cues.iter().any(|cue| cue.clip == 0) && transcript.cues.iter().any(|cue| cue.clip == 1)
    );
}

#[tokio::test]
async fn silence_and_noise_say_nothing() {
    let Some(engine) = local_engine() else { return };
    let mut state = 1u32;
    let noise = (0..10 * SAMPLE_RATE).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0 * 0.2 - 0.1
    });
    let samples: Vec<f32> = std::iter::repeat_n(0.0, 10 * SAMPLE_RATE as usize).chain(noise).collect();
    let clips = [
        Clip { start: 0.0, end: 10.0, source_start: 0.0 },
        Clip { start: 10.0, end: 19.95, source_start: 0.0 },
        Clip { start: 19.95, end: 20.0, source_start: 0.0 },
    ];
    assert!(transcribe(&engine, samples, &clips).await.cues.is_empty());
}

#[tokio::test]
async fn a_cancelled_transcription_ends() {
    let (Some(engine), Some(samples)) = (local_engine(), speech("two_cities.wav")) else { return };
    let clip = whole(&samples);
    let control = Control::default();
    let cancel = control.cancel.clone();
    // Cancels in the midst of the work: at the first sign of progress.
    let control = Control { progress: Some(Arc::new(move |_| cancel.cancel())), ..control };
    let error = engine.transcribe(Arc::new(samples), &[clip], &control).await.unwrap_err();
    assert!(matches!(error, TranscribeError::Cancelled), "{error}");
}

#[tokio::test]
async fn a_missing_or_broken_model_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = LocalConfig { models_dir: folder.path().to_owned(), threads: 1 };
    let engine = Transcriber::new(EngineConfig::Local(config)).unwrap();
    let samples = Arc::new(vec![0.0; SAMPLE_RATE as usize]);
    let clips = [Clip { start: 0.0, end: 1.0, source_start: 0.0 }];
    let error = engine.transcribe(Arc::clone(&samples), &clips, &Control::default()).await.unwrap_err();
    assert_eq!((error.code(), error.is_transient()), ("model_missing", false));
    assert!(error.to_string().contains("deployment/local/models.sh"), "{error}");
    let published = engine.failed(&error);
    assert_eq!(published.state, TranscriptState::Failed);
    assert_eq!(published.reason, Some(error.to_string()));

    std::fs::create_dir(folder.path().join("moonshine-base")).unwrap();
    for name in ["encoder_model.onnx", "decoder_model_merged.onnx", "tokenizer.json"] {
        std::fs::write(folder.path().join("moonshine-base").join(name), "not a model").unwrap();
    }
    std::fs::write(folder.path().join("silero_vad.onnx"), "not a model").unwrap();
    assert!(engine.check().is_ok(), "the files are there");
    let error = engine.transcribe(samples, &clips, &Control::default()).await.unwrap_err();
    assert_eq!(error.code(), "model_invalid", "{error}");
}
