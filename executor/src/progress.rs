//! From what the parts of a job say to one number that never falls.
//!
//! Pure: moments come in as arguments. Each stage owns a share of the whole; the shares are estimates of usual times.

use std::time::Instant;

use contracts::job::{Progress, Stage};
use cutter::protocol;

/// Follows one attempt.
#[derive(Debug, Clone)]
pub struct Tracker {
    transcribes: bool,
    /// Length of the montage, where it can be told without the sources' frame rates.
    montage_seconds: Option<f64>,
    started: Instant,
    rendering_since: Option<Instant>,
    last: Progress,
}

impl Tracker {
    /// Of an attempt that started at `now`.
    #[must_use]
    pub fn new(transcribes: bool, montage_seconds: Option<f64>, now: Instant) -> Self {
        Self {
            transcribes,
            montage_seconds,
            started: now,
            rendering_since: None,
            last: Progress {
                stage: Stage::Fetching,
                fraction: 0.0,
                frames_done: 0,
                frames_total: 0,
                speed: None,
                seconds_left: None,
            },
        }
    }

    /// The length of what is made is known now, in seconds.
    pub fn lasts(&mut self, seconds: f64) {
        self.montage_seconds = Some(seconds);
    }

    /// A stage is done to a share from 0 to 1.
    pub fn stage(&mut self, stage: Stage, share: f64, now: Instant) -> Progress {
        let (from, to) = self.span(stage);
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let fraction = from + (to - from) * share;
        // A stage that seems to go back is one that was reported late.
        if fraction >= self.last.fraction {
            self.last.fraction = fraction;
            self.last.stage = stage;
        }
        let elapsed = now.saturating_duration_since(self.started).as_secs_f64();
        // Before that the estimate jumps more than it tells.
        self.last.seconds_left = (self.last.fraction >= 0.08 && elapsed >= 1.0)
            .then(|| elapsed * (1.0 - self.last.fraction) / self.last.fraction);
        self.last.clone()
    }

    /// What the render worker says. It is not trusted: nothing it says lets the numbers fall or pass their bounds.
    pub fn render(&mut self, progress: &protocol::Progress, now: Instant) -> Progress {
        let share = share(progress.frames_done, progress.frames_total);
        match progress.stage {
            protocol::Stage::Planning => self.stage(Stage::Planning, share, now),
            protocol::Stage::Encoding => {
                self.last.frames_total = self.last.frames_total.max(progress.frames_total);
                self.last.frames_done =
                    self.last.frames_done.max(progress.frames_done).min(self.last.frames_total);
                let since = *self.rendering_since.get_or_insert(now);
                let elapsed = now.saturating_duration_since(since).as_secs_f64();
                self.last.speed = self
                    .montage_seconds
                    .filter(|_| elapsed >= 0.5 && share > 0.0)
                    .map(|seconds| seconds * share / elapsed);
                self.stage(Stage::Rendering, share, now)
            }
            protocol::Stage::Assembling => self.stage(Stage::Verifying, 0.3 * share, now),
            protocol::Stage::Verifying => self.stage(Stage::Verifying, 0.3 + 0.7 * share, now),
        }
    }

    /// From which fraction to which a stage reaches.
    fn span(&self, stage: Stage) -> (f64, f64) {
        match (stage, self.transcribes) {
            (Stage::Fetching, _) => (0.0, 0.02),
            (Stage::Planning, _) => (0.02, 0.05),
            (Stage::Rendering, true) => (0.05, 0.70),
            (Stage::Rendering, false) => (0.05, 0.85),
            (Stage::Verifying, true) => (0.70, 0.78),
            (Stage::Verifying, false) => (0.85, 0.95),
            (Stage::Transcribing, _) => (0.78, 0.95),
            (Stage::Publishing, _) => (0.95, 1.0),
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn share(done: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn said() -> impl Strategy<Value = protocol::Progress> {
        let stage = prop_oneof![
            Just(protocol::Stage::Planning),
            Just(protocol::Stage::Encoding),
            Just(protocol::Stage::Assembling),
            Just(protocol::Stage::Verifying),
        ];
        (stage, any::<u64>(), any::<u64>()).prop_map(|(stage, frames_done, frames_total)| {
            protocol::Progress { stage, frames_done, frames_total }
        })
    }

    proptest! {
        #[test]
        fn nothing_a_worker_says_makes_it_fall(said in proptest::collection::vec((said(), 0_u64..5_000), 0..40)) {
            let start = Instant::now();
            let mut now = start;
            let mut tracker = Tracker::new(true, Some(60.0), start);
            let (mut fraction, mut frames) = (0.0, 0);
            for (said, wait) in said {
                now += Duration::from_millis(wait);
                let shown = tracker.render(&said, now);
                prop_assert!(shown.fraction >= fraction && shown.fraction <= 1.0);
                prop_assert!(shown.frames_done >= frames && shown.frames_done <= shown.frames_total);
                prop_assert!(shown.speed.is_none_or(f64::is_finite) && shown.seconds_left.is_none_or(f64::is_finite));
                (fraction, frames) = (shown.fraction, shown.frames_done);
            }
        }
    }

    #[test]
    fn a_usual_job_passes_through_its_stages() {
        let start = Instant::now();
        let mut tracker = Tracker::new(true, Some(100.0), start);
        let second = |seconds| start + Duration::from_secs(seconds);
        let encoding = |done| protocol::Progress {
            stage: protocol::Stage::Encoding,
            frames_done: done,
            frames_total: 3000,
        };
        tracker.stage(Stage::Fetching, 1.0, second(1));
        tracker.render(&encoding(0), second(2));
        let half = tracker.render(&encoding(1500), second(12));
        assert_eq!((half.stage, half.frames_done, half.frames_total), (Stage::Rendering, 1500, 3000));
        assert!((half.speed.unwrap() - 5.0).abs() < 1e-9);
        tracker.lasts(200.0);
        assert!((tracker.render(&encoding(1500), second(12)).speed.unwrap() - 10.0).abs() < 1e-9);
        let done = tracker.stage(Stage::Publishing, 1.0, second(30));
        assert!((done.fraction - 1.0).abs() < 1e-9);
        assert_eq!(done.frames_done, 1500);
    }
}
