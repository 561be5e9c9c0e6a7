//! When each token was said: from what the decoder attends to while it is made to write the known text once more.
//!
//! The published decoder does not give its attention away. So it is taken apart when it is loaded: the branch of its one
//! `If` that works without caches becomes the whole model, and the cross-attention of every layer becomes an output.
//! The heads are averaged and the tokens are laid over the frames in order, by dynamic programming, as is usual for models
//! of this kind. The search is pure and separate from the model.

use std::path::Path;
use std::sync::Arc;

use rten::{NodeId, ThreadPool, Value};
use rten_onnx::onnx::{GraphProto, ModelProto, ValueInfoProto};

use super::model::{Loaded, failed, integers, invalid};
use super::recogniser::{Recognised, START};
use crate::TranscribeError;

/// Length of one encoder frame, in seconds.
pub(super) const FRAME_SECONDS: f64 = 0.024;

/// The decoder with its attention laid open.
pub(super) struct Aligner {
    model: Loaded,
    input_ids: NodeId,
    hidden_states: NodeId,
    attention: Vec<NodeId>,
}

impl Aligner {
    /// Derives the model from the decoder's file.
    pub fn open(decoder: &Path, pool: &Arc<ThreadPool>) -> Result<Self, TranscribeError> {
        let file = std::fs::File::open(decoder).map_err(|error| invalid(decoder, error))?;
        let mut whole = ModelProto::parse_file(file).map_err(|error| invalid(decoder, error))?;
        let graph = whole.graph.take().ok_or_else(|| invalid(decoder, "it has no graph"))?;
        let (graph, names) = open_attention(graph).map_err(|reason| invalid(decoder, reason))?;
        whole.graph = Some(graph);
        let bytes = whole.write_buf().map_err(|error| invalid(decoder, error))?;
        let model = Loaded::derived(bytes, decoder, pool)?;
        Ok(Self {
            input_ids: model.node("input_ids")?,
            hidden_states: model.node("encoder_hidden_states")?,
            attention: names.iter().map(|name| model.node(name)).collect::<Result<_, _>>()?,
            model,
        })
    }

    /// The time at which each token begins, in seconds from the start of the chunk, and at last the time at which the text
    /// ends: one more than there are tokens.
    pub fn token_times(&self, heard: &Recognised) -> Result<Vec<f64>, TranscribeError> {
        let mut ids = vec![START as i32];
        ids.extend(heard.tokens.iter().map(|token| *token as i32));
        let rows = ids.len();
        let inputs = vec![
            (self.input_ids, integers(&[1, rows], ids)?.into()),
            (self.hidden_states, (&heard.encoded).into()),
        ];
        let mut sum: Vec<f32> = Vec::new();
        let mut frames = 0;
        for layer in self.model.run(inputs, &self.attention)? {
            add_layer(layer, rows, &mut sum, &mut frames)?;
        }
        Ok(lay(&sum, rows, frames).into_iter().map(|frame| frame as f64 * FRAME_SECONDS).collect())
    }
}

/// Keeps the branch without caches and makes the cross-attention its outputs; gives their names too.
fn open_attention(mut graph: GraphProto) -> Result<(GraphProto, Vec<String>), String> {
    let branches = graph.node.iter_mut().filter(|node| node.op_type.as_deref() == Some("If"));
    let branch = branches
        .flat_map(|node| node.attribute.iter_mut())
        .find(|attribute| attribute.name.as_deref() == Some("else_branch"))
        .and_then(|attribute| attribute.g.take())
        .ok_or("it has no branch without caches")?;
    let attention: Vec<String> = branch
        .node
        .iter()
        .filter(|node| {
            node.op_type.as_deref() == Some("Softmax")
                && node.name.as_deref().is_some_and(|name| name.contains("encoder_attn"))
        })
        .filter_map(|node| node.output.first().cloned())
        .collect();
    if attention.is_empty() {
        return Err("it has no cross-attention".to_owned());
    }
    graph.node.retain(|node| node.op_type.as_deref() != Some("If"));
    graph.node.extend(branch.node);
    graph.initializer.extend(branch.initializer);
    graph.value_info.extend(branch.value_info);
    graph.input.retain(|input| matches!(input.name.as_deref(), Some("input_ids" | "encoder_hidden_states")));
    graph.output = attention
        .iter()
        .map(|name| ValueInfoProto { name: Some(name.clone()), ..ValueInfoProto::default() })
        .collect();
    Ok((graph, attention))
}

