//! Why a replay cannot be made into a video: the codes with which such jobs fail, and what their pages say.

/// A code with its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayFailure {
    /// Stable name for programs, as it stands in a job's failure.
    pub code: &'static str,
    /// The code in words.
    pub title: &'static str,
    /// What has happened. Names of the protocol stand in backquotes, here and below.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

impl ReplayFailure {
    /// The page's path.
    #[must_use]
    pub fn page(&self) -> String {
        format!("/docs/errors/{}", self.code.replace('_', "-"))
    }
}

/// All codes.
pub const REPLAY_FAILURES: &[ReplayFailure] = &[
    ReplayFailure {
        code: "replay_corrupt",
        title: "The replay cannot be read",
        meaning: "The file that was sent as `replay` is no .osr file of osu!, or it is cut off or damaged. The message says where reading ended.",
        remedy: "Export the replay from the game once more (F2 on the results screen), or download it again. A link must lead to the file itself, not to a page about it.",
    },
    ReplayFailure {
        code: "replay_empty",
        title: "The replay holds no movements",
        meaning: "The .osr file holds a score, but not what was played: that is how the game keeps scores of others that it did not download.",
        remedy: "Watch the replay in the game, which downloads it, and export it then.",
    },
    ReplayFailure {
        code: "replay_auto",
        title: "The game played by itself",
        meaning: "The replay was made by the mods Auto or Cinema. There is no play of a person to show or to check.",
        remedy: "Send a replay that somebody played.",
    },
    ReplayFailure {
        code: "replay_mode_unsupported",
        title: "The mode cannot be shown",
        meaning: "Replays of osu!, osu!taiko and osu!mania can be shown. This one is of another mode.",
        remedy: "Send a replay of one of these modes.",
    },
    ReplayFailure {
        code: "replay_mods_unsupported",
        title: "The mods cannot be shown",
        meaning: "Some mods exclude each other, and some of lazer's change the play in ways that are not known here. The message names them. Rather than to show something that was not played, nothing is shown.",
        remedy: "Send a replay without these mods.",
    },
    ReplayFailure {
        code: "replay_map_missing",
        title: "The map that was played is not there",
        meaning: "A replay names the map's file by its MD5, and no .osu file of what was sent as `map` has it. The message lists the difficulties that are there.",
        remedy: "Send the .osz of the mapset that was played. If the map was changed since, it has to be the version of that time.",
    },
    ReplayFailure {
        code: "replay_map_version",
        title: "The map has another version",
        meaning: "What was sent as `map` holds a difficulty that looks like the one that was played, but its file was changed since: its MD5 differs. The same movements on other objects would be another play.",
        remedy: "Send the version that was played: the mapset as the player had it.",
    },
    ReplayFailure {
        code: "replay_map_corrupt",
        title: "The map cannot be used",
        meaning: "The map cannot be read, holds nothing to play, or holds numbers that no play could have. The message says what.",
        remedy: "Download the mapset again. If the map is made to break programs, it cannot be shown.",
    },
    ReplayFailure {
        code: "replay_map_converted",
        title: "The map was converted from another mode",
        meaning: "The replay is of one mode and its map of another: the game converted the map when it was played. That is not done here.",
        remedy: "Send a replay of a map that was made for its mode.",
    },
    ReplayFailure {
        code: "replay_audio_missing",
        title: "The song is missing",
        meaning: "The map names a song, and there is no such file in what was sent.",
        remedy: "Send the whole .osz as `map`, or the song as `audio`.",
    },
    ReplayFailure {
        code: "replay_audio_unsupported",
        title: "The song cannot be decoded",
        meaning: "The song is in a format that is not known here, or its file is damaged.",
        remedy: "Send the song as MP3, Ogg Vorbis, FLAC or WAV as `audio`.",
    },
    ReplayFailure {
        code: "replay_archive_corrupt",
        title: "An archive cannot be read",
        meaning: "An .osz or .osk file is a zip archive. This one is none, is cut off, or holds a file that cannot be unpacked.",
        remedy: "Download it again. A link must lead to the file itself, not to a page about it.",
    },
    ReplayFailure {
        code: "replay_archive_unsafe",
        title: "An archive is refused",
        meaning: "The archive holds names that lead out of it, or unpacks to far more than such files hold. It was not unpacked.",
        remedy: "Pack it anew with the files of the mapset or skin alone.",
    },
    ReplayFailure {
        code: "replay_skin_corrupt",
        title: "The skin cannot be used",
        meaning: "Something in the .osk file is larger than any skin needs. The message says what.",
        remedy: "Send another skin, or none: then the video has its own looks.",
    },
    ReplayFailure {
        code: "replay_too_long",
        title: "Something is too long",
        meaning: "The replay, the song, the map or the finished video is longer than is allowed. The message says which and how long it may be.",
        remedy: "Ask for a part of the play by `options.video.start` and `options.video.end`.",
    },
    ReplayFailure {
        code: "replay_options_invalid",
        title: "The options do not go together with the replay",
        meaning: "An option is right by itself, but not for this replay, such as a stretch of time in which nothing is played.",
        remedy: "The message says which; leave it out or change it.",
    },
];
