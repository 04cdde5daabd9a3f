//! Cloud-like structure: gradient noise (Perlin 1985) of many sizes on top of each other.

use super::noise;

/// Each size is half of the one before and turned against it, so that no grid shows.
const TURN: (f64, f64) = (0.6, 0.8);

/// Structure of one kind, from the largest size 1 down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turbulence {
    key: u64,
    octaves: u32,
}

impl Turbulence {
    /// Structure of a key, down to details of a size.
    pub(super) fn new(key: u64, detail: f64) -> Self {
        Turbulence { key, octaves: (-detail.max(1e-6).log2()).clamp(1.0, 8.0) as u32 }
    }

    /// Billows around 0, hardly beyond -1 or 1.
    pub(super) fn billows(&self, x: f64, y: f64) -> f64 {
        self.sum(x, y, |noise| 1.4 * noise)
    }

    /// Filaments: 1 on their crests, around 0 far from them.
    pub(super) fn filaments(&self, x: f64, y: f64) -> f64 {
        let crests = self.sum(x, y, |noise| 1.0 - 2.5 * noise.abs());
        crests.max(0.0) / 1.6
    }

    fn sum(&self, mut x: f64, mut y: f64, each: impl Fn(f64) -> f64) -> f64 {
        let (mut sum, mut weight) = (0.0, 1.0);
        for octave in 0..self.octaves {
            sum += weight * each(gradient_noise(self.key.wrapping_add(u64::from(octave)), x, y));
            weight *= 0.55;
            (x, y) = (2.0 * (TURN.0 * x - TURN.1 * y), 2.0 * (TURN.1 * x + TURN.0 * y));
        }
        sum
    }
}

/// Smooth noise of size 1, between -1 and 1.
fn gradient_noise(key: u64, x: f64, y: f64) -> f64 {
    let (column, row) = (x.floor(), y.floor());
    let (dx, dy) = (x - column, y - row);
    let slope = |i: f64, j: f64| {
        let place = ((column + i) as i64 as u64) << 32 ^ ((row + j) as i64 as u64 & 0xFFFF_FFFF);
        let bits = noise::at(key, place);
        let part = |bits: u64| (bits & 0xFFFF) as f64 / 32_768.0 - 1.0;
        part(bits) * (dx - i) + part(bits >> 16) * (dy - j)
    };
    let ease = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let (u, v) = (ease(dx), ease(dy));
    let top = slope(0.0, 0.0) + u * (slope(1.0, 0.0) - slope(0.0, 0.0));
    let bottom = slope(0.0, 1.0) + u * (slope(1.0, 1.0) - slope(0.0, 1.0));
    top + v * (bottom - top)
}
