//! Drawing: pictures of three planes (I420, BT.709, limited range), and what is drawn onto them.
//!
//! Everything here is whole numbers: 1/256 of a pixel for places, 0 to 255 for opacity. What is drawn often is prepared as a
//! [`Sprite`]; what turns, grows or changes its colour all the time is an [`Image`] with a [`Placement`].

pub mod decode;
mod image;
pub mod letters;
mod outline;
mod picture;
mod placed;
mod plane;
pub mod raster;
mod sprite;

pub use image::{Image, Placement, sine};
pub use outline::outlined;
pub(crate) use picture::times;
pub use picture::{Picture, yuv};
pub(crate) use plane::{Plane, Rule};
pub use sprite::{Blend, Phased, Sprite};

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Draws text in whatever script it has.
pub trait Text: Send + Sync {
    /// One line of text, `height` pixels from its highest to its lowest letters, white on nothing, as wide as it is and at most
    /// `most_width` pixels: what does not fit ends in an ellipsis.
    fn line(&self, text: &str, height: u32, most_width: u32, bold: bool) -> Image;
}
