//! A bounded cache of one source's blocks, in memory.
//!
//! Promises: a block that several readers want at the same time is fetched once; no more blocks are kept than the capacity,
//! least recently used ones go first. A block that is being fetched is kept alive by who waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

/// A place for one block: empty until somebody fetched it.
pub(crate) type Slot = Arc<OnceCell<Bytes>>;

pub(crate) struct BlockCache {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<u64, (Slot, u64)>,
    /// Counts uses; a slot's number says when it was last used.
    now: u64,
}

impl BlockCache {
    /// Keeps `capacity` blocks; at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), state: Mutex::default() }
    }

    /// The place of block `index`, made if absent.
    pub(crate) fn slot(&self, index: u64) -> Slot {
        // A panic elsewhere cannot leave this state half-changed, so a poisoned lock is as good as another.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now += 1;
        let now = state.now;
        let entry = state.slots.entry(index).or_default();
        entry.1 = now;
        let slot = Arc::clone(&entry.0);
        while state.slots.len() > self.capacity {
            let oldest = state.slots.iter().min_by_key(|(_, (_, used))| *used).map(|(index, _)| *index);
            oldest.map(|index| state.slots.remove(&index));
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_block_goes_first() {
        let cache = BlockCache::new(2);
        for index in [0, 1, 0, 2] {
            let _ = cache.slot(index).set(Bytes::from(vec![index as u8]));
        }
        assert!(cache.slot(0).initialized());
        assert!(cache.slot(2).initialized());
        assert!(!cache.slot(1).initialized());
    }
}
