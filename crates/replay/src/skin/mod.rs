//! Looks and sounds: the default skin, drawn by code at the size at which it is shown, and legacy skins over it.

pub mod default;
pub mod ini;
pub mod legacy;
mod names;

use std::{collections::BTreeMap, sync::Arc};

use contracts::replay::ReplayOptions;

use crate::{
    archive::Archive,
    beatmap::Beatmap,
    draw::{Image, Rgb},
    error::ReplayError,
    limits::Limits,
};

/// A skin: what a legacy skin or the map brings, and the settings. Whatever is absent is drawn by [`default`], each scene's
/// own parts by its own code at their final size.
#[derive(Debug, Clone, Default)]
pub struct Skin {
    /// skin.ini, or its defaults.
    pub config: ini::Config,
    /// Elements that were brought, by their names without `@2x`, number and extension, such as `hitcircle`, `hit300`,
    /// `sliderb`; digits of fonts by their whole name, such as `default-7`, `score-x`.
    pub elements: BTreeMap<String, Arc<Element>>,
    /// The skin's sounds, as files that are still packed.
    pub sounds: Option<Archive>,
    /// The map's own files, where its sounds are used.
    pub map: Option<Archive>,
}

/// One element: its pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// One, or those of an animation, in order. Without any, the element is hidden.
    pub frames: Vec<Image>,
    /// How many of its pixels are one unit of the game's 480 (768 with `@2x`, …) units: 1 as it is, 2 with `@2x`. A `hitcircle` of 128 units
    /// spans 118 units of the circle's own size.
    pub density: u32,
    /// Milliseconds of a frame of the animation; 0 where there is none.
    pub frame_milliseconds: u32,
}

impl Element {
    /// An element that the skin wants not to be seen.
    #[must_use]
    pub fn hidden() -> Self {
        Self { frames: Vec::new(), density: 1, frame_milliseconds: 0 }
    }
}

impl Skin {
    /// Reads a legacy skin, and what of a map's own looks is asked for.
    ///
    /// # Errors
    /// [`ReplayError::SkinCorrupt`] where its images are beyond the limits.
    pub fn open(
        osk: Option<Archive>,
        map: Option<(&Archive, &Beatmap)>,
        options: &ReplayOptions,
        limits: &Limits,
    ) -> Result<Self, ReplayError> {
        let file = osk.as_ref().and_then(|osk| osk.read("skin.ini").ok());
        let mut config = file.map_or_else(ini::Config::without_file, |bytes| ini::Config::read(&bytes));
        if let Some((_, map)) = map.filter(|_| options.play.map_colours) {
            let colours = map.map.custom_combo_colors.iter().take(ini::MOST_COMBO_COLOURS);
            let colours: Vec<Rgb> = colours.map(|colour| [colour.0[0], colour.0[1], colour.0[2]]).collect();
            if !colours.is_empty() {
                config.combo_colours = colours;
            }
            for named in &map.map.custom_colors {
                let [r, g, b, _] = named.color.0;
                config.set_colour(&named.name.to_ascii_lowercase(), [r, g, b]);
            }
        }
        let files = map.map(|(files, _)| files).filter(|_| options.play.map_skin);
        let mode = map.map(|(_, map)| map.mode);
        let elements = legacy::elements(osk.as_ref(), files, &config, mode, limits)?;
        let map = map.map(|(files, _)| files.clone()).filter(|_| options.sound.map_samples);
        Ok(Self { config, elements, sounds: osk, map })
    }

    /// An element that was brought; `None` where the default is drawn.
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&Arc<Element>> {
        self.elements.get(name)
    }

    /// The colours of combos: the map's, the skin's, or the default ones. Never empty.
    #[must_use]
    pub fn combo_colours(&self) -> &[Rgb] {
        const DEFAULT: &[Rgb] = &[[255, 192, 0], [0, 202, 0], [18, 124, 255], [242, 24, 57]];
        if self.config.combo_colours.is_empty() { DEFAULT } else { &self.config.combo_colours }
    }
}
