//! The image of a star: seeing, diffraction and defocus.
//!
//! In focus it is Moffat's profile (1969) with exponent 3 and a faint wide aureole; out of focus that is
//! smeared over the ring-shaped shadow of the telescope's opening. Both are round, so one table over the radius
//! holds it all.

use super::{photometry::OBSTRUCTION, projection::ARCSEC, scene::Scene};

/// Share of the light in the aureole, and how much wider it is.
const AUREOLE: f64 = 0.04;
const AUREOLE_WIDTH: f64 = 4.0;

/// Full width at half maximum of Moffat's profile with exponent 3, of its radius parameter.
const WIDTH_OF_MOFFAT: f64 = 1.019_65;

/// Width in pixels that a square pixel adds to the image by averaging over itself, and the least that
/// lenses make; below it, what pixels at discrete distances get would no longer add up to the whole.
const PIXEL: f64 = 0.68;
const NARROWEST: f64 = 1.6;

/// The table reaches so many radius parameters beyond the shadow of the opening.
const REACH: f64 = 40.0;

/// Largest radius of the shadow in pixels.
const LARGEST_SHADOW: f64 = 2000.0;

const ENTRIES: usize = 4096;

/// The share of a star's light that falls on a pixel, over the pixel's distance.
#[derive(Debug)]
pub(super) struct Psf {
    share: Vec<f32>,
    /// The largest share at this distance or beyond: falls all the way.
    envelope: Vec<f32>,
    entries_per_pixel: f32,
}

impl Psf {
    /// The image of a star in a scene, for pixels of so many arcseconds.
    pub(super) fn new(scene: &Scene, arcsec_per_pixel: f64) -> Self {
        let diffraction = 1.03 * 550e-9 / scene.aperture.0 * ARCSEC;
        let width = (scene.seeing.hypot(diffraction) / arcsec_per_pixel).hypot(PIXEL).max(NARROWEST);
        let f_ratio = scene.focal_length.0 / scene.aperture.0;
        let shadow = scene.defocus.abs() / f_ratio / 2.0 / scene.sensor.pixel.0;
        Psf::of(width, shadow.min(LARGEST_SHADOW))
    }

    /// From the width of the image in focus and the radius of the opening's shadow, in pixels.
    fn of(width: f64, shadow: f64) -> Self {
        // The rim of a large shadow may be as soft as a twelfth of it: nobody sees that, and it is quick.
        let alpha = width.max(shadow / 12.0) / WIDTH_OF_MOFFAT;
        let reach = shadow + REACH * alpha;
        let entries_per_pixel = ENTRIES as f64 / reach;
        let mut share: Vec<f64> = if shadow < 0.01 {
            (0..ENTRIES).map(|i| kernel((i as f64 + 0.5) / entries_per_pixel / alpha)).collect()
        } else {
            smeared(alpha, shadow, reach)
        };
        let ring = |i: usize| std::f64::consts::TAU * (i as f64 + 0.5) / (entries_per_pixel * entries_per_pixel);
        let total: f64 = share.iter().enumerate().map(|(i, share)| share * ring(i)).sum();
        share.iter_mut().for_each(|share| *share /= total);
        let share: Vec<f32> = share.into_iter().map(|share| share as f32).collect();
        let mut envelope = share.clone();
        for i in (1..ENTRIES).rev() {
            envelope[i - 1] = envelope[i - 1].max(envelope[i]);
        }
        Psf { share, envelope, entries_per_pixel: entries_per_pixel as f32 }
    }

    /// The largest share that a pixel can have.
    pub(super) fn peak(&self) -> f32 {
        self.envelope.first().copied().unwrap_or_default()
    }

    /// Distance in pixels beyond which no pixel has more than a share.
    pub(super) fn radius(&self, share: f32) -> f32 {
        self.envelope.partition_point(|largest| *largest > share) as f32 / self.entries_per_pixel
    }

    /// Adds a star to a part of a row: pixels at `distance`, `distance + 1` ... columns from the star and `rows` rows
    /// from it. `flux` is for even and odd places of the part.
    pub(super) fn add(&self, flux: [f32; 2], distance: f32, rows: f32, part: &mut [f32]) {
        let share = &self.share[..ENTRIES];
        let scale = self.entries_per_pixel * self.entries_per_pixel;
        for (i, pixel) in part.iter_mut().enumerate() {
            let columns = distance + i as f32;
            let entry = ((columns * columns + rows * rows) * scale).sqrt() as usize;
            *pixel += flux[i % 2] * share[entry.min(ENTRIES - 1)];
        }
    }
}

