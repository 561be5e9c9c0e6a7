//! Tests of selecting: by example, and that what it promises holds for whatever it is given.

use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

fn ticks(seconds: i64) -> MediaTime {
    MediaTime::Ticks(seconds * TICKS_PER_SECOND)
}

fn candidate(
    video: &str,
    start: i64,
    length: i64,
    score: Option<f64>,
    streamer: &str,
    day: u32,
) -> Candidate {
    Candidate {
        source: Arc::new(Source::Url(format!("https://v.example/{video}"))),
        start: ticks(start),
        duration: ticks(length),
        title: Some(format!("{video}@{start}").into()),
        streamer: Some(Arc::new(Streamer::named(streamer))),
        score,
        cut: None,
        when: NaiveDate::from_ymd_opt(2026, 11, day).map(When::Day),
    }
}

fn titles(selected: &Selected<'_>) -> Vec<String> {
    selected.clips.iter().map(|clip| clip.best.title.as_deref().unwrap().to_owned()).collect()
}

fn seconds(clip: &Clip<'_>) -> (i64, i64) {
    (clip.start.ticks().unwrap() / TICKS_PER_SECOND, clip.duration.ticks().unwrap() / TICKS_PER_SECOND)
}

fn week() -> Vec<Candidate> {
    vec![
        candidate("a", 10, 5, Some(3.0), "hana", 20),
        candidate("a", 100, 5, Some(9.0), "hana", 20),
        candidate("b", 50, 5, Some(7.0), "hana", 18),
        candidate("c", 70, 5, Some(8.0), "ben", 19),
        candidate("d", 5, 5, None, "kim", 17),
    ]
}

#[test]
fn all_are_taken_as_they_come_unless_something_else_is_asked_for() {
    assert_eq!(titles(&select(&week(), &Selection::default())), ["a@10", "a@100", "b@50", "c@70", "d@5"]);
}

#[test]
fn the_best_are_taken_and_shares_are_kept() {
    let of = |selection: Selection| titles(&select(&week(), &selection));
    let score = Selection { order: ClipOrder::Score, ..Selection::default() };
    assert_eq!(of(Selection { top: Some(2), ..score.clone() }), ["a@100", "c@70"]);
    assert_eq!(of(Selection { minimum_score: Some(7.0), ..score.clone() }), ["a@100", "c@70", "b@50"]);
    assert_eq!(of(Selection { per_video: Some(1), ..score.clone() }), ["a@100", "c@70", "b@50", "d@5"]);
    assert_eq!(of(Selection { per_streamer: Some(1), ..score.clone() }), ["a@100", "c@70", "d@5"]);
    assert_eq!(of(Selection { mix: Mix::Equal, top: Some(4), ..score }), ["a@100", "c@70", "b@50", "d@5"]);
    let time = Selection { order: ClipOrder::Time, ..Selection::default() };
    assert_eq!(of(time), ["d@5", "b@50", "c@70", "a@10", "a@100"]);
}

#[test]
fn time_that_is_left_is_filled_with_what_fits() {
    let list = [
        candidate("a", 0, 40, Some(9.0), "x", 1),
        candidate("b", 0, 30, Some(8.0), "x", 1),
        candidate("c", 0, 20, Some(7.0), "x", 1),
    ];
    let budget = Some(ticks(60));
    assert_eq!(titles(&select(&list, &Selection { budget, ..Selection::default() })), ["a@0", "c@0"]);
}

#[test]
fn padding_is_cut_off_at_the_start_and_joins_what_it_makes_overlap() {
    let list = [
        candidate("a", 2, 5, Some(1.0), "x", 1),
        candidate("a", 19, 5, Some(4.0), "x", 1),
        candidate("a", 60, 5, Some(2.0), "x", 1),
    ];
    let padding = Padding { before: Some(ticks(5)), after: Some(ticks(8)) };
    let selected = select(&list, &Selection { padding, ..Selection::default() });
    assert_eq!(selected.clips.iter().map(seconds).collect::<Vec<_>>(), [(0, 32), (55, 18)]);
    assert_eq!(titles(&selected), ["a@19", "a@60"]);
    let apart = select(&list, &Selection { padding, merge: false, ..Selection::default() });
    assert_eq!(apart.clips.iter().map(seconds).collect::<Vec<_>>(), [(0, 15), (14, 18), (55, 18)]);
}

