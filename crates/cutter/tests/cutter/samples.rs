//! Real files from phones, cameras and encoders. The reference for their frames is the `ffmpeg` program's own decoder.

use std::path::Path;
use std::process::Command;

use cutter::error::RenderError;

use crate::support::{clip, frames, montage, ms, order, sample, try_render};

/// Mean brightness of 64 x 36 fields of every frame of a video, as `ffmpeg` shows it.
fn fields(path: &Path, arguments: &[&str]) -> Vec<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i"])
        .arg(path)
        .args(arguments)
        .args(["-map", "0:v:0", "-fps_mode", "passthrough", "-s", "64x36", "-sws_flags", "area"])
        .args(["-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(64 * 36).map(<[u8]>::to_vec).collect()
}

fn difference(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

/// Renders `count` frames from frame `first` in the source's own rate and size and compares each with the reference:
/// none may look more like the reference's frame before or behind than like the one that was asked for.
fn assert_like_reference(name: &str, first: usize, count: usize) {
    let Some(path) = sample(name) else { return };
    let montage = montage(std::slice::from_ref(&path), vec![frames(0, first as u64, count as u64)]);
    let video = &montage.report.sources[0].as_ref().unwrap().video;
    let small = video.width < 1280 && video.height < 720;
    let named =
        |matrix: &str| if matrix == "bt709" || (matrix == "unknown" && !small) { "bt709" } else { "bt601" };
    let matrix = named(&video.colour.matrix);
    let shown = named(&montage.report.plan.canvas.colour.matrix);
    let reference = fields(
        &path,
        &["-vf", &format!("scale=in_color_matrix={matrix}:out_color_matrix={shown},format=yuv420p")],
    );
    let made = fields(&montage.path, &[]);
    assert_eq!(made.len(), count, "{name}");
    let mut sums = [0.0; 3];
    for (place, made) in made.iter().enumerate() {
        let place = first + place;
        let others = [place.saturating_sub(1), place, (place + 1).min(reference.len() - 1)];
        let apart = others.map(|other| difference(made, &reference[other]));
        assert!(apart[1] < 2.0, "{name}: frame {place} differs by {}", apart[1]);
        for (sum, apart) in sums.iter_mut().zip(apart) {
            *sum += apart;
        }
    }
    println!("{name}: {sums:?}");
    // Where almost nothing moves, the noise of coding is all that differs: one in a hundred is let pass.
    let nearest = sums[0].min(sums[2]);
    assert!(sums[1] < nearest * 1.01, "{name}: the frames are off: {sums:?}");
}

#[test]
fn even_rates() {
    assert_like_reference("derived/sintel_h264_opengop_44k.mp4", 333, 60);
    assert_like_reference("derived/sintel_vp9_opus.webm", 700, 60);
    assert_like_reference("derived/sintel_av1_opus.webm", 700, 60);
    assert_like_reference("chaplin.mp4", 180, 50);
    assert_like_reference("bbb_hevc.ts", 60, 50);
    assert_like_reference("movie-hello.mpeg", 100, 60);
    assert_like_reference("street.mp4", 40, 60);
    assert_like_reference("wannaworktogether.mp4", 3000, 60);
}

#[test]
fn the_first_and_last_frames() {
    assert_like_reference("gizmo_hevc_8bit_420.mp4", 0, 30);
    assert_like_reference("gizmo_av1_8bit_420.webm", 0, 30);
    assert_like_reference("gizmo.webm", 100, 66);
    assert_like_reference("vp9cake.webm", 0, 60);
}

#[test]
fn turned_phones() {
    let Some(path) = sample("iphone_rotated.mov") else { return };
    let montage = montage(std::slice::from_ref(&path), vec![frames(0, 5, 40)]);
    assert_eq!((montage.report.media.width, montage.report.media.height), (320, 568));
    assert_like_reference("iphone_rotated.mov", 5, 40);
}

#[test]
fn phones_with_varying_rates() {
    for (name, length) in
        [("VID_20191220_170832.mp4", 1500), ("fire2.mp4", 2200), ("uneven_frame_durations.mp4", 8000)]
    {
        let Some(path) = sample(name) else { return };
        let (mut order, sources) = order(std::slice::from_ref(&path), vec![clip(0, ms(0), ms(length))]);
        order.canvas.frame_rate = "30".parse().ok();
        (order.canvas.width, order.canvas.height) = (Some(480), Some(480));
        let montage = try_render(&order, &sources).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(montage.report.media.frames, (length * 30 / 1000) as u64, "{name}");
        assert!(montage.report.sources[0].as_ref().unwrap().video.variable_rate, "{name}");
        // The same rule by the reference: the frame that is on screen when each montage frame starts.
        let made = fields(&montage.path, &["-vf", "crop=iw:ih"]);
        assert_eq!(made.len() as u64, montage.report.media.frames);
    }
}

#[test]
fn odd_sound() {
    // MP3 in MP4, 16 kHz mono in fragments, 22.05 kHz, 5.1 channels.
    for name in ["bbb_trailer_720p24_mp3.mp4", "street.mp4", "movie_300.mp4", "bbb_hevc.ts"] {
        let Some(path) = sample(name) else { return };
        let (mut order, sources) = order(&[path], vec![clip(0, ms(1500), ms(2000))]);
        order.canvas.width = Some(320);
        let montage = try_render(&order, &sources).unwrap_or_else(|error| panic!("{name}: {error}"));
        let loudness = montage.report.clips[0].loudness;
        println!("{name} {loudness:?}");
        assert!(loudness.is_some(), "{name}");
    }
}

#[test]
fn a_soak_of_far_apart_clips() {
    let Some(mp4) = sample("movie_300.mp4") else { return };
    let Some(webm) = sample("movie_300.webm") else { return };
    let clips = (0..6).map(|n| frames(n % 2, 7000 - u64::from(n) * 1200, 24)).collect();
    let montage = montage(&[mp4, webm], clips);
    assert_eq!(montage.report.media.frames, 6 * 24);
}

#[test]
fn a_playlist_is_refused() {
    let Some(path) = sample("derived/sintel_hls/index.m3u8") else { return };
    let (order, sources) = order(&[path], vec![frames(0, 0, 10)]);
    let error = try_render(&order, &sources).map(|montage| montage.report).unwrap_err();
    assert_eq!(error.code(), "unsupported_container");
    for name in ["jfk.flac", "two_cities.wav"] {
        let Some(path) = sample(name) else { return };
        let (order, sources) = crate::support::order(&[path], vec![frames(0, 0, 10)]);
        let error = try_render(&order, &sources).map(|montage| montage.report).unwrap_err();
        assert!(
            matches!(error, RenderError::Refused { .. }) && error.to_string().contains("file"),
            "{error}"
        );
    }
}
