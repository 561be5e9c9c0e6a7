//! Which files a sample may be: what is looked for, and where.
//!
//! The map's folder is asked first, then the skin, then the samples that are made here ([`super::synth`]). A custom index says
//! what the map may give: 0 nothing, 1 the file without a number, n the file with that number and no other. The skin has files
//! without numbers only. In taiko a file of the same name with `taiko-` before it goes first. A set may be left out of a file's
//! name. Source: osu!lazer's `LegacySkin.GetSample`, `LegacyBeatmapSkin` and `TaikoLegacySkinTransformer`.

use rosu_map::section::hit_objects::hit_samples::{HitSampleInfo, HitSampleInfoName, SampleBank};

/// A sample that is to be heard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    /// What it is: `hitnormal`, `slidertick`, `combobreak` …
    pub(super) name: &'static str,
    /// `normal`, `soft` or `drum`; empty where there are no sets of it.
    pub(super) set: &'static str,
    /// The custom index.
    pub(super) index: i32,
    /// A file that the map names.
    pub(super) file: Option<String>,
    /// Whether it is heard in taiko.
    pub(super) taiko: bool,
}

impl Wanted {
    /// A sample that belongs to no object and has no sets; the map may bring it.
    pub(super) fn plain(name: &'static str) -> Self {
        Self { name, set: "", index: 1, file: None, taiko: false }
    }

    /// A file that the map names.
    pub(super) fn file(name: &str) -> Self {
        Self { name: "", set: "", index: 1, file: Some(name.to_owned()), taiko: false }
    }

    /// An object's sample.
    pub(super) fn of(sample: &HitSampleInfo) -> Self {
        let (name, file) = match &sample.name {
            HitSampleInfoName::Default(name) => (name.to_lowercase_str(), None),
            HitSampleInfoName::File(file) => ("hitnormal", Some(file.clone())),
        };
        let set = match sample.bank {
            SampleBank::Soft => "soft",
            SampleBank::Drum => "drum",
            SampleBank::Normal | SampleBank::None => "normal",
        };
        Self { name, set, index: sample.custom_sample_bank, file, taiko: false }
    }

    /// Another sound in this one's place, such as the tick of a slider whose samples are these.
    pub(super) fn named(self, name: &'static str) -> Self {
        Self { name, file: None, ..self }
    }

    /// The names to look for in the map's folder, in order, without their extensions.
    pub(super) fn in_map(&self) -> Vec<String> {
        let mut names: Vec<String> = self.file.iter().cloned().collect();
        match self.index {
            ..=0 => {}
            1 => names.extend(self.names("")),
            number => {
                // Only with a set: a number alone would be another sample's.
                let number = number.to_string();
                names.extend(self.names(&number).into_iter().filter(|_| !self.set.is_empty()));
            }
        }
        names
    }

    /// The names to look for in the skin, in order, without their extensions.
    pub(super) fn in_skin(&self) -> Vec<String> {
        self.names("")
    }

    fn names(&self, number: &str) -> Vec<String> {
        if self.name.is_empty() {
            return Vec::new();
        }
        let mut names = Vec::new();
        if !self.set.is_empty() {
            let name = format!("{}-{}{number}", self.set, self.name);
            if self.taiko {
                names.push(format!("taiko-{name}"));
            }
            names.push(name);
        }
        if number.is_empty() {
            names.push(self.name.to_owned());
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_set_and_index() {
        let wanted =
            |index: i32, taiko: bool| Wanted { name: "hitclap", set: "soft", index, file: None, taiko };
        let table = [
            (wanted(0, false), vec![], vec!["soft-hitclap", "hitclap"]),
            (wanted(1, false), vec!["soft-hitclap", "hitclap"], vec!["soft-hitclap", "hitclap"]),
            (wanted(7, false), vec!["soft-hitclap7"], vec!["soft-hitclap", "hitclap"]),
            (wanted(-3, false), vec![], vec!["soft-hitclap", "hitclap"]),
            (
                wanted(2, true),
                vec!["taiko-soft-hitclap2", "soft-hitclap2"],
                vec!["taiko-soft-hitclap", "soft-hitclap", "hitclap"],
            ),
            (Wanted::plain("combobreak"), vec!["combobreak"], vec!["combobreak"]),
            (Wanted::file("sb/bell.wav"), vec!["sb/bell.wav"], vec![]),
            (
                Wanted { name: "hitnormal", file: Some("voice.wav".to_owned()), ..wanted(1, false) },
                vec!["voice.wav", "soft-hitnormal", "hitnormal"],
                vec!["soft-hitnormal", "hitnormal"],
            ),
            (
                wanted(3, false).named("slidertick"),
                vec!["soft-slidertick3"],
                vec!["soft-slidertick", "slidertick"],
            ),
        ];
        for (wanted, map, skin) in table {
            assert_eq!(wanted.in_map(), map, "{wanted:?}");
            assert_eq!(wanted.in_skin(), skin, "{wanted:?}");
        }
    }
}
