//! Preparing a production: reading its files, judging, and deciding which stretch of time is shown.

use std::sync::Arc;

use contracts::replay::ReplayOptions;
use rosu_map::section::hit_objects::CurveBuffers;

use super::{Inputs, Production, Video};
use crate::{
    archive::Archive,
    backdrop::Backdrop,
    beatmap::Beatmap,
    draw::Text,
    error::{About, ReplayError},
    hud::Hud,
    limits::Limits,
    mania,
    mods::Mods,
    osr::{Mode, Replay},
    play::Play,
    skin::Skin,
    stage::{Layer, Layout, Stage},
    standard, taiko,
    time::{Clock, Micros, Speed, micros},
};

/// What is left before the first object where the intro is skipped, in microseconds of the video.
const LEAD_IN: i64 = 2_000_000;
/// What is left after the last object, in microseconds of the video.
const LEAD_OUT: i64 = 2_000_000;

/// The objects of a map, in their mode.
enum Field {
    Standard(standard::objects::Field),
    Taiko(taiko::objects::Field),
    Mania(mania::objects::Field),
}

impl Production {
    /// Prepares a production.
    ///
    /// # Errors
    /// Why it cannot be shown.
    pub fn open(
        inputs: Inputs,
        options: &ReplayOptions,
        text: Box<dyn Text>,
        limits: &Limits,
    ) -> Result<Self, ReplayError> {
        let replay = Replay::read(&inputs.replay, limits)?;
        if replay.mode == Mode::Catch {
            return Err(ReplayError::ModeUnsupported { mode: replay.mode.name().to_owned() });
        }
        let mods = Mods::of(&replay)?;
        let files = archive(inputs.map, limits)?;
        let map = Beatmap::find(&files, &replay, limits)?;
        if map.mode != replay.mode {
            return Err(ReplayError::MapConverted {
                map_mode: map.mode.name().to_owned(),
                mode: replay.mode.name().to_owned(),
            });
        }
        let song = song(&files, &map, inputs.audio)?;
        let (field, play) = judge(&replay, &map, &mods, limits)?;
        let osk = inputs.skin.map(|bytes| Archive::open(bytes, About::Skin, limits)).transpose()?;
        let skin = Skin::open(osk, Some((&files, &map)), options, limits)?;
        let layout = Layout { width: options.video.width & !1, height: options.video.height & !1 };
        let shown = Shown::of(&replay, &map, mods.speed, options)?;
        let clock = Clock { first: shown.first, rate: (options.video.frame_rate, 1), speed: mods.speed };
        let frames = clock.frame_at(shown.last).max(1);
        let seconds = frames / u64::from(options.video.frame_rate.max(1));
        if seconds > u64::from(limits.video_seconds) {
            return Err(ReplayError::TooLong {
                about: About::Replay,
                what: "the video".to_owned(),
                length: format!("{seconds} seconds"),
                limit: format!("{} seconds; ask for a part of it by `start` and `end`", limits.video_seconds),
            });
        }
        let stage = Stage {
            replay: &replay,
            map: &map,
            files: &files,
            mods: &mods,
            play: &play,
            skin: &skin,
            options,
            layout,
            clock,
            span: shown.span,
            text: text.as_ref(),
        };
        let backdrop = Backdrop::new(&stage, limits)?;
        let scene: Box<dyn Layer> = match &field {
            Field::Standard(field) => Box::new(standard::scene::Scene::new(&stage, field)),
            Field::Taiko(field) => Box::new(taiko::scene::Scene::new(&stage, field)),
            Field::Mania(field) => Box::new(mania::scene::Scene::new(&stage, field)),
        };
        let hud = Hud::new(&stage);
        Ok(Self {
            video: video(&files, &map, options)?,
            options: options.clone(),
            limits: *limits,
            span: shown.span,
            replay,
            map,
            files,
            mods,
            play,
            skin,
            layout,
            clock,
            frames,
            song,
            text,
            backdrop,
            scene,
            hud,
        })
    }
}

/// The map's files: an archive, or a map alone.
fn archive(map: Vec<u8>, limits: &Limits) -> Result<Archive, ReplayError> {
    if map.starts_with(b"PK") {
        return Archive::open(map, About::Map, limits);
    }
    if map.len() as u64 > limits.archive_file_bytes {
        return Err(ReplayError::MapCorrupt { reason: "it is too large for a map".to_owned() });
    }
    Ok(Archive::of([("map.osu".to_owned(), map)], About::Map, limits))
}

