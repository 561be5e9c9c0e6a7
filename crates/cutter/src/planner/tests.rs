use proptest::prelude::*;

use super::*;
use crate::bitstream::PictureKind;
use crate::cutting::CodedPicture;
use crate::order::Transition;
use crate::plan::tests::video;

fn probe(rate: &str, seconds: i64) -> Probe {
    Probe {
        container: "mp4".to_owned(),
        origin_ticks: 0,
        duration_ticks: Some(seconds * TICKS_PER_SECOND),
        duration_is_estimate: false,
        video: VideoFacts { frame_rate: rate.parse().unwrap(), ..video() },
        audio: None,
    }
}

fn order(clips: serde_json::Value) -> Order {
    let sources = [1, 2].map(|bytes| SourceInfo { bytes, identity: None });
    serde_json::from_value(serde_json::json!({ "sources": sources, "clips": clips })).unwrap()
}

fn clip(source: u32, start: i64, length: i64) -> serde_json::Value {
    let ticks = |ticks: i64| serde_json::json!({ "ticks": ticks });
    serde_json::json!({ "source": source, "start": ticks(start), "extent": { "duration": ticks(length) } })
}

/// The edges of a clip on a source of independent pictures every `gop` frames.
fn edges(brief: &Brief, rate: FrameRate, gop: u64) -> Edges {
    let picture = |frame: u64| CodedPicture {
        at: rate.frame_to_ticks(frame),
        kind: if frame.is_multiple_of(gop) { PictureKind::Idr } else { PictureKind::Other },
    };
    let first = rate.ticks_to_frames(brief.start) / gop * gop;
    let touched = rate.ticks_to_frames(brief.start + brief.touched_start);
    let end = rate.ticks_to_frames(brief.start + brief.duration - brief.touched_end);
    Edges {
        start: (first..touched.next_multiple_of(gop) + 1).map(picture).collect(),
        end: (end / gop * gop..end + 200).map(picture).collect(),
    }
}

fn planned(order: &Order, probes: &[Probed], gop: u64) -> Result<Plan, Vec<Problem>> {
    let briefs = briefs(order, probes)?;
    let found: Vec<Found> = briefs
        .iter()
        .zip(&order.clips)
        .map(|(brief, clip)| {
            let Some(Ok(probe)) = &probes[clip.source as usize] else { return Found::default() };
            Found { edges: Some(edges(brief, probe.video.frame_rate, gop)), spans: vec![] }
        })
        .collect();
    plan(order, probes, &briefs, &found, &given(&BTreeMap::new()))
}

fn given(forced: &BTreeMap<u32, String>) -> Given<'_> {
    Given { forced, sound_forced: None, fonts: "" }
}

fn seconds(seconds: i64) -> i64 {
    seconds * TICKS_PER_SECOND
}

#[test]
fn a_source_that_was_refused_is_a_problem_of_each_of_its_clips() {
    let order = order(serde_json::json!([clip(0, 0, seconds(1)), clip(1, 0, 1), clip(1, 0, 1)]));
    let problems = briefs(&order, &[Some(Ok(probe("30", 60))), Some(Err(ProblemKind::NoVideo))]).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.clip).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn the_end_may_be_rounded_but_not_passed() {
    let with_length = |length| {
        let order = order(serde_json::json!([clip(0, 0, length)]));
        planned(&order, &[Some(Ok(probe("25", 10))), None], 50).map(|plan| plan.frames)
    };
    assert_eq!(with_length(seconds(10)), Ok(250));
    assert_eq!(with_length(seconds(10) + TICKS_PER_SECOND / 25), Ok(251));
    assert!(with_length(seconds(10) + TICKS_PER_SECOND / 8).is_err());
    assert_eq!(with_length(1), Ok(1), "no clip is without a frame");
    let rest = serde_json::json!([{ "source": 0, "start": { "ticks": seconds(4) }, "extent": "rest" }]);
    assert_eq!(planned(&order(rest), &[Some(Ok(probe("25", 10))), None], 50).unwrap().frames, 150);
}

#[test]
fn only_edges_are_encoded_and_the_plan_says_why() {
    let order = order(serde_json::json!([clip(0, seconds(1), seconds(20)), clip(1, seconds(4), seconds(6))]));
    let odd = Probe { video: VideoFacts { width: 640, ..video() }, ..probe("30", 60) };
    let plan = planned(&order, &[Some(Ok(probe("30", 60))), Some(Ok(odd))], 60).unwrap();
    let kinds: Vec<_> =
        plan.segments.iter().map(|segment| (segment.kind, segment.first_frame, segment.frames)).collect();
    use SegmentKind::{Copy, Encode};
    assert_eq!(kinds, [(Encode, 0, 30), (Copy, 30, 570), (Encode, 0, 180)]);
    assert_eq!(plan.clips[1].differences, [Difference::Size]);
    assert!(plan.clips[0].reason.starts_with("30 of 600 frames"), "{}", plan.clips[0].reason);
    assert!(plan.clips[1].reason.contains("differs from the canvas in size"), "{}", plan.clips[1].reason);
    assert_eq!(plan.copied_frames(), 570);
}

#[test]
fn a_forced_clip_is_encoded() {
    let order = order(serde_json::json!([clip(0, seconds(2), seconds(20))]));
    let probes = [Some(Ok(probe("30", 60))), None];
    let briefs = briefs(&order, &probes).unwrap();
    let found = Found { edges: Some(edges(&briefs[0], "30".parse().unwrap(), 60)), spans: vec![] };
    let forced = BTreeMap::from([(0, "it did not pass".to_owned())]);
    let plan = plan(&order, &probes, &briefs, &[found], &given(&forced)).unwrap();
    assert_eq!((plan.copied_frames(), plan.frames), (0, 600));
    assert!(plan.clips[0].reason.ends_with("it did not pass"));
}

