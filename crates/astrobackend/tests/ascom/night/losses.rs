//! What is lost in a night, and while what is under way.

use astrobackend::device::DeviceKind;

use DeviceKind::{Camera as CAMERA, FilterWheel as WHEEL, Focuser as FOCUSER, Mount as MOUNT};
use During::*;
use Loss::*;

/// How a driver is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Loss {
    /// Its process ends while nobody calls it.
    Dies,
    /// Its process ends within a call of a member, so many times: the second time while it is brought back.
    DiesIn(&'static str, i32),
    /// The process lives on, but COM has lost the object: a call of a member fails with this number.
    LosesObject(&'static str, &'static str),
    /// It dies, and its program is not there for a while.
    Away,
    /// Another program sets it otherwise and disconnects it.
    Disconnected,
    /// Another program parks the mount and disconnects it.
    Parked,
    /// A call of a member does not return.
    Hangs(&'static str),
}

/// What is under way then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum During {
    Nothing,
    Exposing,
    Reading,
    Slewing,
    Moving,
    Turning,
}

/// The night, in this order.
pub(super) const LOSSES: &[(During, DeviceKind, Loss)] = &[
    (Nothing, CAMERA, Dies),
    (Nothing, WHEEL, Dies),
    (Nothing, FOCUSER, Dies),
    (Nothing, MOUNT, Dies),
    (Exposing, CAMERA, Dies),
    (Exposing, FOCUSER, Dies),
    (Turning, WHEEL, Dies),
    (Moving, FOCUSER, Dies),
    (Slewing, MOUNT, Dies),
    (Nothing, CAMERA, DiesIn("Gain", 1)),
    (Nothing, CAMERA, DiesIn("StartExposure", 1)),
    (Reading, CAMERA, DiesIn("ImageArray", 1)),
    (Nothing, MOUNT, DiesIn("SlewToCoordinatesAsync", 1)),
    (Nothing, FOCUSER, DiesIn("Move", 1)),
    (Turning, WHEEL, DiesIn("Position", 1)),
    (Nothing, CAMERA, DiesIn("Connected", 3)),
    (Exposing, CAMERA, DiesIn("Gain", 2)),
    (Nothing, MOUNT, DiesIn("Tracking", 2)),
    (Nothing, FOCUSER, LosesObject("Position", "80010108")),
    (Exposing, CAMERA, LosesObject("CameraState", "800706ba")),
    (Nothing, MOUNT, LosesObject("RightAscension", "800401fd")),
    (Nothing, WHEEL, Away),
    (Exposing, CAMERA, Away),
    (Nothing, CAMERA, Disconnected),
    (Nothing, FOCUSER, Disconnected),
    (Nothing, WHEEL, Disconnected),
    (Nothing, MOUNT, Disconnected),
    (Nothing, MOUNT, Parked),
    (Nothing, CAMERA, Hangs("Gain")),
    (Moving, FOCUSER, Hangs("Position")),
];

/// Afterwards there is another process, which knows nothing.
pub(super) fn forgets(loss: Loss) -> bool {
    !matches!(loss, Disconnected | Parked | Hangs(_))
}
