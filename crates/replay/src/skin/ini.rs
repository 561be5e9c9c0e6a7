//! skin.ini: what it says, with its defaults.
//!
//! Promises: never fails. It is read as the game reads it: lines that say nothing known are passed over, of what is said twice
//! the last is kept, and only colours depend on the section in which they stand. Its rules are those of lazer's
//! `LegacySkinDecoder` and `LegacySkin`.

use crate::{beatmap::decoded, draw::Rgb};

/// What skin.ini says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// Its author.
    pub author: String,
    /// The version of its rules, times ten: 10, 20 … 27; `latest` is the highest.
    pub version: u32,
    /// Frames in a second of animations that have no rate of their own; `None`: as many as fit one second.
    pub animation_framerate: Option<u32>,
    /// Hit sounds play with the normal sound below them.
    pub layered_hit_sounds: bool,
    /// The hit circle's overlay lies over the number.
    pub overlay_above_number: bool,
    /// The cursor's picture is centred on it.
    pub cursor_centre: bool,
    /// The cursor grows when something is pressed.
    pub cursor_expand: bool,
    /// The cursor turns.
    pub cursor_rotate: bool,
    /// The cursor's trail turns with it.
    pub cursor_trail_rotate: bool,
    /// The slider's ball is flipped on the way back.
    pub slider_ball_flip: bool,
    /// The slider's ball takes the combo's colour.
    pub slider_ball_tint: bool,
    /// The spinner darkens the playfield.
    pub spinner_fade_playfield: bool,
    /// The spinner's bars do not blink.
    pub spinner_no_blink: bool,
    /// The spinner's sound rises.
    pub spinner_frequency_modulate: bool,
    /// Combo colours; empty: the default ones, or the map's.
    pub combo_colours: Vec<Rgb>,
    /// Border of sliders.
    pub slider_border: Option<Rgb>,
    /// Body of sliders; absent: the combo's colour.
    pub slider_track: Option<Rgb>,
    /// Ball of sliders.
    pub slider_ball: Option<Rgb>,
    /// Numbers in the key overlay.
    pub input_overlay_text: Rgb,
    /// Files of the digits of circles begin with this.
    pub hit_circle_prefix: String,
    /// Pixels by which they overlap.
    pub hit_circle_overlap: i32,
    /// Files of the score's digits.
    pub score_prefix: String,
    /// Pixels by which they overlap.
    pub score_overlap: i32,
    /// Files of the combo's digits.
    pub combo_prefix: String,
    /// Pixels by which they overlap.
    pub combo_overlap: i32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: String::new(),
            author: String::new(),
            version: 10,
            animation_framerate: None,
            layered_hit_sounds: true,
            overlay_above_number: true,
            cursor_centre: true,
            cursor_expand: true,
            cursor_rotate: true,
            cursor_trail_rotate: true,
            slider_ball_flip: true,
            slider_ball_tint: false,
            spinner_fade_playfield: false,
            spinner_no_blink: false,
            spinner_frequency_modulate: true,
            combo_colours: Vec::new(),
            slider_border: None,
            slider_track: None,
            slider_ball: None,
            input_overlay_text: [0; 3],
            hit_circle_prefix: "default".to_owned(),
            hit_circle_overlap: -2,
            score_prefix: "score".to_owned(),
            score_overlap: 0,
            combo_prefix: "score".to_owned(),
            combo_overlap: 0,
        }
    }
}

/// The version of a skin without skin.ini, and of one that says `latest`, times ten.
const LATEST: u32 = 27;

/// Combo colours that a skin may have.
pub(super) const MOST_COMBO_COLOURS: usize = 8;

/// Pixels by which digits may overlap, either way.
const MOST_OVERLAP: i32 = 1000;

impl Config {
    /// The settings of a skin that has no skin.ini.
    #[must_use]
    pub fn without_file() -> Self {
        Self { version: LATEST, ..Self::default() }
    }

