//! Legacy skins as whole archives: which files stand for which element, and what is refused.

use contracts::replay::ReplayOptions;
use replay::{
    archive::Archive,
    beatmap::Beatmap,
    error::{About, ReplayError},
    limits::Limits,
    skin::Skin,
    testing::{files, maps},
};

const RED: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];

fn png(width: u32, height: u32, pixel: [u8; 4]) -> Vec<u8> {
    files::png(width, height, |_, _| pixel).unwrap()
}

fn archive(about: About, content: Vec<(&str, Vec<u8>)>) -> Archive {
    Archive::open(files::zip(content).unwrap(), about, &Limits::default()).unwrap()
}

fn skin(content: Vec<(&str, Vec<u8>)>) -> Skin {
    Skin::open(Some(archive(About::Skin, content)), None, &ReplayOptions::default(), &Limits::default())
        .unwrap()
}

/// Size of each frame and its first pixel, and the density.
fn seen(skin: &Skin, name: &str) -> (Vec<(u32, u32, [u8; 4])>, u32) {
    let element = skin.element(name).unwrap_or_else(|| panic!("{name} is not there"));
    let frames = element.frames.iter().map(|frame| (frame.width, frame.height, frame.pixels[0]));
    (frames.collect(), element.density)
}

#[test]
fn the_picture_for_large_screens_is_preferred() {
    let skin = skin(vec![
        ("hitcircle.png", png(4, 4, RED)),
        ("hitcircle@2x.png", png(8, 8, GREEN)),
        ("approachcircle.png", png(6, 6, BLUE)),
        ("cursor@2x.png", b"no picture".to_vec()),
        ("cursor.png", png(3, 3, RED)),
    ]);
    assert_eq!(seen(&skin, "hitcircle"), (vec![(8, 8, GREEN)], 2));
    assert_eq!(seen(&skin, "approachcircle"), (vec![(6, 6, BLUE)], 1));
    assert_eq!(seen(&skin, "cursor"), (vec![(3, 3, RED)], 1), "one that cannot be read is not there");
    assert!(skin.element("reversearrow").is_none(), "the default is drawn");
}

#[test]
fn names_are_found_in_any_case_and_below_a_folder() {
    let skin = skin(vec![
        ("My Skin/SKIN.INI", b"[General]\nName: Folder\nVersion: 2.2\n".to_vec()),
        ("My Skin/HitCircle.PNG", png(4, 4, RED)),
        ("My Skin/hit300.jpg", png(5, 5, GREEN)),
    ]);
    assert_eq!((skin.config.name.as_str(), skin.config.version), ("Folder", 22));
    assert_eq!(seen(&skin, "hitcircle").0, [(4, 4, RED)]);
    assert_eq!(seen(&skin, "hit300").0, [(5, 5, GREEN)], "a PNG that is called a JPEG");
}

#[test]
fn animations_beat_single_pictures_and_end_where_a_number_is_missing() {
    let skin = skin(vec![
        ("skin.ini", b"[General]\nAnimationFramerate: 20\n".to_vec()),
        ("hit300.png", png(9, 9, RED)),
        ("hit300-0.png", png(1, 2, RED)),
        ("hit300-1.png", png(2, 2, GREEN)),
        ("hit300-3.png", png(3, 2, BLUE)),
        ("sliderb.png", png(9, 9, RED)),
        ("sliderb0.png", png(4, 4, GREEN)),
        ("sliderb1@2x.png", png(8, 8, BLUE)),
        ("followpoint-0.png", png(4, 4, GREEN)),
        ("followpoint-1.png", png(4, 4, BLUE)),
        ("hitcircle-0.png", png(4, 4, GREEN)),
    ]);
    assert_eq!(seen(&skin, "hit300").0, [(1, 2, RED), (2, 2, GREEN)]);
    assert_eq!(seen(&skin, "sliderb"), (vec![(4, 4, GREEN), (4, 4, BLUE)], 1), "frames of one density");
    assert_eq!(skin.element("followpoint").unwrap().frame_milliseconds, 50, "by the skin's rate");
    assert_eq!(skin.element("hit300").unwrap().frame_milliseconds, 17, "sixty in a second");
    assert!(skin.element("hitcircle").is_none(), "circles have no animation");
}

