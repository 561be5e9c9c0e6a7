//! Makes the files around a map: song, background, storyboard, and the archive that holds them.

use std::io::{self, Cursor, Write};

/// Samples in a second of what is synthesised here.
pub const SAMPLE_RATE: u32 = 44_100;

/// A song for the maps of [`super::maps`]: a click on each beat (120 in a minute, the first at 0), louder on each fourth, over
/// a quiet chord. WAV, mono, 16 bit.
#[must_use]
pub fn song(seconds: u32) -> Vec<u8> {
    let sample = |index: u32| {
        let at = f64::from(index) / f64::from(SAMPLE_RATE);
        let (beat, since) = ((at * 2.0).floor(), (at * 2.0).fract() / 2.0);
        let (loudness, pitch) = if beat % 4.0 == 0.0 { (0.6, 1320.0) } else { (0.35, 880.0) };
        let tone = |pitch: f64| (at * pitch * std::f64::consts::TAU).sin();
        let click = if since < 0.03 { tone(pitch) * loudness * (1.0 - since / 0.03) } else { 0.0 };
        click + 0.04 * (tone(220.0) + tone(277.18) + tone(329.63))
    };
    wav((0..seconds.saturating_mul(SAMPLE_RATE)).map(sample))
}

/// A sound that dies away: `pitch` in hertz, `milliseconds` long. WAV, mono, 16 bit.
#[must_use]
pub fn bell(pitch: f64, milliseconds: u32) -> Vec<u8> {
    let count = SAMPLE_RATE / 1000 * milliseconds;
    wav((0..count).map(|index| {
        let at = f64::from(index) / f64::from(SAMPLE_RATE);
        (at * pitch * std::f64::consts::TAU).sin() * 0.5 * (1.0 - f64::from(index) / f64::from(count))
    }))
}

/// A WAV file of samples from -1 to 1.
pub fn wav(samples: impl Iterator<Item = f64>) -> Vec<u8> {
    let data: Vec<u8> = samples.flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
    let mut out = Vec::with_capacity(data.len() + 44);
    out.extend(b"RIFF");
    out.extend((data.len() as u32 + 36).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(SAMPLE_RATE.to_le_bytes());
    out.extend((SAMPLE_RATE * 2).to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}

/// A PNG of that size, whose pixels (red, green, blue, opacity) follow from their place.
///
/// # Errors
/// A picture without pixels.
pub fn png(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> io::Result<Vec<u8>> {
    let picture = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba(pixel(x, y)));
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, image::ImageFormat::Png).map_err(io::Error::other)?;
    Ok(out.into_inner())
}

/// A background in which one can see where left, right, top and bottom are: 640 x 360, with a bright cross.
///
/// # Errors
/// None.
pub fn background() -> io::Result<Vec<u8>> {
    png(640, 360, |x, y| {
        if x.abs_diff(320) < 2 || y.abs_diff(180) < 2 {
            [255, 255, 255, 255]
        } else {
            [(x * 255 / 640) as u8, (y * 255 / 360) as u8, 128, 255]
        }
    })
}

/// A storyboard (.osb) that shows its sprite four times, in a loop, with additive blending.
pub const STORYBOARD: &str = "[Events]
//Storyboard Layer 3 (Foreground)
Sprite,Foreground,Centre,\"sb/star.png\",320,100
 P,0,20000,24000,A
 L,20000,4
  F,0,0,500,0,1
  S,0,0,1000,0.5,1.5
  F,0,500,1000,1,0
";

/// A zip archive of files by name.
///
/// # Errors
/// Names that a zip archive cannot hold.
pub fn zip<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> io::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A map's archive (.osz): the maps (file name and text), a song of that length, background, storyboard and its files.
///
/// # Errors
/// Names that a zip archive cannot hold.
pub fn osz(maps: &[(&str, &str)], song_seconds: u32) -> io::Result<Vec<u8>> {
    let mut files: Vec<(&str, Vec<u8>)> =
        maps.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect();
    files.push(("song.wav", song(song_seconds)));
    files.push(("background.png", background()?));
    files.push(("Tests - Tests (Tests).osb", STORYBOARD.as_bytes().to_vec()));
    let star = |x: u32, y: u32| {
        let far = x.abs_diff(32) * y.abs_diff(32);
        [255, 240, 160, 255_u32.saturating_sub(far * 8) as u8]
    };
    files.push(("sb/star.png", png(64, 64, star)?));
    files.push(("sb/bell.wav", bell(1760.0, 300)));
    files.push(("soft-hitnormal2.wav", bell(440.0, 60)));
    zip(files)
}
