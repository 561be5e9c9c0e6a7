//! Maps (.osu): which one was played, and what is in it.
//!
//! Promises: a map that was read has objects, and asks for no more memory and time than `bounds` allows; its texts are harmless.
//! Fails with [`ReplayError::MapMissing`], [`ReplayError::MapVersion`], [`ReplayError::MapCorrupt`] and [`ReplayError::TooLong`].

mod bounds;
mod outline;
#[cfg(test)]
mod tests;

use md5::{Digest, Md5};
use rosu_map::section::hit_objects::HitObject;

use self::outline::Outline;
use crate::{
    archive::Archive,
    error::{About, ReplayError},
    limits::Limits,
    osr::{Mode, Replay},
};

/// How many of an archive's maps are named where the wanted one is missing.
const NAMED: usize = 12;

/// A map.
#[derive(Debug, Clone)]
pub struct Beatmap {
    /// As its file says, decoded; difficulty values are restricted as in the game.
    pub map: rosu_map::Beatmap,
    /// Its mode.
    pub mode: Mode,
    /// The file as text, for what `rosu_map` leaves out: the storyboard's and the video's events.
    pub text: String,
    /// The background video, and when it begins, in milliseconds of the map.
    pub video: Option<(String, i32)>,
}

/// MD5 in lower-case hexadecimal.
#[must_use]
pub fn md5(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn corrupt(reason: &str) -> ReplayError {
    ReplayError::MapCorrupt { reason: reason.to_owned() }
}

impl Beatmap {
    /// Finds the map that was played among an archive's files, whatever line ends it was stored with, and reads it.
    ///
    /// # Errors
    /// [`ReplayError::MapVersion`] where one map there is probably another version of it: the only one of the replay's mode, or
    /// the only one with as many objects as the replay has results. [`ReplayError::MapMissing`] otherwise. Those of
    /// [`Self::read`], and the archive's where it cannot be told because a map cannot be unpacked.
    pub fn find(files: &Archive, replay: &Replay, limits: &Limits) -> Result<Self, ReplayError> {
        let (mut outlines, mut unreadable) = (Vec::new(), None);
        for name in files.names().filter(|name| name.to_ascii_lowercase().ends_with(".osu")) {
            match files.read(name) {
                // Beyond what is read of a map.
                Ok(bytes) if bytes.len() as u64 > limits.map_bytes => {}
                Ok(bytes) if is_map(&bytes, &replay.map_md5) => return Self::read(&bytes, limits),
                Ok(bytes) => outlines.push(Outline::of(&decoded(&bytes))),
                Err(error) => unreadable = Some(error),
            }
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        let md5 = replay.map_md5.clone();
        if let Some(difficulty) = outline::probable(&outlines, replay) {
            return Err(ReplayError::MapVersion { difficulty, md5 });
        }
        let mut found: Vec<String> =
            outlines.iter().take(NAMED).map(|outline| format!("{:?}", outline.difficulty)).collect();
        if found.is_empty() {
            found.push("no map".to_owned());
        }
        if outlines.len() > NAMED {
            found.push(format!("{} more", outlines.len() - NAMED));
        }
        Err(ReplayError::MapMissing { md5, found: found.join(", ") })
    }

    /// Its objects: at least one, and not more than there may be.
    ///
    /// # Errors
    /// [`ReplayError::MapCorrupt`], [`ReplayError::TooLong`].
    pub fn objects(&self, limits: &Limits) -> Result<&[HitObject], ReplayError> {
        let objects = &self.map.hit_objects;
        if objects.is_empty() {
            return Err(corrupt("it has no objects"));
        }
        if objects.len() > limits.objects {
            return Err(ReplayError::TooLong {
                about: About::Map,
                what: "the map".to_owned(),
                length: format!("{} objects", objects.len()),
                limit: format!("{} objects", limits.objects),
            });
        }
        Ok(objects)
    }

    /// Reads a map: UTF-8, or UTF-16 that says so.
    ///
    /// # Errors
    /// [`ReplayError::MapCorrupt`], [`ReplayError::TooLong`].
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ReplayError> {
        if bytes.len() as u64 > limits.map_bytes {
            return Err(ReplayError::TooLong {
                about: About::Map,
                what: "the map".to_owned(),
                length: format!("{} bytes", bytes.len()),
                limit: format!("{} bytes", limits.map_bytes),
            });
        }
        let text = decoded(bytes);
        bounds::check_text(&text, limits)?;
        let mut map =
            rosu_map::Beatmap::from_bytes(text.as_bytes()).map_err(|_| corrupt("it is not a map"))?;
        let mode = match map.mode {
            rosu_map::section::general::GameMode::Osu => Mode::Standard,
            rosu_map::section::general::GameMode::Taiko => Mode::Taiko,
            rosu_map::section::general::GameMode::Catch => Mode::Catch,
            rosu_map::section::general::GameMode::Mania => Mode::Mania,
        };
        bounds::check_map(&mut map, mode)?;
        let video = outline::video(&text);
        Ok(Self { map, mode, text, video })
    }
}

/// A file of the game's as text.
pub(crate) fn decoded(bytes: &[u8]) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| unit(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Whether these bytes are the map with that MD5: as they are, or with other line ends.
#[must_use]
pub fn is_map(bytes: &[u8], wanted: &str) -> bool {
    if md5(bytes) == wanted {
        return true;
    }
    let lf: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\r').collect();
    if md5(&lf) == wanted {
        return true;
    }
    let mut crlf = Vec::with_capacity(lf.len() + lf.len() / 16);
    for byte in lf {
        if byte == b'\n' {
            crlf.push(b'\r');
        }
        crlf.push(byte);
    }
    md5(&crlf) == wanted
}
