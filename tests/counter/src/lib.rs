//! Test videos that say which frame is which, and the reader for them. For tests only.
//!
//! Every picture carries the number of its source and of its frame as a row of black and white blocks, and a second
//! row with the opposite blocks as a check. The blocks survive scaling, rate conversion and lossy coding, so that a
//! test can tell exactly which source frame became which frame of a result. The sound, where there is one, has a short
//! tone at the start of every second of video time, or an impulse at the start of every half second.
//!
//! [`fixture`] makes such videos in every coding and container whose traps the engine must know, and checks that each
//! is what it is called; [`inspect`] tells what a file is made of.
//!
//! Files are made and read with the `ffmpeg` program; when it is missing or fails, the functions return an error with
//! its last words.

pub mod fixture;
pub mod inspect;
mod marks;
mod sound;

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

pub use marks::{Region, Seen, read_marks, watch};
pub use sound::{IMPULSE_INTERVAL, IMPULSE_SECONDS, Signal, read_impulses, read_samples, read_tones};

/// Blocks for the source's number.
const SOURCE_BITS: u32 = 4;
/// Blocks for the frame's number.
const FRAME_BITS: u32 = 16;
/// Blocks in a row.
const BLOCKS: u32 = SOURCE_BITS + FRAME_BITS;

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
    /// What the sound is.
    pub signal: Signal,
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
            signal: Signal::Tones,
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

    /// The same with an impulse of 2 ms at every half second instead of the tones.
    #[must_use]
    pub fn pulsing(mut self) -> Self {
        self.signal = Signal::Impulses;
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
            let count = u64::from(self.frames) * u64::from(self.rate.1) * u64::from(rate);
            let wav = self.signal.wav(rate, channels, count / u64::from(self.rate.0));
            std::fs::write(&tones, wav)?;
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
