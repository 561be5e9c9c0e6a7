//! A replay's movements: LZMA around `milliseconds since the last|x|y|keys,` for each.
//!
//! Promises: memory is bounded by what may be unpacked, whatever the block says of itself; times never fall.

use super::{Frame, Mode, corrupt, too_long};
use crate::error::ReplayError;

/// Instead of a time: the keys are the seed of random mods.
const SEED: f64 = -12_345.0;

/// Milliseconds of a day: no map is longer.
const DAY: f64 = 86_400_000.0;

/// Unpacks a block (LZMA, with its own header) to at most `most` bytes.
pub fn unpack(block: &[u8], most: u64) -> Result<Vec<u8>, ReplayError> {
    let beyond = || too_long("what is unpacked from the replay", "more", format!("{most} bytes"));
    let Some((header, packed)) = block.split_first_chunk::<13>() else {
        return Err(corrupt("a packed part is cut off"));
    };
    let [properties, dictionary @ .., s0, s1, s2, s3, s4, s5, s6, s7] = *header;
    let size = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    let size = (size != u64::MAX).then_some(size);
    if size.is_some_and(|size| size > most) {
        return Err(beyond());
    }
    // A dictionary larger than all that may come is never looked into behind that; what it holds is written out when it is
    // full, so that this also ends what grows without end.
    let dictionary = u64::from(u32::from_le_bytes(dictionary)).min(most.max(4096)) as u32;
    let [d0, d1, d2, d3] = dictionary.to_le_bytes();
    let header = [properties, d0, d1, d2, d3, s0, s1, s2, s3, s4, s5, s6, s7];
    let mut out = Bounded { bytes: Vec::new(), most };
    match lzma_rs::lzma_decompress(&mut std::io::Read::chain(&header[..], packed), &mut out) {
        Ok(()) => Ok(out.bytes),
        Err(_) if out.bytes.len() as u64 >= most => Err(beyond()),
        Err(_) => Err(corrupt("a packed part cannot be unpacked")),
    }
}

/// Takes bytes up to a bound.
struct Bounded {
    bytes: Vec<u8>,
    most: u64,
}

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = self.most.saturating_sub(self.bytes.len() as u64);
        let taken = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.bytes.extend_from_slice(&bytes[..taken]);
        if taken < bytes.len() { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The movements, and the seed that stands behind them.
///
/// As the games do, and as `LegacyScoreDecoder` explains: the two frames at (256, -500) before a play are none of it; and
/// where time goes back, what follows is left out until time is where it was.
pub fn movements(text: &[u8], mode: Mode, most: usize) -> Result<(Vec<Frame>, Option<i32>), ReplayError> {
    let text = std::str::from_utf8(text).map_err(|_| corrupt("its movements are not text"))?;
    let (mut frames, mut seed) = (Vec::new(), None);
    // The time, and the highest so far.
    let (mut now, mut latest) = (0_f64, f64::NEG_INFINITY);
    for (index, piece) in text.split(',').enumerate() {
        let mut parts = piece.split('|');
        let (Some(step), Some(x), Some(y), Some(keys)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        // Some writers put fractions there.
        let step = number(step).ok_or_else(|| corrupt("a movement has no time"))?;
        let keys: i64 = keys.trim().parse().map_err(|_| corrupt("a movement has no keys"))?;
        if step == SEED {
            seed = Some(keys as i32);
            continue;
        }
        let (Some(x), Some(y)) = (number(x), number(y)) else {
            return Err(corrupt("a movement has no place"));
        };
        let step = step.clamp(-2.0 * DAY, 2.0 * DAY);
        now += step;
        if index < 2 && x == 256.0 && y == -500.0 {
            // A skipped introduction; otherwise a play may begin before 0.
            if now > 0.0 {
                latest = latest.max(now);
            }
            continue;
        }
        if now < latest {
            continue;
        }
        latest = now;
        if now.abs() > DAY {
            return Err(corrupt("its movements reach over days"));
        }
        if frames.len() >= most {
            return Err(too_long("the replay", "more", format!("{most} movements")));
        }
        let (least, most) = if mode == Mode::Mania { (0.0, 1_048_575.0) } else { (-131_072.0, 131_072.0) };
        frames.push(Frame {
            at: now.round() as i32,
            x: x.clamp(least, most) as f32,
            y: y.clamp(-131_072.0, 131_072.0) as f32,
            keys: (keys & 0xff) as u8,
        });
    }
    Ok((frames, seed))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
