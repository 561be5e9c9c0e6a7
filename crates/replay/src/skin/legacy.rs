//! Legacy skins (.osk): which of their files stand for which element.
//!
//! Promises: only elements that [`names`] lists are decoded, within the limits; an element comes whole from one source, the
//! map's folder before the skin, as in the game; what cannot be read is as if it were not there. Fails with
//! [`ReplayError::SkinCorrupt`] where the skin's images are beyond the limits; images of the map are left out then.
//! The rules are those of lazer's `LegacySkin` and `LegacySkinExtensions`.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Element,
    ini::Config,
    names::{self, Frames, Name},
};
use crate::{
    archive::Archive,
    draw::{
        Image,
        decode::{self, Unreadable},
    },
    error::ReplayError,
    limits::Limits,
    osr::Mode,
};

/// Frames of an animation; what is beyond is not shown.
const MOST_FRAMES: usize = 512;

/// In which formats the game looks for an element, in this order.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

/// Reads all elements that a mode can use; without a mode, those of all.
///
/// # Errors
/// [`ReplayError::SkinCorrupt`].
pub(super) fn elements(
    skin: Option<&Archive>,
    map: Option<&Archive>,
    config: &Config,
    mode: Option<Mode>,
    limits: &Limits,
) -> Result<BTreeMap<String, Arc<Element>>, ReplayError> {
    let mut found = BTreeMap::new();
    // Which source each came from: what belongs to it comes from the same one.
    let mut providers = BTreeMap::new();
    let mut sources: Vec<Source<'_>> = Vec::new();
    sources.extend(map.map(|files| Source::new(files, false, limits)));
    sources.extend(skin.map(|files| Source::new(files, true, limits)));
    for name in names::of(mode, config) {
        for (index, source) in sources.iter_mut().enumerate() {
            if let Some(element) = source.element(&name, config)? {
                providers.insert(name.name.clone(), index);
                found.insert(name.name, Arc::new(element));
                break;
            }
        }
    }
    for (leader, follower) in names::COMPANIONS {
        if let Some(provider) = providers.get(*leader)
            && providers.get(*follower) != Some(provider)
        {
            found.insert((*follower).to_owned(), Arc::new(Element::hidden()));
        }
    }
    Ok(found)
}

/// Files of a skin, or of a map.
struct Source<'a> {
    files: &'a Archive,
    /// Whether images beyond the limits are an error.
    strict: bool,
    most_pixels: u64,
    /// What is left for all of its images.
    pixels_left: u64,
}

impl<'a> Source<'a> {
    fn new(files: &'a Archive, strict: bool, limits: &Limits) -> Self {
        Self { files, strict, most_pixels: limits.image_pixels, pixels_left: limits.images_pixels }
    }

    /// An element, as an animation or as one picture; `None` where it is neither.
    fn element(&mut self, name: &Name, config: &Config) -> Result<Option<Element>, ReplayError> {
        let (between, animated) = match name.frames {
            Frames::One => ("", false),
            Frames::Numbered => ("-", true),
            Frames::Joined => ("", true),
        };
        let mut frames = Vec::new();
        while animated && frames.len() < MOST_FRAMES {
            let Some(frame) = self.image(&format!("{}{between}{}", name.name, frames.len()))? else { break };
            frames.push(frame);
        }
        if frames.is_empty() {
            frames.extend(self.image(&name.name)?);
        }
        let Some(density) = frames.first().map(|(_, density)| *density) else { return Ok(None) };
        let frame_milliseconds =
            if frames.len() > 1 { name.frame_milliseconds(frames.len(), config) } else { 0 };
        let frames: Vec<Image> = frames.into_iter().map(|frame| with_density(frame, density)).collect();
        if frames.iter().all(is_empty) {
            return Ok(Some(Element::hidden()));
        }
        Ok(Some(Element { frames, density, frame_milliseconds }))
    }

    /// The picture of that name, and its density: the one for large screens is preferred.
    fn image(&mut self, name: &str) -> Result<Option<(Image, u32)>, ReplayError> {
        for (suffix, density) in [("@2x", 2), ("", 1)] {
            for extension in EXTENSIONS {
                let file = format!("{name}{suffix}.{extension}");
                if !self.files.has(&file) {
                    continue;
                }
                let Ok(bytes) = self.files.read(&file) else { continue };
                match decode::image(&bytes, self.most_pixels.min(self.pixels_left)) {
                    Ok(image) => {
                        self.pixels_left = self.pixels_left.saturating_sub(image.pixels.len() as u64);
                        return Ok(Some((image, density)));
                    }
                    Err(Unreadable::TooLarge { width, height }) if self.strict => {
                        let reason = format!(
                            "{name} has {width} x {height} pixels, more than the {} that are left for it",
                            self.most_pixels.min(self.pixels_left)
                        );
                        return Err(ReplayError::SkinCorrupt { reason });
                    }
                    Err(_) => {}
                }
            }
        }
        Ok(None)
    }
}

/// A picture of one density in another, so that all frames of an animation have the same.
fn with_density((image, density): (Image, u32), wanted: u32) -> Image {
    let side = |length: u32| (length * wanted).div_ceil(density);
    image.resized(side(image.width), side(image.height))
}

/// Whether nothing of it can be seen.
fn is_empty(image: &Image) -> bool {
    image.pixels.iter().all(|[_, _, _, opacity]| *opacity == 0)
}
