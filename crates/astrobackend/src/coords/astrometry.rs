//! How the Earth stands and moves at a moment: the part of astrometry that all places and sites share.
//!
//! The mathematics is SOFA's (IAU 2006 precession, IAU 2000A nutation), from the crate `sofars`.
//! What is expensive depends on time alone and changes slowly, so it is held for a minute.

use super::Site;
use crate::{Degrees, Error, Hours, Result, Timestamp};
use jiff::tz::Offset;
use sofars::{
    astro::{IauAstrom, apci, apio, atciqz, aticq, atioq, atoiq},
    consts::{DAYSEC, TTMTAI},
    eph::epv00,
    erst::era00,
    pnp::{bpn2xy, eo06a, eors, pnm06a, s06, sp00},
    ts::dat,
};
use std::cell::Cell;

/// Julian date of 1970 January 1, 0 h.
const UNIX_EPOCH: f64 = 2_440_587.5;

/// A Julian date in two parts, whole days and the rest, so that no microsecond is lost.
type JulianDate = (f64, f64);

/// Precession, nutation, the Earth's motion and the Sun's place, good for half a minute around:
/// in that time aberration and precession change a star's place by 0.2 milliarcseconds at most.
///
/// Right ascensions and declinations are in radians, the former from the true equinox.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Astrometry {
    minute: i64,
    stars: IauAstrom,
    /// Right ascension of the intermediate origin against the equinox.
    equation_of_origins: f64,
    tio_locator: f64,
}

thread_local! {
    static LATEST: Cell<Option<Astrometry>> = const { Cell::new(None) };
}

impl Astrometry {
    /// For a moment; about 60 µs for the first call in a minute, nanoseconds for the thread's next ones.
    ///
    /// # Errors
    /// `InvalidValue` outside the years 1900 to 2100, for which the Earth's motion is known well enough.
    pub(crate) fn at(at: Timestamp) -> Result<Self> {
        let minute = at.as_second().saturating_add(30).div_euclid(60);
        if let Some(latest) = LATEST.get().filter(|latest| latest.minute == minute) {
            return Ok(latest);
        }
        let astrometry = Astrometry::of_minute(minute).ok_or_else(|| {
            Error::invalid(format!("{at} is outside the years 1900 to 2100 that places are known for"))
        })?;
        LATEST.set(Some(astrometry));
        Ok(astrometry)
    }

    fn of_minute(minute: i64) -> Option<Self> {
        let (tt1, tt2) = terrestrial_time(Timestamp::from_second(minute.checked_mul(60)?).ok()?);
        let (heliocentric, barycentric) = epv00(tt1, tt2)?;
        let to_date = pnm06a(tt1, tt2);
        let (x, y) = bpn2xy(&to_date);
        let s = s06(tt1, tt2, x, y);
        let mut stars = IauAstrom::default();
        apci(tt1, tt2, &barycentric, &heliocentric[0], x, y, s, &mut stars);
        Some(Astrometry { minute, stars, equation_of_origins: eors(&to_date, s), tio_locator: sp00(tt1, tt2) })
    }

    /// From the catalogue's place to the true equator and equinox of date.
    pub(crate) fn apparent(&self, ra: f64, dec: f64) -> (f64, f64) {
        let (ra, dec) = atciqz(ra, dec, &mut self.stars.clone());
        (ra - self.equation_of_origins, dec)
    }

    /// From the true equator and equinox of date to the catalogue's place.
    pub(crate) fn catalogue(&self, ra: f64, dec: f64) -> (f64, f64) {
        aticq(ra + self.equation_of_origins, dec, &mut self.stars.clone())
    }

    /// From the true equator and equinox of date to azimuth and altitude.
    pub(crate) fn horizontal(&self, site: &Site, at: Timestamp, ra: f64, dec: f64) -> (f64, f64) {
        let (azimuth, zenith_distance, ..) = atioq(ra + self.equation_of_origins, dec, &self.ground(site, at));
        (azimuth, std::f64::consts::FRAC_PI_2 - zenith_distance)
    }

    /// From azimuth and altitude to the true equator and equinox of date.
    pub(crate) fn equatorial(&self, site: &Site, at: Timestamp, azimuth: f64, altitude: f64) -> (f64, f64) {
        let zenith_distance = std::f64::consts::FRAC_PI_2 - altitude;
        let (ra, dec) = atoiq("A", azimuth, zenith_distance, &self.ground(site, at));
        (ra - self.equation_of_origins, dec)
    }

    /// The site as it turns with the Earth: its direction, and its speed for the diurnal aberration.
    fn ground(&self, site: &Site, at: Timestamp) -> IauAstrom {
        let (longitude, latitude) = (site.longitude.radians(), site.latitude.radians());
        let (ut1, ut2) = universal_time(at);
        let mut ground = IauAstrom::default();
        let (no_motion, no_refraction) = (0.0, 0.0);
        apio(
            self.tio_locator,
            era00(ut1, ut2),
            longitude,
            latitude,
            site.elevation.0,
            no_motion,
            no_motion,
            no_refraction,
            no_refraction,
            &mut ground,
        );
        ground
    }
}

/// Greenwich apparent sidereal time plus a longitude.
pub(crate) fn sidereal_time(longitude: Degrees, at: Timestamp) -> Hours {
    let equation_of_origins = Astrometry::at(at).map_or_else(
        |_| {
            let (tt1, tt2) = terrestrial_time(at);
            eo06a(tt1, tt2)
        },
        |astrometry| astrometry.equation_of_origins,
    );
    let (ut1, ut2) = universal_time(at);
    Hours::from_radians(era00(ut1, ut2) - equation_of_origins + longitude.radians()).normalized()
}

/// UT1, taken as UTC: days are 86400 s here, also those that hold a leap second.
fn universal_time(at: Timestamp) -> JulianDate {
    let day = at.as_second().div_euclid(86_400);
    let seconds = at.as_second().rem_euclid(86_400) as f64 + f64::from(at.subsec_nanosecond()) * 1e-9;
    (UNIX_EPOCH + day as f64, seconds / DAYSEC)
}

/// UTC plus the leap seconds that `sofars` knows (all up to the latest, of 2016) plus 32.184 s.
fn terrestrial_time(at: Timestamp) -> JulianDate {
    let date = Offset::UTC.to_datetime(at).date();
    let (day, fraction) = universal_time(at);
    // There was no UTC before 1960; a minute more or less moves no star by a milliarcsecond.
    let leap_seconds = dat(date.year().into(), date.month().into(), date.day().into(), fraction).unwrap_or(0.0);
    (day, fraction + (leap_seconds + TTMTAI) / DAYSEC)
}
