//! Numbers that look random and are the same on every machine.
//!
//! Everything random in a picture is a function of a key and a place, so that a star, a hot pixel or
//! a picture's noise does not depend on what was drawn before it.

use std::sync::LazyLock;

/// SplitMix64's increment: 2^64 over the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finaliser (Steele, Lea, Flood 2014): every bit of the result depends on every bit given.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// One key made of several numbers.
pub(super) fn key(parts: &[u64]) -> u64 {
    parts.iter().fold(GOLDEN, |key, part| mix(key ^ part.wrapping_mul(GOLDEN)).wrapping_add(GOLDEN))
}

/// The random number of a place.
pub(super) fn at(key: u64, place: u64) -> u64 {
    mix(key.wrapping_add(place.wrapping_mul(GOLDEN)))
}

/// A sequence of random numbers.
#[derive(Debug)]
pub(super) struct Stream {
    key: u64,
    place: u64,
}

impl Stream {
    /// The sequence of a key.
    pub(super) fn new(parts: &[u64]) -> Self {
        Stream { key: key(parts), place: 0 }
    }

    /// Evenly spread over 0 ≤ u < 1.
    pub(super) fn unit(&mut self) -> f64 {
        self.place += 1;
        (at(self.key, self.place) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number near an expected one, such that the mean is right.
    pub(super) fn count(&mut self, expected: f64) -> u64 {
        (expected + self.unit()) as u64
    }
}

/// Bits that choose an entry of [`QUANTILES`].
const BITS: u32 = 12;
const ENTRIES: usize = 1 << BITS;

/// The normal distribution in slices of equal probability. A sample is the sum of two entries:
/// that fills the gaps between them and reaches out beyond five standard deviations.
static QUANTILES: LazyLock<Box<[f32; ENTRIES]>> = LazyLock::new(|| {
    let mut table = Box::new([0.0f32; ENTRIES]);
    let quantile = |i: usize| normal_quantile((i as f64 + 0.5) / ENTRIES as f64);
    let variance = (0..ENTRIES).map(|i| quantile(i).powi(2)).sum::<f64>() / ENTRIES as f64;
    for (i, entry) in table.iter_mut().enumerate() {
        *entry = (quantile(i) / (2.0 * variance).sqrt()) as f32;
    }
    table
});

/// Fills with normally distributed numbers of mean 0 and variance 1: those of a key from an even place on.
pub(super) fn gaussians(key: u64, first: usize, out: &mut [f32]) {
    let table: &[f32; ENTRIES] = &QUANTILES;
    let entry = |bits: u64| table[bits as usize % ENTRIES];
    let pair = |i: usize| {
        let bits = at(key, (first / 2 + i) as u64);
        [entry(bits) + entry(bits >> BITS), entry(bits >> (2 * BITS)) + entry(bits >> (3 * BITS))]
    };
    let (pairs, last) = out.as_chunks_mut::<2>();
    let count = pairs.len();
    for (i, out) in pairs.iter_mut().enumerate() {
        *out = pair(i);
    }
    if let [out] = last {
        *out = pair(count)[0];
    }
}

/// The value below which a share of normally distributed numbers lies, by the rational approximation
/// of Abramowitz and Stegun 26.2.23, sharpened by one step of Newton's method on the distribution function.
fn normal_quantile(share: f64) -> f64 {
    if share > 0.5 {
        return -normal_quantile(1.0 - share);
    }
    let t = (-2.0 * share.ln()).sqrt();
    let start = -t
        + (2.515_517 + 0.802_853 * t + 0.010_328 * t * t)
            / (1.0 + 1.432_788 * t + 0.189_269 * t * t + 0.001_308 * t * t * t);
    let density = (-0.5 * start * start).exp() / std::f64::consts::TAU.sqrt();
    start - (normal_share(start) - share) / density
}

/// The share of normally distributed numbers below a value, by its power series.
fn normal_share(value: f64) -> f64 {
    let (mut term, mut sum) = (value, value);
    let mut n = 1.0;
    while term.abs() > 1e-17 {
        n += 2.0;
        term *= value * value / n;
        sum += term;
    }
    0.5 + sum * (-0.5 * value * value).exp() / std::f64::consts::TAU.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_the_normal_distribution_are_right() {
        for (share, value) in [(0.5, 0.0), (0.158_655_254, -1.0), (0.977_249_868, 2.0), (0.001_349_898, -3.0)] {
            assert!((normal_quantile(share) - value).abs() < 1e-6, "{share}");
        }
    }

    #[test]
    fn samples_are_normally_distributed_far_into_the_tails() {
        let mut z = vec![0.0; 4_000_000];
        gaussians(key(&[1, 2]), 0, &mut z);
        let n = z.len() as f64;
        let moment = |power: i32| z.iter().map(|z| f64::from(*z).powi(power)).sum::<f64>() / n;
        assert!(moment(1).abs() < 0.002 && (moment(2) - 1.0).abs() < 0.003, "{} {}", moment(1), moment(2));
        assert!(moment(3).abs() < 0.006 && (moment(4) - 3.0).abs() < 0.03, "{} {}", moment(3), moment(4));
        let beyond = |limit: f32| z.iter().filter(|z| z.abs() > limit).count() as f64 / n;
        assert!((beyond(2.0) / 0.0455 - 1.0).abs() < 0.01, "{}", beyond(2.0));
        assert!((beyond(4.0) / 6.3e-5 - 1.0).abs() < 0.25, "{}", beyond(4.0));
    }

    #[test]
    fn neighbouring_places_and_keys_are_independent() {
        let (mut a, mut b) = (vec![0.0; 100_000], vec![0.0; 100_000]);
        gaussians(key(&[7, 1]), 0, &mut a);
        gaussians(key(&[7, 2]), 0, &mut b);
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>() / 1e5;
        assert!(product(&a, &b).abs() < 0.015);
        assert!(product(&a, &a[1..]).abs() < 0.015);
    }

    #[test]
    fn the_middle_of_a_row_is_the_same_when_it_is_drawn_alone() {
        let (mut row, mut part) = ([0.0; 64], [0.0; 15]);
        gaussians(9, 0, &mut row);
        gaussians(9, 8, &mut part);
        assert_eq!(row[8..23], part);
    }
}
