//! Everything that a simulated picture depends on: the one thing between the world and the renderer.

use super::sensor::SensorModel;
use crate::{Celsius, Degrees, Metres, RaDec, device::FrameType, image::Frame};
use std::time::Duration;

/// The band that a filter lets through, for the brightness of stars, nebulae and sky glow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::upper_case_acronyms, reason = "ions are written so")]
pub(super) enum Band {
    /// All visible light.
    Luminance,
    /// Broad red.
    Red,
    /// Broad green.
    Green,
    /// Broad blue.
    Blue,
    /// Hydrogen alpha, a few nanometres.
    HAlpha,
    /// Doubly ionised oxygen.
    OIII,
    /// Ionised sulphur.
    SII,
    /// Nothing passes.
    Opaque,
}

/// A picture to be taken.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    /// The world's seed: faint stars, hot pixels, fixed patterns.
    pub(super) seed: u64,
    /// Differs from picture to picture: the noise.
    pub(super) serial: u64,
    /// Light, dark, bias or flat; a flat is an evenly lit panel, without a filter and at the sensor's usual
    /// gain at half of full scale per second.
    pub(super) frame_type: FrameType,
    /// Time exposed.
    pub(super) exposure: Duration,
    /// The chip.
    pub(super) sensor: SensorModel,
    /// Region and binning.
    pub(super) frame: Frame,
    /// Gain setting, in the sensor model's units.
    pub(super) gain: f64,
    /// Offset setting.
    pub(super) offset: f64,
    /// Temperature of the chip.
    pub(super) temperature: Celsius,
    /// Aperture of the telescope.
    pub(super) aperture: Metres,
    /// Focal length.
    pub(super) focal_length: Metres,
    /// J2000 place that falls on the centre of the full sensor at mid-exposure.
    pub(super) centre: RaDec,
    /// Position angle of the picture's upward direction (row 0 is the top), from north through east.
    /// East is left of north as on the sky (not mirrored).
    pub(super) rotation: Degrees,
    /// Motion of the pointing over the sky during the exposure, arcseconds towards east and north.
    pub(super) trail: (f64, f64),
    /// Seeing, full width at half maximum in arcseconds, airmass included.
    pub(super) seeing: f64,
    /// Distance of the chip from the focal plane in micrometres.
    pub(super) defocus: f64,
    /// What the filter lets through.
    pub(super) band: Band,
    /// Brightness of the sky without a filter, magnitudes per square arcsecond.
    pub(super) sky: f64,
    /// Airmass, 1 at the zenith.
    pub(super) airmass: f64,
}
