//! From the sky to the chip and back: the gnomonic projection of an ideal telescope.

use super::scene::Scene;
use std::f64::consts::TAU;

/// Arcseconds in a radian.
pub(super) const ARCSEC: f64 = 360.0 * 3600.0 / TAU;

/// A direction in space: towards (0h, 0°), towards (6h, 0°), and towards the north pole.
pub(super) type Direction = [f64; 3];

/// The direction of a right ascension and a declination in radians.
pub(super) fn direction(ra: f64, dec: f64) -> Direction {
    [dec.cos() * ra.cos(), dec.cos() * ra.sin(), dec.sin()]
}

/// A plane that touches the sky: where it touches, and its axes towards east and north.
#[derive(Clone, Copy, Debug)]
pub(super) struct TangentPlane {
    centre: Direction,
    east: Direction,
    north: Direction,
}

impl TangentPlane {
    /// The plane that touches at a right ascension and a declination in radians.
    pub(super) fn new(ra: f64, dec: f64) -> Self {
        TangentPlane {
            centre: direction(ra, dec),
            east: [-ra.sin(), ra.cos(), 0.0],
            north: [-dec.sin() * ra.cos(), -dec.sin() * ra.sin(), dec.cos()],
        }
    }

    /// East and north of the centre in radians, for a direction (of any length) of this half of the sky.
    pub(super) fn project(&self, direction: Direction) -> Option<(f64, f64)> {
        let along = dot(direction, self.centre);
        (along > 1e-6).then(|| (dot(direction, self.east) / along, dot(direction, self.north) / along))
    }

    /// The direction of a point of the plane; not of unit length.
    pub(super) fn direction(&self, east: f64, north: f64) -> Direction {
        std::array::from_fn(|i| self.centre[i] + east * self.east[i] + north * self.north[i])
    }
}

fn dot(a: Direction, b: Direction) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Where directions fall on the chip, in unbinned pixels; the middle of the first pixel is (0, 0).
#[derive(Clone, Copy, Debug)]
pub(super) struct Projection {
    plane: TangentPlane,
    middle: (f64, f64),
    /// Sine and cosine of the rotation.
    rotation: (f64, f64),
    /// Pixels per radian.
    scale: f64,
}

impl Projection {
    /// The projection of a scene.
    pub(super) fn new(scene: &Scene) -> Self {
        Projection {
            plane: TangentPlane::new(scene.centre.ra.radians(), scene.centre.dec.radians()),
            middle: (f64::from(scene.sensor.width) / 2.0 - 0.5, f64::from(scene.sensor.height) / 2.0 - 0.5),
            rotation: scene.rotation.radians().sin_cos(),
            scale: scene.focal_length.0 / (scene.sensor.pixel.0 * 1e-6),
        }
    }

    /// Side of an unbinned pixel in arcseconds.
    pub(super) fn arcsec_per_pixel(&self) -> f64 {
        ARCSEC / self.scale
    }

    /// The pixel on which a direction falls; `None` for the far half of the sky.
    pub(super) fn to_chip(self, direction: Direction) -> Option<(f64, f64)> {
        let (east, north) = self.plane.project(direction)?;
        let (x, y) = self.turn(east, north);
        Some((self.middle.0 + x, self.middle.1 + y))
    }

    /// The direction that falls on a pixel; not of unit length.
    pub(super) fn to_sky(self, x: f64, y: f64) -> Direction {
        let (sin, cos) = self.rotation;
        let (right, up) = ((x - self.middle.0) / self.scale, (self.middle.1 - y) / self.scale);
        self.plane.direction(up * sin - right * cos, up * cos + right * sin)
    }

    /// A small way on the sky in radians as columns and rows.
    pub(super) fn turn(&self, east: f64, north: f64) -> (f64, f64) {
        let (sin, cos) = self.rotation;
        ((north * sin - east * cos) * self.scale, -(east * sin + north * cos) * self.scale)
    }
}

/// Where a J2000 place falls in a scene's picture, region and binning taken into account; the middle of
/// the picture's first pixel is (0, 0). May lie outside; `None` for the far half of the sky.
#[cfg(test)]
pub(super) fn project(scene: &Scene, place: crate::RaDec) -> Option<(f64, f64)> {
    let chip = Projection::new(scene).to_chip(direction(place.ra.radians(), place.dec.radians()))?;
    Some(to_picture(scene, chip))
}

/// From unbinned pixels of the chip to pixels of the picture.
#[cfg(test)]
pub(super) fn to_picture(scene: &Scene, (x, y): (f64, f64)) -> (f64, f64) {
    let frame = &scene.frame;
    let binned = |at: f64, bin: u8, first: u32| (at + 0.5) / f64::from(bin) - 0.5 - f64::from(first);
    (binned(x, frame.bin_x, frame.x), binned(y, frame.bin_y, frame.y))
}
