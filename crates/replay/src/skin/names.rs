//! The elements of legacy skins that are drawn here, by the names of their files.

use super::ini::Config;
use crate::osr::Mode;

/// An element's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Without `@2x`, number and extension.
    pub name: String,
    /// How its animation's files are numbered.
    pub frames: Frames,
}

/// How the files of an animation are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frames {
    /// It is one picture.
    One,
    /// `name-0`, `name-1` …
    Numbered,
    /// `name0`, `name1` …
    Joined,
}

/// What belongs to something else: where both come from different sources, or the second from none, the second is hidden, so that no
/// skin's circle wears another's border.
pub(super) const COMPANIONS: &[(&str, &str)] = &[
    ("hitcircle", "hitcircleoverlay"),
    ("sliderstartcircle", "sliderstartcircleoverlay"),
    ("sliderendcircle", "sliderendcircleoverlay"),
    ("sliderb", "sliderb-nd"),
    ("sliderb", "sliderb-spec"),
    ("cursor", "cursormiddle"),
    ("taikohitcircle", "taikohitcircleoverlay"),
    ("taikobigcircle", "taikobigcircleoverlay"),
];

/// What all modes have.
const ALL: &[&str] = &[
    "scorebar-bg",
    "scorebar-marker",
    "scorebar-ki",
    "scorebar-kidanger",
    "scorebar-kidanger2",
    "inputoverlay-background",
    "inputoverlay-key",
    "section-pass",
    "section-fail",
    "ready",
    "count1",
    "count2",
    "count3",
    "go",
    "play-warningarrow",
    "arrow-warning",
    "lighting",
    "star2",
    "ranking-panel",
    "ranking-title",
    "ranking-graph",
    "ranking-maxcombo",
    "ranking-accuracy",
    "ranking-perfect",
];

/// What all modes have as animations.
const ALL_ANIMATED: &[&str] = &["scorebar-colour", "play-skip"];

/// Grades: `ranking-A`, `ranking-A-small`.
const GRADES: &[&str] = &["XH", "X", "SH", "S", "A", "B", "C", "D"];

/// Mods: `selection-mod-hidden`.
const MODS: &[&str] = &[
    "autoplay",
    "cinema",
    "doubletime",
    "easy",
    "fadein",
    "flashlight",
    "freemodallowed",
    "halftime",
    "hardrock",
    "hidden",
    "key1",
    "key2",
    "key3",
    "key4",
    "key5",
    "key6",
    "key7",
    "key8",
    "key9",
    "keycoop",
    "mirror",
    "nightcore",
    "nofail",
    "perfect",
    "random",
    "relax",
    "relax2",
    "scorev2",
    "spunout",
    "suddendeath",
    "target",
    "touchdevice",
];

/// What osu! and taiko have.
const SPINNER: &[&str] = &[
    "approachcircle",
    "sliderscorepoint",
    "spinner-approachcircle",
    "spinner-background",
    "spinner-bottom",
    "spinner-circle",
    "spinner-clear",
    "spinner-glow",
    "spinner-metre",
    "spinner-middle",
    "spinner-middle2",
    "spinner-osu",
    "spinner-rpm",
    "spinner-spin",
    "spinner-top",
    "spinner-warning",
];

/// What osu! has.
const OSU: &[&str] = &[
    "hitcircle",
    "sliderstartcircle",
    "sliderendcircle",
    "reversearrow",
    "sliderb-nd",
    "sliderb-spec",
    "sliderpoint10",
    "sliderpoint30",
    "particle50",
    "particle100",
    "particle300",
    "cursor",
    "cursormiddle",
    "cursortrail",
    "cursor-smoke",
    "cursor-ripple",
];

/// What osu! has as animations.
const OSU_ANIMATED: &[&str] = &[
    "hitcircleoverlay",
    "sliderstartcircleoverlay",
    "sliderendcircleoverlay",
    "sliderfollowcircle",
    "followpoint",
    "hit0",
    "hit50",
    "hit100",
    "hit100k",
    "hit300",
    "hit300k",
    "hit300g",
];

/// What taiko has.
const TAIKO: &[&str] = &[
    "taikohitcircle",
    "taikobigcircle",
    "taiko-roll-middle",
    "taiko-roll-end",
    "taiko-bar-left",
    "taiko-bar-right",
    "taiko-bar-right-glow",
    "taiko-barline",
    "taiko-drum-inner",
    "taiko-drum-outer",
    "taiko-slider",
    "taiko-slider-fail",
    "taiko-flower-group",
    "taiko-glow",
];

