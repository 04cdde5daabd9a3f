//! The stars of the sky: real bright ones from a catalogue, and faint ones made up.
//!
//! The catalogue file and its origin are described in `stars.NOTICE` and `testing/make_catalogue.py`.
//! Fainter than the catalogue goes, each square degree has its own stars, as many as the real sky has there,
//! the same for every pointing and camera of a seed.

use super::noise::Stream;
use crate::{Degrees, RaDec};
use std::{f64::consts::TAU, ops::RangeInclusive};

/// A star.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Star {
    /// Right ascension, J2000, radians.
    pub(super) ra: f64,
    /// Declination, J2000, radians.
    pub(super) dec: f64,
    /// Visual magnitude.
    pub(super) mag: f64,
    /// Colour index B−V, magnitudes.
    pub(super) bv: f64,
}

static FILE: &[u8] = include_bytes!("stars.bin");

/// Bands of one degree of declination.
const BANDS: usize = 180;

/// Steps of right ascension to the circle, and of declination to the half circle.
const STEPS: f64 = 16_777_216.0;

/// From here on stars are made up: the catalogue has few fainter ones.
const FAINT: f64 = 9.0;

/// Width in magnitudes of the classes in which faint stars are made up.
const CLASS: f64 = 0.5;

/// A part of the sky that has all of a circle in it.
struct Window {
    bands: RangeInclusive<usize>,
    /// Begin and end of the right ascensions in turns; begins within 0..1.
    ra: (f64, f64),
}

impl Window {
    fn new(centre: RaDec, radius: Degrees) -> Self {
        let dec = centre.dec.0.clamp(-90.0, 90.0);
        let band = |dec: f64| ((dec + 90.0).max(0.0) as usize).min(BANDS - 1);
        let bands = band(dec - radius.0)..=band(dec + radius.0);
        let turns = centre.ra.0 / 24.0;
        if dec.abs() + radius.0 >= 89.9 {
            return Window { bands, ra: (0.0, 1.0) };
        }
        let half = (radius.radians().sin() / centre.dec.radians().cos()).asin() / TAU;
        let begin = (turns - half).rem_euclid(1.0);
        Window { bands, ra: (begin, begin + 2.0 * half) }
    }
}

/// The catalogue's stars in a circle, and some around it.
pub(super) fn bright(centre: RaDec, radius: Degrees) -> impl Iterator<Item = Star> {
    let (starts, stars) = FILE.split_at((BANDS + 1) * 4);
    let stars = stars.as_chunks::<8>().0;
    let start = move |band: usize| {
        let bytes = starts.as_chunks::<4>().0.get(band);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
    };
    let Window { bands, ra: (begin, end) } = Window::new(centre, radius);
    let turns = |record: &[u8; 8]| f64::from(u32::from_le_bytes([record[0], record[1], record[2], 0])) / STEPS;
    bands.flat_map(move |band| {
        let band = &stars[start(band)..start(band + 1)];
        let before = move |ra: f64| band.partition_point(|record| turns(record) < ra);
        let wrapped = &band[..before(end - 1.0)];
        band[before(begin)..before(end)].iter().chain(wrapped).map(unpack)
    })
}

fn unpack(record: &[u8; 8]) -> Star {
    let steps = |bytes: [u8; 3]| f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])) / STEPS;
    let light = u16::from_le_bytes([record[6], record[7]]);
    Star {
        ra: steps([record[0], record[1], record[2]]) * TAU,
        dec: (steps([record[3], record[4], record[5]]) - 0.5) * TAU / 2.0,
        mag: f64::from(light & 0x7FF) / 100.0 - 2.0,
        bv: f64::from(light >> 11) / 10.0 - 0.4,
    }
}

/// The made-up stars in a circle, and some around it, down to about a magnitude.
pub(super) fn faint(seed: u64, centre: RaDec, radius: Degrees, limit: f64) -> impl Iterator<Item = Star> {
    let Window { bands, ra: (begin, end) } = Window::new(centre, radius);
    let classes = ((limit - FAINT) / CLASS).ceil().max(0.0) as u32;
    bands.flat_map(move |band| {
        let south = (band as f64 - 90.0).to_radians();
        let cells = (360.0 * (south + 0.5f64.to_radians()).cos()).ceil().max(1.0);
        let (first, last) = ((begin * cells) as u64, (end * cells) as u64);
        let all = cells as u64;
        (first..=last.min(first + all - 1))
            .flat_map(move |cell| Cell::new(seed, band, cell % all, cells).stars(classes))
    })
}

/// How many made-up stars a circle has, about.
pub(super) fn expected(centre: RaDec, radius: Degrees, limit: f64) -> f64 {
    let area = std::f64::consts::PI * radius.0.min(90.0).powi(2);
    area * density(limit.max(FAINT), sin_galactic_latitude(centre.ra.radians(), centre.dec.radians()))
}

