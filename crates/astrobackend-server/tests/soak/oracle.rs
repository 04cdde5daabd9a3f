//! Whether a frame is truly good: all of it is looked at, unlike what the guard does.

use astrobackend::{
    Image,
    device::{Exposure, FrameType},
    image::{Frame, Pixels},
};
use std::sync::Arc;

/// What was taken before.
#[derive(Default)]
pub(super) struct Oracle {
    before: Option<Arc<Image>>,
}

impl Oracle {
    /// What is wrong with a frame.
    pub(super) fn judge(&mut self, image: &Arc<Image>, exposure: Exposure, frame: Frame) -> Vec<String> {
        let mut wrong = Vec::new();
        if (image.width(), image.height()) != (frame.width, frame.height) {
            wrong.push(format!("{}x{} pixels, not {}x{}", image.width(), image.height(), frame.width, frame.height));
        }
        let count = image.pixels().len();
        if is_zero(image.pixels(), 0..count) {
            wrong.push("all black".into());
        } else if is_zero(image.pixels(), count * 3 / 4..count) {
            wrong.push("the tail is missing".into());
        }
        // Bias frames of few bits could be alike; these have noise in 16 bits.
        if self.before.as_ref().is_some_and(|before| before.pixels() == image.pixels()) {
            wrong.push("the frame before once more".into());
        }
        let asked = exposure.duration.as_secs_f64();
        if image.meta.exposure.is_some_and(|told| (told.as_secs_f64() - asked).abs() > 0.1 + asked / 20.0) {
            wrong.push(format!("exposed for {:?}, not {asked} s", image.meta.exposure));
        }
        if image.meta.frame_type.is_some_and(|told| told != exposure.frame_type && !alike(told, exposure.frame_type)) {
            wrong.push(format!("{:?}, not {}", image.meta.frame_type, exposure.frame_type));
        }
        self.before = Some(image.clone());
        wrong
    }
}

/// ASCOM knows only whether the shutter was open.
fn alike(one: FrameType, other: FrameType) -> bool {
    one.is_light() == other.is_light()
}

fn is_zero(pixels: &Pixels, mut range: std::ops::Range<usize>) -> bool {
    range.all(|pixel| pixels.get(pixel) == Some(0.0))
}
