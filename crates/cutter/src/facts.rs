//! What a probe found in a source. Data only; times are ticks.

use serde::{Deserialize, Serialize};

use crate::colour::Matrix;
use crate::time::FrameRate;

/// A source that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The container: `mp4`, `matroska`, `mpegts` or `mpegps`.
    pub container: String,
    /// Where the first video frame lies on the container's own clock. Source times count from there, for picture
    /// and sound alike, so that frame number `n` of an even source starts at `n` frame lengths.
    pub origin_ticks: i64,
    /// Length of the video from its first frame, where the container tells it.
    pub duration_ticks: Option<i64>,
    /// Whether that length was only concluded from the last timestamps (MPEG streams), so that the video may be
    /// somewhat longer.
    pub duration_is_estimate: bool,
    /// The picture.
    pub video: VideoFacts,
    /// The sound, if there is any that can be decoded.
    pub audio: Option<AudioFacts>,
}

/// A source's picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoFacts {
    /// Index of the stream in the container.
    pub stream: u32,
    /// Codec, as in `h264`.
    pub codec: String,
    /// Coded width in pixels.
    pub width: u32,
    /// Coded height in pixels.
    pub height: u32,
    /// Width of a pixel relative to its height: numerator.
    pub sar_num: u32,
    /// Width of a pixel relative to its height: denominator.
    pub sar_den: u32,
    /// Clockwise turn for showing, in degrees: 0, 90, 180 or 270.
    pub rotation: u16,
    /// Frames per second; the average where the rate varies.
    pub frame_rate: FrameRate,
    /// Whether frames last differently long.
    pub variable_rate: bool,
    /// Pixel format, as in `yuv420p`.
    pub pixel_format: String,
    /// Bits per component.
    pub bit_depth: u32,
    /// What its colours mean.
    pub colour: Colour,
    /// The codec's number for its profile; negative where unknown.
    pub profile: i32,
    /// The codec's number for its level; negative where unknown.
    pub level: i32,
    /// Whether each picture is one frame; pictures in two fields are not copied.
    pub progressive: bool,
    /// Bits per second of the picture; 0 where unknown.
    pub bit_rate: u64,
}

/// What a picture's colours mean, in libav's names; `unknown` where it is not said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Colour {
    /// Primaries, as in `bt709`.
    pub primaries: String,
    /// Transfer characteristics, as in `bt709`.
    pub transfer: String,
    /// Matrix, as in `bt709`.
    pub matrix: String,
    /// Whether black is 0 and white the highest value; else both have some room.
    pub full_range: bool,
}

/// Names and numbers of primaries (ITU-T H.273, table 2).
const PRIMARIES: &[(&str, u8)] = &[
    ("bt709", 1),
    ("bt470m", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("film", 8),
    ("bt2020", 9),
    ("smpte428", 10),
    ("smpte431", 11),
    ("smpte432", 12),
];
/// Names and numbers of transfer characteristics (ITU-T H.273, table 3).
const TRANSFERS: &[(&str, u8)] = &[
    ("bt709", 1),
    ("gamma22", 4),
    ("gamma28", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("linear", 8),
    ("iec61966-2-1", 13),
    ("bt2020-10", 14),
    ("bt2020-12", 15),
    ("smpte2084", 16),
    ("arib-std-b67", 18),
];
/// Names and numbers of matrices (ITU-T H.273, table 4).
const MATRICES: &[(&str, u8)] = &[
    ("gbr", 0),
    ("bt709", 1),
    ("fcc", 4),
    ("bt470bg", 5),
    ("smpte170m", 6),
    ("smpte240m", 7),
    ("bt2020nc", 9),
    ("bt2020c", 10),
];
/// The number that says nothing.
const UNKNOWN: u8 = 2;

impl Colour {
    /// The colours with these numbers of ITU-T H.273; what has no name here counts as not said.
    pub fn from_codes(primaries: i32, transfer: i32, matrix: i32, full_range: bool) -> Self {
        let name = |table: &[(&str, u8)], code: i32| {
            let found = table.iter().find(|(_, number)| i32::from(*number) == code);
            found.map_or("unknown", |(name, _)| name).to_owned()
        };
        Self {
            primaries: name(PRIMARIES, primaries),
            transfer: name(TRANSFERS, transfer),
            matrix: name(MATRICES, matrix),
            full_range,
        }
    }

    /// The numbers of primaries, transfer and matrix in ITU-T H.273.
    pub fn codes(&self) -> [u8; 3] {
        let code = |table: &[(&str, u8)], name: &str| {
            table.iter().find(|(known, _)| *known == name).map_or(UNKNOWN, |(_, number)| *number)
        };
        [code(PRIMARIES, &self.primaries), code(TRANSFERS, &self.transfer), code(MATRICES, &self.matrix)]
    }

    /// High definition video: BT.709 throughout, limited range.
    pub fn bt709() -> Self {
        let name = || "bt709".to_owned();
        Self { primaries: name(), transfer: name(), matrix: name(), full_range: false }
    }

    /// Whether pictures of both, of this size, may stand in one stream: what one of them leaves unsaid of primaries and
    /// transfer is no difference; an unsaid matrix is the usual one.
    pub fn agrees_with(&self, other: &Self, (width, height): (u32, u32)) -> bool {
        let same = |ours: &str, theirs: &str| ours == theirs || ours == "unknown" || theirs == "unknown";
        let matrix = |name: &str| Matrix::named(name).unwrap_or_else(|| Matrix::usual(width, height));
        self.full_range == other.full_range
            && same(&self.primaries, &other.primaries)
            && same(&self.transfer, &other.transfer)
            && matrix(&self.matrix) == matrix(&other.matrix)
    }
}

/// A source's sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFacts {
    /// Index of the stream in the container.
    pub stream: u32,
    /// Codec, as in `aac`.
    pub codec: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// What its packets can be joined by, where it is plain AAC-LC in one or two channels (no SBR).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aac: Option<AacConfig>,
}

/// Configuration of an AAC-LC stream: packets of equal configurations can follow each other in one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AacConfig {
    /// Samples per second.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u32,
}

impl VideoFacts {
    /// Shape of a pixel in lowest terms; square where it is not said.
    pub fn pixel_shape(&self) -> (u32, u32) {
        if self.sar_num == 0 || self.sar_den == 0 {
            return (1, 1);
        }
        let divisor = crate::time::gcd(self.sar_num.into(), self.sar_den.into()) as u32;
        (self.sar_num / divisor, self.sar_den / divisor)
    }

    /// Size in square pixels after turning: how large the picture is shown. Both at least 2.
    pub fn display_size(&self) -> (u32, u32) {
        let (num, den) = self.pixel_shape();
        // Stretching the narrower direction keeps every pixel of the other.
        let stretch = |side: u32, by: u32, over: u32| {
            let exact = (u64::from(side) * u64::from(by) + u64::from(over) / 2) / u64::from(over);
            exact.clamp(2, 1 << 16) as u32
        };
        let (width, height) = if num >= den {
            (stretch(self.width, num, den), self.height.max(2))
        } else {
            (self.width.max(2), stretch(self.height, den, num))
        };
        if self.rotation % 180 == 90 { (height, width) } else { (width, height) }
    }
}
