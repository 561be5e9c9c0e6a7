//! Sliders' bodies, made when they are first drawn and kept while they may be drawn again.
//!
//! Promises: at most so many bytes are kept; which ones are makes no difference to what is drawn, only to how fast it is.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    body::Body,
    looks::Looks,
    objects::{Object, Slider},
};
use crate::stage::Layout;

/// Bytes that are kept at most.
const MOST_BYTES: usize = 96 << 20;

/// Bodies of sliders.
#[derive(Debug)]
pub(super) struct Bodies {
    size: (u32, u32),
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By object, with when each was asked for last.
    bodies: BTreeMap<usize, (u64, Option<Arc<Body>>)>,
    asked: u64,
    bytes: usize,
}

impl Bodies {
    pub(super) fn new(layout: Layout) -> Self {
        Self { size: (layout.width, layout.height), kept: Mutex::default() }
    }

    /// A slider's body; `None` where it lies outside the picture.
    pub(super) fn get(
        &self,
        index: usize,
        slider: &Slider,
        object: &Object,
        looks: &Looks,
    ) -> Option<Arc<Body>> {
        if let Some(body) = self.lock().find(index) {
            return body;
        }
        // Two threads may make the same one: better than that one waits for another's.
        let colour = looks.colour(object.colour)?;
        let body = Body::new(&slider.path, &colour.body, self.size).map(Arc::new);
        self.lock().keep(index, body.clone());
        body
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, index: usize) -> Option<Option<Arc<Body>>> {
        self.asked += 1;
        let (asked, body) = self.bodies.get_mut(&index)?;
        *asked = self.asked;
        Some(body.clone())
    }

    fn keep(&mut self, index: usize, body: Option<Arc<Body>>) {
        /// What an entry takes without a body.
        const ENTRY: usize = 64;
        let bytes = |body: &Option<Arc<Body>>| body.as_ref().map_or(0, |body| body.bytes()) + ENTRY;
        self.bytes += bytes(&body);
        if let Some((_, before)) = self.bodies.insert(index, (self.asked, body)) {
            self.bytes = self.bytes.saturating_sub(bytes(&before));
        }
        while self.bytes > MOST_BYTES {
            let oldest = self.bodies.iter().min_by_key(|(_, (asked, _))| *asked).map(|(index, _)| *index);
            let Some((_, removed)) = oldest.and_then(|oldest| self.bodies.remove(&oldest)) else { break };
            self.bytes = self.bytes.saturating_sub(bytes(&removed));
        }
    }
}
