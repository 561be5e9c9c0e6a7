//! What can go wrong in a transcription, and whether trying again later can help.
//!
//! Messages say what a person has to do next. They never hold a key, nor the body of a service's answer
//! beyond its own short message.

use std::path::PathBuf;
use std::time::Duration;

/// Why a transcription gave no result.
#[derive(Debug, thiserror::Error)]
pub enum TranscribeError {
    /// A file of the local model is not there.
    #[error(
        "the speech model is missing: there is no {}; run deployment/local/models.sh, or point SM_MODELS_DIR at the \
         folder that holds it",
        .path.display()
    )]
    ModelMissing {
        /// The first file that is missing.
        path: PathBuf,
    },
    /// A file of the local model is there but cannot be used.
    #[error(
        "the speech model file {} cannot be used ({reason}); run deployment/local/models.sh to replace it",
        .path.display()
    )]
    ModelInvalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model was loaded but a computation failed.
    #[error("the speech model failed: {reason}")]
    Inference {
        /// What the runtime said.
        reason: String,
    },
    /// The service cannot be reached, answers too late, or reports an error of its own.
    #[error(
        "the transcription service at {endpoint} is unavailable ({reason}); check SM_OPENAI_BASE_URL and the service"
    )]
    EngineUnavailable {
        /// The service's base address.
        endpoint: String,
        /// A short reason.
        reason: String,
    },
    /// The service asks to slow down.
    #[error("the transcription service limits the rate of requests; try again later")]
    RateLimited {
        /// How long the service asks to wait, where it says so.
        retry_after: Option<Duration>,
    },
    /// The service understood the request and refuses it: a wrong key, an unknown model, no quota.
    #[error("the transcription service refused the request with status {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The service's own message, shortened.
        reason: String,
    },
    /// The service answered with something that is not a transcription.
    #[error("the transcription service at {endpoint} gave an answer that is not a transcription: {reason}")]
    BadAnswer {
        /// The service's base address.
        endpoint: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The audio, or the spans on it, cannot be used.
    #[error("the audio cannot be transcribed: {reason}")]
    BadAudio {
        /// What is wrong.
        reason: String,
    },
    /// The engine's configuration cannot be used.
    #[error("the transcription settings are wrong: {reason}")]
    BadConfig {
        /// What is wrong, naming the setting.
        reason: String,
    },
    /// The caller cancelled.
    #[error("the transcription was cancelled")]
    Cancelled,
}

impl TranscribeError {
    /// A stable code for logs, events and provenance.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ModelMissing { .. } => "model_missing",
            Self::ModelInvalid { .. } => "model_invalid",
            Self::Inference { .. } => "inference_failed",
            Self::EngineUnavailable { .. } => "engine_unavailable",
            Self::RateLimited { .. } => "rate_limited",
            Self::Refused { .. } => "refused",
            Self::BadAnswer { .. } => "bad_answer",
            Self::BadAudio { .. } => "bad_audio",
            Self::BadConfig { .. } => "bad_config",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::EngineUnavailable { .. } | Self::RateLimited { .. })
    }

    /// How long to wait before trying again, where the service said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            _ => None,
        }
    }
}
