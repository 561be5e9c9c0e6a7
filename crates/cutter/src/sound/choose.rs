//! Whether the montage's sound can be copied or has to be encoded, and why. Pure.

use serde::{Deserialize, Serialize};

use crate::facts::{AacConfig, AudioFacts};
use crate::sound::shape::{Placed, overlaps};

/// How the montage's sound is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundPlan {
    /// Packets are copied; only those around the seams are made anew.
    Copy {
        /// What all sources have in common, and the montage gets.
        config: AacConfig,
    },
    /// Everything is decoded and encoded as a whole.
    Encode {
        /// Why it cannot be copied, in words for people.
        why: String,
    },
}

/// Chooses for clips at these places whose sources have this sound (`None`: none).
pub(crate) fn sound_plan(levelled: bool, placed: &[Placed], sounds: &[Option<&AudioFacts>]) -> SoundPlan {
    common_config(levelled, placed, sounds)
        .map_or_else(|why| SoundPlan::Encode { why }, |config| SoundPlan::Copy { config })
}

fn common_config(
    levelled: bool,
    placed: &[Placed],
    sounds: &[Option<&AudioFacts>],
) -> Result<AacConfig, String> {
    if levelled {
        return Err("levelling is on".to_owned());
    }
    if overlaps(placed) {
        return Err("transitions let two clips sound at once".to_owned());
    }
    let mut common: Option<AacConfig> = None;
    for (clip, sound) in (1..).zip(sounds) {
        // A clip without sound is silence, which any stream can hold.
        let Some(sound) = sound else { continue };
        let config = sound.aac.ok_or_else(|| not_plain(clip, sound))?;
        match common {
            Some(common) if common != config => {
                return Err(format!("the sources differ: {} and {}", describe(common), describe(config)));
            }
            _ => common = Some(config),
        }
    }
    common.ok_or_else(|| "no source has sound".to_owned())
}

fn not_plain(clip: u32, sound: &AudioFacts) -> String {
    match (sound.codec.as_str(), sound.channels) {
        ("aac", 0..=2) => format!("the sound of clip {clip}'s source is not plain AAC-LC"),
        ("aac", channels) => format!("the sound of clip {clip}'s source has {channels} channels"),
        (codec, _) => format!("the sound of clip {clip}'s source is {codec}, not AAC"),
    }
}

fn describe(config: AacConfig) -> String {
    let (whole, rest) = (config.sample_rate / 1000, config.sample_rate % 1000);
    let decimals = format!(".{rest:03}");
    let channels = if config.channels == 1 { "mono" } else { "stereo" };
    format!("{whole}{} kHz {channels}", decimals.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aac(sample_rate: u32, channels: u32) -> AudioFacts {
        let aac = Some(AacConfig { sample_rate, channels });
        AudioFacts { stream: 1, codec: "aac".to_owned(), sample_rate, channels, aac }
    }

    #[test]
    fn the_reasons_are_for_people() {
        let placed = |first_sample| Placed { first_sample, samples: 1000, fade_in: 0, fade_out: 0 };
        let apart = [placed(0), placed(1000)];
        let why = |levelled, placed: &[Placed], sounds: &[Option<&AudioFacts>]| match sound_plan(
            levelled, placed, sounds,
        ) {
            SoundPlan::Encode { why } => why,
            SoundPlan::Copy { config } => describe(config),
        };
        let (stereo, mono) = (aac(48_000, 2), aac(44_100, 1));
        assert_eq!(why(false, &apart, &[Some(&stereo), None]), "48 kHz stereo");
        assert_eq!(why(true, &apart, &[Some(&stereo), Some(&stereo)]), "levelling is on");
        assert_eq!(
            why(false, &[placed(0), placed(900)], &[Some(&stereo), Some(&stereo)]),
            "transitions let two clips sound at once"
        );
        assert_eq!(
            why(false, &apart, &[Some(&mono), Some(&stereo)]),
            "the sources differ: 44.1 kHz mono and 48 kHz stereo"
        );
        assert_eq!(why(false, &apart, &[None, None]), "no source has sound");
        let mut odd = aac(48_000, 2);
        odd.aac = None;
        assert_eq!(
            why(false, &apart, &[Some(&stereo), Some(&odd)]),
            "the sound of clip 2's source is not plain AAC-LC"
        );
        odd.channels = 6;
        assert_eq!(why(false, &apart, &[Some(&odd)]), "the sound of clip 1's source has 6 channels");
        odd.codec = "opus".to_owned();
        assert_eq!(why(false, &apart, &[Some(&odd)]), "the sound of clip 1's source is opus, not AAC");
    }
}
