//! The spec of a `replay` job, and its decoder.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{LONGEST_TITLE, Source};
use crate::{
    decode::{Fields, Mistakes},
    replay::ReplayOptions,
};

/// The video of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReplaySpec {
    /// The replay: an .osr file.
    pub replay: Source,
    /// The map that was played: an .osz archive, or one .osu file.
    pub map: Source,
    /// The song, where the map is one .osu file.
    #[serde(default)]
    pub audio: Option<Source>,
    /// A skin: an .osk archive. Without one the video has its own looks.
    #[serde(default)]
    pub skin: Option<Source>,
    /// How it looks and sounds.
    #[serde(default)]
    pub options: ReplayOptions,
}

impl ReplaySpec {
    /// Its files, each with its name in the spec.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &Source)> {
        [
            ("replay", Some(&self.replay)),
            ("map", Some(&self.map)),
            ("audio", self.audio.as_ref()),
            ("skin", self.skin.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, source)| Some((name, source?)))
    }

    /// Every source that it names.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.files().map(|(_, source)| source)
    }

    /// What its job is called without a title: the replay file's name, where it has one. Titles are logged, so nothing of a link
    /// but its last part is in it.
    pub(super) fn title(&self) -> String {
        let display = match &self.replay {
            Source::Url(_) | Source::Path(_) => self.replay.display(),
            Source::Upload(_) | Source::Montage(_) => String::new(),
        };
        let last = display.rsplit('/').next().unwrap_or_default();
        let name = last.strip_suffix(".osr").unwrap_or(last).replace("%20", " ");
        let name: String = name.chars().filter(|letter| !letter.is_control()).take(LONGEST_TITLE).collect();
        if name.trim().is_empty() { "Untitled replay".to_owned() } else { name }
    }

    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["replay", "map", "audio", "skin", "options"], mistakes)?;
        let mut file = |name: &str, wanted: bool| {
            let value = if wanted { fields.required(name, mistakes) } else { fields.get(name) }?;
            let source = Source::read(value, &fields.at(name), mistakes)?;
            if matches!(source, Source::Montage(_)) {
                mistakes.add(
                    fields.at(name),
                    "a montage of the library is no such file; send a link, a path or an upload",
                );
                return None;
            }
            Some(source)
        };
        let (replay, map) = (file("replay", true), file("map", true));
        let (audio, skin) = (file("audio", false), file("skin", false));
        let options = match fields.get("options") {
            Some(value) => ReplayOptions::read(value, &fields.at("options"), mistakes)?,
            None => ReplayOptions::default(),
        };
        Some(Self { replay: replay?, map: map?, audio, skin, options })
    }
}
