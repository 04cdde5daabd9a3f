//! A session opens devices by role, name and address, and its pictures tell what the telescope was like.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use astrobackend::{
    ErrorKind, Wait,
    device::{DeviceKind, Exposure, FilterWheelExt},
    fits,
    rig::{Rig, Session, Shot, check_writable},
};
use std::{fs, time::Duration};

const TWO_CAMERAS: &str = "
observer = 'C. Messier'
[site]
latitude = 37.2236
longitude = -2.5463
[devices]
main = 'sim:///Camera Simulator?speed=1000&sensor=generic&cameras=2'
guide = 'sim:///Guide Camera Simulator?speed=1000&sensor=generic&cameras=2'
wheel = 'sim:///Filter Wheel Simulator?speed=1000&sensor=generic&cameras=2'
mount = 'sim:///Mount Simulator?speed=1000&sensor=generic&cameras=2'
[optics.main]
name = 'Refractor'
focal_length_mm = 530
wheel = 'wheel'
[optics.guide]
name = 'Guide scope'
";

fn second() -> Shot {
    Shot::new(Exposure::light(Duration::from_secs(1)))
}

fn wait() -> Wait {
    Wait::new(Duration::from_secs(60))
}

fn sim() -> Session {
    Session::new().with_backend("sim://?speed=1000&sensor=generic")
}

#[test]
fn devices_are_found_by_role_name_and_address() {
    let session = Session::new().with_rig(TWO_CAMERAS.parse().unwrap());
    assert_eq!(session.camera(None).unwrap().info().id.name, "Camera Simulator");
    assert_eq!(session.camera(Some("@guide")).unwrap().info().id.name, "Guide Camera Simulator");
    assert_eq!(session.camera(Some("guide camera simulator")).unwrap().info().id.name, "Guide Camera Simulator");
    assert_eq!(session.backends().unwrap().len(), 1, "one world for all roles");
    let error = session.camera(Some("@wheel")).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::NotFound, "@wheel is no camera but a filter wheel")
    );
    assert_eq!(session.focuser(None).unwrap_err().to_string(), "the rig has no focuser");

    let address = "sim:///Focuser Simulator?speed=1000";
    let session = Session::new().with_devices([address]);
    assert_eq!(session.focuser(None).unwrap().info().address.to_string(), address);
    assert!(session.mount(None).is_ok(), "of the same simulator");
}

#[test]
fn several_of_a_kind_must_be_told_apart() {
    let session = Session::new().with_backend("sim://?cameras=2");
    let error = session.find(DeviceKind::Camera, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(error.to_string().contains("\"Guide Camera Simulator\""), "{error}");
    let session = session.with_devices(["Guide Camera Simulator"]);
    assert_eq!(session.camera(None).unwrap().info().id.name, "Guide Camera Simulator");
    assert!(session.mount(None).is_ok());
}

#[test]
fn each_camera_tells_of_its_own_light_path() {
    let session = Session::new().with_rig(TWO_CAMERAS.parse().unwrap());
    session.filter_wheel(None).unwrap().select("R", &wait()).unwrap();
    let main = session.camera(None).unwrap();
    let (seen, warnings) = session.observe(&*main);
    assert_eq!(warnings, []);
    assert_eq!((seen.telescope.as_deref(), seen.filter.as_deref()), (Some("Refractor"), Some("R")));
    assert_eq!(seen.observer.as_deref(), Some("C. Messier"));
    assert!(seen.pointing.is_some() && seen.horizon.is_some());

    let guide = session.camera(Some("@guide")).unwrap();
    let (seen, _) = session.observe(&*guide);
    assert_eq!((seen.telescope.as_deref(), seen.filter.as_deref()), (Some("Guide scope"), None));
    assert!(seen.pointing.is_some(), "both look at the same sky");
}

#[test]
fn an_accessory_that_is_not_used_is_not_connected_for_a_picture() {
    let session = sim();
    let camera = session.camera(None).unwrap();
    let (seen, warnings) = session.observe(&*camera);
    assert_eq!((seen.pointing, seen.filter, seen.focus_position, warnings.len()), (None, None, None, 0));
    let mount = session.find(DeviceKind::Mount, None).unwrap().device().unwrap();
    assert!(!mount.device().is_connected().unwrap());
}

#[test]
fn an_accessory_that_does_not_answer_fails_no_picture() {
    let rig: Rig = format!("{TWO_CAMERAS}\nfocuser = 'focuser'\n")
        .replace("[optics.main]", "focuser = 'ascom:///Nobody'\n[optics.main]")
        .parse()
        .unwrap();
    let session = Session::new().with_rig(rig);
    let camera = session.camera(None).unwrap();
    let picture = session.expose(&*camera, &second(), &wait(), |_| {}).unwrap();
    assert_eq!(picture.warnings.len(), 0, "the focuser is in the guide camera's path");
    let guide = session.camera(Some("@guide")).unwrap();
    let picture = session.expose(&*guide, &second(), &wait(), |_| {}).unwrap();
    assert_eq!(picture.warnings.len(), 1, "{:?}", picture.warnings);
    assert_eq!(picture.observation.telescope.as_deref(), Some("Guide scope"));
}

#[test]
fn a_picture_that_could_not_be_saved_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fits");
    let session = sim();
    let camera = session.camera(None).unwrap();
    session.take_exposure(&*camera, &second(), &path, false, &wait()).unwrap();
    let first = camera.state().unwrap().last_exposure;
    let before = fs::read(&path).unwrap();
    let error = session.take_exposure(&*camera, &second(), &path, false, &wait()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("a.fits"), "{error}");
    assert_eq!(camera.state().unwrap().last_exposure, first);
    assert_eq!(fs::read(&path).unwrap(), before);
    session.take_exposure(&*camera, &second(), &path, true, &wait()).unwrap();
    assert_ne!(fs::read(&path).unwrap(), before);
    assert_eq!(fits::read(&path).unwrap().0.width(), 1280);
    assert_eq!(check_writable(folder.path().join("no/b.fits"), false).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_picture_is_of_the_whole_sensor_whatever_was_set_before() {
    let session = sim();
    let camera = session.camera(None).unwrap();
    let part = astrobackend::image::Frame { x: 10, y: 10, width: 20, height: 30, bin_x: 2, bin_y: 2 };
    let picture = session.expose(&*camera, &Shot { frame: Some(part), ..second() }, &wait(), |_| {}).unwrap();
    assert_eq!((picture.image.width(), picture.image.height()), (20, 30));
    let picture = session.expose(&*camera, &second(), &wait(), |_| {}).unwrap();
    assert_eq!((picture.image.width(), picture.image.height()), (1280, 1024));
    let bad = Shot { controls: vec![(astrobackend::device::Control::Gain, 1e6)], frame: Some(part), ..second() };
    assert_eq!(session.expose(&*camera, &bad, &wait(), |_| {}).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(camera.frame().unwrap().width, 1280, "nothing is set before all is checked");
}

#[test]
fn a_focuser_that_stops_short_is_told() {
    let session = sim();
    let focuser = session.focuser(None).unwrap();
    focuser.start_move(30_000).unwrap();
    assert_eq!(session.wait_on_focuser(&*focuser, Some(30_000), &wait()).unwrap(), Some(30_000));
    let error = session.wait_on_focuser(&*focuser, Some(31_000), &wait()).unwrap_err();
    assert_eq!(error.to_string(), "Focuser Simulator: stands at 30000 instead of 31000");
    focuser.start_move(0).unwrap();
    let error = session.wait_on_focuser(&*focuser, Some(0), &Wait::new(Duration::ZERO)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!focuser.state().unwrap().moving, "halted");
}
