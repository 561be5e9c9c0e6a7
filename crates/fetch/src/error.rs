//! What can go wrong when bytes are fetched, stored or signed.
//!
//! Every error has a stable [`FetchError::code`], knows whether trying again can help ([`FetchError::is_permanent`]) and
//! says what a person can do. Messages hold no query strings, no passwords, no resolved addresses and no paths of the
//! machine, so that they can be shown to the person who named the source.

/// An error of this crate. Cloneable, so that everybody who waits for the same bytes gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The text is not an address that can be fetched at all.
    #[error("{address} is not an address that can be fetched: {reason}")]
    InvalidUrl {
        /// The address, redacted.
        address: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The address is well-formed, but policy forbids to fetch it.
    #[error("{address} {reason}")]
    NotAllowed {
        /// The address, redacted.
        address: String,
        /// Completes the sentence and says who can change it.
        reason: String,
    },

    /// A `library:path` source that is not beneath an allowed directory.
    #[error("{path} cannot be read: {reason}")]
    PathNotAllowed {
        /// The path as the person wrote it.
        path: String,
        /// What is wrong with it.
        reason: String,
    },

    /// There is nothing at the address or path.
    #[error("{source_name} was not found. Check the spelling, and that the file is still there")]
    NotFound {
        /// The address (redacted) or path.
        source_name: String,
    },

    /// The other side demands credentials or refuses us.
    #[error(
        "{source_name} refuses access (status {status}). If it is a signed link, it may have ended: make a new one"
    )]
    Forbidden {
        /// The address, redacted.
        source_name: String,
        /// The HTTP status.
        status: u16,
    },

    /// The other side does not answer, or answers with an error of its own.
    #[error("{source_name} cannot be reached: {reason}")]
    Unreachable {
        /// The address, redacted.
        source_name: String,
        /// What happened last.
        reason: String,
    },

    /// The other side answers in a way that cannot be used.
    #[error("{source_name} cannot be used: {reason}")]
    Unusable {
        /// The address (redacted) or path.
        source_name: String,
        /// What is wrong with the answer.
        reason: String,
    },

    /// A page for a browser, which is what links copied from one mostly lead to.
    #[error(
        "{source_name} cannot be used: it is a web page, not a media file. Give the address of the file itself"
    )]
    WebPage {
        /// The address, redacted.
        source_name: String,
    },

    /// Too many redirects, or a circle of them.
    #[error("{source_name} redirects more than {limit} times. Give the address that it leads to in the end")]
    TooManyRedirects {
        /// The address, redacted.
        source_name: String,
        /// The number of redirects that are followed.
        limit: usize,
    },

    /// The bytes are other ones than when the source was opened.
    #[error("{source_name} changed while it was being read. Send the job again when the file is complete")]
    Changed {
        /// The address (redacted) or path.
        source_name: String,
    },

    /// The source is larger than what may be fetched from one source.
    #[error("{source_name} is larger than the {limit} bytes that {bound}")]
    TooLarge {
        /// The address (redacted) or path.
        source_name: String,
        /// The bound in bytes.
        limit: u64,
        /// Completes the sentence: which bound it is, and who can move it.
        bound: &'static str,
    },

    /// Fewer bytes came than were announced.
    #[error(
        "{source_name} ends early: {got} of {expected} bytes came. The file may be incomplete at its origin"
    )]
    EndedEarly {
        /// The address (redacted) or path.
        source_name: String,
        /// The announced number of bytes.
        expected: u64,
        /// The number that came.
        got: u64,
    },

    /// A time limit passed.
    #[error("{source_name} took too long: {reason}")]
    Timeout {
        /// The address, redacted.
        source_name: String,
        /// Which limit.
        reason: String,
    },

    /// The object store does not answer or refuses us.
    #[error("the object store is not available: {reason}")]
    StoreUnavailable {
        /// What happened.
        reason: String,
    },

    /// There is no object with this key.
    #[error("there is no object {key} in the store")]
    ObjectNotFound {
        /// The key.
        key: String,
    },

    /// What is being stored is larger or smaller than it may be.
    #[error("object {key} does not have the size that was agreed: {reason}")]
    ObjectSize {
        /// The key.
        key: String,
        /// Which bound.
        reason: String,
    },

    /// A range that the object does not have.
    #[error("object {key} has no such range: it has {size} bytes")]
    ObjectRange {
        /// The key.
        key: String,
        /// Its size in bytes.
        size: u64,
    },

    /// A key with characters or parts that keys may not have.
    #[error(
        "{key:?} is not an object key: use lower-case letters, digits, '-', '_' and '.', in parts separated by '/'"
    )]
    InvalidKey {
        /// The text, shortened.
        key: String,
    },

    /// A link whose signature, time, method or object is not the one that was signed. Deliberately without detail.
    #[error("this link is not valid, or it has ended. Ask for a new one")]
    SignatureInvalid,

    /// The body that was to be stored could not be read to its end.
    #[error("the upload was interrupted: {reason}")]
    UploadInterrupted {
        /// What the sender's side reported.
        reason: String,
    },

    /// A setting that cannot be used.
    #[error("{variable}: {reason}")]
    Config {
        /// The environment variable.
        variable: String,
        /// What is wrong, and what would be right.
        reason: String,
    },

    /// The machine itself failed: no space, no file descriptor, no permission.
    #[error("{action} failed on this machine: {reason}")]
    Local {
        /// What was tried.
        action: String,
        /// The operating system's words.
        reason: String,
    },
}

impl FetchError {
    /// A stable name for programs; the one in problems and in the failures of attempts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "source_invalid_url",
            Self::NotAllowed { .. } => "source_not_allowed",
            Self::PathNotAllowed { .. } => "path_not_allowed",
            Self::NotFound { .. } => "source_not_found",
            Self::Forbidden { .. } => "source_forbidden",
            Self::Unreachable { .. } => "source_unreachable",
            Self::Unusable { .. } | Self::WebPage { .. } => "source_unusable",
            Self::TooManyRedirects { .. } => "source_redirects",
            Self::Changed { .. } => "source_changed",
            Self::TooLarge { .. } => "source_too_large",
            Self::EndedEarly { .. } => "source_ended_early",
            Self::Timeout { .. } => "source_timeout",
            Self::StoreUnavailable { .. } => "store_unavailable",
            Self::ObjectNotFound { .. } => "object_not_found",
            Self::ObjectSize { .. } => "object_size",
            Self::ObjectRange { .. } => "object_range",
            Self::InvalidKey { .. } => "object_key_invalid",
            Self::SignatureInvalid => "signature_invalid",
            Self::UploadInterrupted { .. } => "upload_interrupted",
            Self::Config { .. } => "config_invalid",
            Self::Local { .. } => "local_failure",
        }
    }

    /// Whether trying the same again is pointless. Transient are: a source or store that does not answer, a time limit, an
    /// interrupted upload and a failure of this machine.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::StoreUnavailable { .. }
                | Self::UploadInterrupted { .. }
                | Self::Local { .. }
        )
    }

    /// A failure of the machine, with the operating system's words but no path.
    pub(crate) fn local(action: &str, error: &std::io::Error) -> Self {
        Self::Local { action: action.to_owned(), reason: error.kind().to_string() }
    }
}
