//! What a picture's pixels are like, by a sample of its rows.

use crate::{
    each_pixel_type,
    image::{Image, Pixels},
};
use rapidhash::quality::RapidHasher;
use std::hash::Hasher;

/// Pixels that are sampled at least, and rows.
const PIXELS: usize = 1 << 20;
const ROWS: usize = 128;

/// Rows above constant ones that are looked at, and the parts of them that each must be noisy.
const ABOVE: usize = 16;
const PARTS: usize = 8;

/// The share of neighbours that differ where there is noise.
const NOISY: f64 = 0.1;

/// Rows are not constant by chance when this many neighbours should differ in them.
const EXPECTED: f64 = 24.0;

/// Pixels that are counted at a time, few enough for a byte.
const STEP: usize = 128;

/// A pixel of any type; equal are those of the same bits.
trait Pixel: bytemuck::Pod {
    fn same(self, other: Self) -> bool;
    fn real(self) -> f64;
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Pixel for $type {
            fn same(self, other: Self) -> bool {
                self == other
            }
            #[allow(clippy::cast_lossless, reason = "some of the types are wider than an f64's mantissa")]
            fn real(self) -> f64 {
                self as f64
            }
        }
    )*};
}

macro_rules! float {
    ($($type:ty),*) => {$(
        impl Pixel for $type {
            fn same(self, other: Self) -> bool {
                self.to_bits() == other.to_bits()
            }
            fn real(self) -> f64 {
                self.into()
            }
        }
    )*};
}

whole!(u8, i16, u16, i32, u32, i64, u64);
float!(f32, f64);

/// Rows of one value at the end of a plane, below rows that are not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tail {
    /// From 0.
    pub(super) plane: usize,
    /// The first of the rows, from 0.
    pub(super) row: usize,
    pub(super) value: f64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Survey {
    /// Sampled pixels.
    pub(super) pixels: usize,
    /// Those that are 0.
    pub(super) zeros: usize,
    /// Those that are saturated.
    pub(super) saturated: usize,
    /// Those that differ from their left neighbour.
    pub(super) differing: usize,
    /// The value that all pixels of the picture have.
    pub(super) constant: Option<f64>,
    /// Planes that have one value, while others vary.
    pub(super) constant_planes: Vec<(usize, f64)>,
    pub(super) tail: Option<Tail>,
    /// The same for the same picture.
    pub(super) fingerprint: u64,
}

impl Survey {
    /// Looks at a picture.
    pub(super) fn of(image: &Image) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let max = saturation(image);
        each_pixel_type!(image.pixels(), pixels => survey(pixels, width, height, max))
    }
}

/// The value at which a pixel is saturated, as far as it is known.
fn saturation(image: &Image) -> Option<f64> {
    let largest = match image.pixels() {
        Pixels::U8(_) => Some(f64::from(u8::MAX)),
        Pixels::U16(_) => Some(f64::from(u16::MAX)),
        _ => None,
    };
    let told = image.meta.max_adu.filter(|max| *max > 0).map(f64::from);
    match (told, largest) {
        (Some(told), Some(largest)) => Some(told.min(largest)),
        (told, largest) => told.or(largest),
    }
}

fn survey<T: Pixel>(pixels: &[T], width: usize, height: usize, max: Option<f64>) -> Survey {
    let (Some(first), true) = (pixels.first().copied(), width > 0 && height > 0) else { return Survey::default() };
    let mut survey = Survey::default();
    let mut hasher = RapidHasher::default();
    let every = every(width, pixels.len() / width);
    let mut constant = true;
    for row in pixels.chunks_exact(width).step_by(every) {
        hasher.write(bytemuck::cast_slice(row));
        survey.pixels += row.len();
        survey.zeros += count(row, |pixel| pixel.same(T::zeroed()));
        survey.saturated += max.map_or(0, |max| count(row, |pixel| pixel.real() >= max));
        let differing = differing(row);
        survey.differing += differing;
        constant &= differing == 0 && row.first().is_some_and(|pixel| pixel.same(first));
    }
    survey.fingerprint = hasher.finish();
    if constant && all(pixels, first) {
        survey.constant = Some(first.real());
        return survey;
    }
    for (plane, pixels) in pixels.chunks_exact(width * height).enumerate() {
        match end(pixels, width) {
            End::Constant(value) => survey.constant_planes.push((plane, value)),
            End::Tail(row, value) => survey.tail = survey.tail.or(Some(Tail { plane, row, value })),
            End::Fine => {}
        }
    }
    survey
}

