//! Test videos that say which frame is which, and the reader for them. For tests only.
//!
//! Every picture carries the number of its source and of its frame as a row of black and white blocks, and a second
//! row with the opposite blocks as a check. The blocks survive scaling, rate conversion and lossy coding, so that a
//! test can tell exactly which source frame became which frame of a result. The sound, where there is one, has a short
//! tone at the start of every second of video time.
//!
//! Files are made and read with the `ffmpeg` program; when it is missing or fails, the functions return an error with
//! its last words.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Blocks for the source's number.
const SOURCE_BITS: u32 = 4;
/// Blocks for the frame's number.
const FRAME_BITS: u32 = 16;
/// Blocks in a row.
const BLOCKS: u32 = SOURCE_BITS + FRAME_BITS;
/// Sample rate in which sound is read back, in hertz.
const READ_RATE: u32 = 48_000;

/// What a picture says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Number of the source: 0 to 15.
    pub source: u8,
    /// Number of the frame in its source, from 0.
    pub frame: u16,
}

/// A test video to make.
#[derive(Debug, Clone)]
pub struct CounterVideo {
    /// Number of the source: 0 to 15.
    pub source: u8,
    /// Width in pixels; at least 160.
    pub width: u32,
    /// Height in pixels; at least 64.
    pub height: u32,
    /// Frames per second as a fraction.
    pub rate: (u32, u32),
    /// Number of frames.
    pub frames: u16,
    /// Sample rate and channels of the sound; `None` for no sound.
    pub sound: Option<(u32, u32)>,
    /// Arguments for `ffmpeg` between its inputs and its output: codecs, filters, container.
    pub arguments: Vec<String>,
}

impl CounterVideo {
    /// A 320 x 180 video at `rate` of `frames` frames with stereo sound at 48 kHz, in H.264 and AAC.
    pub fn new(source: u8, rate: (u32, u32), frames: u16) -> Self {
        Self {
            source,
            width: 320,
            height: 180,
            rate,
            frames,
            sound: Some((48_000, 2)),
            arguments: arguments("-c:v libx264 -preset ultrafast -crf 20 -pix_fmt yuv420p -c:a aac -b:a 96k"),
        }
    }

    /// The same with other arguments for `ffmpeg`, separated by spaces.
    #[must_use]
    pub fn with(mut self, all: &str) -> Self {
        self.arguments = arguments(all);
        self
    }

    /// The same with more arguments for `ffmpeg` behind those that are there.
    #[must_use]
    pub fn and(mut self, more: &str) -> Self {
        self.arguments.extend(arguments(more));
        self
    }

    /// The same in another size.
    #[must_use]
    pub fn sized(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    /// The same with other sound: sample rate and channels, or none.
    #[must_use]
    pub fn sounding(mut self, sound: Option<(u32, u32)>) -> Self {
        self.sound = sound;
        self
    }

    /// Makes the file. The container follows from its name, as `ffmpeg` has it, unless the arguments say otherwise.
    ///
    /// # Errors
    /// When `ffmpeg` is missing or fails; the error holds its last words.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let tones = path.with_extension("tones.wav");
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray"]);
        command.args(["-s", &format!("{}x{}", self.width, self.height)]);
        command.args(["-r", &format!("{}/{}", self.rate.0, self.rate.1), "-i", "pipe:0"]);
        if let Some((rate, channels)) = self.sound {
            std::fs::write(&tones, self.tones(rate, channels))?;
            command.arg("-i").arg(&tones);
        }
        command.args(&self.arguments).arg(path);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            for frame in 0..self.frames {
                if input.write_all(&self.picture(frame)).is_err() {
                    // The program ended early; its last words tell why.
                    break;
                }
            }
        }
        let output = child.wait_with_output()?;
        if self.sound.is_some() {
            std::fs::remove_file(&tones)?;
        }
        succeeded(&output)
    }

    /// One picture, 8 bits of grey per pixel.
    fn picture(&self, frame: u16) -> Vec<u8> {
        let word = (u32::from(self.source) << FRAME_BITS) | u32::from(frame);
        let (width, height) = (self.width as usize, self.height as usize);
        let mut picture = vec![128; width * height];
        for (y, row) in picture.chunks_exact_mut(width).enumerate() {
            // Upper quarter: the number; next quarter: its opposite; below: a stripe that moves, for the encoder.
            let band = y * 4 / height;
            for (x, pixel) in row.iter_mut().enumerate() {
                let block = (x * BLOCKS as usize / width) as u32;
                let bit = (word >> (BLOCKS - 1 - block)) & 1 == 1;
                let stripe = (x + usize::from(frame) * 4) % 64 < 8;
                *pixel = match (band, bit, stripe) {
                    (0, true, _) | (1, false, _) => 235,
                    (0 | 1, ..) => 16,
                    (_, _, true) => 200,
                    _ => 100,
                };
            }
        }
        picture
    }

    /// A WAV file with a tone of 50 ms at 1 kHz at the start of every second, as long as the video.
    fn tones(&self, rate: u32, channels: u32) -> Vec<u8> {
        let count =
            u64::from(self.frames) * u64::from(self.rate.1) * u64::from(rate) / u64::from(self.rate.0);
        let bytes = (count * u64::from(channels) * 2) as u32;
        let mut wav = Vec::with_capacity(bytes as usize + 44);
        wav.extend_from_slice(b"RIFF");
        wav.extend_from_slice(&(bytes + 36).to_le_bytes());
        wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
        wav.extend_from_slice(&(channels as u16).to_le_bytes());
        wav.extend_from_slice(&rate.to_le_bytes());
        wav.extend_from_slice(&(rate * channels * 2).to_le_bytes());
        wav.extend_from_slice(&(channels as u16 * 2).to_le_bytes());
        wav.extend_from_slice(&16_u16.to_le_bytes());
        wav.extend_from_slice(b"data");
        wav.extend_from_slice(&bytes.to_le_bytes());
        for sample in 0..count {
            let within = (sample % u64::from(rate)) as f64 / f64::from(rate);
            let tone =
                if within < 0.05 { (within * 1000.0 * std::f64::consts::TAU).sin() * 0.5 } else { 0.0 };
            let value = (tone * f64::from(i16::MAX)) as i16;
            for _ in 0..channels {
                wav.extend_from_slice(&value.to_le_bytes());
            }
        }
        wav
    }
}

