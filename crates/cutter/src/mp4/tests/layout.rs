//! Made-up movies: each sample must be found where both views say it is, whatever the movie looks like.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::*;
use super::parse::{self, Sample};

/// Pictures in groups that each begin with a key picture and end before the next, reordered within the group.
fn groups(lengths: &[usize], swap: usize) -> Vec<VideoSample> {
    let mut samples = Vec::new();
    for &length in lengths {
        let start = samples.len();
        // The picture `swap` later is decoded first, then those shown before it.
        let mut order = vec![0];
        let rest: Vec<usize> = (1..length).collect();
        for part in rest.chunks(swap + 1) {
            order.extend(part.last());
            order.extend(&part[..part.len() - 1]);
        }
        for (index, offset) in order.into_iter().enumerate() {
            let size = ((start + index) * 7 % 61) as u32;
            samples.push(VideoSample { size, frame: (start + offset) as u32, key: index == 0 });
        }
    }
    samples
}

fn video(samples: Vec<VideoSample>, rate: (u32, u32)) -> VideoTrack {
    VideoTrack {
        codec: VideoCodec::H264,
        configuration: vec![1, 2, 3],
        width: 64,
        height: 48,
        sar: (1, 1),
        colour: None,
        timescale: rate.0,
        sample_duration: rate.1,
        samples,
    }
}

fn audio(length: u64, priming: u32) -> AudioTrack {
    let packets = (length + u64::from(priming)).div_ceil(1024) + 2;
    AudioTrack {
        sample_rate: 48_000,
        channels: 2,
        asc: vec![0x11, 0x90],
        priming,
        length,
        packet_samples: 1024,
        bit_rate: 128_000,
        packets: (0..packets).map(|index| (index * 5 % 17) as u32).collect(),
    }
}

/// Content that tells which sample it is.
fn picture(index: usize, size: u32) -> Vec<u8> {
    (0..size).map(|at| (index as u32 * 31 + at) as u8).collect()
}

fn packet(index: usize, size: u32) -> Vec<u8> {
    (0..size).map(|at| (index as u32 * 17 + at + 128) as u8).collect()
}

fn written(movie: &Movie<'_>) -> (Vec<u8>, Layout) {
    let mut file = Vec::new();
    let packets = movie.audio.as_ref().map_or(&[][..], |track| &track.packets);
    let layout = write(
        movie,
        &mut file,
        |index, to| {
            to.extend(picture(index, movie.video.samples[index].size));
            Ok(())
        },
        |index, to| {
            to.extend(packet(index, packets[index]));
            Ok(())
        },
    )
    .unwrap();
    (file, layout)
}

fn part(file: &[u8], range: &Range<u64>) -> Vec<u8> {
    file[range.start as usize..range.end as usize].to_vec()
}

/// Samples of each track in all fragments.
fn fragmented(file: &[u8], layout: &Layout) -> BTreeMap<u32, Vec<Sample>> {
    let init = part(file, &layout.init);
    let boxes = parse::boxes(&init);
    assert_eq!(boxes.iter().map(|(kind, _)| kind).collect::<Vec<_>>(), [b"ftyp", b"moov"]);
    let defaults = parse::default_durations(boxes[1].1);
    let mut tracks: BTreeMap<u32, Vec<Sample>> = BTreeMap::new();
    for fragment in &layout.fragments {
        let bytes = part(file, &fragment.range);
        for (track, samples) in parse::fragment(&bytes, fragment.range.start, &defaults) {
            let places = samples.iter().map(|sample| &sample.place);
            let inside =
                |place: &Range<u64>| fragment.range.contains(&place.start) && place.end <= fragment.range.end;
            assert!(places.into_iter().all(|place| place.is_empty() || inside(place)));
            tracks.entry(track).or_default().extend(samples);
        }
    }
    tracks
}

