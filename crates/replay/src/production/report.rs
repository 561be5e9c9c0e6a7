//! What the library says of a play.

use chrono::{DateTime, Utc};
use contracts::replay::ReplayReport;

use super::{Production, telling::short};
use crate::{osr::Mode, verify::verify};

impl Production {
    /// What the library says of it.
    #[must_use]
    pub fn report(&self) -> ReplayReport {
        let (map, end) = (&self.map.map, &self.play.end);
        let (stars, pp) = self.hud.stars_and_pp();
        let named = |unicode: &str, plain: &str| if unicode.is_empty() { plain } else { unicode }.to_owned();
        let counts = &end.counts;
        let mut counts: Vec<(&str, u32)> =
            vec![("300", counts.n300), ("100", counts.n100), ("50", counts.n50), ("miss", counts.miss)];
        match self.replay.mode {
            Mode::Mania => counts.extend([("max", end.counts.geki), ("200", end.counts.katu)]),
            Mode::Taiko => counts.retain(|(name, _)| *name != "50"),
            Mode::Standard | Mode::Catch => {}
        }
        let lazer = &end.lazer;
        if self.replay.is_lazer() {
            counts.extend([
                ("large_tick_hit", lazer.large_tick_hit),
                ("large_tick_miss", lazer.large_tick_miss),
                ("slider_tail_hit", lazer.slider_tail_hit),
                ("small_bonus", lazer.small_bonus),
                ("large_bonus", lazer.large_bonus),
            ]);
        }
        ReplayReport {
            mode: short(self.replay.mode).to_owned(),
            player: self.replay.player.clone(),
            played_at: played_at(self.replay.played_at),
            artist: named(&map.artist_unicode, &map.artist),
            title: named(&map.title_unicode, &map.title),
            difficulty: map.version.clone(),
            creator: map.creator.clone(),
            map_md5: self.replay.map_md5.clone(),
            mods: self.mods.names.clone(),
            lazer: self.replay.is_lazer(),
            stars: f64::from(stars) / 100.0,
            pp: f64::from(pp) / 100.0,
            accuracy: f64::from(end.accuracy) / 1_000_000.0,
            score: self.replay.score,
            max_combo: end.max_combo,
            unstable_rate: (f64::from(end.unstable_rate()) / self.clock.speed.as_f64()).round() / 100.0,
            counts: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            slider_breaks: end.slider_breaks,
            verification: verify(&self.replay, end),
        }
    }
}

/// .NET ticks (100 ns since the year 1) as a moment; `None` for what is no moment of a game.
pub(crate) fn played_at(ticks: i64) -> Option<DateTime<Utc>> {
    const UNIX: i64 = 621_355_968_000_000_000;
    let since = ticks.checked_sub(UNIX).filter(|since| *since > 0)?;
    DateTime::from_timestamp(since / 10_000_000, (since % 10_000_000 * 100) as u32)
        .filter(|moment| *moment < DateTime::<Utc>::MAX_UTC)
}
