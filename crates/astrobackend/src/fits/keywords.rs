//! The keywords of a picture: the union of what N.I.N.A. and INDI write, in MaxIm's and SBIG's meaning.
//!
//! Units stand in square brackets at the start of the comment (FITS 4.0, section 4.3.2). What is not known
//! is left out; no value ever stands for "unknown".

use super::{Header, Value};
use crate::{
    AltAz, Equinox, Hours, Image, Metres, RaDec, Timestamp,
    device::{FrameType, PierSide},
    image::ImageMeta,
    observation::Observation,
    units::rounded_within,
};

/// Composes the header of a picture from what the camera and the rest of the telescope knew.
///
/// Of several sources for a keyword the user's card wins, then what this library knows, then the card that the
/// driver wrote. Cards that describe the file (`BITPIX`, `NAXIS1`, `CHECKSUM` ...) are left to the writer.
/// Coordinates are those of the year 2000; air mass and horizon those at mid exposure, where the site is known.
/// All times are UTC. There is no local one (`DATE-LOC`): no device tells the time zone of its site, and that of this
/// computer may be another.
pub fn header(image: &Image, observation: &Observation) -> Header {
    let mut keywords = Keywords(Header::new());
    let at = mid_exposure(&image.meta);
    keywords.exposure(&image.meta);
    keywords.camera(image);
    keywords.guard(&image.meta);
    keywords.names(observation);
    keywords.optics(observation);
    keywords.pointing(observation, at);
    keywords.focus(observation);
    keywords.add("SWCREATE", Some(concat!("astrobackend ", env!("CARGO_PKG_VERSION"))), "written by");
    let mut header = keywords.0;
    header.fill(&of_driver(&image.meta));
    if let Some(address) = &observation.camera_address {
        header.history(&format!("Camera {address}"));
    }
    header.merge(&observation.user.clone().without_structure());
    header
}

/// The driver's cards, an old name replaced by that of today.
fn of_driver(meta: &ImageMeta) -> Header {
    let mut cards = meta.header.clone().without_structure();
    if let Some(mut old) = cards.remove("RADECSYS")
        && cards.card("RADESYS").is_none()
    {
        old.keyword = "RADESYS".into();
        cards.put(old);
    }
    cards
}

fn mid_exposure(meta: &ImageMeta) -> Option<Timestamp> {
    meta.start?.checked_add(meta.exposure.unwrap_or_default() / 2).ok()
}

/// Date and time as FITS wants them: ISO 8601 to the millisecond, without `Z`.
fn date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// Modified Julian date.
fn mjd(at: Timestamp) -> f64 {
    40_587.0 + at.as_millisecond() as f64 / 86_400_000.0
}

/// A header under construction, which leaves out the unknown.
struct Keywords(Header);

impl Keywords {
    /// Adds what is known. A number that is not finite is not known either.
    fn add(&mut self, keyword: &str, value: Option<impl Into<Value>>, comment: &str) {
        if let Some(value) = value {
            self.0.set(keyword, value, comment).ok();
        }
    }

    /// Adds a number with as many decimals as make sense.
    fn number(&mut self, keyword: &str, value: Option<f64>, decimals: i32, comment: &str) {
        let scale = 10f64.powi(decimals);
        self.add(keyword, value.map(|value| (value * scale).round() / scale), comment);
    }

    fn exposure(&mut self, meta: &ImageMeta) {
        let frame_type = meta.frame_type.map(|kind| match kind {
            FrameType::Light => "Light Frame",
            FrameType::Dark => "Dark Frame",
            FrameType::Bias => "Bias Frame",
            FrameType::Flat => "Flat Frame",
        });
        self.add("IMAGETYP", frame_type, "what the picture is for");
        let seconds = meta.exposure.map(|exposure| exposure.as_secs_f64());
        self.add("EXPTIME", seconds, "[s] exposure time");
        self.add("EXPOSURE", seconds, "[s] exposure time");
        let is_dark = matches!(meta.frame_type, Some(FrameType::Dark | FrameType::Bias));
        self.add("DARKTIME", seconds.filter(|_| is_dark), "[s] time in which dark current was collected");
        self.add("DATE", Some(date(Timestamp::now())), "UTC when this header was written");
        let Some(start) = meta.start else { return };
        self.add("DATE-OBS", Some(date(start)), "UTC at the start of the exposure");
        self.add("MJD-OBS", Some(mjd(start)), "[d] start of the exposure, modified Julian date");
        if let (Some(middle), Some(length)) = (mid_exposure(meta), meta.exposure) {
            self.add("DATE-AVG", Some(date(middle)), "UTC at mid exposure");
            self.add("MJD-AVG", Some(mjd(middle)), "[d] mid exposure, modified Julian date");
            self.add("DATE-END", start.checked_add(length).ok().map(date), "UTC at the end of the exposure");
        }
        self.add("TIMESYS", Some("UTC"), "time scale of all dates here");
    }

