//! An image in several sizes, or states: each is made when it is first needed, and kept.
//!
//! Promises: what is kept is bounded by the number of steps; who makes it first makes no difference.

use std::{fmt, sync::OnceLock};

use super::ease::ALL;
use crate::draw::{Blend, Image, Sprite};

/// Makes the image at a share of the way, 0 to 65,536.
type Make = Box<dyn Fn(i32) -> Image + Send + Sync>;

/// An image that changes along a way.
pub(super) struct Steps {
    make: Make,
    blend: Blend,
    made: Vec<OnceLock<Sprite>>,
}

impl Steps {
    /// So many steps, both ends included.
    pub(super) fn new(
        steps: usize,
        blend: Blend,
        make: impl Fn(i32) -> Image + Send + Sync + 'static,
    ) -> Self {
        Self { make: Box::new(make), blend, made: (0..steps.max(1)).map(|_| OnceLock::new()).collect() }
    }

    /// An image that stays as it is.
    pub(super) fn still(image: Image, blend: Blend) -> Self {
        Self::new(1, blend, move |_| image.clone())
    }

    /// The sprite that is nearest to a share of the way.
    pub(super) fn at(&self, share: i32) -> Option<&Sprite> {
        let last = self.made.len() as i64 - 1;
        let step = (i64::from(share.clamp(0, ALL)) * last + i64::from(ALL) / 2) / i64::from(ALL);
        let share = (step * i64::from(ALL) / last.max(1)) as i32;
        let made = self.made.get(step as usize)?;
        Some(made.get_or_init(|| Sprite::new(&(self.make)(share), self.blend)))
    }
}

impl fmt::Debug for Steps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Steps").field("steps", &self.made.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_step_is_made() {
        let steps = Steps::new(5, Blend::Over, |share| Image::empty(share as u32 / 1000 + 1, 1));
        let widths = [0, 8_000, 9_000, 32_768, 65_536, 99_999].map(|share| steps.at(share).unwrap().width);
        assert_eq!(widths, [1, 1, 17, 33, 66, 66]);
        assert_eq!(Steps::still(Image::empty(3, 1), Blend::Add).at(700).unwrap().width, 3);
    }
}
