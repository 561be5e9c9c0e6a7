//! A production: all of a replay's files, prepared, from which frames and sound are made.

mod open;
mod report;
mod telling;
#[cfg(all(test, feature = "testing"))]
mod tests;

pub(crate) use report::played_at;
pub(crate) use telling::grouped;
pub use telling::{Caption, Chapter};

use std::{ops::ControlFlow, sync::Arc};

use contracts::replay::ReplayOptions;

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
    sound::SAMPLE_RATE,
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
    /// The song, where it was sent by itself.
    pub audio: Option<Vec<u8>>,
    /// The .osk.
    pub skin: Option<Vec<u8>>,
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
    video: Option<Video>,
    text: Box<dyn Text>,
    limits: Limits,
    backdrop: Backdrop,
    scene: Box<dyn Layer>,
    hud: Hud,
}

/// What one thread draws with: pictures that are used again for each frame.
#[derive(Debug, Default)]
pub struct Easel {
    part: Option<Picture>,
    sums: [Vec<u16>; 3],
}

impl Production {
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

    /// Width and height, in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.layout.width, self.layout.height)
    }

    /// The background video, where there is one and it is asked for.
    #[must_use]
    pub fn video(&self) -> Option<&Video> {
        self.video.as_ref()
    }

    /// The judged play.
    #[must_use]
    pub fn play(&self) -> &Play {
        &self.play
    }

    /// Draws a frame, whole: with motion blur the average of the pictures within it. `video` is the background video's picture
    /// for a time of the map, in the size of the picture.
    pub fn frame(
        &self,
        frame: u64,
        easel: &mut Easel,
        video: &mut dyn FnMut(Micros) -> Option<Arc<Picture>>,
        onto: &mut Picture,
    ) {
        let parts = self.options.video.blur_pictures.clamp(1, 16);
        if parts == 1 {
            self.picture(frame, (0, 1), video, onto);
            return;
        }
        let part = easel.part.get_or_insert_with(|| Picture::new(onto.width, onto.height));
        for (sums, plane) in easel.sums.iter_mut().zip([&onto.y, &onto.u, &onto.v]) {
            sums.clear();
            sums.resize(plane.len(), 0);
        }
        for number in 0..parts {
            self.picture(frame, (number, parts), video, part);
            for (sums, plane) in easel.sums.iter_mut().zip([&part.y, &part.u, &part.v]) {
                // 16 times 255 fits.
                sums.iter_mut().zip(plane).for_each(|(sum, value)| *sum += u16::from(*value));
            }
        }
        let (parts, half) = (parts as u16, parts as u16 / 2);
        for (sums, plane) in easel.sums.iter().zip([&mut onto.y, &mut onto.u, &mut onto.v]) {
            plane.iter_mut().zip(sums).for_each(|(value, sum)| *value = ((sum + half) / parts) as u8);
        }
    }

    /// Draws one of the pictures within a frame.
    fn picture(
        &self,
        frame: u64,
        (part, parts): (u32, u32),
        video: &mut dyn FnMut(Micros) -> Option<Arc<Picture>>,
        onto: &mut Picture,
    ) {
        let at = self.clock.at_sub_frame(frame, part, parts);
        let moment = Moment { at, shown: self.clock.of_video().at_sub_frame(frame, part, parts) };
        self.backdrop.draw(moment, video(at).as_deref(), onto);
        self.scene.draw(moment, onto);
        self.backdrop.draw_over(moment, onto);
        self.hud.draw(moment, onto);
    }

    /// How many samples its sound has: those of all its frames.
    #[must_use]
    pub fn samples(&self) -> u64 {
        let (rate, per) = self.clock.rate;
        let over = u128::from(self.frames) * u128::from(SAMPLE_RATE) * u128::from(per);
        (over / u128::from(rate.max(1))) as u64
    }

    /// Mixes the sound of the whole video (stereo, 48 kHz) and hands it on in order.
    ///
    /// # Errors
    /// A song that is missing or cannot be decoded.
    pub fn sound(&self, sink: &mut dyn FnMut(&[[f32; 2]]) -> ControlFlow<()>) -> Result<(), ReplayError> {
        let song = self.song.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        crate::sound::mix(&self.stage(), song, self.samples(), &self.limits, sink)
    }
}