/// The song with its name; `None` for maps that have none.
fn song(
    files: &Archive,
    map: &Beatmap,
    sent: Option<Vec<u8>>,
) -> Result<Option<(String, Vec<u8>)>, ReplayError> {
    let name = map.map.audio_file.clone();
    if let Some(bytes) = sent {
        return Ok(Some((name, bytes)));
    }
    // The game's own word for a map without a song.
    if name.is_empty() || name.eq_ignore_ascii_case("virtual") {
        return Ok(None);
    }
    if !files.has(&name) {
        return Err(ReplayError::AudioMissing { name: name.chars().take(100).collect() });
    }
    let bytes = files.read(&name)?;
    Ok(Some((name, bytes)))
}

/// The background video, if it is asked for and there.
fn video(files: &Archive, map: &Beatmap, options: &ReplayOptions) -> Result<Option<Video>, ReplayError> {
    match &map.video {
        Some((name, begins)) if options.background.video && files.has(name) => {
            let bytes = Arc::new(files.read(name)?);
            Ok(Some(Video { bytes, begins: micros(f64::from(*begins)) }))
        }
        _ => Ok(None),
    }
}

fn judge(replay: &Replay, map: &Beatmap, mods: &Mods, limits: &Limits) -> Result<(Field, Play), ReplayError> {
    Ok(match replay.mode {
        Mode::Taiko => {
            let field = taiko::objects::place(map, mods, limits)?;
            let play = taiko::judge::judge(replay, map, mods, &field)?;
            (Field::Taiko(field), play)
        }
        Mode::Mania => {
            let field = mania::objects::place(map, mods, limits)?;
            let play = mania::judge::judge(replay, map, mods, &field)?;
            (Field::Mania(field), play)
        }
        Mode::Standard | Mode::Catch => {
            let field = standard::objects::place(map, mods, limits)?;
            let play = standard::judge::judge(replay, map, mods, &field)?;
            (Field::Standard(field), play)
        }
    })
}

/// Which stretch of the map's time is shown.
struct Shown {
    /// Of the first frame.
    first: Micros,
    /// Behind the last frame.
    last: Micros,
    /// Of the play: without warning and results.
    span: (Micros, Micros),
}

impl Shown {
    /// # Errors
    /// [`ReplayError::OptionsInvalid`] where nothing is played in what was asked for.
    fn of(
        replay: &Replay,
        map: &Beatmap,
        speed: Speed,
        options: &ReplayOptions,
    ) -> Result<Self, ReplayError> {
        let on_map = |video: i64| speed.on_map(video);
        let (objects_from, objects_to) = objects_span(map);
        let second = |seconds: Option<f64>| seconds.map(|seconds| micros(seconds * 1000.0));
        let start = second(options.video.start).unwrap_or_else(|| {
            let before = objects_from - on_map(LEAD_IN);
            if options.video.skip_intro { before } else { before.min(-micros(map.map.audio_lead_in)).min(0) }
        });
        // A play that failed ends with its last movement.
        let moved_to = replay.frames.last().map_or(objects_to, |frame| i64::from(frame.at) * 1000);
        let ended = if moved_to < objects_to { moved_to } else { objects_to };
        let natural = ended.saturating_add(on_map(LEAD_OUT));
        if start >= natural {
            return Err(ReplayError::OptionsInvalid {
                pointer: "/video/start".to_owned(),
                reason: format!("the play ends at second {} of the song, before `start`", ended / 1_000_000),
            });
        }
        let end = second(options.video.end).filter(|end| *end < natural);
        if end.is_some_and(|end| end <= start) {
            return Err(ReplayError::OptionsInvalid {
                pointer: "/video/end".to_owned(),
                reason: format!(
                    "what is shown begins at second {} of the song, after `end`",
                    start / 1_000_000
                ),
            });
        }
        let warning = if map.map.epilepsy_warning { options.warning_seconds } else { 0 };
        // Who asks for a part of the play does not ask for its results.
        let results = if end.is_none() { options.results_seconds } else { 0 };
        let end = end.unwrap_or(natural).max(start + on_map(1_000_000));
        Ok(Self {
            first: start - on_map(i64::from(warning) * 1_000_000),
            last: end + on_map(i64::from(results) * 1_000_000),
            span: (start, end),
        })
    }
}

/// When a map's first object starts and its last one ends.
fn objects_span(map: &Beatmap) -> (Micros, Micros) {
    let mut buffers = CurveBuffers::default();
    let spans = map.map.hit_objects.iter().map(|object| {
        let end = object.clone().end_time_with_bufs(&mut buffers);
        (micros(object.start_time), micros(end))
    });
    let whole = spans.reduce(|(from, to), (start, end)| (from.min(start), to.max(end)));
    whole.unwrap_or((0, 0))
}
