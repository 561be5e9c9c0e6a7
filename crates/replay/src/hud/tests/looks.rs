//! Legacy skins: their digits, bar, keys and signs stand where ours would.

use std::sync::Arc;

use super::{fixture::Fixture, *};
use crate::{
    draw::{Image, Rgb},
    skin::Element,
};

const RED: Rgb = [255, 0, 0];
const BLUE: Rgb = [0, 0, 255];

fn element(width: u32, height: u32, [r, g, b]: Rgb) -> Arc<Element> {
    let frame = Image::of(width, height, |_, _| [r, g, b, 255]);
    Arc::new(Element { frames: vec![frame], density: 1, frame_milliseconds: 0 })
}

/// Pixels of a plane of colours that are as strong as can be, by their columns.
fn strong(plane: &[u8], width: usize) -> Vec<usize> {
    let found = plane.iter().enumerate().filter(|(_, value)| **value > 230);
    found.map(|(index, _)| index % (width / 2)).collect()
}

fn drawn_at(fixture: &Fixture, at: i64) -> Picture {
    let mut picture = Picture::new(1280, 720);
    Hud::new(&fixture.stage()).draw(fixture.moment(at), &mut picture);
    picture
}

#[test]
fn a_skins_digits_are_used_where_it_has_all_ten() {
    let mut fixture = Fixture::new(crate::osr::Mode::Standard, (1280, 720));
    fixture.all_off();
    fixture.options.hud.score = true;
    for digit in 0..9 {
        fixture.skin.elements.insert(format!("score-{digit}"), element(40, 48, RED));
    }
    assert!(strong(&drawn_at(&fixture, 5_000_000).v, 1280).is_empty(), "a digit is missing");
    fixture.skin.elements.insert("score-9".to_owned(), element(40, 48, RED));
    fixture.skin.config.score_overlap = 4;
    let picture = drawn_at(&fixture, 5_000_000);
    let columns = strong(&picture.v, 1280);
    let (from, to) = (columns.iter().min().unwrap() * 2, columns.iter().max().unwrap() * 2);
    // Eight digits of 40 units of 768 less their overlaps, at 0.96; the filling zeros are faint.
    assert!(to > 1260 && (1000..1266).contains(&from), "{from} {to}");
}

#[test]
fn a_skins_life_bar_is_as_long_as_life_is() {
    let mut fixture = Fixture::new(crate::osr::Mode::Standard, (1280, 720));
    fixture.all_off();
    fixture.options.hud.life = true;
    fixture.skin.elements.insert("scorebar-bg".to_owned(), element(640, 40, [40; 3]));
    fixture.skin.elements.insert("scorebar-colour".to_owned(), element(512, 16, BLUE));
    let length = |at: i64| {
        let columns = strong(&drawn_at(&fixture, at).u, 1280);
        (columns.iter().max().unwrap() - columns.iter().min().unwrap() + 1) * 2
    };
    let (whole, part) = (length(5_000_000), length(26_000_000));
    assert!(whole.abs_diff(512 * 720 / 768) <= 4, "{whole}");
    assert!(part.abs_diff(whole / 5) <= 4, "{part}");
}

#[test]
fn a_skins_keys_stand_at_the_side() {
    let mut fixture = Fixture::new(crate::osr::Mode::Standard, (1280, 720));
    fixture.all_off();
    fixture.options.hud.keys = true;
    fixture.skin.elements.insert("inputoverlay-key".to_owned(), element(46, 46, BLUE));
    fixture.skin.elements.insert("inputoverlay-background".to_owned(), element(193, 55, RED));
    let picture = drawn_at(&fixture, 5_300_000);
    let (keys, background) = (strong(&picture.u, 1280), strong(&picture.v, 1280));
    assert!(!keys.is_empty() && keys.iter().all(|column| *column > 600));
    assert!(!background.is_empty() && background.iter().all(|column| *column > 600));
}

#[test]
fn hidden_elements_hide() {
    let mut fixture = Fixture::new(crate::osr::Mode::Standard, (1280, 720));
    fixture.all_off();
    fixture.options.hud.life = true;
    fixture.skin.elements.insert("scorebar-bg".to_owned(), Arc::new(Element::hidden()));
    fixture.skin.elements.insert("scorebar-colour".to_owned(), Arc::new(Element::hidden()));
    assert!(drawn_at(&fixture, 5_000_000) == Picture::new(1280, 720));
}
