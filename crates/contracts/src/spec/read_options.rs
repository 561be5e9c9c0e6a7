//! The decoders of [`super::options`]: each reads one part and notes its mistakes. A setting that would do nothing where it
//! stands is a mistake too, so that nobody wonders why it changed nothing.

use serde_json::Value;

use super::{
    Audio, Canvas, CanvasCodec, Cut, CutMode, Rgb, TitleShow, Titles, Transcribe, Transition, TransitionKind,
};
use crate::{
    decode::{Fields, Mistakes},
    transcript::Engine,
};

impl Cut {
    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["mode", "tolerance"], mistakes)?;
        let is_given = fields.get("mode").is_some();
        let mode = fields.choice("mode", CutMode::NAMES, mistakes);
        let tolerance = fields.length("tolerance", 0..=10_000, mistakes);
        if is_given && mode.is_none() {
            return None;
        }
        let mode = mode.unwrap_or_default();
        let moves = matches!(mode, CutMode::Snap | CutMode::Auto);
        if !moves && fields.get("tolerance").is_some() {
            mistakes.add(fields.at("tolerance"), "a tolerance goes with the modes `snap` and `auto` only");
        }
        Some(Self { mode, tolerance: moves.then(|| tolerance.unwrap_or(Self::DEFAULT_TOLERANCE)) })
    }
}

impl Audio {
    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["loudness_lufs"], mistakes)?;
        // Here null says something: no levelling.
        if fields.is_null("loudness_lufs") {
            return Some(Self { loudness_lufs: None });
        }
        let loudness = fields.number("loudness_lufs", -40.0..=-5.0, mistakes);
        Some(Self { loudness_lufs: loudness.or(Self::default().loudness_lufs) })
    }
}

impl Transition {
    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["kind", "duration", "colour"], mistakes)?;
        let is_given = fields.get("kind").is_some();
        let kind = fields.choice("kind", TransitionKind::NAMES, mistakes);
        let duration = fields.length("duration", 100..=5000, mistakes);
        let colour = fields.get("colour").and_then(|value| {
            let colour = value.as_str().and_then(Rgb::parse);
            if colour.is_none() {
                mistakes.add(fields.at("colour"), "expected a colour like `#ffffff`");
            }
            colour
        });
        if is_given && kind.is_none() {
            return None;
        }
        let kind = kind.unwrap_or_default();
        let (is_one, dips) = (kind != TransitionKind::None, kind == TransitionKind::Dip);
        if !is_one && fields.get("duration").is_some() {
            mistakes.add(fields.at("duration"), "a hard cut has no duration; choose a `kind` of transition");
        }
        if !dips && fields.get("colour").is_some() {
            mistakes.add(fields.at("colour"), "a colour goes with the kind `dip` only");
        }
        Some(Self {
            kind,
            duration: is_one.then(|| duration.unwrap_or(Self::DEFAULT_DURATION)),
            colour: dips.then(|| colour.unwrap_or(Rgb::WHITE)),
        })
    }
}

impl Titles {
    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["show", "seconds"], mistakes)?;
        let is_given = fields.get("show").is_some();
        let show = fields.choice("show", TitleShow::NAMES, mistakes);
        let seconds = fields.length("seconds", 500..=60_000, mistakes);
        if is_given && show.is_none() {
            return None;
        }
        let show = show.unwrap_or_default();
        let shows = show != TitleShow::None;
        if !shows && fields.get("seconds").is_some() {
            mistakes.add(fields.at("seconds"), "nothing is shown; choose what in `show`");
        }
        Some(Self { show, seconds: shows.then(|| seconds.unwrap_or(Self::DEFAULT_SECONDS)) })
    }
}

impl Canvas {
    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["codec", "width", "height", "frame_rate"], mistakes)?;
        let codec = fields.choice("codec", CanvasCodec::NAMES, mistakes).unwrap_or_default();
        let mut side = |name: &str, most: i64| {
            let side = fields.integer(name, 16..=most, mistakes)?;
            if side % 2 != 0 {
                mistakes.add(fields.at(name), "expected an even number");
            }
            u32::try_from(side).ok()
        };
        let (width, height) = (side("width", 7680), side("height", 4320));
        if width.is_some() != height.is_some() {
            mistakes.add(pointer, "`width` and `height` go together");
        }
        let frame_rate = match fields.get("frame_rate") {
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => fields.text("frame_rate", 20, mistakes),
            None => None,
        };
        if let Some(rate) = &frame_rate
            && !is_frame_rate(rate)
        {
            mistakes.add(
                fields.at("frame_rate"),
                "expected 1 to 120 frames a second, like 30, 29.97 or 30000/1001",
            );
        }
        Some(Self { codec, width, height, frame_rate })
    }
}

fn is_frame_rate(text: &str) -> bool {
    let plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let (over, under) = text.split_once('/').unwrap_or((text, "1"));
    if !plain(over) || !plain(under) || (text.contains('/') && text.contains('.')) {
        return false;
    }
    match (over.parse::<f64>(), under.parse::<f64>()) {
        (Ok(over), Ok(under)) => {
            under > 0.0 && over <= 1e6 && under <= 1e6 && (1.0..=120.0).contains(&(over / under))
        }
        _ => false,
    }
}

impl Transcribe {
    pub(super) fn read(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let fields = Fields::open(value, pointer, &["engine", "language"], mistakes)?;
        let engines = [("local", Engine::Local), ("openai", Engine::Openai), ("none", Engine::None)];
        let engine = fields.choice("engine", &engines, mistakes).unwrap_or(Engine::Local);
        let language = fields.text("language", 35, mistakes);
        if let Some(language) = &language {
            if !language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                mistakes.add(fields.at("language"), "expected a language like `en` or `ja`");
            } else if engine == Engine::Local && !(language == "en" || language.starts_with("en-")) {
                mistakes.add(
                    fields.at("language"),
                    "the local engine knows English only; use `openai` for other languages",
                );
            }
        }
        Some(Self { engine, language })
    }
}
