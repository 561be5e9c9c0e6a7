//! What can be told of a map from its lines alone: for naming those that are not the wanted one, and for what `rosu_map` leaves
//! out.

use rosu_map::section::Section;

use crate::osr::{Mode, Replay};

/// A map's outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The difficulty's name; harmless and short.
    pub difficulty: String,
    /// Its mode.
    mode: Option<Mode>,
    /// How many results a whole play has.
    results: u32,
}

/// A map's lines that say something, with their sections.
fn lines(text: &str) -> impl Iterator<Item = (Section, &str)> {
    let mut section = None;
    text.split('\n').map(str::trim_end).filter_map(move |line| {
        if let Some(next) = Section::try_from_line(line) {
            section = Some(next);
            return None;
        }
        section.filter(|_| !line.is_empty()).map(|section| (section, line))
    })
}

impl Outline {
    /// A map's outline, from its text.
    pub fn of(text: &str) -> Self {
        let mut outline = Self { difficulty: String::new(), mode: Some(Mode::Standard), results: 0 };
        let value = |line: &str, name: &str| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        };
        for (section, line) in lines(text) {
            match section {
                Section::General => {
                    if let Some(mode) = value(line, "Mode") {
                        outline.mode = match mode.as_str() {
                            "0" => Some(Mode::Standard),
                            "1" => Some(Mode::Taiko),
                            "2" => Some(Mode::Catch),
                            "3" => Some(Mode::Mania),
                            _ => None,
                        };
                    }
                }
                Section::Metadata => {
                    if let Some(name) = value(line, "Version") {
                        outline.difficulty = crate::archive::shown(&name);
                    }
                }
                Section::HitObjects => {
                    let kind: i32 =
                        line.split(',').nth(3).and_then(|kind| kind.trim().parse().ok()).unwrap_or(0);
                    // In taiko only notes have a result.
                    let counts = outline.mode != Some(Mode::Taiko) || kind & 1 != 0;
                    outline.results = outline.results.saturating_add(counts.into());
                }
                _ => {}
            }
        }
        outline
    }
}

/// The difficulty that is probably the one that was played, in another version.
pub fn probable(outlines: &[Outline], replay: &Replay) -> Option<String> {
    let of_mode = || outlines.iter().filter(|outline| outline.mode == Some(replay.mode));
    let counts = replay.counts;
    let mut results = counts.n300 + counts.n100 + counts.n50 + counts.miss;
    if replay.mode == Mode::Mania {
        results += counts.geki + counts.katu;
    }
    let all: Vec<&Outline> = of_mode().collect();
    let whole: Vec<&Outline> = of_mode().filter(|outline| outline.results == results).collect();
    match (all.as_slice(), whole.as_slice()) {
        ([only], _) | (_, [only]) => Some(only.difficulty.clone()),
        _ => None,
    }
}

/// What an event of a video may name besides: a background that does not move.
const PICTURES: [&str; 5] = [".jpg", ".jpeg", ".png", ".bmp", ".gif"];

/// The background video, and when it begins: `Video,milliseconds,"file"`, or `1` for `Video`.
pub fn video(text: &str) -> Option<(String, i32)> {
    const DAY: f64 = 86_400_000.0;
    lines(text).filter(|(section, _)| *section == Section::Events).find_map(|(_, line)| {
        let mut fields = line.split(',');
        if !matches!(fields.next()?.trim(), "Video" | "1") {
            return None;
        }
        let begins: f64 = fields.next()?.trim().parse().ok().filter(|begins: &f64| begins.is_finite())?;
        let name = fields.next()?.trim().trim_matches('"').replace('\\', "/");
        let lower = name.to_ascii_lowercase();
        let moves = !PICTURES.iter().any(|ending| lower.ends_with(ending));
        (!name.is_empty() && name.len() <= 255 && moves).then(|| (name, begins.clamp(-DAY, DAY) as i32))
    })
}
