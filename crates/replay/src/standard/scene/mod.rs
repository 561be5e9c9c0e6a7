//! x
mod body;
mod path;
mod spans;
use super::objects::Field;
use crate::{
    draw::Picture,
    stage::{Layer, Moment, Stage},
};

/// Everything of osu! that is drawn between backdrop and HUD.
#[derive(Debug)]
pub struct Scene {}

impl Scene {
    /// Prepares it.
    #[must_use]
    pub fn new(stage: &Stage<'_>, field: &Field) -> Self {
        let _ = (stage, field);
        Self {}
    }
}

impl Layer for Scene {
    fn draw(&self, moment: Moment, onto: &mut Picture) {
        let _ = (moment, onto);
    }
}
