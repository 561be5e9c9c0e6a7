//! Counter videos in every coding and container whose traps a cutting engine must know.
//!
//! [`make`] encodes once and packs the same packets into each container. Each file is then looked into: one that does
//! not have the property it is named after is an error, so that a test never passes on an easier file than it says.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::inspect::{
    Packet, Slice, Unit, boxes, even, in_order, key_frames, packets, stream_value, units, with_leading_frames,
};
use crate::{CounterVideo, succeeded};

/// Frames from one key frame to the next, where there are several.
pub const GROUP: u16 = 24;

/// How the pictures are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// H.264; every key frame is an IDR and cuts all ties.
    H264Closed,
    /// H.264; of three key frames two are recovery points that frames shown before them lean on.
    H264Open,
    /// H.264; only the first key frame is an IDR, all others are recovery points as in [`Coding::H264Open`].
    H264OneIdr,
    /// H.264; one IDR, then no key picture at all: the picture is renewed column by column, and the points from which
    /// it will be whole are called key frames.
    H264Refresh,
    /// H.264; closed, with five B frames in a row of which some are references themselves.
    H264Pyramid,
    /// H.264 High 10, closed.
    H264TenBit,
    /// H.264, closed; frames are missing at uneven places, so that the rate varies.
    H264Uneven,
    /// HEVC; every key frame is an IDR.
    HevcClosed,
    /// HEVC; key frames behind the first are CRA pictures with RASL pictures that lean on both sides.
    HevcOpen,
    /// HEVC Main 10, open as [`Coding::HevcOpen`].
    HevcTenBit,
}

/// What the packets are packed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// MP4 with its index behind the media.
    Mp4IndexLast,
    /// MP4 with its index in front.
    Mp4IndexFirst,
    /// MP4 in fragments, without an index of them.
    Mp4Fragments,
    /// MP4 in fragments with an index of all of them in front.
    Mp4FragmentsIndexed,
    /// Matroska, with cues.
    Matroska,
    /// MPEG transport stream whose times do not start at zero.
    Transport,
}

impl Coding {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::H264Closed,
        Self::H264Open,
        Self::H264OneIdr,
        Self::H264Refresh,
        Self::H264Pyramid,
        Self::H264TenBit,
        Self::H264Uneven,
        Self::HevcClosed,
        Self::HevcOpen,
        Self::HevcTenBit,
    ];

    /// Whether it is HEVC; H.264 otherwise.
    #[must_use]
    pub fn is_hevc(self) -> bool {
        matches!(self, Self::HevcClosed | Self::HevcOpen | Self::HevcTenBit)
    }

    /// Whether the counter `frame` is in the video: all are, but for the uneven one.
    #[must_use]
    pub fn has(self, frame: u16) -> bool {
        self != Self::H264Uneven || frame < 20 || !frame.is_multiple_of(3) && frame % 14 != 1
    }

    fn arguments(self) -> String {
        let group = format!("keyint={GROUP}:min-keyint={GROUP}:scenecut=0");
        let x264 = |parameters: &str| {
            format!(
                "-c:v libx264 -preset veryfast -crf 20 -pix_fmt yuv420p -x264-params {group}:{parameters}"
            )
        };
        let x265 = |parameters: &str| {
            let quiet = "log-level=none:bframes=3:b-adapt=0";
            format!("-c:v libx265 -preset ultrafast -crf 20 -x265-params {group}:{quiet}:{parameters}")
        };
        match self {
            Self::H264Closed => x264("open-gop=0:bframes=2:b-pyramid=none"),
            Self::H264Open => {
                let idr = "-forced-idr 1 -force_key_frames";
                x264("open-gop=1:bframes=3:b-adapt=0") + &format!(" {idr} expr:not(mod(n,{}))", 3 * GROUP)
            }
            Self::H264OneIdr => x264("open-gop=1:bframes=3:b-adapt=0"),
            Self::H264Refresh => x264("intra-refresh=1:bframes=0"),
            Self::H264Pyramid => x264("open-gop=0:bframes=5:b-adapt=0:b-pyramid=normal:ref=4"),
            Self::H264TenBit => x264("open-gop=0:bframes=2:b-pyramid=none") + " -pix_fmt yuv420p10le",
            // The same as `has`.
            Self::H264Uneven => {
                x264("open-gop=0:bframes=2:b-pyramid=none")
                    + " -fps_mode vfr -vf select='lt(n,20)+mod(n,3)*not(eq(mod(n,14),1))'"
            }
            Self::HevcClosed => x265("open-gop=0") + " -pix_fmt yuv420p",
            Self::HevcOpen => x265("open-gop=1") + " -pix_fmt yuv420p",
            Self::HevcTenBit => x265("open-gop=1") + " -pix_fmt yuv420p10le",
        }
    }

    /// What is wrong with a file that should be coded so.
    fn problem(self, path: &Path) -> io::Result<Option<String>> {
        let (packets, units) = (packets(path, "v:0")?, units(path, self.is_hevc())?);
        let depth = stream_value(path, "v:0", "pix_fmt")?;
        let count = |wanted: &dyn Fn(&Unit) -> bool| units.iter().filter(|unit| wanted(unit)).count();
        let keys = packets.iter().filter(|packet| packet.key).count();
        let leading = with_leading_frames(&packets);
        let cra = count(&|unit| unit.kind == 21);
        let rasl = count(&|unit| matches!(unit.kind, 8 | 9));
        let idr = match self.is_hevc() {
            true => count(&|unit| matches!(unit.kind, 19 | 20)),
            false => count(&|unit| unit.kind == 5),
        };
        let kept = count(&|unit| unit.is_reference && unit.slice == Some(Slice::B));
        let whole = count(&|unit| unit.slice == Some(Slice::I));
        let ten = depth == "yuv420p10le";
        let closed = idr == keys && keys > 2 && leading == 0;
        let open = leading > 0 && idr < keys;
        let is_even = even(&packets).is_ok();
        let right = match self {
            Self::H264Closed => closed && kept == 0 && !ten && is_even,
            Self::H264Open => open && idr > 1 && is_even,
            Self::H264OneIdr => open && idr == 1 && keys > 3 && is_even,
            Self::H264Refresh => leading == 0 && idr == 1 && whole == 1 && keys > 3 && is_even,
            Self::H264Pyramid => closed && kept > 0 && is_even,
            Self::H264TenBit => closed && ten && is_even,
            Self::H264Uneven => closed && !is_even,
            Self::HevcClosed => closed && cra == 0 && is_even,
            Self::HevcOpen => open && cra > 1 && rasl > 0 && is_even,
            Self::HevcTenBit => open && cra > 1 && rasl > 0 && ten && is_even,
        };
        let found = format!(
            "{keys} key frames, {idr} IDR, {cra} CRA, {rasl} RASL, {leading} with leading frames, {kept} kept B, \
             {whole} whole pictures, {depth}, even: {is_even}"
        );
        Ok((!right).then_some(found))
    }
}

