//! Backgrounds and storyboards as whole maps: what is seen at which moment, and what is refused. Some pictures are written to
//! `target/tmp` to be looked at.

use std::path::Path;

use contracts::replay::ReplayOptions;
use replay::{
    archive::Archive,
    backdrop::Backdrop,
    beatmap::Beatmap,
    draw::{Image, Picture, Text, yuv},
    error::{About, ReplayError},
    limits::Limits,
    mods::Mods,
    osr::Replay,
    play::{Event, EventKind, Hit, Play},
    skin::Skin,
    stage::{Layout, Moment, Stage},
    storyboard::{self, script::Layer},
    testing::{
        files,
        player::{self, Plan},
    },
    time::{Clock, Micros, Speed},
};

struct NoText;

impl Text for NoText {
    fn line(&self, _: &str, _: u32, _: u32, _: bool) -> Image {
        Image::empty(1, 1)
    }
}

/// All that a stage is made of.
struct Set {
    replay: Replay,
    map: Beatmap,
    files: Archive,
    mods: Mods,
    play: Play,
    skin: Skin,
    options: ReplayOptions,
    layout: Layout,
    limits: Limits,
}

impl Set {
    /// A map with these lines in [General] and [Events], and these files besides. Its objects are at 3 and 12 seconds, with a break
    /// from 5 to 9; approach rate 5.
    fn new(general: &str, events: &str, content: Vec<(&str, Vec<u8>)>) -> Self {
        let text = format!(
            "osu file format v14\n\n[General]\nMode: 0\n{general}\n\n[Difficulty]\nApproachRate:5\nHPDrainRate:5\nCircleSize:4\n\
            OverallDifficulty:5\nSliderMultiplier:1\nSliderTickRate:1\n\n[Events]\n{events}\n2,5000,9000\n\n\
            [TimingPoints]\n0,500,4,1,0,80,1,0\n\n[HitObjects]\n100,100,3000,1,8,0:0:0:0:\n100,100,12000,1,0,0:0:0:0:\n"
        );
        let limits = Limits::default();
        let map = Beatmap::read(text.as_bytes(), &limits).unwrap();
        let replay = player::play(text.as_bytes(), &Plan::default()).unwrap();
        let mods = Mods::of(&replay).unwrap();
        let files = Archive::open(files::zip(content).unwrap(), About::Map, &limits).unwrap();
        let mut options = ReplayOptions::default();
        options.background.dim_intro = 0;
        options.background.dim = 80;
        options.background.dim_breaks = 50;
        let layout = Layout { width: 320, height: 180 };
        Self {
            replay,
            map,
            files,
            mods,
            play: Play::default(),
            skin: Skin::default(),
            options,
            layout,
            limits,
        }
    }

    /// As it is, whatever the play is in.
    fn bright(mut self) -> Self {
        self.options.background.dim = 0;
        self.options.background.dim_breaks = 0;
        self
    }

    fn open(&self) -> Result<Backdrop, ReplayError> {
        let stage = Stage {
            replay: &self.replay,
            map: &self.map,
            files: &self.files,
            mods: &self.mods,
            play: &self.play,
            skin: &self.skin,
            options: &self.options,
            layout: self.layout,
            clock: Clock { first: 0, rate: (60, 1), speed: Speed::NORMAL },
            span: (0, 15_000_000),
            text: &NoText,
        };
        Backdrop::new(&stage, &self.limits)
    }

    /// What is behind the play at a millisecond, drawn over something green.
    fn at(&self, at: i64) -> Picture {
        self.draw(&self.open().unwrap(), at, None)
    }

    fn draw(&self, backdrop: &Backdrop, at: i64, video: Option<&Picture>) -> Picture {
        let mut picture = Picture::new(self.layout.width, self.layout.height);
        picture.fill([0, 255, 0]);
        backdrop.draw(moment(at), video, &mut picture);
        picture
    }
}

fn moment(at: i64) -> Moment {
    Moment { at: at * 1000, shown: at * 1000 }
}

fn png(width: u32, height: u32, pixel: [u8; 4]) -> Vec<u8> {
    files::png(width, height, |_, _| pixel).unwrap()
}

/// Brightness, blue and red difference of a pixel.
fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let half = (y / 2 * (picture.width / 2) + x / 2) as usize;
    [picture.y[(y * picture.width + x) as usize], picture.u[half], picture.v[half]]
}

#[track_caller]
fn assert_near(found: [u8; 3], rgb: [u8; 3], what: &str) {
    let wanted = yuv(rgb);
    let near = found.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) <= 2);
    assert!(near, "{what}: {found:?}, not {wanted:?}");
}

