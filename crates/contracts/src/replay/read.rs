//! The decoders of the options: each reads one part and notes its mistakes.

use serde_json::Value;

use super::{
    BackgroundOptions, CaptionOptions, HudOptions, PlayOptions, ReplayOptions, SoundOptions, VideoOptions,
    VideoPreset,
};
use crate::decode::{Fields, Mistakes};

/// Longest stretch of the map's time that can be asked for, in seconds.
const LONGEST_SECONDS: f64 = 24.0 * 3600.0;

/// Reads one part of a document: what is absent keeps its default.
struct Part<'a, 'm> {
    fields: Fields<'a>,
    mistakes: &'m mut Mistakes,
}

impl<'a, 'm> Part<'a, 'm> {
    fn open(value: &'a Value, pointer: &str, known: &[&str], mistakes: &'m mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, known, mistakes)?;
        Some(Self { fields, mistakes })
    }

    fn flags<const N: usize>(&mut self, flags: [(&str, &mut bool); N]) {
        for (name, flag) in flags {
            if let Some(given) = self.fields.flag(name, self.mistakes) {
                *flag = given;
            }
        }
    }

    /// A whole number within bounds that fits its type.
    fn number<T: TryFrom<i64>>(&mut self, name: &str, bounds: std::ops::RangeInclusive<i64>, number: &mut T) {
        let given = self.fields.integer(name, bounds, self.mistakes);
        if let Some(given) = given.and_then(|given| T::try_from(given).ok()) {
            *number = given;
        }
    }

    /// A side of the picture.
    fn side(&mut self, name: &str, bounds: std::ops::RangeInclusive<i64>, side: &mut u32) {
        self.number(name, bounds, side);
        if !side.is_multiple_of(2) {
            self.mistakes.add(self.fields.at(name), "expected an even number");
        }
    }

    /// A part of its own.
    fn part<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value, &str, &mut Mistakes) -> Option<T>,
        part: &mut T,
    ) {
        let value = self.fields.get(name);
        if let Some(read) = value.and_then(|value| read(value, &self.fields.at(name), self.mistakes)) {
            *part = read;
        }
    }
}

impl ReplayOptions {
    pub(crate) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known =
            ["video", "background", "play", "hud", "sound", "warning_seconds", "results_seconds", "captions"];
        let mut part = Part::open(value, pointer, &known, mistakes)?;
        let mut options = Self::default();
        part.part("video", VideoOptions::read, &mut options.video);
        part.part("background", BackgroundOptions::read, &mut options.background);
        part.part("play", PlayOptions::read, &mut options.play);
        part.part("hud", HudOptions::read, &mut options.hud);
        part.part("sound", SoundOptions::read, &mut options.sound);
        part.number("warning_seconds", 0..=10, &mut options.warning_seconds);
        part.number("results_seconds", 0..=30, &mut options.results_seconds);
        part.part("captions", CaptionOptions::read, &mut options.captions);
        Some(options)
    }
}

impl VideoOptions {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known =
            ["width", "height", "frame_rate", "preset", "crf", "blur_pictures", "skip_intro", "start", "end"];
        let mut part = Part::open(value, pointer, &known, mistakes)?;
        let mut video = Self::default();
        part.side("width", 256..=3840, &mut video.width);
        part.side("height", 144..=3840, &mut video.height);
        if part.fields.get("width").is_some() != part.fields.get("height").is_some() {
            part.mistakes.add(pointer, "`width` and `height` go together");
        }
        part.number("frame_rate", 30..=240, &mut video.frame_rate);
        if let Some(preset) = part.fields.choice("preset", VideoPreset::NAMES, part.mistakes) {
            video.preset = preset;
        }
        part.number("crf", 10..=40, &mut video.crf);
        part.number("blur_pictures", 1..=16, &mut video.blur_pictures);
        part.flags([("skip_intro", &mut video.skip_intro)]);
        let seconds = -LONGEST_SECONDS..=LONGEST_SECONDS;
        video.start = part.fields.number("start", seconds.clone(), part.mistakes);
        video.end = part.fields.number("end", seconds, part.mistakes);
        if let (Some(start), Some(end)) = (video.start, video.end)
            && end - start < 1.0
        {
            part.mistakes.add(part.fields.at("end"), "the end lies at least a second after the start");
        }
        Some(video)
    }
}

impl BackgroundOptions {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = ["dim_intro", "dim", "dim_breaks", "blur", "image", "video", "storyboard"];
        let mut part = Part::open(value, pointer, &known, mistakes)?;
        let mut background = Self::default();
        for (name, percent) in [
            ("dim_intro", &mut background.dim_intro),
            ("dim", &mut background.dim),
            ("dim_breaks", &mut background.dim_breaks),
            ("blur", &mut background.blur),
        ] {
            part.number(name, 0..=100, percent);
        }
        part.flags([
            ("image", &mut background.image),
            ("video", &mut background.video),
            ("storyboard", &mut background.storyboard),
        ]);
        Some(background)
    }
}

