//! Places on the sky and on Earth, each with its frame in the type.

mod astrometry;
mod convert;

use crate::{
    Degrees, Hours, Metres,
    units::{rounded_within, write_sexagesimal},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The equinox that right ascension and declination refer to (ASCOM `EquatorialSystem`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Equinox {
    /// Fixed axes of the year 2000 (ICRS to better than this library needs): what catalogues give (ASCOM 2).
    #[default]
    J2000,
    /// True equator and equinox of the moment, aberration included, seen from the Earth's centre: what most
    /// mounts speak, "JNow" (ASCOM 1 topocentric, INDI `EQUATORIAL_EOD_COORD`).
    OfDate,
    /// Mean equator and equinox of the year 2050 (ASCOM 3).
    J2050,
    /// The FK4 catalogue's axes of the year 1950, E-terms of aberration included (ASCOM 4).
    B1950,
    /// Some other frame, known to the mount alone (ASCOM 0).
    Other,
}

/// `J2000`, `JNow` ...
impl fmt::Display for Equinox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Equinox::J2000 => "J2000",
            Equinox::OfDate => "JNow",
            Equinox::J2050 => "J2050",
            Equinox::B1950 => "B1950",
            Equinox::Other => "mount frame",
        })
    }
}

/// A place among the stars: right ascension, declination, and their equinox.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RaDec {
    /// Right ascension, 0 ≤ ra < 24.
    pub ra: Hours,
    /// Declination, −90 to 90.
    pub dec: Degrees,
    /// What they refer to.
    pub equinox: Equinox,
}

impl RaDec {
    /// From right ascension, declination and their equinox.
    pub fn new(ra: Hours, dec: Degrees, equinox: Equinox) -> Self {
        RaDec { ra, dec, equinox }
    }

    /// In the axes of the year 2000, as catalogues give it.
    pub fn j2000(ra: Hours, dec: Degrees) -> Self {
        RaDec::new(ra, dec, Equinox::J2000)
    }
}

/// `05:35:17.30 -05:23:28.0 J2000`
impl fmt::Display for RaDec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ra = Hours(rounded_within(24.0, self.ra.0, 2));
        write!(f, "{ra} {} {}", self.dec, self.equinox)
    }
}

/// A direction from the ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AltAz {
    /// Above the horizon, −90 to 90.
    pub alt: Degrees,
    /// From north through east, 0 ≤ az < 360.
    pub az: Degrees,
}

/// `alt +47:12:01.0 az 178:03:11.0`: an azimuth has no sign.
impl fmt::Display for AltAz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alt {} az ", self.alt)?;
        write_sexagesimal(f, rounded_within(360.0, self.az.0, 1), 1, "")
    }
}

/// A place on Earth (WGS84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// North positive, −90 to 90.
    pub latitude: Degrees,
    /// **East** positive, −180 ≤ longitude < 180 (INDI gives 0 to 360).
    pub longitude: Degrees,
    /// Above sea level.
    pub elevation: Metres,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_print_as_they_are_read() {
        let print = |alt, az| AltAz { alt: Degrees(alt), az: Degrees(az) }.to_string();
        assert_eq!(print(47.2, 0.0), "alt +47:12:00.0 az 00:00:00.0");
        assert_eq!(print(-0.5, 359.999_999_9), "alt -00:30:00.0 az 00:00:00.0");
        assert_eq!(RaDec::j2000(Hours(23.999_999_999), Degrees(5.0)).to_string(), "00:00:00.00 +05:00:00.0 J2000");
        assert_eq!(RaDec::j2000(Hours(24.0), Degrees(5.0)).to_string(), "24:00:00.00 +05:00:00.0 J2000", "wrong stays");
    }
}
