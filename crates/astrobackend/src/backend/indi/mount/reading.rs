//! What a mount's properties say: what it can do, and what it is doing.

use super::{
    by_hand,
    place::{self, HORIZONTAL, equatorial},
    tracking,
};
use crate::{
    Metres,
    backend::indi::{pulse, store::Device},
    device::{Alignment, Axis, MountCaps, Optics, PierSide},
    wire::indi::State,
};

/// Parks and unparks.
pub(super) const PARK: &str = "TELESCOPE_PARK";

/// Goes home.
pub(super) const HOME: &str = "TELESCOPE_HOME";

/// What is done with coordinates that are written.
pub(super) const ON_COORD_SET: &str = "ON_COORD_SET";

const AXES: [Axis; 3] = [Axis::Primary, Axis::Secondary, Axis::Tertiary];

/// What the mount can do.
pub(super) fn caps(device: &Device) -> MountCaps {
    let has = |property: &str, element: &str| device.has_switch(property, element);
    let coordinates = device.can_set(equatorial(device));
    MountCaps {
        alignment: alignment(device),
        equinox: place::equinox(device),
        slew: coordinates && (has(ON_COORD_SET, "TRACK") || !device.has(ON_COORD_SET)),
        slew_altaz: device.can_set(HORIZONTAL),
        sync: coordinates && has(ON_COORD_SET, "SYNC"),
        sync_altaz: false,
        park: has(PARK, "PARK"),
        unpark: has(PARK, "UNPARK"),
        set_park: has("TELESCOPE_PARK_OPTION", "PARK_CURRENT"),
        home: has(HOME, "GO") || has(HOME, "FIND"),
        set_pier_side: has(ON_COORD_SET, "FLIP"),
        pier_side: device.has("TELESCOPE_PIER_SIDE"),
        pulse_guide: pulse::can_pulse(device),
        set_guide_rates: device.can_set("GUIDE_RATE"),
        set_tracking: tracking::can_set(device),
        tracking_rates: tracking::rates(device),
        rate_offsets: (tracking::has_offsets(device), tracking::has_offsets(device)),
        axis_rates: AXES.map(|axis| by_hand::rates(device, axis)),
        optics: optics(device),
        set_site: device.can_set(place::SITE),
        set_time: device.can_set(place::CLOCK),
    }
}

/// Parked, and not on its way.
pub(super) fn is_parked(device: &Device) -> bool {
    device.switch(PARK, "PARK") == Some(true) && !device.is_busy(PARK)
}

/// Moving other than by tracking, as the driver has it.
pub(super) fn is_moving(device: &Device) -> bool {
    [equatorial(device), HORIZONTAL, PARK, HOME].iter().any(|property| device.is_busy(property))
        || by_hand::is_driven(device)
}

/// At home: nothing says it but that homing was the last thing that went well.
pub(super) fn is_at_home(device: &Device) -> bool {
    let moved = [equatorial(device), HORIZONTAL, PARK].into_iter();
    let moved = moved.filter_map(|vector| device.property(vector)).map(|vector| vector.busy).max().unwrap_or(0);
    let home = device.property(HOME).filter(|home| home.state == State::Ok && home.seq > moved);
    home.is_some() && !tracking::state(device).on && !is_moving(device)
}

/// The side of the pier that it is on.
pub(super) fn pier_side(device: &Device) -> PierSide {
    match device.property("TELESCOPE_PIER_SIDE").and_then(|side| side.on()).map(|side| side.name.as_str()) {
        Some("PIER_EAST") => PierSide::East,
        Some("PIER_WEST") => PierSide::West,
        _ => PierSide::Unknown,
    }
}

fn alignment(device: &Device) -> Alignment {
    match device.property("MOUNT_TYPE").and_then(|kind| kind.on()).map(|kind| kind.name.as_str()) {
        Some("ALTAZ") => Alignment::AltAz,
        Some("EQ_FORK") => Alignment::Polar,
        _ => Alignment::GermanPolar,
    }
}

fn optics(device: &Device) -> Optics {
    let millimetres = |element| device.number("TELESCOPE_INFO", element).filter(|length| *length > 0.0);
    let metres = |element| millimetres(element).map(|length| Metres(length / 1000.0));
    Optics { aperture: metres("TELESCOPE_APERTURE"), area: None, focal_length: metres("TELESCOPE_FOCAL_LENGTH") }
}
