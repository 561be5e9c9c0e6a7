//! The engine that asks a service with OpenAI's transcription API, OpenAI's own or a self-hosted one.
//!
//! Audio travels as WAV, one request for each clip; a long clip is cut at quiet places into pieces far below the usual
//! limit of 25 MiB. Where the service times segments or words, those times are used; where it gives only text, pieces are
//! short and words are spread over them. Transient failures are tried again a few times; then the typed error is the
//! caller's. The key is sent to the configured address only: redirects are refused.

mod answer;
mod transport;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_openai::Client;
use async_openai::types::InputSource;
use async_openai::types::audio::{
    AudioInput, AudioResponseFormat, CreateTranscriptionRequest, TimestampGranularity,
};
use contracts::transcript::Word;
use futures::stream::{self, StreamExt, TryStreamExt};
use reqwest::Url;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::audio::{SAMPLE_RATE, encode_wav, peak, quietest};
use crate::timeline::Clip;
use crate::{Control, TranscribeError};
use answer::Answer;
use transport::Service;

/// The longest piece that is sent when the service gives times: 5 minutes, 9.6 MB.
const TIMED_PIECE: usize = 300 * SAMPLE_RATE as usize;
/// The longest piece when it gives only text, in which words are then spread: 15 seconds.
const TEXT_PIECE: usize = 15 * SAMPLE_RATE as usize;
/// Services refuse audio shorter than 0.1 s.
const SHORTEST: usize = SAMPLE_RATE as usize / 10;
/// A piece whose loudest sample is below this (-60 dB) is silence. Recognisers make words up on silence, and it would be paid for.
const SILENCE: f32 = 0.001;
/// The longest wait that a service may ask for before the failure is handed to the caller.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Settings of the service.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// The base address, up to and including the version, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key, where the service wants one.
    pub api_key: Option<SecretString>,
    /// The model, such as `whisper-1`.
    pub model: String,
    /// The ISO 639-1 language of the speech, where it is known; it makes recognition better.
    pub language: Option<String>,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// How often one request is tried, at least 1.
    pub attempts: u32,
    /// How many requests run at once, at least 1.
    pub parallel: usize,
}

impl OpenAiConfig {
    /// Settings for a service: no key, language unknown, 2 minutes, 3 attempts, 2 requests at once.
    #[must_use]
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            language: None,
            timeout: Duration::from_secs(120),
            attempts: 3,
            parallel: 2,
        }
    }
}

/// The engine; see the module.
pub(crate) struct OpenAiEngine {
    client: Client<Service>,
    endpoint: String,
    config: OpenAiConfig,
}

/// A part of one clip that is sent in one request.
struct Piece {
    clip: usize,
    range: Range<usize>,
}

impl OpenAiEngine {
    pub fn new(config: OpenAiConfig) -> Result<Self, TranscribeError> {
        let bad = |reason: String| TranscribeError::BadConfig { reason };
        let url = Url::parse(&config.base_url)
            .map_err(|error| bad(format!("the service's address is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(bad("the service's address must begin with http:// or https://".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(bad(
                "the service's address must not hold a password or a query; set the key instead".to_owned(),
            ));
        }
        if config.model.is_empty() {
            return Err(bad("the service's model is not set".to_owned()));
        }
        if config.attempts == 0 || config.parallel == 0 {
            return Err(bad("attempts and parallel requests must be at least 1".to_owned()));
        }
        let endpoint = url.as_str().trim_end_matches('/').to_owned();
        let client = transport::client(&endpoint, config.api_key.clone(), config.timeout)?;
        Ok(Self { client, endpoint, config })
    }

    pub fn model(&self) -> &str {
        &self.config.model
    }

    /// Whether the model gives times. OpenAI's `gpt-…` models answer with text only and refuse the detailed form.
    fn timed(&self) -> bool {
        !self.config.model.starts_with("gpt-")
    }

    /// The language, where it is known, and the words said in each clip, with times in seconds on the montage.
    pub async fn words(
        &self,
        samples: &Arc<Vec<f32>>,
        clips: &[Clip],
        control: &Control,
    ) -> Result<(Option<String>, Vec<Vec<Word>>), TranscribeError> {
        let longest = if self.timed() { TIMED_PIECE } else { TEXT_PIECE };
        let pieces: Vec<Piece> = pieces(samples, clips, longest);
        let total = pieces.len();
        let mut language = self.config.language.clone();
        let mut words = vec![Vec::new(); clips.len()];
        let mut answers = stream::iter(pieces)
            .map(|piece| async move {
                let answer = self.ask(&samples[piece.range.clone()], control).await?;
                Ok::<_, TranscribeError>((piece, answer))
            })
            .buffered(self.config.parallel);
        let mut finished = 0;
        while let Some((piece, answer)) = answers.try_next().await? {
            let part = &samples[piece.range.clone()];
            let offset = piece.range.start as f64 / f64::from(SAMPLE_RATE);
            words[piece.clip].extend(answer.words(part).into_iter().map(|word| Word {
                start: word.start + offset,
                end: word.end + offset,
                text: word.text,
            }));
            language = language.or_else(|| answer.language_code());
            finished += 1;
            control.report(finished as f64 / total as f64);
        }
        Ok((language, words))
    }

