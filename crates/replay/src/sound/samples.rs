//! The samples that a play needs, each decoded once and kept at 48 kHz.
//!
//! Promises: memory is bounded ([`MOST_FRAMES`], 4 bytes each), whatever the files hold; what would go beyond is not heard. A file
//! that is there and holds no sound is silent, as skins and maps use it; one that is not there is looked for in the next place.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    SAMPLE_RATE,
    decode::{Decoder, Frame},
    names::Wanted,
    resample::Resampler,
    synth,
};
use crate::archive::Archive;

/// Frames of all samples together: 22 minutes, as maps have whose song is made of samples.
const MOST_FRAMES: usize = 64 << 20;

/// Frames of one: two minutes.
const LONGEST: usize = 120 * SAMPLE_RATE as usize;

/// A sample: 16 bits a side.
pub(super) type Sound = Arc<Vec<[i16; 2]>>;

/// The extensions of samples, in the order in which they are tried.
const EXTENSIONS: [&str; 3] = [".wav", ".ogg", ".mp3"];

/// All samples that were asked for.
pub(super) struct Samples<'a> {
    map: Option<&'a Archive>,
    skin: Option<&'a Archive>,
    known: BTreeMap<Wanted, Sound>,
    /// By place and name in it.
    files: BTreeMap<(bool, String), Sound>,
    left: usize,
}

impl<'a> Samples<'a> {
    /// From the map's folder, where it may be asked, and the skin's.
    pub(super) fn new(map: Option<&'a Archive>, skin: Option<&'a Archive>) -> Self {
        Self { map, skin, known: BTreeMap::new(), files: BTreeMap::new(), left: MOST_FRAMES }
    }

    /// The sample that is heard.
    pub(super) fn get(&mut self, wanted: &Wanted) -> Sound {
        if let Some(sound) = self.known.get(wanted) {
            return sound.clone();
        }
        let sound = self.find(wanted);
        self.known.insert(wanted.clone(), sound.clone());
        sound
    }

    fn find(&mut self, wanted: &Wanted) -> Sound {
        let places = [(true, self.map, wanted.in_map()), (false, self.skin, wanted.in_skin())];
        for (is_map, archive, names) in places {
            let Some(archive) = archive else { continue };
            for name in names {
                let whole = EXTENSIONS.iter().any(|extension| name.to_ascii_lowercase().ends_with(extension));
                let stem =
                    if whole { name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem) } else { &name };
                let with_extension = EXTENSIONS.iter().map(|extension| format!("{stem}{extension}"));
                let mut candidates = whole.then(|| name.clone()).into_iter().chain(with_extension);
                if let Some(file) = candidates.find(|candidate| archive.has(candidate)) {
                    return self.file(is_map, archive, file);
                }
            }
        }
        self.keep(synth::sound(wanted.set, wanted.name, wanted.taiko))
    }

    /// A file's sound; silent where it cannot be read or decoded: a play is worth showing without it.
    fn file(&mut self, is_map: bool, archive: &Archive, name: String) -> Sound {
        if let Some(sound) = self.files.get(&(is_map, name.clone())) {
            return sound.clone();
        }
        let frames =
            archive.read(&name).map_or_else(|_| Vec::new(), |bytes| decoded(&bytes, LONGEST.min(self.left)));
        let sound = self.keep(frames);
        self.files.insert((is_map, name), sound.clone());
        sound
    }

    fn keep(&mut self, frames: Vec<Frame>) -> Sound {
        let kept = frames.len().min(self.left);
        self.left -= kept;
        let side = |sample: f32| (sample * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16;
        Arc::new(frames.iter().take(kept).map(|frame| frame.map(side)).collect())
    }
}

/// A file's frames at 48 kHz, at most so many.
fn decoded(bytes: &[u8], most: usize) -> Vec<Frame> {
    let Ok(mut decoder) = Decoder::open(bytes) else { return Vec::new() };
    let ratio = f64::from(SAMPLE_RATE) / f64::from(decoder.rate());
    let Ok(mut resampler) = Resampler::new(ratio, 0.0) else { return Vec::new() };
    let (mut packet, mut frames) = (Vec::new(), Vec::new());
    while frames.len() < most {
        packet.clear();
        if !decoder.next(&mut packet) {
            resampler.finish(&mut frames);
            break;
        }
        resampler.push(&packet, &mut frames);
    }
    let length = (decoder.decoded() as f64 * ratio).ceil() as usize;
    frames.truncate(most.min(length));
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::About, limits::Limits, testing::files};

    fn archive(names: &[&str]) -> Archive {
        // Each is as many frames long as its place says, so that they can be told apart.
        let files = names.iter().enumerate().map(|(at, name)| {
            let bytes = if name.contains("empty") { Vec::new() } else { files::wav((0..=at).map(|_| 0.5)) };
            ((*name).replace("empty/", ""), bytes)
        });
        Archive::of(files, About::Map, &Limits::default())
    }

    #[test]
    fn a_sample_is_looked_for_in_map_skin_and_defaults() {
        let map = archive(&[
            "soft-hitnormal2.wav",
            "soft-hitnormal.ogg",
            "Drum-HitClap.WAV",
            "empty/drum-hitfinish.wav",
        ]);
        let skin =
            archive(&["x", "y", "z", "w", "soft-hitnormal.wav", "hitwhistle.wav", "drum-hitfinish.wav"]);
        let mut samples = Samples::new(Some(&map), Some(&skin));
        let wanted = |set, name, index| Wanted { name, set, index, file: None, taiko: false };
        let mut length = |set, name, index| samples.get(&wanted(set, name, index)).len();
        // 44.1 kHz becomes 48 kHz, so lengths are rounded up.
        assert_eq!(length("soft", "hitnormal", 2), 2);
        assert_eq!(length("soft", "hitnormal", 1), 3);
        assert_eq!(length("soft", "hitnormal", 0), 6);
        assert_eq!(length("soft", "hitnormal", 3), 6);
        assert_eq!(length("drum", "hitclap", 1), 4);
        assert_eq!(length("normal", "hitwhistle", 1), 7);
        assert_eq!(length("drum", "hitfinish", 1), 0, "an empty file is silent");
        assert_eq!(length("drum", "hitfinish", 0), 8);
        assert!(length("drum", "hitclap", 0) > 1000, "the default");
    }

    #[test]
    fn the_same_file_is_kept_once_and_damaged_ones_are_silent() {
        let files = [
            ("voice.wav".to_owned(), files::wav((0..100).map(|_| 0.1))),
            ("bad.wav".to_owned(), vec![7; 500]),
        ];
        let map = Archive::of(files, About::Map, &Limits::default());
        let mut samples = Samples::new(Some(&map), None);
        let one = samples.get(&Wanted::file("voice.wav"));
        let other = samples.get(&Wanted::file("VOICE.WAV"));
        assert_eq!(one.len(), 109);
        assert_eq!(one, other);
        assert!(samples.get(&Wanted::file("bad.wav")).is_empty());
        assert!(samples.get(&Wanted::file("none.wav")).is_empty());
    }
}
