//! Drivers as they are found: in ASCOM's profile, by its chooser, by their ProgID.

use crate::{open, turn};
use astrobackend::{
    ErrorKind,
    device::{DeviceId, DeviceKind},
};
use std::collections::BTreeSet;

#[test]
fn the_profile_lists_the_drivers() {
    let backend = open("", "");
    let devices = backend.devices().unwrap();
    let of = |kind| devices.iter().filter(move |info| info.id.kind == kind).map(|info| info.id.name.as_str());
    let of = |kind| of(kind).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let cameras = ["Test.Camera", "TestProcess.Camera", "TestScript.Camera", "TestSecond.Camera"];
    assert_eq!(of(DeviceKind::Camera), cameras);
    assert_eq!(of(DeviceKind::Mount), ["Test.Telescope", "TestProcess.Telescope"]);
    assert!(devices.iter().all(|info| info.description.as_deref() == Some("Test driver")), "{devices:?}");
    let address = devices.iter().find(|info| info.id.name == "Test.Focuser").unwrap().address.to_string();
    assert_eq!(address, "ascom:///Test.Focuser");
}

#[test]
fn the_chooser_asks_for_the_kind() {
    let _turn = turn();
    let backend = open("", "");
    assert!(backend.has_chooser());
    let picked = backend.choose(DeviceKind::Mount, None).unwrap().unwrap();
    assert_eq!(picked, DeviceId::new(DeviceKind::Mount, "Test.Telescope"));
    let last = DeviceId::new(DeviceKind::Camera, "TestProcess.Camera");
    assert_eq!(backend.choose(DeviceKind::Camera, Some(&last)).unwrap(), Some(last));
}

#[test]
fn a_driver_that_is_not_registered_is_named() {
    let backend = open("Nobody.Camera", "");
    let camera = backend.device(&DeviceId::new(DeviceKind::Camera, "Nobody.Camera")).unwrap();
    assert!(!camera.device().is_connected().unwrap(), "what was never connected is not started to hear so");
    let error = camera.device().connect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("Nobody.Camera is not registered for 64-bit programs"), "{error}");
}
