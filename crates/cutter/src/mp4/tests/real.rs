//! Real streams, made by the ffmpeg program, written here and read by FFmpeg's programs again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::super::*;

/// What to make.
struct Recipe {
    codec: VideoCodec,
    rate: (u32, u32),
    /// What comes behind `-c:v`.
    encoder: &'static str,
    frames: u32,
    sar: (u32, u32),
}

const H264: Recipe = Recipe {
    codec: VideoCodec::H264,
    rate: (30, 1),
    encoder: "libx264 -preset veryfast -bf 3 -g 48 -pix_fmt yuv420p",
    frames: 400,
    sar: (1, 1),
};

impl Recipe {
    /// Samples of sound.
    fn length(&self) -> u64 {
        let (num, den) = self.rate;
        u64::from(self.frames) * 48_000 * u64::from(den) / u64::from(num)
    }
}

/// A stream taken apart.
struct Parts {
    directory: TempDir,
    recipe: Recipe,
    original: PathBuf,
    samples: Vec<VideoSample>,
    pictures: Vec<Vec<u8>>,
    packets: Vec<Vec<u8>>,
    /// The content of the original's `avcC` or `hvcC`.
    original_configuration: Vec<u8>,
    configuration: Vec<u8>,
}

/// A written file, with its HLS view beside it.
struct Written {
    path: PathBuf,
    playlist: PathBuf,
    layout: Layout,
}

fn run(program: &str, arguments: &[&str], path: &Path, more: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).arg(path).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{program} has nothing to complain about");
    output.stdout
}

