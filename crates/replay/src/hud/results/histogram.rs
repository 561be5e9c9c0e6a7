//! How many presses were how early or late, as bars.

use crate::{
    draw::{Image, raster},
    hud::{
        kit::{self, WHITE},
        timeline::Mark,
    },
    play::Hit,
};

/// Bars; an odd number, so that one is in the middle.
const BARS: usize = 81;

/// How many presses each bar has, from the earliest to the latest, within the widest window.
pub(super) fn bars(marks: &[Mark], widest: i32) -> Vec<u32> {
    let mut bars = vec![0; BARS];
    let whole = 2 * i64::from(widest.max(1));
    for mark in marks {
        let along = i64::from(mark.off) + i64::from(widest);
        let index = (along * BARS as i64).div_euclid(whole + 1).clamp(0, BARS as i64 - 1);
        if let Some(bar) = bars.get_mut(index as usize) {
            *bar += 1;
        }
    }
    bars
}

/// The bars in an image; `None` where there is nothing to show.
pub(super) fn draw(marks: &[Mark], windows: &[(Hit, i32)], (width, height): (u32, u32)) -> Option<Image> {
    let (_, widest) = *windows.last()?;
    let bars = bars(marks, widest);
    let most = bars.iter().copied().max().filter(|most| *most > 0)?;
    let mut image = Image::empty(width, height);
    let margin = (height / 10).max(1);
    let (inner, high) = (width.saturating_sub(2 * margin), height.saturating_sub(3 * margin));
    let place = |index: usize| margin + (u64::from(inner) * index as u64 / BARS as u64) as u32;
    for (index, count) in bars.iter().enumerate() {
        let off = ((2 * index as i64 + 1) * i64::from(widest) / BARS as i64 - i64::from(widest)).abs();
        let hit =
            windows.iter().find(|(_, window)| off <= i64::from(*window)).map_or(Hit::Miss, |(hit, _)| *hit);
        let (from, to) = (place(index), place(index + 1));
        let gap = u32::from(to - from > 3);
        let tall = (u64::from(high) * u64::from(*count)).div_ceil(u64::from(most)) as u32;
        // What has no press is a line.
        let tall = tall.max((height / 100).max(1));
        let bar = raster::rounded_box((to - from).saturating_sub(gap).max(1), tall, 256, kit::colour(hit));
        let bar = if *count == 0 { bar.faded(110) } else { bar };
        image.put(&bar, from as i32, (height - margin - tall) as i32);
    }
    let line = raster::rounded_box((width / 500).max(1), height - margin, 0, WHITE).faded(120);
    image.put(&line, (width as i32 - line.width as i32) / 2, margin as i32 / 2);
    Some(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presses_are_counted_where_they_were() {
        let mark = |off| Mark { at: 0, off, aim: None, hit: None };
        let marks = [mark(0), mark(100), mark(-100_000), mark(100_000), mark(100_000), mark(9_999_999)];
        let bars = bars(&marks, 100_000);
        assert_eq!((bars[0], bars[BARS / 2], bars[BARS - 1]), (1, 2, 3));
        assert_eq!(bars.iter().sum::<u32>(), 6);
        assert!(draw(&[], &[(Hit::Great, 50_000)], (300, 60)).is_none());
        assert!(draw(&marks, &[], (300, 60)).is_none());
        let image = draw(&marks, &[(Hit::Great, 50_000), (Hit::Ok, 100_000)], (300, 60)).unwrap();
        assert_eq!((image.width, image.height), (300, 60));
    }
}
