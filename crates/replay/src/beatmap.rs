//! Maps (.osu): which one was played, and what is in it.

use md5::{Digest, Md5};

use crate::{
    archive::Archive,
    error::ReplayError,
    limits::Limits,
    osr::{Mode, Replay},
};

/// A map.
#[derive(Debug, Clone)]
pub struct Beatmap {
    /// As its file says, decoded.
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

impl Beatmap {
    /// Finds the map that was played among an archive's files, whatever line ends it was stored with, and reads it.
    ///
    /// # Errors
    /// [`ReplayError::MapMissing`], [`ReplayError::MapVersion`], [`ReplayError::MapCorrupt`], and the archive's.
    pub fn find(files: &Archive, replay: &Replay, limits: &Limits) -> Result<Self, ReplayError> {
        let mut found = Vec::new();
        for name in files.names().filter(|name| name.to_ascii_lowercase().ends_with(".osu")) {
            let bytes = files.read(name)?;
            if is_map(&bytes, &replay.map_md5) {
                return Self::read(&bytes, limits);
            }
            found.push(name.to_owned());
        }
        Err(ReplayError::MapMissing { md5: replay.map_md5.clone(), found: found.join(", ") })
    }

    /// Reads a map.
    ///
    /// # Errors
    /// [`ReplayError::MapCorrupt`], [`ReplayError::TooLong`].
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ReplayError> {
        let _ = limits;
        let map = rosu_map::Beatmap::from_bytes(bytes)
            .map_err(|_| ReplayError::MapCorrupt { reason: "it is not a map".to_owned() })?;
        let mode = match map.mode {
            rosu_map::section::general::GameMode::Osu => Mode::Standard,
            rosu_map::section::general::GameMode::Taiko => Mode::Taiko,
            rosu_map::section::general::GameMode::Catch => Mode::Catch,
            rosu_map::section::general::GameMode::Mania => Mode::Mania,
        };
        Ok(Self { map, mode, text: String::from_utf8_lossy(bytes).into_owned(), video: None })
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
