//! Replay files (.osr), of stable and of lazer.
//!
//! Promises: what is read has a map, at least one movement, movements in order of time, and numbers that cannot hurt (times
//! within a day, places within lazer's limits); texts are harmless and short. Fails with a code of [`ReplayError`].
//!
//! Source of the format: <https://osu.ppy.sh/wiki/en/Client/File_formats/osr_%28file_format%29>, and of its quirks lazer's
//! `LegacyScoreDecoder`.

mod lazer;
mod movements;
#[cfg(test)]
mod tests;

pub use self::lazer::{Lazer, LazerMod};
use self::movements::{movements, unpack};
use crate::{error::ReplayError, limits::Limits};

/// A game mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// osu!
    Standard,
    /// osu!taiko
    Taiko,
    /// osu!catch
    Catch,
    /// osu!mania
    Mania,
}

impl Mode {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "osu!",
            Self::Taiko => "osu!taiko",
            Self::Catch => "osu!catch",
            Self::Mania => "osu!mania",
        }
    }
}

/// The first version of lazer's replays.
pub const FIRST_LAZER: i32 = 30_000_000;

/// The first version with [`Lazer`] behind the movements.
const FIRST_WITH_STATISTICS: i32 = 30_000_001;

/// The first versions that name the score at the servers: with 32 bits, and with 64.
const FIRST_WITH_ID: (i32, i32) = (20_121_008, 20_140_721);

/// A replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The mode.
    pub mode: Mode,
    /// The game's version, such as 20200427; from [`FIRST_LAZER`] on lazer's.
    pub version: i32,
    /// MD5 of the map's file, in lower-case hexadecimal.
    pub map_md5: String,
    /// Who played.
    pub player: String,
    /// The counts of the header.
    pub counts: Counts,
    /// The score of the header.
    pub score: i64,
    /// The highest combo of the header.
    pub max_combo: u32,
    /// Whether the combo never broke, as the header says.
    pub perfect: bool,
    /// Stable's mods.
    pub mods: u32,
    /// How much life there was when: milliseconds of the map, and the share of 1. May be empty.
    pub life: Vec<(i32, f32)>,
    /// When it was played: .NET ticks (100 ns since year 1, UTC).
    pub played_at: i64,
    /// Its movements; there is one at least, and times never fall.
    pub frames: Vec<Frame>,
    /// The seed of random mods, where it has one.
    pub seed: Option<i32>,
    /// Its id at the servers; 0 or negative where it has none.
    pub online_id: i64,
    /// What only lazer writes.
    pub lazer: Option<Lazer>,
}

/// The counts of a replay's header. In other modes than osu! some mean something else: in mania `geki` is MAX and `katu` is 200.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// 300
    pub n300: u32,
    /// 100
    pub n100: u32,
    /// 50
    pub n50: u32,
    /// Geki.
    pub geki: u32,
    /// Katu.
    pub katu: u32,
    /// Misses.
    pub miss: u32,
}

/// A moment of a replay: where the cursor is and what is pressed from then on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Milliseconds of the map, at most a day from 0.
    pub at: i32,
    /// In osu! pixels, at most 131,072 from 0; mania: which columns are pressed, as a bit mask of at most 20 bits.
    pub x: f32,
    /// In osu! pixels.
    pub y: f32,
    /// [`keys`].
    pub keys: u8,
}

/// Bits of [`Frame::keys`].
pub mod keys {
    /// Left mouse button. Set with [`K1`] too.
    pub const M1: u8 = 1;
    /// Right mouse button. Set with [`K2`] too.
    pub const M2: u8 = 2;
    /// First key.
    pub const K1: u8 = 4;
    /// Second key.
    pub const K2: u8 = 8;
    /// Smoke.
    pub const SMOKE: u8 = 16;
}

impl Replay {
    /// Whether lazer's rules recorded it.
    #[must_use]
    pub fn is_lazer(&self) -> bool {
        self.version >= FIRST_LAZER
    }