impl Packing {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Mp4IndexLast,
        Self::Mp4IndexFirst,
        Self::Mp4Fragments,
        Self::Mp4FragmentsIndexed,
        Self::Matroska,
        Self::Transport,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Mp4IndexLast => "last.mp4",
            Self::Mp4IndexFirst => "first.mp4",
            Self::Mp4Fragments => "fragments.mp4",
            Self::Mp4FragmentsIndexed => "indexed.mp4",
            Self::Matroska => "cues.mkv",
            Self::Transport => "stream.ts",
        }
    }

    fn arguments(self, coding: Coding) -> &'static [&'static str] {
        match self {
            Self::Mp4IndexLast | Self::Matroska => &[],
            Self::Mp4IndexFirst => &["-movflags", "+faststart"],
            // With `empty_moov` FFmpeg 5.1 would make the first frame longer by the sound's delay, where no frame is
            // shown before one that is decoded earlier.
            Self::Mp4Fragments if coding == Coding::H264Refresh => {
                &["-movflags", "+frag_keyframe+delay_moov+default_base_moof"]
            }
            Self::Mp4Fragments => &["-movflags", "+frag_keyframe+empty_moov+default_base_moof"],
            Self::Mp4FragmentsIndexed => &["-movflags", "+frag_keyframe+delay_moov+dash+global_sidx"],
            Self::Transport => &["-output_ts_offset", "37.5"],
        }
    }

    /// What is wrong with a file that should be packed so.
    fn problem(self, path: &Path) -> io::Result<Option<String>> {
        if self == Self::Transport {
            let start = stream_value(path, "v:0", "start_time")?;
            let late = start.parse::<f64>().is_ok_and(|start| start > 1.0);
            return Ok((!late).then(|| format!("it starts at {start}")));
        }
        if self == Self::Matroska {
            let bytes = std::fs::read(path)?;
            let cues = bytes.windows(4).any(|window| window == [0x1c, 0x53, 0xbb, 0x6b]);
            return Ok((!cues).then(|| "it has no cues".to_owned()));
        }
        let names: Vec<String> = boxes(path)?.into_iter().map(|(name, _)| name).collect();
        let place = |name: &str| names.iter().position(|found| found == name);
        let (index, media) = (place("moov"), place("mdat"));
        let right = match self {
            Self::Mp4IndexLast => place("moof").is_none() && media < index,
            Self::Mp4IndexFirst => place("moof").is_none() && index < media,
            Self::Mp4Fragments => index < place("moof") && place("sidx").is_none(),
            _ => index < place("sidx") && place("sidx") < place("moof"),
        };
        let several = place("moof").is_none() || names.iter().filter(|name| *name == "moof").count() > 2;
        Ok((!right || !several).then(|| format!("it holds {names:?}")))
    }
}

/// A file that was made and checked.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// How it is coded.
    pub coding: Coding,
    /// What it is packed in.
    pub packing: Packing,
    /// Number of the source in its marks.
    pub source: u8,
    /// Frames per second; of the uneven one: of the grid on which its frames lie.
    pub rate: (u32, u32),
    /// Frames on that grid.
    pub frames: u16,
    /// Counters of the frames that the container calls key frames, in order.
    pub keys: Vec<u16>,
    /// Where it lies.
    pub path: PathBuf,
}

