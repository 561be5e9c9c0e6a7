//! Who plays which map, with which mods.

use super::{
    kit::{Kit, PALE, Stamp, WHITE},
    numbers::{hundredths, with_height},
    performance::Performance,
    timeline::Now,
};
use crate::{
    draw::{Image, Picture, Rgb, letters::Letters},
    stage::Stage,
};

/// Stamps in their places.
#[derive(Debug, Clone, Default)]
pub(super) struct Placed {
    stamps: Vec<(Stamp, (i32, i32))>,
}

impl Placed {
    pub(super) fn put(&mut self, stamp: Stamp, at: (i32, i32)) {
        self.stamps.push((stamp, at));
    }

    pub(super) fn append(&mut self, other: Self) {
        self.stamps.extend(other.stamps);
    }

    pub(super) fn draw(&self, onto: &mut Picture, opacity: u8) {
        for (stamp, (x, y)) in &self.stamps {
            stamp.draw(onto, *x, *y, opacity);
        }
    }
}

/// The map's artist and title, in their own script where the map says it.
pub(super) fn title(stage: &Stage<'_>) -> String {
    let map = &stage.map.map;
    let own =
        |unicode: &str, plain: &str| if unicode.is_empty() { plain.to_owned() } else { unicode.to_owned() };
    let (artist, title) = (own(&map.artist_unicode, &map.artist), own(&map.title_unicode, &map.title));
    if artist.is_empty() { title } else { format!("{artist} - {title}") }
}

/// Who played.
pub(super) fn player(stage: &Stage<'_>) -> String {
    if stage.replay.player.is_empty() { "Unknown player".to_owned() } else { stage.replay.player.clone() }
}

/// Player, map and stars, at the left of the top.
pub(super) struct Names {
    placed: Placed,
}

impl Names {
    pub(super) fn new(kit: &Kit<'_>, performance: &Performance, top: i32) -> Self {
        let stage = kit.stage;
        let mut placed = Placed::default();
        let (x, most) = (kit.margin(), kit.width * 9 / 25);
        let player = kit.line(&player(stage), 21, most, WHITE, true);
        let below = top + player.height + kit.px(3);
        placed.put(player, (x, top));
        let song = kit.line(&title(stage), 15, most, WHITE, false);
        let under = below + song.height + kit.px(3);
        placed.put(song, (x, below));
        let stars = stars(kit, performance.stars);
        let taken = stars.as_ref().map_or(0, |stars| stars.width + kit.px(8));
        if let Some(stars) = stars {
            placed.put(stars, (x, under + (kit.px(15) - stars_height(kit)) / 2));
        }
        let difficulty = format!("[{}]", stage.map.map.version);
        placed.put(kit.line(&difficulty, 15, (most - taken).max(1), PALE, false), (x + taken, under));
        Self { placed }
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        self.placed.draw(onto, now.opacity);
    }
}

fn stars_height(kit: &Kit<'_>) -> i32 {
    kit.px(11).max(6)
}

/// Stars in words; `None` where they are not known.
pub(super) fn stars(kit: &Kit<'_>, stars: u32) -> Option<Stamp> {
    const GOLD: Rgb = [255, 206, 84];
    let height = stars_height(kit) as u32;
    let text = format!("★ {}", hundredths(stars.into()));
    (stars > 0).then(|| Stamp::shaded(&Letters::BOLD.line(&text, height).tinted(GOLD), height))
}

/// The mods as badges.
pub(super) struct Mods {
    placed: Placed,
    /// Of all of them, in pixels.
    pub(super) width: i32,
    /// Of the highest, in pixels; 0 where there is none.
    pub(super) height: i32,
}

impl Mods {
    /// With the right side of the last one and the top at a place.
    pub(super) fn new(kit: &Kit<'_>, (right, top): (i32, i32)) -> Self {
        let badges: Vec<Stamp> = kit.stage.mods.names.iter().map(|name| badge(kit, name)).collect();
        let gap = kit.px(5);
        let whole: i32 = badges.iter().map(|badge| badge.width + gap).sum();
        let height = badges.iter().map(|badge| badge.height).max().unwrap_or(0);
        let mut placed = Placed::default();
        let mut x = right + gap - whole;
        for badge in badges {
            let step = badge.width + gap;
            placed.put(badge, (x, top));
            x += step;
        }
        Self { placed, width: (whole - gap).max(0), height }
    }

    pub(super) fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        self.placed.draw(onto, now.opacity);
    }

    /// The badges, for others to draw.
    pub(super) fn into_placed(self) -> Placed {
        self.placed
    }
}

/// A mod's badge: a legacy skin's icon, or its name on a plate.
fn badge(kit: &Kit<'_>, name: &str) -> Stamp {
    let icon = icon(name).and_then(|icon| kit.element(&format!("selection-mod-{icon}"), 100));
    if let Some(image) = icon {
        return Stamp::plain(&with_height(&image, kit.px(36)));
    }
    let (height, inset) = (kit.px(24), kit.px(9));
    let letters = (kit.px(12).max(6)) as u32;
    let text = Letters::BOLD.line(name, letters).tinted([20, 22, 30]);
    let width = text.width as i32 + inset * 2;
    let mut image = crate::draw::raster::rounded_box(width as u32, height as u32, height * 72, colour(name));
    image.put(&text, inset, (height - letters as i32) / 2);
    Stamp::shaded(&image, height as u32 / 2)
}

/// The colour of a mod's badge: what makes it harder, easier, or only different.
fn colour(name: &str) -> Rgb {
    match name {
        "HR" | "SD" | "PF" | "DT" | "NC" | "HD" | "FI" | "FL" | "AC" | "BL" | "ST" => [255, 134, 118],
        "EZ" | "NF" | "HT" | "DC" => [152, 226, 120],
        "RX" | "AP" | "SO" | "AT" => [122, 206, 255],
        _ => [204, 190, 255],
    }
}

/// What a legacy skin calls a mod's icon.
fn icon(name: &str) -> Option<&'static str> {
    Some(match name {
        "EZ" => "easy",
        "NF" => "nofail",
        "HT" => "halftime",
        "HR" => "hardrock",
        "SD" => "suddendeath",
        "PF" => "perfect",
        "DT" => "doubletime",
        "NC" => "nightcore",
        "HD" => "hidden",
        "FI" => "fadein",
        "FL" => "flashlight",
        "RX" => "relax",
        "AP" => "relax2",
        "SO" => "spunout",
        "TD" => "touchdevice",
        "V2" | "SV2" => "scorev2",
        "MR" => "mirror",
        _ => return None,
    })
}

/// An image of a line of our own letters, for what is counted in the results.
pub(super) fn own_line(text: &str, height: i32, colour: Rgb) -> (Image, u32) {
    let height = height.max(6) as u32;
    (Letters::BOLD.line(text, height).tinted(colour), height)
}