    fn camera(&mut self, image: &Image) {
        let meta = &image.meta;
        self.add("INSTRUME", meta.camera.as_deref(), "camera");
        self.add("CAMERAID", meta.camera_id.as_deref(), "identity of the camera");
        self.add("XBINNING", meta.frame.map(|frame| frame.bin_x), "sensor pixels per column");
        self.add("YBINNING", meta.frame.map(|frame| frame.bin_y), "sensor pixels per row");
        self.add("XORGSUBF", meta.frame.map(|frame| frame.x), "[pixel] first column, binned, from 0");
        self.add("YORGSUBF", meta.frame.map(|frame| frame.y), "[pixel] first row, binned, from 0");
        let (bin_x, bin_y) = meta.frame.map_or((1, 1), |frame| (frame.bin_x, frame.bin_y));
        let (width, height) = meta.pixel_size.unzip();
        self.number("XPIXSZ", width.map(|size| size * f64::from(bin_x)), 4, "[um] pixel width, binning included");
        self.number("YPIXSZ", height.map(|size| size * f64::from(bin_y)), 4, "[um] pixel height, binning included");
        self.add("GAIN", meta.gain.map(neat), "gain setting of the camera");
        self.add("OFFSET", meta.offset.map(neat), "offset setting of the camera");
        self.add("EGAIN", meta.electrons_per_adu, "[electron/adu] electrons per unit");
        self.add("SATURATE", meta.max_adu, "[adu] largest value of a pixel");
        self.add("READOUTM", meta.readout_mode.as_deref(), "readout mode");
        self.number("CCD-TEMP", meta.temperature.map(|t| t.0), 3, "[Celsius] sensor temperature");
        self.number("SET-TEMP", meta.set_point.map(|t| t.0), 3, "[Celsius] set point of the cooler");
        self.add("BUNIT", Some("adu"), "unit of the pixels");
        self.add("ROWORDER", Some("TOP-DOWN"), "the first row is the top of the picture");
        let pattern = meta.bayer.filter(|_| image.planes() == 1);
        self.add("BAYERPAT", pattern.map(|p| p.to_string()), "colours at the first pixel, rows from the top");
        self.add("COLORTYP", pattern.map(|p| p.to_string()), "the same for MaxIm");
        self.add("XBAYROFF", pattern.map(|_| 0), "[pixel] offset of that pattern");
        self.add("YBAYROFF", pattern.map(|_| 0), "[pixel] offset of that pattern");
    }

    fn guard(&mut self, meta: &ImageMeta) {
        self.add("FRAMENO", meta.exposure_number.and_then(|n| i64::try_from(n).ok()), "number of the exposure");
        let Some(verdict) = &meta.verdict else { return };
        self.add("FRAMEOK", Some(verdict.is_ok()), "nothing is wrong with this frame");
        self.add("FRAMEMSG", Some(verdict.to_string()).filter(|_| !verdict.is_ok()), "what may be wrong with it");
    }

    fn names(&mut self, observation: &Observation) {
        self.add("OBJECT", observation.object.as_deref(), "name of the target");
        self.add("OBSERVER", observation.observer.as_deref(), "who observes");
        for keyword in ["SITENAME", "OBSERVAT"] {
            self.add(keyword, observation.site_name.as_deref(), "name of the site");
        }
        let site = observation.site;
        self.number("SITELAT", site.map(|site| site.latitude.0), 6, "[deg] latitude, north positive");
        self.number("SITELONG", site.map(|site| site.longitude.0), 6, "[deg] longitude, east positive");
        self.number("SITEELEV", site.map(|site| site.elevation.0), 2, "[m] above sea level");
    }