/// What taiko has as animations.
const TAIKO_ANIMATED: &[&str] = &[
    "taikohitcircleoverlay",
    "taikobigcircleoverlay",
    "taiko-hit0",
    "taiko-hit100",
    "taiko-hit100k",
    "taiko-hit300",
    "taiko-hit300k",
    "taiko-hit300g",
];

/// Taiko's mascot, whose files are numbered without a hyphen.
const TAIKO_JOINED: &[&str] = &["pippidonidle", "pippidonkiai", "pippidonclear", "pippidonfail"];

/// What mania has.
const MANIA: &[&str] = &[
    "mania-key1",
    "mania-key1D",
    "mania-key2",
    "mania-key2D",
    "mania-keyS",
    "mania-keySD",
    "mania-stage-left",
    "mania-stage-right",
    "mania-warningarrow",
];

/// What mania has as animations.
const MANIA_ANIMATED: &[&str] = &[
    "mania-note1",
    "mania-note1H",
    "mania-note1L",
    "mania-note1T",
    "mania-note2",
    "mania-note2H",
    "mania-note2L",
    "mania-note2T",
    "mania-noteS",
    "mania-noteSH",
    "mania-noteSL",
    "mania-noteST",
    "mania-stage-bottom",
    "mania-stage-hint",
    "mania-stage-light",
    "mania-hit0",
    "mania-hit50",
    "mania-hit100",
    "mania-hit200",
    "mania-hit300",
    "mania-hit300g",
    "lightingN",
    "lightingL",
];

/// Signs of the score's and the combo's fonts, after the digits.
const SIGNS: &[&str] = &["comma", "dot", "percent", "x"];

/// The names that a mode can use; without a mode, those of all.
pub(super) fn of(mode: Option<Mode>, config: &Config) -> Vec<Name> {
    let mut names = Vec::new();
    let mut add = |frames: Frames, list: &[&str]| {
        names.extend(list.iter().map(|name| Name { name: (*name).to_owned(), frames }));
    };
    let has = |wanted: Mode| mode.is_none_or(|mode| mode == wanted);
    add(Frames::One, ALL);
    add(Frames::Numbered, ALL_ANIMATED);
    for grade in GRADES {
        add(Frames::One, &[&format!("ranking-{grade}"), &format!("ranking-{grade}-small")]);
    }
    for name in MODS {
        add(Frames::One, &[&format!("selection-mod-{name}")]);
    }
    if has(Mode::Standard) || has(Mode::Taiko) {
        add(Frames::One, SPINNER);
    }
    if has(Mode::Standard) {
        add(Frames::One, OSU);
        add(Frames::Numbered, OSU_ANIMATED);
        add(Frames::Joined, &["sliderb"]);
    }
    if has(Mode::Taiko) {
        add(Frames::One, TAIKO);
        add(Frames::Numbered, TAIKO_ANIMATED);
        add(Frames::Joined, TAIKO_JOINED);
    }
    if has(Mode::Mania) {
        add(Frames::One, MANIA);
        add(Frames::Numbered, MANIA_ANIMATED);
    }
    for (prefix, signs) in [
        (&config.hit_circle_prefix, [].as_slice()),
        (&config.score_prefix, SIGNS),
        (&config.combo_prefix, SIGNS),
    ] {
        for digit in 0..10 {
            add(Frames::One, &[&format!("{prefix}-{digit}")]);
        }
        for sign in signs {
            add(Frames::One, &[&format!("{prefix}-{sign}")]);
        }
    }
    // Fonts may share their files.
    names.sort_by(|one, other| one.name.cmp(&other.name));
    names.dedup();
    names
}

impl Name {
    /// How long each of its frames is seen, in milliseconds. Most animations have sixty frames in a second; some follow
    /// skin.ini's rate or, without one, take a second for all their frames.
    pub(super) fn frame_milliseconds(&self, frames: usize, config: &Config) -> u32 {
        match self.name.as_str() {
            "followpoint" | "sliderfollowcircle" | "scorebar-colour" | "play-skip" => {
                let rate = config.animation_framerate.unwrap_or(u32::try_from(frames).unwrap_or(u32::MAX));
                (1000 / rate.max(1)).max(1)
            }
            "hitcircleoverlay" | "sliderstartcircleoverlay" | "sliderendcircleoverlay" => 500,
            name if name.starts_with("mania-hit") => 50,
            _ => 17,
        }
    }
}
