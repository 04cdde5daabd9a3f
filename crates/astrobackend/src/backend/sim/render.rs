//! Takes the simulated picture: light through the optics onto the chip, and out as numbers.
//!
//! It is made strip by strip from the top, so that besides the picture itself little memory is needed. Everything
//! is worked out in pixels of the whole chip; regions and binning only choose and add up what is kept.

use super::{
    chip::Chip,
    field::StarField,
    glow::Glow,
    photometry::{Mosaic, panel},
    scene::Scene,
    shade::Shade,
};
use crate::{device::FrameType, image::Pixels};

/// Rows that are worked out together.
const STRIP: u32 = 32;

/// Columns are worked out in groups of so many: see [`Glow`].
const ALIGN: u32 = super::glow::CELL;

/// Takes a picture of a scene: `U8` or `U16` pixels as the sensor delivers them.
pub(super) fn render(scene: &Scene) -> Pixels {
    let count = scene.frame.pixels();
    if scene.sensor.bits == 8 {
        let mut values: Vec<u8> = Vec::with_capacity(count);
        expose(scene, |row| values.extend(row.iter().map(|value| *value as u8)));
        Pixels::U8(values)
    } else {
        let mut values: Vec<u16> = Vec::with_capacity(count);
        expose(scene, |row| values.extend_from_slice(row));
        Pixels::U16(values)
    }
}

/// Makes the picture and hands over its rows.
fn expose(scene: &Scene, mut keep: impl FnMut(&[u16])) {
    let (x, y, width, height) = scene.frame.unbinned();
    let left = x - x % ALIGN;
    let columns = (x + width - left).next_multiple_of(ALIGN) as usize;
    let mut chip = Chip::new(scene, left, columns);
    let mut light = Light::new(scene, &chip, (left, left + columns as u32), (y, y + height));
    let mut strip = vec![0.0; columns * STRIP as usize];
    let mut read = vec![0; columns];
    let mut bins = Bins::new(scene);
    for top in (y..y + height).step_by(STRIP as usize) {
        let rows = STRIP.min(y + height - top);
        let strip = &mut strip[..columns * rows as usize];
        light.fall(strip, left, top, columns);
        for (row, y) in strip.chunks_exact_mut(columns).zip(top..) {
            if light.is_on() {
                chip.absorb(y, row);
            }
            chip.read(y, row, &mut read);
            bins.add(&read[(x - left) as usize..][..width as usize], &mut keep);
        }
    }
}

/// The light that falls on the chip.
struct Light {
    source: Source,
    shade: Shade,
    mosaic: Mosaic,
}

enum Source {
    /// The shutter is closed.
    None,
    Panel([f32; 3]),
    Sky(Glow, StarField),
}

impl Light {
    fn new(scene: &Scene, chip: &Chip, columns: (u32, u32), rows: (u32, u32)) -> Self {
        let source = match scene.frame_type {
            FrameType::Dark | FrameType::Bias => Source::None,
            FrameType::Flat => Source::Panel(panel(scene).map(|electrons| electrons as f32)),
            FrameType::Light => {
                let glow = Glow::new(scene, columns, rows);
                let stars = StarField::new(scene, columns, rows, chip.noise(glow.background()));
                Source::Sky(glow, stars)
            }
        };
        Light { source, shade: Shade::new(scene), mosaic: Mosaic::new(scene.sensor.colour) }
    }

    fn is_on(&self) -> bool {
        !matches!(self.source, Source::None)
    }

    /// Fills a strip of the chip with the electrons that its light is expected to make.
    fn fall(&mut self, strip: &mut [f32], left: u32, top: u32, width: usize) {
        let kinds = |y| self.mosaic.row(y);
        match &mut self.source {
            Source::None => return strip.fill(0.0),
            Source::Panel(electrons) => {
                for (row, y) in rows(strip, width, top) {
                    let pair = kinds(y).map(|kind| electrons[kind]);
                    row.as_chunks_mut().0.fill(pair);
                }
            }
            Source::Sky(glow, stars) => {
                for (row, y) in rows(strip, width, top) {
                    glow.fill(y, kinds(y), row);
                }
                stars.draw(strip, left, top, width, kinds);
            }
        }
        for (row, y) in rows(strip, width, top) {
            self.shade.dim(y, left, row);
        }
    }
}

/// The rows of a strip with their places on the chip.
fn rows(strip: &mut [f32], width: usize, top: u32) -> impl Iterator<Item = (&mut [f32], u32)> {
    strip.chunks_exact_mut(width).zip(top..)
}

/// Adds up the pixels of a bin as cameras do: after reading them, up to full scale.
struct Bins {
    across: usize,
    down: u8,
    largest: u32,
    rows: u8,
    sums: Vec<u32>,
    row: Vec<u16>,
}

impl Bins {
    fn new(scene: &Scene) -> Self {
        let width = scene.frame.width as usize;
        Bins {
            across: usize::from(scene.frame.bin_x),
            down: scene.frame.bin_y,
            largest: scene.sensor.max_adu(),
            rows: 0,
            sums: vec![0; width],
            row: vec![0; width],
        }
    }

    fn add(&mut self, pixels: &[u16], keep: &mut impl FnMut(&[u16])) {
        if (self.across, self.down) == (1, 1) {
            return keep(pixels);
        }
        for (sum, pixels) in self.sums.iter_mut().zip(pixels.chunks_exact(self.across)) {
            *sum += pixels.iter().map(|value| u32::from(*value)).sum::<u32>();
        }
        self.rows += 1;
        if self.rows == self.down {
            for (value, sum) in self.row.iter_mut().zip(&mut self.sums) {
                *value = (*sum).min(self.largest) as u16;
                *sum = 0;
            }
            self.rows = 0;
            keep(&self.row);
        }
    }
}

#[cfg(test)]
mod tests;
