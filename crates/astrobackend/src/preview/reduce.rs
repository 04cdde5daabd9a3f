//! Fewer pixels: averages of blocks for the picture, a grid of samples for its statistics.

use crate::{Image, device::BayerPattern, each_pixel_type};

/// Pixels that the statistics look at.
const SAMPLES: usize = 500_000;

const GREY: [[usize; 2]; 2] = [[0, 0], [0, 0]];

/// The channel of each pixel of a 2x2 cell, rows from the top; red is 0, green 1, blue 2.
fn cell(pattern: BayerPattern) -> [[usize; 2]; 2] {
    match pattern {
        BayerPattern::Rggb => [[0, 1], [1, 2]],
        BayerPattern::Grbg => [[1, 0], [2, 1]],
        BayerPattern::Gbrg => [[1, 2], [0, 1]],
        BayerPattern::Bggr => [[2, 1], [1, 0]],
    }
}

/// The pattern of a picture that has colours in its pixels, not in planes.
fn bayer(image: &Image) -> Option<BayerPattern> {
    image.meta.bayer.filter(|_| image.planes() == 1)
}

/// A pixel as a float.
trait Sample: Copy {
    fn value(self) -> f64;
}

macro_rules! sample {
    ($($type:ty),*) => { $(
        impl Sample for $type {
            #[allow(clippy::unnecessary_cast, reason = "one of the types is f64 itself")]
            fn value(self) -> f64 { self as f64 }
        }
    )* };
}

sample!(u8, i16, u16, i32, u32, i64, u64, f32, f64);

/// Values that can be added up without end; not numbers and infinities cannot.
fn usable(value: f64) -> bool {
    value.abs() <= f64::from(f32::MAX)
}

/// Values from an even grid over the picture, for each channel; what is unusable is left out.
pub(super) fn samples(image: &Image) -> Vec<Vec<f64>> {
    let (width, height, plane) = size(image);
    let (edge, channels) = if bayer(image).is_some() { (2, 3) } else { (1, usize::from(image.planes())) };
    let colours = bayer(image).map_or(GREY, cell);
    // Whole cells of the pattern are taken, so that each colour is seen equally often.
    let step = edge * (((width * height) as f64 / SAMPLES as f64).sqrt().ceil() as usize).max(1);
    let mut values = vec![Vec::new(); channels];
    for start_y in (0..height).step_by(step) {
        for y in start_y..height.min(start_y + edge) {
            for start_x in (0..width).step_by(step) {
                for x in start_x..width.min(start_x + edge) {
                    for first in 0..usize::from(image.planes()) {
                        let value = image.pixels().get(first * plane + y * width + x);
                        values[first + colours[y % 2][x % 2]].extend(value.filter(|value| usable(*value)));
                    }
                }
            }
        }
    }
    values
}

fn size(image: &Image) -> (usize, usize, usize) {
    let (width, height) = (image.width() as usize, image.height() as usize);
    (width, height, width * height)
}

/// How a picture is made smaller, and coloured if its pixels are behind a Bayer pattern.
#[derive(Debug)]
pub(super) struct Reduction {
    width: usize,
    height: usize,
    factor: usize,
    channels: usize,
    bayer: Option<BayerPattern>,
}

impl Reduction {
    /// So that neither edge is longer than `max_edge`.
    pub(super) fn new(image: &Image, max_edge: Option<u32>) -> Self {
        let (width, height, _) = size(image);
        let longest = image.width().max(image.height());
        let mut factor = max_edge.map_or(1, |edge| longest.div_ceil(edge)) as usize;
        let bayer = bayer(image);
        if bayer.is_some() && factor > 1 {
            factor = factor.next_multiple_of(2);
        }
        let channels = if bayer.is_some() { 3 } else { usize::from(image.planes()) };
        Reduction { width: (width / factor).max(1), height: (height / factor).max(1), factor, channels, bayer }
    }

    /// Columns of the smaller picture.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Rows of the smaller picture.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Fills in one row, the channels of a pixel side by side; what has no usable pixel is not a number.
    pub(super) fn row(&self, image: &Image, y: usize, row: &mut [f64]) {
        let (width, height, plane) = size(image);
        each_pixel_type!(image.pixels(), pixels => match self.bayer {
            Some(pattern) if self.factor == 1 => interpolate(pixels, (width, height), y, cell(pattern), row),
            pattern => {
                let mut sums = vec![(0.0, 0_u32); row.len()];
                for (first, plane) in pixels.chunks_exact(plane).enumerate() {
                    let colours = pattern.map_or([[first; 2]; 2], cell);
                    let rows = plane.chunks_exact(width).enumerate();
                    for (y, line) in rows.skip(y * self.factor).take(self.factor) {
                        self.add(line, colours[y % 2], &mut sums);
                    }
                }
                for (value, (sum, count)) in row.iter_mut().zip(sums) {
                    *value = sum / f64::from(count);
                }
            }
        });
    }

    /// Adds one row of the picture to the blocks that it crosses; its pixels are of two colours in turn.
    fn add<T: Sample>(&self, line: &[T], colours: [usize; 2], sums: &mut [(f64, u32)]) {
        for (block, sums) in line.chunks(self.factor).zip(sums.chunks_exact_mut(self.channels)) {
            for (x, pixel) in block.iter().enumerate() {
                let value = pixel.value();
                if usable(value) {
                    let (sum, count) = &mut sums[colours[x % 2]];
                    *sum += value;
                    *count += 1;
                }
            }
        }
    }
}

/// Fills in a row with all three colours: a pixel's own as it is, the others as the mean of the neighbours that have them.
fn interpolate<T: Sample>(
    pixels: &[T],
    (width, height): (usize, usize),
    y: usize,
    cell: [[usize; 2]; 2],
    row: &mut [f64],
) {
    for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
        let mut sums = [(0.0, 0_u32); 3];
        for ny in y.saturating_sub(1)..height.min(y + 2) {
            for nx in x.saturating_sub(1)..width.min(x + 2) {
                let value = pixels[ny * width + nx].value();
                if usable(value) {
                    let (sum, count) = &mut sums[cell[ny % 2][nx % 2]];
                    *sum += value;
                    *count += 1;
                }
            }
        }
        let own = cell[y % 2][x % 2];
        sums[own] = (pixels[y * width + x].value(), 1);
        for (value, (sum, count)) in pixel.iter_mut().zip(sums) {
            *value = sum / f64::from(count);
        }
    }
}
