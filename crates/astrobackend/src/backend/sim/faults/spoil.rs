//! Frames that are not what they should be.

use super::{Engine, What};
use crate::{
    Result, each_pixel_type,
    image::{Image, Pixels},
};

impl Engine {
    /// Lets a finished frame of a camera suffer what is going on.
    ///
    /// # Errors
    /// None of its own: a spoilt frame is delivered like any other.
    pub(in super::super) fn spoil(&mut self, place: usize, mut image: Image) -> Result<Image> {
        let repeats = self.may_repeat(place);
        let patient = &mut self.patients[place];
        if patient.spoils(&What::UsbReset) | patient.spoils(&What::BlackFrame) {
            image = remade(image, black)?;
        }
        if patient.spoils(&What::MissingTail) {
            image = remade(image, without_tail)?;
        }
        if patient.spoils(&What::WrongSize) {
            image = remade(image, upper_half)?;
        }
        if let Some(before) = patient.last.take()
            && patient.spoils(&What::DuplicateFrame)
        {
            let meta = std::mem::take(&mut image.meta);
            image = before;
            image.meta = meta;
        }
        patient.last = repeats.then(|| image.clone());
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
