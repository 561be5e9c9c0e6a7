//! Sound and picture stay together: impulses of 2 ms are heard when the frames are seen that they belong to, behind
//! ten seams.

use counter_video::fixture::{Coding, Packing, make};
use counter_video::inspect::{in_order, packets, stream_value};
use counter_video::{CounterVideo, IMPULSE_INTERVAL, Mark, read_impulses, watch};

use crate::support::{Bench, frames, montage};

/// Frames per second of the sources.
const RATE: u16 = 30;
/// Frames of a source.
const FRAMES: u16 = 450;
/// Frames from one impulse to the next.
const INTERVAL: u16 = (RATE as f64 * IMPULSE_INTERVAL) as u16;
/// How far an impulse may be from its picture, in seconds. One AAC frame (21 ms) is promised; but whoever forgets an
/// encoder's delay or a remainder of samples is off by more than this.
const LIMIT: f64 = 0.002;

#[test]
fn impulses_stay_with_their_pictures_across_ten_seams() {
    let bench = Bench::new();
    // Sound that is copied as it is and sound that is converted, in containers that tell an encoder's delay and that
    // do not.
    let kinds = [
        (Coding::H264Closed, Packing::Mp4IndexLast, 48_000),
        (Coding::H264Open, Packing::Mp4IndexFirst, 44_100),
        (Coding::H264Closed, Packing::Matroska, 44_100),
        (Coding::H264Open, Packing::Mp4Fragments, 48_000),
    ];
    let sources: Vec<_> = kinds
        .iter()
        .zip(1..)
        .flat_map(|(&(coding, packing, rate), source)| {
            let video = CounterVideo::new(source, (u32::from(RATE), 1), FRAMES).with("").pulsing();
            let video = video.sounding(Some((rate, 2)));
            make(&video, coding, &[packing], bench.directory.path()).unwrap()
        })
        .collect();
    // Eleven clips of odd lengths; no impulse lies within 100 ms of a seam, where the sound is faded.
    let clips: Vec<(u32, u16, u16)> = (0..11_u16)
        .map(|number| {
            let start = (number * 2 % 9) * 3 * INTERVAL + 4 + number % 7;
            let end = start / INTERVAL * INTERVAL + (3 + number % 3) * INTERVAL + 4 + number * 3 % 7;
            (u32::from(number) % 4, start, end - start)
        })
        .collect();
    let paths: Vec<_> = sources.iter().map(|source| source.path.clone()).collect();
    let asked = clips.iter().map(|&(source, start, count)| frames(source, start.into(), count.into()));
    let montage = montage(&paths, asked.collect());

    // When each picture that belongs to an impulse is shown.
    let seen = watch(&montage.path, None).unwrap();
    assert_eq!(seen.complaints, "");
    let times = in_order(&packets(&montage.path, "v:0").unwrap());
    assert_eq!(seen.marks.len(), times.len());
    let with_impulse = |mark: &Mark| mark.frame > 0 && mark.frame.is_multiple_of(INTERVAL);
    let pictures: Vec<(Mark, f64)> = seen
        .marks
        .iter()
        .zip(&times)
        .filter_map(|(mark, packet)| mark.filter(with_impulse).map(|mark| (mark, packet.seconds)))
        .collect();
    assert_eq!(pictures.len(), clips.iter().map(|(_, start, count)| impulses(*start, *count)).sum::<usize>());

    let delay: f64 = stream_value(&montage.path, "a:0", "start_time").unwrap().parse().unwrap();
    let heard: Vec<f64> =
        read_impulses(&montage.path).unwrap().into_iter().map(|start| start + delay).collect();
    assert_eq!(heard.len(), pictures.len(), "heard {heard:?}, seen {pictures:?}");
    let mut worst = [0.0_f64; 4];
    for ((mark, shown), heard) in pictures.iter().zip(&heard) {
        let apart = heard - shown;
        assert!(apart.abs() < LIMIT, "{mark:?} is shown at {shown} and heard at {heard}");
        let worst = &mut worst[usize::from(mark.source) - 1];
        *worst = worst.max(apart.abs());
    }
    for ((coding, packing, rate), worst) in kinds.iter().zip(worst) {
        println!("{coding:?} in {packing:?} at {rate} Hz: at most {:.2} ms apart", worst * 1000.0);
    }
}

/// Impulses that lie in a clip.
fn impulses(start: u16, count: u16) -> usize {
    (start.max(1)..start + count).filter(|frame| frame.is_multiple_of(INTERVAL)).count()
}