    /// Reads a replay.
    ///
    /// # Errors
    /// [`ReplayError::ReplayCorrupt`], [`ReplayError::ReplayEmpty`], [`ReplayError::TooLong`].
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ReplayError> {
        let bytes_given = bytes.len() as u64;
        if bytes_given > limits.replay_bytes {
            let bytes = |count: u64| format!("{count} bytes");
            return Err(too_long("the replay", bytes(bytes_given), bytes(limits.replay_bytes)));
        }
        let mut reader = Reader { bytes };
        let mode = match reader.u8()? {
            0 => Mode::Standard,
            1 => Mode::Taiko,
            2 => Mode::Catch,
            3 => Mode::Mania,
            _ => return Err(corrupt("it names no mode of the game")),
        };
        let version = reader.i32()?;
        let map_md5 = reader.text()?.to_ascii_lowercase();
        if map_md5.len() != 32 || !map_md5.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(corrupt("it names no map"));
        }
        let player = harmless(&reader.text()?);
        let _replay_md5 = reader.text()?;
        let [n300, n100, n50, geki, katu, miss] = [(); 6].map(|()| reader.u16());
        let counts = Counts {
            n300: n300?.into(),
            n100: n100?.into(),
            n50: n50?.into(),
            geki: geki?.into(),
            katu: katu?.into(),
            miss: miss?.into(),
        };
        let score = i64::from(reader.i32()?);
        let max_combo = u32::from(reader.u16()?);
        let perfect = reader.u8()? != 0;
        let mods = reader.i32()? as u32;
        let life = life(&reader.text()?);
        let played_at = reader.i64()?;
        let block = reader.block()?;
        // What follows is no part of the play: replays that end here, or that other programs wrote, are read all the same.
        let online_id = if version >= FIRST_WITH_ID.1 {
            reader.i64().unwrap_or(0)
        } else if version >= FIRST_WITH_ID.0 {
            reader.i32().unwrap_or(0).into()
        } else {
            0
        };
        if mods & crate::mods::bits::TARGET != 0 && version < FIRST_LAZER {
            // The accuracy of Target Practice.
            let _ = reader.i64();
        }
        let lazer = match reader.block() {
            Ok(block) if version >= FIRST_WITH_STATISTICS && !block.is_empty() => {
                Some(Lazer::read(block, limits)?)
            }
            _ => None,
        };
        if block.is_empty() {
            return Err(ReplayError::ReplayEmpty);
        }
        let text = unpack(block, limits.replay_unpacked_bytes)?;
        let (frames, seed) = movements(&text, mode, limits.replay_frames)?;
        if frames.is_empty() {
            return Err(ReplayError::ReplayEmpty);
        }
        Ok(Self {
            mode,
            version,
            map_md5,
            player,
            counts,
            score,
            max_combo,
            perfect,
            mods,
            life,
            played_at,
            frames,
            seed,
            online_id,
            lazer,
        })
    }
}

fn corrupt(reason: impl Into<String>) -> ReplayError {
    ReplayError::ReplayCorrupt { reason: reason.into() }
}

fn too_long(what: &str, length: impl Into<String>, limit: String) -> ReplayError {
    let about = crate::error::About::Replay;
    ReplayError::TooLong { about, what: what.to_owned(), length: length.into(), limit }
}

/// A name without what could disturb a terminal or a page, and no longer than names are.
fn harmless(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

/// Reads numbers and texts off the front.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ReplayError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or_else(|| corrupt("it is cut off"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ReplayError> {
        self.take(N)?.try_into().map_err(|_| corrupt("it is cut off"))
    }

    fn u8(&mut self) -> Result<u8, ReplayError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, ReplayError> {
        self.array().map(u16::from_le_bytes)
    }

    fn i32(&mut self) -> Result<i32, ReplayError> {
        self.array().map(i32::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, ReplayError> {
        self.array().map(i64::from_le_bytes)
    }

    fn text(&mut self) -> Result<String, ReplayError> {
        match self.u8()? {
            0 => return Ok(String::new()),
            0x0b => {}
            _ => return Err(corrupt("a text is missing")),
        }
        let mut length = 0_usize;
        for shift in (0..35).step_by(7) {
            let byte = self.u8()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(String::from_utf8_lossy(self.take(length)?).into_owned());
            }
        }
        Err(corrupt("a text is too long"))
    }

    fn block(&mut self) -> Result<&'a [u8], ReplayError> {
        let length = self.i32()?;
        self.take(usize::try_from(length).unwrap_or(0))
    }
}

/// The life bar: `milliseconds|share,` each. What cannot be read is left out, for it is only shown.
fn life(text: &str) -> Vec<(i32, f32)> {
    let point = |pair: &str| {
        let (at, share) = pair.split_once('|')?;
        let share: f32 = share.parse().ok().filter(|share: &f32| share.is_finite())?;
        Some((at.parse().ok()?, share.clamp(0.0, 1.0)))
    };
    text.split(',').filter_map(point).collect()
}
