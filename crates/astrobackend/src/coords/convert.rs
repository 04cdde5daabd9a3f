//! From one frame to another: equinoxes, the horizon, sidereal time.

use super::astrometry::{self, Astrometry};
use super::{AltAz, Equinox, RaDec, Site};
use crate::{Degrees, Error, Hours, Metres, Result, Timestamp};
use sofars::{
    consts::{DJ00, DJY},
    pnp::pmat06,
    star::{fk45z, fk54z},
    vm::{c2s, rxp, s2c, seps, trxp},
};

impl RaDec {
    /// The same place referred to another equinox.
    ///
    /// `OfDate` is the geocentric apparent place: precession (IAU 2006), nutation (IAU 2000A), annual
    /// aberration and the Sun's light deflection; right ascension counts from the true equinox.
    /// `J2050` is the mean place of 2050 (precession alone), `B1950` is FK4 with its E-terms, for
    /// something without proper motion. Stars are taken to stand still and to be far away. `at` matters
    /// for `OfDate` only. Agrees with ERFA to better than a milliarcsecond.
    ///
    /// Costs below a microsecond, but about 60 µs for the first call in each minute of `at`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) from or to [`Equinox::Other`], unless
    /// both are; [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for a place that is none
    /// (not finite, beyond a pole) and, for `OfDate`, outside the years 1900 to 2100.
    ///
    /// ```
    /// use astrobackend::{Degrees, Equinox, Hours, RaDec};
    /// let nebula = RaDec::j2000(Hours(5.588), Degrees(-5.391));
    /// let now = nebula.to(Equinox::OfDate, "2025-01-15T22:00:00Z".parse()?)?;
    /// assert_eq!(format!("{:.0} {:.0} {}", now.ra, now.dec, now.equinox), "05:36:32 -05:22:31 JNow");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn to(self, equinox: Equinox, at: Timestamp) -> Result<RaDec> {
        if self.equinox == equinox {
            return Ok(self);
        }
        self.check()?;
        let (ra, dec) = (self.ra.radians(), self.dec.radians());
        let (ra, dec) = match self.equinox {
            Equinox::J2000 => (ra, dec),
            Equinox::OfDate => Astrometry::at(at)?.catalogue(ra, dec),
            Equinox::J2050 => rotated(trxp, ra, dec),
            Equinox::B1950 => fk45z(ra, dec, 1950.0),
            Equinox::Other => return Err(unknown_frame(equinox)),
        };
        let (ra, dec) = match equinox {
            Equinox::J2000 => (ra, dec),
            Equinox::OfDate => Astrometry::at(at)?.apparent(ra, dec),
            Equinox::J2050 => rotated(rxp, ra, dec),
            Equinox::B1950 => {
                let (ra, dec, ..) = fk54z(ra, dec, 1950.0);
                (ra, dec)
            }
            Equinox::Other => return Err(unknown_frame(self.equinox)),
        };
        Ok(RaDec::from_radians(ra, dec, equinox))
    }

    /// Where the place stands as seen from a site; from any equinox, see [`RaDec::to`].
    ///
    /// Refraction is left out: near the horizon a star is seen up to half a degree higher. Diurnal
    /// aberration is included. The Earth is taken to turn by UTC (UT1 = UTC, no polar motion): azimuths
    /// follow the stars up to 0.9 s early or late, that is 13 arcseconds of hour angle, as long as leap
    /// seconds keep UTC that close. Given UT1 = UTC, it agrees with ERFA to better than a milliarcsecond
    /// (a few beside the Sun, whose light deflection is taken as from the Earth's centre).
    ///
    /// Costs as [`RaDec::to`].
    ///
    /// # Errors
    /// As [`RaDec::to`]; also [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for a site
    /// that [`Site::new`] would refuse.
    pub fn to_altaz(self, site: &Site, at: Timestamp) -> Result<AltAz> {
        site.check()?;
        self.check()?;
        let place = self.to(Equinox::OfDate, at)?;
        let (az, alt) = Astrometry::at(at)?.horizontal(site, at, place.ra.radians(), place.dec.radians());
        Ok(AltAz { alt: Degrees::from_radians(alt), az: Degrees::from_radians(az).normalized() })
    }

    /// The angle to another place of the same equinox, along the great circle, 0 to 180 degrees.
    ///
    /// Nothing is converted: bring both to one equinox with [`RaDec::to`] first.
    pub fn separation(self, other: RaDec) -> Degrees {
        separation((self.ra.radians(), self.dec.radians()), (other.ra.radians(), other.dec.radians()))
    }

    /// The direction in which another place of the same equinox lies, from north through east, 0 ≤ angle < 360;
    /// 0 for the same place. Nothing is converted.
    pub fn position_angle(self, other: RaDec) -> Degrees {
        let (east, from, to) = ((other.ra - self.ra).radians(), self.dec.radians(), other.dec.radians());
        let x = to.sin() * from.cos() - to.cos() * from.sin() * east.cos();
        let y = to.cos() * east.sin();
        Degrees::from_radians(y.atan2(x)).normalized()
    }

    fn from_radians(ra: f64, dec: f64, equinox: Equinox) -> Self {
        RaDec::new(Hours::from_radians(ra).normalized(), Degrees::from_radians(dec), equinox)
    }

    fn check(self) -> Result<()> {
        if self.ra.0.is_finite() && (-90.0..=90.0).contains(&self.dec.0) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "right ascension {} h, declination {}° is no place in the sky",
            self.ra.0, self.dec.0
        )))
    }
}

