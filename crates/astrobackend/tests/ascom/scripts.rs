//! Drivers in VBScript and JScript: everything is a variant, arrays of variants included.

use crate::{camera, filter_wheel, focuser, patiently, turn};
use astrobackend::{
    ErrorKind,
    device::{CameraExt, Exposure, FilterWheelExt, FocuserExt},
    image::Pixels,
};
use std::time::Duration;

#[test]
fn a_camera_in_vbscript_takes_pictures() {
    let _turn = turn();
    let camera = camera("TestScript.Camera", "");
    let image = camera.expose(Exposure::light(Duration::from_millis(200)), &patiently()).unwrap();
    assert_eq!((image.width(), image.height()), (5, 4));
    let Pixels::U16(pixels) = image.pixels() else { panic!("{:?}", image.pixels()) };
    let expected = (0..4).flat_map(|y| (0..5).map(move |x| 1000 + 100 * x + y));
    assert!(pixels.iter().copied().eq(expected), "{pixels:?}");
    camera.disconnect().unwrap();
    assert_eq!(camera.state().unwrap_err().kind(), ErrorKind::NotConnected);
}

#[test]
fn a_focuser_in_vbscript_moves() {
    let _turn = turn();
    let focuser = focuser("TestScript.Focuser", "");
    assert_eq!(focuser.caps().unwrap().max_position, 20_000);
    focuser.move_to(10_700, &patiently()).unwrap();
    assert_eq!(focuser.state().unwrap().position, Some(10_700));
    assert!(focuser.controls().unwrap().is_empty(), "it has no compensation");
}

#[test]
fn a_wheel_in_jscript_turns() {
    let _turn = turn();
    let wheel = filter_wheel("TestScript.FilterWheel", "");
    let filters = wheel.filters().unwrap();
    let known: Vec<_> = filters.iter().map(|filter| (filter.name.as_str(), filter.focus_offset)).collect();
    assert_eq!(known, [("L", 0), ("R", 10), ("G", 20), ("B", -30)]);
    wheel.select("G", &patiently()).unwrap();
    assert_eq!(wheel.state().unwrap().position, Some(2));
}
