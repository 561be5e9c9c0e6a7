//! What parent and render worker say to each other over their socket.
//!
//! A message is eight bytes (length of the header, length of the payload; 32 bits each, big-endian), a JSON header
//! ([`ToWorker`] or [`FromWorker`]) and the payload's raw bytes. Only [`ToWorker::Bytes`] has a payload.
//!
//! The parent starts with [`ToWorker::Order`], answers each [`FromWorker::ReadAt`] with [`ToWorker::Bytes`] or
//! [`ToWorker::ReadFailed`] of the same id, in any order, and waits for [`FromWorker::Done`] or
//! [`FromWorker::Failed`], which are last. Several reads are under way at once. Neither side trusts the other's
//! lengths: a message beyond [`MAX_MESSAGE_BYTES`] is refused before memory is taken for it.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::RenderError;
use crate::order::{Order, ReplayOrder};
use crate::plan::Plan;
use crate::report::Outcome;

/// Longest message, both ways: header and payload together.
pub const MAX_MESSAGE_BYTES: usize = 8 << 20;
/// Longest read that a worker asks for.
pub const MAX_READ_BYTES: u32 = 4 << 20;
/// Bytes of the prefix that gives the lengths.
pub const PREFIX_BYTES: usize = 8;

/// From the parent to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToWorker {
    /// What to make. First and once.
    Order {
        /// The order.
        order: Box<Order>,
        /// What to do with it.
        task: Task,
    },
    /// The answer to a read; its payload holds the bytes: as many as were asked for, fewer only at the source's end.
    Bytes {
        /// Id of the read.
        id: u64,
    },
    /// A read that failed. The render ends with [`RenderError::SourceUnavailable`].
    ReadFailed {
        /// Id of the read.
        id: u64,
        /// Why, in words that may be shown to a person.
        reason: String,
        /// Whether trying again is useless (the source is gone or has changed).
        permanent: bool,
    },
}

/// What to do with an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Only plan it.
    Plan,
    /// Look into its one source; there are no clips.
    Survey {
        /// Key frames that are told at most.
        most_keyframes: u32,
    },
    /// Make some pieces of it.
    Parts {
        /// A plan that was made of this order before.
        plan: Box<Plan>,
        /// Indexes of segments.
        segments: Vec<u32>,
        /// Indexes of clips whose sound is made.
        sounds: Vec<u32>,
    },
    /// Only plan the video of a replay: the sources are its files, there are no clips.
    PlanReplay(Box<ReplayOrder>),
    /// Make the video of a replay. Pieces that lie in the job directory under their names are used, and left there.
    Replay {
        /// What it is made of.
        replay: Box<ReplayOrder>,
        /// A plan that was made of this order before.
        plan: Box<Plan>,
    },
    /// Make the montage. Pieces that lie in the job directory under their names are used.
    Montage {
        /// A plan that was made of this order before.
        plan: Option<Box<Plan>>,
        /// Leave the pieces in the job directory.
        keep_pieces: bool,
    },
}

/// From the worker to the parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromWorker {
    /// Bytes are needed.
    ReadAt {
        /// Id of the read, unique in this session.
        id: u64,
        /// Index of the source.
        source: u32,
        /// First byte.
        offset: u64,
        /// Number of bytes: 1 to [`MAX_READ_BYTES`], never beyond the length that the order gave.
        len: u32,
    },
    /// How far it is; a few times per second at most.
    Progress(Progress),
    /// The task is done; what was made lies in the job directory. Last message.
    Done {
        /// What was made.
        outcome: Outcome,
    },
    /// No montage. Last message.
    Failed {
        /// Why.
        error: RenderError,
    },
}

/// How far a render is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Frames of this stage that are done.
    pub frames_done: u64,
    /// Frames of this stage in all; 0 while unknown.
    pub frames_total: u64,
}

/// The stages of a render, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Sources are opened and the plan is made.
    Planning,
    /// Pieces are copied, or decoded and encoded.
    Encoding,
    /// The file is put together.
    Assembling,
    /// The file is compared with what it was made of, and decoded where pieces meet.
    Verifying,
}

/// A message that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The other side is gone.
    #[error("the other side closed the connection")]
    Closed,
    /// Header and payload are longer than a message may be.
    #[error("a message of {0} bytes is longer than allowed")]
    TooLong(u64),
    /// The header is not one that is known here.
    #[error("a message was not understood: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

