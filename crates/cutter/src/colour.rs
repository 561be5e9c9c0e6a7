//! What the numbers of a picture mean as colours, and colours as such numbers. Pure.
//!
//! A picture is luma and two chroma components (4:2:0), in a matrix and a range. What a stream leaves unsaid counts as
//! [`Matrix::usual`] and limited range, everywhere; so does a matrix that is none of [`Matrix`].

/// How luma and chroma are made of red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matrix {
    /// BT.709: high definition.
    Bt709,
    /// FCC, of old American television.
    Fcc,
    /// BT.601, which libav calls `smpte170m` or `bt470bg`: standard definition.
    Bt601,
    /// SMPTE 240M, of early high definition.
    Smpte240m,
    /// BT.2020: wide colours.
    Bt2020,
}

impl Matrix {
    /// The matrix that libav calls `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "bt709" => Some(Self::Bt709),
            "fcc" => Some(Self::Fcc),
            "bt470bg" | "smpte170m" => Some(Self::Bt601),
            "smpte240m" => Some(Self::Smpte240m),
            "bt2020nc" | "bt2020c" => Some(Self::Bt2020),
            _ => None,
        }
    }

    /// What counts where nothing is said: BT.709 for high definition, BT.601 below.
    pub(crate) fn usual(width: u32, height: u32) -> Self {
        if height >= 720 || width >= 1280 { Self::Bt709 } else { Self::Bt601 }
    }

    /// The parts of red and blue in luma.
    fn weights(self) -> (f64, f64) {
        match self {
            Self::Bt709 => (0.2126, 0.0722),
            Self::Fcc => (0.30, 0.11),
            Self::Bt601 => (0.299, 0.114),
            Self::Smpte240m => (0.212, 0.087),
            Self::Bt2020 => (0.2627, 0.0593),
        }
    }
}

/// What the colours of a picture mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour {
    /// How the components are made.
    pub(crate) matrix: Matrix,
    /// Whether black is 0 and white the largest number; otherwise 16 and 235 (in 8 bits).
    pub(crate) full_range: bool,
}

/// Bits of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// One byte for each.
    Eight,
    /// Two bytes for each, of which ten bits are used.
    Ten,
}

impl Depth {
    /// The depth that keeps pictures of `bits` bits.
    pub(crate) fn of(bits: u8) -> Self {
        if bits > 8 { Self::Ten } else { Self::Eight }
    }

    /// How many bits more than eight there are.
    fn more(self) -> u32 {
        match self {
            Self::Eight => 0,
            Self::Ten => 2,
        }
    }
}

/// Luma and chroma of one colour, with what lies between the whole numbers; so that sums can be rounded once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Components(pub(crate) [f64; 3]);

impl Components {
    /// The nearest whole numbers.
    pub(crate) fn rounded(self) -> [u16; 3] {
        // A conversion from a float keeps within the bounds of the type.
        self.0.map(|component| component.round() as u16)
    }
}

/// From red, green and blue to the components of one kind of picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Converter {
    red: f64,
    blue: f64,
    /// The numbers of black, and of no colour.
    luma_zero: f64,
    chroma_zero: f64,
    /// From 0..=1 and -0.5..=0.5 to numbers.
    luma_scale: f64,
    chroma_scale: f64,
}

impl Converter {
    /// For pictures of that meaning and depth.
    pub(crate) fn new(colour: Colour, depth: Depth) -> Self {
        let (red, blue) = colour.matrix.weights();
        let unit = f64::from(1 << depth.more());
        let largest = f64::from((256 << depth.more()) - 1);
        let (luma_zero, luma_scale, chroma_scale) = if colour.full_range {
            (0.0, largest, largest)
        } else {
            (16.0 * unit, 219.0 * unit, 224.0 * unit)
        };
        Self { red, blue, luma_zero, chroma_zero: 128.0 * unit, luma_scale, chroma_scale }
    }

    /// Components of a colour given as parts of 1, premultiplied with `alpha`: of the sum of several such colours that
    /// cover one place together.
    pub(crate) fn premultiplied(&self, [red, green, blue]: [f64; 3], alpha: f64) -> Components {
        let luma = self.red * red + (1.0 - self.red - self.blue) * green + self.blue * blue;
        let chroma_blue = (blue - luma) / (2.0 * (1.0 - self.blue));
        let chroma_red = (red - luma) / (2.0 * (1.0 - self.red));
        Components([
            self.luma_zero * alpha + self.luma_scale * luma,
            self.chroma_zero * alpha + self.chroma_scale * chroma_blue,
            self.chroma_zero * alpha + self.chroma_scale * chroma_red,
        ])
    }

    /// Components of an 8-bit colour: red, green, blue.
    pub(crate) fn rgb(&self, rgb: [u8; 3]) -> [u16; 3] {
        let largest = self.chroma_zero * 2.0 - 1.0;
        let components = self.premultiplied(rgb.map(|part| f64::from(part) / 255.0), 1.0);
        Components(components.0.map(|component| component.min(largest))).rounded()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MATRICES: [Matrix; 5] =
        [Matrix::Bt709, Matrix::Fcc, Matrix::Bt601, Matrix::Smpte240m, Matrix::Bt2020];

    fn components(matrix: Matrix, full_range: bool, depth: Depth, rgb: [u8; 3]) -> [u16; 3] {
        Converter::new(Colour { matrix, full_range }, depth).rgb(rgb)
    }

    #[test]
    fn known_colours_have_their_known_numbers() {
        let red = [255, 0, 0];
        assert_eq!(components(Matrix::Bt709, false, Depth::Eight, red), [63, 102, 240]);
        assert_eq!(components(Matrix::Bt601, false, Depth::Eight, red), [81, 90, 240]);
        assert_eq!(components(Matrix::Bt601, true, Depth::Eight, red), [76, 85, 255]);
        assert_eq!(components(Matrix::Bt2020, false, Depth::Ten, [0, 0, 255]), [116, 960, 476]);
    }

    #[test]
    fn black_and_white_have_no_colour() {
        for matrix in MATRICES {
            assert_eq!(components(matrix, false, Depth::Eight, [0; 3]), [16, 128, 128]);
            assert_eq!(components(matrix, false, Depth::Eight, [255; 3]), [235, 128, 128]);
            assert_eq!(components(matrix, true, Depth::Eight, [255; 3]), [255, 128, 128]);
            assert_eq!(components(matrix, false, Depth::Ten, [0; 3]), [64, 512, 512]);
            assert_eq!(components(matrix, false, Depth::Ten, [255; 3]), [940, 512, 512]);
            assert_eq!(components(matrix, true, Depth::Ten, [255; 3]), [1023, 512, 512]);
        }
    }

    proptest! {
        #[test]
        fn numbers_stay_in_their_range(rgb: [u8; 3], index in 0_usize..5, full_range: bool) {
            let eight = components(MATRICES[index], full_range, Depth::Eight, rgb);
            let ten = components(MATRICES[index], full_range, Depth::Ten, rgb);
            let (luma, chroma) = if full_range { (0..=255, 0..=255) } else { (16..=235, 16..=240) };
            prop_assert!(luma.contains(&eight[0]) && chroma.contains(&eight[1]) && chroma.contains(&eight[2]));
            for (eight, ten) in eight.into_iter().zip(ten) {
                prop_assert!((f64::from(eight) - f64::from(ten) / 4.0).abs() <= 1.3, "{eight} {ten}");
            }
        }
    }
}