#[test]
fn keys_name_results_and_not_places() {
    let probes = [Some(Ok(probe("30", 60))), Some(Ok(probe("30", 60)))];
    let keys = |clips| -> Vec<String> {
        let plan = planned(&order(clips), &probes, 60).unwrap();
        plan.segments.into_iter().map(|segment| segment.key).collect()
    };
    let one = keys(serde_json::json!([clip(0, seconds(1), seconds(9)), clip(0, seconds(20), seconds(9))]));
    let swapped =
        keys(serde_json::json!([clip(0, seconds(20), seconds(9)), clip(0, seconds(1), seconds(9))]));
    assert_eq!(one.iter().collect::<std::collections::BTreeSet<_>>(), swapped.iter().collect());
    let edited = keys(serde_json::json!([clip(0, seconds(1), seconds(9)), clip(0, seconds(21), seconds(9))]));
    assert_eq!(one[..2], edited[..2], "the other clip keeps its results");
    assert_ne!(one[2..], edited[2..]);
    let other = keys(serde_json::json!([clip(1, seconds(1), seconds(9))]));
    assert_ne!(one[..2], other[..2], "another source");
}

#[test]
fn dissolves_overlap_and_fades_do_not() {
    let probes = [Some(Ok(probe("30", 60))), None];
    let with = |kind: TransitionKind| {
        let mut order = order(serde_json::json!([
            clip(0, seconds(1), seconds(9)),
            clip(0, seconds(20), seconds(9)),
            clip(0, seconds(30), TICKS_PER_SECOND / 2)
        ]));
        order.transition = Transition { kind, ticks: TICKS_PER_SECOND, colour: [255; 3] };
        planned(&order, &probes, 60).unwrap()
    };
    let plan = with(TransitionKind::Dissolve);
    assert_eq!(plan.frames, 270 + 270 + 15 - 30 - 7);
    assert_eq!((plan.clips[1].first_frame, plan.clips[2].first_frame), (240, 240 + 270 - 7));
    let blends: Vec<u64> = plan
        .segments
        .iter()
        .filter(|segment| segment.kind == SegmentKind::Blend)
        .map(|segment| segment.frames)
        .collect();
    assert_eq!(blends, [30, 7]);
    assert!(plan.copied_frames() > 300);
    let plan = with(TransitionKind::Dip);
    assert_eq!((plan.frames, plan.clips[0].effects.fade_in, plan.clips[0].effects.fade_out), (555, 0, 15));
    let plan = with(TransitionKind::Fade);
    assert_eq!((plan.clips[0].effects.fade_in, plan.clips[2].effects.fade_out), (15, 7));
}

proptest! {
    #[test]
    fn clips_and_segments_follow_each_other_without_holes(
        lengths in proptest::collection::vec((1_i64..40_000, 0_i64..20_000), 1..20),
        rate in prop_oneof![Just("30"), Just("29.97"), Just("25"), Just("23.976"), Just("60")],
        segment_seconds in 2_u32..30,
        gop in 5_u64..100,
        kind in prop_oneof![Just(TransitionKind::None), Just(TransitionKind::Fade), Just(TransitionKind::Dip), Just(TransitionKind::Dissolve)],
    ) {
        let milli = TICKS_PER_SECOND / 1000;
        let clips: Vec<_> = lengths.iter().map(|(length, start)| clip(0, start * milli, length * milli)).collect();
        let mut order = order(serde_json::json!(clips));
        order.encoder.segment_seconds = segment_seconds;
        order.transition.kind = kind;
        let plan = planned(&order, &[Some(Ok(probe(rate, 100))), None], gop).unwrap();
        let rate = plan.canvas.frame_rate;
        let mut at = 0;
        for segment in &plan.segments {
            prop_assert_eq!(plan.segment_start(segment), at);
            prop_assert!(segment.frames >= 1);
            if segment.kind == SegmentKind::Encode {
                prop_assert!(segment.frames <= rate.ticks_to_frames(i64::from(segment_seconds) * TICKS_PER_SECOND));
            }
            at += segment.frames;
        }
        prop_assert_eq!(at, plan.frames);
        for (clip, (length, _)) in plan.clips.iter().zip(&lengths) {
            prop_assert!((rate.frame_to_ticks(clip.frames) - length * milli).abs() <= rate.frame_to_ticks(1));
            let own: Vec<_> = plan.segments.iter().filter(|segment| segment.clip == clip.index).collect();
            let made: u64 = own.iter().map(|segment| segment.frames).sum();
            prop_assert_eq!(made + clip.effects.dissolve_out, clip.frames);
            for segment in own.iter().filter(|segment| segment.kind == SegmentKind::Copy) {
                prop_assert!(segment.first_frame >= clip.effects.touched_start());
                prop_assert!(segment.first_frame + segment.frames + clip.effects.touched_end() <= clip.frames);
            }
        }
        let last = plan.clips.last().unwrap();
        prop_assert_eq!(last.first_sample + last.samples, plan.samples);
        let apart = crate::time::samples_to_ticks(plan.samples) - plan.duration_ticks();
        prop_assert!(apart.abs() <= TICKS_PER_SECOND / 48_000 + 1, "sound and picture end together");
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap().hash(), plan.hash());
    }
}