#[test]
fn animations_without_a_rate_take_a_second() {
    let content = ["followpoint-0.png", "followpoint-1.png", "followpoint-2.png", "followpoint-3.png"];
    let skin = skin(content.iter().map(|name| (*name, png(2, 2, RED))).collect());
    assert_eq!(skin.element("followpoint").unwrap().frame_milliseconds, 250);
}

#[test]
fn fonts_may_lie_in_folders_and_share_their_files() {
    let skin = skin(vec![
        (
            "skin.ini",
            b"[Fonts]\nHitCirclePrefix: numbers\\big\nScorePrefix: num/s\nComboPrefix: num/s\n".to_vec(),
        ),
        ("numbers/big-7@2x.png", png(8, 10, RED)),
        ("default-7.png", png(3, 3, GREEN)),
        ("num/s-x.png", png(5, 6, BLUE)),
        ("num/s-percent.png", png(6, 6, BLUE)),
    ]);
    assert_eq!(seen(&skin, &format!("{}-7", skin.config.hit_circle_prefix)), (vec![(8, 10, RED)], 2));
    assert_eq!(seen(&skin, &format!("{}-x", skin.config.combo_prefix)).0, [(5, 6, BLUE)]);
    assert_eq!(seen(&skin, &format!("{}-percent", skin.config.score_prefix)).0, [(6, 6, BLUE)]);
    assert!(skin.element("default-7").is_none(), "the skin names another font");
}

#[test]
fn an_empty_picture_hides() {
    let skin = skin(vec![
        ("hit300.png", png(1, 1, [0; 4])),
        ("followpoint-0.png", png(1, 1, [9, 9, 9, 0])),
        ("hitcircle.png", png(4, 4, RED)),
        ("sliderendcircleoverlay.png", png(4, 4, RED)),
    ]);
    assert!(skin.element("hit300").unwrap().frames.is_empty());
    assert!(skin.element("followpoint").unwrap().frames.is_empty());
    assert!(
        skin.element("hitcircleoverlay").unwrap().frames.is_empty(),
        "no default border on a skin's circle"
    );
    assert_eq!(seen(&skin, "sliderendcircleoverlay").0, [(4, 4, RED)]);
}

