//! What went wrong, as clients see it: RFC 9457 problems with a stable code and a page for each code.
//!
//! The text of a problem is for a person and says what to do next; it never holds anything internal.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A mistake in one place of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the place.
    pub pointer: String,
    /// What is wrong there and what is accepted.
    pub detail: String,
}

/// An RFC 9457 problem, sent as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Page that explains the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words, always the same.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable name for programs.
    pub code: String,
    /// This occurrence: what happened and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Every mistake that was found, where the problem is in what was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Names this request in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal, $help:literal;)*) => {
        /// Every problem that a route can answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemCode { $(#[doc = $title] $name,)* }

        impl ProblemCode {
            /// All codes, for the pages and the tests.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Stable name for programs.
            #[must_use]
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)* } }

            /// HTTP status.
            #[must_use]
            pub fn status(self) -> u16 { match self { $(Self::$name => $status,)* } }

            /// The code in words.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Self::$name => $title,)* } }

            /// What to do about it: the text of the code's page.
            #[must_use]
            pub fn help(self) -> &'static str { match self { $(Self::$name => $help,)* } }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", 400, "The body is not JSON", "Send one JSON document in UTF-8 with Content-Type: application/json. The detail names the line and column where reading stopped.";
    InvalidQuery = "invalid_query", 400, "A query parameter cannot be read", "The detail names the parameter and what it accepts.";
    InvalidHeader = "invalid_header", 400, "A header cannot be read", "The detail names the header and what it accepts.";
    InvalidCursor = "invalid_cursor", 400, "The cursor cannot be used", "Use next_cursor of the page before as it is, with the same filters, or start again without a cursor.";
    SizeMismatch = "size_mismatch", 400, "The body does not have the agreed size", "The detail names the size that was agreed. Send Content-Length with exactly that many bytes, or ask for a new link.";
    Unauthorized = "unauthorized", 401, "A key is needed", "Send Authorization: Bearer KEY. An operator makes keys with POST /v1/keys.";
    Forbidden = "forbidden", 403, "The key does not allow this", "The detail names the scope that is needed. Ask the operator for a key with that scope.";
    LinkInvalid = "link_invalid", 403, "The link is not valid", "Signed links are for one object and one method and end after minutes. Ask for a new one.";
    NotFound = "not_found", 404, "There is no such thing", "Check the id. What was deleted does not come back.";
    MethodNotAllowed = "method_not_allowed", 405, "This route does not know the method", "The Allow header lists the methods of this route; /docs lists all routes.";
    Conflict = "conflict", 409, "The state does not allow this", "The detail names the state. Look at the thing again before you go on.";
    IdempotencyConflict = "idempotency_conflict", 409, "The idempotency key was used for something else", "The same Idempotency-Key came with another body. Use a new key for a new request.";
    StaleFence = "stale_fence", 409, "The lease has passed to somebody else", "Stop working on this: another attempt holds the lease, or it has ended. Nothing was changed.";
    PreconditionFailed = "precondition_failed", 412, "It was changed in between", "The ETag of If-Match is not the present one. Read it again and repeat the change.";
    TusVersion = "tus_version", 412, "This version of tus is not spoken", "Tus-Version of this answer lists the versions that are. Send one of them in Tus-Resumable.";
    TooLarge = "too_large", 413, "The body is too large", "The detail names the limit of this route.";
    UnsupportedMediaType = "unsupported_media_type", 415, "The content type is not accepted", "Send application/json.";
    RangeNotSatisfiable = "range_not_satisfiable", 416, "The range lies outside the file", "Content-Range of this answer names the size.";
    InvalidSpec = "invalid_spec", 422, "The request cannot be carried out as it is written", "Every mistake is listed in errors with a JSON pointer to its place. Nothing was stored.";
    UnknownKind = "unknown_kind", 422, "There is no such kind of job", "The detail lists the kinds.";
    PlanFailed = "plan_failed", 422, "The montage cannot be planned", "The code of the problem says why, the detail what to do, and errors the place in the spec. A job with the same spec would fail the same way.";
    ProbeFailed = "probe_failed", 422, "The source cannot be looked at", "The code of the problem says why, the detail what to do, and errors the place in what was sent. A montage of this source would fail the same way.";
    Locked = "locked", 423, "Somebody else is writing it", "Another request is sending bytes to it, or putting it together. Ask again in a few seconds; a request that broke off lets go of it by itself.";
    RateLimited = "rate_limited", 429, "Too many requests", "Wait for as long as Retry-After says.";
    Internal = "internal", 500, "Something broke on our side", "Try again. If it stays, give the request_id to the operator: the logs explain it.";
    Unavailable = "unavailable", 503, "A part that is needed is not there", "Try again in a few seconds. Operators: stream-montages doctor names the part.";
    Timeout = "timeout", 504, "It took too long", "Try again. Whether it was done is unknown: use an Idempotency-Key on POST.";
}

impl ProblemCode {
    /// The page that explains this code, on the gateway.
    #[must_use]
    pub fn page(self) -> String {
        format!("/docs/errors/{}", self.as_str().replace('_', "-"))
    }

    /// A problem of this code.
    #[must_use]
    pub fn problem(self, detail: impl Into<String>) -> Problem {
        Problem {
            kind: self.page(),
            title: self.title().to_owned(),
            status: self.status(),
            code: self.as_str().to_owned(),
            detail: Some(detail.into()),
            errors: Vec::new(),
            request_id: None,
        }
    }
}

impl Problem {
    /// The refusal of a spec, with every mistake in it.
    #[must_use]
    pub fn invalid_spec(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => {
                format!("{}: {}", if one.pointer.is_empty() { "the body" } else { &one.pointer }, one.detail)
            }
            many => format!("{} mistakes, listed in errors", many.len()),
        };
        Self { errors, ..ProblemCode::InvalidSpec.problem(detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_their_pages_too() {
        let mut pages: Vec<String> = ProblemCode::ALL.iter().map(|code| code.page()).collect();
        pages.sort();
        pages.dedup();
        assert_eq!(pages.len(), ProblemCode::ALL.len());
    }
}