/// About a square degree of the sky.
#[derive(Clone, Copy)]
struct Cell {
    key: [u64; 3],
    ra: (f64, f64),
    sin_dec: (f64, f64),
    /// Square degrees.
    area: f64,
    /// Sine of the galactic latitude.
    sin_b: f64,
}

impl Cell {
    fn new(seed: u64, band: usize, cell: u64, cells: f64) -> Self {
        let ra = (cell as f64 / cells * TAU, TAU / cells);
        let (south, north) = ((band as f64 - 90.0).to_radians(), (band as f64 - 89.0).to_radians());
        let sin_dec = (south.sin(), north.sin() - south.sin());
        let area = ra.1 * sin_dec.1 * (360.0 / TAU).powi(2);
        let sin_b = sin_galactic_latitude(ra.0 + ra.1 / 2.0, (south + north) / 2.0);
        Cell { key: [seed, band as u64, cell], ra, sin_dec, area, sin_b }
    }

    fn stars(self, classes: u32) -> impl Iterator<Item = Star> {
        (0..classes).flat_map(move |class| {
            let mag = FAINT + CLASS * f64::from(class);
            let mut random = Stream::new(&[self.key[0], self.key[1], self.key[2], u64::from(class)]);
            let count = random.count(self.area * (density(mag + CLASS, self.sin_b) - density(mag, self.sin_b)));
            (0..count).map(move |_| Star {
                ra: self.ra.0 + self.ra.1 * random.unit(),
                dec: (self.sin_dec.0 + self.sin_dec.1 * random.unit()).asin(),
                mag: mag + CLASS * random.unit().sqrt(),
                bv: 0.2 + 0.5 * (random.unit() + random.unit()),
            })
        })
    }
}

/// Stars per square degree brighter than a magnitude, after the counts in Allen's Astrophysical
/// Quantities: a mean over the sky, and a crowding towards the plane of the galaxy that grows with faintness.
fn density(mag: f64, sin_b: f64) -> f64 {
    let m = mag - 10.0;
    let mean = 10f64.powf(0.91 + 0.41 * m - 0.0066 * m * m);
    let plane = 10f64.powf(0.3 + 0.0375 * m);
    mean * (1.0 / plane + (plane - 1.0 / plane) * (-sin_b.abs() / 0.2).exp())
}

/// Sine of the galactic latitude of a J2000 place (pole at 192.859°, +27.128°).
fn sin_galactic_latitude(ra: f64, dec: f64) -> f64 {
    let (pole_ra, pole_dec) = (192.859f64.to_radians(), 27.128f64.to_radians());
    pole_dec.sin() * dec.sin() + pole_dec.cos() * dec.cos() * (ra - pole_ra).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hours;

    fn at(ra: f64, dec: f64) -> RaDec {
        RaDec::j2000(Hours(ra), Degrees(dec))
    }

    #[test]
    fn sirius_is_where_it_is() {
        let sirius = at(6.752_48, -16.716_1);
        let star = bright(sirius, Degrees(0.1)).min_by(|a, b| a.mag.total_cmp(&b.mag)).unwrap();
        assert!((star.ra - sirius.ra.radians()).abs() < 1e-6 && (star.dec - sirius.dec.radians()).abs() < 1e-6);
        assert!((star.mag + 1.44).abs() < 1e-9 && star.bv.abs() < 0.11, "{star:?}");
    }

    #[test]
    fn a_circle_over_the_start_of_right_ascension_or_a_pole_is_complete() {
        let all: Vec<Star> = bright(at(0.0, 90.0), Degrees(180.0)).collect();
        assert_eq!(all.len(), 118_216);
        for centre in [at(0.01, 20.0), at(23.99, -60.0), at(5.0, 89.5), at(12.0, -89.0)] {
            let near = |star: &Star| {
                let (dec, ra) = (centre.dec.radians(), centre.ra.radians());
                dec.sin() * star.dec.sin() + dec.cos() * star.dec.cos() * (star.ra - ra).cos() > 3f64.to_radians().cos()
            };
            let expected = all.iter().filter(|star| near(star)).count();
            let found = bright(centre, Degrees(3.0)).filter(near).count();
            assert!(expected > 20 && found == expected, "{centre}: {found} of {expected}");
        }
    }

    #[test]
    fn faint_stars_are_the_same_however_they_are_looked_at() {
        let small: Vec<Star> = faint(7, at(5.0, 20.0), Degrees(0.3), 14.0).collect();
        let large: Vec<Star> = faint(7, at(5.05, 20.5), Degrees(2.0), 16.0).collect();
        assert!(small.len() > 100 && small.iter().all(|star| large.contains(star)));
        assert!(!faint(8, at(5.05, 20.5), Degrees(2.0), 16.0).any(|star| small.contains(&star)));
    }

    #[test]
    fn the_milky_way_is_crowded() {
        let count = |ra, dec| faint(1, at(ra, dec), Degrees(1.0), 16.0).count();
        let (plane, pole) = (count(20.5, 40.0), count(12.857, 27.13));
        assert!(plane > 8 * pole && pole > 1000, "{plane} {pole}");
    }
}