/// Every which row is sampled.
fn every(width: usize, rows: usize) -> usize {
    let wanted = (PIXELS / width).max(ROWS);
    (rows / wanted).max(1)
}

fn count<T: Pixel>(row: &[T], is: impl Fn(T) -> bool) -> usize {
    row.chunks(STEP).map(|part| usize::from(part.iter().map(|pixel| u8::from(is(*pixel))).sum::<u8>())).sum()
}

/// How many pixels differ from the one before.
fn differing<T: Pixel>(row: &[T]) -> usize {
    let Some(shifted) = row.get(1..) else { return 0 };
    let parts = row.chunks(STEP).zip(shifted.chunks(STEP));
    let differ =
        |(one, next): (&[T], &[T])| usize::from(one.iter().zip(next).map(|(a, b)| u8::from(!a.same(*b))).sum::<u8>());
    parts.map(differ).sum()
}

fn all<T: Pixel>(pixels: &[T], value: T) -> bool {
    pixels.chunks(STEP).all(|part| part.iter().fold(true, |same, pixel| same & pixel.same(value)))
}

/// How a plane ends.
enum End {
    Fine,
    /// All of it has one value.
    Constant(f64),
    /// From this row on it has one value, and no noise explains that.
    Tail(usize, f64),
}

fn end<T: Pixel>(plane: &[T], width: usize) -> End {
    let Some(last) = plane.last().copied() else { return End::Fine };
    let height = plane.len() / width;
    let rows = plane.rchunks_exact(width).take_while(|row| all(row, last)).count();
    if rows == 0 {
        return End::Fine;
    }
    let row = height - rows;
    if row == 0 {
        return End::Constant(last.real());
    }
    // The row above may end within: those above that one are whole.
    let above = if row > 1 { &plane[..(row - 1) * width] } else { &plane[..width] };
    let above = &above[above.len().saturating_sub(ABOVE * width)..];
    let is_cut = ends_noisily(above, width, last, rows) || ends_in_the_dark(above, last);
    if is_cut { End::Tail(row, last.real()) } else { End::Fine }
}

/// Everywhere above there is noise, and below there is none.
fn ends_noisily<T: Pixel>(above: &[T], width: usize, value: T, rows: usize) -> bool {
    // A saturated part ends wherever it likes.
    let value = value.real();
    if !above.iter().any(|pixel| value < pixel.real()) && !value.is_nan() {
        return false;
    }
    let parts = (width / 4).clamp(1, PARTS);
    let part = width / parts;
    let noise = |n: usize| {
        let of_part = |row: &[T]| row.get(n * part..(n + 1) * part).map_or(0, differing);
        let pairs = above.len() / width * (part - 1).max(1);
        above.chunks_exact(width).map(of_part).sum::<usize>() as f64 / pairs as f64
    };
    let noise = (0..parts).map(noise).fold(f64::INFINITY, f64::min);
    noise >= NOISY && noise * (rows * width) as f64 >= EXPECTED
}

/// Below there is nothing at all, and above there was something everywhere.
fn ends_in_the_dark<T: Pixel>(above: &[T], value: T) -> bool {
    const SOMETHING: f64 = 2.0;
    value.same(T::zeroed()) && above.iter().all(|pixel| pixel.real() >= SOMETHING)
}