fn probe(path: &Path, what: &[&str]) -> Value {
    let fixed = ["-v", "error", "-of", "json", "-allowed_extensions", "ALL"];
    // Only the HLS reader knows of extensions.
    let fixed = if path.extension().is_some_and(|end| end == "m3u8") { &fixed[..] } else { &fixed[..4] };
    serde_json::from_slice(&run("ffprobe", &[fixed, what].concat(), path, &[])).unwrap()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// The content of the first box of this kind, found by its name.
fn content(file: &[u8], kind: &[u8; 4]) -> Vec<u8> {
    let at = file.windows(4).position(|window| window == kind).unwrap();
    let length = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
    file[at + 4..at - 4 + length].to_vec()
}

/// NAL units between start codes.
fn nal_units(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = (0..stream.len() - 3).filter(|at| stream[*at..*at + 3] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let unit = |(start, end): (&usize, usize)| {
        let bytes = &stream[start + 3..end];
        let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        bytes[..bytes.len() - zeros].to_vec()
    };
    starts.iter().zip(ends).map(unit).collect()
}

impl Parts {
    fn make(recipe: Recipe) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let original = directory.path().join("original.mp4");
        let (num, den) = recipe.rate;
        let picture = format!("testsrc2=size=320x180:rate={num}/{den},trim=end_frame={}", recipe.frames);
        let length = recipe.length();
        let sound = format!("aevalsrc=sin(440*2*PI*t)/2|sin(660*2*PI*t)/2:s=48000,atrim=end_sample={length}");
        let sources = ["-v", "error", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound];
        let scale = num.to_string();
        let mut coding = vec![
            "-movie_timescale",
            "48000",
            "-video_track_timescale",
            &scale,
            "-c:a",
            "aac",
            "-b:a",
            "128k",
            "-c:v",
        ];
        coding.extend(recipe.encoder.split(' '));
        let output = Command::new("ffmpeg").args(sources).args(coding).arg(&original).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

        let file = std::fs::read(&original).unwrap();
        let read = |stream: &str| -> Vec<(Value, Vec<u8>)> {
            let packets = probe(&original, &["-show_packets", "-select_streams", stream]);
            let packets = packets["packets"].as_array().unwrap().clone();
            let with_data = |packet: Value| {
                let place = number(&packet["pos"]) as usize;
                let data = file[place..place + number(&packet["size"]) as usize].to_vec();
                (packet, data)
            };
            packets.into_iter().map(with_data).collect()
        };
        let video = read("v");
        let sample = |(packet, data): &(Value, Vec<u8>)| VideoSample {
            size: data.len() as u32,
            frame: (number(&packet["pts"]) / i64::from(den)) as u32,
            key: packet["flags"].as_str().unwrap().starts_with('K'),
        };
        let samples = video.iter().map(sample).collect();

        let (filter, format, kind) = match recipe.codec {
            VideoCodec::H264 => ("h264_mp4toannexb", "h264", b"avcC"),
            VideoCodec::Hevc => ("hevc_mp4toannexb", "hevc", b"hvcC"),
        };
        let arguments = ["-v", "error", "-i"];
        let stream = run(
            "ffmpeg",
            &arguments,
            &original,
            &["-c:v", "copy", "-an", "-bsf:v", filter, "-f", format, "-"],
        );
        let mut units = nal_units(&stream);
        let mut seen = BTreeSet::new();
        units.retain(|unit| seen.insert(unit.clone()));
        let hevc = recipe.codec == VideoCodec::Hevc;
        let of = |kind: u8| -> Vec<Vec<u8>> {
            let found =
                units.iter().filter(|unit| kind == if hevc { unit[0] >> 1 & 0x3F } else { unit[0] & 0x1F });
            found.cloned().collect()
        };
        let configuration = match recipe.codec {
            VideoCodec::H264 => describe::avcc(&of(7), &of(8)),
            VideoCodec::Hevc => describe::hvcc(&of(32), &of(33), &of(34)),
        };
        Self {
            original_configuration: content(&file, kind),
            configuration: configuration.unwrap(),
            samples,
            pictures: video.into_iter().map(|(_, data)| data).collect(),
            packets: read("a").into_iter().map(|(_, data)| data).collect(),
            original,
            recipe,
            directory,
        }
    }

    fn video(&self) -> VideoTrack {
        VideoTrack {
            codec: self.recipe.codec,
            configuration: self.configuration.clone(),
            width: 320,
            height: 180,
            sar: self.recipe.sar,
            colour: Some(ColourCodes { primaries: 1, transfer: 13, matrix: 6, full_range: true }),
            timescale: self.recipe.rate.0,
            sample_duration: self.recipe.rate.1,
            samples: self.samples.clone(),
        }
    }

    fn audio(&self) -> AudioTrack {
        AudioTrack {
            sample_rate: 48_000,
            channels: 2,
            asc: crate::sound::aac::header(crate::facts::AacConfig { sample_rate: 48_000, channels: 2 }),
            priming: 1024,
            length: self.recipe.length(),
            packet_samples: 1024,
            bit_rate: 128_000,
            packets: self.packets.iter().map(|packet| packet.len() as u32).collect(),
        }
    }

    fn write(&self, name: &str, movie: &Movie<'_>) -> Written {
        let folder = self.directory.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("media.mp4");
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let give = |from: &[Vec<u8>], index: usize, to: &mut Vec<u8>| {
            to.extend_from_slice(&from[index]);
            Ok(())
        };
        let layout = super::super::write(
            movie,
            &mut file,
            |index, to| give(&self.pictures, index, to),
            |index, to| give(&self.packets, index, to),
        )
        .unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), layout.bytes);
        let list = folder.join("list.m3u8");
        std::fs::write(&list, playlist(&layout, "media.mp4")).unwrap();
        Written { path, playlist: list, layout }
    }
}

impl Written {
    /// The HLS segments in a row, as a client of HLS would have them.
    fn joined(&self) -> PathBuf {
        let file = std::fs::read(&self.path).unwrap();
        let part = |range: &Range<u64>| &file[range.start as usize..range.end as usize];
        let parts = self.layout.fragments.iter().map(|fragment| part(&fragment.range));
        let joined: Vec<u8> = [part(&self.layout.init)].into_iter().chain(parts).flatten().copied().collect();
        let path = self.path.with_file_name("joined.mp4");
        std::fs::write(&path, joined).unwrap();
        path
    }
}

/// Time, duration and content of each decoded picture.
fn pictures(path: &Path) -> Vec<String> {
    decoded(path, "0:v:0")
}

/// Time, duration and content of each decoded piece of sound.
fn sound(path: &Path) -> Vec<String> {
    decoded(path, "0:a:0")
}