    fn optics(&mut self, observation: &Observation) {
        self.add("TELESCOP", observation.telescope.as_deref(), "optics of this camera");
        let millimetres = |length: Option<Metres>| length.map(|metres| metres.0 * 1000.0).filter(|mm| *mm > 0.0);
        let (focal_length, aperture) = (millimetres(observation.focal_length), millimetres(observation.aperture));
        self.number("FOCALLEN", focal_length, 3, "[mm] focal length");
        self.number("APTDIA", aperture, 3, "[mm] aperture");
        self.number("FOCRATIO", focal_length.zip(aperture).map(|(f, d)| f / d), 3, "focal ratio");
        self.add("FILTER", observation.filter.as_deref(), "filter");
        self.add("FWHEEL", observation.filter_wheel.as_deref(), "filter wheel");
    }

    fn pointing(&mut self, observation: &Observation, at: Option<Timestamp>) {
        let target = observation.target.and_then(|place| j2000(place, at));
        let pointing = observation.pointing.and_then(|place| j2000(place, at));
        self.add("OBJCTRA", target.map(blank_hours), "[H M S] right ascension of the target, J2000");
        self.add("OBJCTDEC", target.map(blank_degrees), "[D M S] declination of the target, J2000");
        self.number("RA", pointing.map(|p| p.ra.degrees().0), 7, "[deg] right ascension of the telescope, J2000");
        self.number("DEC", pointing.map(|p| p.dec.0), 7, "[deg] declination of the telescope, J2000");
        let placed = target.or(pointing);
        self.add("EQUINOX", placed.map(|_| 2000.0), "[yr] equinox of the coordinates");
        self.add("RADESYS", placed.map(|_| "ICRS"), "frame of the coordinates");
        let horizon = mid_horizon(observation, pointing, at);
        self.number("CENTALT", horizon.map(|h| h.alt.0), 4, "[deg] altitude of the telescope");
        self.number("CENTAZ", horizon.map(|h| h.az.0), 4, "[deg] azimuth of the telescope, from north");
        self.number("OBJCTALT", horizon.map(|h| h.alt.0), 4, "[deg] altitude of the telescope");
        self.number("OBJCTAZ", horizon.map(|h| h.az.0), 4, "[deg] azimuth of the telescope, from north");
        self.number("AIRMASS", horizon.and_then(AltAz::airmass), 4, "at mid exposure (Young 1994)");
        let side = match observation.pier_side {
            PierSide::East => Some("EAST"),
            PierSide::West => Some("WEST"),
            PierSide::Unknown => None,
        };
        self.add("PIERSIDE", side, "side of the pier that the telescope is on");
    }

    fn focus(&mut self, observation: &Observation) {
        self.add("FOCNAME", observation.focuser.as_deref(), "focuser");
        self.number("FOCUSSZ", observation.focus_step.map(|step| step.0), 4, "[um] length of a step of the focuser");
        for keyword in ["FOCUSPOS", "FOCPOS"] {
            self.add(keyword, observation.focus_position, "[step] position of the focuser");
        }
        for keyword in ["FOCUSTEM", "FOCTEMP"] {
            self.number(keyword, observation.focus_temperature.map(|t| t.0), 3, "[Celsius] at the focuser");
        }
    }
}

/// A setting as an integer where it is one.
fn neat(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 { Value::Integer(value as i64) } else { Value::Real(value) }
}

/// In the axes of the year 2000; `None` when the frame or the moment is not known.
fn j2000(place: RaDec, at: Option<Timestamp>) -> Option<RaDec> {
    match place.equinox {
        Equinox::J2000 => Some(place),
        _ => place.to(Equinox::J2000, at?).ok(),
    }
}

/// Where the telescope looked at mid exposure, or else when it was asked.
fn mid_horizon(observation: &Observation, pointing: Option<RaDec>, at: Option<Timestamp>) -> Option<AltAz> {
    let computed = || pointing?.to_altaz(&observation.site?, at?).ok();
    computed().or(observation.horizon)
}

/// `05 35 17.30`
fn blank_hours(place: RaDec) -> String {
    let ra = Hours(rounded_within(24.0, place.ra.normalized().0, 2));
    format!("{ra:.2}").replace(':', " ")
}

/// `-05 23 28.0`
fn blank_degrees(place: RaDec) -> String {
    format!("{:.1}", place.dec).replace(':', " ")
}
