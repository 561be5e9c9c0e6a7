//! The sources of the bench, made once; the clips that are cut from them; and the bytes that these clips need.

use std::path::{Path, PathBuf};

use counter_video::inspect::{Packet, packets};

use crate::measure::run;

/// Frames per second.
const RATE: u64 = 30;
/// Length of the 1080p source.
pub const LARGE_SECONDS: u64 = 60;

/// A clip, in frames of its source.
#[derive(Clone, Copy)]
pub struct Clip {
    pub first: u64,
    pub count: u64,
}

impl Clip {
    /// Where it starts, in seconds.
    pub fn start(&self) -> f64 {
        self.first as f64 / RATE as f64
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.count as f64 / RATE as f64
    }
}

/// The files.
pub struct Material {
    /// 720p30 with a key frame every 2 s, 3 Mbit/s, AAC; MP4 with its index last.
    pub source: PathBuf,
    /// The same packets in each container.
    pub containers: Vec<(&'static str, PathBuf)>,
    /// The same packets as HLS recordings in segments of 6 s: their playlists.
    pub playlists: Vec<(&'static str, PathBuf)>,
    /// 1080p30.
    pub large: PathBuf,
    seconds: u64,
}

impl Material {
    /// Makes what is not there yet.
    pub fn make(directory: &Path, seconds: u64) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        let source = directory.join(format!("720p-{seconds}.mp4"));
        encode(&source, "1280x720", "veryfast", seconds);
        let large = directory.join("1080p.mp4");
        encode(&large, "1920x1080", "ultrafast", LARGE_SECONDS);
        let mut containers = vec![("MP4, index last", source.clone())];
        for (name, ending, arguments) in
            [("MP4, index first", "first.mp4", &["-movflags", "+faststart"][..]), ("Matroska", "mkv", &[])]
        {
            let path = directory.join(format!("720p-{seconds}.{ending}"));
            once(&path, &[&["-i", source.to_str().unwrap(), "-c", "copy"], arguments].concat());
            containers.push((name, path));
        }
        let playlists = [("HLS, MPEG-TS", "mpegts"), ("HLS, fragmented MP4", "fmp4")].map(|(name, kind)| {
            (name, recording(&source, &directory.join(format!("{kind}-{seconds}")), kind))
        });
        Self { source, containers, playlists: playlists.into(), large, seconds }
    }

    /// Six clips of a tenth of the source each, none of which starts or ends on a key frame.
    pub fn clips(&self) -> Vec<Clip> {
        Self::clips_of(self.seconds)
    }

    /// The same of any source.
    pub fn clips_of(seconds: u64) -> Vec<Clip> {
        let frames = seconds * RATE;
        (0..6)
            .map(|number| Clip { first: number * frames * 3 / 20 + 22 + number, count: frames / 10 })
            .collect()
    }
}

/// Moving shapes and noise in about 3 Mbit/s of H.264, with pink noise and a tone.
fn encode(path: &Path, size: &str, preset: &str, seconds: u64) {
    let picture = format!("testsrc2=size={size}:rate={RATE}:duration={seconds},noise=alls=8:allf=t");
    let sound = format!("anoisesrc=color=pink:amplitude=0.2:sample_rate=48000:duration={seconds}");
    let video = "-c:v libx264 -pix_fmt yuv420p -b:v 3M -maxrate 4M -bufsize 6M -g 60 -keyint_min 60 -sc_threshold 0 -bf 2";
    let arguments: Vec<&str> =
        ["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound, "-preset", preset]
            .into_iter()
            .chain(video.split(' '))
            .chain(["-c:a", "aac", "-b:a", "128k", "-shortest"])
            .collect();
    once(path, &arguments);
}

/// An HLS recording of a file's packets; answers its playlist.
fn recording(source: &Path, directory: &Path, kind: &str) -> PathBuf {
    std::fs::create_dir_all(directory).unwrap();
    // FFmpeg writes the playlist of a finished recording when all segments are there.
    let playlist = directory.join("index.m3u8");
    let all = "-c copy -f hls -hls_time 6 -hls_playlist_type vod -hls_segment_type";
    let input = ["-i", source.to_str().unwrap()];
    once(&playlist, &input.into_iter().chain(all.split(' ')).chain([kind]).collect::<Vec<_>>());
    playlist
}

fn once(path: &Path, arguments: &[&str]) {
    if path.exists() {
        return;
    }
    // The ending says which container it is, so it must stay.
    let unfinished =
        path.with_file_name(format!("unfinished-{}", path.file_name().unwrap().to_str().unwrap()));
    let all = [&["-v", "error", "-nostdin", "-y"], arguments, &[unfinished.to_str().unwrap()]].concat();
    run("ffmpeg", &all).unwrap();
    std::fs::rename(unfinished, path).unwrap();
}

/// Frames of a file.
pub fn frames(path: &Path) -> usize {
    packets(path, "v:0").unwrap().len()
}

/// Bytes of the packets that the clips cannot do without: the groups of pictures that they touch, and their sound.
pub fn needed_bytes(path: &Path, clips: &[Clip]) -> u64 {
    let (video, audio) = (packets(path, "v:0").unwrap(), packets(path, "a:0").unwrap());
    let origin = video.iter().map(|packet| packet.seconds).fold(f64::INFINITY, f64::min);
    let spans: Vec<(f64, f64)> =
        clips.iter().map(|clip| (origin + clip.start(), origin + clip.start() + clip.seconds())).collect();
    let mut keys: Vec<usize> = (0..video.len()).filter(|&place| video[place].key).collect();
    keys.push(video.len());
    let touched = |group: &[Packet]| {
        let end = group.iter().map(|packet| packet.seconds).fold(0.0, f64::max) + 1.0 / RATE as f64;
        // Times of some containers are rounded: a thousandth is no frame.
        spans.iter().any(|(from, to)| group[0].seconds < to - 0.001 && end > from + 0.001)
    };
    let groups = keys.windows(2).map(|pair| &video[pair[0]..pair[1]]).filter(|group| touched(group));
    let pictures: u64 = groups.flatten().map(|packet| packet.bytes).sum();
    let frame = 1024.0 / 48_000.0;
    let heard = |packet: &&Packet| {
        spans.iter().any(|(from, to)| packet.seconds < *to && packet.seconds + frame > *from)
    };
    pictures + audio.iter().filter(heard).map(|packet| packet.bytes).sum::<u64>()
}
