//! The offline engine: English speech to timed words on this machine's processors.
//!
//! A voice detector finds the speech, a recogniser writes what is said in chunks of up to 15 s, and an aligner times the
//! words. The models are loaded on first use and shared by everything that runs in the process; at most as many chunks
//! run at once as the configuration allows, over all callers. The work runs on blocking threads and stops soon after the
//! caller cancels or goes away.

mod aligner;
mod detector;
mod model;
mod recogniser;
mod regions;
mod words;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use contracts::transcript::Word;
use rten::ThreadPool;
use tokenizers::Tokenizer;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::audio::SAMPLE_RATE;
use crate::sample_range;
use crate::timeline::Clip;
use crate::{Control, TranscribeError};
use aligner::Aligner;
use detector::Detector;
use model::failed;
use recogniser::{Recogniser, SHORTEST};
use regions::Chunk;

/// The name of the model, for provenance.
pub(crate) const MODEL: &str = "moonshine-base-en-q8";

/// Finding the speech, as a share of the whole work, for progress.
const DETECTION_SHARE: f64 = 0.1;

/// Settings of the offline engine.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// The folder that holds `moonshine-base/` and `silero_vad.onnx`, as `deployment/local/models.sh` makes it.
    pub models_dir: PathBuf,
    /// How many processors to use at most, at least 1.
    pub threads: usize,
}

/// The offline engine; see the module.
pub(crate) struct LocalEngine {
    config: LocalConfig,
    models: OnceCell<Arc<Models>>,
    permits: Arc<Semaphore>,
}

/// Everything that is loaded.
struct Models {
    detector: Detector,
    recogniser: Recogniser,
    aligner: Aligner,
    tokenizer: Tokenizer,
}

struct Files {
    encoder: PathBuf,
    decoder: PathBuf,
    tokenizer: PathBuf,
    detector: PathBuf,
}

impl LocalEngine {
    pub fn new(config: LocalConfig) -> Result<Self, TranscribeError> {
        if config.threads == 0 {
            return Err(TranscribeError::BadConfig {
                reason: "the number of threads must be at least 1".to_owned(),
            });
        }
        let permits = Arc::new(Semaphore::new(config.threads));
        Ok(Self { config, models: OnceCell::new(), permits })
    }

    /// Checks that the model's files are there, without loading them.
    pub fn check(&self) -> Result<(), TranscribeError> {
        self.files().map(|_| ())
    }

    fn files(&self) -> Result<Files, TranscribeError> {
        let file = |name: &str| {
            let path = self.config.models_dir.join(name);
            if path.is_file() { Ok(path) } else { Err(TranscribeError::ModelMissing { path }) }
        };
        Ok(Files {
            encoder: file("moonshine-base/encoder_model.onnx")?,
            decoder: file("moonshine-base/decoder_model_merged.onnx")?,
            tokenizer: file("moonshine-base/tokenizer.json")?,
            detector: file("silero_vad.onnx")?,
        })
    }

    async fn models(&self) -> Result<Arc<Models>, TranscribeError> {
        let load = || async {
            let files = self.files()?;
            let threads = self.config.threads;
            let models = tokio::task::spawn_blocking(move || Models::open(&files, threads)).await;
            models.map_err(failed)?.map(Arc::new)
        };
        self.models.get_or_try_init(load).await.cloned()
    }

    /// The words said in each clip, with times in seconds on the montage.
    pub async fn words(
        &self,
        samples: &Arc<Vec<f32>>,
        clips: &[Clip],
        control: &Control,
    ) -> Result<Vec<Vec<Word>>, TranscribeError> {
        let models = self.models().await?;
        // Cancelled when this future is dropped too, so that no orphan keeps a processor busy.
        let cancel = control.cancel.child_token();
        let _guard = cancel.clone().drop_guard();

        let jobs = clips.iter().map(|clip| {
            let (models, samples, cancel) = (Arc::clone(&models), Arc::clone(samples), cancel.clone());
            let range = sample_range(clip, samples.len());
            move || models.chunks(&samples, range, &cancel)
        });
        let found = self.run(jobs.collect(), |share| control.report(share * DETECTION_SHARE)).await?;

        let owners: Vec<usize> =
            found.iter().enumerate().flat_map(|(clip, chunks)| chunks.iter().map(move |_| clip)).collect();
        let jobs = found.into_iter().flatten().map(|chunk| {
            let (models, samples, cancel) = (Arc::clone(&models), Arc::clone(samples), cancel.clone());
            move || models.words(&samples, &chunk, &cancel)
        });
        let report = |share: f64| control.report(DETECTION_SHARE + share * (1.0 - DETECTION_SHARE));
        let heard = self.run(jobs.collect(), report).await?;

        let mut words = vec![Vec::new(); clips.len()];
        for (clip, part) in owners.into_iter().zip(heard) {
            words[clip].extend(part);
        }
        control.report(1.0);
        Ok(words)
    }

