//! The rest of the telescope at the beginning of an exposure, for the header of its file.

use super::devices::Devices;
use astrobackend::{
    device::{AnyDevice, DeviceKind},
    observation::Observation,
    wire::rpc::Params,
};

/// What the first wheel, focuser and mount say; who does not answer is left out.
pub(super) fn observe(devices: &Devices) -> Observation {
    let mut seen = Observation::default();
    for kind in [DeviceKind::FilterWheel, DeviceKind::Focuser, DeviceKind::Mount] {
        let Some(served) = devices.find(kind, &Params::default()) else { continue };
        match &served.device {
            AnyDevice::FilterWheel(wheel) => {
                let place = wheel.state().ok().and_then(|state| state.position);
                let filters = wheel.filters().unwrap_or_default();
                seen.filter = place.and_then(|place| Some(filters.get(place)?.name.clone()));
                seen.filter_wheel = Some(served.id.name.clone()).filter(|_| seen.filter.is_some());
            }
            AnyDevice::Focuser(focuser) => {
                let Ok(state) = focuser.state() else { continue };
                seen.focuser = Some(served.id.name.clone());
                seen.focus_position = state.position;
                seen.focus_temperature = state.temperature;
                seen.focus_step = focuser.caps().ok().and_then(|caps| caps.step_size);
            }
            AnyDevice::Mount(mount) => {
                let Ok(state) = mount.state() else { continue };
                seen.pointing = Some(state.position);
                seen.horizon = state.horizon;
                seen.pier_side = state.pier_side;
                seen.site = mount.site().ok().flatten();
                if let Ok(caps) = mount.caps() {
                    (seen.focal_length, seen.aperture) = (caps.optics.focal_length, caps.optics.aperture);
                }
            }
            _ => {}
        }
    }
    seen
}
