//! What a media file is made of, as `ffprobe` and `ffmpeg` tell it: packets, coded units, boxes.
//!
//! Fixtures are checked with it, and so are results. Functions fail with the program's last words when it is missing
//! or refuses the file.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::succeeded;

/// One packet of a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packet {
    /// When it is shown, in the stream's own unit of time.
    pub pts: i64,
    /// When it is shown, in seconds.
    pub seconds: f64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Whether the container calls it a key frame.
    pub key: bool,
}

/// The packets of a stream (`v:0`, `a:0`) in the order in which they are stored and decoded.
///
/// # Errors
/// When `ffprobe` fails or a packet has no time.
pub fn packets(path: &Path, stream: &str) -> io::Result<Vec<Packet>> {
    let lines = probe(path, stream, "packet=pts,pts_time,size,flags")?;
    let packet = |line: &str| {
        let mut fields = line.split(',');
        let pts = fields.next()?.parse().ok()?;
        let seconds = fields.next()?.parse().ok()?;
        let bytes = fields.next()?.parse().ok()?;
        Some(Packet { pts, seconds, bytes, key: fields.next()?.contains('K') })
    };
    lines.iter().map(|line| packet(line).ok_or_else(|| odd("a packet", line))).collect()
}

/// One value of a stream, as `ffprobe` prints it: `pix_fmt`, `profile`, `start_time`, …
///
/// # Errors
/// When `ffprobe` fails or does not know it.
pub fn stream_value(path: &Path, stream: &str, name: &str) -> io::Result<String> {
    let lines = probe(path, stream, &format!("stream={name}"))?;
    // A transport stream lists its streams twice: once in their program.
    lines.into_iter().next().ok_or_else(|| odd(name, "nothing"))
}

fn probe(path: &Path, stream: &str, entries: &str) -> io::Result<Vec<String>> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0"])
        .arg(path)
        .output()?;
    succeeded(&output)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(|line| line.trim().trim_end_matches(',').to_owned());
    Ok(lines.filter(|line| !line.is_empty()).collect())
}

/// Which frames, counted in the order in which they are shown, are key frames.
pub fn key_frames(packets: &[Packet]) -> Vec<usize> {
    let shown = in_order(packets);
    (0..shown.len()).filter(|&number| shown[number].key).collect()
}

/// Packets in the order in which they are shown.
pub fn in_order(packets: &[Packet]) -> Vec<Packet> {
    let mut shown = packets.to_vec();
    shown.sort_by_key(|packet| packet.pts);
    shown
}

/// Whether every frame is shown as long after the one before as every other; the first frame that is not, otherwise.
///
/// # Errors
/// The number of the first frame whose distance differs from the first distance.
pub fn even(packets: &[Packet]) -> Result<(), usize> {
    let shown = in_order(packets);
    let steps: Vec<i64> = shown.windows(2).map(|pair| pair[1].pts - pair[0].pts).collect();
    match steps.iter().position(|step| *step != steps[0] || *step <= 0) {
        None => Ok(()),
        Some(place) => Err(place + 1),
    }
}

/// Key frames that are followed, in decoding order, by frames that are shown before them.
pub fn with_leading_frames(packets: &[Packet]) -> usize {
    let keys = (0..packets.len()).filter(|&place| packets[place].key);
    keys.filter(|&place| packets.get(place + 1).is_some_and(|next| next.pts < packets[place].pts)).count()
}

/// How a coded slice is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slice {
    /// From its own picture.
    I,
    /// From other pictures, one at a time.
    P,
    /// From other pictures, two at a time.
    B,
}

/// One coded unit of H.264 or HEVC (a NAL unit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Its type's number.
    pub kind: u8,
    /// H.264: whether other pictures may be predicted from it.
    pub is_reference: bool,
    /// H.264: how it is predicted, where it is a slice.
    pub slice: Option<Slice>,
}

/// The coded units of a file's first video, which must be in H.264 or (`hevc`) HEVC.
///
/// # Errors
/// When `ffmpeg` fails.
pub fn units(path: &Path, hevc: bool) -> io::Result<Vec<Unit>> {
    let (filter, format) = if hevc { ("hevc_mp4toannexb", "hevc") } else { ("h264_mp4toannexb", "h264") };
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(path)
        .args(["-map", "0:v:0", "-c", "copy", "-bsf:v", filter, "-f", format, "pipe:1"])
        .output()?;
    succeeded(&output)?;
    let bytes = &output.stdout;
    let starts = (0..bytes.len().saturating_sub(6)).filter(|&at| bytes[at..at + 3] == [0, 0, 1]);
    Ok(starts.map(|at| unit(&bytes[at + 3..], hevc)).collect())
}

fn unit(bytes: &[u8], hevc: bool) -> Unit {
    if hevc {
        return Unit { kind: bytes[0] >> 1 & 0x3f, is_reference: false, slice: None };
    }
    let kind = bytes[0] & 0x1f;
    let slice = matches!(kind, 1 | 5).then(|| slice(&bytes[1..])).flatten();
    Unit { kind, is_reference: bytes[0] >> 5 != 0, slice }
}

/// Type of a slice: the second number of its header, after that of its first block.
fn slice(header: &[u8]) -> Option<Slice> {
    let mut bits = header.iter().take(12).flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let mut number = || {
        let zeros = bits.by_ref().take_while(|bit| *bit == 0).count();
        let rest = bits.by_ref().take(zeros).fold(1_u64, |value, bit| value << 1 | u64::from(bit));
        rest - 1
    };
    number();
    match number() % 5 {
        0 => Some(Slice::P),
        1 => Some(Slice::B),
        2 => Some(Slice::I),
        _ => None,
    }
}

/// Names and lengths of the outermost boxes of an MP4 file, in order.
///
/// # Errors
/// When the file cannot be read or is not made of boxes.
pub fn boxes(path: &Path) -> io::Result<Vec<(String, u64)>> {
    let bytes = std::fs::read(path)?;
    let mut boxes = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let name = String::from_utf8_lossy(&head[4..8]).into_owned();
        if length < 8 || length > bytes.len() - at {
            return Err(odd("a box", &name));
        }
        boxes.push((name, length as u64));
        at += length;
    }
    Ok(boxes)
}

fn odd(what: &str, found: &str) -> io::Error {
    io::Error::other(format!("{what} is not as expected: {found}"))
}
