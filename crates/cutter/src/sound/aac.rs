//! What has to be known of coded AAC without decoding it: a stream's header, ADTS frames, and the window of a packet.
//!
//! All bytes here come from files that may be hostile: reading beyond the end gives `None`, never a panic.

use crate::facts::AacConfig;

/// Samples in each packet of AAC-LC.
pub(crate) const FRAME: usize = 1024;
/// Longest packet that AAC-LC allows for one or two channels, in bytes: 6144 bits per channel, with some grace for
/// what encoders fill in.
pub(crate) const LONGEST_PACKET: usize = 4096;

/// Sample rates by their index in headers.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// The object type of AAC-LC.
const LOW_COMPLEXITY: u32 = 2;
/// The object types that say that a decoder has to build the upper half of the spectrum: SBR, and PS with it.
const REPLICATED: [u32; 2] = [5, 29];

/// Reads bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, place: 0 }
    }

    /// The next `count` bits, at most 32.
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.place / 8)?;
            value = (value << 1) | u32::from(byte >> (7 - self.place % 8) & 1);
            self.place += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: usize) {
        self.place = self.place.saturating_add(count);
    }

    fn align(&mut self) {
        self.place = self.place.div_ceil(8) * 8;
    }
}

/// The configuration in a stream's header (an AudioSpecificConfig); `None` when it is not plain AAC-LC in one or two
/// channels.
pub(crate) fn parse_header(header: &[u8]) -> Option<AacConfig> {
    let mut bits = Bits::new(header);
    let object = bits.take(5)?;
    let sample_rate = rate(&mut bits)?;
    let channels = bits.take(4)?;
    let plain_frames = bits.take(1)? == 0;
    let independent = bits.take(1)? == 0;
    let no_extension = bits.take(1)? == 0;
    if object != LOW_COMPLEXITY || !plain_frames || !independent || !no_extension {
        return None;
    }
    // What may follow says explicitly whether there is SBR; hidden SBR is found by decoding.
    if bits.take(11) == Some(0x2b7)
        && bits.take(5).is_some_and(|object| REPLICATED.contains(&object))
        && bits.take(1) == Some(1)
    {
        return None;
    }
    (channels == 1 || channels == 2).then_some(AacConfig { sample_rate, channels })
}

fn rate(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(4)? {
        15 => bits.take(24),
        index => RATES.get(index as usize).copied(),
    }
}

/// The header for a stream of this configuration. It says that there is no SBR, so that no player looks for it;
/// without that where the rate is none of the usual ones.
pub(crate) fn header(config: AacConfig) -> Vec<u8> {
    let usual = RATES.iter().position(|rate| *rate == config.sample_rate);
    let mut value: u64 = LOW_COMPLEXITY.into();
    let mut length = 5;
    let mut put = |bits: u64, count: u32| {
        value = (value << count) | (bits & ((1 << count) - 1));
        length += count;
    };
    match usual {
        Some(index) => put(index as u64, 4),
        None => {
            put(15, 4);
            put(config.sample_rate.into(), 24);
        }
    }
    put(config.channels.into(), 4);
    put(0, 3);
    if usual.is_some() {
        put(0x2b7, 11);
        put(5, 5);
        put(0, 1);
    }
    let padding = length.next_multiple_of(8) - length;
    let bytes = (value << padding).to_be_bytes();
    bytes[bytes.len() - (length + padding) as usize / 8..].to_vec()
}

/// The header as decoders take it that are to find hidden SBR.
pub(crate) fn open_header(config: AacConfig) -> Vec<u8> {
    let mut header = header(config);
    if header.len() == 5 && RATES.contains(&config.sample_rate) {
        header.truncate(2);
    }
    header
}

/// An ADTS frame's configuration and the AAC packet in it; `None` when it is not one whole frame of AAC-LC with one
/// packet.
pub(crate) fn parse_adts(frame: &[u8]) -> Option<(AacConfig, &[u8])> {
    let mut bits = Bits::new(frame);
    if bits.take(12)? != 0xfff {
        return None;
    }
    bits.skip(1);
    let layer = bits.take(2)?;
    let without_checksum = bits.take(1)? == 1;
    let profile = bits.take(2)?;
    let sample_rate = *RATES.get(bits.take(4)? as usize)?;
    bits.skip(1);
    let channels = bits.take(3)?;
    bits.skip(4);
    let length = bits.take(13)? as usize;
    bits.skip(11);
    let more_packets = bits.take(2)?;
    let head = if without_checksum { 7 } else { 9 };
    if layer != 0
        || profile + 1 != LOW_COMPLEXITY
        || !(1..=2).contains(&channels)
        || more_packets != 0
        || length != frame.len()
    {
        return None;
    }
    Some((AacConfig { sample_rate, channels }, frame.get(head..)?))
}