impl AltAz {
    /// The place among the stars that stands in this direction; the inverse of [`RaDec::to_altaz`].
    ///
    /// Costs as [`RaDec::to`].
    ///
    /// # Errors
    /// As [`RaDec::to_altaz`]; [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for an
    /// altitude beyond 90 degrees.
    pub fn to_radec(self, site: &Site, at: Timestamp, equinox: Equinox) -> Result<RaDec> {
        site.check()?;
        if !self.az.0.is_finite() || !(-90.0..=90.0).contains(&self.alt.0) {
            return Err(Error::invalid(format!("altitude {}°, azimuth {}° is no direction", self.alt.0, self.az.0)));
        }
        let (ra, dec) = Astrometry::at(at)?.equatorial(site, at, self.az.radians(), self.alt.radians());
        RaDec::from_radians(ra, dec, Equinox::OfDate).to(equinox, at)
    }

    /// How much more air than at the zenith the light crosses, 1 to 31.7; `None` at the horizon and below.
    ///
    /// Young (1994, Applied Optics 33, 1108), which wants the true altitude without refraction, as
    /// [`RaDec::to_altaz`] gives it.
    pub fn airmass(self) -> Option<f64> {
        if !(self.alt.0 > 0.0 && self.alt.0 <= 90.0) {
            return None;
        }
        let c = self.alt.radians().sin();
        let above = (1.002_432 * c + 0.148_386) * c + 0.009_646_7;
        let below = ((c + 0.149_864) * c + 0.010_296_3) * c + 0.000_303_978;
        // The fit is a few parts in ten million short at the zenith.
        Some((above / below).max(1.0))
    }

    /// The angle to another direction, along the great circle, 0 to 180 degrees.
    pub fn separation(self, other: AltAz) -> Degrees {
        separation((self.az.radians(), self.alt.radians()), (other.az.radians(), other.alt.radians()))
    }
}

impl Site {
    /// A site from latitude (north positive), longitude (**east** positive; 0 to 360 is folded) and elevation.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidValue`](crate::ErrorKind::InvalidValue) for a latitude beyond 90 degrees, a
    /// longitude outside −180 to 360, and an elevation outside −300 to 10 000 m, the range of ASCOM's `SiteElevation`.
    ///
    /// ```
    /// use astrobackend::{Degrees, Metres, Site};
    /// let paranal = Site::new(Degrees(-24.627), Degrees(289.595), Metres(2635.0))?;
    /// assert!((paranal.longitude.0 - -70.405).abs() < 1e-9);
    /// # Ok::<_, astrobackend::Error>(())
    /// ```
    pub fn new(latitude: Degrees, longitude: Degrees, elevation: Metres) -> Result<Self> {
        if !(-180.0..=360.0).contains(&longitude.0) {
            return Err(Error::invalid(format!("longitude {}° is not within -180 to 360, east positive", longitude.0)));
        }
        let site = Site { latitude, longitude: longitude.signed(), elevation };
        site.check()?;
        Ok(site)
    }

    /// The local apparent sidereal time, 0 ≤ h < 24: the right ascension (of date) on the meridian.
    ///
    /// UT1 is taken as UTC as in [`RaDec::to_altaz`], which costs up to 0.9 s; beyond the years 1900 to
    /// 2100 the formulas still answer, with less and less meaning.
    pub fn sidereal_time(&self, at: Timestamp) -> Hours {
        astrometry::sidereal_time(self.longitude, at)
    }

    /// The hour angle of a place of any equinox, −12 ≤ h < 12: negative before the meridian, in the east.
    ///
    /// It is local apparent sidereal time less apparent right ascension; costs as [`RaDec::to`].
    ///
    /// # Errors
    /// As [`RaDec::to_altaz`].
    pub fn hour_angle(&self, place: RaDec, at: Timestamp) -> Result<Hours> {
        self.check()?;
        place.check()?;
        Ok((self.sidereal_time(at) - place.to(Equinox::OfDate, at)?.ra).signed())
    }

    fn check(&self) -> Result<()> {
        let within = |name: &str, value: f64, low: f64, high: f64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::invalid(format!("site {name} {value} is not within {low} to {high}")))
        };
        within("latitude", self.latitude.0, -90.0, 90.0)?;
        within("longitude", self.longitude.0, -180.0, 180.0)?;
        within("elevation", self.elevation.0, -300.0, 10_000.0)
    }
}

/// Applies the precession from 2000 to 2050, by `rxp`, or undoes it, by `trxp`.
fn rotated(rotate: fn(&[[f64; 3]; 3], &[f64; 3], &mut [f64; 3]), ra: f64, dec: f64) -> (f64, f64) {
    let mut direction = [0.0; 3];
    rotate(&pmat06(DJ00, 50.0 * DJY), &s2c(ra, dec), &mut direction);
    c2s(&direction)
}

fn separation(a: (f64, f64), b: (f64, f64)) -> Degrees {
    Degrees::from_radians(seps(a.0, a.1, b.0, b.1))
}

fn unknown_frame(known: Equinox) -> Error {
    Error::unsupported(format!(
        "the mount's own frame cannot be converted from or to {known}: nobody but the mount knows it"
    ))
}