impl PlayOptions {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = [
            "snaking_in",
            "snaking_out",
            "follow_points",
            "map_colours",
            "map_skin",
            "cursor_size",
            "cursor_trail",
            "smoke",
            "hit_results",
            "hit_great",
            "mania_scroll_speed",
        ];
        let mut part = Part::open(value, pointer, &known, mistakes)?;
        let mut play = Self::default();
        part.flags([
            ("snaking_in", &mut play.snaking_in),
            ("snaking_out", &mut play.snaking_out),
            ("follow_points", &mut play.follow_points),
            ("map_colours", &mut play.map_colours),
            ("map_skin", &mut play.map_skin),
            ("cursor_trail", &mut play.cursor_trail),
            ("smoke", &mut play.smoke),
            ("hit_results", &mut play.hit_results),
            ("hit_great", &mut play.hit_great),
        ]);
        part.number("cursor_size", 20..=300, &mut play.cursor_size);
        part.number("mania_scroll_speed", 1..=40, &mut play.mania_scroll_speed);
        Some(play)
    }
}

impl HudOptions {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = [
            "scale",
            "opacity",
            "score",
            "combo",
            "accuracy",
            "life",
            "keys",
            "hit_errors",
            "aim_errors",
            "pp",
            "counts",
            "strains",
            "mods",
            "progress",
            "names",
        ];
        let mut part = Part::open(value, pointer, &known, mistakes)?;
        let mut hud = Self::default();
        part.number("scale", 50..=200, &mut hud.scale);
        part.number("opacity", 0..=100, &mut hud.opacity);
        part.flags([
            ("score", &mut hud.score),
            ("combo", &mut hud.combo),
            ("accuracy", &mut hud.accuracy),
            ("life", &mut hud.life),
            ("keys", &mut hud.keys),
            ("hit_errors", &mut hud.hit_errors),
            ("aim_errors", &mut hud.aim_errors),
            ("pp", &mut hud.pp),
            ("counts", &mut hud.counts),
            ("strains", &mut hud.strains),
            ("mods", &mut hud.mods),
            ("progress", &mut hud.progress),
            ("names", &mut hud.names),
        ]);
        Some(hud)
    }
}

impl SoundOptions {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let known = ["music", "effects", "map_samples", "panning", "nightcore_beats", "offset"];
        let mut part = Part::open(value, pointer, &known, mistakes)?;
        let mut sound = Self::default();
        part.number("music", 0..=100, &mut sound.music);
        part.number("effects", 0..=100, &mut sound.effects);
        part.number("offset", -500..=500, &mut sound.offset);
        part.flags([
            ("map_samples", &mut sound.map_samples),
            ("panning", &mut sound.panning),
            ("nightcore_beats", &mut sound.nightcore_beats),
        ]);
        Some(sound)
    }
}

impl CaptionOptions {
    fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let mut part = Part::open(value, pointer, &["misses", "breaks"], mistakes)?;
        let mut captions = Self::default();
        part.flags([("misses", &mut captions.misses), ("breaks", &mut captions.breaks)]);
        Some(captions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decode(value: &Value) -> Result<ReplayOptions, Vec<String>> {
        let mut mistakes = Mistakes::default();
        let options = ReplayOptions::read(value, "", &mut mistakes);
        mistakes.finish(options).map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn nothing_said_is_the_default_and_everything_decodes_to_itself() {
        assert_eq!(decode(&json!({})), Ok(ReplayOptions::default()));
        let whole = serde_json::to_value(ReplayOptions::default()).unwrap();
        assert_eq!(decode(&whole), Ok(ReplayOptions::default()));
        let stored: ReplayOptions = serde_json::from_value(whole).unwrap();
        assert_eq!(stored, ReplayOptions::default());
    }

    /// Every field of the document is read: each is changed alone and must come out changed.
    #[test]
    fn every_field_is_read() {
        fn changed(value: &Value) -> Value {
            match value {
                Value::Bool(flag) => json!(!flag),
                Value::Null => json!(12.5),
                Value::String(_) => json!("fast"),
                number => json!(number.as_i64().unwrap() + if number == 100 { -2 } else { 2 }),
            }
        }
        let whole = serde_json::to_value(ReplayOptions::default()).unwrap();
        for (part, fields) in whole.as_object().unwrap() {
            let Some(fields) = fields.as_object() else {
                let document = json!({ part: changed(fields) });
                assert_eq!(serde_json::to_value(decode(&document).unwrap()).unwrap()[part], document[part]);
                continue;
            };
            for (field, value) in fields {
                let mut document = json!({ part: { field: changed(value) } });
                // These go together.
                if field == "width" || field == "height" {
                    document = json!({ part: { "width": 642, "height": 362 } });
                }
                let read = serde_json::to_value(decode(&document).unwrap()).unwrap();
                assert_eq!(read[part][field], document[part][field], "{part}.{field}");
            }
        }
    }

    #[test]
    fn every_mistake_has_its_place() {
        let body = json!({
            "video": { "width": 641, "frame_rate": 29, "preset": "slow", "start": 3, "end": 3.5 },
            "background": { "dim": 101, "image": "yes" },
            "hud": { "scal": 100 },
            "sound": [],
            "results_seconds": -1
        });
        let mut pointers = decode(&body).unwrap_err();
        pointers.sort();
        assert_eq!(
            pointers,
            [
                "/background/dim",
                "/background/image",
                "/hud/scal",
                "/results_seconds",
                "/sound",
                "/video",
                "/video/end",
                "/video/frame_rate",
                "/video/preset",
                "/video/width"
            ]
        );
    }
}
