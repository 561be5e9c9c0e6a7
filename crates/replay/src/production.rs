//! A production: all of a replay's files, prepared, from which frames and sound are made.

use std::{ops::ControlFlow, sync::Arc};

use contracts::replay::{ReplayOptions, ReplayReport};

use crate::{
    archive::Archive,
    backdrop::Backdrop,
    beatmap::Beatmap,
    draw::{Picture, Text},
    error::ReplayError,
    hud::Hud,
    limits::Limits,
    mods::Mods,
    osr::Replay,
    play::Play,
    skin::Skin,
    stage::{Layer, Layout, Moment, Stage},
    time::{Clock, Micros},
};

/// The files of a production, as they were sent.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The .osr.
    pub replay: Vec<u8>,
    /// The .osz, or the .osu alone.
    pub map: Vec<u8>,
    /// The song with its name, where it was sent by itself.
    pub audio: Option<(String, Vec<u8>)>,
    /// The .osk.
    pub skin: Option<Vec<u8>>,
}

/// A place that can be jumped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Its first frame.
    pub frame: u64,
    /// Its title.
    pub title: String,
}

/// Something that happened, told in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// From this microsecond of the video on …
    pub from: i64,
    /// … to this one.
    pub to: i64,
    /// What.
    pub text: String,
}

/// A background video: what has to be decoded by whoever can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    /// The file.
    pub bytes: Arc<Vec<u8>>,
    /// Which time of the map its first picture belongs to.
    pub begins: Micros,
}

/// All of a replay, prepared. Shared by threads: each draws frames of its own.
pub struct Production {
    replay: Replay,
    map: Beatmap,
    files: Archive,
    mods: Mods,
    play: Play,
    skin: Skin,
    options: ReplayOptions,
    layout: Layout,
    clock: Clock,
    span: (Micros, Micros),
    frames: u64,
    song: Option<(String, Vec<u8>)>,
    text: Box<dyn Text>,
    limits: Limits,
    backdrop: Backdrop,
    scene: Box<dyn Layer>,
    hud: Hud,
}

impl Production {
    /// The stage of these parts.
    fn stage(&self) -> Stage<'_> {
        Stage {
            replay: &self.replay,
            map: &self.map,
            files: &self.files,
            mods: &self.mods,
            play: &self.play,
            skin: &self.skin,
            options: &self.options,
            layout: self.layout,
            clock: self.clock,
            span: self.span,
            text: self.text.as_ref(),
        }
    }

    /// How many frames the video has.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Where its frames stand in the map's time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Draws a frame, whole. `video` is the background video's picture for each moment, in the size of the picture.
    pub fn frame(
        &self,
        frame: u64,
        video: &mut dyn FnMut(Micros) -> Option<Arc<Picture>>,
        onto: &mut Picture,
    ) {
        let at = self.clock.at(frame);
        let rate = self.clock.rate;
        let shown = (i128::from(frame) * 1_000_000 * i128::from(rate.1) / i128::from(rate.0.max(1))) as i64;
        let moment = Moment { at, shown };
        self.backdrop.draw(moment, video(at).as_deref(), onto);
        self.scene.draw(moment, onto);
        self.backdrop.draw_over(moment, onto);
        self.hud.draw(moment, onto);
    }

    /// Mixes the sound of the whole video (stereo, 48 kHz) and hands it on in order.
    ///
    /// # Errors
    /// A song that is missing or cannot be decoded.
    pub fn sound(&self, sink: &mut dyn FnMut(&[[f32; 2]]) -> ControlFlow<()>) -> Result<(), ReplayError> {
        let song = self.song.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let rate = self.clock.rate;
        let samples = u128::from(self.frames) * u128::from(crate::sound::SAMPLE_RATE) * u128::from(rate.1)
            / u128::from(rate.0.max(1));
        crate::sound::mix(&self.stage(), song, samples as u64, &self.limits, sink)
    }
}

/// What stands for a production's results.
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
        let _ = (inputs, options, text, limits);
        Err(ReplayError::ReplayEmpty)
    }

    /// The background video, where there is one and it is asked for.
    #[must_use]
    pub fn video(&self) -> Option<Video> {
        None
    }

    /// Where one can jump to: the beginning, after each break, misses.
    #[must_use]
    pub fn chapters(&self) -> Vec<Chapter> {
        Vec::new()
    }

    /// What happens, in words.
    #[must_use]
    pub fn captions(&self) -> Vec<Caption> {
        Vec::new()
    }

    /// The frame that shows best what it is.
    #[must_use]
    pub fn poster_frame(&self) -> u64 {
        self.frames / 3
    }

    /// What the library says of it.
    #[must_use]
    pub fn report(&self) -> ReplayReport {
        ReplayReport {
            mode: String::new(),
            player: self.replay.player.clone(),
            played_at: None,
            artist: String::new(),
            title: String::new(),
            difficulty: String::new(),
            creator: String::new(),
            map_md5: self.replay.map_md5.clone(),
            mods: self.mods.names.clone(),
            lazer: self.replay.is_lazer(),
            stars: 0.0,
            pp: 0.0,
            accuracy: 1.0,
            score: self.replay.score,
            max_combo: 0,
            unstable_rate: 0.0,
            counts: std::collections::BTreeMap::new(),
            slider_breaks: 0,
            verification: crate::verify::verify(&self.replay, &self.play.end),
        }
    }
}
