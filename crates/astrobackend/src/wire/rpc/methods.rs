//! The methods that there are: the original's, and ours.

use crate::device::DeviceKind::{self, Camera, FilterWheel, Focuser, Mount};

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The kind of device that it is for; `None` for those of the server.
    pub kind: Option<DeviceKind>,
    /// Its name; without the kind in front of it for those of [`COMMON`].
    pub name: &'static str,
    /// It changes nothing.
    pub reads: bool,
    /// The original server does not have it.
    pub ours: bool,
}

const fn original(kind: DeviceKind, name: &'static str, reads: bool) -> Method {
    Method { kind: Some(kind), name, reads, ours: false }
}

const fn ours(kind: Option<DeviceKind>, name: &'static str, reads: bool) -> Method {
    Method { kind, name, reads, ours: true }
}

const METHODS: &[Method] = &[
    original(Camera, "get_camera_info", true),
    original(Camera, "get_camera_x_pixelsize", true),
    original(Camera, "get_camera_y_pixelsize", true),
    original(Camera, "get_camera_max_binning", true),
    // What the original client asks for instead.
    original(Camera, "get_max_binning", true),
    original(Camera, "get_camera_egain", true),
    original(Camera, "get_camera_gain", true),
    original(Camera, "get_current_temperature", true),
    original(Camera, "get_target_temperature", true),
    original(Camera, "set_target_temperature", false),
    original(Camera, "get_cooler_state", true),
    original(Camera, "set_cooler_state", false),
    original(Camera, "get_cooler_power", true),
    original(Camera, "set_camera_gain", false),
    original(Camera, "take_image", false),
    original(Camera, "abort_image", false),
    original(Camera, "save_image", false),
    original(Focuser, "focuser_get_absolute_position", true),
    original(Focuser, "focuser_get_max_absolute_position", true),
    original(Focuser, "focuser_get_current_temperature", true),
    original(Focuser, "focuser_is_moving", true),
    original(Focuser, "focuser_stop", false),
    original(Focuser, "focuser_move_absolute_position", false),
    original(FilterWheel, "filterwheel_get_position", true),
    original(FilterWheel, "filterwheel_get_filter_names", true),
    original(FilterWheel, "filterwheel_move_position", false),
    original(Mount, "mount_can_park", true),
    original(Mount, "mount_at_park", true),
    original(Mount, "mount_pier_side", true),
    original(Mount, "mount_is_slewing", true),
    original(Mount, "mount_get_tracking", true),
    original(Mount, "mount_get_radec", true),
    original(Mount, "mount_get_altaz", true),
    original(Mount, "mount_slew_radec", false),
    original(Mount, "mount_sync_radec", false),
    original(Mount, "mount_abort_slew", false),
    original(Mount, "mount_park", false),
    original(Mount, "mount_unpark", false),
    original(Mount, "mount_set_tracking", false),
    ours(None, "get_devices", true),
    ours(None, "subscribe", true),
    ours(None, "unsubscribe", true),
    ours(Some(Camera), "get_camera_offset", true),
    ours(Some(Camera), "get_camera_usbbandwidth", true),
    ours(Some(Camera), "get_exposure_progress", true),
    ours(Some(Camera), "get_exposure_limits", true),
    ours(Some(Camera), "camera_get_frame", true),
    ours(Some(Camera), "camera_set_frame", false),
    ours(Some(Camera), "camera_set_cooler", false),
    ours(Some(Camera), "camera_start_exposure", false),
    ours(Some(Camera), "camera_stop_exposure", false),
    ours(Some(Camera), "camera_abort_exposure", false),
    ours(Some(Camera), "camera_get_image", true),
    ours(Some(Camera), "camera_pulse_guide", false),
    ours(Some(FilterWheel), "filterwheel_get_filters", true),
    ours(Some(FilterWheel), "filterwheel_start_move", false),
    ours(Some(FilterWheel), "filterwheel_set_names", false),
    ours(Some(Focuser), "focuser_start_move", false),
    ours(Some(Focuser), "focuser_start_move_by", false),
    ours(Some(Focuser), "focuser_halt", false),
    ours(Some(Focuser), "focuser_sync", false),
    ours(Some(Mount), "mount_start_slew", false),
    ours(Some(Mount), "mount_abort", false),
    ours(Some(Mount), "mount_sync", false),
    ours(Some(Mount), "mount_start_park", false),
    ours(Some(Mount), "mount_start_unpark", false),
    ours(Some(Mount), "mount_set_park", false),
    ours(Some(Mount), "mount_start_home", false),
    ours(Some(Mount), "mount_set_tracking_rate", false),
    ours(Some(Mount), "mount_start_flip", false),
    ours(Some(Mount), "mount_get_destination_side", true),
    ours(Some(Mount), "mount_get_guide_rates", true),
    ours(Some(Mount), "mount_set_guide_rates", false),
    ours(Some(Mount), "mount_pulse_guide", false),
    ours(Some(Mount), "mount_move_axis", false),
    ours(Some(Mount), "mount_get_site", true),
    ours(Some(Mount), "mount_set_site", false),
    ours(Some(Mount), "mount_set_time", false),
];

/// What every kind of device has, with `camera_`, `filterwheel_`, `focuser_` or `mount_` in front.
pub const COMMON: &[Method] = &[
    ours(None, "get_info", true),
    ours(None, "connect", false),
    ours(None, "disconnect", false),
    ours(None, "is_connected", true),
    ours(None, "get_caps", true),
    ours(None, "get_state", true),
    ours(None, "get_controls", true),
    ours(None, "get_control", true),
    ours(None, "set_control", false),
    ours(None, "get_actions", true),
    ours(None, "action", false),
    ours(None, "command", false),
];

/// What stands in front of a kind's methods.
fn prefix(kind: DeviceKind) -> &'static str {
    match kind {
        Camera => "camera",
        FilterWheel => "filterwheel",
        Focuser => "focuser",
        Mount => "mount",
    }
}

/// All that have a name of their own.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    METHODS.iter()
}

impl Method {
    /// The method of a name.
    pub fn find(name: &str) -> Option<Method> {
        let own = METHODS.iter().find(|method| method.name == name);
        own.copied().or_else(|| {
            let (kind, name) = DeviceKind::ALL.into_iter().find_map(|kind| {
                let name = name.strip_prefix(prefix(kind))?.strip_prefix('_')?;
                Some((kind, name))
            })?;
            let common = COMMON.iter().find(|method| method.name == name)?;
            Some(Method { kind: Some(kind), ..*common })
        })
    }

    /// The name of one of [`COMMON`] for a kind of device.
    pub fn common_name(kind: DeviceKind, name: &str) -> String {
        format!("{}_{name}", prefix(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_is_found_by_its_name() {
        for method in methods() {
            assert_eq!(Method::find(method.name), Some(*method));
        }
        for kind in DeviceKind::ALL {
            for method in COMMON {
                let name = Method::common_name(kind, method.name);
                assert!(methods().all(|method| method.name != name), "{name} twice");
                assert_eq!(Method::find(&name).and_then(|method| method.kind), Some(kind));
            }
        }
        assert_eq!(Method::find("camera_"), None);
        assert_eq!(Method::find("get_state"), None);
    }
}