fn decoded(path: &Path, stream: &str) -> Vec<String> {
    let hls = path.extension().is_some_and(|end| end == "m3u8");
    let arguments: &[&str] = if hls { &["-allowed_extensions", "ALL"] } else { &[] };
    let out = run(
        "ffmpeg",
        &[&["-v", "error"], arguments, &["-i"]].concat(),
        path,
        &["-map", stream, "-fps_mode", "passthrough", "-f", "framemd5", "-"],
    );
    let text = String::from_utf8(out).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(|line| line.replace(' ', "")).collect()
}

fn decoded_samples(path: &Path) -> u64 {
    let rest = ["-vn", "-f", "s16le", "-ac", "1", "-"];
    run("ffmpeg", &["-v", "error", "-i"], path, &rest).len() as u64 / 2
}

/// What of decoded pieces does not change when all are shown at another time: duration, length and content.
fn contents(pieces: &[String]) -> Vec<&str> {
    pieces.iter().map(|piece| piece.splitn(4, ',').nth(3).unwrap()).collect()
}

/// Packets of a stream as FFmpeg understands the file: when shown, when decoded, how long, how large, whether a key.
fn packets(path: &Path, stream: &str) -> Vec<(f64, f64, f64, i64, bool)> {
    let entries = "packet=pts_time,dts_time,duration_time,size,flags";
    let packets = probe(path, &["-select_streams", stream, "-show_entries", entries]);
    let seconds = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let packets = packets["packets"].as_array().unwrap();
    // Encoders promise more reordering than they do, and FFmpeg waits for all of it: only the steps are compared.
    let first = seconds(&packets.first().unwrap()["dts_time"]);
    let read = |packet: &Value| {
        let key = packet["flags"].as_str().unwrap().starts_with('K');
        let (pts, dts) = (seconds(&packet["pts_time"]), seconds(&packet["dts_time"]) - first);
        (pts, (dts * 1e5).round() / 1e5, seconds(&packet["duration_time"]), number(&packet["size"]), key)
    };
    packets.iter().map(read).collect()
}

/// Writes a movie and compares what FFmpeg makes of it, in all ways to read it, with the original.
fn reads_like_the_original(recipe: Recipe) {
    let parts = Parts::make(recipe);
    let movie = Movie { title: "", video: parts.video(), audio: Some(parts.audio()), chapters: &[] };
    let written = parts.write("movie", &movie);
    let joined = written.joined();

    for stream in ["v", "a"] {
        let original = packets(&parts.original, stream);
        for path in [&written.path, &joined] {
            let mut found = packets(path, stream);
            if stream == "a" && path == &joined {
                // FFmpeg does not look at a fragment's last duration.
                found.last_mut().unwrap().2 = original.last().unwrap().2;
            }
            assert_eq!(found.len(), original.len());
            for (index, pair) in found.iter().zip(&original).enumerate() {
                assert_eq!(pair.0, pair.1, "{stream} {index} of {path:?}");
            }
        }
    }
    // Also looks for complaints.
    run("ffmpeg", &["-v", "error", "-i"], &written.path, &["-f", "null", "-"]);
    run("ffmpeg", &["-v", "error", "-i"], &joined, &["-f", "null", "-"]);

    let original = pictures(&parts.original);
    assert_eq!(original.len(), parts.samples.len());
    assert_eq!(pictures(&written.path), original);
    assert_eq!(contents(&pictures(&joined)), contents(&original));
    assert_eq!(contents(&pictures(&written.playlist)), contents(&original));

    // FFmpeg 5.1 decodes the packet with the last sample to its end, whoever wrote the file.
    let decoded = decoded_samples(&written.path);
    assert_eq!(decoded, decoded_samples(&parts.original));
    assert!((parts.recipe.length()..parts.recipe.length() + 1024).contains(&decoded));
    let original = sound(&parts.original);
    assert_eq!(sound(&written.path), original);
    // FFmpeg does not take the priming from fragments: it stands in front, before the first picture, as a packet more.
    let fragmented = sound(&joined);
    assert_eq!(sound(&written.playlist), fragmented);
    let whole = original.len() - 1;
    assert_eq!(contents(&fragmented)[1..=whole], contents(&original)[..whole]);

    let streams = probe(&written.path, &["-show_streams"]);
    let video = &streams["streams"][0];
    let (num, den) = parts.recipe.sar;
    let expected = [
        ("sample_aspect_ratio", format!("{num}:{den}")),
        ("color_range", "pc".to_owned()),
        ("color_space", "smpte170m".to_owned()),
        ("color_transfer", "iec61966-2-1".to_owned()),
        ("color_primaries", "bt709".to_owned()),
        ("avg_frame_rate", format!("{}/{}", parts.recipe.rate.0, parts.recipe.rate.1)),
    ];
    for (name, value) in expected {
        assert_eq!(video[name], value, "{name}");
    }
    assert_eq!(number(&video["nb_frames"]), i64::from(parts.recipe.frames));
    assert_eq!(streams["streams"].as_array().unwrap().len(), 2);

    let fragments = &written.layout.fragments;
    assert!(fragments.len() > 1 && fragments.iter().all(|fragment| fragment.starts_with_key));
}

