//! Cloud-like structure: gradient noise (Perlin 1985) of many sizes on top of each other.

/// Each size is half of the one before and turned against it, so that no grid shows.
const TURN: (f64, f64) = (0.6, 0.8);

/// Strength of each size, of that of the one before.
const FAINTER: f64 = 0.55;
const MOST_OCTAVES: u64 = 8;

/// Mean of the magnitude of [`gradient_noise`].
const MEAN_MAGNITUDE: f64 = 0.14;

/// Structure of one kind, down to a smallest size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turbulence {
    key: u64,
    detail: f64,
}

impl Turbulence {
    /// Structure of a key with nothing smaller than a size in it.
    pub(super) fn new(key: u64, detail: f64) -> Self {
        Turbulence { key, detail }
    }

    /// The same without anything smaller than a size: quicker.
    pub(super) fn smoother(&self, size: f64) -> Self {
        Turbulence { key: self.key, detail: self.detail.max(size) }
    }

    /// Billows of a size: around 0, hardly beyond -1 or 1.
    pub(super) fn billows(&self, size: f64, x: f64, y: f64) -> f64 {
        1.4 * self.sum(size, x, y, 0.0, |noise| noise)
    }

    /// Filaments between voids of a size: about 1 on their crests, 0 far from them.
    pub(super) fn filaments(&self, size: f64, x: f64, y: f64) -> f64 {
        let crest = |noise: f64| 1.0 - 2.5 * noise.abs();
        self.sum(size, x, y, 1.0 - 2.5 * MEAN_MAGNITUDE, crest).max(0.0) / 1.6
    }

    /// What is too small to be drawn adds its mean, so that brightness does not depend on the detail.
    fn sum(&self, mut size: f64, x: f64, y: f64, mean: f64, each: impl Fn(f64) -> f64) -> f64 {
        let (mut x, mut y) = (x / size, y / size);
        let (mut sum, mut weight) = (0.0, 1.0);
        for octave in 0..MOST_OCTAVES {
            if size < self.detail {
                break;
            }
            sum += weight * each(gradient_noise(self.key.wrapping_add(octave), x, y));
            weight *= FAINTER;
            size /= 2.0;
            (x, y) = (2.0 * (TURN.0 * x - TURN.1 * y), 2.0 * (TURN.1 * x + TURN.0 * y));
        }
        sum + mean * weight / (1.0 - FAINTER)
    }
}

/// Smooth noise of size 1, between -1 and 1.
fn gradient_noise(key: u64, x: f64, y: f64) -> f64 {
    let (column, row) = (floor(x), floor(y));
    let (dx, dy) = (x - column as f64, y - row as f64);
    let slope = |i: i64, j: i64| {
        let [across, down] = gradient(key, column + i, row + j);
        across * (dx - i as f64) + down * (dy - j as f64)
    };
    let ease = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
    let between = |a: f64, b: f64, t: f64| a + t * (b - a);
    let u = ease(dx);
    between(between(slope(0, 0), slope(1, 0), u), between(slope(0, 1), slope(1, 1), u), ease(dy))
}

/// The slope of the noise at a point of its grid. One multiplication stirs well enough here, and it is quick.
fn gradient(key: u64, column: i64, row: i64) -> [f64; 2] {
    let place = (column as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ (row as u64).wrapping_mul(0xA5A3_564E_27F8_8695);
    let bits = (place ^ key.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    [bits >> 48, (bits >> 32) & 0xFFFF].map(|bits| f64::from(bits as u32 as i32 - 32_768) / 32_768.0)
}

fn floor(x: f64) -> i64 {
    let towards_zero = x as i64;
    towards_zero - i64::from(x < towards_zero as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(each: impl Fn(f64, f64) -> f64) -> f64 {
        let places = (0..40_000).map(|i| (f64::from(i % 200) * 0.7137, f64::from(i / 200) * 0.7137));
        places.map(|(x, y)| each(x, y)).sum::<f64>() / 40_000.0
    }

    #[test]
    fn brightness_does_not_depend_on_the_detail() {
        let magnitude = mean(|x, y| gradient_noise(5, x, y).abs());
        assert!((magnitude - MEAN_MAGNITUDE).abs() < 0.01, "{magnitude}");
        let (fine, coarse) = (Turbulence::new(5, 0.001), Turbulence::new(5, 0.3));
        let (fine, coarse) = (mean(|x, y| fine.filaments(1.0, x, y)), mean(|x, y| coarse.filaments(1.0, x, y)));
        assert!((fine / coarse - 1.0).abs() < 0.03, "{fine} {coarse}");
    }

    #[test]
    fn it_is_smooth_across_the_grid() {
        let noise = Turbulence::new(5, 0.5);
        for i in 0..200 {
            let x = f64::from(i) * 0.25 - 25.0;
            assert!((noise.billows(1.0, x - 1e-7, 0.3) - noise.billows(1.0, x + 1e-7, 0.3)).abs() < 1e-5);
        }
    }
}
