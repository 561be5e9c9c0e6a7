//! Whether the play that was judged is the one of the replay's header.

use contracts::replay::{Difference, Verification};

use crate::{osr::Replay, play::State};

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
    let differences = pairs
        .into_iter()
        .filter(|(_, header, judged)| header != judged)
        .map(|(name, header, judged)| Difference { name: name.to_owned(), header, judged })
        .collect::<Vec<_>>();
    // Score, geki and katu are told where they differ; counts and combo are what decides.
    let decisive = |difference: &Difference| {
        !matches!(difference.name.as_str(), "count_geki" | "count_katu" | "score")
            || (replay.mode == crate::osr::Mode::Mania && difference.name != "score")
    };
    Verification { verified: !differences.iter().any(decisive), differences }
}
