//! Which of the held buttons follow a slider's ball: the rule that stable and lazer share.

use super::sliders::{LEFT, RIGHT};

/// What is held while a slider is played; `T` is how times are counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Hand<T> {
    /// The button that hit the head; 0 if none did.
    button: u8,
    /// From when on any button follows; until then only the one that hit the head.
    any_after: Option<T>,
    /// What was held at the last frame.
    held: u8,
}

impl<T: Copy + PartialOrd> Hand<T> {
    /// A press met the head; only the first one counts.
    pub(super) fn press(&mut self, button: u8) {
        if self.button == 0 {
            self.button = button;
        }
    }

    /// Whether what is held at this frame follows the ball.
    pub(super) fn holds(&mut self, at: T, held: u8) -> bool {
        if self.button == 0 {
            self.any_after = None;
        } else if self.any_after.is_none() && self.held & !self.button == 0 {
            self.any_after = Some(at);
        }
        self.held = held;
        let any = self.button == 0 || self.any_after.is_some_and(|after| at > after);
        held & if any { LEFT | RIGHT } else { self.button } != 0
    }
}
