//! Storyboards: what a map shows and sounds behind and over the play.
//!
//! Promises: what is drawn depends on the moment alone, with whole numbers; the game's rules are followed for a play that does
//! not fail. Fails with [`ReplayError::TooLong`] where there are more sprites, commands or pixels than allowed; images that
//! cannot be read are left out.
//!
//! [`script`] reads the files, with `variables`; `triggers` finds when the play sets something off; [`timeline`] says what a property
//! is at a moment, along the curves of [`easing`]; `gallery` has the images, `cast` draws them, within the
//! part of the picture that `clip` says.

mod cast;
mod clip;
pub mod easing;
mod gallery;
pub mod script;
pub mod timeline;
mod triggers;
mod variables;

use std::collections::BTreeMap;

use self::{
    cast::{Cast, Shown},
    clip::Bounds,
    gallery::{Gallery, Wanted},
    script::{Actor, Layer, Sample, Script},
    timeline::{Group, Property, values},
};
use crate::{
    archive::Archive,
    beatmap::{Beatmap, decoded},
    draw::Picture,
    error::{About, ReplayError},
    limits::Limits,
    stage::{Layout, Stage},
    time::Micros,
};

/// A storyboard, ready to be drawn.
#[derive(Debug)]
pub struct Storyboard {
    gallery: Gallery,
    behind: Cast,
    over: Cast,
    replaces_background: bool,
}

/// The sounds of a map's storyboard, in order of time; those that are heard only while a play fails are left out.
///
/// # Errors
/// [`ReplayError::TooLong`].
pub fn samples(map: &Beatmap, files: &Archive, limits: &Limits) -> Result<Vec<Sample>, ReplayError> {
    let mut samples = script(map, files, limits)?.samples;
    samples.retain(|sample| sample.layer != Layer::Fail);
    samples.sort_by_key(|sample| sample.at);
    Ok(samples)
}

/// What a map's own file and the file that all its difficulties share say.
fn script(map: &Beatmap, files: &Archive, limits: &Limits) -> Result<Script, ReplayError> {
    let shared = files.names().find(|name| name.to_ascii_lowercase().ends_with(".osb"));
    let shared = match shared.and_then(|name| files.read(name).ok()) {
        Some(bytes) if bytes.len() as u64 > limits.map_bytes => {
            return Err(ReplayError::TooLong {
                about: About::Map,
                what: "the storyboard".to_owned(),
                length: format!("{} bytes", bytes.len()),
                limit: format!("{} bytes", limits.map_bytes),
            });
        }
        Some(bytes) => decoded(&bytes),
        None => String::new(),
    };
    Script::read([map.text.as_str(), &shared])
}

impl Storyboard {
    /// Prepares the storyboard of a map; `None` where it has none.
    ///
    /// # Errors
    /// [`ReplayError::TooLong`].
    pub fn new(stage: &Stage<'_>, limits: &Limits) -> Result<Option<Self>, ReplayError> {
        let map = &stage.map.map;
        let mut actors = script(stage.map, stage.files, limits)?.actors;
        actors.retain(|actor| actor.layer != Layer::Fail);
        triggers::fire(&mut actors, stage.map, stage.play);
        let background = files_key(&map.background_file);
        let replaces_background = actors
            .iter()
            .any(|actor| actor.layer == Layer::Background && files_key(&actor.file) == background);
        let mut wanted = Wanted::default();
        for actor in &actors {
            let scale = most_scale(&actor.groups, stage.layout);
            frames(actor).for_each(|file| wanted.add(file, scale));
        }
        let (gallery, numbers) = Gallery::open(wanted, stage.files, limits)?;
        // Layer by layer, each as it was written.
        actors.sort_by_key(|actor| actor.layer);
        let mut shown = [Vec::new(), Vec::new()];
        for actor in actors {
            let layer = usize::from(actor.layer == Layer::Overlay);
            if let (Some(shown), Some(actor)) = (shown.get_mut(layer), ready(actor, &numbers)) {
                shown.push(actor);
            }
        }
        let [behind, over] = shown;
        if behind.is_empty() && over.is_empty() && !replaces_background {
            return Ok(None);
        }
        let clip = Bounds::of(stage.layout, map.widescreen_storyboard);
        let [behind, over] = [behind, over].map(|shown| Cast::new(shown, &gallery, stage.layout, clip));
        Ok(Some(Self { gallery, behind, over, replaces_background }))
    }

    /// Whether it shows the map's background by itself, so that it is not to be seen without it.
    #[must_use]
    pub fn replaces_background(&self) -> bool {
        self.replaces_background
    }

    /// Whether any of it is behind the play at a moment.
    #[must_use]
    pub fn is_seen(&self, at: Micros) -> bool {
        self.behind.is_seen(at)
    }

    /// Draws what is behind the play.
    pub fn draw(&self, at: Micros, onto: &mut Picture) {
        self.behind.draw(at, &self.gallery, 255, onto);
    }

    /// Draws what is over the play; its colours are multiplied by `light` of 255.
    pub fn draw_over(&self, at: Micros, light: u8, onto: &mut Picture) {
        self.over.draw(at, &self.gallery, light, onto);
    }
}

/// A file's name, as names are compared.
fn files_key(name: &str) -> String {
    name.replace('\\', "/").to_lowercase()
}

/// The files of an actor's images.
fn frames(actor: &Actor) -> impl Iterator<Item = String> {
    let count = actor.animation.map_or(1, |animation| animation.frames);
    (0..count).map(move |number| match actor.animation {
        Some(_) => gallery::frame(&files_key(&actor.file), number),
        None => files_key(&actor.file),
    })
}

/// How large an image is shown at most: 65,536 is its own size.
fn most_scale(groups: &[Group], layout: Layout) -> i64 {
    let most = |property: Property| {
        let values = values(groups, property).map(|value| i64::from(value).abs());
        values.max().unwrap_or(1 << 16)
    };
    let side = most(Property::ScaleX).max(most(Property::ScaleY));
    (most(Property::Scale).saturating_mul(side) >> 16).saturating_mul(i64::from(layout.height)) / 480
}

/// An actor with its images; `None` where it is never seen.
fn ready(actor: Actor, numbers: &BTreeMap<String, usize>) -> Option<Shown> {
    let frames: Vec<Option<usize>> = frames(&actor).map(|file| numbers.get(&file).copied()).collect();
    let lives = || actor.groups.iter().filter_map(Group::life);
    let life = lives().map(|life| life.0).min()?..lives().map(|life| life.1).max()?;
    if life.is_empty() || frames.iter().all(Option::is_none) {
        return None;
    }
    let Actor { origin, place, animation, groups, .. } = actor;
    Some(Shown { origin, place, groups, frames, animation, life, still: None })
}
