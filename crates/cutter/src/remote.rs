//! Sources whose bytes the parent has: the worker's half of reading, with a cache in front.
//!
//! Several decoders read at once; each read has an id, and the answers may come in any order. Blocks that are being
//! fetched are not asked for twice. A failed read stays failed for those who wait for it; nothing is retried here,
//! since the parent knows better.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::protocol::{FromWorker, ProtocolError, ToWorker, read_message, write_message};
use crate::source::{ByteSource, SourceFailure};

/// Bytes in a block of the cache: what is fetched beside a needed byte is never more.
const BLOCK: u64 = 32 << 10;
/// Blocks kept per source: 16 MiB.
const KEPT_BLOCKS: usize = 512;
/// Blocks that are asked for at once within what is expected: 1 MiB.
const AHEAD: u64 = 32;
/// Blocks that are asked for at once when a source of which nothing is expected is read from front to back: 128 KiB.
const AHEAD_UNEXPECTED: u64 = 4;

/// The connection to the parent.
pub(crate) struct Client {
    writer: Mutex<UnixStream>,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    last_id: u64,
    waiting: HashMap<u64, SyncSender<Result<Vec<u8>, SourceFailure>>>,
    /// The parent is gone; nobody will answer.
    closed: bool,
}

impl Client {
    /// A client that writes to `writer`. Somebody must call [`Client::listen`].
    pub(crate) fn new(writer: UnixStream) -> Arc<Self> {
        Arc::new(Self { writer: Mutex::new(writer), calls: Mutex::default() })
    }

    /// Sends a message.
    pub(crate) fn send(&self, message: &FromWorker) -> Result<(), ProtocolError> {
        write_message(&mut *lock(&self.writer), message, &[])
    }

    /// Hands the parent's answers to those who wait, until the connection ends; then all reads fail.
    pub(crate) fn listen(&self, mut reader: UnixStream) -> ProtocolError {
        let error = loop {
            match read_message::<ToWorker>(&mut reader) {
                Ok((ToWorker::Bytes { id }, bytes)) => self.answer(id, Ok(bytes)),
                Ok((ToWorker::ReadFailed { id, reason, permanent }, _)) => {
                    self.answer(id, Err(SourceFailure { reason, permanent }));
                }
                Ok((ToWorker::Order { .. }, _)) => break ProtocolError::Closed,
                Err(error) => break error,
            }
        };
        let mut calls = lock(&self.calls);
        calls.closed = true;
        calls.waiting.clear();
        error
    }

    fn answer(&self, id: u64, answer: Result<Vec<u8>, SourceFailure>) {
        if let Some(waiting) = lock(&self.calls).waiting.remove(&id) {
            // The one who waits has room for exactly one answer.
            let _ = waiting.try_send(answer);
        }
    }

    /// Reads exactly `len` bytes of a source.
    fn read(&self, source: u32, offset: u64, len: u32) -> Result<Vec<u8>, SourceFailure> {
        let gone = || SourceFailure { reason: "the executor is gone".to_owned(), permanent: false };
        let (sender, receiver) = sync_channel(1);
        let id = {
            let mut calls = lock(&self.calls);
            if calls.closed {
                return Err(gone());
            }
            calls.last_id += 1;
            let id = calls.last_id;
            calls.waiting.insert(id, sender);
            id
        };
        self.send(&FromWorker::ReadAt { id, source, offset, len }).map_err(|_| gone())?;
        let bytes = receiver.recv().map_err(|_| gone())??;
        if bytes.len() != len as usize {
            let reason =
                format!("it ended at byte {}, before its stated length", offset + bytes.len() as u64);
            return Err(SourceFailure { reason, permanent: true });
        }
        Ok(bytes)
    }
}

/// One source of the order.
pub(crate) struct RemoteSource {
    client: Arc<Client>,
    index: u32,
    len: u64,
    cache: Mutex<Cache>,
    fetched: Condvar,
}

#[derive(Default)]
struct Cache {
    blocks: HashMap<u64, (Arc<[u8]>, u64)>,
    fetching: HashSet<u64>,
    /// Stretches that are going to be read, as first block and the one behind the last, in order.
    expected: Vec<(u64, u64)>,
    /// Counts uses: the block with the lowest number is dropped first.
    clock: u64,
}

impl Cache {
    fn get(&mut self, block: u64) -> Option<Arc<[u8]>> {
        self.clock += 1;
        let clock = self.clock;
        let (bytes, used) = self.blocks.get_mut(&block)?;
        *used = clock;
        Some(Arc::clone(bytes))
    }

    fn put(&mut self, block: u64, bytes: &[u8]) {
        if self.blocks.len() >= KEPT_BLOCKS
            && let Some(oldest) =
                self.blocks.iter().min_by_key(|(_, (_, used))| *used).map(|(block, _)| *block)
        {
            self.blocks.remove(&oldest);
        }
        self.clock += 1;
        self.blocks.insert(block, (bytes.into(), self.clock));
    }
}

impl RemoteSource {
    /// Source number `index` of the order, `len` bytes long.
    pub(crate) fn new(client: Arc<Client>, index: u32, len: u64) -> Self {
        Self { client, index, len, cache: Mutex::default(), fetched: Condvar::new() }
    }

