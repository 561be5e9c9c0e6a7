//! Whether the play that was judged is the one of the replay's header.

use contracts::replay::{Difference, Verification};

use crate::{
    osr::{Mode, Replay},
    play::{LazerCounts, State},
};

/// Compares a judged play with the header of its replay.
#[must_use]
pub fn verify(replay: &Replay, end: &State) -> Verification {
    let (header, judged) = (&replay.counts, &end.counts);
    let pairs = [
        ("count_300", i64::from(header.n300), i64::from(judged.n300)),
        ("count_100", i64::from(header.n100), i64::from(judged.n100)),
        ("count_50", i64::from(header.n50), i64::from(judged.n50)),
        ("count_miss", i64::from(header.miss), i64::from(judged.miss)),
        ("max_combo", i64::from(replay.max_combo), i64::from(end.max_combo)),
        ("count_geki", i64::from(header.geki), i64::from(judged.geki)),
        ("count_katu", i64::from(header.katu), i64::from(judged.katu)),
        ("score", replay.score, end.score),
    ];
    let lazer =
        replay.lazer.as_ref().filter(|lazer| replay.mode == Mode::Standard && !lazer.statistics().is_empty());
    let statistics = lazer.map(|lazer| statistics(&lazer.counts(), &end.lazer));
    let differences = pairs
        .into_iter()
        // Lazer has neither geki nor katu in osu!.
        .filter(|(name, ..)| lazer.is_none() || !matches!(*name, "count_geki" | "count_katu"))
        .chain(statistics.into_iter().flatten())
        .filter(|(_, header, judged)| header != judged)
        .map(|(name, header, judged)| Difference { name: name.to_owned(), header, judged })
        .collect::<Vec<_>>();
    // Score, geki and katu are told where they differ; counts and combo are what decides.
    let decisive = |difference: &Difference| {
        !matches!(difference.name.as_str(), "count_geki" | "count_katu" | "score")
            || (replay.mode == Mode::Mania && difference.name != "score")
    };
    Verification { verified: !differences.iter().any(decisive), differences }
}

/// What lazer counts besides, by its own names: as the replay says, and as it was judged.
fn statistics(header: &LazerCounts, judged: &LazerCounts) -> [(&'static str, i64, i64); 9] {
    let both = |name, of: fn(&LazerCounts) -> u32| (name, i64::from(of(header)), i64::from(of(judged)));
    [
        both("large_tick_hit", |counts| counts.large_tick_hit),
        both("large_tick_miss", |counts| counts.large_tick_miss),
        both("small_tick_hit", |counts| counts.small_tick_hit),
        both("small_tick_miss", |counts| counts.small_tick_miss),
        both("slider_tail_hit", |counts| counts.slider_tail_hit),
        both("small_bonus", |counts| counts.small_bonus),
        both("large_bonus", |counts| counts.large_bonus),
        both("ignore_hit", |counts| counts.ignore_hit),
        both("ignore_miss", |counts| counts.ignore_miss),
    ]
}