#[test]
fn a_map_brings_its_own_looks() {
    let map_files = archive(
        About::Map,
        vec![
            ("hitcircle.png", png(4, 4, BLUE)),
            ("default-1.png", png(2, 2, BLUE)),
            ("background.png", png(2, 2, BLUE)),
            ("cursor.png", png(30_000, 3, BLUE)),
        ],
    );
    let map = Beatmap::read(maps::EVERYTHING.as_bytes(), &Limits::default()).unwrap();
    let osk = || {
        archive(
            About::Skin,
            vec![
                ("skin.ini", b"[Colours]\nCombo1: 1,1,1\nSliderBorder: 2,2,2\n".to_vec()),
                ("hitcircle@2x.png", png(8, 8, RED)),
                ("hitcircleoverlay.png", png(8, 8, RED)),
                ("default-1.png", png(3, 3, RED)),
                ("default-2.png", png(3, 3, RED)),
                ("cursor.png", png(3, 3, RED)),
                ("normal-hitnormal.wav", Vec::new()),
            ],
        )
    };
    let limits = Limits { image_pixels: 10_000, ..Limits::default() };
    let mut options = ReplayOptions::default();
    let skin = Skin::open(Some(osk()), Some((&map_files, &map)), &options, &limits).unwrap();
    assert_eq!(seen(&skin, "hitcircle"), (vec![(4, 4, BLUE)], 1));
    assert!(skin.element("hitcircleoverlay").unwrap().frames.is_empty(), "the border of another circle");
    assert_eq!(seen(&skin, "default-1").0, [(2, 2, BLUE)]);
    assert_eq!(seen(&skin, "default-2").0, [(3, 3, RED)]);
    assert_eq!(seen(&skin, "cursor").0, [(3, 3, RED)], "the map's is too large");
    let map_colours: Vec<[u8; 3]> =
        map.map.custom_combo_colors.iter().map(|colour| [colour.0[0], colour.0[1], colour.0[2]]).collect();
    assert!(!map_colours.is_empty());
    assert_eq!(skin.combo_colours(), map_colours);
    assert_eq!(skin.config.slider_border, Some([2, 2, 2]));
    assert!(skin.sounds.unwrap().has("normal-hitnormal.wav") && skin.map.unwrap().has("background.png"));

    options.play.map_skin = false;
    options.play.map_colours = false;
    options.sound.map_samples = false;
    let skin = Skin::open(Some(osk()), Some((&map_files, &map)), &options, &limits).unwrap();
    assert_eq!(seen(&skin, "hitcircle"), (vec![(8, 8, RED)], 2));
    assert_eq!(seen(&skin, "hitcircleoverlay").0, [(8, 8, RED)]);
    assert_eq!(skin.combo_colours(), [[1, 1, 1]]);
    assert!(skin.map.is_none());
}

#[test]
fn only_what_the_mode_can_use_is_decoded() {
    let osk = || {
        archive(
            About::Skin,
            vec![
                ("mania-note1.png", png(4, 4, RED)),
                ("taikohitcircle.png", png(4, 4, RED)),
                ("hitcircle.png", png(4, 4, RED)),
                ("scorebar-bg.png", png(4, 4, RED)),
                ("menu-background.png", png(4, 4, RED)),
            ],
        )
    };
    let names = |map: Option<&str>| {
        let map = map.map(|map| Beatmap::read(map.as_bytes(), &Limits::default()).unwrap());
        let files = Archive::of([], About::Map, &Limits::default());
        let map = map.as_ref().map(|map| (&files, map));
        let skin = Skin::open(Some(osk()), map, &ReplayOptions::default(), &Limits::default()).unwrap();
        skin.elements
            .into_iter()
            .filter(|(_, element)| !element.frames.is_empty())
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(Some(maps::CIRCLES)), ["hitcircle", "scorebar-bg"]);
    assert_eq!(names(Some(maps::TAIKO)), ["scorebar-bg", "taikohitcircle"]);
    assert_eq!(names(Some(maps::MANIA)), ["mania-note1", "scorebar-bg"]);
    assert_eq!(names(None), ["hitcircle", "mania-note1", "scorebar-bg", "taikohitcircle"]);
}

#[test]
fn pictures_beyond_the_limits_are_refused() {
    let open = |limits: Limits| {
        let content = vec![("cursor.png", png(100, 100, RED)), ("hitcircle.png", png(100, 100, RED))];
        Skin::open(Some(archive(About::Skin, content)), None, &ReplayOptions::default(), &limits)
    };
    let refused = |limits: Limits| match open(limits) {
        Err(error @ ReplayError::SkinCorrupt { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(open(Limits { image_pixels: 10_000, images_pixels: 20_000, ..Limits::default() }).is_ok());
    assert!(refused(Limits { image_pixels: 9_999, ..Limits::default() }).contains("100 x 100"));
    assert!(refused(Limits { images_pixels: 19_999, ..Limits::default() }).contains("hitcircle"));
}

#[test]
fn without_a_skin_the_newest_rules_hold() {
    let skin = Skin::open(None, None, &ReplayOptions::default(), &Limits::default()).unwrap();
    assert!(skin.elements.is_empty() && skin.sounds.is_none() && skin.map.is_none());
    assert_eq!((skin.config.version, skin.combo_colours().len()), (27, 4));
}
