//! Frames that are not what they should be.

use super::{Engine, What};
use crate::{
    Result, each_pixel_type,
    image::{Image, Pixels},
};

/// What is to happen to one frame.
#[derive(Debug)]
pub(in super::super) struct Spoil {
    remake: Vec<fn(u32, &mut Pixels) -> u32>,
    /// The frame that comes once more.
    before: Option<Image>,
    /// It may come once more itself.
    pub(in super::super) kept: bool,
}

impl Engine {
    /// What is to happen to the finished frame of an exposure.
    pub(in super::super) fn spoiling(&mut self, place: usize, exposure: u64) -> Spoil {
        let kept = self.may_repeat(place);
        let patient = &mut self.patients[place];
        let mut remake: Vec<fn(u32, &mut Pixels) -> u32> = Vec::new();
        if patient.spoils(&What::UsbReset, exposure) | patient.spoils(&What::BlackFrame, exposure) {
            remake.push(black);
        }
        if patient.spoils(&What::MissingTail, exposure) {
            remake.push(without_tail);
        }
        if patient.spoils(&What::WrongSize, exposure) {
            remake.push(upper_half);
        }
        let before = patient.last.take().filter(|_| patient.spoils(&What::DuplicateFrame, exposure));
        Spoil { remake, before, kept }
    }

    /// Keeps a frame that may come once more.
    pub(in super::super) fn keep(&mut self, place: usize, image: Image) {
        self.patients[place].last = Some(image);
    }
}

impl Spoil {
    /// Lets it happen.
    ///
    /// # Errors
    /// None of its own: a spoilt frame is delivered like any other.
    pub(in super::super) fn apply(&mut self, mut image: Image) -> Result<Image> {
        for remake in &self.remake {
            image = remade(image, *remake)?;
        }
        if let Some(before) = self.before.take() {
            let meta = std::mem::replace(&mut image, before);
            image.meta = meta.meta;
        }
        Ok(image)
    }
}

/// A picture with other pixels and the same knowledge about it.
fn remade(mut image: Image, remake: fn(u32, &mut Pixels) -> u32) -> Result<Image> {
    let meta = std::mem::take(&mut image.meta);
    let (width, height) = (image.width(), image.height());
    let mut pixels = image.into_pixels();
    let height = remake(height, &mut pixels);
    let mut image = Image::new(width, height, pixels)?;
    image.meta = meta;
    Ok(image)
}

fn black(height: u32, pixels: &mut Pixels) -> u32 {
    each_pixel_type!(pixels, all => all.fill(Default::default()));
    height
}

fn without_tail(height: u32, pixels: &mut Pixels) -> u32 {
    let kept = pixels.len() / height.max(1) as usize * (height / 2) as usize;
    each_pixel_type!(pixels, all => all[kept..].fill(Default::default()));
    height
}

fn upper_half(height: u32, pixels: &mut Pixels) -> u32 {
    let half = height.div_ceil(2);
    let kept = pixels.len() / height.max(1) as usize * half as usize;
    each_pixel_type!(pixels, all => all.truncate(kept));
    half
}
