//! skin.ini: what it says, with its defaults.

use crate::draw::Rgb;

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
