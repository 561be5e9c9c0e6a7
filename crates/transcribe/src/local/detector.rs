//! The voice detector: Silero v6. Gives the probability of speech for each 32 ms.
//!
//! It hears 64 samples of the frame before together with each frame of 512, and carries a state from frame to frame. It
//! costs 4 ms of one processor for a second of audio.

use std::path::Path;
use std::sync::Arc;

use rten::{NodeId, ThreadPool, Value};

use super::model::{Loaded, failed, floats};
use super::regions::FRAME;
use crate::TranscribeError;
use crate::audio::SAMPLE_RATE;

const CONTEXT: usize = 64;
const STATE: [usize; 3] = [2, 1, 128];

/// The loaded detector.
pub(super) struct Detector {
    model: Loaded,
    input: NodeId,
    state: NodeId,
    rate: NodeId,
    outputs: [NodeId; 2],
}

impl Detector {
    /// Loads the detector.
    pub fn open(path: &Path, pool: &Arc<ThreadPool>) -> Result<Self, TranscribeError> {
        let model = Loaded::open(path, pool)?;
        Ok(Self {
            input: model.node("input")?,
            state: model.node("state")?,
            rate: model.node("sr")?,
            outputs: [model.node("output")?, model.node("stateN")?],
            model,
        })
    }

    /// The probability of speech for each frame; the last one is filled up with silence. `go_on` is asked before every
    /// frame.
    pub fn probabilities(
        &self,
        samples: &[f32],
        go_on: impl Fn() -> Result<(), TranscribeError>,
    ) -> Result<Vec<f32>, TranscribeError> {
        let mut state = floats(&STATE, vec![0.0; STATE.iter().product()])?;
        let mut heard = vec![0.0f32; CONTEXT + FRAME];
        let mut probabilities = Vec::with_capacity(samples.len() / FRAME + 1);
        for frame in samples.chunks(FRAME) {
            go_on()?;
            heard.copy_within(FRAME.., 0);
            heard[CONTEXT..CONTEXT + frame.len()].copy_from_slice(frame);
            heard[CONTEXT + frame.len()..].fill(0.0);
            let inputs = vec![
                (self.input, floats(&[1, CONTEXT + FRAME], heard.clone())?.into()),
                (self.state, state.into()),
                (self.rate, Value::from(SAMPLE_RATE as i32).into()),
            ];
            let mut outputs = self.model.run(inputs, &self.outputs)?.into_iter();
            let (Some(output), Some(next)) = (outputs.next(), outputs.next()) else {
                return Err(failed("the voice detector gave no output"));
            };
            let (_, output) = output.into_shape_vec::<f32, 2>().map_err(failed)?;
            probabilities.push(output.first().copied().unwrap_or(0.0));
            state = next;
        }
        Ok(probabilities)
    }
}
