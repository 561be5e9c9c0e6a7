//! Why a replay cannot be shown: the documented list. Each code has a page.

use serde::{Deserialize, Serialize};

/// Which of the files of a job is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The .osr.
    Replay,
    /// The .osz or .osu.
    Map,
    /// The song.
    Audio,
    /// The .osk.
    Skin,
    /// What was asked for.
    Options,
}

/// Why a replay cannot be shown. Messages are for the person who asked; none holds bytes of a file that were not checked to
/// be harmless text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ReplayError {
    /// The .osr is not one, or is cut off or damaged.
    #[error("the replay cannot be read: {reason}")]
    ReplayCorrupt {
        /// What is wrong with it.
        reason: String,
    },
    /// The .osr holds a score, but no movement.
    #[error("the replay holds a score but no movements; download it again from the game")]
    ReplayEmpty,
    /// The game played by itself (Auto, Cinema).
    #[error("the replay was played by the game itself (Auto), which is no play of a person")]
    ReplayAuto,
    /// osu!catch, or a mode that does not exist.
    #[error("replays of {mode} cannot be shown; osu!, osu!taiko and osu!mania can")]
    ModeUnsupported {
        /// The mode's name.
        mode: String,
    },
    /// Mods that exclude each other, or change the play in ways that are not known here.
    #[error("the mods {mods} cannot be shown: {reason}")]
    ModsUnsupported {
        /// The mods.
        mods: String,
        /// Why not.
        reason: String,
    },
    /// No map in the archive is the one that was played.
    #[error("the map that was played (MD5 {md5}) is not in the file; it holds {found}")]
    MapMissing {
        /// The wanted map's MD5, in hexadecimal.
        md5: String,
        /// The maps that are there.
        found: String,
    },
    /// A .osu of the same difficulty, but of another version.
    #[error(
        "{difficulty:?} is another version than the one that was played (MD5 {md5}); get the version of that time"
    )]
    MapVersion {
        /// The difficulty that looks like it.
        difficulty: String,
        /// The wanted map's MD5, in hexadecimal.
        md5: String,
    },
    /// The map cannot be read, or holds nothing to play.
    #[error("the map cannot be used: {reason}")]
    MapCorrupt {
        /// What is wrong with it.
        reason: String,
    },
    /// The map is of another mode than the replay: a converted map.
    #[error("the map is one of {map_mode} that was converted to {mode}; converted maps cannot be shown")]
    MapConverted {
        /// The map's mode.
        map_mode: String,
        /// The replay's mode.
        mode: String,
    },
    /// The song is not there.
    #[error("the song {name:?} is missing; send the .osz, or the song as `audio`")]
    AudioMissing {
        /// Its name in the map.
        name: String,
    },
    /// The song cannot be decoded.
    #[error("the song cannot be decoded: {reason}; MP3, Ogg Vorbis, FLAC and WAV can")]
    AudioUnsupported {
        /// Why.
        reason: String,
    },
    /// An archive is not one, or is damaged.
    #[error("the archive cannot be read: {reason}")]
    ArchiveCorrupt {
        /// Whose archive it is.
        about: About,
        /// What is wrong with it.
        reason: String,
    },
    /// An archive that would hurt: names that leave it, or far more bytes than it should hold.
    #[error("the archive is refused: {reason}")]
    ArchiveUnsafe {
        /// Whose archive it is.
        about: About,
        /// What is wrong with it.
        reason: String,
    },
    /// The skin cannot be used.
    #[error("the skin cannot be used: {reason}")]
    SkinCorrupt {
        /// What is wrong with it.
        reason: String,
    },
    /// Longer or larger than is allowed.
    #[error("{what} is too long: {length}, at most {limit}")]
    TooLong {
        /// What it is.
        about: About,
        /// In words, such as `the video`.
        what: String,
        /// How long it is, with its unit.
        length: String,
        /// How long it may be, with its unit.
        limit: String,
    },
    /// What was asked for does not go together with this replay.
    #[error("{reason}")]
    OptionsInvalid {
        /// The option, as a JSON pointer below the options.
        pointer: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ReplayError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReplayCorrupt { .. } => "replay_corrupt",
            Self::ReplayEmpty => "replay_empty",
            Self::ReplayAuto => "replay_auto",
            Self::ModeUnsupported { .. } => "replay_mode_unsupported",
            Self::ModsUnsupported { .. } => "replay_mods_unsupported",
            Self::MapMissing { .. } => "replay_map_missing",
            Self::MapVersion { .. } => "replay_map_version",
            Self::MapCorrupt { .. } => "replay_map_corrupt",
            Self::MapConverted { .. } => "replay_map_converted",
            Self::AudioMissing { .. } => "replay_audio_missing",
            Self::AudioUnsupported { .. } => "replay_audio_unsupported",
            Self::ArchiveCorrupt { .. } => "replay_archive_corrupt",
            Self::ArchiveUnsafe { .. } => "replay_archive_unsafe",
            Self::SkinCorrupt { .. } => "replay_skin_corrupt",
            Self::TooLong { .. } => "replay_too_long",
            Self::OptionsInvalid { .. } => "replay_options_invalid",
        }
    }

    /// Which file is to blame.
    #[must_use]
    pub fn about(&self) -> About {
        match self {
            Self::ReplayCorrupt { .. }
            | Self::ReplayEmpty
            | Self::ReplayAuto
            | Self::ModeUnsupported { .. }
            | Self::ModsUnsupported { .. } => About::Replay,
            Self::MapMissing { .. }
            | Self::MapVersion { .. }
            | Self::MapCorrupt { .. }
            | Self::MapConverted { .. } => About::Map,
            Self::AudioMissing { .. } | Self::AudioUnsupported { .. } => About::Audio,
            Self::SkinCorrupt { .. } => About::Skin,
            Self::ArchiveCorrupt { about, .. }
            | Self::ArchiveUnsafe { about, .. }
            | Self::TooLong { about, .. } => *about,
            Self::OptionsInvalid { .. } => About::Options,
        }
    }
}
