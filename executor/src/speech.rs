//! Speech to cues for an attempt: chooses the engine, bounds its time, and keeps the attempt from looking stalled meanwhile.

use std::{path::Path, sync::Arc, time::Duration};

use contracts::{
    job::Stage,
    spec::Transcribe,
    transcript::{Engine, Transcript, TranscriptState},
};
use tokio::{task::spawn_blocking, time::timeout};
use transcribe::{Clip, Control, EngineConfig, OpenAiConfig, TranscribeError, Transcriber};

use crate::{attempt::Attempt, config::TranscribeConfig};

/// What every transcription may take, however short the speech: loading a model, waiting for a busy service.
const LEAST: Duration = Duration::from_secs(300);
/// Beyond that, so many times the length of the speech.
const TIMES: u32 = 5;

/// The engines of this process.
#[derive(Debug)]
pub struct Engines {
    local: Transcriber,
    openai: OpenAiConfig,
}

/// A transcription that gave nothing: why, and whether it may work another time.
#[derive(Debug)]
pub struct Untranscribed {
    /// Stable name.
    pub code: &'static str,
    /// For a person.
    pub reason: String,
    /// Whether it may work another time.
    pub transient: bool,
    /// What the service asked to wait.
    pub retry_after: Option<Duration>,
    /// The engine's model, where it has a name.
    pub model: Option<String>,
}

impl Engines {
    /// The engines. Nothing is loaded yet: the local model is, with its first use.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub fn new(config: TranscribeConfig) -> Result<Self, TranscribeError> {
        Ok(Self { local: Transcriber::new(EngineConfig::Local(config.local))?, openai: config.openai })
    }

    fn choose(&self, wish: &Transcribe) -> Result<Transcriber, TranscribeError> {
        match wish.engine {
            Engine::None => Transcriber::new(EngineConfig::None),
            Engine::Play => Err(TranscribeError::BadConfig {
                reason: "the engine `play` tells what happens in a replay; speech needs another".to_owned(),
            }),
            Engine::Local => match &wish.language {
                Some(language) if !is_english(language) => Err(TranscribeError::BadConfig {
                    reason: format!(
                        "the local engine understands English only, not `{language}`; use the engine `openai`"
                    ),
                }),
                _ => Ok(self.local.clone()),
            },
            Engine::Openai => {
                // The service takes the language without its region.
                let language =
                    wish.language.as_deref().and_then(|tag| tag.split('-').next()).map(str::to_owned);
                let default = self.openai.language.clone();
                Transcriber::new(EngineConfig::OpenAi(OpenAiConfig {
                    language: language.or(default),
                    ..self.openai.clone()
                }))
            }
        }
    }
}

fn is_english(tag: &str) -> bool {
    tag.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case("en"))
}

/// Transcribes the speech in `wav` clip by clip.
///
/// # Errors
/// [`Untranscribed`]. It holds no path and no key.
pub async fn transcribe(
    attempt: &Attempt<'_>,
    wish: &Transcribe,
    wav: &Path,
    clips: &[Clip],
) -> Result<Transcript, Untranscribed> {
    attempt.reporter.stage(Stage::Transcribing, 0.0);
    let transcriber = attempt.shop.engines.choose(wish).map_err(|error| untranscribed(&error, None))?;
    let model = transcriber.model().map(str::to_owned);
    let failed = |error: &TranscribeError| untranscribed(error, model.clone());
    let path = wav.to_owned();
    let samples = spawn_blocking(move || transcribe::audio::read_wav(&path))
        .await
        .map_err(|_| failed(&bad_audio("reading it was interrupted")))?
        // The reader's own words may name a path of this machine.
        .map_err(|error| {
            tracing::warn!(%error, "the speech of a montage cannot be read");
            failed(&bad_audio("the sound that was made for it cannot be read"))
        })?;
    let seconds = u32::try_from(samples.len() / transcribe::audio::SAMPLE_RATE as usize).unwrap_or(u32::MAX);
    let wanted = LEAST + Duration::from_secs(u64::from(seconds) * u64::from(TIMES));
    // Enough of the attempt's time is left to publish what there is.
    let limit = wanted.min(attempt.lease.time_left().mul_f64(0.8));
    let reporter = Arc::clone(&attempt.reporter);
    let control = Control {
        cancel: attempt.lease.stop_token(),
        progress: Some(Arc::new(move |share| reporter.stage(Stage::Transcribing, share))),
    };
    let work = timeout(limit, transcriber.transcribe(Arc::new(samples), clips, &control));
    match attempt.reporter.while_it_lasts(work).await {
        Ok(Ok(transcript)) => Ok(transcript),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(Untranscribed {
            code: "transcription_timeout",
            reason: format!("transcribing took longer than {} s", limit.as_secs()),
            transient: true,
            retry_after: None,
            model,
        }),
    }
}

impl Untranscribed {
    /// The transcript of a montage that is published without its cues.
    #[must_use]
    pub fn into_transcript(self, wish: &Transcribe) -> Transcript {
        Transcript {
            state: TranscriptState::Failed,
            engine: wish.engine,
            model: self.model,
            language: wish.language.clone(),
            reason: Some(self.reason),
            cues: Vec::new(),
        }
    }
}

fn bad_audio(reason: &str) -> TranscribeError {
    TranscribeError::BadAudio { reason: reason.to_owned() }
}

fn untranscribed(error: &TranscribeError, model: Option<String>) -> Untranscribed {
    let reason = match error {
        // Its message names a folder of this machine, which is the operator's business.
        TranscribeError::ModelMissing { .. } | TranscribeError::ModelInvalid { .. } => {
            tracing::error!(%error, "the local speech model cannot be used");
            "the executor has no usable speech model; its operator can get one with deployment/local/models.sh".to_owned()
        }
        error => error.to_string(),
    };
    Untranscribed {
        code: error.code(),
        reason,
        transient: error.is_transient(),
        retry_after: error.retry_after(),
        model,
    }
}
