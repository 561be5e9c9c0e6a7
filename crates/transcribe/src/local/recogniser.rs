//! The recogniser: Moonshine base, an encoder and a decoder that writes one token after the other.
//!
//! Greedy decoding with caches. The number of tokens is capped by the length of the audio: without a cap the model makes
//! up text on silence without end.

use std::path::Path;
use std::sync::Arc;

use rten::{NodeId, ThreadPool, Value, ValueOrView};

use super::model::{Loaded, failed, floats, integers};
use crate::TranscribeError;
use crate::audio::SAMPLE_RATE;

const LAYERS: usize = 8;
const HEADS: usize = 8;
const HEAD_SIZE: usize = 52;
/// The token that begins each text.
pub(super) const START: u32 = 1;
/// The token that ends each text.
pub(super) const END: u32 = 2;
/// Shorter audio than this, in samples (0.1 s), makes the encoder fail.
pub(super) const SHORTEST: usize = 1600;

/// The loaded recogniser.
pub(super) struct Recogniser {
    encoder: Loaded,
    encoder_input: NodeId,
    encoder_output: NodeId,
    decoder: Loaded,
    input_ids: NodeId,
    hidden_states: NodeId,
    use_cache: NodeId,
    /// Inputs and outputs of the caches, in the same order: for each layer decoder key, decoder value, encoder key,
    /// encoder value.
    past: Vec<NodeId>,
    outputs: Vec<NodeId>,
}

/// What was recognised in one chunk.
pub(super) struct Recognised {
    /// The encoder's output, for timing the tokens.
    pub encoded: Value,
    /// The tokens, without start and end.
    pub tokens: Vec<u32>,
}

impl Recogniser {
    /// Loads encoder and decoder.
    pub fn open(encoder: &Path, decoder: &Path, pool: &Arc<ThreadPool>) -> Result<Self, TranscribeError> {
        let encoder = Loaded::open(encoder, pool)?;
        let decoder = Loaded::open(decoder, pool)?;
        let mut past = Vec::with_capacity(LAYERS * 4);
        let mut outputs = vec![decoder.node("logits")?];
        for layer in 0..LAYERS {
            for part in ["decoder.key", "decoder.value", "encoder.key", "encoder.value"] {
                past.push(decoder.node(&format!("past_key_values.{layer}.{part}"))?);
                outputs.push(decoder.node(&format!("present.{layer}.{part}"))?);
            }
        }
        Ok(Self {
            encoder_input: encoder.node("input_values")?,
            encoder_output: encoder.node("last_hidden_state")?,
            encoder,
            input_ids: decoder.node("input_ids")?,
            hidden_states: decoder.node("encoder_hidden_states")?,
            use_cache: decoder.node("use_cache_branch")?,
            decoder,
            past,
            outputs,
        })
    }

    /// Recognises the speech in `samples`, at least [`SHORTEST`] of them. `go_on` is asked before every token.
    pub fn recognise(
        &self,
        samples: &[f32],
        go_on: impl Fn() -> Result<(), TranscribeError>,
    ) -> Result<Recognised, TranscribeError> {
        let audio = floats(&[1, samples.len()], samples.to_vec())?;
        let encoded = self
            .encoder
            .run(vec![(self.encoder_input, audio.into())], &[self.encoder_output])?
            .pop()
            .ok_or_else(|| failed("the encoder gave no output"))?;

        let seconds = samples.len() as f64 / f64::from(SAMPLE_RATE);
        let most = ((seconds * 9.0).ceil() as usize).max(24);
        let mut caches = Vec::with_capacity(self.past.len());
        for _ in &self.past {
            caches.push(floats(&[1, HEADS, 0, HEAD_SIZE], Vec::new())?);
        }
        let mut tokens: Vec<u32> = Vec::new();
        let mut last = START;
        while tokens.len() < most {
            go_on()?;
            let first = last == START && tokens.is_empty();
            let (token, present) = self.step(last, first, &encoded, &caches)?;
            if token == END {
                break;
            }
            for (index, (cache, new)) in caches.iter_mut().zip(present).enumerate() {
                // The encoder's caches are made in the first step and given back empty afterwards.
                if first || index % 4 < 2 {
                    *cache = new;
                }
            }
            tokens.push(token);
            last = token;
        }
        drop_loop(&mut tokens);
        Ok(Recognised { encoded, tokens })
    }

    /// One step of the decoder: the most probable next token and the new caches.
    fn step(
        &self,
        last: u32,
        first: bool,
        encoded: &Value,
        caches: &[Value],
    ) -> Result<(u32, impl Iterator<Item = Value> + use<>), TranscribeError> {
        let token = integers(&[1, 1], vec![last as i32])?;
        let flag = integers(&[1], vec![i32::from(!first)])?;
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> = vec![
            (self.input_ids, token.into()),
            (self.hidden_states, encoded.into()),
            (self.use_cache, flag.into()),
        ];
        inputs.extend(self.past.iter().zip(caches).map(|(node, cache)| (*node, cache.into())));
        let mut outputs = self.decoder.run(inputs, &self.outputs)?.into_iter();
        let logits = outputs.next().ok_or_else(|| failed("the decoder gave no output"))?;
        let (_, logits) = logits.into_shape_vec::<f32, 3>().map_err(failed)?;
        let best =
            logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(END as usize, |best| best.0);
        Ok((best as u32, outputs))
    }
}

/// Cuts off a loop: greedy decoding that loses its way repeats the same tokens until the cap. Four or more repeats of up
/// to eight tokens at the end, of at least eight tokens together, are kept once.
fn drop_loop(tokens: &mut Vec<u32>) {
    for size in 1..=8 {
        let mut repeats = 1;
        while (repeats + 1) * size <= tokens.len() {
            let end = tokens.len();
            let tail = &tokens[end - size..];
            if &tokens[end - (repeats + 1) * size..end - repeats * size] != tail {
                break;
            }
            repeats += 1;
        }
        if repeats >= 4 && repeats * size >= 8 {
            tokens.truncate(tokens.len() - (repeats - 1) * size);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::drop_loop;

    #[test]
    fn loops_are_dropped_and_speech_is_not() {
        let mut looped = vec![9, 8, 7, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2];
        drop_loop(&mut looped);
        assert_eq!(looped, [9, 8, 7, 1, 2]);
        let mut kept = vec![5, 5, 5, 1, 2, 3, 1, 2, 3, 1, 2, 3];
        drop_loop(&mut kept);
        assert_eq!(kept.len(), 12);
    }
}