    /// Runs jobs on blocking threads, as many at once as the engine has permits; gives their results in their order.
    async fn run<T: Send + 'static>(
        &self,
        jobs: Vec<impl FnOnce() -> Result<T, TranscribeError> + Send + 'static>,
        report: impl Fn(f64),
    ) -> Result<Vec<T>, TranscribeError> {
        let total = jobs.len();
        let mut set = JoinSet::new();
        for (index, job) in jobs.into_iter().enumerate() {
            let permits = Arc::clone(&self.permits);
            set.spawn(async move {
                let permit = permits.acquire_owned().await.map_err(failed)?;
                let done = tokio::task::spawn_blocking(move || {
                    // Given back by the thread, not by this task: a dropped task leaves its thread running.
                    let _permit = permit;
                    job()
                });
                done.await.map_err(failed)?.map(|value| (index, value))
            });
        }
        let mut results: Vec<Option<T>> = (0..total).map(|_| None).collect();
        let mut finished = 0;
        while let Some(done) = set.join_next().await {
            let (index, value) = done.map_err(failed)??;
            results[index] = Some(value);
            finished += 1;
            report(finished as f64 / total as f64);
        }
        Ok(results.into_iter().flatten().collect())
    }
}

impl Models {
    fn open(files: &Files, threads: usize) -> Result<Self, TranscribeError> {
        let pool = Arc::new(ThreadPool::with_num_threads(threads));
        let tokenizer = Tokenizer::from_file(&files.tokenizer)
            .map_err(|error| model::invalid(&files.tokenizer, error))?;
        let models = Self {
            detector: Detector::open(&files.detector, &pool)?,
            recogniser: Recogniser::open(&files.encoder, &files.decoder, &pool)?,
            aligner: Aligner::open(&files.decoder, &pool)?,
            tokenizer,
        };
        tracing::info!(model = MODEL, threads, "speech model loaded");
        Ok(models)
    }

    /// Finds the speech in a range of the samples; the chunks' positions are on the whole audio.
    fn chunks(
        &self,
        samples: &[f32],
        range: Range<usize>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Chunk>, TranscribeError> {
        let offset = range.start;
        let part = samples.get(range).unwrap_or_default();
        if part.len() < SHORTEST {
            return Ok(Vec::new());
        }
        let probabilities = self.detector.probabilities(part, || go_on(cancel))?;
        let mut chunks = regions::chunks(&regions::regions(&probabilities, part.len()), part);
        regions::narrow(&mut chunks, &probabilities, part.len());
        for range in chunks.iter_mut().flat_map(|chunk| chunk.voiced.iter_mut().chain([&mut chunk.range])) {
            *range = range.start + offset..range.end + offset;
        }
        Ok(chunks)
    }

    /// The words said in one chunk.
    fn words(
        &self,
        samples: &[f32],
        chunk: &Chunk,
        cancel: &CancellationToken,
    ) -> Result<Vec<Word>, TranscribeError> {
        let heard = match samples.get(chunk.range.clone()) {
            Some(part) if part.len() >= SHORTEST => self.recogniser.recognise(part, || go_on(cancel))?,
            _ => return Ok(Vec::new()),
        };
        if heard.tokens.is_empty() {
            return Ok(Vec::new());
        }
        let vocabulary: Vec<Option<String>> =
            heard.tokens.iter().map(|token| self.tokenizer.id_to_token(*token)).collect();
        let piece = |token: u32| {
            let at = heard.tokens.iter().position(|other| *other == token)?;
            vocabulary.get(at)?.as_deref()
        };
        let mut words = Vec::new();
        for tokens in words::group_tokens(&heard.tokens, piece) {
            let text = self.tokenizer.decode(&heard.tokens[tokens.clone()], true).map_err(failed)?;
            words.push((tokens, text.trim().to_owned()));
        }
        go_on(cancel)?;
        let times = self.aligner.token_times(&heard)?;
        let seconds = |sample: usize| (sample - chunk.range.start) as f64 / f64::from(SAMPLE_RATE);
        let voiced: Vec<(f64, f64)> =
            chunk.voiced.iter().map(|region| (seconds(region.start), seconds(region.end))).collect();
        let offset = chunk.range.start as f64 / f64::from(SAMPLE_RATE);
        Ok(words::time_words(words, &times, &voiced, offset))
    }
}

fn go_on(cancel: &CancellationToken) -> Result<(), TranscribeError> {
    if cancel.is_cancelled() { Err(TranscribeError::Cancelled) } else { Ok(()) }
}
