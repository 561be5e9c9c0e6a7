//! The body of an upload's piece, cut into parts as it comes, wherever the pieces of the connection end.
//!
//! Promises: nothing that came is lost: what belongs to no part yet is the next one's, and what came before the body broke off is a
//! part too. Holds one piece of the connection at a time.

use axum::body::Body;
use bytes::Bytes;
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

use crate::app::patient;

/// A part ends after this long even if it is small, so that what came over a slow line is kept.
const PART_TIME: Duration = Duration::from_secs(30);

/// A body that is cut into parts as it comes.
pub struct Incoming {
    body: BoxStream<'static, Result<Bytes, String>>,
    /// What came and belongs to the next part.
    rest: Bytes,
    is_over: bool,
    /// Why it ended before its end.
    pub broken: Option<String>,
}

impl Incoming {
    /// A body of which nothing was taken yet.
    pub fn new(body: Body) -> Self {
        Self { body: patient(body).boxed(), rest: Bytes::new(), is_over: false, broken: None }
    }

    /// Whether there is at least one byte more; waits for it.
    pub async fn has_more(&mut self) -> bool {
        while self.rest.is_empty() && !self.is_over {
            let piece = self.body.next().await;
            self.take(piece);
        }
        !self.rest.is_empty()
    }

    fn take(&mut self, piece: Option<Result<Bytes, String>>) {
        match piece {
            Some(Ok(bytes)) => self.rest = bytes,
            Some(Err(reason)) => (self.is_over, self.broken) = (true, Some(reason)),
            None => self.is_over = true,
        }
    }

    /// The next part: at most so many bytes, fewer where the body ends or breaks off, or takes its time. Fails only where
    /// it `must_end` and does not.
    pub fn part<'a>(
        &'a mut self,
        most: u64,
        must_end: bool,
        moved: &'a AtomicU64,
    ) -> impl Stream<Item = Result<Bytes, &'static str>> + Send + 'a {
        let until = Instant::now() + PART_TIME;
        stream::unfold((self, most), move |(incoming, left)| async move {
            if left == 0 {
                let longer = must_end && incoming.has_more().await;
                return longer.then_some((Err("the body is longer than what is left"), (incoming, 0)));
            }
            if incoming.rest.is_empty() && !incoming.is_over {
                match timeout_at(until, incoming.body.next()).await {
                    Ok(piece) => incoming.take(piece),
                    Err(_) => return None,
                }
            }
            if incoming.rest.is_empty() && incoming.is_over {
                return None;
            }
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(incoming.rest.len());
            let bytes = incoming.rest.split_to(length);
            moved.fetch_add(length as u64, Ordering::Relaxed);
            Some((Ok(bytes), (incoming, left - length as u64)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt;

    fn body(pieces: Vec<Result<&'static [u8], &'static str>>) -> Body {
        let pieces =
            pieces.into_iter().map(|piece| piece.map(Bytes::from_static).map_err(std::io::Error::other));
        Body::from_stream(stream::iter(pieces))
    }

    async fn part(incoming: &mut Incoming, most: u64, must_end: bool) -> Result<Vec<u8>, &'static str> {
        let moved = AtomicU64::new(0);
        let pieces: Vec<Bytes> = incoming.part(most, must_end, &moved).try_collect().await?;
        let bytes = pieces.concat();
        assert_eq!(moved.load(Ordering::Relaxed), bytes.len() as u64);
        Ok(bytes)
    }

    #[tokio::test]
    async fn a_body_is_cut_wherever_its_pieces_end() {
        let mut incoming = Incoming::new(body(vec![Ok(b"abc"), Ok(b""), Ok(b"defgh"), Ok(b"i")]));
        assert_eq!(part(&mut incoming, 2, false).await.unwrap(), b"ab");
        assert_eq!(part(&mut incoming, 5, false).await.unwrap(), b"cdefg");
        assert!(incoming.has_more().await);
        assert_eq!(part(&mut incoming, 2, true).await.unwrap(), b"hi");
        assert!(!incoming.has_more().await && incoming.broken.is_none());
    }

    #[tokio::test]
    async fn what_came_before_it_broke_off_is_a_part() {
        let mut incoming = Incoming::new(body(vec![Ok(b"abc"), Ok(b"de"), Err("gone")]));
        assert_eq!(part(&mut incoming, 100, true).await.unwrap(), b"abcde");
        assert!(!incoming.has_more().await);
        assert_eq!(incoming.broken.as_deref(), Some("the connection ended"));
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_is_refused() {
        let mut incoming = Incoming::new(body(vec![Ok(b"abc"), Ok(b"d")]));
        assert!(part(&mut incoming, 3, true).await.is_err());
    }
}
