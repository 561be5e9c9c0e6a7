//! Reading which montages are made of what a source lists.

use contracts::{
    decode::{Fields, Mistakes, escape},
    import::{ClipOrder, Mix, MontageOf, MontageRule, Padding, Selection},
    spec::{BEST_SCORE, LONGEST_TITLE, read_labels},
};
use serde_json::Value;

use crate::{import::MOST_MONTAGES, template};

/// Longest padding on one side, in milliseconds: ten minutes.
const LONGEST_PADDING: i64 = 600_000;
/// Longest budget, in milliseconds: a day.
const LONGEST_BUDGET: i64 = 86_400_000;

pub(super) fn read(fields: &Fields<'_>, mistakes: &mut Mistakes) -> Vec<MontageRule> {
    let Some(value) = fields.get("montages") else { return Vec::new() };
    let Some(list) = value.as_array().filter(|list| list.len() <= MOST_MONTAGES) else {
        mistakes.add(fields.at("montages"), format!("expected a list of at most {MOST_MONTAGES} montages"));
        return Vec::new();
    };
    list.iter()
        .enumerate()
        .filter_map(|(index, value)| read_rule(value, &format!("/montages/{index}"), mistakes))
        .collect()
}

fn read_rule(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<MontageRule> {
    let known = ["of", "title", "highlight_title", "labels", "select"];
    let fields = Fields::open(value, pointer, &known, mistakes)?;
    let of = fields.choice(
        "of",
        &[("all_streamers", MontageOf::AllStreamers), ("each_streamer", MontageOf::EachStreamer)],
        mistakes,
    );
    let mut text = |name: &str, names: &[&str]| {
        let text = fields.text(name, LONGEST_TITLE, mistakes)?;
        template::check(&text, names, &fields.at(name), mistakes);
        Some(text)
    };
    let title = text("title", template::OF_MONTAGE);
    let highlight_title = text("highlight_title", template::OF_HIGHLIGHT);
    let labels = read_labels(&fields, mistakes);
    for (name, value) in &labels {
        template::check(
            value,
            template::OF_MONTAGE,
            &format!("{}/{}", fields.at("labels"), escape(name)),
            mistakes,
        );
    }
    let select = fields.get("select").and_then(|value| read_select(value, &fields.at("select"), mistakes));
    Some(MontageRule {
        of: of.unwrap_or_default(),
        title,
        highlight_title,
        labels,
        select: select.unwrap_or_default(),
    })
}

fn read_select(value: &Value, pointer: &str, mistakes: &mut Mistakes) -> Option<Selection> {
    let known = [
        "minimum_score",
        "padding",
        "merge",
        "per_video",
        "per_streamer",
        "mix",
        "top",
        "budget",
        "order",
        "seed",
    ];
    let fields = Fields::open(value, pointer, &known, mistakes)?;
    let mut count = |name: &str| {
        fields.integer(name, 1..=1_000_000, mistakes).and_then(|count| u32::try_from(count).ok())
    };
    let (per_video, per_streamer, top) = (count("per_video"), count("per_streamer"), count("top"));
    let padding = fields.get("padding").and_then(|value| {
        let fields = Fields::open(value, &fields.at("padding"), &["before", "after"], mistakes)?;
        let mut side = |name: &str| fields.length(name, 0..=LONGEST_PADDING, mistakes);
        Some(Padding { before: side("before"), after: side("after") })
    });
    let merge = fields.flag("merge", mistakes).unwrap_or(true);
    let orders = [
        ("given", ClipOrder::Given),
        ("score", ClipOrder::Score),
        ("time", ClipOrder::Time),
        ("shuffle", ClipOrder::Shuffle),
    ];
    Some(Selection {
        minimum_score: fields.number("minimum_score", -BEST_SCORE..=BEST_SCORE, mistakes),
        padding: padding.unwrap_or_default(),
        merge,
        per_video,
        per_streamer,
        mix: fields
            .choice("mix", &[("score", Mix::Score), ("equal", Mix::Equal)], mistakes)
            .unwrap_or_default(),
        top,
        budget: fields.length("budget", 1000..=LONGEST_BUDGET, mistakes),
        order: fields.choice("order", &orders, mistakes).unwrap_or_default(),
        // Exact in JSON readers that use doubles.
        seed: fields.integer("seed", -(1 << 53)..=(1 << 53), mistakes).unwrap_or_default(),
    })
}
