//! The poster and the preview sprites, collected while the finished file is checked.

use ffmpeg_next::ffi::AVPixelFormat;

use crate::av::AvError;
use crate::av::encode::jpeg;
use crate::av::frame::Frame;
use crate::av::scale::Scaler;
use crate::picture::{fit, shown_size};
use crate::plan::Plan;
use crate::report::Sprites;
use crate::time::TICKS_PER_SECOND;

/// Width of a sprite, in pixels.
const TILE_WIDTH: u32 = 160;
/// Highest sprite, in pixels: a portrait picture gets a narrower one.
const TILE_HEIGHT: u32 = 160;
/// Most sprites.
const MOST_TILES: u64 = 48;
/// Sprites in a row at most.
const COLUMNS: u32 = 10;

/// Collects the poster and the sprites from some or all frames of the montage.
pub(crate) struct Pictures {
    pub(crate) geometry: Sprites,
    /// Number of the first frame that the poster may show.
    pub(crate) poster_frame: u64,
    poster: Option<Frame>,
    /// Sprites with the number of their frame.
    tiles: Vec<(u64, Frame)>,
    tile_scaler: Scaler,
    poster_scaler: Scaler,
}

impl Pictures {
    /// An empty collection with the geometry that the plan gives.
    pub(crate) fn new(plan: &Plan) -> Self {
        let canvas = &plan.canvas;
        let (width, height) = shown_size((canvas.width, canvas.height), (canvas.sar_num, canvas.sar_den));
        let rect = fit((width.into(), height.into()), (TILE_WIDTH, TILE_HEIGHT));
        // One per second for short montages, evenly spread over long ones.
        let second = plan.canvas.frame_rate.ticks_to_frames(TICKS_PER_SECOND).max(1);
        let interval = second.max(plan.frames.div_ceil(MOST_TILES)).max(1);
        let count = plan.frames.div_ceil(interval).clamp(1, MOST_TILES) as u32;
        let geometry = Sprites {
            tile_width: rect.width,
            tile_height: rect.height,
            columns: count.min(COLUMNS),
            rows: count.div_ceil(COLUMNS),
            count,
            interval_frames: interval,
            interval_ticks: plan.canvas.frame_rate.frame_to_ticks(interval),
        };
        Self {
            geometry,
            // A tenth into the first clip: past a fade, before the end of the scene.
            poster_frame: plan
                .poster_frame
                .unwrap_or_else(|| plan.clips.first().map_or(0, |clip| clip.frames / 10)),
            poster: None,
            tiles: Vec::new(),
            tile_scaler: Scaler::new(),
            poster_scaler: Scaler::new(),
        }
    }

    /// The frames of the montage that sprites are taken of, in growing order.
    pub(crate) fn wanted(&self) -> Vec<u64> {
        (0..u64::from(self.geometry.count)).map(|tile| tile * self.geometry.interval_frames).collect()
    }

    /// Takes a frame as the sprite of frame `number`, which is one of [`Pictures::wanted`].
    pub(crate) fn take_sprite(&mut self, number: u64, frame: &Frame) -> Result<(), AvError> {
        let (width, height) = (self.geometry.tile_width, self.geometry.tile_height);
        self.tiles.push((number, self.tile_scaler.scale_for_jpeg(frame, width, height)?));
        Ok(())
    }

    /// Takes the frame for the poster: number [`Pictures::poster_frame`] or one not far behind it.
    pub(crate) fn take_poster(&mut self, frame: &Frame) -> Result<(), AvError> {
        let (width, height) = shown_size(frame.size(), frame.pixel_shape().unwrap_or((1, 1)));
        self.poster = Some(self.poster_scaler.scale_for_jpeg(frame, width, height)?);
        Ok(())
    }

    /// The poster as a JPEG file.
    pub(crate) fn poster(&self) -> Result<Vec<u8>, AvError> {
        let missing = || AvError::new("take the poster", "its frame is missing");
        jpeg(self.poster.as_ref().ok_or_else(missing)?)
    }

    /// The sprites as one JPEG file.
    pub(crate) fn grid(&self) -> Result<Vec<u8>, AvError> {
        let Sprites { tile_width, tile_height, columns, rows, count, .. } = self.geometry;
        if self.tiles.len() != count as usize {
            let reason = format!("{} of {count} sprites were found", self.tiles.len());
            return Err(AvError::new("make the sprites", reason));
        }
        let (width, height) = (tile_width * columns, tile_height * rows);
        let mut grid = Frame::picture(width, height, AVPixelFormat::AV_PIX_FMT_YUVJ420P)?;
        for plane in 0..3 {
            let half = u32::from(plane > 0);
            let to = grid.plane_mut::<u8>(plane)?;
            to.numbers.fill(if plane == 0 { 0 } else { 128 });
            let (tile_width, tile_height) = ((tile_width >> half) as usize, (tile_height >> half) as usize);
            for (index, (_, tile)) in self.tiles.iter().enumerate() {
                let left = index % columns as usize * tile_width;
                let top = index / columns as usize * tile_height;
                for (row, from) in tile.plane::<u8>(plane)?.rows().enumerate() {
                    let target = (top + row) * to.stride + left;
                    to.numbers[target..target + tile_width].copy_from_slice(from);
                }
            }
        }
        jpeg(&grid)
    }
}