/// Where the marked picture lies in a frame, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// Reads the marks of all frames of a video, in the order in which they are shown. `None` for a frame without a clear
/// mark. With no `region` the whole picture is read.
///
/// # Errors
/// When `ffmpeg` is missing or fails.
pub fn read_marks(path: &Path, region: Option<Region>) -> io::Result<Vec<Option<Mark>>> {
    let (width, height) = size(path)?;
    let region = region.unwrap_or(Region { x: 0, y: 0, width, height });
    let mut child = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut marks = Vec::new();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut picture = vec![0; width as usize * height as usize];
        while output.read_exact(&mut picture).is_ok() {
            marks.push(mark(&picture, width as usize, region));
        }
    }
    succeeded(&child.wait_with_output()?)?;
    Ok(marks)
}

/// When the tones of a file start, in seconds from its start; in steps of 2 ms.
///
/// # Errors
/// When `ffmpeg` is missing or fails.
pub fn read_tones(path: &Path) -> io::Result<Vec<f64>> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-ac", "1", "-ar", &READ_RATE.to_string(), "-f", "s16le", "pipe:1"])
        .output()?;
    succeeded(&output)?;
    let samples = output.stdout.chunks_exact(2).map(|pair| i32::from(i16::from_le_bytes([pair[0], pair[1]])));
    let samples: Vec<i32> = samples.collect();
    // A tone starts where a loud step follows 100 ms of quiet.
    let step = READ_RATE as usize / 500;
    let loudest = |part: &[i32]| part.iter().map(|sample| sample.abs()).max().unwrap_or(0);
    let loud: Vec<bool> = samples.chunks(step).map(|part| loudest(part) > 1500).collect();
    let starts = (0..loud.len())
        .filter(|&place| loud[place] && !loud[place.saturating_sub(50)..place].contains(&true));
    Ok(starts.map(|place| (place * step) as f64 / f64::from(READ_RATE)).collect())
}

/// Width and height of a video as it is decoded and turned for showing.
fn size(path: &Path) -> io::Result<(u32, u32)> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-frames:v", "1", "-f", "image2pipe", "-c:v", "pgm", "pipe:1"])
        .output()?;
    succeeded(&output)?;
    // A PGM picture starts with its size: "P5\nWIDTH HEIGHT\n".
    let head = String::from_utf8_lossy(&output.stdout[..output.stdout.len().min(32)]).into_owned();
    let mut words = head.split_ascii_whitespace().skip(1).filter_map(|word| word.parse().ok());
    match (words.next(), words.next()) {
        (Some(width), Some(height)) => Ok((width, height)),
        _ => Err(io::Error::other("the video has no picture")),
    }
}

fn mark(picture: &[u8], stride: usize, region: Region) -> Option<Mark> {
    let mut word = 0_u32;
    for block in 0..BLOCKS {
        let number = brightness(picture, stride, region, block, 0);
        let opposite = brightness(picture, stride, region, block, 1);
        if number.abs_diff(opposite) < 60 {
            return None;
        }
        word = (word << 1) | u32::from(number > opposite);
    }
    Some(Mark { source: (word >> FRAME_BITS) as u8, frame: (word & 0xffff) as u16 })
}

/// Mean of the middle of a block.
fn brightness(picture: &[u8], stride: usize, region: Region, block: u32, band: u32) -> u32 {
    let (width, height) = (f64::from(region.width) / f64::from(BLOCKS), f64::from(region.height) / 4.0);
    let left = f64::from(region.x) + width * (f64::from(block) + 0.25);
    let top = f64::from(region.y) + height * (f64::from(band) + 0.25);
    let columns = left as usize..((left + width * 0.5) as usize).max(left as usize + 1);
    let rows = top as usize..((top + height * 0.5) as usize).max(top as usize + 1);
    let (mut sum, mut count) = (0_u32, 0_u32);
    for y in rows {
        for pixel in picture.get(y * stride + columns.start..y * stride + columns.end).unwrap_or_default() {
            sum += u32::from(*pixel);
            count += 1;
        }
    }
    sum / count.max(1)
}

fn arguments(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

fn succeeded(output: &std::process::Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = words.lines().rev().take(5).collect();
    Err(io::Error::other(format!("ffmpeg failed: {}", last.join(" | "))))
}
