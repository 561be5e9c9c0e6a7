//! Montages in a browser: at each seam every frame is the one that was asked for, whether it is sought or played.
//!
//! A browser's decoder is stricter than FFmpeg's where a stream changes its parameters in the middle: these montages
//! change them at every seam.

use std::{path::Path, sync::Arc};

use counter_video::fixture::{Coding, Fixture, Packing, make};
use counter_video::{CounterVideo, inspect::stream_value};
use cutter::source::{ByteSource, FileSource};
use end_to_end::media_server::MediaServer;
use serde_json::{Value, json};

use crate::browser::Browser;

/// Frames per second of all sources.
const RATE: u32 = 30;
/// Frames of a source.
const FRAMES: u16 = 150;

/// A clip: index of its source, first frame, number of frames.
type Clip = (usize, u16, u16);

/// Renders clips of the sources into `directory` and answers the mark of each frame as one number.
fn render(sources: &[Fixture], clips: &[Clip], directory: &Path, name: &str) -> Vec<u32> {
    let open = |fixture: &Fixture| -> Arc<dyn ByteSource> {
        Arc::new(FileSource::new(std::fs::File::open(&fixture.path).unwrap()).unwrap())
    };
    let opened: Vec<_> = sources.iter().map(open).collect();
    let infos: Vec<_> = opened.iter().map(|source| json!({ "bytes": source.len() })).collect();
    let asked = clips.iter().map(|(source, start, count)| {
        json!({ "source": source, "start": { "frames": start }, "extent": { "duration": { "frames": count } } })
    });
    let order = json!({ "title": name, "sources": infos, "clips": asked.collect::<Vec<_>>() });
    let order = serde_json::from_value(order).unwrap();
    let job = tempfile::tempdir().unwrap();
    let report = cutter::render::render(&order, &opened, job.path(), &|_| {}).unwrap();
    let encoded: u64 = report.clips.iter().map(|clip| clip.encoded_frames).sum();
    println!("{name}: {encoded} of {} frames encoded", report.media.frames);
    std::fs::rename(job.path().join(cutter::report::MEDIA_FILE), directory.join(name)).unwrap();
    let marks = clips.iter().flat_map(|&(source, start, count)| {
        let number = u32::from(sources[source].source) << 16;
        (start..start + count).map(move |frame| number | u32::from(frame))
    });
    marks.collect()
}

/// Frames around each seam, at both ends and in the middle of each clip.
fn looked_at(clips: &[Clip], total: usize) -> Vec<usize> {
    let mut at = 0;
    let mut frames = vec![];
    for &(_, _, count) in clips {
        let (start, count) = (at as isize, count as isize);
        frames.extend([start - 2, start - 1, start, start + 1, start + 2, start + count / 2]);
        at += count as usize;
    }
    frames.push(total as isize - 1);
    let mut frames: Vec<usize> = frames.into_iter().filter_map(|frame| usize::try_from(frame).ok()).collect();
    frames.sort_unstable();
    frames.dedup();
    frames
}

/// Frames from a list of `[frame, mark]` whose mark is not the one of that frame or, when played, of the next one: the
/// picture may move on between the browser's message and our look.
fn wrong(found: &Value, marks: &[u32]) -> Vec<Value> {
    let right = |pair: &Value| {
        let frame = pair[0].as_u64().unwrap() as usize;
        let mark = pair[1].as_u64();
        marks[frame.min(marks.len())..].iter().take(2).any(|expected| mark == Some(u64::from(*expected)))
    };
    found.as_array().unwrap().iter().filter(|pair| !right(pair)).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_seam_shows_the_right_frames_in_a_browser() {
    let Some(browser) = Browser::start(800, 600).await else { return };
    let directory = tempfile::tempdir().unwrap();
    let kinds = [
        (Coding::H264Closed, Packing::Mp4IndexLast),
        (Coding::H264Pyramid, Packing::Matroska),
        (Coding::H264OneIdr, Packing::Mp4IndexFirst),
        (Coding::H264Open, Packing::Transport),
    ];
    let sources: Vec<Fixture> = kinds
        .iter()
        .zip(1..)
        .flat_map(|(&(coding, packing), source)| {
            let video = CounterVideo::new(source, (RATE, 1), FRAMES).with("");
            make(&video, coding, &[packing], directory.path()).unwrap()
        })
        .collect();
    // Their parameter sets differ: in what is kept for reference and in how far frames are put in another order.
    let orders: Vec<String> =
        sources.iter().map(|source| stream_value(&source.path, "v:0", "has_b_frames").unwrap()).collect();
    assert_ne!(orders[0], orders[1]);
    let montages: [(&str, Vec<Clip>); 3] = [
        // One source: encoded heads and tails around copied groups, cuts on, behind and before key frames.
        ("one.mp4", vec![(0, 24, 60), (0, 30, 70), (0, 95, 55), (0, 5, 10), (0, 71, 50)]),
        // Two sources with unlike parameters, one after the other.
        ("two.mp4", vec![(0, 30, 60), (1, 30, 60), (0, 48, 50), (1, 48, 49), (0, 100, 50), (1, 3, 9)]),
        // Entries that are no IDR.
        ("open.mp4", vec![(2, 21, 60), (3, 46, 60), (0, 24, 48), (3, 92, 58), (2, 95, 55)]),
    ];
    let page = format!(
        "<!doctype html><title>Seams</title><link rel=icon href='data:,'><video muted width=320></video><canvas></canvas><script>{}</script>",
        include_str!("seams.js")
    );
    std::fs::write(directory.path().join("seams.html"), page).unwrap();
    let server = MediaServer::start(directory.path().to_owned()).await;
    browser.open(&server.url("/media/seams.html")).await;
    for (name, clips) in montages {
        let marks = render(&sources, &clips, directory.path(), name);
        let length = browser.run(&format!("return load('{name}')")).await.as_f64().unwrap();
        assert!((length * f64::from(RATE) - marks.len() as f64).abs() < 1.0, "{name}: {length} s");
        let looked_at = looked_at(&clips, marks.len());
        let wanted: Vec<_> = looked_at.iter().map(|&frame| (frame, marks[frame])).collect();
        let stepped = browser.run(&format!("return step({RATE}, {})", json!(wanted))).await;
        assert_eq!(stepped, json!([]), "{name}: [frame, mark]; a mark is source * 65536 + frame");
        let played = browser.run(&format!("return play({RATE})")).await;
        assert_eq!(wrong(&played, &marks), Vec::<Value>::new(), "{name}: [frame, mark]");
        let quality = "return document.querySelector('video').getVideoPlaybackQuality().corruptedVideoFrames";
        assert_eq!(browser.run(quality).await, json!(0), "{name}");
        println!(
            "{name}: {} frames sought, {} of {} seen playing",
            wanted.len(),
            played.as_array().unwrap().len(),
            marks.len()
        );
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
