//! Speech to cues: what is said in a montage, in timed pieces.
//!
//! Three engines: `local` (an English model that runs here, offline), `openai` (any service with OpenAI's transcription
//! API) and `none`. All take 16 kHz mono samples and the clips of the montage, and transcribe each clip on its own, so
//! that no cue crosses a seam and every cue has one place on one source.
//!
//! Promises: cues are in order, do not overlap, lie inside their clip, are short enough to be read, and carry the time on
//! the montage and on the source. The library reads no environment. It fails with [`TranscribeError`], which knows
//! whether trying again can help; a failure is never a reason to lose the video (see [`Transcriber::failed`]).

pub mod audio;
pub mod cues;
mod error;
mod local;
mod openai;
pub mod timeline;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use contracts::transcript::{Engine, Transcript, TranscriptState, Word};
use tokio_util::sync::CancellationToken;

pub use error::TranscribeError;
pub use local::LocalConfig;
pub use openai::OpenAiConfig;
pub use timeline::Clip;

use audio::SAMPLE_RATE;

/// Which engine to use, with its settings.
#[derive(Debug, Clone)]
pub enum EngineConfig {
    /// No transcript.
    None,
    /// The offline model.
    Local(LocalConfig),
    /// A service with OpenAI's transcription API.
    OpenAi(OpenAiConfig),
}

/// How a caller stops a transcription and follows it.
#[derive(Clone, Default)]
pub struct Control {
    /// Cancelling it ends the work with [`TranscribeError::Cancelled`] within one step (tens of milliseconds).
    pub cancel: CancellationToken,
    /// Called with the share that is done, from 0 to 1, from the task that awaits the transcription.
    pub progress: Option<Arc<dyn Fn(f64) + Send + Sync>>,
}

impl Control {
    fn report(&self, share: f64) {
        if let Some(progress) = &self.progress {
            progress(share);
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Control").field("cancelled", &self.cancel.is_cancelled()).finish_non_exhaustive()
    }
}

/// Turns speech into transcripts. Cheap to clone; clones share the loaded model and its limits.
#[derive(Clone)]
pub struct Transcriber {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    None,
    Local(Arc<local::LocalEngine>),
    OpenAi(Arc<openai::OpenAiEngine>),
}

impl Transcriber {
    /// Makes a transcriber. Loads nothing and connects to nothing: the model is loaded on first use.
    ///
    /// # Errors
    /// [`TranscribeError::BadConfig`].
    pub fn new(config: EngineConfig) -> Result<Self, TranscribeError> {
        let kind = match config {
            EngineConfig::None => Kind::None,
            EngineConfig::Local(config) => Kind::Local(Arc::new(local::LocalEngine::new(config)?)),
            EngineConfig::OpenAi(config) => Kind::OpenAi(Arc::new(openai::OpenAiEngine::new(config)?)),
        };
        Ok(Self { kind })
    }

    /// The engine behind it.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match self.kind {
            Kind::None => Engine::None,
            Kind::Local(_) => Engine::Local,
            Kind::OpenAi(_) => Engine::Openai,
        }
    }

    /// The engine's model, where it has a name.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        match &self.kind {
            Kind::None => None,
            Kind::Local(_) => Some(local::MODEL),
            Kind::OpenAi(engine) => Some(engine.model()),
        }
    }

    /// Checks what can be checked without work: that the model's files are there.
    ///
    /// # Errors
    /// [`TranscribeError::ModelMissing`], whose message says how to get the model.
    pub fn check(&self) -> Result<(), TranscribeError> {
        match &self.kind {
            Kind::Local(engine) => engine.check(),
            Kind::None | Kind::OpenAi(_) => Ok(()),
        }
    }

    /// Transcribes the montage's audio, clip by clip. `samples` are 16 kHz mono ([`audio::read_wav`]); `clips` lie on
    /// them in order and do not overlap. What is outside of the clips is not heard.
    ///
    /// # Errors
    /// Any [`TranscribeError`]. Nothing of the transcript is given then, even where part of it was made.
    pub async fn transcribe(
        &self,
        samples: Arc<Vec<f32>>,
        clips: &[Clip],
        control: &Control,
    ) -> Result<Transcript, TranscribeError> {
        timeline::check(clips, samples.len() as f64 / f64::from(SAMPLE_RATE))?;
        if control.cancel.is_cancelled() {
            return Err(TranscribeError::Cancelled);
        }
        let (language, words) = match &self.kind {
            Kind::None => return Ok(self.transcript(TranscriptState::None)),
            Kind::Local(engine) => (Some("en".to_owned()), engine.words(&samples, clips, control).await?),
            Kind::OpenAi(engine) => engine.words(&samples, clips, control).await?,
        };
        let said =
            |(index, (words, clip)): (usize, (Vec<Word>, &Clip))| cues::cues_of_words(words, clip, index);
        let cues = words.into_iter().zip(clips).enumerate().flat_map(said).collect();
        Ok(Transcript { language, cues, ..self.transcript(TranscriptState::Complete) })
    }

    /// The transcript to publish when transcribing failed: it says so and why, and that it can be asked for again.
    #[must_use]
    pub fn failed(&self, error: &TranscribeError) -> Transcript {
        Transcript { reason: Some(error.to_string()), ..self.transcript(TranscriptState::Failed) }
    }

    fn transcript(&self, state: TranscriptState) -> Transcript {
        Transcript {
            state,
            engine: self.engine(),
            model: self.model().map(str::to_owned),
            language: None,
            reason: None,
            cues: Vec::new(),
        }
    }
}

/// The samples of a clip, within the audio.
fn sample_range(clip: &Clip, length: usize) -> Range<usize> {
    let sample = |seconds: f64| ((seconds * f64::from(SAMPLE_RATE)).round().max(0.0) as usize).min(length);
    sample(clip.start)..sample(clip.end)
}

impl fmt::Debug for Transcriber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Transcriber")
            .field("engine", &self.engine().as_str())
            .field("model", &self.model())
            .finish_non_exhaustive()
    }
}