    /// Transcribes one piece, trying transient failures again.
    async fn ask(&self, samples: &[f32], control: &Control) -> Result<Answer, TranscribeError> {
        let wav = encode_wav(samples)?.into();
        let granularities = vec![TimestampGranularity::Segment, TimestampGranularity::Word];
        let request = CreateTranscriptionRequest {
            file: AudioInput { source: InputSource::Bytes { filename: "speech.wav".to_owned(), bytes: wav } },
            model: self.config.model.clone(),
            language: self.config.language.clone(),
            response_format: Some(if self.timed() {
                AudioResponseFormat::VerboseJson
            } else {
                AudioResponseFormat::Json
            }),
            timestamp_granularities: self.timed().then_some(granularities),
            ..CreateTranscriptionRequest::default()
        };
        let mut attempt = 1;
        loop {
            let audio = self.client.audio();
            let transcriptions = audio.transcription();
            let asked = unless_cancelled(&control.cancel, transcriptions.create_raw(request.clone())).await?;
            let error = match asked {
                Ok(bytes) => return Answer::parse(&bytes, &self.endpoint),
                Err(error) => transport::typed(error, &self.endpoint),
            };
            let wait =
                error.retry_after().unwrap_or(Duration::from_millis(500) * 2u32.pow(attempt.min(6) - 1));
            if !error.is_transient() || attempt >= self.config.attempts || wait > LONGEST_WAIT {
                return Err(error);
            }
            tracing::warn!(
                attempt,
                code = error.code(),
                wait_ms = wait.as_millis() as u64,
                "transcription request failed, will try again"
            );
            unless_cancelled(&control.cancel, tokio::time::sleep(wait)).await?;
            attempt += 1;
        }
    }
}

/// Waits for `work`, or for the cancelling, which goes first where both are there: work that fails in the moment of the
/// cancelling was cancelled, and must not look like a failure that is worth trying again.
async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, TranscribeError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(TranscribeError::Cancelled),
        done = work => Ok(done),
    }
}

/// What to send: each clip on its own, cut at quiet places to `longest` samples, without what is silent or too short.
fn pieces(samples: &[f32], clips: &[Clip], longest: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (clip, range) in clips.iter().map(|clip| crate::sample_range(clip, samples.len())).enumerate() {
        let mut rest = range;
        while rest.len() > longest {
            let at =
                quietest(samples, rest.start + longest / 2..rest.start + longest, SAMPLE_RATE as usize / 10);
            pieces.push(Piece { clip, range: rest.start..at });
            rest = at..rest.end;
        }
        pieces.push(Piece { clip, range: rest });
    }
    pieces.retain(|piece| {
        let part = samples.get(piece.range.clone()).unwrap_or_default();
        part.len() >= SHORTEST && peak(part) >= SILENCE
    });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stay_in_their_clip_and_below_the_limit() {
        let second = SAMPLE_RATE as usize;
        let mut samples = vec![0.5f32; 100 * second];
        samples[60 * second..70 * second].fill(0.0);
        let clip = |start: f64, end: f64| Clip { start, end, source_start: 0.0 };
        let clips = [clip(0.0, 40.0), clip(40.0, 40.05), clip(60.0, 70.0), clip(70.0, 80.0)];
        let found = pieces(&samples, &clips, 15 * second);
        assert!(found.iter().all(|piece| piece.range.len() <= 15 * second));
        assert_eq!(
            found.iter().filter(|piece| piece.clip == 0).map(|piece| piece.range.len()).sum::<usize>(),
            40 * second
        );
        assert!(!found.iter().any(|piece| piece.clip == 1), "too short to send");
        assert!(!found.iter().any(|piece| piece.clip == 2), "silent");
        assert_eq!(found.last().unwrap().range, 70 * second..80 * second);
    }

    #[tokio::test]
    async fn cancelling_goes_before_a_result_that_is_there_too() {
        let cancel = CancellationToken::new();
        assert_eq!(unless_cancelled(&cancel, std::future::ready(7)).await.unwrap(), 7);
        cancel.cancel();
        // Often: an order that is left to chance would be right half of the time.
        for _ in 0..64 {
            let outcome = unless_cancelled(&cancel, std::future::ready(7)).await;
            assert!(matches!(outcome, Err(TranscribeError::Cancelled)));
        }
    }

    #[test]
    fn wrong_settings_are_refused() {
        for (url, model) in [
            ("not a url", "m"),
            ("ftp://host/v1", "m"),
            ("https://user:secret@host/v1", "m"),
            ("https://host/v1", ""),
        ] {
            let error = OpenAiEngine::new(OpenAiConfig::new(url, model)).err().unwrap();
            assert_eq!(error.code(), "bad_config", "{url}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
