//! Files that the gateway answers by itself, out of the program: with a validator, and in the coding that the client likes best.
//!
//! Promises: a client that has a file already is answered 304; a coding is only sent to who takes it, and caches are told that it
//! was chosen; every copy of a file has a validator of its own. Nothing is compressed while a request waits: what is there in a
//! coding was made when the program was built.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    preferences::{self, Coding},
    secure::Ours,
};

/// For what has a name of its own for each content: a year, and never asked for again meanwhile.
pub const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For what keeps its name when it changes: kept, but asked about every time.
pub const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");

/// A file in all its copies.
#[derive(Debug, Clone)]
pub struct File {
    kind: &'static str,
    plain: Copy,
    packed: Vec<Copy>,
}

#[derive(Debug, Clone)]
struct Copy {
    coding: Coding,
    bytes: Bytes,
    etag: HeaderValue,
}

impl Copy {
    fn new(coding: Coding, bytes: Bytes) -> Self {
        let etag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
        let etag = HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\""));
        Self { coding, bytes, etag }
    }
}

impl File {
    /// A file of a media type, as it is.
    #[must_use]
    pub fn new(kind: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self { kind, plain: Copy::new(Coding::Identity, bytes.into()), packed: Vec::new() }
    }

    /// The same file in a coding, too.
    #[must_use]
    pub fn with(mut self, coding: Coding, bytes: impl Into<Bytes>) -> Self {
        self.packed.push(Copy::new(coding, bytes.into()));
        self
    }

    /// Its media type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The answer to a request with these headers, to be kept as `keep` says.
    #[must_use]
    pub fn answer(&self, request: &HeaderMap, keep: HeaderValue) -> Response {
        let copy = self.choose(request);
        let mut response = if preferences::is_known(request, &copy.etag) {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            self.whole(copy)
        };
        self.mark(&mut response);
        let headers = response.headers_mut();
        headers.insert(header::ETAG, copy.etag.clone());
        headers.insert(header::CACHE_CONTROL, keep);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        response
    }

    /// The file in place of something that is not there: with status 404, and without a validator, so that no cache takes it for
    /// what was asked for.
    #[must_use]
    pub fn answer_missing(&self, request: &HeaderMap) -> Response {
        let copy = self.choose(request);
        let mut response = self.whole(copy);
        *response.status_mut() = StatusCode::NOT_FOUND;
        self.mark(&mut response);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, ASK_FIRST);
        headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        response
    }

    /// Whatever is answered of a page or of a script has a page's policy.
    fn mark(&self, response: &mut Response) {
        if self.kind == kind_of(".html") || self.kind == kind_of(".js") {
            response.extensions_mut().insert(Ours);
        }
    }

    fn choose(&self, request: &HeaderMap) -> &Copy {
        let there = [&self.plain].into_iter().chain(&self.packed).map(|copy| copy.coding);
        let coding = preferences::coding(request, &there.collect::<Vec<_>>());
        self.packed.iter().find(|copy| copy.coding == coding).unwrap_or(&self.plain)
    }

    fn whole(&self, copy: &Copy) -> Response {
        let mut response = Response::new(Body::from(copy.bytes.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if let Some(name) = copy.coding.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    }
}

/// The media type of a file, by the end of its name.
#[must_use]
pub fn kind_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("avif") => "image/avif",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
