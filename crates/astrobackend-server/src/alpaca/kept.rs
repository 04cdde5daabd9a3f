//! What clients set here, number by number, until the device can be told: the mount's target and place, the
//! temperature for a cooler that is off.

use crate::lock;
use astrobackend::{Celsius, Degrees, Hours, Metres, Result, Site, device::Mount};
use std::sync::Mutex;

/// What clients set that the device does not know yet, or not in this form.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    /// `TargetRightAscension`.
    pub(super) ra: Option<Hours>,
    /// `TargetDeclination`.
    pub(super) dec: Option<Degrees>,
    /// A place that is not complete: latitude, longitude, elevation.
    pub(super) site: [Option<f64>; 3],
    /// `SetCCDTemperature`, while the cooler is off.
    pub(super) set_point: Option<Celsius>,
}

/// Latitude, longitude and elevation as far as they are known.
pub(super) fn site(kept: &Mutex<Kept>, mount: &dyn Mount) -> Result<[Option<f64>; 3]> {
    let incomplete = lock(kept).site;
    let known = mount.site()?.map(|site| [site.latitude.0, site.longitude.0, site.elevation.0].map(Some));
    Ok(known.unwrap_or(incomplete))
}

/// Sets one of the three; the mount is told as soon as latitude and longitude are known.
pub(super) fn set_site(kept: &Mutex<Kept>, mount: &dyn Mount, place: usize, value: f64) -> Result<()> {
    let mut site = site(kept, mount)?;
    if let Some(number) = site.get_mut(place) {
        *number = Some(value);
    }
    if let [Some(latitude), Some(longitude), elevation] = site {
        let elevation = Metres(elevation.unwrap_or(0.0));
        mount.set_site(Site { latitude: Degrees(latitude), longitude: Degrees(longitude), elevation })?;
    }
    lock(kept).site = site;
    Ok(())
}
