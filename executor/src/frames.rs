//! Messages from a render worker, read without blocking and without trust.
//!
//! Promises: [`Frames::next`] may be dropped at any time without losing a byte; no message beyond the protocol's bound is
//! waited for, and no memory is taken for what was announced but did not come.

use bytes::{Buf as _, BytesMut};
use cutter::protocol::{FromWorker, PREFIX_BYTES, ProtocolError, decode_header, parse_prefix};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes that are read at once.
const STEP: usize = 64 << 10;

/// Why a message could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Longer than allowed, or not understood.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// Workers send no payloads.
    #[error("a message has a payload where none belongs")]
    Payload,
    /// The connection ended within a message.
    #[error("the connection ended within a message")]
    Cut,
}

/// A reader of messages.
#[derive(Debug)]
pub struct Frames<R> {
    from: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Reads from `from`.
    pub fn new(from: R) -> Self {
        Self { from, buffer: BytesMut::new() }
    }

    /// The next message; `None` when the other side is gone. May be dropped and called again.
    ///
    /// # Errors
    /// [`FrameError`]; there is no going on after it.
    pub async fn next(&mut self) -> Result<Option<FromWorker>, FrameError> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            self.buffer.reserve(STEP);
            let ended = match self.from.read_buf(&mut self.buffer).await {
                Ok(count) => count == 0,
                // A child that was killed with unread bytes in its socket.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => true,
                Err(error) => return Err(ProtocolError::Io(error).into()),
            };
            if ended {
                return if self.buffer.is_empty() { Ok(None) } else { Err(FrameError::Cut) };
            }
        }
    }

    fn take(&mut self) -> Result<Option<FromWorker>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let (header, payload) = parse_prefix(*prefix)?;
        if payload != 0 {
            return Err(FrameError::Payload);
        }
        let Some(json) = self.buffer.get(PREFIX_BYTES..PREFIX_BYTES + header) else { return Ok(None) };
        let message = decode_header(json)?;
        self.buffer.advance(PREFIX_BYTES + header);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutter::protocol::{MAX_MESSAGE_BYTES, Progress, Stage, encode_header};
    use proptest::prelude::*;

    fn read_all(wire: &[u8]) -> (Vec<FromWorker>, Result<(), FrameError>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut frames = Frames::new(wire);
        let mut messages = Vec::new();
        loop {
            match runtime.block_on(frames.next()) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return (messages, Ok(())),
                Err(error) => return (messages, Err(error)),
            }
        }
    }

    #[test]
    fn messages_are_read_until_the_wire_ends_or_lies() {
        let progress =
            FromWorker::Progress(Progress { stage: Stage::Encoding, frames_done: 1, frames_total: 2 });
        let wire = encode_header(&progress, 0).unwrap();
        let (messages, end) = read_all(&[wire.clone(), wire.clone()].concat());
        assert_eq!(messages, [progress.clone(), progress]);
        assert!(end.is_ok());
        assert!(matches!(read_all(&wire[..wire.len() - 1]).1, Err(FrameError::Cut)));
        let huge = [(MAX_MESSAGE_BYTES as u32 + 1).to_be_bytes(), 0_u32.to_be_bytes()].concat();
        assert!(matches!(read_all(&huge).1, Err(FrameError::Protocol(ProtocolError::TooLong(_)))));
        assert!(matches!(read_all(&[0, 0, 0, 2, 0, 0, 0, 1, b'{', b'}', 0]).1, Err(FrameError::Payload)));
        assert!(matches!(
            read_all(&[0, 0, 0, 2, 0, 0, 0, 0, b'{', b'}']).1,
            Err(FrameError::Protocol(ProtocolError::Malformed(_)))
        ));
    }

    proptest! {
        #[test]
        fn noise_is_never_taken_for_more_than_it_is(noise in proptest::collection::vec(any::<u8>(), 1..300)) {
            let (messages, end) = read_all(&noise);
            prop_assert!(messages.is_empty() && end.is_err());
        }
    }
}
