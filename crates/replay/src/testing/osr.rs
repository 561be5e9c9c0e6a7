//! Writes replay files (.osr) as stable and lazer do: the inverse of [`Replay::read`].

use std::io;

use crate::osr::{Frame, Mode, Replay};

/// Writes a replay. Lazer's block is written where it has one; stable's two frames at (256, -500) stand before the first
/// movement.
///
/// # Errors
/// None that comes from the replay; the compressor writes into memory.
pub fn write(replay: &Replay) -> io::Result<Vec<u8>> {
    write_with_movements(replay, &movements(replay))
}

/// Writes a replay with movements in the game's own notation, for those that no [`Replay`] can hold.
///
/// # Errors
/// As [`write`].
pub fn write_with_movements(replay: &Replay, movements: &str) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    out.push(match replay.mode {
        Mode::Standard => 0,
        Mode::Taiko => 1,
        Mode::Catch => 2,
        Mode::Mania => 3,
    });
    out.extend(replay.version.to_le_bytes());
    text(&mut out, &replay.map_md5);
    text(&mut out, &replay.player);
    text(&mut out, &crate::beatmap::md5(movements.as_bytes()));
    let counts = replay.counts;
    for count in [counts.n300, counts.n100, counts.n50, counts.geki, counts.katu, counts.miss] {
        out.extend(u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
    }
    out.extend(i32::try_from(replay.score).unwrap_or(i32::MAX).to_le_bytes());
    out.extend(u16::try_from(replay.max_combo).unwrap_or(u16::MAX).to_le_bytes());
    out.push(replay.perfect.into());
    out.extend(replay.mods.to_le_bytes());
    let life: String = replay.life.iter().map(|(at, share)| format!("{at}|{share},")).collect();
    text(&mut out, &life);
    out.extend(replay.played_at.to_le_bytes());
    block(&mut out, movements.as_bytes())?;
    if replay.version >= 20_140_721 {
        out.extend(replay.online_id.to_le_bytes());
    } else if replay.version >= 20_121_008 {
        out.extend((replay.online_id as i32).to_le_bytes());
    }
    if replay.mods & crate::mods::bits::TARGET != 0 {
        out.extend(0.0_f64.to_le_bytes());
    }
    if let Some(lazer) = &replay.lazer {
        block(&mut out, lazer.json.to_string().as_bytes())?;
    }
    Ok(out)
}

/// The movements in the game's own notation: `milliseconds since the last|x|y|keys,` each.
#[must_use]
pub fn movements(replay: &Replay) -> String {
    let (mut out, mut last) = match replay.is_lazer() {
        true => (String::new(), 0),
        false => ("0|256|-500|0,-1|256|-500|0,".to_owned(), -1),
    };
    for Frame { at, x, y, keys } in &replay.frames {
        let keys = if replay.mode == Mode::Mania { 0 } else { *keys };
        out.push_str(&format!("{}|{x}|{y}|{keys},", at - last));
        last = *at;
    }
    if let Some(seed) = replay.seed {
        out.push_str(&format!("-12345|0|0|{seed},"));
    }
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(0x0b);
    let mut length = text.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend(text.as_bytes());
}

/// A block that is packed, with its length before it.
fn block(out: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let mut packed = Vec::new();
    let options = lzma_rs::compress::Options {
        unpacked_size: lzma_rs::compress::UnpackedSize::WriteToHeader(Some(bytes.len() as u64)),
    };
    lzma_rs::lzma_compress_with_options(&mut io::Cursor::new(bytes), &mut packed, &options)?;
    out.extend((packed.len() as i32).to_le_bytes());
    out.extend(packed);
    Ok(())
}