    /// Reads skin.ini.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut config = Self::default();
        let mut section = Section::Other;
        let mut combos = [None; MOST_COMBO_COLOURS];
        for line in decoded(bytes).lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with("//") {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = Section::of(name);
                continue;
            }
            let line = line.split("//").next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            match section {
                Section::Colours => match key.strip_prefix("combo") {
                    Some(number) => {
                        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                        if let (Some(place), Some(colour)) =
                            (index.and_then(|index| combos.get_mut(index)), colour(value))
                        {
                            *place = Some(colour);
                        }
                    }
                    None => {
                        if let Some(colour) = colour(value) {
                            config.set_colour(&key, colour);
                        }
                    }
                },
                Section::Modes => {}
                Section::General => config.set_general(&key, value),
                Section::Other => config.set(&key, value),
            }
        }
        config.combo_colours = combos.into_iter().flatten().collect();
        config
    }

    /// What only [General] may say.
    fn set_general(&mut self, key: &str, value: &str) {
        match key {
            "name" => value.clone_into(&mut self.name),
            "author" => value.clone_into(&mut self.author),
            "version" => {
                if value.eq_ignore_ascii_case("latest") {
                    self.version = LATEST;
                } else if let Some(version) = tenths(value) {
                    self.version = version;
                }
            }
            _ => self.set(key, value),
        }
    }

    /// What any section may say.
    fn set(&mut self, key: &str, value: &str) {
        let yes = value == "1" || value.eq_ignore_ascii_case("true");
        let overlap = || value.parse::<i32>().ok().map(|overlap| overlap.clamp(-MOST_OVERLAP, MOST_OVERLAP));
        match key {
            "animationframerate" => {
                self.animation_framerate = value.parse::<u32>().ok().filter(|rate| *rate > 0);
            }
            "layeredhitsounds" => self.layered_hit_sounds = yes,
            // The second is how the game itself spelt it for years.
            "hitcircleoverlayabovenumber" | "hitcircleoverlayabovenumer" => self.overlay_above_number = yes,
            "cursorcentre" => self.cursor_centre = yes,
            "cursorexpand" => self.cursor_expand = yes,
            "cursorrotate" => self.cursor_rotate = yes,
            "cursortrailrotate" => self.cursor_trail_rotate = yes,
            "sliderballflip" => self.slider_ball_flip = yes,
            "allowsliderballtint" => self.slider_ball_tint = yes,
            "spinnerfadeplayfield" => self.spinner_fade_playfield = yes,
            "spinnernoblink" => self.spinner_no_blink = yes,
            "spinnerfrequencymodulate" => self.spinner_frequency_modulate = yes,
            "hitcircleprefix" => self.hit_circle_prefix = prefix(value),
            "scoreprefix" => self.score_prefix = prefix(value),
            "comboprefix" => self.combo_prefix = prefix(value),
            "hitcircleoverlap" => self.hit_circle_overlap = overlap().unwrap_or(self.hit_circle_overlap),
            "scoreoverlap" => self.score_overlap = overlap().unwrap_or(self.score_overlap),
            "combooverlap" => self.combo_overlap = overlap().unwrap_or(self.combo_overlap),
            _ => {}
        }
    }

    /// A colour that has a name, in lower case.
    pub(super) fn set_colour(&mut self, name: &str, colour: Rgb) {
        match name {
            "sliderborder" => self.slider_border = Some(colour),
            "slidertrackoverride" => self.slider_track = Some(colour),
            "sliderball" => self.slider_ball = Some(colour),
            "inputoverlaytext" => self.input_overlay_text = colour,
            _ => {}
        }
    }
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    General,
    Colours,
    /// Of one mode, with keys of its own: [Mania], [CatchTheBeat].
    Modes,
    /// [Fonts], and sections that are not known.
    Other,
}

impl Section {
    fn of(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "general" => Self::General,
            "colours" | "colors" => Self::Colours,
            "mania" | "catchthebeat" => Self::Modes,
            _ => Self::Other,
        }
    }
}