fn check(movie: &Movie<'_>) {
    let (file, layout) = written(movie);
    assert_eq!(file.len() as u64, layout.bytes);
    let outer = parse::boxes(&file);
    assert_eq!(outer.iter().map(|(kind, _)| kind).collect::<Vec<_>>(), [b"ftyp", b"moov", b"mdat"]);
    assert_eq!(layout.init.start, layout.bytes - outer[2].1.len() as u64);
    let plain = parse::tracks(outer[1].1);
    let fragments = fragmented(&file, &layout);

    // Both views tell the same about the same bytes, except that in one all durations are known beforehand.
    for (track, samples) in &fragments {
        assert_eq!(samples, &plain[track].samples, "track {track}");
    }
    let video = &movie.video;
    let unit = u64::from(video.sample_duration);
    let pictures = &plain[&1].samples;
    assert_eq!(pictures.len(), video.samples.len());
    let start = plain[&1].edit.unwrap().1;
    for (index, (found, sample)) in pictures.iter().zip(&video.samples).enumerate() {
        assert_eq!(part(&file, &found.place), picture(index, sample.size));
        assert_eq!((found.dts, found.key), (index as u64 * unit, sample.key));
        assert_eq!(found.dts + u64::from(found.delay), start + u64::from(sample.frame) * unit);
    }
    if let Some(audio) = &movie.audio {
        let packets = &plain[&2].samples;
        for (index, found) in packets.iter().enumerate() {
            assert_eq!(part(&file, &found.place), packet(index, audio.packets[index]));
        }
        let last = packets.last().unwrap();
        assert_eq!(last.dts + u64::from(last.duration), u64::from(audio.priming) + audio.length);
        assert!(packets.iter().rev().skip(1).all(|packet| packet.duration == audio.packet_samples));
        assert_eq!(plain[&2].edit, Some((audio.length, u64::from(audio.priming))));
    }

    // The fragments follow each other to the end of the file, and their times to the end of the movie.
    let ends =
        layout.fragments.iter().map(|fragment| (fragment.range.end, fragment.start + fragment.duration));
    let starts = layout.fragments.iter().map(|fragment| (fragment.range.start, fragment.start));
    let after = starts.skip(1).chain([(layout.bytes, video.samples.len() as u64 * unit)]);
    assert!(ends.eq(after));
    assert_eq!(layout.fragments[0].start, 0);
    let shortest = u64::from(video.timescale) * 4;
    for fragment in layout.fragments.iter().rev().skip(1) {
        assert!(fragment.duration >= shortest && fragment.starts_with_key);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn all_samples_are_found_in_both_views(
        lengths in proptest::collection::vec(1_usize..90, 1..12),
        swap in 0_usize..4,
        rate in prop_oneof![Just((30, 1)), Just((30_000, 1001)), Just((24_000, 1001)), Just((25, 2)), Just((240, 1))],
        length in proptest::option::of(1_u64..600_000),
        priming in 0_u32..3000,
    ) {
        let samples = groups(&lengths, swap);
        let chapter = |title: &str, first_frame| Chapter { title: title.to_owned(), first_frame };
        let middle = samples.len() as u64 / 2;
        let chapters = if middle == 0 { vec![] } else { vec![chapter("a", 0), chapter("b", middle)] };
        let audio = length.map(|length| audio(length, priming));
        check(&Movie { title: "made up", video: video(samples, rate), audio, chapters: &chapters });
    }
}

#[test]
fn without_key_pictures_fragments_end_some_time() {
    let mut samples = groups(&[2000], 0);
    samples.iter_mut().for_each(|sample| sample.size = 3);
    let movie = Movie { title: "", video: video(samples, (30, 1)), audio: None, chapters: &[] };
    let (file, layout) = written(&movie);
    let found = layout.fragments.iter().map(|fragment| (fragment.start, fragment.starts_with_key));
    assert_eq!(found.collect::<Vec<_>>(), [(0, true), (900, false), (1800, false)]);
    assert_eq!(fragmented(&file, &layout)[&1].len(), 2000);
    assert!(!playlist(&layout, "media.mp4").contains("INDEPENDENT"));
}

#[test]
fn sound_may_be_longer_or_shorter_than_the_pictures() {
    for length in [1, 48_000, 480_000] {
        let video = video(groups(&[50, 50, 50], 1), (25, 1));
        check(&Movie { title: "", video, audio: Some(audio(length, 1024)), chapters: &[] });
    }
}

/// Keeps the beginning of what is written and counts the rest.
struct Counter {
    start: Vec<u8>,
    bytes: u64,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (1 << 20_usize) - self.start.len().min(1 << 20);
        self.start.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes pictures of 4 MiB; gives the beginning of the file, the number of places that need it, and the layout.
fn large(pictures: usize) -> (Counter, Layout) {
    const SIZE: usize = 4 << 20;
    let mut samples = groups(&vec![10; pictures / 10], 0);
    samples.iter_mut().for_each(|sample| sample.size = SIZE as u32);
    let movie = Movie { title: "", video: video(samples, (30, 1)), audio: None, chapters: &[] };
    let mut counter = Counter { start: Vec::new(), bytes: 0 };
    let give = |_, to: &mut Vec<u8>| {
        to.resize(SIZE, 0);
        Ok(())
    };
    let layout = write(&movie, &mut counter, give, |_, _| Ok(())).unwrap();
    assert_eq!(counter.bytes, layout.bytes);
    (counter, layout)
}

#[test]
fn beyond_four_gigabytes() {
    // 1020 pictures end just below the limit, 1030 beyond it.
    for (pictures, wide) in [(1020, false), (1030, true)] {
        let (counter, layout) = large(pictures);
        assert_eq!(layout.bytes > u64::from(u32::MAX), wide);
        let outer = parse::boxes(&counter.start);
        let track = &parse::tracks(outer[1].1)[&1];
        assert_eq!(track.wide, wide);
        let last = track.samples.last().unwrap();
        assert_eq!(last.place, layout.bytes - (4 << 20)..layout.bytes);
        // The media box's length reaches to the end of the file.
        let header = layout.init.start as usize - if wide { 16 } else { 8 };
        let field = &counter.start[header..layout.init.start as usize];
        assert_eq!(&field[4..8], b"mdat");
        let length = if wide {
            assert_eq!(field[..4], [0, 0, 0, 1]);
            u64::from_be_bytes(field[8..].try_into().unwrap())
        } else {
            u64::from(u32::from_be_bytes(field[..4].try_into().unwrap()))
        };
        assert_eq!(header as u64 + length, layout.bytes);
        // Fragments stay below a gigabyte, although no 4 s have passed then.
        let sizes = layout.fragments.iter().map(|fragment| fragment.range.end - fragment.range.start);
        assert!(sizes.max().unwrap() < 1 << 30 | 1 << 16);
    }
}

#[test]
fn contradictions_are_refused() {
    let base = || Movie {
        title: "",
        video: video(groups(&[5, 5], 1), (25, 1)),
        audio: Some(audio(9000, 1024)),
        chapters: &[],
    };
    let refuse = |expected: &str, change: &dyn Fn(&mut Movie<'_>)| {
        let mut movie = base();
        change(&mut movie);
        let mut file = Vec::new();
        let error = write(&movie, &mut file, |_, _| Ok(()), |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(file.is_empty(), "found before anything is written");
    };
    refuse("no pictures", &|movie| movie.video.samples.clear());
    refuse("shown twice", &|movie| movie.video.samples[3].frame = 0);
    refuse("missing", &|movie| movie.video.samples[3].frame = 10);
    refuse("no duration", &|movie| movie.video.timescale = 0);
    refuse("no size", &|movie| movie.video.width = 70_000);
    refuse("too long after", &|movie| movie.video.sample_duration = u32::MAX);
    let sound =
        |movie: &mut Movie<'_>, change: &dyn Fn(&mut AudioTrack)| change(movie.audio.as_mut().unwrap());
    refuse("ends too early", &|movie| sound(movie, &|audio| audio.packets.truncate(9)));
    refuse("ends too early", &|movie| sound(movie, &|audio| audio.length = u64::MAX));
    refuse("no duration", &|movie| sound(movie, &|audio| audio.packet_samples = 0));
    let chapter = |first_frame| Chapter { title: String::new(), first_frame };
    for wrong in [vec![chapter(1)], vec![chapter(0), chapter(0)], vec![chapter(0), chapter(10)]] {
        let movie = Movie { chapters: &wrong, ..base() };
        let error = write(&movie, &mut Vec::new(), |_, _| Ok(()), |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains("chapters"));
    }
}

#[test]
fn samples_of_another_size_are_refused() {
    let movie = Movie { title: "", video: video(groups(&[5], 0), (25, 1)), audio: None, chapters: &[] };
    let give = |index, to: &mut Vec<u8>| {
        to.extend(picture(index, movie.video.samples[index].size + u32::from(index == 2)));
        Ok(())
    };
    let error = write(&movie, &mut Vec::new(), give, |_, _| Ok(())).unwrap_err();
    assert!(
        matches!(error, Mp4Error::SampleSize { kind: "picture", index: 2, found: 15, announced: 14 }),
        "{error}"
    );
}

#[test]
fn a_picture_too_large_for_a_fragment_is_refused() {
    let samples = vec![VideoSample { size: i32::MAX as u32, frame: 0, key: true }];
    let movie = Movie { title: "", video: video(samples, (25, 1)), audio: None, chapters: &[] };
    let error = write(&movie, &mut Vec::new(), |_, _| Ok(()), |_, _| Ok(())).unwrap_err();
    assert!(error.to_string().contains("too large"));
}
