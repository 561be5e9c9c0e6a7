//! What a probe found in a source. Data only; times are ticks.

use serde::{Deserialize, Serialize};

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
    /// Matrix of the colours, as in `bt709`; `unknown` where the source does not say.
    pub colour_space: String,
    /// `tv` (limited; also where the source does not say) or `pc` (full).
    pub colour_range: String,
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
    /// Size in square pixels after turning: how large the picture is shown. Both at least 2.
    pub fn display_size(&self) -> (u32, u32) {
        let (num, den) =
            if self.sar_num == 0 || self.sar_den == 0 { (1, 1) } else { (self.sar_num, self.sar_den) };
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