/// `2.7` as 27; what is after the first decimal does not count.
fn tenths(value: &str) -> Option<u32> {
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    let tenth = part.chars().next().unwrap_or('0').to_digit(10)?;
    Some(whole.parse::<u32>().ok()?.min(1000) * 10 + tenth)
}

/// `255,128,0`, with or without an opacity, which is not used.
fn colour(value: &str) -> Option<Rgb> {
    let numbers: Option<Vec<u8>> = value.split(',').map(|number| number.trim().parse().ok()).collect();
    match numbers?.as_slice() {
        [r, g, b] | [r, g, b, _] => Some([*r, *g, *b]),
        _ => None,
    }
}

/// How the files of a font begin, with `/` between folders.
fn prefix(value: &str) -> String {
    value.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let config = Config::read(
            b"[General]\r\nName: Night // of the year\r\nAuthor:somebody\r\nVersion: 2.5\r\nSliderBallFlip: 0\r\n\
            CursorRotate: 0\r\nAnimationFramerate: 24\r\nHitCircleOverlayAboveNumer: 0\r\nAllowSliderBallTint: 1\r\n\
            // Comment: 1\r\nNotKnown: 3\r\nno colon\r\n\
            [Colours]\r\nCombo2: 4,5,6\r\nCombo1: 1,2,3,255\r\nCombo9: 9,9,9\r\nCombo3: 256,0,0\r\nSliderBorder: 10, 20, 30\r\n\
            SliderTrackOverride:0,0,0\r\nCursorExpand: 0\r\n\
            [Fonts]\r\nHitCirclePrefix: fonts\\numbers\\n\r\nHitCircleOverlap: 12\r\nScoreOverlap: x\r\n\
            [Mania]\r\nKeys: 4\r\nHitCircleOverlap: 99\r\nCombo1: 9,9,9\r\n\
            [general]\r\nAuthor: else\r\n",
        );
        let expected = Config {
            name: "Night".to_owned(),
            author: "else".to_owned(),
            version: 25,
            animation_framerate: Some(24),
            overlay_above_number: false,
            cursor_rotate: false,
            slider_ball_flip: false,
            slider_ball_tint: true,
            combo_colours: vec![[1, 2, 3], [4, 5, 6]],
            slider_border: Some([10, 20, 30]),
            slider_track: Some([0; 3]),
            hit_circle_prefix: "fonts/numbers/n".to_owned(),
            hit_circle_overlap: 12,
            ..Config::default()
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn versions_are_what_the_game_takes_them_for() {
        for (value, version) in
            [("1", 10), ("1.0", 10), ("2.", 20), ("2.7", 27), ("2.25", 22), ("latest", 27), ("?", 10)]
        {
            let text = format!("[General]\nVersion: {value}");
            assert_eq!(Config::read(text.as_bytes()).version, version, "{value}");
        }
        assert_eq!(Config::read(b"").version, 10, "a file that says none");
        assert_eq!(Config::without_file().version, 27, "no file");
    }

    #[test]
    fn every_encoding_is_read() {
        let text = "[General]\nName: \u{65b0}\n";
        let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        let files = [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [vec![0xff, 0xfe], wide(u16::to_le_bytes)].concat(),
            [vec![0xfe, 0xff], wide(u16::to_be_bytes)].concat(),
        ];
        for file in files {
            assert_eq!(Config::read(&file).name, "\u{65b0}");
        }
        let config = Config::read(b"[General]\nName: caf\xe9\nVersion: 2");
        assert_eq!((config.name.as_str(), config.version), ("caf\u{fffd}", 20), "an old one of Windows");
    }

    #[test]
    fn numbers_are_bounded() {
        let config =
            Config::read(b"ScoreOverlap: 2147483647\nComboOverlap: -2147483648\nAnimationFramerate: -1");
        assert_eq!(
            (config.score_overlap, config.combo_overlap, config.animation_framerate),
            (1000, -1000, None)
        );
    }
}
