//! From the camera's values to brightness: the screen transfer function that astronomers know from PixInsight
//! (XISF 1.0, sections 8.5.6 and 8.5.7), derived from median and deviation.

use crate::{Error, Result};

/// Deviations below the median at which black begins.
const SHADOWS: f64 = 2.8;
/// Standard deviations of a normal distribution in one median absolute deviation.
const SIGMA_PER_MAD: f64 = 1.4826;
/// Standard deviations of a normal distribution in one mean absolute deviation, √(π/2).
const SIGMA_PER_MEAN_DEVIATION: f64 = 1.2533;

/// How values become brightness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stretch {
    /// Puts black 2.8 standard deviations below the median and bends the curve so that the median,
    /// which is the sky, gets the brightness `background`.
    ///
    /// A picture whose median is in the upper half of the camera's range, such as a flat, is treated in mirror image.
    Auto {
        /// Brightness of the sky, more than 0 and less than 1; usual are 0.25 (PixInsight) and 0.2.
        background: f64,
        /// The same curve for all colours, which keeps their balance; else each gets its own, which makes the sky grey.
        linked: bool,
    },
    /// As it is: 0 (or the smallest value, if that is negative) is black, the largest possible value white.
    Linear,
}

impl Default for Stretch {
    fn default() -> Self {
        Stretch::Auto { background: 0.25, linked: false }
    }
}

impl Stretch {
    /// Refuses a background that is no brightness.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Stretch::Auto { background, .. } if !(background > 0.0 && background < 1.0) => {
                Err(Error::invalid(format!("preview background {background} is not between 0 and 1")))
            }
            _ => Ok(()),
        }
    }

    /// One curve for each channel.
    pub(super) fn curves(self, stats: &[Stats], white: f64) -> Vec<Curve> {
        let black = stats.iter().map(|channel| channel.min).fold(0.0, f64::min);
        match self {
            Stretch::Linear => vec![Curve::linear(black, white); stats.len()],
            Stretch::Auto { background, linked: false } => stats
                .iter()
                .map(|channel| Curve::auto(channel.median, channel.deviation(), background, black, white))
                .collect(),
            Stretch::Auto { background, linked: true } => {
                let mean = |f: fn(&Stats) -> f64| stats.iter().map(f).sum::<f64>() / stats.len() as f64;
                let curve = Curve::auto(mean(|s| s.median), mean(Stats::deviation), background, black, white);
                vec![curve; stats.len()]
            }
        }
    }
}

/// The spread of the values of one channel, in the camera's units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Median absolute deviation from the median; times 1.4826 it estimates the standard deviation.
    pub mad: f64,
    /// Mean absolute deviation from the median.
    pub mean_deviation: f64,
}

impl Stats {
    /// Of finite values; all 0 without any.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        if values.is_empty() {
            return Stats::default();
        }
        let count = values.len() as f64;
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = values.iter().sum::<f64>() / count;
        let median = middle(&mut values);
        for value in &mut values {
            *value = (*value - median).abs();
        }
        let mean_deviation = values.iter().sum::<f64>() / count;
        Stats { min, max, mean, median, mad: middle(&mut values), mean_deviation }
    }

    /// Standard deviation of the sky. More than half of a coarsely digitised picture may have one and the
    /// same value; then the others tell.
    fn deviation(&self) -> f64 {
        if self.mad > 0.0 { SIGMA_PER_MAD * self.mad } else { SIGMA_PER_MEAN_DEVIATION * self.mean_deviation }
    }
}

/// The value with as many below as above.
fn middle(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    *values.select_nth_unstable_by(half, f64::total_cmp).1
}

/// From a value to a brightness.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve {
    black: f64,
    per_unit: f64,
    midtones: f64,
}

impl Curve {
    fn linear(black: f64, white: f64) -> Self {
        // Where all is black, any scale will do.
        let span = if white > black { white - black } else { 1.0 };
        Curve { black, per_unit: 1.0 / span, midtones: 0.5 }
    }

    fn auto(median: f64, deviation: f64, background: f64, black: f64, white: f64) -> Self {
        let linear = Curve::linear(black, white);
        if deviation == 0.0 {
            return linear;
        }
        let (median, reach) = ((median - black) * linear.per_unit, SHADOWS * deviation * linear.per_unit);
        // The median is taken between shadows and highlights, where the curve works; the usual script leaves
        // that out and gets a sky too bright where the shadows are not near zero.
        let (shadows, highlights, midtones) = if median <= 0.5 {
            let shadows = (median - reach).max(0.0);
            (shadows, 1.0, transfer(background, (median - shadows) / (1.0 - shadows)))
        } else {
            let highlights = (median + reach).min(1.0);
            (0.0, highlights, 1.0 - transfer(background, (highlights - median) / highlights))
        };
        Curve { black: black + shadows / linear.per_unit, per_unit: linear.per_unit / (highlights - shadows), midtones }
    }

    /// The brightness of a value; black for what is not a number.
    pub(super) fn apply(&self, value: f64) -> u8 {
        (transfer(self.midtones, (value - self.black) * self.per_unit) * 255.0).round() as u8
    }
}

/// The midtones transfer function: through (0, 0), (midtones, 0.5) and (1, 1).
fn transfer(midtones: f64, x: f64) -> f64 {
    if x >= 1.0 {
        return 1.0;
    }
    if x > 0.0 { (midtones - 1.0) * x / ((2.0 * midtones - 1.0) * x - midtones) } else { 0.0 }
}
