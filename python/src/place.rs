//! Places on the sky and on Earth, and the region of a picture.

use crate::{
    choice::Choice,
    error::{Invalid, raise},
    moment::timestamp,
    record::record,
    whole::whole,
};
use astrobackend::{Degrees, Equinox, Hours, Metres, Timestamp, device::Target, image};
use pyo3::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The moment that is given, or now.
fn moment(at: Option<&Bound<'_, PyAny>>) -> PyResult<Timestamp> {
    at.map_or_else(|| Ok(Timestamp::now()), timestamp)
}

fn equinox(value: Option<&Bound<'_, PyAny>>) -> PyResult<Equinox> {
    value.map_or(Ok(Equinox::J2000), Equinox::of)
}

record! {
    /// A place among the stars: right ascension in hours, declination in degrees, and what they refer to.
    RaDec(astrobackend::RaDec), pickled as |this, py| {
        /// Right ascension in hours.
        ra: this.ra.0,
        /// Declination in degrees.
        dec: this.dec.0,
        /// What they refer to.
        equinox: this.equinox.member(py)?,
    }

    #[new]
    #[pyo3(signature = (ra, dec, equinox=None), text_signature = "(ra, dec, equinox=Equinox.J2000)")]
    fn new(ra: f64, dec: f64, equinox: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let place = astrobackend::RaDec::new(Hours(ra), Degrees(dec), self::equinox(equinox)?);
        if !(0.0..24.0).contains(&ra) || !(-90.0..=90.0).contains(&dec) {
            return Err(Invalid(format!("ra {ra} h, dec {dec}° is not within 0 to 24 hours and -90 to 90 degrees")).into());
        }
        Ok(RaDec(place))
    }

    fn __hash__(&self) -> u64 {
        hash((self.0.ra.0.to_bits(), self.0.dec.0.to_bits(), self.0.equinox))
    }

    /// The same place in another equinox, at a moment (now).
    #[pyo3(signature = (equinox, at=None))]
    fn to(&self, equinox: &Bound<'_, PyAny>, at: Option<&Bound<'_, PyAny>>) -> PyResult<RaDec> {
        raise(self.0.to(Equinox::of(equinox)?, moment(at)?).map(RaDec))
    }

    /// Where it is seen from a site, at a moment (now).
    #[pyo3(signature = (site, at=None))]
    fn to_altaz(&self, site: &Site, at: Option<&Bound<'_, PyAny>>) -> PyResult<AltAz> {
        raise(self.0.to_altaz(&site.0, moment(at)?).map(AltAz))
    }

    /// The angle to another place of the same equinox, in degrees.
    fn separation(&self, other: &RaDec) -> f64 {
        self.0.separation(other.0).0
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

record! {
    /// A direction from the ground: altitude and azimuth (from north through east) in degrees.
    AltAz(astrobackend::AltAz), pickled as |this, py| {
        /// Above the horizon, degrees.
        alt: this.alt.0,
        /// From north through east, degrees.
        az: this.az.0,
    }

    #[new]
    fn new(alt: f64, az: f64) -> PyResult<Self> {
        if !(-90.0..=90.0).contains(&alt) || !az.is_finite() {
            return Err(Invalid(format!("alt {alt}, az {az} is no direction in degrees")).into());
        }
        Ok(AltAz(astrobackend::AltAz { alt: Degrees(alt), az: Degrees(az).normalized() }))
    }

    fn __hash__(&self) -> u64 {
        hash((self.0.alt.0.to_bits(), self.0.az.0.to_bits()))
    }

    /// The place among the stars that is seen there from a site, at a moment (now).
    #[pyo3(signature = (site, at=None, equinox=None), text_signature = "($self, site, at=None, equinox=Equinox.J2000)")]
    fn to_radec(
        &self,
        site: &Site,
        at: Option<&Bound<'_, PyAny>>,
        equinox: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<RaDec> {
        let place = self.0.to_radec(&site.0, moment(at)?, self::equinox(equinox)?);
        raise(place.map(RaDec))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

record! {
    /// A place on Earth (WGS84): latitude and longitude (east positive) in degrees, elevation in metres.
    Site(astrobackend::Site), pickled as |this, py| {
        /// North positive, degrees.
        latitude: this.latitude.0,
        /// East positive, degrees.
        longitude: this.longitude.0,
        /// Above sea level, metres.
        elevation: this.elevation.0,
    }

    #[new]
    #[pyo3(signature = (latitude, longitude, elevation=0.0))]
    fn new(latitude: f64, longitude: f64, elevation: f64) -> PyResult<Self> {
        let site = astrobackend::Site::new(Degrees(latitude), Degrees(longitude), Metres(elevation));
        raise(site.map(Site))
    }

    fn __hash__(&self) -> u64 {
        hash((self.0.latitude.0.to_bits(), self.0.longitude.0.to_bits(), self.0.elevation.0.to_bits()))
    }
}

record! {
    /// Region and binning of a picture, in binned pixels; binning down is that across unless it is given.
    Frame(image::Frame), pickled as |this, py| {
        /// First column.
        x: this.x,
        /// First row.
        y: this.y,
        /// Columns.
        width: this.width,
        /// Rows.
        height: this.height,
        /// Sensor pixels across that make one column.
        bin_x: this.bin_x,
        /// Sensor pixels down that make one row.
        bin_y: this.bin_y,
    }

    #[new]
    #[pyo3(signature = (x, y, width, height, bin_x=1, bin_y=None))]
    fn new(
        #[pyo3(from_py_with = whole)] x: u32,
        #[pyo3(from_py_with = whole)] y: u32,
        #[pyo3(from_py_with = whole)] width: u32,
        #[pyo3(from_py_with = whole)] height: u32,
        #[pyo3(from_py_with = whole)] bin_x: u8,
        #[pyo3(from_py_with = whole)] bin_y: Option<u8>,
    ) -> Self {
        Frame(image::Frame { x, y, width, height, bin_x, bin_y: bin_y.unwrap_or(bin_x) })
    }

    fn __hash__(&self) -> u64 {
        hash(self.0)
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What a mount can be pointed at: a `RaDec` or an `AltAz`.
pub(crate) fn target(value: &Bound<'_, PyAny>) -> PyResult<Target> {
    if let Ok(place) = value.cast::<RaDec>() {
        return Ok(Target::RaDec(place.get().0));
    }
    if let Ok(direction) = value.cast::<AltAz>() {
        return Ok(Target::AltAz(direction.get().0));
    }
    Err(Invalid(format!("{} is no target: RaDec or AltAz", value.repr()?)).into())
}
