//! Loading ONNX files and running them: the thin layer over `rten` that the detector and the recogniser share.
//!
//! Every failure becomes a [`TranscribeError`] that names the file; nothing panics on a file of the wrong shape.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value, ValueOrView};

use crate::TranscribeError;

/// A loaded model with the file that it came from, for messages.
pub(super) struct Loaded {
    model: Model,
    path: PathBuf,
    pool: Arc<ThreadPool>,
}

impl Loaded {
    /// Loads a file.
    pub fn open(path: &Path, pool: &Arc<ThreadPool>) -> Result<Self, TranscribeError> {
        let model = Model::load_file(path).map_err(|error| invalid(path, error))?;
        Ok(Self { model, path: path.to_owned(), pool: Arc::clone(pool) })
    }

    /// Loads a model that was derived from the file `path`.
    pub fn derived(bytes: Vec<u8>, path: &Path, pool: &Arc<ThreadPool>) -> Result<Self, TranscribeError> {
        let model = Model::load(bytes).map_err(|error| invalid(path, error))?;
        Ok(Self { model, path: path.to_owned(), pool: Arc::clone(pool) })
    }

    /// The identity of an input or output by its name.
    pub fn node(&self, name: &str) -> Result<NodeId, TranscribeError> {
        self.model.find_node(name).ok_or_else(|| invalid(&self.path, format!("it has no `{name}`")))
    }

    /// Runs the model.
    pub fn run(
        &self,
        inputs: Vec<(NodeId, ValueOrView<'_>)>,
        outputs: &[NodeId],
    ) -> Result<Vec<Value>, TranscribeError> {
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        self.model.run(inputs, outputs, Some(options)).map_err(failed)
    }
}

/// A tensor of floats of the given shape.
pub(super) fn floats(shape: &[usize], data: Vec<f32>) -> Result<Value, TranscribeError> {
    Value::from_shape(shape, data).map_err(failed)
}

/// A tensor of integers of the given shape; the runtime takes 64-bit integers and booleans as these too.
pub(super) fn integers(shape: &[usize], data: Vec<i32>) -> Result<Value, TranscribeError> {
    Value::from_shape(shape, data).map_err(failed)
}

pub(super) fn failed(error: impl std::fmt::Display) -> TranscribeError {
    TranscribeError::Inference { reason: error.to_string() }
}

pub(super) fn invalid(path: &Path, reason: impl std::fmt::Display) -> TranscribeError {
    TranscribeError::ModelInvalid { path: path.to_owned(), reason: reason.to_string() }
}
