//! Replay files (.osr), of stable and of lazer.
//!
//! Source of the format: <https://osu.ppy.sh/wiki/en/Client/File_formats/osr_%28file_format%29>.

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
    /// Its movements; times grow.
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
    /// Milliseconds of the map.
    pub at: i32,
    /// In osu! pixels; mania: which columns are pressed, as a bit mask.
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

/// What only lazer writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lazer {
    /// Its JSON document, as it is.
    pub json: serde_json::Value,
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
        if bytes.len() as u64 > limits.replay_bytes {
            return Err(too_long("the replay", bytes.len() as u64, limits.replay_bytes));
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
        let player = reader.text()?;
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
        let online_id = match version {
            ..20_140_721 => i64::from(reader.i32().unwrap_or(0)),
            _ => reader.i64().or_else(|_| reader.i32().map(i64::from)).unwrap_or(0),
        };
        if mods & crate::mods::bits::TARGET != 0 {
            // The accuracy of Target Practice.
            let _ = reader.i64();
        }
        let lazer = if version >= FIRST_LAZER && reader.bytes.len() >= 4 {
            let json = unpack(reader.block()?, limits.replay_unpacked_bytes.min(16 << 20))?;
            let json = serde_json::from_slice(&json).map_err(|_| corrupt("what lazer added is not JSON"))?;
            Some(Lazer { json })
        } else {
            None
        };
        if block.is_empty() {
            return Err(ReplayError::ReplayEmpty);
        }
        let text = unpack(block, limits.replay_unpacked_bytes)?;
        let (frames, seed) = frames(&text, limits.replay_frames)?;
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

fn too_long(what: &str, bytes: u64, limit: u64) -> ReplayError {
    ReplayError::TooLong {
        about: crate::error::About::Replay,
        what: what.to_owned(),
        length: format!("{bytes} bytes"),
        limit: format!("{limit} bytes"),
    }
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

/// Unpacks a block (LZMA, with its own header) to at most `most` bytes.
fn unpack(block: &[u8], most: u64) -> Result<Vec<u8>, ReplayError> {
    let mut out = Bounded { bytes: Vec::new(), most };
    let options =
        lzma_rs::decompress::Options { memlimit: Some(256 << 20), ..lzma_rs::decompress::Options::default() };
    let mut from = std::io::Cursor::new(block);
    match lzma_rs::lzma_decompress_with_options(&mut from, &mut out, &options) {
        Ok(()) => Ok(out.bytes),
        Err(_) if out.bytes.len() as u64 >= most => Err(too_long("the unpacked replay", most, most)),
        Err(_) => Err(corrupt("its movements cannot be unpacked")),
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

fn life(text: &str) -> Vec<(i32, f32)> {
    let point = |pair: &str| {
        let (at, share) = pair.split_once('|')?;
        let share: f32 = share.parse().ok().filter(|share: &f32| share.is_finite())?;
        Some((at.parse().ok()?, share.clamp(0.0, 1.0)))
    };
    text.split(',').filter_map(point).collect()
}

/// The movements, and the seed that stands behind them.
fn frames(text: &[u8], most: usize) -> Result<(Vec<Frame>, Option<i32>), ReplayError> {
    let text = std::str::from_utf8(text).map_err(|_| corrupt("its movements are not text"))?;
    let (mut frames, mut seed, mut now) = (Vec::new(), None, 0_i64);
    for piece in text.split(',').filter(|piece| !piece.is_empty()) {
        let mut parts = piece.split('|');
        let mut next = || parts.next().ok_or_else(|| corrupt("a movement is not whole"));
        let (step, x, y, keys) = (next()?, next()?, next()?, next()?);
        // Some writers put fractions there.
        let step: f64 = step.parse().map_err(|_| corrupt("a movement has no time"))?;
        let keys: i64 = keys.parse().map_err(|_| corrupt("a movement has no keys"))?;
        if step == -12_345.0 {
            seed = Some(keys as i32);
            continue;
        }
        let place =
            |text: &str| text.parse::<f32>().ok().filter(|number| number.is_finite() && number.abs() < 1e7);
        let (Some(x), Some(y)) = (place(x), place(y)) else {
            return Err(corrupt("a movement has no place"));
        };
        now = now.saturating_add(step.clamp(-1e9, 1e9) as i64);
        let at = i32::try_from(now).map_err(|_| corrupt("its movements reach over days"))?;
        if frames.len() >= most {
            return Err(too_long("the replay", most as u64, most as u64));
        }
        frames.push(Frame { at, x, y, keys: (keys & 0xff) as u8 });
    }
    Ok((frames, seed))
}