/// Adds one layer's heads, `[1, heads, rows, frames]`, to the sum `[rows, frames]`.
fn add_layer(
    layer: Value,
    rows: usize,
    sum: &mut Vec<f32>,
    frames: &mut usize,
) -> Result<(), TranscribeError> {
    let ([_, heads, layer_rows, layer_frames], data) = layer.into_shape_vec::<f32, 4>().map_err(failed)?;
    if layer_rows != rows || layer_frames == 0 || (*frames != 0 && *frames != layer_frames) {
        return Err(failed("the decoder's attention has an unexpected shape"));
    }
    *frames = layer_frames;
    sum.resize(rows * layer_frames, 0.0);
    for head in data.chunks_exact(rows * layer_frames).take(heads) {
        let head = sharpen(head, rows, layer_frames);
        for (total, value) in sum.iter_mut().zip(&head) {
            *total += value;
        }
    }
    Ok(())
}

/// Makes one head comparable: for each frame the deviation from the frame's mean over all tokens in units of its
/// spread, then a median over seven frames, which takes lone spikes away.
fn sharpen(head: &[f32], rows: usize, frames: usize) -> Vec<f32> {
    let mut scores = vec![0.0f32; rows * frames];
    for frame in 0..frames {
        let column = || (0..rows).map(|row| head[row * frames + frame]);
        let mean = column().sum::<f32>() / rows as f32;
        let spread =
            (column().map(|value| (value - mean) * (value - mean)).sum::<f32>() / rows as f32).sqrt();
        for row in 0..rows {
            scores[row * frames + frame] = (head[row * frames + frame] - mean) / spread.max(1e-9);
        }
    }
    let mut smooth = Vec::with_capacity(scores.len());
    for row in scores.chunks_exact(frames) {
        for frame in 0..frames as isize {
            let mut window: [f32; 7] = std::array::from_fn(|offset| {
                row[(frame + offset as isize - 3).clamp(0, frames as isize - 1) as usize]
            });
            window.sort_by(f32::total_cmp);
            smooth.push(window[3]);
        }
    }
    smooth
}

/// The first frame of each row on the path through `scores` (`rows` x `frames`) that goes from the first row and frame
/// to the last ones, never back, with the highest sum.
fn lay(scores: &[f32], rows: usize, frames: usize) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum From {
        Both,
        Row,
        Frame,
    }
    let width = frames + 1;
    let mut best = vec![f32::NEG_INFINITY; (rows + 1) * width];
    let mut came = vec![From::Both; (rows + 1) * width];
    best[0] = 0.0;
    for row in 1..=rows {
        for frame in 1..=frames {
            let both = best[(row - 1) * width + frame - 1];
            let up = best[(row - 1) * width + frame];
            let left = best[row * width + frame - 1];
            let (before, from) = if both >= up && both >= left {
                (both, From::Both)
            } else if up >= left {
                (up, From::Row)
            } else {
                (left, From::Frame)
            };
            best[row * width + frame] = before + scores[(row - 1) * frames + frame - 1];
            came[row * width + frame] = from;
        }
    }
    let mut first = vec![0; rows];
    let (mut row, mut frame) = (rows, frames);
    while row > 0 && frame > 0 {
        first[row - 1] = frame - 1;
        match came[row * width + frame] {
            From::Both => (row, frame) = (row - 1, frame - 1),
            From::Row => row -= 1,
            From::Frame => frame -= 1,
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::lay;
    use proptest::prelude::*;

    #[test]
    fn the_bright_diagonal_is_followed() {
        let (rows, frames) = (4, 40);
        let begins = [0, 7, 15, 30];
        let scores: Vec<f32> = (0..rows * frames)
            .map(|at| {
                let (row, frame) = (at / frames, at % frames);
                let end = begins.get(row + 1).copied().unwrap_or(frames);
                if (begins[row]..end).contains(&frame) { 1.0 } else { -1.0 }
            })
            .collect();
        assert_eq!(lay(&scores, rows, frames), begins);
    }

    proptest! {
        #[test]
        fn times_never_go_back(rows in 1usize..20, frames in 1usize..60, seed in any::<u32>()) {
            let scores: Vec<f32> = (0..rows * frames)
                .map(|at| ((at as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) % 1000) as f32 / 500.0 - 1.0)
                .collect();
            let first = lay(&scores, rows, frames);
            prop_assert_eq!(first.len(), rows);
            prop_assert!(first.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(first[rows - 1] < frames);
        }
    }
}
