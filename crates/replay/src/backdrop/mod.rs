//! What lies behind the play: background image, video and storyboard, darkened as asked for.
//!
//! Promises: drawing depends on the moment alone, with whole numbers. What stands still is darkened once for each mood of the play,
//! so that a picture of it costs a copy; only what moves is darkened as it is drawn. An image that is missing or cannot be read is
//! as none: then there is a calm gradient. Fails with [`ReplayError::TooLong`] where the storyboard is beyond the limits.

mod image;
mod mood;
mod shade;

use self::{
    mood::{Between, Mood, Moods},
    shade::{FULL, blend, copy, darken},
};
use crate::{
    draw::Picture,
    error::ReplayError,
    limits::Limits,
    stage::{Moment, Stage},
    storyboard::Storyboard,
};

/// How high each of the bars of a letterbox is, of the picture's height.
const LETTERBOX: u32 = 10;

/// What lies behind the play.
#[derive(Debug)]
pub struct Backdrop {
    moods: Moods,
    /// How much light each mood leaves, of [`FULL`].
    lights: Lights,
    /// What stands still, darkened for each mood. Moods that look the same share one.
    still: Vec<Picture>,
    /// Which of `still` each mood has.
    looks: [usize; 3],
    /// The same as it is, where a storyboard is drawn onto it before all of it is darkened.
    bright: Option<Picture>,
    storyboard: Option<Storyboard>,
    /// Breaks have black bars.
    letterbox: bool,
}

/// A light for each mood: intro, play, break.
#[derive(Debug, Clone, Copy)]
struct Lights([u16; 3]);

impl Lights {
    fn of(self, mood: Mood) -> u16 {
        self.0[index(mood)]
    }

    /// The light of a moment.
    fn at(self, between: Between) -> u16 {
        let (from, to) = (u32::from(self.of(between.from)), u32::from(self.of(between.to)));
        let share = u32::from(between.share);
        ((from * (u32::from(FULL) - share) + to * share + 128) >> 8) as u16
    }
}

fn index(mood: Mood) -> usize {
    match mood {
        Mood::Intro => 0,
        Mood::Play => 1,
        Mood::Break => 2,
    }
}

impl Backdrop {
    /// Prepares it. Images that cannot be read are left out: a map's background is never worth its play.
    ///
    /// # Errors
    /// [`ReplayError::TooLong`] where the storyboard is beyond the limits.
    pub fn new(stage: &Stage<'_>, limits: &Limits) -> Result<Self, ReplayError> {
        let options = &stage.options.background;
        let size = (stage.layout.width, stage.layout.height);
        let storyboard = if options.storyboard { Storyboard::new(stage, limits)? } else { None };
        let light = |dim: u8| ((100 - u16::from(dim.min(100))) * FULL + 50) / 100;
        let lights = Lights([options.dim_intro, options.dim, options.dim_breaks].map(light));
        let replaced = storyboard.as_ref().is_some_and(Storyboard::replaces_background);
        let wanted = options.image && !replaced;
        let found = wanted.then(|| image::background(stage, limits, size, options.blur)).flatten();
        let (plain, still_lights) = match (found, &storyboard) {
            (Some(picture), _) => (picture, lights),
            (None, Some(_)) => (Picture::new(size.0, size.1), lights),
            // It is dark as it is, in all moods.
            (None, None) => (image::gradient(size), Lights([FULL; 3])),
        };
        let (mut still, mut looks) = (Vec::new(), [0; 3]);
        let mut made: Vec<u16> = Vec::new();
        for (look, light) in looks.iter_mut().zip(still_lights.0) {
            *look = made.iter().position(|other| *other == light).unwrap_or_else(|| {
                let mut picture = plain.clone();
                darken(&mut picture, light);
                still.push(picture);
                made.push(light);
                made.len() - 1
            });
        }
        Ok(Self {
            moods: Moods::new(&stage.map.map, stage.clock.speed),
            lights,
            still,
            looks,
            bright: storyboard.is_some().then_some(plain),
            storyboard,
            letterbox: stage.map.map.letterbox_in_breaks,
        })
    }

    /// Draws all of the picture: `video` is the background video's picture of that moment, where there is one, in the size of the
    /// picture.
    pub fn draw(&self, moment: Moment, video: Option<&Picture>, onto: &mut Picture) {
        let between = self.moods.at(moment.at);
        let light = self.lights.at(between);
        let video = video.filter(|video| (video.width, video.height) == (onto.width, onto.height));
        let storyboard = self.storyboard.as_ref().filter(|storyboard| storyboard.is_seen(moment.at));
        match (video, storyboard, &self.bright) {
            (None, None, _) | (None, Some(_), None) => self.draw_still(between, onto),
            _ if light == 0 => onto.fill([0; 3]),
            (video, storyboard, bright) => {
                if let Some(base) = video.or(bright.as_ref()) {
                    copy(base, onto);
                }
                if let Some(storyboard) = storyboard {
                    storyboard.draw(moment.at, onto);
                }
                darken(onto, light);
            }
        }
        if self.letterbox {
            letterbox(between, onto);
        }
    }

    /// Draws what of a storyboard lies over the play.
    pub fn draw_over(&self, moment: Moment, onto: &mut Picture) {
        if let Some(storyboard) = &self.storyboard {
            let light = self.lights.at(self.moods.at(moment.at));
            storyboard.draw_over(moment.at, light.min(255) as u8, onto);
        }
    }

    /// Draws what stands still.
    fn draw_still(&self, between: Between, onto: &mut Picture) {
        let look = |mood: Mood| self.looks.get(index(mood)).copied().unwrap_or(0);
        let (from, to) = (look(between.from), look(between.to));
        match (self.still.get(from), self.still.get(to)) {
            (Some(first), Some(second)) if from != to && between.share < FULL => {
                blend(first, second, between.share, onto);
            }
            (_, Some(picture)) => copy(picture, onto),
            _ => onto.fill([0; 3]),
        }
    }
}

/// Draws the bars of a break, which slide in and out.
fn letterbox(between: Between, onto: &mut Picture) {
    let share = match (between.from, between.to) {
        (_, Mood::Break) => between.share,
        (Mood::Break, _) => FULL - between.share,
        _ => 0,
    };
    let height = ((onto.height / LETTERBOX * u32::from(share) / u32::from(FULL)) & !1) as i32;
    if height > 0 {
        let size = (onto.width as i32, height);
        onto.rectangle(0, 0, size, [0; 3], 255);
        onto.rectangle(0, onto.height as i32 - height, size, [0; 3], 255);
    }
}
