//! A small picture with transparency: rounded boxes and glyphs on it. Pure.

/// A colour with its cover: red, green, blue and alpha as parts of 1, not premultiplied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ink {
    pub(super) rgb: [f32; 3],
    pub(super) alpha: f32,
}

impl Ink {
    pub(super) const fn new([red, green, blue]: [u8; 3], alpha: f32) -> Self {
        Self { rgb: [red as f32 / 255.0, green as f32 / 255.0, blue as f32 / 255.0], alpha }
    }
}

/// Pixels: red, green, blue (premultiplied) and alpha, as parts of 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bitmap {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[f32; 4]>,
}

impl Bitmap {
    /// A transparent picture.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0; 4]; width * height] }
    }

    /// Fills a rounded box: left, top, width, height, and radius of the corners, with soft edges.
    pub(super) fn rounded(&mut self, [left, top, width, height]: [f32; 4], radius: f32, ink: Ink) {
        let radius = radius.min(width / 2.0).min(height / 2.0).max(0.0);
        let (middle_x, middle_y) = (left + width / 2.0, top + height / 2.0);
        for (index, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = ((index % self.width) as f32 + 0.5, (index / self.width) as f32 + 0.5);
            // Distance from the edge: negative inside.
            let from_x = (x - middle_x).abs() - width / 2.0 + radius;
            let from_y = (y - middle_y).abs() - height / 2.0 + radius;
            let outside = from_x.max(0.0).hypot(from_y.max(0.0));
            let distance = outside + from_x.max(from_y).min(0.0) - radius;
            let cover = (0.5 - distance).clamp(0.0, 1.0);
            if cover > 0.0 {
                over(pixel, ink.rgb, ink.alpha * cover);
            }
        }
    }

    /// Puts ink through a mask of one byte for each pixel, with its corner at `corner`; what lies outside is cut.
    pub(super) fn stamp(&mut self, corner: (i64, i64), size: (usize, usize), mask: &[u8], ink: Ink) {
        self.each(corner, size, mask, 1, |pixel, cover| {
            let cover = cover.first().copied().unwrap_or_default();
            if cover > 0 {
                over(pixel, ink.rgb, ink.alpha * f32::from(cover) / 255.0);
            }
        });
    }

    /// Puts a coloured picture there: four bytes for each pixel, not premultiplied.
    pub(super) fn paste(&mut self, corner: (i64, i64), size: (usize, usize), colours: &[u8], alpha: f32) {
        self.each(corner, size, colours, 4, |pixel, colour| {
            if let [red, green, blue, cover] = *colour {
                let rgb = [red, green, blue].map(|part| f32::from(part) / 255.0);
                over(pixel, rgb, alpha * f32::from(cover) / 255.0);
            }
        });
    }

    /// Calls `paint` for each pixel that a picture of `size` covers, with the picture's bytes for it.
    fn each(
        &mut self,
        corner: (i64, i64),
        size: (usize, usize),
        bytes: &[u8],
        bytes_per_pixel: usize,
        paint: impl Fn(&mut [f32; 4], &[u8]),
    ) {
        if size.0 == 0 {
            return;
        }
        for (row, line) in bytes.chunks_exact(size.0 * bytes_per_pixel).take(size.1).enumerate() {
            let y = corner.1.saturating_add(row as i64);
            let Ok(y) = usize::try_from(y) else { continue };
            if y >= self.height {
                break;
            }
            for (column, bytes) in line.chunks_exact(bytes_per_pixel).enumerate() {
                let x = usize::try_from(corner.0.saturating_add(column as i64));
                if let Some(x) = x.ok().filter(|x| *x < self.width) {
                    paint(&mut self.pixels[y * self.width + x], bytes);
                }
            }
        }
    }

    /// The same picture `width` pixels wide and as high as before, every pixel the mean of what it covers.
    pub(super) fn squeezed(&self, width: usize) -> Self {
        let mut result = Self::new(width, self.height);
        let step = self.width as f64 / width.max(1) as f64;
        for (index, pixel) in result.pixels.iter_mut().enumerate() {
            let (x, y) = (index % width, index / width);
            let (from, to) = (x as f64 * step, ((x + 1) as f64 * step).min(self.width as f64));
            let row = &self.pixels[y * self.width..][..self.width];
            let mut sum = [0.0; 4];
            for (at, source) in row.iter().enumerate().take(to.ceil() as usize).skip(from as usize) {
                let share = (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
                for (sum, part) in sum.iter_mut().zip(source) {
                    *sum += f64::from(*part) * share;
                }
            }
            *pixel = sum.map(|part| (part / (to - from).max(1e-9)) as f32);
        }
        result
    }
}

/// Lays a colour over a pixel.
fn over(pixel: &mut [f32; 4], rgb: [f32; 3], alpha: f32) {
    let keep = 1.0 - alpha;
    for (part, new) in pixel.iter_mut().zip([rgb[0], rgb[1], rgb[2], 1.0]) {
        *part = *part * keep + new * alpha;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Ink = Ink::new([255; 3], 1.0);

    #[test]
    fn boxes_have_round_corners() {
        let mut bitmap = Bitmap::new(20, 10);
        bitmap.rounded([0.0, 0.0, 20.0, 10.0], 4.0, WHITE);
        let alpha = |x: usize, y: usize| bitmap.pixels[y * 20 + x][3];
        assert_eq!((alpha(10, 0), alpha(0, 5), alpha(10, 5), alpha(0, 0)), (1.0, 1.0, 1.0, 0.0));
        assert!(alpha(1, 1) > 0.0 && alpha(1, 1) < 1.0);
        assert_eq!((alpha(0, 0), alpha(1, 1)), (alpha(19, 9), alpha(18, 8)));
    }

    #[test]
    fn what_lies_outside_is_cut() {
        let mut bitmap = Bitmap::new(4, 4);
        for corner in [(-2, -2), (3, 3), (i64::MAX, i64::MIN), (100, 0)] {
            bitmap.stamp(corner, (3, 3), &[255; 9], WHITE);
        }
        let inked = bitmap.pixels.iter().filter(|pixel| pixel[3] > 0.0).count();
        assert_eq!(inked, 2);
        bitmap.paste((0, 0), (2, 2), &[1, 2, 3], 1.0);
        bitmap.stamp((0, 0), (0, 3), &[], WHITE);
    }

    #[test]
    fn squeezing_keeps_the_ink() {
        let mut bitmap = Bitmap::new(9, 1);
        bitmap.rounded([2.0, 0.0, 3.0, 1.0], 0.0, WHITE);
        let sum = |bitmap: &Bitmap| bitmap.pixels.iter().map(|pixel| pixel[3]).sum::<f32>();
        let narrow = bitmap.squeezed(6);
        assert!((sum(&narrow) * 1.5 - sum(&bitmap)).abs() < 1e-4);
        let wide = bitmap.squeezed(18);
        assert!((sum(&wide) / 2.0 - sum(&bitmap)).abs() < 1e-4);
        assert_eq!(bitmap.squeezed(9), bitmap);
    }
}
