//! What only lazer writes behind a replay's movements: a JSON document with the mods and their settings, and the statistics of
//! all results. What is absent in it counts as nothing; only a document that is no JSON is refused.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{corrupt, movements::unpack};
use crate::{error::ReplayError, limits::Limits, play::LazerCounts};

/// Bytes that the document may have: some hundred are usual.
const MOST_BYTES: u64 = 4 << 20;

/// What only lazer writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lazer {
    /// Its JSON document, as it is.
    pub json: Value,
}

/// One of lazer's mods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LazerMod<'a> {
    /// Its short name, such as `DT`.
    pub acronym: &'a str,
    settings: &'a Value,
}

impl LazerMod<'_> {
    /// A setting that is a number, where it is not the usual one.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.settings.get(name).and_then(Value::as_f64)
    }

    /// A setting that is a switch, where it is not the usual one.
    #[must_use]
    pub fn switch(&self, name: &str) -> Option<bool> {
        self.settings.get(name).and_then(Value::as_bool)
    }
}

impl Lazer {
    pub(super) fn read(block: &[u8], limits: &Limits) -> Result<Self, ReplayError> {
        let json = unpack(block, limits.replay_unpacked_bytes.min(MOST_BYTES))?;
        let json = serde_json::from_slice(&json).map_err(|_| corrupt("what lazer added is not JSON"))?;
        Ok(Self { json })
    }

    /// The mods with their settings, in their order.
    pub fn mods(&self) -> impl Iterator<Item = LazerMod<'_>> {
        let mods = self.json.get("mods").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        mods.iter().filter_map(|given| {
            let acronym = given.get("acronym")?.as_str()?;
            Some(LazerMod { acronym, settings: given.get("settings").unwrap_or(&Value::Null) })
        })
    }

    /// How often each result was given, by lazer's names, such as `great` or `large_tick_hit`.
    #[must_use]
    pub fn statistics(&self) -> BTreeMap<&str, u32> {
        self.numbers("statistics")
    }

    /// How often each result is given in a perfect play.
    #[must_use]
    pub fn maximum_statistics(&self) -> BTreeMap<&str, u32> {
        self.numbers("maximum_statistics")
    }

    /// The statistics that no header holds.
    #[must_use]
    pub fn counts(&self) -> LazerCounts {
        let statistics = self.statistics();
        let count = |name| statistics.get(name).copied().unwrap_or(0);
        LazerCounts {
            large_tick_hit: count("large_tick_hit"),
            large_tick_miss: count("large_tick_miss"),
            slider_tail_hit: count("slider_tail_hit"),
            small_tick_hit: count("small_tick_hit"),
            small_tick_miss: count("small_tick_miss"),
            small_bonus: count("small_bonus"),
            large_bonus: count("large_bonus"),
            combo_break: count("combo_break"),
            ignore_hit: count("ignore_hit"),
            ignore_miss: count("ignore_miss"),
        }
    }

    /// The rank, such as `S`; absent in older documents.
    #[must_use]
    pub fn rank(&self) -> Option<&str> {
        self.json.get("rank")?.as_str()
    }

    /// The game's version, such as `2025.101.0`.
    #[must_use]
    pub fn client_version(&self) -> Option<&str> {
        self.json.get("client_version")?.as_str()
    }

    /// The score before the mods' factors.
    #[must_use]
    pub fn total_score_without_mods(&self) -> Option<i64> {
        self.json.get("total_score_without_mods")?.as_i64()
    }

    fn numbers(&self, name: &str) -> BTreeMap<&str, u32> {
        let numbers = self.json.get(name).and_then(Value::as_object).into_iter().flatten();
        numbers
            .filter_map(|(name, count)| Some((name.as_str(), u32::try_from(count.as_u64()?).ok()?)))
            .collect()
    }
}
