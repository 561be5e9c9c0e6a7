//! The images of a storyboard.
//!
//! Promises: each file is decoded once, and kept no larger than it is ever shown; all together stay within the limits, and so does
//! the work of decoding them. What is missing, cannot be read or is too large by itself is left out. Fails with
//! [`ReplayError::TooLong`].

use std::collections::BTreeMap;

use crate::{
    archive::Archive,
    draw::{Image, decode},
    error::{About, ReplayError},
    limits::Limits,
};

/// How many times the pixels that may be kept may be decoded.
const MOST_WORK: u64 = 4;

/// An image.
#[derive(Debug)]
pub(super) struct Art {
    /// Its pixels, at most as many as are ever shown.
    pub image: Image,
    /// Its size as it was stored, in pixels.
    pub size: (u32, u32),
    /// Its only colour, where it has one.
    pub plain: Option<[u8; 4]>,
}

/// Images by their numbers.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    arts: Vec<Art>,
}

/// The files that are wanted, and how large each is shown at most: 65,536 is its own size.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    files: BTreeMap<String, i64>,
}

impl Wanted {
    /// Asks for a file.
    pub(super) fn add(&mut self, file: String, scale: i64) {
        let most = self.files.entry(file).or_default();
        *most = scale.max(*most);
    }
}

impl Gallery {
    /// Decodes the files that are there, and says which number each has.
    pub(super) fn open(
        wanted: Wanted,
        files: &Archive,
        limits: &Limits,
    ) -> Result<(Self, BTreeMap<String, usize>), ReplayError> {
        let (mut gallery, mut numbers) = (Self::default(), BTreeMap::new());
        let (mut kept, mut decoded) = (0_u64, 0_u64);
        for (file, scale) in wanted.files {
            let Some(bytes) = read(files, &file) else { continue };
            let Ok(image) = decode::image(&bytes, limits.image_pixels) else { continue };
            decoded = decoded.saturating_add(image.pixels.len() as u64);
            let art = Art::new(image, scale);
            kept = kept.saturating_add(art.image.pixels.len() as u64);
            if kept > limits.images_pixels || decoded / MOST_WORK > limits.images_pixels {
                return Err(ReplayError::TooLong {
                    about: About::Map,
                    what: "the storyboard".to_owned(),
                    length: format!("more than {} pixels of images", limits.images_pixels),
                    limit: format!("{} pixels", limits.images_pixels),
                });
            }
            numbers.insert(file, gallery.arts.len());
            gallery.arts.push(art);
        }
        Ok((gallery, numbers))
    }

    pub(super) fn get(&self, number: usize) -> Option<&Art> {
        self.arts.get(number)
    }
}

impl Art {
    fn new(image: Image, scale: i64) -> Self {
        let size = (image.width, image.height);
        let plain =
            image.pixels.first().filter(|first| image.pixels.iter().all(|pixel| pixel == *first)).copied();
        // What is shown much smaller is made so once, well, instead of each time, badly.
        let shown = |side: u32| ((i64::from(side) * scale + 65_535) >> 16).clamp(1, i64::from(side)) as u32;
        let image = match plain {
            Some(pixel) => Image { width: 1, height: 1, pixels: vec![pixel] },
            None if scale < 58_000 => image.resized(shown(size.0), shown(size.1)),
            None => image,
        };
        Self { image, size, plain }
    }
}

/// A file of the map. Old storyboards leave out what kind of image it is.
fn read(files: &Archive, file: &str) -> Option<Vec<u8>> {
    let name = ["", ".png", ".jpg"].map(|extension| format!("{file}{extension}"));
    let name = name.iter().find(|name| files.has(name))?;
    files.read(name).ok()
}

/// The file of an animation's picture: its number stands before the extension.
pub(super) fn frame(file: &str, number: u32) -> String {
    match file.rsplit_once('.') {
        Some((name, extension)) if !extension.contains('/') => format!("{name}{number}.{extension}"),
        _ => format!("{file}{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::files;

    fn archive(content: Vec<(&str, Vec<u8>)>) -> Archive {
        Archive::open(files::zip(content).unwrap(), About::Map, &Limits::default()).unwrap()
    }

    fn png(width: u32, height: u32, plain: bool) -> Vec<u8> {
        files::png(width, height, |x, _| if plain || x % 2 == 0 { [9, 9, 9, 255] } else { [90; 4] }).unwrap()
    }

    #[test]
    fn animations_number_their_files_before_the_extension() {
        for (file, expected) in
            [("sb/a.png", "sb/a3.png"), ("sb.v2/a", "sb.v2/a3"), ("a.b.jpg", "a.b3.jpg"), ("a", "a3")]
        {
            assert_eq!(frame(file, 3), expected);
        }
    }

    #[test]
    fn images_are_kept_as_large_as_they_are_shown() {
        let files = archive(vec![
            ("large.png", png(100, 60, false)),
            ("plain.png", png(100, 60, true)),
            ("old.jpg", png(10, 6, false)),
            ("bad.png", b"nothing".to_vec()),
        ]);
        let mut wanted = Wanted::default();
        for (file, scale) in [
            ("large.png", 0),
            ("large.png", 32_768),
            ("plain.png", 1 << 20),
            ("old", 1 << 20),
            ("bad.png", 1),
            ("none.png", 1),
        ] {
            wanted.add(file.to_owned(), scale);
        }
        let (gallery, numbers) = Gallery::open(wanted, &files, &Limits::default()).unwrap();
        let found = |file: &str| {
            let art = numbers.get(file).and_then(|number| gallery.get(*number))?;
            Some((art.size, (art.image.width, art.image.height), art.plain))
        };
        assert_eq!(found("large.png"), Some(((100, 60), (50, 30), None)), "at most half as large");
        assert_eq!(found("plain.png"), Some(((100, 60), (1, 1), Some([9, 9, 9, 255]))));
        assert_eq!(found("old"), Some(((10, 6), (10, 6), None)), "its extension was left out");
        assert_eq!((found("bad.png"), found("none.png")), (None, None));
    }

    #[test]
    fn neither_pixels_nor_the_work_on_them_pass_the_limits() {
        let open = |scale: i64, images_pixels: u64| {
            let files = archive(vec![("a.png", png(10, 10, false)), ("b.png", png(10, 10, false))]);
            let mut wanted = Wanted::default();
            wanted.add("a.png".to_owned(), scale);
            wanted.add("b.png".to_owned(), scale);
            Gallery::open(wanted, &files, &Limits { images_pixels, ..Limits::default() }).map(|_| ())
        };
        assert!(open(1 << 16, 200).is_ok());
        assert!(matches!(open(1 << 16, 199), Err(ReplayError::TooLong { .. })));
        assert!(open(1 << 12, 50).is_ok(), "kept small");
        assert!(matches!(open(1 << 12, 49), Err(ReplayError::TooLong { .. })), "but decoded whole");
    }
}
