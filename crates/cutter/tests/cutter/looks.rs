//! Colours and sound levels arrive as they were meant.

use std::path::Path;
use std::process::Command;

use counter_video::CounterVideo;
use cutter::order::ClipOrder;

use crate::support::{Bench, frames, montage};

/// Red, green and blue in the middle of a video's first frame, read as the file says.
fn middle(path: &Path) -> [u8; 3] {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(path)
        .args(["-vf", "crop=16:16,scale,format=rgb24,scale=1:1:flags=area"])
        .args(["-frames:v", "1", "-f", "rawvideo", "pipe:1"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.try_into().unwrap()
}

#[test]
fn colours_survive_any_matrix_and_range() {
    let bench = Bench::new();
    let wanted = [200, 60, 30];
    for (name, matrix, range, format, tag, size) in [
        ("sd.mp4", "bt601", "tv", "yuv420p", "smpte170m", "320x180"),
        ("hd.mp4", "bt709", "tv", "yuv420p", "bt709", "320x180"),
        ("full.mp4", "bt601", "pc", "yuv420p", "smpte170m", "320x180"),
        ("deep.mp4", "bt709", "tv", "yuv420p10le", "bt709", "320x180"),
        ("untagged-sd.mp4", "bt601", "tv", "yuv420p", "unknown", "320x180"),
        ("untagged-hd.mp4", "bt709", "tv", "yuv422p", "unknown", "1280x720"),
    ] {
        let path = bench.directory.path().join(name);
        let filter = format!("scale=out_color_matrix={matrix}:out_range={range},format={format}");
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-loglevel", "error", "-y", "-f", "lavfi"])
            .args(["-i", &format!("color=c=0xC83C1E:s={size}:r=30:d=1,format=rgb24"), "-vf", &filter])
            .args([
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-crf",
                "10",
                "-colorspace",
                tag,
                "-color_range",
                range,
            ])
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        let montage = montage(&[path], vec![frames(0, 0, 10)]);
        let found = middle(&montage.path);
        let far = wanted.iter().zip(found).any(|(wanted, found)| found.abs_diff(*wanted) > 6);
        assert!(!far, "{name}: {found:?} for {wanted:?}");
    }
}

#[test]
fn loud_and_quiet_clips_meet() {
    let bench = Bench::new();
    let voice = |name: &str, decibels: i32| {
        let path = bench.directory.path().join(name);
        let status = Command::new("ffmpeg")
            .args([
                "-nostdin",
                "-loglevel",
                "error",
                "-y",
                "-f",
                "lavfi",
                "-i",
                "color=s=160x90:r=30:d=6",
                "-f",
                "lavfi",
            ])
            .args(["-i", "anoisesrc=c=pink:d=6:a=0.5:seed=7", "-af", &format!("volume={decibels}dB")])
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-shortest"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        path
    };
    let sources = [voice("loud.mp4", 0), voice("quiet.mp4", -18), voice("room.mp4", -55)];
    let clips =
        (0..3).map(|source| ClipOrder { title: Some(format!("Take {source}")), ..frames(source, 10, 150) });
    let montage = montage(&sources, clips.collect());
    // The reference measures each third of the result.
    let measured = [0, 5, 10].map(|start| {
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-hide_banner", "-ss", &start.to_string(), "-t", "5", "-i"])
            .arg(&montage.path)
            .args(["-map", "0:a", "-af", "ebur128=peak=true", "-f", "null", "-"])
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let value = |name: &str| -> f64 {
            let line = words.lines().rev().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
        };
        (value("I:"), value("Peak:"))
    });
    println!("{measured:?} {:?}", montage.report.clips);
    assert!((measured[0].0 + 16.0).abs() < 0.7 && (measured[1].0 + 16.0).abs() < 0.7, "{measured:?}");
    assert!(measured[2].0 < -50.0, "room noise was raised: {measured:?}");
    assert!(measured.iter().all(|(_, peak)| *peak <= -0.8), "{measured:?}");
    assert_eq!(montage.report.clips[2].loudness.unwrap().gain_db, 0.0);
}

#[test]
fn poster_and_sprites_fit_a_portrait() {
    let bench = Bench::new();
    let source = bench.video("a.mp4", &CounterVideo::new(1, (30, 1), 90).sized(180, 320));
    let sprites = montage(&[source], vec![frames(0, 0, 90)]).report.sprites;
    assert_eq!((sprites.tile_width, sprites.tile_height, sprites.count), (90, 160, 3));
}