#[test]
fn those_that_only_touch_stay_two() {
    let list = [candidate("a", 0, 5, Some(1.0), "x", 1), candidate("a", 5, 5, Some(2.0), "y", 1)];
    assert_eq!(titles(&select(&list, &Selection::default())), ["a@0", "a@5"]);
}

#[test]
fn the_same_moment_is_taken_once_even_where_nothing_is_merged() {
    let twice = [candidate("a", 1, 5, Some(1.0), "x", 1), candidate("a", 1, 5, Some(2.0), "x", 2)];
    let selected = select(&twice, &Selection { merge: false, ..Selection::default() });
    assert_eq!(selected.clips.len(), 1);
    assert_eq!(selected.clips[0].best.score, Some(2.0));
}

#[test]
fn what_is_joined_is_never_longer_than_a_clip_may_be() {
    let long = [
        candidate("a", 0, LONGEST_CLIP_SECONDS, Some(1.0), "x", 1),
        candidate("a", 60, LONGEST_CLIP_SECONDS, Some(1.0), "x", 1),
    ];
    assert_eq!(select(&long, &Selection::default()).clips.len(), 2);
    let padding = Padding { before: None, after: Some(ticks(60)) };
    let selected = select(&long[..1], &Selection { padding, ..Selection::default() });
    assert_eq!(selected.clips[0].duration, ticks(LONGEST_CLIP_SECONDS));
}

#[test]
fn what_is_counted_in_frames_is_left_out_where_seconds_are_needed() {
    let mut list = week();
    list[0].start = MediaTime::Frames(100);
    list[1].start = MediaTime::Frames(100);
    list[1].duration = list[0].duration;
    let selected = select(&list, &Selection::default());
    assert_eq!((selected.clips.len(), selected.in_frames), (4, 0), "the same moment twice");
    let budget = Some(ticks(1000));
    let selected = select(&list, &Selection { budget, ..Selection::default() });
    assert_eq!((selected.clips.len(), selected.in_frames), (3, 2));
}

#[test]
fn what_has_no_room_is_counted() {
    let list: Vec<Candidate> = (0..510).map(|at| candidate("a", at * 10, 5, Some(1.0), "x", 1)).collect();
    let selected = select(&list, &Selection::default());
    assert_eq!((selected.clips.len(), selected.left_out), (500, 10));
    let selected = select(&list, &Selection { top: Some(505), ..Selection::default() });
    assert_eq!((selected.clips.len(), selected.left_out), (500, 5));
}

#[test]
fn a_shuffle_is_the_seeds_own() {
    let list: Vec<Candidate> = (0..20).map(|at| candidate("a", at * 10, 5, Some(1.0), "x", 1)).collect();
    let shuffled =
        |seed| titles(&select(&list, &Selection { order: ClipOrder::Shuffle, seed, ..Selection::default() }));
    assert_eq!(shuffled(1), shuffled(1));
    assert_ne!(shuffled(1), shuffled(2));
    // Written down once: it must not change between releases, or a repeated import would make another job.
    assert_eq!(shuffled(7)[..4], SEVEN);
}

/// What seed 7 draws first.
const SEVEN: [&str; 4] = ["a@30", "a@10", "a@180", "a@60"];

fn any_candidate() -> impl Strategy<Value = Candidate> {
    let score = proptest::option::of((0..5_i32).prop_map(f64::from));
    (0..3_u8, 0..50_i64, 1..20_i64, score, 0..3_u8, 1..5_u32).prop_map(
        |(video, start, length, score, streamer, day)| {
            candidate(&video.to_string(), start, length, score, &streamer.to_string(), day)
        },
    )
}