#[test]
fn h264_with_reordered_pictures() {
    reads_like_the_original(H264);
}

#[test]
fn h264_at_an_ntsc_rate_with_oblong_pixels() {
    let encoder = "libx264 -preset veryfast -bf 2 -g 30 -pix_fmt yuv420p";
    reads_like_the_original(Recipe { rate: (30_000, 1001), encoder, frames: 301, sar: (4, 3), ..H264 });
}

#[test]
fn h264_in_decoding_order() {
    let encoder = "libx264 -preset ultrafast -profile:v baseline -bf 0 -g 50 -pix_fmt yuv420p";
    reads_like_the_original(Recipe { rate: (25, 1), encoder, frames: 211, ..H264 });
}

#[test]
fn h264_of_key_pictures_only() {
    let encoder = "libx264 -preset ultrafast -g 1 -pix_fmt yuv420p";
    reads_like_the_original(Recipe { rate: (24, 1), encoder, frames: 130, ..H264 });
}

#[test]
fn hevc_with_reordered_pictures() {
    let encoder = "libx265 -preset ultrafast -x265-params log-level=none:bframes=3:keyint=60:range=full:colorprim=bt709:transfer=iec61966-2-1:colormatrix=smpte170m -pix_fmt yuv420p";
    let recipe = Recipe { codec: VideoCodec::Hevc, rate: (24_000, 1001), encoder, frames: 200, ..H264 };
    reads_like_the_original(recipe);
}

#[test]
fn hevc_of_ten_bits() {
    let encoder = "libx265 -preset ultrafast -x265-params log-level=none:keyint=25:range=full:colorprim=bt709:transfer=iec61966-2-1:colormatrix=smpte170m -pix_fmt yuv420p10le";
    let recipe = Recipe { codec: VideoCodec::Hevc, rate: (25, 1), encoder, frames: 130, ..H264 };
    reads_like_the_original(recipe);
}

#[test]
fn configurations_are_those_of_ffmpeg() {
    for encoder in [
        "libx264 -preset ultrafast -pix_fmt yuv420p -profile:v baseline",
        "libx264 -preset ultrafast -pix_fmt yuv420p -profile:v main",
        "libx264 -preset ultrafast -pix_fmt yuv420p -profile:v high",
        "libx264 -preset ultrafast -pix_fmt yuv420p10le",
        "libx264 -preset ultrafast -pix_fmt yuv444p",
    ] {
        let parts = Parts::make(Recipe { encoder, frames: 3, ..H264 });
        assert_eq!(parts.configuration, parts.original_configuration, "{encoder}");
    }
    for encoder in [
        "libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p",
        "libx265 -preset ultrafast -x265-params log-level=none:temporal-layers=2 -pix_fmt yuv420p",
        "libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le",
        "libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv422p",
    ] {
        let parts = Parts::make(Recipe { codec: VideoCodec::Hevc, encoder, frames: 3, ..H264 });
        let (ours, theirs) = (&parts.configuration, &parts.original_configuration);
        // All but what ours leaves unsaid: slices for parallel decoding, the frame rate.
        for range in [0..13, 16..19, 21..22] {
            assert_eq!(ours[range.clone()], theirs[range.clone()], "{encoder}: {range:?}");
        }
        // The sets, each with its length in front. FFmpeg's record may hold more behind them.
        assert_eq!(ours[23..], theirs[23..ours.len()], "{encoder}");
    }
}

