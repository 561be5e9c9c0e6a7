//! What lies over the play: score, combo, accuracy, life and whatever else is asked for; warning before, results after.
//!
//! Promises: everything is prepared; a frame costs look-ups by binary search and drawing, in whole numbers. While something is
//! played, what is drawn keeps to the picture's sides. Never fails: what cannot be known, such as pp of a map that would take
//! too long, is left out.

mod breaks;
mod counters;
mod curtain;
mod keys;
mod kit;
mod life;
mod meters;
mod names;
mod numbers;
mod performance;
mod progress;
mod rank;
mod results;
mod strips;
#[cfg(test)]
mod tests;
mod timeline;

use self::{
    breaks::Breaks,
    counters::{Accuracy, Combo, Counted, Points, Score},
    curtain::Curtain,
    keys::Keys,
    kit::{Kit, fainter},
    life::Life,
    meters::{AimErrors, HitErrors},
    names::{Mods, Names},
    performance::Performance,
    progress::Progress,
    results::Results,
    timeline::{Now, Timeline},
};
use crate::{
    draw::Picture,
    stage::{Layer, Moment, Stage},
};

/// Everything over the scene.
pub struct Hud {
    parts: Vec<Part>,
    timeline: Timeline,
    results: Option<Results>,
    curtain: Curtain,
    /// What was asked for, 0 to 255.
    opacity: u8,
    stars_and_pp: (u32, u32),
}

/// A part of it.
enum Part {
    Accuracy(Accuracy),
    AimErrors(AimErrors),
    Breaks(Breaks),
    Combo(Combo),
    Counted(Counted),
    HitErrors(HitErrors),
    Keys(Keys),
    Life(Life),
    Mods(Mods),
    Names(Names),
    Points(Points),
    Progress(Progress),
    Score(Score),
}

impl Part {
    fn draw(&self, now: &Now<'_>, onto: &mut Picture) {
        match self {
            Self::Accuracy(part) => part.draw(now, onto),
            Self::AimErrors(part) => part.draw(now, onto),
            Self::Breaks(part) => part.draw(now, onto),
            Self::Combo(part) => part.draw(now, onto),
            Self::Counted(part) => part.draw(now, onto),
            Self::HitErrors(part) => part.draw(now, onto),
            Self::Keys(part) => part.draw(now, onto),
            Self::Life(part) => part.draw(now, onto),
            Self::Mods(part) => part.draw(now, onto),
            Self::Names(part) => part.draw(now, onto),
            Self::Points(part) => part.draw(now, onto),
            Self::Progress(part) => part.draw(now, onto),
            Self::Score(part) => part.draw(now, onto),
        }
    }
}

/// The parts that were asked for, each below, above or beside what was put there before it.
fn parts(kit: &Kit<'_>, performance: &Performance) -> Vec<Part> {
    let options = &kit.stage.options.hud;
    let mut parts = Vec::new();
    let (margin, gap) = (kit.margin(), kit.px(9));

    // From the top: life and names at the left, numbers and mods at the right.
    let mut left = margin;
    if options.life {
        let life = Life::new(kit);
        left = life.bottom + gap;
        parts.push(Part::Life(life));
    }
    if options.names {
        parts.push(Part::Names(Names::new(kit, performance, left)));
    }
    let mut right = margin;
    if options.score {
        let score = Score::new(kit);
        right = score.bottom() + gap;
        parts.push(Part::Score(score));
    }
    if options.accuracy {
        let accuracy = Accuracy::new(kit, right);
        right = accuracy.bottom() + gap;
        parts.push(Part::Accuracy(accuracy));
    }
    if options.mods {
        let mods = Mods::new(kit, (kit.width - margin, right));
        right += mods.height + gap;
        parts.push(Part::Mods(mods));
    }

    // From the bottom: combo, pp and counts at the left, errors in the middle, progress and aim at the right.
    let mut left = kit.height - margin;
    if options.combo {
        let combo = Combo::new(kit);
        left = combo.top();
        parts.push(Part::Combo(combo));
    }
    if options.pp && !performance.running.is_empty() {
        let points = Points::new(kit, left);
        left = points.top();
        parts.push(Part::Points(points));
    }
    if options.counts {
        parts.push(Part::Counted(Counted::new(kit, left)));
    }
    if options.hit_errors {
        parts.extend(HitErrors::new(kit, &performance.windows).map(Part::HitErrors));
    }
    let above = right;
    let mut right = kit.height - margin;
    if let Some(progress) = Progress::new(kit, &performance.strains) {
        right = progress.top();
        parts.push(Part::Progress(progress));
    }
    if options.aim_errors && kit.stage.replay.mode == crate::osr::Mode::Standard {
        let aim = AimErrors::new(kit, right);
        right = aim.top();
        parts.push(Part::AimErrors(aim));
    }
    if options.keys {
        parts.push(Part::Keys(Keys::new(kit, (above, right - gap))));
    }
    if options.progress {
        parts.push(Part::Breaks(Breaks::new(kit)));
    }
    parts
}

impl Hud {
    /// Prepares it.
    #[must_use]
    pub fn new(stage: &Stage<'_>) -> Self {
        let performance = Performance::of(stage);
        let timeline = Timeline::new(stage, &performance);
        let opacity = (stage.options.hud.opacity.min(100) * 255 / 100) as u8;
        // What cannot be seen is not prepared.
        let parts = if opacity > 0 { parts(&Kit::new(stage), &performance) } else { Vec::new() };
        Self {
            parts,
            results: Results::new(stage, &performance, &timeline.marks),
            curtain: Curtain::new(stage),
            stars_and_pp: (performance.stars, performance.pp),
            timeline,
            opacity,
        }
    }

    /// Stars of the map with its mods and pp at the end, both in 1/100.
    #[must_use]
    pub fn stars_and_pp(&self) -> (u32, u32) {
        self.stars_and_pp
    }
}

impl Layer for Hud {
    fn draw(&self, moment: Moment, onto: &mut Picture) {
        let over = self.results.as_ref().map_or(0, |results| results.opacity(moment));
        let now = self.timeline.now(moment, fainter(self.opacity, 255 - over));
        if now.opacity > 0 {
            self.parts.iter().for_each(|part| part.draw(&now, onto));
        }
        if let Some(results) = &self.results {
            results.draw(moment, onto);
        }
        self.curtain.draw(moment, onto);
    }
}
