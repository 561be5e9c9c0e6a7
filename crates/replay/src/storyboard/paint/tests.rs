use super::*;

fn picture() -> Picture {
    Picture::new(64, 48)
}

fn whole() -> Bounds {
    Bounds { left: 0, top: 0, right: 64, bottom: 48 }
}

fn placement(at: (i32, i32), anchor: (i32, i32), scale: (i32, i32)) -> Placement {
    let at = (at.0 * 256, at.1 * 256);
    let anchor = (anchor.0 * 256, anchor.1 * 256);
    let scale = (scale.0 << 16, scale.1 << 16);
    Placement { at, anchor, scale, angle: 0, tint: [255; 3], opacity: 255, blend: Blend::Over }
}

/// Columns and rows in which there is any brightness: left, top, right, bottom (beyond the last).
fn reach(picture: &Picture) -> [usize; 4] {
    let mut reach = [usize::MAX, usize::MAX, 0, 0];
    for (index, y) in picture.y.iter().enumerate().filter(|(_, y)| **y > 16) {
        let (column, row) = (index % 64, index / 64);
        assert!(*y >= 16);
        reach = [reach[0].min(column), reach[1].min(row), reach[2].max(column + 1), reach[3].max(row + 1)];
    }
    reach
}

const WHITE: [u8; 4] = [255; 4];

#[test]
fn one_pixel_becomes_a_sharp_rectangle() {
    let pixel = Image { width: 1, height: 1, pixels: vec![WHITE] };
    let mut onto = picture();
    paint(&mut onto, &pixel, &placement((10, 8), (0, 0), (20, 30)), whole());
    assert_eq!(reach(&onto), [10, 8, 30, 38]);
    let bright = onto.y.iter().filter(|y| **y == 235).count();
    assert_eq!(bright, 20 * 30, "all of it, up to its sides");
}

#[test]
fn sides_between_pixels_are_as_bright_as_they_are_covered() {
    let pixel = Image { width: 1, height: 1, pixels: vec![WHITE] };
    let mut onto = picture();
    let mut at = placement((10, 10), (0, 0), (4, 4));
    at.at.0 += 64;
    paint(&mut onto, &pixel, &at, whole());
    let row: Vec<u8> = onto.y[12 * 64 + 9..12 * 64 + 16].to_vec();
    // Three quarters of the first column, one quarter of the last.
    assert_eq!(row, [16, 180, 235, 235, 235, 71, 16]);
}

#[test]
fn a_whole_image_is_copied_where_its_pixels_lie_on_the_pictures() {
    let image = Image::of(4, 4, |x, y| [(x * 60) as u8, (y * 60) as u8, 0, 255]);
    let mut onto = picture();
    paint(&mut onto, &image, &placement((8, 8), (2, 2), (1, 1)), whole());
    for y in 0..4 {
        for x in 0..4 {
            let [r, g, b, _] = image.pixels[y * 4 + x];
            let wanted = crate::draw::yuv([r, g, b])[0];
            assert_eq!(onto.y[(y + 6) * 64 + x + 6], wanted, "{x}, {y}");
        }
    }
}

#[test]
fn flipped_images_are_mirrored() {
    // Bright at the left and at the top.
    let image = Image::of(8, 8, |x, y| if x < 4 && y < 4 { WHITE } else { [0, 0, 0, 255] });
    for (scale, expected) in [
        ((1, 1), [10, 10, 14, 14]),
        ((-1, 1), [6, 10, 10, 14]),
        ((1, -1), [10, 6, 14, 10]),
        // Twice as large, its inner sides are soft.
        ((-2, -2), [1, 1, 10, 10]),
    ] {
        let mut onto = picture();
        paint(&mut onto, &image, &placement((10, 10), (0, 0), scale), whole());
        assert_eq!(reach(&onto), expected, "{scale:?}");
    }
}

#[test]
fn a_quarter_turn_is_clockwise() {
    // A bar from its anchor to the right.
    let bar = Image { width: 16, height: 2, pixels: vec![WHITE; 32] };
    for (angle, expected) in [
        (0, [32, 23, 48, 25]),
        (0x4000, [31, 24, 33, 40]),
        (0x8000, [16, 23, 32, 25]),
        (-0x4000, [31, 8, 33, 24]),
    ] {
        let mut onto = picture();
        let mut at = placement((32, 24), (0, 1), (1, 1));
        at.angle = angle;
        paint(&mut onto, &bar, &at, whole());
        assert_eq!(reach(&onto), expected, "{angle}");
    }
}

#[test]
fn tint_opacity_and_light_multiply() {
    let pixel = Image { width: 1, height: 1, pixels: vec![[200, 100, 0, 200]] };
    let mut onto = picture();
    onto.fill([0, 0, 255]);
    let mut at = placement((0, 0), (0, 0), (64, 48));
    at.opacity = 128;
    at.tint = [255, 0, 255];
    paint(&mut onto, &pixel, &at, whole());
    // 200 of 255 opaque, of which 128 of 255: 100 of red over 155 of 255 of the blue.
    let [y, u, v] = crate::draw::yuv([100, 0, 155]);
    assert!(onto.y.iter().all(|value| value.abs_diff(y) <= 1), "{} {y}", onto.y[0]);
    assert!(
        onto.u.iter().all(|value| value.abs_diff(u) <= 1)
            && onto.v.iter().all(|value| value.abs_diff(v) <= 1)
    );
}

#[test]
fn light_is_added_up_to_white() {
    let pixel = Image { width: 1, height: 1, pixels: vec![[60, 60, 60, 60]] };
    let mut onto = picture();
    onto.fill([100, 100, 100]);
    let mut at = placement((0, 0), (0, 0), (64, 48));
    at.blend = Blend::Add;
    paint(&mut onto, &pixel, &at, whole());
    let wanted = crate::draw::yuv([160; 3])[0];
    assert!(
        onto.y.iter().all(|value| value.abs_diff(wanted) <= 1) && onto.u.iter().all(|value| *value == 128)
    );
    for _ in 0..9 {
        paint(&mut onto, &pixel, &at, whole());
    }
    assert!(onto.y.iter().all(|value| *value == 235));
}

#[test]
fn nothing_is_painted_outside_its_part_of_the_picture() {
    let pixel = Image { width: 1, height: 1, pixels: vec![WHITE] };
    let clip = Bounds { left: 8, top: 0, right: 56, bottom: 48 };
    for angle in [0, 5000] {
        let mut onto = picture();
        let mut at = placement((32, 24), (0, 0), (600, 600));
        at.anchor = (128, 128);
        at.angle = angle;
        paint(&mut onto, &pixel, &at, clip);
        assert_eq!(reach(&onto), [8, 0, 56, 48]);
    }
}

#[test]
fn what_is_far_away_tiny_or_enormous_is_no_trouble() {
    let image = Image { width: 3, height: 2, pixels: vec![WHITE; 6] };
    let extremes = [i32::MIN + 1, -(1 << 30), -1, 0, 1, 15, 17, 65_536, 1 << 28, i32::MAX];
    for at in extremes {
        for scale in extremes {
            for angle in [0, 8192, i32::MIN, i32::MAX] {
                let mut onto = picture();
                let placement = Placement {
                    at: (at, at / 3),
                    anchor: (384, 256),
                    scale: (scale, scale),
                    angle: angle / 2,
                    tint: [255; 3],
                    opacity: 255,
                    blend: Blend::Over,
                };
                paint(&mut onto, &image, &placement, whole());
                paint(&mut onto, &image, &placement, Bounds { left: 62, top: 46, right: 90, bottom: 90 });
            }
        }
    }
}
