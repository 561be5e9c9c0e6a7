//! Event streams on their way through. They last, so they are bounded where other answers are left alone.
//!
//! Promises: a piece passes as soon as it comes; there are never more streams than [`Streams::most`]; a stream ends when the gateway
//! stops, when the service behind it has fallen silent, and within [`Streams::recheck`] of the moment at which its caller's key
//! was revoked. When the client goes away, its place and the connection to the service are free. Fails with `unavailable` when all
//! places are taken.

use std::sync::Arc;

use axum::{
    body::{Body, BodyDataStream, Bytes},
    http::{HeaderMap, header},
    response::Response,
};
use contracts::{key::Scope, problem::ProblemCode};
use futures::{StreamExt as _, stream};
use service_kit::problem::{ApiError, ApiResult};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Interval, interval_at, sleep_until},
};

use crate::{Gateway, auth::Visitor, config::Streams};

/// When to ask again after all places were taken, in seconds.
const ASK_AGAIN: u64 = 15;

/// Whether an answer is an event stream.
#[must_use]
pub fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
}

/// What a stream needs on its way.
struct Passing {
    pieces: BodyDataStream,
    gateway: Arc<Gateway>,
    visitor: Visitor,
    scopes: &'static [Scope],
    recheck: Interval,
    heard: Instant,
    _place: OwnedSemaphorePermit,
}

/// Lets a service's stream through to a caller that was admitted by one of these scopes.
///
/// # Errors
/// `unavailable`.
pub fn pass(
    gateway: &Arc<Gateway>,
    visitor: Visitor,
    scopes: &'static [Scope],
    answer: Response,
) -> ApiResult<Response> {
    let place = Arc::clone(&gateway.streams).try_acquire_owned().map_err(|_| ApiError {
        retry_after: Some(ASK_AGAIN),
        ..ApiError::new(
            ProblemCode::Unavailable,
            "Too many streams are open. Ask from time to time instead, or come again later.",
        )
    })?;
    let Streams { recheck, .. } = gateway.config.streams;
    let now = Instant::now();
    Ok(answer.map(|body| {
        let passing = Passing {
            pieces: body.into_data_stream(),
            gateway: Arc::clone(gateway),
            visitor,
            scopes,
            recheck: interval_at(now + recheck, recheck),
            heard: now,
            _place: place,
        };
        Body::from_stream(stream::unfold(passing, async |mut passing| {
            passing.next().await.map(|piece| (piece, passing))
        }))
    }))
}

impl Passing {
    async fn next(&mut self) -> Option<Result<Bytes, axum::Error>> {
        loop {
            tokio::select! {
                piece = self.pieces.next() => {
                    self.heard = Instant::now();
                    return piece;
                }
                () = self.gateway.shutdown.cancelled() => return None,
                () = sleep_until(self.heard + self.gateway.config.streams.silence) => return None,
                _ = self.recheck.tick() => {}
            }
            // A key that cannot be looked up just now was good a moment ago.
            let refused = self.gateway.door.admit(&self.visitor, self.scopes).await.err();
            if refused.is_some_and(|error| matches!(error.problem.status, 401 | 403)) {
                return None;
            }
        }
    }
}