/// How the samples of a packet are windowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) sequence: Sequence,
    /// Whether the window's right half is Kaiser-Bessel shaped; else it is a sine. The left half has the shape of the
    /// packet before.
    pub(crate) kaiser: bool,
    /// Whether this holds for all channels; else it is only that of the first.
    pub(crate) common: bool,
    /// Where the bit of the shape is.
    shape_place: usize,
}

/// The kinds of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sequence {
    Long,
    LongStart,
    EightShort,
    LongStop,
}

impl Window {
    /// The window of a packet of 1 or 2 channels; `None` when it does not begin with the element that belongs there, or
    /// tells decoders to drop its sound.
    pub(crate) fn of(packet: &[u8], channels: u32) -> Option<Self> {
        let mut bits = Bits::new(packet);
        // Encoders may put padding and data of their own in front; a packet has few of these.
        for _ in 0..16 {
            let element = bits.take(3)?;
            match element {
                0 if channels == 1 => {
                    bits.skip(4 + 8);
                    return Self::read(&mut bits, true);
                }
                1 if channels == 2 => {
                    bits.skip(4);
                    let common = bits.take(1)? == 1;
                    if !common {
                        bits.skip(8);
                    }
                    return Self::read(&mut bits, common);
                }
                4 => skip_data(&mut bits)?,
                6 => {
                    let mut length = bits.take(4)? as usize;
                    if length == 15 {
                        length += bits.take(8)? as usize - 1;
                    }
                    if drops_sound(&bits, length) {
                        return None;
                    }
                    bits.skip(8 * length);
                }
                _ => return None,
            }
        }
        None
    }

    fn read(bits: &mut Bits<'_>, common: bool) -> Option<Self> {
        bits.skip(1);
        let sequence = match bits.take(2)? {
            0 => Sequence::Long,
            1 => Sequence::LongStart,
            2 => Sequence::EightShort,
            _ => Sequence::LongStop,
        };
        let shape_place = bits.place;
        Some(Self { sequence, kaiser: bits.take(1)? == 1, common, shape_place })
    }

    /// Whether the left half is one long slope in all channels.
    pub(crate) fn rises_long(&self) -> bool {
        self.common && matches!(self.sequence, Sequence::Long | Sequence::LongStart)
    }

    /// Whether the right half is one long slope in all channels.
    pub(crate) fn falls_long(&self) -> bool {
        self.common && matches!(self.sequence, Sequence::Long | Sequence::LongStop)
    }

    /// Makes the packet, whose window this is, say that its right half has this shape.
    pub(crate) fn set_shape(&self, packet: &mut [u8], kaiser: bool) {
        let bit = 0x80 >> (self.shape_place % 8);
        if let Some(byte) = packet.get_mut(self.shape_place / 8) {
            *byte = if kaiser { *byte | bit } else { *byte & !bit };
        }
    }
}

/// Whether padding of this many bytes holds the name with which one encoder marks its first packet. libav drops that
/// packet's sound, wherever it comes, so that it must not be copied to where it would be heard.
fn drops_sound(padding: &Bits<'_>, length: usize) -> bool {
    const NAME: &[u8] = b"libfaac";
    let mut bits = Bits { bytes: padding.bytes, place: padding.place };
    bits.skip(4 + 13);
    length * 8 >= 4 + 13 + NAME.len() * 8 && NAME.iter().all(|byte| bits.take(8) == Some((*byte).into()))
}

fn skip_data(bits: &mut Bits<'_>) -> Option<()> {
    bits.skip(4);
    let aligned = bits.take(1)? == 1;
    let mut length = bits.take(8)? as usize;
    if length == 255 {
        length += bits.take(8)? as usize;
    }
    if aligned {
        bits.align();
    }
    bits.skip(8 * length);
    Some(())
}

