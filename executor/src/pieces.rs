//! The pieces of a montage and the library: those that are there already are fetched before the montage is made, those that
//! were made are kept for the next attempt, the next edit and other executors.
//!
//! Promises: a piece that cannot be fetched or kept costs time, never the montage; what is fetched has the size and hash that
//! the library says, and is looked at again by the render worker.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use contracts::segment::{SegmentGrant, SegmentWish, StoredSegment};
use cutter::plan::{Plan, piece_file};

use crate::{attempt::Attempt, failure::Failed};

/// Where a montage's pieces came from.
#[derive(Debug, Default)]
pub struct Exchange {
    /// Pieces that were there already.
    pub reused: u32,
    /// Pieces that were made for this montage.
    pub made: u32,
    /// Names of the executors that made some.
    pub executors: BTreeSet<String>,
    /// Keys of pieces that the library has.
    kept: BTreeSet<String>,
}
