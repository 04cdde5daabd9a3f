//! The rest of the telescope at the beginning of an exposure, for the header of its file.

use astrobackend::{
    device::{AnyDevice, DeviceId},
    observation::Observation,
};

/// What these devices, the wheel, the focuser and the mount that go with a camera, say; who does not answer is left out.
pub(crate) fn observe<'a>(devices: impl IntoIterator<Item = (&'a DeviceId, &'a AnyDevice)>) -> Observation {
    let mut seen = Observation::default();
    for (id, device) in devices {
        match device {
            AnyDevice::FilterWheel(wheel) => {
                let place = wheel.state().ok().and_then(|state| state.position);
                let filters = wheel.filters().unwrap_or_default();
                seen.filter = place.and_then(|place| Some(filters.get(place)?.name.clone()));
                seen.filter_wheel = Some(id.name.clone()).filter(|_| seen.filter.is_some());
            }
            AnyDevice::Focuser(focuser) => {
                let Ok(state) = focuser.state() else { continue };
                seen.focuser = Some(id.name.clone());
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