#[test]
fn chapters_and_title_are_found() {
    let parts = Parts::make(Recipe { frames: 200, ..H264 });
    let long = format!("x{}", "Fünf Stiche 🎬 ".repeat(30));
    let chapter = |title: &str, first_frame| Chapter { title: title.to_owned(), first_frame };
    let chapters = [chapter("One", 0), chapter("", 70), chapter(&long, 71)];
    let movie =
        Movie { title: "Best of Ж", video: parts.video(), audio: Some(parts.audio()), chapters: &chapters };
    let written = parts.write("chapters", &movie);
    let found = probe(&written.path, &["-show_chapters", "-show_format"]);
    assert_eq!(found["format"]["tags"]["title"], "Best of Ж");
    let list = found["chapters"].as_array().unwrap();
    let times = list.iter().map(|chapter| (number(&chapter["start"]), number(&chapter["end"])));
    assert_eq!(times.collect::<Vec<_>>(), [(0, 70), (70, 71), (71, 200)]);
    let titles = list.iter().map(|chapter| chapter["tags"]["title"].as_str().unwrap_or(""));
    assert_eq!(titles.collect::<Vec<_>>(), ["One", "", &long]);

    // Nero's list alone, in a copy in which the pictures do not refer to the chapter track.
    let mut file = std::fs::read(&written.path).unwrap();
    let places: Vec<usize> = (0..file.len() - 4).filter(|at| &file[*at..*at + 4] == b"chap").collect();
    places.iter().for_each(|at| file[*at..*at + 4].copy_from_slice(b"free"));
    let copy = written.path.with_file_name("nero.mp4");
    std::fs::write(&copy, file).unwrap();
    let found = probe(&copy, &["-show_chapters"]);
    let list = found["chapters"].as_array().unwrap();
    let times = list.iter().map(|chapter| chapter["start_time"].as_str().unwrap());
    assert_eq!(times.collect::<Vec<_>>(), ["0.000000", "2.333333", "2.366667"]);
    let titles = list.iter().map(|chapter| chapter["tags"]["title"].as_str().unwrap_or(""));
    // The 255th byte would be half of a letter.
    assert_eq!(titles.collect::<Vec<_>>(), ["One", "", &long[..254]]);

    // The chapters' track and what is between the samples disturb nobody.
    assert_eq!(pictures(&written.path), pictures(&parts.original));
    run("ffmpeg", &["-v", "error", "-i"], &written.path, &["-f", "null", "-"]);
}

#[test]
fn equal_movies_are_equal_files() {
    let parts = Parts::make(Recipe { frames: 150, ..H264 });
    let chapters = [Chapter { title: "One".to_owned(), first_frame: 0 }];
    let movie =
        Movie { title: "Twice", video: parts.video(), audio: Some(parts.audio()), chapters: &chapters };
    let (first, second) = (parts.write("first", &movie), parts.write("second", &movie));
    assert_eq!(first.layout, second.layout);
    assert!(std::fs::read(first.path).unwrap() == std::fs::read(second.path).unwrap());
}

#[test]
fn pictures_need_no_sound() {
    let parts = Parts::make(Recipe { frames: 150, ..H264 });
    let movie = Movie { title: "", video: parts.video(), audio: None, chapters: &[] };
    let written = parts.write("silent", &movie);
    let original = pictures(&parts.original);
    assert_eq!(pictures(&written.path), original);
    assert_eq!(contents(&pictures(&written.playlist)), contents(&original));
    assert_eq!(packets(&written.joined(), "v"), packets(&parts.original, "v"));
    let streams = probe(&written.path, &["-show_streams"]);
    assert_eq!(streams["streams"].as_array().unwrap().len(), 1);
}
