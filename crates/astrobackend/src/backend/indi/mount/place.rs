//! Where a mount points and stands, read from its properties.

use crate::{AltAz, Degrees, Equinox, Hours, Metres, RaDec, Site, Timestamp, backend::indi::store::Device};

const OF_DATE: &str = "EQUATORIAL_EOD_COORD";
const J2000: &str = "EQUATORIAL_COORD";

/// The direction from the ground, in few mounts.
pub(super) const HORIZONTAL: &str = "HORIZONTAL_COORD";

/// The site.
pub(super) const SITE: &str = "GEOGRAPHIC_COORD";

/// The clock.
pub(super) const CLOCK: &str = "TIME_UTC";

/// What the stars do, in degrees per second; INDI's guide rates are fractions of it.
pub(super) const SIDEREAL: f64 = 15.041_067 / 3600.0;

/// The vector with the coordinates that the mount speaks.
pub(super) fn equatorial(device: &Device) -> &'static str {
    if device.has(OF_DATE) || !device.has(J2000) { OF_DATE } else { J2000 }
}

/// What those coordinates refer to.
pub(super) fn equinox(device: &Device) -> Equinox {
    if equatorial(device) == OF_DATE { Equinox::OfDate } else { Equinox::J2000 }
}

/// Where it points.
pub(super) fn position(device: &Device) -> Option<RaDec> {
    let vector = equatorial(device);
    let (ra, dec) = (device.number(vector, "RA")?, device.number(vector, "DEC")?);
    // Models and rounding leave values a hair beyond the pole.
    Some(RaDec::new(Hours(ra).normalized(), Degrees(dec.clamp(-90.0, 90.0)), equinox(device)))
}

/// Where it was last told to point, by us or another client.
pub(super) fn target(device: &Device) -> Option<RaDec> {
    let vector = device.property(equatorial(device))?;
    let wanted = |element| vector.number(element).and_then(|number| number.requested);
    Some(RaDec::new(Hours(wanted("RA")?), Degrees(wanted("DEC")?), equinox(device)))
}

/// The direction from the ground, where the mount tells it.
pub(super) fn horizon(device: &Device) -> Option<AltAz> {
    let (alt, az) = (device.number(HORIZONTAL, "ALT")?, device.number(HORIZONTAL, "AZ")?);
    Some(AltAz { alt: Degrees(alt.clamp(-90.0, 90.0)), az: Degrees(az).normalized() })
}

/// The site; all zeros is what drivers say as long as nobody has told them.
pub(super) fn site(device: &Device) -> Option<Site> {
    let number = |element| device.number(SITE, element);
    let (latitude, longitude) = (number("LAT")?, number("LONG")?);
    let elevation = number("ELEV").unwrap_or(0.0);
    if (latitude, longitude, elevation) == (0.0, 0.0, 0.0) {
        return None;
    }
    Site::new(Degrees(latitude), Degrees(longitude).signed(), Metres(elevation)).ok()
}

/// A site as the elements of its vector: longitudes run from 0 to 360.
pub(super) fn site_values(site: &Site) -> [(&'static str, f64); 3] {
    [("LAT", site.latitude.0), ("LONG", site.longitude.normalized().0), ("ELEV", site.elevation.0)]
}

/// The clock: what the driver said when it last said it, carried on.
pub(super) fn clock(device: &Device) -> Option<Timestamp> {
    let said = device.text(CLOCK, "UTC")?.trim().trim_end_matches('Z');
    let said: jiff::civil::DateTime = said.parse().ok()?;
    let since = device.property(CLOCK)?.reported?.elapsed();
    let then = jiff::tz::TimeZone::UTC.to_timestamp(said).ok()?;
    then.checked_add(jiff::SignedDuration::try_from(since).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backend::indi::store::Store, wire::indi::Parser};

    fn mount(text: &str) -> Store {
        let (mut store, mut parser) = (Store::default(), Parser::default());
        parser.push(text.as_bytes());
        while let Some(message) = parser.next_message() {
            store.apply(message.unwrap()).unwrap();
        }
        store
    }

    fn numbers(name: &str, values: &[(&str, f64)]) -> String {
        let elements: String = values.iter().map(|(n, v)| format!("<defNumber name='{n}'>{v}</defNumber>")).collect();
        format!("<defNumberVector device='T' name='{name}' state='Ok' perm='rw'>{elements}</defNumberVector>")
    }

    #[test]
    fn longitudes_become_east_positive_and_go_back() {
        let store = mount(&numbers(SITE, &[("LAT", 50.0), ("LONG", 352.5), ("ELEV", 100.0)]));
        let site = site(store.device("T").unwrap()).unwrap();
        assert_eq!(site.longitude, Degrees(-7.5));
        assert_eq!(site_values(&site), [("LAT", 50.0), ("LONG", 352.5), ("ELEV", 100.0)]);
        let nowhere = mount(&numbers(SITE, &[("LAT", 0.0), ("LONG", 0.0), ("ELEV", 0.0)]));
        assert_eq!(super::site(nowhere.device("T").unwrap()), None);
    }

    #[test]
    fn a_mount_in_j2000_says_so() {
        let store = mount(&numbers(J2000, &[("RA", 24.0), ("DEC", 90.000_000_1)]));
        let place = position(store.device("T").unwrap()).unwrap();
        assert_eq!(place, RaDec::j2000(Hours(0.0), Degrees(90.0)));
    }

    #[test]
    fn the_clock_runs_on() {
        let definition =
            "<defTextVector device='T' name='TIME_UTC' state='Ok' perm='rw'><defText name='UTC'/></defTextVector>";
        let said = "<setTextVector device='T' name='TIME_UTC'><oneText name='UTC'>2026-01-02T03:04:05</oneText></setTextVector>";
        assert_eq!(clock(mount(definition).device("T").unwrap()), None);
        let store = mount(&format!("{definition}{said}"));
        let then: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        assert!(clock(store.device("T").unwrap()).unwrap() >= then);
    }
}
