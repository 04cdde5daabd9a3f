//! Where a mount stands, its clock, its optics, and how fast it guides.

use super::super::{
    order::Order,
    property::{GUIDE, OPTIONS, Property, SITE, With, moment, number, numbers, switch, switches, text, texts},
};
use super::{SIDEREAL, Seen};
use astrobackend::{
    Degrees, DegreesPerSecond, Error, Metres, Result, Site, Timestamp,
    device::{Alignment, GuideRates, Mount, MountCaps},
    wire::indi::Rule,
};
use std::time::Instant;

pub(super) const GEOGRAPHIC: &str = "GEOGRAPHIC_COORD";
pub(super) const TIME: &str = "TIME_UTC";
pub(super) const GUIDE_RATE: &str = "GUIDE_RATE";

/// A clock that runs as ours does is not told again; this is how far it may be from that, seconds.
const CLOCK: f64 = 1.5;

/// The clock as it was told, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock(Option<(Timestamp, Instant)>);

impl Clock {
    /// The time to tell: as before while the mount's clock runs on from there as ours does.
    pub(super) fn tell(&mut self, utc: Timestamp) -> Timestamp {
        if let Some((told, at)) = self.0 {
            let passed = utc.duration_since(told).as_secs_f64();
            if (passed - at.elapsed().as_secs_f64()).abs() < CLOCK {
                return told;
            }
        }
        self.0 = Some((utc, Instant::now()));
        utc
    }

    /// It is to be told anew.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

/// Site, clock, optics and guide rates, as far as they are known.
pub(super) fn properties(seen: &Seen, clock: &mut Clock) -> Vec<Property> {
    let Seen { caps, state, site, guide_rates, .. } = seen;
    let mut all = vec![mounting(caps)];
    // Zero in all of them is what drivers say as long as nobody has told them.
    if site.is_some() || caps.set_site {
        let (latitude, longitude, elevation) =
            site.map_or((0.0, 0.0, 0.0), |site| (site.latitude.0, site.longitude.normalized().0, site.elevation.0));
        let elements = [
            number("LAT", "Lat (dd:mm:ss)", latitude, "%012.8m", (-90.0, 90.0, 0.0)),
            number("LONG", "Lon (dd:mm:ss)", longitude, "%012.8m", (0.0, 360.0, 0.0)),
            number("ELEV", "Elevation (m)", elevation, "%g", (-500.0, 10_000.0, 0.0)),
        ];
        all.push(numbers(GEOGRAPHIC, "Scope location", SITE, elements).writable_if(caps.set_site));
    }
    if let Some(utc) = state.utc {
        let elements = [text("UTC", "UTC time", moment(clock.tell(utc))), text("OFFSET", "UTC offset", "0.00")];
        all.push(texts(TIME, "UTC", SITE, elements).writable_if(caps.set_time));
    }
    all.extend(optics(caps));
    if let Some(rates) = guide_rates {
        let elements = [
            number("GUIDE_RATE_WE", "W/E rate", rates.ra.0 / SIDEREAL, "%.3f", (0.0, 1.0, 0.0)),
            number("GUIDE_RATE_NS", "N/S rate", rates.dec.0 / SIDEREAL, "%.3f", (0.0, 1.0, 0.0)),
        ];
        all.push(numbers(GUIDE_RATE, "Guiding rate", GUIDE, elements).writable_if(caps.set_guide_rates));
    }
    all
}

fn mounting(caps: &MountCaps) -> Property {
    let kinds = [
        (Alignment::AltAz, "ALTAZ", "AltAz"),
        (Alignment::Polar, "EQ_FORK", "Fork (Eq)"),
        (Alignment::GermanPolar, "EQ_GEM", "German (Eq)"),
    ];
    let kinds = kinds.map(|(kind, element, label)| switch(element, label, kind == caps.alignment));
    switches("MOUNT_TYPE", "Mount type", OPTIONS, Rule::OneOfMany, kinds)
}

fn optics(caps: &MountCaps) -> Option<Property> {
    let millimetres = |length: Option<Metres>| length.map_or(0.0, |length| length.0 * 1000.0);
    let (aperture, focal_length) = (millimetres(caps.optics.aperture), millimetres(caps.optics.focal_length));
    if (aperture, focal_length) == (0.0, 0.0) {
        return None;
    }
    let any = (0.0, 0.0, 0.0);
    let elements = [
        number("TELESCOPE_APERTURE", "Aperture (mm)", aperture, "%g", any),
        number("TELESCOPE_FOCAL_LENGTH", "Focal length (mm)", focal_length, "%g", any),
        number("GUIDER_APERTURE", "Guider aperture (mm)", 0.0, "%g", any),
        number("GUIDER_FOCAL_LENGTH", "Guider focal length (mm)", 0.0, "%g", any),
    ];
    Some(numbers("TELESCOPE_INFO", "Scope properties", OPTIONS, elements))
}

/// Tells it where it stands.
///
/// # Errors
/// The mount's refusal.
pub(super) fn set_site(mount: &dyn Mount, order: &Order, now: &[Property]) -> Result<()> {
    let part = |element| order.number_or(element, now).ok_or_else(|| Error::invalid(format!("{element} is missing")));
    let site = Site::new(Degrees(part("LAT")?), Degrees(part("LONG")?).signed(), Metres(part("ELEV")?))?;
    mount.set_site(site)
}

/// Sets its clock. The offset of the time zone concerns nobody but people.
///
/// # Errors
/// `InvalidValue` for what is no time; the mount's refusal.
pub(super) fn set_time(mount: &dyn Mount, order: &Order) -> Result<()> {
    let said = order.text("UTC").ok_or_else(|| Error::invalid("UTC is missing"))?.trim().trim_end_matches('Z');
    let read = said.parse::<jiff::civil::DateTime>().and_then(|said| jiff::tz::TimeZone::UTC.to_timestamp(said));
    mount.set_time(read.map_err(|_| Error::invalid(format!("{said:?} is no time like 2026-01-15T21:30:00")))?)
}

/// Sets how fast it guides, fractions of the sidereal speed.
///
/// # Errors
/// The mount's refusal.
pub(super) fn set_guide_rates(mount: &dyn Mount, order: &Order, now: &[Property]) -> Result<()> {
    let rate = |element| {
        let part = order.number_or(element, now).ok_or_else(|| Error::invalid(format!("{element} is missing")))?;
        Ok::<_, Error>(DegreesPerSecond(part * SIDEREAL))
    };
    mount.set_guide_rates(GuideRates { ra: rate("GUIDE_RATE_WE")?, dec: rate("GUIDE_RATE_NS")? })
}
