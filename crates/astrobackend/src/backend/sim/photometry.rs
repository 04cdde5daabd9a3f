//! How much light there is and how many electrons it makes, filters and air and glass in between.
//!
//! Light is described by six numbers: three pieces of the continuum and three lines of glowing gas.

use super::scene::{Band, Scene};
use crate::device::{BayerPattern, Colour};

/// Parts of the spectrum.
pub(super) const PARTS: usize = 6;

/// Photons per second and square metre: in blue, green and red light per nanometre,
/// then in the lines of oxygen, hydrogen and sulphur. Of extended sources per square arcsecond.
pub(super) type Spectrum = [f64; PARTS];

/// Photons of a star of magnitude 0 and B−V = 0 (Bessell 1979), and how magnitudes change with B−V.
const ZERO: [f64; 3] = [1.4e8, 1.0e8, 0.75e8];
const REDDENING: [f64; 3] = [1.0, 0.1, -0.55];

/// Extinction in magnitudes per airmass.
const EXTINCTION: Spectrum = [0.25, 0.16, 0.10, 0.19, 0.09, 0.09];

/// What mirrors, lenses and windows let through.
const GLASS: f64 = 0.85;

/// Diameter of the secondary mirror, of the aperture's.
pub(super) const OBSTRUCTION: f64 = 0.3;

/// B−V of the night sky near towns.
const SKY_COLOUR: f64 = 0.9;

/// The spectrum of a star of a visual magnitude and a B−V, or per square arcsecond of a starlit surface.
pub(super) fn starlight(mag: f64, bv: f64) -> Spectrum {
    let part = |i: usize| ZERO[i] * 10f64.powf(-0.4 * (mag + REDDENING[i] * bv));
    [part(0), part(1), part(2), 0.0, 0.0, 0.0]
}

/// The glow of the night sky of a brightness in magnitudes per square arcsecond.
pub(super) fn skylight(mag: f64) -> Spectrum {
    starlight(mag, SKY_COLOUR)
}

/// What a filter lets through: nanometres of the continuum's parts, share of the lines.
fn filter(band: Band) -> Spectrum {
    match band {
        Band::Luminance => [100.0, 90.0, 105.0, 0.95, 0.95, 0.95],
        Band::Red => [0.0, 0.0, 95.0, 0.0, 0.95, 0.95],
        Band::Green => [0.0, 85.0, 0.0, 0.6, 0.0, 0.0],
        Band::Blue => [95.0, 0.0, 0.0, 0.8, 0.0, 0.0],
        Band::HAlpha => [0.0, 0.0, 5.0, 0.0, 0.95, 0.0],
        Band::OIII => [2.5, 2.5, 0.0, 0.95, 0.0, 0.0],
        Band::SII => [0.0, 0.0, 5.0, 0.0, 0.0, 0.95],
        Band::Opaque => [0.0; PARTS],
    }
}

/// What the dyes of a colour sensor let through: red, green, blue.
const DYES: [Spectrum; 3] =
    [[0.03, 0.08, 0.90, 0.06, 0.92, 0.92], [0.15, 0.90, 0.10, 0.75, 0.08, 0.06], [0.90, 0.20, 0.04, 0.55, 0.03, 0.03]];

/// Which of the dyes lies over a pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mosaic(Option<BayerPattern>);

impl Mosaic {
    /// That of a sensor.
    pub(super) fn new(colour: Colour) -> Self {
        Mosaic(match colour {
            Colour::Bayer(pattern) => Some(pattern),
            _ => None,
        })
    }

    /// How many kinds of pixel there are: 1, or red, green and blue.
    pub(super) fn channels(self) -> usize {
        if self.0.is_some() { DYES.len() } else { 1 }
    }

    /// The kinds of the pixels at even and at odd columns of a row.
    pub(super) fn row(self, y: u32) -> [usize; 2] {
        let kind = |x| match self.0.map(|pattern| pattern.shifted(x, y)) {
            None | Some(BayerPattern::Rggb) => 0,
            Some(BayerPattern::Grbg | BayerPattern::Gbrg) => 1,
            Some(BayerPattern::Bggr) => 2,
        };
        [kind(0), kind(1)]
    }
}

/// Electrons that light makes in each kind of pixel; kinds that the sensor lacks are 0.
pub(super) type Electrons = [f64; 3];

/// Electrons that a scene's telescope, filter and sensor make of light within its exposure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Response {
    per_photon: [Spectrum; 3],
    air: Spectrum,
}

impl Response {
    /// That of a scene.
    pub(super) fn new(scene: &Scene) -> Self {
        let radius = scene.aperture.0 / 2.0;
        let area = std::f64::consts::PI * radius * radius * (1.0 - OBSTRUCTION * OBSTRUCTION);
        let scale = area * GLASS * scene.exposure.as_secs_f64();
        Response {
            per_photon: efficiency(scene, scene.band).map(|kind| kind.map(|part| part * scale)),
            air: EXTINCTION.map(|magnitudes| 10f64.powf(-0.4 * magnitudes * scene.airmass)),
        }
    }

    /// Electrons made by light that was measured on the ground.
    pub(super) fn of_ground_light(&self, light: &Spectrum) -> Electrons {
        self.per_photon.map(|kind| dot(&kind, light))
    }

    /// Electrons made by light from beyond the air.
    pub(super) fn of_sky_light(&self, light: &Spectrum) -> Electrons {
        self.of_ground_light(&std::array::from_fn(|i| light[i] * self.air[i]))
    }
}

/// Electrons that an evenly lit white panel makes in a pixel: without a filter, half of what the sensor
/// shows at its usual gain in a second.
pub(super) fn panel(scene: &Scene) -> Electrons {
    const WHITE: Spectrum = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0];
    let brightest = efficiency(scene, Band::Luminance).iter().map(|kind| dot(kind, &WHITE)).fold(0.0, f64::max);
    let half = 0.5 * scene.sensor.full_well(scene.sensor.default_gain) * scene.exposure.as_secs_f64();
    efficiency(scene, scene.band).map(|kind| half * dot(&kind, &WHITE) / brightest)
}

/// Electrons per photon of each kind of pixel behind a filter.
fn efficiency(scene: &Scene, band: Band) -> [Spectrum; 3] {
    let [blue, green, red] = scene.sensor.efficiency;
    let silicon = [blue, green, red, (blue + green) / 2.0, red * 0.97, red * 0.94];
    let mosaic = Mosaic::new(scene.sensor.colour);
    let filter = filter(band);
    std::array::from_fn(|kind| {
        let dye = match mosaic.channels() {
            1 if kind == 0 => [1.0; PARTS],
            1 => [0.0; PARTS],
            _ => DYES[kind],
        };
        std::array::from_fn(|i| filter[i] * silicon[i] * dye[i])
    })
}

fn dot(a: &Spectrum, b: &Spectrum) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
