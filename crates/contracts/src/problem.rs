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
    ($($name:ident = $code:literal, $status:literal, $title:literal {
        meaning: $meaning:literal,
        callers: $callers:literal,
        operators: $operators:literal,
        example: $example:literal $(at $pointer:literal: $mistake:literal)*,
    })*) => {
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

            /// What has happened, for the code's page. Names of the protocol stand in backquotes, here and below.
            #[must_use]
            pub fn meaning(self) -> &'static str { match self { $(Self::$name => $meaning,)* } }

            /// What whoever sent the request can do about it.
            #[must_use]
            pub fn callers(self) -> &'static str { match self { $(Self::$name => $callers,)* } }

            /// What whoever runs the services can do about it.
            #[must_use]
            pub fn operators(self) -> &'static str { match self { $(Self::$name => $operators,)* } }

            /// The detail of the example, and its mistakes by pointer.
            fn sample(self) -> (&'static str, &'static [(&'static str, &'static str)]) {
                match self { $(Self::$name => ($example, &[$(($pointer, $mistake)),*]),)* }
            }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", 400, "The body is not JSON" {
        meaning: "Reading the body as JSON stopped before its end, or the body itself ended early. Nothing was looked at and nothing was done.",
        callers: "Send one JSON document in UTF-8 with `Content-Type: application/json`. The detail names the line and the column where reading stopped. Let a library write the JSON: commas behind the last element and quotes within texts are the usual mistakes.",
        operators: "Nothing is wrong here. If many callers get it at once, a proxy in front of the gateway may cut bodies off.",
        example: "expected `,` or `}` at line 3 column 5.",
    }
    InvalidQuery = "invalid_query", 400, "A query parameter cannot be read" {
        meaning: "A parameter behind the `?` is not known to this route, or has a value that it does not accept.",
        callers: "The detail names the parameter and what it accepts; all parameters of a route are listed under /docs. Parameters with other letters than those of ASCII have to be percent-encoded.",
        operators: "Nothing is wrong here.",
        example: "limit=500: a page has 1 to 200 items.",
    }
    InvalidHeader = "invalid_header", 400, "A header cannot be read" {
        meaning: "A header of the request is missing, or has a value that this route does not accept. Nothing was done.",
        callers: "The detail names the header and what it accepts.",
        operators: "Nothing is wrong here, unless a proxy in front of the gateway takes headers away.",
        example: "Upload-Offset: expected a number of bytes.",
    }
    InvalidCursor = "invalid_cursor", 400, "The cursor cannot be used" {
        meaning: "A cursor continues one list with one set of filters. This one was changed, or belongs to another list or to other filters.",
        callers: "Send `next_cursor` of the page before as it is, percent-encoded, together with the same filters. To begin anew, leave `cursor` out.",
        operators: "Nothing is wrong here. After an update that changes a list, its old cursors may be refused for once.",
        example: "It belongs to a list with other filters.",
    }
    SizeMismatch = "size_mismatch", 400, "The body does not have the agreed size" {
        meaning: "A signed link is for one object of one size, and the body has another one. Nothing was stored.",
        callers: "Send `Content-Length` with exactly the bytes that were asked for with the link, or ask for a new link.",
        operators: "Executors of another release than montages-repo may do this: update both.",
        example: "The link is for 1048576 bytes, not for 1048000.",
    }
    Unauthorized = "unauthorized", 401, "A key is needed" {
        meaning: "No key was shown, or one that is not known here or was revoked, or a session that has ended.",
        callers: "Send `Authorization: Bearer KEY`. In the web app, sign in again. If the key was right until now, it was revoked: ask the operator for another.",
        operators: "Make keys with `POST /v1/keys`, in the beginning with `SM_ADMIN_TOKEN` as the key. `GET /v1/keys` lists which were revoked, and when each was used last. Executors show `SM_EXECUTOR_TOKEN`: it has to be the same on the gateway and on all of them.",
        example: "This key is not known, or it was revoked.",
    }
    Forbidden = "forbidden", 403, "The key does not allow this" {
        meaning: "The key is right, but has none of the scopes that this route needs. Or a browser says that a page of another origin sends the request in a session's name, which is never allowed.",
        callers: "The detail names the scope that suffices: ask the operator for a key with it. Programs send a key and not a session's cookie.",
        operators: "Scopes are given when a key is made, and stay: make a new key and revoke the old one. If the web app itself is refused, a proxy in front of the gateway changes `Host`, or `SM_SECURE_COOKIES` is set where people come by http.",
        example: "This needs a key with the scope write or admin.",
    }
    LinkInvalid = "link_invalid", 403, "The link is not valid" {
        meaning: "Signed links are for one object and one method, and end after minutes. This one has ended, or a part of it was changed.",
        callers: "Ask for a new link and use it at once, as it is. A link for reading does not write.",
        operators: "All processes of montages-repo need the same secret and a clock that is right: look at `SM_OBJECT_SIGNING_SECRET` and at the time on each machine.",
        example: "Its signature, object, method or time is not what was signed.",
    }
    NotFound = "not_found", 404, "There is no such thing" {
        meaning: "Nothing has this id or address: it never was, it was deleted, or it is kept for a while only, and that is over.",
        callers: "Check the id and the path; /docs lists all routes. A montage that was deleted a moment ago can be brought back by `POST /v1/montages/{id}/restore`. A part of a montage (captions, a picture) may be missing although the montage is there: its `missing` says so.",
        operators: "Nothing is wrong here, unless rows or objects were removed behind the services' back. `SM_TRASH_KEEP` says for how long deleted montages can be restored.",
        example: "There is no such montage.",
    }
    MethodNotAllowed = "method_not_allowed", 405, "This route does not know the method" {
        meaning: "There is such a route, and it takes other methods.",
        callers: "`Allow` in the answer's head lists the methods; /docs says what each does.",
        operators: "Nothing is wrong here, unless a proxy in front of the gateway changes methods.",
        example: "This route knows GET, HEAD, POST.",
    }
    Conflict = "conflict", 409, "The state does not allow this" {
        meaning: "The request is right, but not for the state that the thing is in: a job that has ended cannot be cancelled, one that runs cannot be sent again.",
        callers: "The detail names the state. Look at the thing again before going on; somebody else may have been faster.",
        operators: "Nothing is wrong here.",
        example: "The job is succeeded already; there is nothing to cancel.",
    }
    IdempotencyConflict = "idempotency_conflict", 409, "The idempotency key was used for something else" {
        meaning: "The same `Idempotency-Key` came before, with another body. What was made then stays as it is; nothing was made now.",
        callers: "A new key for each new request; the same key only to repeat a request whose answer was lost, with the very same body.",
        operators: "Nothing is wrong here.",
        example: "This Idempotency-Key came with another body before. Use a new key for a new request.",
    }
    StaleFence = "stale_fence", 409, "The lease has passed to somebody else" {
        meaning: "For executors: another attempt holds the lease on this job, or the lease has ended. The write was refused, and nothing was changed.",
        callers: "Stop working on this job at once and throw away what was made. Do not try again: claim other work.",
        operators: "One of these now and then is the rule at work, after an executor was cut off or stood still. Many of them mean that executors cannot keep their leases: look at the network between them and the gateway, at paused machines, and at `SM_LEASE_TTL`.",
        example: "The lease with fence 7 is not held any more. Nothing was changed.",
    }
    PreconditionFailed = "precondition_failed", 412, "It was changed in between" {
        meaning: "`If-Match` names a version that is not the present one: somebody else changed the thing after it was read.",
        callers: "Read it again, look at what has changed, and repeat the change with the new `ETag`.",
        operators: "Nothing is wrong here.",
        example: "The montage is not in the version that If-Match names. Read it again.",
    }
    TusVersion = "tus_version", 412, "This version of tus is not spoken" {
        meaning: "`Tus-Resumable` names a version of the protocol for resumable uploads that the library does not speak. Nothing was stored.",
        callers: "`Tus-Version` in the answer's head lists the versions that are spoken: send one of them in `Tus-Resumable`.",
        operators: "Nothing is wrong here.",
        example: "Tus-Resumable: 1.0.0 is spoken here.",
    }
    TooLarge = "too_large", 413, "The body is too large" {
        meaning: "The body is larger than this route takes, or the route takes none. It was not read to its end, and nothing was stored.",
        callers: "The detail names the limit in bytes. Media does not go into JSON: upload it under `/v1/uploads` and name the upload.",
        operators: "`SM_UPLOAD_MAX_BYTES` bounds uploads, on the gateway and on montages-repo alike. The other limits are fixed.",
        example: "This route takes at most 2097152 bytes.",
    }
    UnsupportedMediaType = "unsupported_media_type", 415, "The content type is not accepted" {
        meaning: "`Content-Type` names something that this route does not read.",
        callers: "Send JSON as `application/json`. HTML forms and `curl --data` send something else unless they are told.",
        operators: "Nothing is wrong here.",
        example: "`text/plain` is not accepted here; send application/json.",
    }
    RangeNotSatisfiable = "range_not_satisfiable", 416, "The range lies outside the file" {
        meaning: "`Range` begins behind the last byte of the file.",
        callers: "`Content-Range` in the answer's head names the size. If an old download is continued, the file may be another one by now: send `If-Range` with the `ETag`, or begin anew.",
        operators: "Nothing is wrong here.",
        example: "There are 4096 bytes.",
    }
    InvalidSpec = "invalid_spec", 422, "The request cannot be carried out as it is written" {
        meaning: "The body is JSON, but not what this route takes. Every mistake is listed, and nothing was stored.",
        callers: "`errors` holds all mistakes at once, each with a JSON pointer (RFC 6901) to its place in the body and with what is accepted there; an empty pointer is the body as a whole. Unknown fields are mistakes too, with the name that was probably meant.",
        operators: "Nothing is wrong here. Callers that were written for a newer release send fields that this one does not know.",
        example: "2 mistakes, listed in errors"
            at "/spec/highlights/0/duration": "expected a time: seconds (12.5 or \"25s\"), \"M:SS\", \"H:MM:SS.mmm\", or frames (\"1234f\")"
            at "/spec/ordre": "unknown field `ordre`; did you mean `order`?",
    }
    UnknownKind = "unknown_kind", 422, "There is no such kind of job" {
        meaning: "`kind` of the body names a kind of job that does not exist, or that only the services make themselves.",
        callers: "The detail lists the kinds.",
        operators: "Nothing is wrong here. Newer releases may know more kinds.",
        example: "`movie` is not a kind of job; there are: montage, transcript",
    }
    PlanFailed = "plan_failed", 422, "The montage cannot be planned" {
        meaning: "The sources were looked at, and a montage of them cannot be made. A job with the same spec would fail the same way.",
        callers: "`code` says why, as in the `failure` of a job; the detail says what to do, and `errors` names the place in the spec.",
        operators: "Where sources cannot be reached, `SM_FETCH_ALLOW` opens addresses of your own network and `SM_MEDIA_DIRS` directories.",
        example: "the source answers 404: check the address"
            at "/spec/highlights/0/source": "the source answers 404: check the address",
    }
    ProbeFailed = "probe_failed", 422, "The source cannot be looked at" {
        meaning: "The source was opened, or tried to be, and is not something that can be cut from. A montage of it would fail the same way.",
        callers: "`code` says why, as in the `failure` of a job; the detail says what to do, and `errors` names the place in what was sent.",
        operators: "Where sources cannot be reached, `SM_FETCH_ALLOW` opens addresses of your own network and `SM_MEDIA_DIRS` directories.",
        example: "the source answers 404: check the address"
            at "/source/url": "the source answers 404: check the address",
    }
    Locked = "locked", 423, "Somebody else is writing it" {
        meaning: "Another request is sending bytes to this upload, or putting it together. Nothing was stored by this one.",
        callers: "Ask again in a few seconds; a request that broke off lets go of it by itself. Then ask where it stands before sending more.",
        operators: "Nothing is wrong here.",
        example: "Another request is writing this upload.",
    }
    RateLimited = "rate_limited", 429, "Too many requests" {
        meaning: "This was asked for too often: too many wrong keys came from one address, or the same thing was started again at once.",
        callers: "Wait for as long as `Retry-After` says, in seconds. Do not try keys.",
        operators: "Callers behind one address (a proxy, a NAT) are one address for the count of wrong keys; who was let in a moment ago is not held up by the others.",
        example: "Too many wrong keys came from this address.",
    }
    Internal = "internal", 500, "Something broke on our side" {
        meaning: "A service came upon something that it was not made for. Whether the request was carried out is not known.",
        callers: "Try again, on POST with the same `Idempotency-Key`. If it stays, give the `request_id` to the operator.",
        operators: "Search the services' logs for the `request_id`: the line with it holds the whole chain of causes.",
        example: "The logs explain it under this request_id.",
    }
    Unavailable = "unavailable", 503, "A part that is needed is not there" {
        meaning: "A service, the database or the object store does not answer at this moment, or has no room left.",
        callers: "Try again after the seconds that `Retry-After` names. Jobs that were accepted are not lost.",
        operators: "`stream-montages doctor` names the part that is missing and how to bring it back; `/readyz` of each service says whether it can work.",
        example: "jobs-repo does not answer.",
    }
    Timeout = "timeout", 504, "It took too long" {
        meaning: "The answer, or the body of the request, did not come in time. Whether the request was carried out is not known.",
        callers: "Try again, on POST with the same `Idempotency-Key`, so that nothing is made twice. Uploads that are interrupted are stored only where the protocol for resuming them is used.",
        operators: "Look at the load of the database and of the object store, and at the metric `gateway_upstream_seconds` for the route.",
        example: "montages-repo did not answer in time.",
    }
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

    /// What an answer with this code looks like, for the code's page.
    #[must_use]
    pub fn example(self) -> Problem {
        let (detail, mistakes) = self.sample();
        let errors = mistakes.iter().map(|(pointer, detail)| FieldError {
            pointer: (*pointer).to_owned(),
            detail: (*detail).to_owned(),
        });
        // The one problem whose code is a job's reason to fail.
        let code = if self == Self::PlanFailed { "source_not_found" } else { self.as_str() };
        Problem {
            code: code.to_owned(),
            errors: errors.collect(),
            request_id: Some("0190c0de-0000-7000-8000-000000000000".to_owned()),
            ..self.problem(detail)
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