impl Fixture {
    /// Counter of the frame that is on screen at a place of the grid.
    #[must_use]
    pub fn on_screen(&self, place: u16) -> u16 {
        (0..=place).rev().find(|&frame| self.coding.has(frame)).unwrap_or(0)
    }

    /// Short name: coding and packing.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:?} in {:?}", self.coding, self.packing)
    }
}

/// Makes `video` in a coding, once in each of the packings, in `directory`. The codecs of the pictures are set here;
/// arguments that the video brings stand behind them.
///
/// # Errors
/// When `ffmpeg` fails, or a file is not what it should be: the message says what was found instead.
pub fn make(
    video: &CounterVideo,
    coding: Coding,
    packings: &[Packing],
    directory: &Path,
) -> io::Result<Vec<Fixture>> {
    let stem = format!("{}-{coding:?}", video.source);
    let encoded = directory.join(format!("{stem}-encoded.mp4"));
    let brought = video.arguments.join(" ");
    video.clone().with(&format!("{} -c:a aac -b:a 96k", coding.arguments())).and(&brought).write(&encoded)?;
    check(&encoded, coding.problem(&encoded)?)?;
    let keys = keys(&packets(&encoded, "v:0")?, coding);
    let mut made = Vec::new();
    for &packing in packings {
        let path = directory.join(format!("{stem}-{}", packing.name()));
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error", "-y", "-i"]).arg(&encoded).args(["-c", "copy"]);
        succeeded(&command.args(packing.arguments(coding)).arg(&path).output()?)?;
        check(&path, packing.problem(&path)?)?;
        check(&path, uneven(&path, coding, packing)?)?;
        let (source, rate, frames) = (video.source, video.rate, video.frames);
        made.push(Fixture { coding, packing, source, rate, frames, keys: keys.clone(), path });
    }
    std::fs::remove_file(encoded)?;
    Ok(made)
}

/// Counters of the key frames: the number of a frame in showing order, without those that were left out.
fn keys(packets: &[Packet], coding: Coding) -> Vec<u16> {
    let counters: Vec<u16> = (0..u16::MAX).filter(|&frame| coding.has(frame)).take(packets.len()).collect();
    key_frames(&in_order(packets)).into_iter().map(|number| counters[number]).collect()
}

/// Whether a file's frames are at uneven distances although they should not, or the other way round. Matroska rounds
/// its times to milliseconds.
fn uneven(path: &Path, coding: Coding, packing: Packing) -> io::Result<Option<String>> {
    let is_even = match packing {
        Packing::Matroska => nearly_even(&packets(path, "v:0")?),
        _ => even(&packets(path, "v:0")?).is_ok(),
    };
    Ok((is_even == (coding == Coding::H264Uneven)).then(|| format!("even: {is_even}")))
}

fn nearly_even(packets: &[Packet]) -> bool {
    let shown = in_order(packets);
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return false };
    let step = (last.seconds - first.seconds) / (shown.len() - 1) as f64;
    let at = |number: usize| first.seconds + step * number as f64;
    shown.iter().enumerate().all(|(number, packet)| (packet.seconds - at(number)).abs() < 0.0021)
}

fn check(path: &Path, problem: Option<String>) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    problem.map_or(Ok(()), |found| Err(io::Error::other(format!("{name} is not what it should be: {found}"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mark, watch};

    #[test]
    fn every_fixture_is_what_it_is_called_and_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        for (number, coding) in Coding::ALL.into_iter().enumerate() {
            let video = CounterVideo::new(5, (30, 1), 100).with("");
            // Each coding in two packings, each packing with three codings or more.
            let packings = [0, 3].map(|shift| Packing::ALL[(number + shift) % Packing::ALL.len()]);
            for fixture in make(&video, coding, &packings, directory.path()).unwrap() {
                let seen = watch(&fixture.path, None).unwrap();
                let shown = (0..100).filter(|&frame| coding.has(frame));
                let expected: Vec<_> = shown.map(|frame| Some(Mark { source: 5, frame })).collect();
                assert_eq!(seen.marks, expected, "{}", fixture.name());
                assert_eq!(seen.complaints, "", "{}", fixture.name());
            }
        }
    }

    #[test]
    fn what_is_something_else_is_found_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("closed.mp4");
        let closed = CounterVideo::new(5, (30, 1), 100).with(&Coding::H264Closed.arguments());
        closed.write(&path).unwrap();
        for coding in Coding::ALL.into_iter().filter(|coding| !coding.is_hevc()) {
            assert_eq!(coding.problem(&path).unwrap().is_none(), coding == Coding::H264Closed, "{coding:?}");
        }
        for packing in [Packing::Mp4IndexFirst, Packing::Mp4Fragments, Packing::Mp4FragmentsIndexed] {
            assert!(packing.problem(&path).unwrap().is_some(), "{packing:?}");
        }
    }
}
