//! Reading the marks back from pictures, as the `ffmpeg` program decodes them.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{BLOCKS, FRAME_BITS, Mark, succeeded};

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

/// What was seen when a video was decoded from its first to its last frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The marks in the order in which they are shown; `None` for a frame without a clear mark.
    pub marks: Vec<Option<Mark>>,
    /// What `ffmpeg` warned of or complained about; empty when all is well.
    pub complaints: String,
}

/// Reads the marks of all frames of a video, in the order in which they are shown. `None` for a frame without a clear
/// mark. With no `region` the whole picture is read.
///
/// # Errors
/// When `ffmpeg` is missing or fails.
pub fn read_marks(path: &Path, region: Option<Region>) -> io::Result<Vec<Option<Mark>>> {
    Ok(watch(path, region)?.marks)
}

/// Reads the marks of all frames like [`read_marks`], and everything that `ffmpeg` says about the video meanwhile.
/// Pictures of any depth are read in 8 bits.
///
/// # Errors
/// When `ffmpeg` is missing or fails.
pub fn watch(path: &Path, region: Option<Region>) -> io::Result<Seen> {
    let (width, height) = size(path)?;
    let region = region.unwrap_or(Region { x: 0, y: 0, width, height });
    let mut child = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "warning", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray"])
        // The file's own unit of time: in a coarser one, two frames of an uneven video would meet.
        .args(["-enc_time_base", "-1", "pipe:1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let errors = child.stderr.take();
    // Read beside the pictures: a program that has a lot to say would wait for its reader.
    let words = std::thread::spawn(move || {
        let mut words = Vec::new();
        errors.map_or(Ok(0), |mut errors| errors.read_to_end(&mut words)).map(|_| words)
    });
    let mut marks = Vec::new();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut picture = vec![0; width as usize * height as usize];
        while output.read_exact(&mut picture).is_ok() {
            marks.push(mark(&picture, width as usize, region));
        }
    }
    let mut output = child.wait_with_output()?;
    output.stderr = words.join().map_err(|_| io::Error::other("the reader of ffmpeg's words stopped"))??;
    succeeded(&output)?;
    Ok(Seen { marks, complaints: String::from_utf8_lossy(&output.stderr).into_owned() })
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