/// Lengths of header and payload from a message's prefix.
///
/// # Errors
/// [`ProtocolError::TooLong`].
pub fn parse_prefix(prefix: [u8; PREFIX_BYTES]) -> Result<(usize, usize), ProtocolError> {
    let [a, b, c, d, e, f, g, h] = prefix;
    let (header, payload) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    let total = u64::from(header) + u64::from(payload);
    if total > MAX_MESSAGE_BYTES as u64 {
        return Err(ProtocolError::TooLong(total));
    }
    Ok((header as usize, payload as usize))
}

/// Prefix and header of a message whose payload has `payload_len` bytes; the payload follows them on the wire.
///
/// # Errors
/// [`ProtocolError::TooLong`], or a header that cannot be written as JSON.
pub fn encode_header<H: Serialize>(header: &H, payload_len: usize) -> Result<Vec<u8>, ProtocolError> {
    let mut message = vec![0; PREFIX_BYTES];
    serde_json::to_writer(&mut message, header)?;
    let header_len = message.len() - PREFIX_BYTES;
    let total = header_len as u64 + payload_len as u64;
    if total > MAX_MESSAGE_BYTES as u64 {
        return Err(ProtocolError::TooLong(total));
    }
    message[..4].copy_from_slice(&(header_len as u32).to_be_bytes());
    message[4..PREFIX_BYTES].copy_from_slice(&(payload_len as u32).to_be_bytes());
    Ok(message)
}

/// Reads a header from its JSON, for readers that bring their own I/O.
///
/// # Errors
/// [`ProtocolError::Malformed`].
pub fn decode_header<H: DeserializeOwned>(json: &[u8]) -> Result<H, ProtocolError> {
    Ok(serde_json::from_slice(json)?)
}

/// Writes one message.
///
/// # Errors
/// [`ProtocolError::TooLong`] before anything is written, or the writer's own.
pub fn write_message<H: Serialize>(
    to: &mut impl Write,
    header: &H,
    payload: &[u8],
) -> Result<(), ProtocolError> {
    let start = encode_header(header, payload.len())?;
    to.write_all(&start)?;
    to.write_all(payload)?;
    to.flush()?;
    Ok(())
}

/// Reads one message: its header and payload.
///
/// # Errors
/// [`ProtocolError::Closed`] at the end between two messages, and all others for what is not a message.
pub fn read_message<H: DeserializeOwned>(from: &mut impl Read) -> Result<(H, Vec<u8>), ProtocolError> {
    let mut prefix = [0; PREFIX_BYTES];
    match from.read_exact(&mut prefix) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(ProtocolError::Closed),
        other => other?,
    }
    let (header_len, payload_len) = parse_prefix(prefix)?;
    let mut header = vec![0; header_len];
    from.read_exact(&mut header)?;
    let mut payload = vec![0; payload_len];
    from.read_exact(&mut payload)?;
    Ok((decode_header(&header)?, payload))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_follow_each_other() {
        let mut wire = Vec::new();
        write_message(&mut wire, &ToWorker::Bytes { id: 7 }, b"abc").unwrap();
        let ask = FromWorker::ReadAt { id: 1, source: 0, offset: u64::MAX, len: 9 };
        write_message(&mut wire, &ask, b"").unwrap();
        let mut from = wire.as_slice();
        let (first, payload) = read_message::<ToWorker>(&mut from).unwrap();
        assert_eq!((first, payload.as_slice()), (ToWorker::Bytes { id: 7 }, b"abc".as_slice()));
        assert_eq!(read_message::<FromWorker>(&mut from).unwrap().0, ask);
        assert!(matches!(read_message::<FromWorker>(&mut from), Err(ProtocolError::Closed)));
    }

    #[test]
    fn hostile_lengths_are_refused_before_reading() {
        let mut wire: &[u8] = &[0xff; 64];
        assert!(matches!(read_message::<FromWorker>(&mut wire), Err(ProtocolError::TooLong(_))));
        let payload = vec![0; MAX_MESSAGE_BYTES];
        assert!(write_message(&mut Vec::new(), &ToWorker::Bytes { id: 1 }, &payload).is_err());
    }

    proptest! {
        #[test]
        fn noise_is_an_error_and_never_a_panic(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = vec![0, 0, 0, noise.len() as u8, 0, 0, 0, 0];
            framed.extend_from_slice(&noise);
            let _ = read_message::<FromWorker>(&mut framed.as_slice());
            prop_assert!(read_message::<ToWorker>(&mut noise.as_slice()).is_err());
        }
    }
}