fn any_selection() -> impl Strategy<Value = Selection> {
    let few = || proptest::option::of(1..4_u32);
    let order = proptest::sample::select(vec![ClipOrder::Score, ClipOrder::Time, ClipOrder::Shuffle]);
    let mix = proptest::sample::select(vec![Mix::Score, Mix::Equal]);
    let time = || proptest::option::of((0..15_i64).prop_map(ticks));
    let score = proptest::option::of((0..5_i32).prop_map(f64::from));
    (score, time(), time(), any::<bool>(), few(), few(), mix, few(), time(), order).prop_map(
        |(minimum_score, before, after, merge, per_video, per_streamer, mix, top, budget, order)| Selection {
            minimum_score,
            padding: Padding { before, after },
            merge,
            per_video,
            per_streamer,
            mix,
            top,
            budget,
            order,
            seed: 3,
        },
    )
}

fn most(counts: &HashMap<String, u32>) -> u32 {
    counts.values().copied().max().unwrap_or_default()
}

proptest! {
    #[test]
    fn every_bound_holds_and_the_order_of_rows_decides_nothing(
        list in proptest::collection::vec(any_candidate(), 0..25),
        selection in any_selection(),
        turn in 0..25_usize,
    ) {
        let selected = select(&list, &selection);
        let clips = &selected.clips;
        prop_assert!(selection.top.is_none_or(|top| clips.len() <= top as usize));
        let total: i64 = clips.iter().map(|clip| clip.duration.ticks().unwrap()).sum();
        prop_assert!(selection.budget.is_none_or(|budget| total <= budget.ticks().unwrap()));
        let (mut videos, mut streamers) = (HashMap::new(), HashMap::new());
        for clip in clips {
            prop_assert!(clip.start.ticks().unwrap() >= 0 && clip.duration.ticks().unwrap() > 0);
            prop_assert!(selection.minimum_score.is_none_or(|least| clip.best.score.unwrap() >= least));
            *videos.entry(clip.best.source.display()).or_default() += 1;
            *streamers.entry(streamer(clip).unwrap().id.clone()).or_default() += 1;
        }
        prop_assert!(selection.per_video.is_none_or(|share| most(&videos) <= share));
        prop_assert!(selection.per_streamer.is_none_or(|share| most(&streamers) <= share));

        for (index, clip) in clips.iter().enumerate() {
            for other in &clips[index + 1..] {
                prop_assert!((clip.best.source != other.best.source)
                    || (clip.start, clip.duration) != (other.start, other.duration));
                if selection.merge && clip.best.source == other.best.source {
                    let (first, second) = if clip.start.ticks() <= other.start.ticks() { (clip, other) } else { (other, clip) };
                    prop_assert!(first.start.ticks().unwrap() + first.duration.ticks().unwrap() <= second.start.ticks().unwrap());
                }
            }
        }

        let mut turned = list.clone();
        if !turned.is_empty() {
            let middle = turn % turned.len();
            turned.rotate_left(middle);
        }
        let again = select(&turned, &selection);
        let told = |selected: &Selected<'_>| selected.clips.iter()
            .map(|clip| (clip.best.source.display(), clip.start, clip.duration, clip.best.score.map(f64::to_bits)))
            .collect::<Vec<_>>();
        prop_assert_eq!(told(&selected), told(&again));
    }

    #[test]
    fn one_more_highlight_does_not_change_the_order_of_the_others(
        list in proptest::collection::vec(any_candidate(), 1..25),
    ) {
        let shuffle = Selection { order: ClipOrder::Shuffle, merge: false, ..Selection::default() };
        let all = select(&list, &shuffle);
        let fewer = select(&list[1..], &shuffle);
        let key = |clip: &Clip<'_>| (clip.best.source.display(), clip.start, clip.duration);
        let kept: Vec<_> = all.clips.iter().map(key).filter(|clip| fewer.clips.iter().any(|other| key(other) == *clip)).collect();
        prop_assert_eq!(kept, fewer.clips.iter().map(key).collect::<Vec<_>>());
    }
}