/// The rising half of a long window, `FRAME` factors.
pub(crate) fn slope(kaiser: bool) -> Vec<f32> {
    if kaiser {
        return kaiser_slope();
    }
    let step = std::f64::consts::FRAC_PI_2 / FRAME as f64;
    (0..FRAME).map(|place| ((place as f64 + 0.5) * step).sin() as f32).collect()
}

/// The Kaiser-Bessel derived window with alpha 4.
fn kaiser_slope() -> Vec<f32> {
    let kernel = |place: usize| {
        let side = 2.0 * place as f64 / FRAME as f64 - 1.0;
        bessel(4.0 * std::f64::consts::PI * (1.0 - side * side).max(0.0).sqrt())
    };
    let total: f64 = (0..=FRAME).map(kernel).sum();
    let mut sum = 0.0;
    let factors = (0..FRAME).map(|place| {
        sum += kernel(place);
        (sum / total).sqrt() as f32
    });
    factors.collect()
}

/// The modified Bessel function of the first kind and order 0.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for step in 1..64 {
        term *= quarter / f64::from(step * step);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers_survive() {
        for sample_rate in RATES.into_iter().chain([44_056]) {
            for channels in [1, 2] {
                let config = AacConfig { sample_rate, channels };
                assert_eq!(parse_header(&header(config)), Some(config));
                assert_eq!(parse_header(&open_header(config)), Some(config));
            }
        }
        // As libav writes it for 48 kHz stereo.
        let config = AacConfig { sample_rate: 48_000, channels: 2 };
        assert_eq!(header(config), [0x11, 0x90, 0x56, 0xe5, 0x00]);
        assert_eq!(open_header(config), [0x11, 0x90]);
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        // HE-AAC by its own object type, by its extension, and with parametric stereo; six channels; frames of 960.
        for header in
            [&[0x2b, 0x11, 0x88, 0x00][..], &[0x13, 0x10, 0x56, 0xe5, 0x80], &[0xeb, 0x09, 0x88, 0x00]]
        {
            assert_eq!(parse_header(header), None, "{header:x?}");
        }
        assert_eq!(parse_header(&[0x11, 0xb0]), None);
        assert_eq!(parse_header(&[0x11, 0x94]), None);
        assert_eq!(parse_header(&[0x11]), None);
        assert_eq!(parse_adts(&[0xff, 0xf1, 0x4c, 0x80, 0x02, 0x1f, 0xfc, 0, 0]), None, "not whole");
    }

    #[test]
    fn windows_of_real_packets() {
        // By libav: a long window, one in front of short ones, and short ones.
        for (packet, sequence, kaiser) in [
            ([0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c], Sequence::Long, true),
            ([0x21, 0x20, 0x04, 0x60, 0x8c, 0x1c], Sequence::LongStart, false),
            ([0x21, 0x4d, 0x9a, 0x80, 0x03, 0xf9], Sequence::EightShort, false),
        ] {
            let window = Window::of(&packet, 2).unwrap();
            assert_eq!((window.sequence, window.kaiser, window.common), (sequence, kaiser, true));
            assert_eq!(Window::of(&packet, 1), None, "a pair is no single channel");
        }
        // Padding in front, with and without an encoder's name.
        let padded = |name: &[u8]| {
            let mut packet = vec![0xde, 0x36, 0x00, 0x00];
            packet.extend_from_slice(name);
            packet.resize(42, 0);
            packet.extend([0b0000_0000, 0b0100_0010, 0, 0]);
            Window::of(&packet, 2)
        };
        assert_eq!(padded(b"encoder 1.2").map(|window| window.sequence), Some(Sequence::Long));
        assert_eq!(padded(b"libfaac 1.26"), None);
    }

    #[test]
    fn slopes_keep_the_power() {
        for kaiser in [false, true] {
            let slope = slope(kaiser);
            for place in 0..FRAME {
                let power = slope[place].powi(2) + slope[FRAME - 1 - place].powi(2);
                assert!((power - 1.0).abs() < 1e-5, "{kaiser} {place} {power}");
            }
            assert!(slope.windows(2).all(|pair| pair[0] <= pair[1]));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..64), channels in 1_u32..3) {
            parse_header(&bytes);
            parse_adts(&bytes);
            if let Some(window) = Window::of(&bytes, channels) {
                let mut changed = bytes;
                window.set_shape(&mut changed, !window.kaiser);
                let other = Window::of(&changed, channels);
                prop_assert_eq!(other.map(|other| other.kaiser), Some(!window.kaiser));
            }
        }
    }
}