/// Moffat's profile with its aureole over the distance in radius parameters; not normalised.
fn kernel(distance: f64) -> f64 {
    let moffat = |d: f64| 1.0 / ((1.0 + d * d) * (1.0 + d * d) * (1.0 + d * d));
    (1.0 - AUREOLE) * moffat(distance) + AUREOLE / (AUREOLE_WIDTH * AUREOLE_WIDTH) * moffat(distance / AUREOLE_WIDTH)
}

/// The profile smeared over the ring between the secondary mirror's shadow and that of the opening.
fn smeared(alpha: f64, shadow: f64, reach: f64) -> Vec<f64> {
    const NODES: usize = 512;
    let step = 0.5 * alpha;
    let inner = OBSTRUCTION * shadow;
    let rings = ((shadow - inner) / step).ceil().max(3.0);
    let spokes = (std::f64::consts::PI * shadow / step).ceil().max(8.0);
    let mut points = Vec::with_capacity((rings * spokes) as usize);
    for ring in 0..rings as usize {
        let radius = inner + (shadow - inner) * (ring as f64 + 0.5) / rings;
        for spoke in 0..spokes as usize {
            let (sin, cos) = ((spoke as f64 + 0.5) / spokes * std::f64::consts::PI).sin_cos();
            points.push((radius * cos / alpha, radius * sin / alpha, radius));
        }
    }
    let node = |i: usize| {
        let r = i as f64 / NODES as f64 * reach / alpha;
        points.iter().map(|(x, y, weight)| weight * kernel((r - x).hypot(*y))).sum::<f64>()
    };
    let nodes: Vec<f64> = (0..=NODES).map(node).collect();
    let per_node = ENTRIES / NODES;
    let between = |i: usize| {
        let (left, part) = (i / per_node, (i % per_node) as f64 + 0.5);
        nodes[left] + (nodes[left + 1] - nodes[left]) * part / per_node as f64
    };
    (0..ENTRIES).map(between).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half-flux diameter and total of a star drawn at a place within its pixel.
    fn measure(psf: &Psf, x: f32, y: f32) -> (f64, f64) {
        let n = 161;
        let (mut total, mut moment) = (0.0, 0.0);
        for row in 0..n {
            let mut part = vec![0.0; n];
            let dy = row as f32 - (n / 2) as f32 - y;
            psf.add([1.0; 2], -((n / 2) as f32) - x, dy, &mut part);
            for (column, share) in part.iter().enumerate() {
                let dx = column as f32 - (n / 2) as f32 - x;
                total += f64::from(*share);
                moment += f64::from(share * dx.hypot(dy));
            }
        }
        (2.0 * moment / total, total)
    }

    #[test]
    fn all_of_the_light_arrives_wherever_a_star_falls_within_a_pixel() {
        for (width, shadow) in [(1.6, 0.0), (2.5, 0.0), (2.5, 0.3), (2.5, 5.0), (3.0, 20.0)] {
            let psf = Psf::of(width, shadow);
            for (x, y) in [(0.0, 0.0), (0.5, 0.5), (0.25, -0.4)] {
                let (_, total) = measure(&psf, x, y);
                assert!((total - 1.0).abs() < 0.02, "{width} {shadow} at {x},{y}: {total}");
            }
        }
    }

    #[test]
    fn the_diameter_grows_with_defocus_without_a_step() {
        let diameters: Vec<f64> = (0..60).map(|i| measure(&Psf::of(2.5, i as f64 * 0.4), 0.0, 0.0).0).collect();
        assert!(diameters.is_sorted(), "{diameters:?}");
        assert!(diameters.windows(2).all(|pair| pair[1] - pair[0] < 0.65), "{diameters:?}");
        let slopes: Vec<f64> = diameters[40..].windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(slopes.iter().all(|slope| (slope / slopes[0] - 1.0).abs() < 0.1), "{slopes:?}");
    }

    #[test]
    fn the_width_at_half_maximum_is_the_one_asked_for() {
        let psf = Psf::of(4.0, 0.0);
        let half = psf.share.iter().position(|share| *share < psf.peak() / 2.0).unwrap();
        assert!((half as f32 / psf.entries_per_pixel - 2.0).abs() < 0.06);
        assert!(psf.radius(psf.peak() / 2.0) < psf.radius(psf.peak() / 1000.0));
    }
}
