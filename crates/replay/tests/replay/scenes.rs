//! Whole productions without what lies over the play, and their pictures.

use contracts::replay::{HudOptions, ReplayOptions};
use replay::{
    draw::{Picture, letters::Strokes},
    limits::Limits,
    production::{Easel, Inputs, Production},
    testing::{
        files::osz,
        osr,
        player::{Plan, play},
    },
};

/// A map that is played that way, at 640 x 360 and 240 pictures in a second, on black.
pub fn open(map: &str, plan: &Plan) -> Production {
    let replay = osr::write(&play(map.as_bytes(), plan).unwrap()).unwrap();
    let mut options = ReplayOptions::default();
    (options.video.width, options.video.height, options.video.frame_rate) = (640, 360, 240);
    options.background.image = false;
    options.results_seconds = 0;
    options.hud = HudOptions {
        score: false,
        combo: false,
        accuracy: false,
        life: false,
        keys: false,
        hit_errors: false,
        pp: false,
        counts: false,
        strains: false,
        mods: false,
        progress: false,
        names: false,
        ..HudOptions::default()
    };
    let inputs = Inputs { replay, map: osz(&[("a.osu", map)], 12).unwrap(), ..Inputs::default() };
    Production::open(inputs, &options, Box::new(Strokes), &Limits::default()).unwrap()
}

/// The picture that is seen at so many milliseconds of the map.
pub fn at(production: &Production, milliseconds: i64) -> Picture {
    let (width, height) = production.size();
    let mut picture = Picture::new(width, height);
    let frame = production.clock().frame_at(milliseconds * 1000);
    production.frame(frame, &mut Easel::default(), &mut |_| None, &mut picture);
    picture
}