/// The average brightness, above black.
fn light(picture: &Picture) -> f64 {
    picture.y.iter().map(|y| f64::from(*y) - 16.0).sum::<f64>() / picture.y.len() as f64
}

/// Writes a picture to be looked at.
fn look(picture: &Picture, name: &str) {
    let image = image::RgbImage::from_fn(picture.width, picture.height, |x, y| {
        let [y, u, v] = pixel(picture, x, y).map(f32::from);
        let (y, u, v) = ((y - 16.0) * 1.1644, u - 128.0, v - 128.0);
        let rgb = [y + 1.7927 * v, y - 0.2132 * u - 0.5329 * v, y + 2.1124 * u];
        image::Rgb(rgb.map(|value| value.clamp(0.0, 255.0) as u8))
    });
    image.save(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"))).unwrap();
}

const BACKGROUND: &str = "0,0,\"bg.png\",0,0";

fn grey_background(events: &str, more: Vec<(&'static str, Vec<u8>)>) -> Set {
    let mut content = vec![("bg.png", png(64, 36, [200, 200, 200, 255]))];
    content.extend(more);
    Set::new("WidescreenStoryboard: 1", &format!("{BACKGROUND}\n{events}"), content)
}

#[test]
fn the_background_is_as_dark_as_the_play_wants_it() {
    let set = grey_background("", vec![]);
    let backdrop = set.open().unwrap();
    let full = f64::from(yuv([200; 3])[0]) - 16.0;
    for (at, share) in [
        (0, 1.0),
        (1400, 1.0),
        (1600, 0.6),
        (1800, 0.2),
        (4990, 0.2),
        (5200, 0.35),
        (7000, 0.5),
        (8800, 0.35),
        (9000, 0.2),
        (60_000, 0.2),
    ] {
        let found = light(&set.draw(&backdrop, at, None)) / full;
        assert!((found - share).abs() < 0.01, "at {at}: {found}, not {share}");
    }
}

#[test]
fn the_background_covers_the_picture_and_can_be_blurred() {
    let mut set = Set::new("", BACKGROUND, vec![("bg.png", files::background().unwrap())]).bright();
    let sharp = set.at(0);
    assert_eq!(pixel(&sharp, 160, 20)[0], 235, "the cross is in the middle");
    set.options.background.blur = 50;
    let blurred = set.at(0);
    assert!(pixel(&blurred, 160, 20)[0] < 140 && (light(&blurred) - light(&sharp)).abs() < 2.0);
    set.options.background.blur = 0;
    set.layout = Layout { width: 300, height: 300 };
    let square = set.at(0);
    look(&square, "background-square");
    assert_eq!((pixel(&square, 150, 30)[0], pixel(&square, 30, 150)[0]), (235, 235));
    set.layout = Layout { width: 1280, height: 720 };
    set.options.background.dim_intro = 90;
    look(&set.at(0), "background-dark");
}

#[test]
fn without_an_image_there_is_a_calm_gradient() {
    let missing = Set::new("", BACKGROUND, vec![("other.png", Vec::new())]);
    let broken = Set::new("", BACKGROUND, vec![("bg.png", b"\x89PNG\r\n\x1a\nnothing".to_vec())]);
    let none = Set::new("", "", vec![]);
    let mut unwanted = grey_background("", vec![]);
    unwanted.options.background.image = false;
    let mut large = grey_background("", vec![]);
    large.limits.image_pixels = 64 * 36 - 1;
    let gradient = none.at(0);
    look(&gradient, "background-none");
    assert!(light(&gradient) > 3.0 && light(&gradient) < 40.0);
    for (set, what) in
        [(missing, "missing"), (broken, "broken"), (unwanted, "unwanted"), (large, "too large")]
    {
        for at in [0, 4000, 7000] {
            assert_eq!(set.at(at), gradient, "{what} at {at}");
        }
    }
}

#[test]
fn a_video_is_darkened_instead_of_the_image() {
    let set = grey_background("", vec![]);
    let backdrop = set.open().unwrap();
    let mut video = Picture::new(320, 180);
    video.fill([0, 0, 200]);
    for (at, share) in [(0, 200), (4000, 40), (7000, 100)] {
        let found = set.draw(&backdrop, at, Some(&video));
        assert_near(pixel(&found, 100, 100), [0, 0, share], &format!("at {at}"));
    }
    let other = Picture::new(160, 90);
    assert_eq!(
        set.draw(&backdrop, 0, Some(&other)),
        set.draw(&backdrop, 0, None),
        "of another size it is none"
    );
}

#[test]
fn breaks_have_bars_where_the_map_wants_them() {
    let set = Set::new("LetterboxInBreaks: 1", BACKGROUND, vec![("bg.png", png(64, 36, [200; 4]))]).bright();
    let backdrop = set.open().unwrap();
    let bars = |at: i64| {
        let picture = set.draw(&backdrop, at, None);
        let black: Vec<u32> = (0..180).filter(|y| pixel(&picture, 160, *y)[0] == 16).collect();
        let below = black.iter().filter(|y| **y >= 90).count();
        (black.len() - below, below)
    };
    assert_eq!(
        [0, 4900, 5200, 7000, 8800, 9000].map(bars),
        [(0, 0), (0, 0), (8, 8), (18, 18), (8, 8), (0, 0)]
    );
}

const RED: [u8; 4] = [255, 0, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const WHITE: [u8; 4] = [255, 255, 255, 255];

#[test]
fn sprites_lie_where_their_origins_say() {
    // 320 x 180 pixels: 3/8 of one for each unit. Forty units are fifteen pixels.
    for (origin, left, top) in [
        ("TopLeft", 0, 0),
        ("TopCentre", -1, 0),
        ("TopRight", -2, 0),
        ("CentreLeft", 0, -1),
        ("Centre", -1, -1),
        ("CentreRight", -2, -1),
        ("BottomLeft", 0, -2),
        ("BottomCentre", -1, -2),
        ("BottomRight", -2, -2),
    ] {
        for flip in ["", " P,0,0,,H\n P,0,0,,V\n"] {
            let events = format!("Sprite,Foreground,{origin},\"w.png\",320,240\n F,0,0,9000,1\n{flip}");
            let set = grey_background(&events, vec![("w.png", png(40, 40, WHITE))]).bright();
            let picture = set.at(1000);
            let middle = (160 + left * 75 / 10 + 7, 90 + top * 75 / 10 + 7);
            assert_near(pixel(&picture, middle.0 as u32, middle.1 as u32), [255; 3], origin);
            let white = picture.y.iter().filter(|y| **y == 235).count();
            assert!((14 * 14..=16 * 16).contains(&white), "{origin}{flip}: {white}");
        }
    }
}

#[test]
fn commands_move_what_is_seen() {
    let events = "Sprite,Background,Centre,\"w.png\",0,0\n F,0,1000,2000,0,1\n M,0,1000,3000,160,240,480,240\n\
        \x20C,0,2000,3000,255,255,255,255,0,0\n V,0,3000,3000,2,1\n R,0,0,,0\n R,0,3500,3500,1.5707963\n F,0,4000,4500,1,0\n";
    let set = grey_background(events, vec![("w.png", png(80, 80, WHITE))]).bright();
    let backdrop = set.open().unwrap();
    let at = |time: i64, x: u32, y: u32| pixel(&set.draw(&backdrop, time, None), x, y);
    let grey = [200; 3];
    assert_near(at(999, 100, 90), grey, "not yet");
    // Half seen, a quarter of the way.
    assert_near(at(1500, 130, 90), [228; 3], "fading in");
    assert_near(at(2500, 190, 90), [255, 128, 128], "on its way, becoming red");
    assert_near(at(3200, 220, 90), [255, 0, 0], "there");
    assert_near(at(3200, 220 - 28, 90), [255, 0, 0], "wide");
    assert_near(at(3200, 220, 90 - 20), grey, "not high");
    assert_near(at(3700, 220, 90 - 28), [255, 0, 0], "turned");
    assert_near(at(3700, 220 - 20, 90), grey, "turned");
    assert_near(at(4250, 220, 90), [228, 100, 100], "fading out");
    assert_near(at(4500, 220, 90), grey, "gone");
    look(&set.draw(&backdrop, 2500, None), "storyboard-commands");
}

#[test]
fn layers_lie_over_each_other_and_those_of_failing_are_not_seen() {
    let sprite =
        |layer: &str, file: &str| format!("Sprite,{layer},Centre,\"{file}.png\",320,240\n F,0,0,20000,1\n");
    let events = sprite("Overlay", "w")
        + &sprite("Foreground", "b")
        + &sprite("Fail", "w")
        + &sprite("Background", "r");
    let content =
        vec![("w.png", png(40, 40, WHITE)), ("b.png", png(80, 80, BLUE)), ("r.png", png(160, 160, RED))];
    let set = grey_background(&events, content);
    let backdrop = set.open().unwrap();
    let mut picture = set.draw(&backdrop, 0, None);
    assert_near(pixel(&picture, 160, 90), [0, 0, 255], "in front");
    assert_near(pixel(&picture, 160 + 20, 90), [255, 0, 0], "behind");
    backdrop.draw_over(moment(0), &mut picture);
    assert_near(pixel(&picture, 160, 90), [255; 3], "over the play");
    // In the play all of it is dark.
    let mut picture = set.draw(&backdrop, 4000, None);
    assert_near(pixel(&picture, 160 + 20, 90), [51, 0, 0], "behind, darkened");
    backdrop.draw_over(moment(4000), &mut picture);
    assert_near(pixel(&picture, 160, 90), [51; 3], "over the play, darkened");
}

#[test]
fn a_storyboard_that_shows_the_background_replaces_it() {
    let events = "Sprite,Background,Centre,\"BG.png\",320,240\n F,0,1000,2000,1\n S,0,1000,2000,5\n";
    let set = grey_background(events, vec![]).bright();
    assert_near(pixel(&set.at(0), 160, 90), [0; 3], "before");
    assert_near(pixel(&set.at(1500), 160, 90), [200; 3], "shown");
    assert_near(pixel(&set.at(1500), 20, 90), [0; 3], "beside");
    assert_near(pixel(&set.at(3000), 160, 90), [0; 3], "after");
    let mut without = grey_background(events, vec![]).bright();
    without.options.background.storyboard = false;
    assert_near(pixel(&without.at(0), 20, 90), [200; 3], "without the storyboard");
}

#[test]
fn narrow_storyboards_are_seen_in_the_middle_alone() {
    let events =
        format!("{BACKGROUND}\nSprite,Background,Centre,\"w.png\",320,240\n F,0,0,9000,1\n S,0,0,,2000\n");
    let content = || vec![("bg.png", png(64, 36, [200, 200, 200, 255])), ("w.png", png(1, 1, RED))];
    let narrow = Set::new("WidescreenStoryboard: 0", &events, content()).bright().at(500);
    let wide = Set::new("WidescreenStoryboard: 1", &events, content()).bright().at(500);
    for (x, inside) in [(0, false), (39, false), (41, true), (278, true), (281, false), (319, false)] {
        assert_near(
            pixel(&narrow, x, 100),
            if inside { [255, 0, 0] } else { [200; 3] },
            &format!("narrow at {x}"),
        );
        assert_near(pixel(&wide, x, 100), [255, 0, 0], &format!("wide at {x}"));
    }
}

#[test]
fn animations_show_one_picture_after_the_other() {
    let events = "Animation,Background,Centre,\"a.png\",160,240,3,100,LoopForever\n F,0,1000,9000,1\n\
        Animation,Background,Centre,\"a.png\",480,240,3,100,LoopOnce\n F,0,1000,9000,1\n";
    let content =
        vec![("a0.png", png(40, 40, RED)), ("a1.png", png(40, 40, BLUE)), ("a2.png", png(40, 40, WHITE))];
    let set = grey_background(events, content).bright();
    let backdrop = set.open().unwrap();
    for (at, forever, once) in
        [(1000, RED, RED), (1150, BLUE, BLUE), (1299, WHITE, WHITE), (1350, RED, WHITE), (8450, WHITE, WHITE)]
    {
        let picture = set.draw(&backdrop, at, None);
        let rgb = |[r, g, b, _]: [u8; 4]| [r, g, b];
        assert_near(pixel(&picture, 100, 90), rgb(forever), &format!("forever at {at}"));
        assert_near(pixel(&picture, 220, 90), rgb(once), &format!("once at {at}"));
    }
}

#[test]
fn hit_sounds_of_the_play_set_off_triggers() {
    let events = "Sprite,Foreground,Centre,\"w.png\",320,240\n F,0,0,20000,0\n T,HitSoundClap,0,20000\n  F,0,0,200,1,0\n";
    let mut set = grey_background(events, vec![("w.png", png(40, 40, WHITE))]).bright();
    let hit = |at: Micros, object: u32| Event {
        at,
        object,
        kind: EventKind::Result(Hit::Great),
        ..Event::default()
    };
    set.play.events = vec![hit(3_010_000, 0), hit(12_000_000, 1)];
    let backdrop = set.open().unwrap();
    let at = |time: i64| pixel(&set.draw(&backdrop, time, None), 160, 90);
    assert_near(at(3005), [200; 3], "not yet hit");
    assert_near(at(3010), [255; 3], "hit");
    assert_near(at(3110), [228; 3], "fading");
    assert_near(at(12_000), [200; 3], "an object without a clap");
}

#[test]
fn every_moment_can_be_drawn_alone() {
    let osb = b"[Variables]\n$l=Foreground\n[Events]\nSprite,$l,Centre,sb\\s,320,240\n L,0,500\n  R,9,0,700,0,3\n  S,28,0,300,0.5,2\n  \
        MX,31,100,650,100,500\n P,0,0,,A\n C,0,0,9000,255,200,100,10,20,255\nSprite,Overlay,TopLeft,sb\\s.png,0,0\n V,3,0,5000,1,1,3,2\n"
        .to_vec();
    let star = |x: u32, y: u32| {
        let far = x.abs_diff(32) * y.abs_diff(32);
        [255, 240, 160, 255_u32.saturating_sub(far * 8) as u8]
    };
    let mut set = grey_background("", vec![("a.OSB", osb), ("SB/S.png", files::png(64, 64, star).unwrap())]);
    set.layout = Layout { width: 640, height: 360 };
    let frame = |backdrop: &Backdrop, at: i64| {
        let mut picture = set.draw(backdrop, at, None);
        backdrop.draw_over(moment(at), &mut picture);
        picture
    };
    let (one, other) = (set.open().unwrap(), set.open().unwrap());
    let times: Vec<i64> = (0..20).map(|index| index * 331).collect();
    let forwards: Vec<Picture> = times.iter().map(|at| frame(&one, *at)).collect();
    let mut backwards: Vec<Picture> = times.iter().rev().map(|at| frame(&other, *at)).collect();
    backwards.reverse();
    assert!(forwards == backwards);
    assert!(forwards.windows(2).all(|pair| pair[0] != pair[1]), "it moves all the time");
    look(&forwards[3], "storyboard-bright");
    look(&forwards[9], "storyboard-dark");
}

#[test]
fn sounds_are_listed() {
    let osb = b"[Events]\nSample,500,Overlay,late\\one.wav,40\n".to_vec();
    let set = Set::new("", "Sample,1000,0,\"sb/bell.wav\",70\nSample,10,1,fail.wav", vec![("x.osb", osb)]);
    let samples = storyboard::samples(&set.map, &set.files, &set.limits).unwrap();
    let found: Vec<_> =
        samples.iter().map(|sample| (sample.at, sample.layer, sample.file.as_str(), sample.volume)).collect();
    assert_eq!(
        found,
        [(500_000, Layer::Overlay, "late/one.wav", 40), (1_000_000, Layer::Background, "sb/bell.wav", 70)]
    );
}

#[test]
fn bombs_are_refused_or_bounded() {
    // An enormous number of turns of loops, none of which is unrolled.
    let events = "Sprite,Background,Centre,w.png,320,240\n".to_owned()
        + &" L,-86400000,2147483647\n  F,0,0,1,0,1\n  R,0,0,1,0,1e9\n".repeat(2000);
    let set = grey_background(&events, vec![("w.png", png(40, 40, WHITE))]);
    set.at(5000);
    // More of it than can be looked up by the second.
    let events = "Sprite,Background,Centre,w.png,9999,9999\n F,0,-86400000,86400000,1\n".repeat(5000);
    grey_background(&events, vec![("w.png", png(4, 4, WHITE))]).at(5000);
    // Many sprites over all of the picture: the last ones are not drawn.
    let events = "Sprite,Background,Centre,w.png,320,240\n F,0,0,20000,1\n R,0,0,20000,0,1\n S,0,0,,99\n"
        .repeat(200)
        + "Sprite,Background,Centre,b.png,320,240\n F,0,0,20000,1\n";
    let checks =
        files::png(8, 8, |x, y| if (x + y) % 2 == 0 { WHITE } else { [250, 250, 250, 255] }).unwrap();
    let mut set = grey_background(&events, vec![("w.png", checks), ("b.png", png(40, 40, BLUE))]).bright();
    set.layout = Layout { width: 64, height: 36 };
    assert!(pixel(&set.at(100), 32, 18)[0] > 200);

    let refused = |set: Set| match set.open() {
        Err(ReplayError::TooLong { about: About::Map, length, .. }) => length,
        other => panic!("{:?}", other.map(|_| ())),
    };
    let mut set = grey_background(
        "Sprite,Background,Centre,w.png,0,0\n F,0,0,1,1\n S,0,0,,4\nSprite,Background,Centre,v.png,0,0\n F,0,0,1,1\n S,0,0,,4\n",
        vec![("w.png", files::background().unwrap()), ("v.png", files::background().unwrap())],
    );
    set.limits.images_pixels = 640 * 360 * 2;
    assert!(set.open().is_ok());
    set.limits.images_pixels -= 1;
    assert!(refused(set).contains("pixels of images"));
    let mut set = grey_background("", vec![("a.osb", vec![b'\n'; 2000])]);
    set.limits.map_bytes = 1999;
    assert!(refused(set).contains("2000 bytes"));
}