    fn block(&self, block: u64) -> Result<Arc<[u8]>, SourceFailure> {
        let mut cache = lock(&self.cache);
        loop {
            if let Some(bytes) = cache.get(block) {
                return Ok(bytes);
            }
            if !cache.fetching.contains(&block) {
                break;
            }
            cache = self.fetched.wait(cache).unwrap_or_else(PoisonError::into_inner);
        }
        let count = self.worth_fetching(&cache, block);
        cache.fetching.extend(block..block + count);
        drop(cache);

        let offset = block * BLOCK;
        let len = (count * BLOCK).min(self.len - offset);
        let read = self.client.read(self.index, offset, len as u32);
        let mut cache = lock(&self.cache);
        if let Ok(bytes) = read.as_ref() {
            for (place, bytes) in bytes.chunks(BLOCK as usize).enumerate() {
                cache.put(block + place as u64, bytes);
            }
        }
        (block..block + count).for_each(|block| {
            cache.fetching.remove(&block);
        });
        self.fetched.notify_all();
        let first = read?;
        Ok(first.chunks(BLOCK as usize).next().unwrap_or_default().into())
    }

    /// How many blocks from `block` on are fetched: of what is expected many, but none beside it; else several when the one
    /// before was used, and otherwise one.
    fn worth_fetching(&self, cache: &Cache, block: u64) -> u64 {
        let end = (self.len - 1) / BLOCK + 1;
        let place = cache.expected.partition_point(|(_, behind)| *behind <= block);
        let (most, end) = match cache.expected.get(place) {
            Some((first, behind)) if *first <= block => (AHEAD, end.min(*behind)),
            _ if !cache.expected.is_empty() => (1, end),
            _ if block > 0 && cache.blocks.contains_key(&(block - 1)) => (AHEAD_UNEXPECTED, end),
            _ => (1, end),
        };
        let free = |block: &u64| {
            *block < end && !cache.fetching.contains(block) && !cache.blocks.contains_key(block)
        };
        (block..block + most).take_while(free).count().max(1) as u64
    }
}

impl ByteSource for RemoteSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn expect(&self, spans: &[(u64, u64)]) {
        let mut cache = lock(&self.cache);
        let blocks = spans.iter().filter(|(_, length)| *length > 0);
        cache.expected.extend(blocks.map(|(offset, length)| {
            (offset / BLOCK, offset.saturating_add(*length).min(self.len).div_ceil(BLOCK))
        }));
        cache.expected.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (first, behind) in cache.expected.drain(..) {
            match joined.last_mut() {
                Some(last) if first <= last.1 => last.1 = last.1.max(behind),
                _ => joined.push((first, behind)),
            }
        }
        cache.expected = joined;
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        if offset >= self.len || buf.is_empty() {
            return Ok(0);
        }
        let bytes = self.block(offset / BLOCK)?;
        let rest = bytes.get((offset % BLOCK) as usize..).unwrap_or_default();
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parent that has one source and counts the bytes that are asked for.
    fn parent(mut socket: UnixStream, data: Vec<u8>) -> std::thread::JoinHandle<u64> {
        std::thread::spawn(move || {
            let mut asked = 0;
            while let Ok((message, _)) = read_message::<FromWorker>(&mut socket) {
                let FromWorker::ReadAt { id, offset, len, .. } = message else { continue };
                asked += u64::from(len);
                let end = (offset as usize + len as usize).min(data.len());
                write_message(&mut socket, &ToWorker::Bytes { id }, &data[offset as usize..end]).unwrap();
            }
            asked
        })
    }

    fn connected(data: &[u8]) -> (Arc<Client>, std::thread::JoinHandle<u64>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let asked = parent(theirs, data.to_vec());
        let client = Client::new(ours.try_clone().unwrap());
        let listener = Arc::clone(&client);
        std::thread::spawn(move || listener.listen(ours));
        (client, asked)
    }

    fn close(client: &Client) {
        lock(&client.writer).shutdown(std::net::Shutdown::Both).unwrap();
    }

    #[test]
    fn many_readers_get_the_right_bytes_and_each_block_travels_once() {
        let data: Vec<u8> =
            (0..3_000_000_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let (client, asked) = connected(&data);
        let source = RemoteSource::new(Arc::clone(&client), 0, data.len() as u64);
        std::thread::scope(|scope| {
            for reader in 0..4_usize {
                let (source, data) = (&source, &data);
                scope.spawn(move || {
                    let mut place = reader * 1000;
                    let mut buffer = vec![0; 10_000];
                    while place < data.len() {
                        let count = source.read_at(place as u64, &mut buffer).unwrap();
                        assert_eq!(buffer[..count], data[place..place + count]);
                        place += count;
                    }
                });
            }
        });
        assert_eq!(source.read_at(data.len() as u64, &mut [0; 10]).unwrap(), 0);
        close(&client);
        assert_eq!(asked.join().unwrap(), data.len() as u64);
    }

    #[test]
    fn a_source_shorter_than_stated_and_a_lost_parent_are_failures() {
        let (client, asked) = connected(&[1; 1000]);
        let source = RemoteSource::new(Arc::clone(&client), 0, 2000);
        let error = source.read_at(0, &mut [0; 10]).unwrap_err();
        assert!(SourceFailure::from(error).permanent);
        close(&client);
        asked.join().unwrap();
        let error = source.read_at(0, &mut [0; 10]).unwrap_err();
        assert!(!SourceFailure::from(error).permanent);
    }
}
