//! Placeholder.
use super::scene::Scene;
use crate::image::Pixels;
pub(super) fn render(scene: &Scene) -> Pixels {
    Pixels::U16(vec![0; scene.frame.pixels()])
}
