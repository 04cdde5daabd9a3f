//! Everything that the original protocol can do, done.

use crate::{Lab, wait};
use astrobackend::{
    Celsius, Degrees, Equinox, ErrorKind, Hours, RaDec,
    device::{CameraExt, Control, Exposure, ExposureState, FilterWheelExt, FocuserExt, MountExt, PierSide},
    image::{Frame, Pixels},
};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn each_device_says_what_it_knows() {
    let lab = Lab::new("");
    let devices = lab.connect_all();
    assert_eq!(devices.len(), 4);
    assert!(devices.iter().all(|device| device.state().is_ok()), "{devices:?}");
    assert_eq!(lab.backend.devices().unwrap()[0].driver.as_deref(), Some("pyastroimageview"));
    let caps = lab.camera().caps().unwrap();
    assert_eq!((caps.sensor.width, caps.sensor.height, caps.max_bin), (1280, 1024, (4, 4)));
    let mount = lab.backend.mount().unwrap().state().unwrap();
    assert_eq!((mount.horizon, mount.pier_side), (None, PierSide::East));
}

#[test]
fn both_names_of_the_largest_binning_are_asked_for() {
    let lab = Lab::new("");
    let unknown = br#"{"error": {"code": -32601, "message": "unknown"}, "id": 3}"#;
    // The third question of this connection.
    lab.server.on("get_camera_max_binning", testing::fake_rpc::Act::Send([&unknown[..], b"\n"].concat()));
    lab.camera().caps().unwrap();
    assert!(lab.server.received().iter().any(|packet| packet.contains("\"get_max_binning\"")));
}

#[test]
fn a_device_that_its_user_has_not_connected_is_said_to_be_so() {
    let lab = Lab::new("");
    lab.server.connect("Camera", false);
    let camera = lab.backend.camera().unwrap();
    let error = camera.connect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}");
    lab.server.connect("Camera", true);
    camera.connect().unwrap();
    assert!(camera.is_connected().unwrap());
    camera.disconnect().unwrap();
    assert_eq!(camera.state().unwrap_err().kind(), ErrorKind::NotConnected);
}

#[test]
fn pictures_are_those_of_their_exposures() {
    let lab = Lab::new("");
    let camera = lab.camera();
    for number in 1..=3 {
        let image = camera.expose(Exposure::light(SHORT), &wait()).unwrap();
        assert_eq!((image.width(), image.height()), (1280, 1024));
        assert_eq!(image.pixels().get(0), Some(f64::from(number)));
        assert_eq!(image.meta.exposure, Some(SHORT));
    }
    let frame = Frame { x: 100, y: 100, width: 200, height: 100, bin_x: 2, bin_y: 2 };
    camera.set_frame(frame).unwrap();
    camera.set_control(Control::Gain, 150.0).unwrap();
    let image = camera.expose(Exposure::dark(SHORT), &wait()).unwrap();
    assert!(matches!(image.pixels(), Pixels::U16(pixels) if pixels.len() == 20_000));
    let request = lab.server.received().into_iter().rfind(|packet| packet.contains("take_image")).unwrap();
    let expected =
        r#""params":{"exposure":0.05,"binning":2,"roi":[100,100,200,100],"frametype":"Dark","camera_gain":150}}"#;
    assert!(request.trim_end().ends_with(expected), "{request}");
    assert_eq!(camera.control(Control::Gain).unwrap(), 150.0);
}

#[test]
fn an_abort_is_an_abort_and_leaves_no_picture() {
    let lab = Lab::new("");
    let camera = lab.camera();
    camera.expose(Exposure::light(SHORT), &wait()).unwrap();
    camera.start_exposure(Exposure::light(Duration::from_secs(1000))).unwrap();
    assert!(camera.state().unwrap().exposure.is_busy());
    let second = camera.start_exposure(Exposure::light(SHORT)).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Busy);
    camera.abort_exposure().unwrap();
    assert_eq!(camera.state().unwrap().exposure, ExposureState::Idle);
    assert_eq!(camera.image().unwrap_err().kind(), ErrorKind::InvalidOperation);
    // The camera is free at once.
    assert_eq!(camera.expose(Exposure::light(SHORT), &wait()).unwrap().pixels().get(0), Some(3.0));
}

#[test]
fn an_exposure_that_somebody_else_ended_is_an_abort() {
    let lab = Lab::new("");
    let camera = lab.camera();
    camera.start_exposure(Exposure::light(Duration::from_secs(1000))).unwrap();
    let other = astrobackend::open(&format!("rpc://{}", lab.server.address())).unwrap().camera().unwrap();
    other.connect().unwrap();
    // What the other client may do at any time.
    let refused = other.expose(Exposure::light(SHORT), &wait()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Busy, "{refused}");
    lab.server.abort();
    let look = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
    wait().until("the abort", look, || Ok(())).unwrap();
    assert_eq!(camera.state().unwrap().exposure, ExposureState::Idle);
}

#[test]
fn a_refused_exposure_gives_no_stale_picture() {
    let lab = Lab::new("timeout=2");
    let camera = lab.camera();
    camera.expose(Exposure::light(SHORT), &wait()).unwrap();
    let refusal = br#"{"jsonrpc": "2.0", "error": {"code": -32600, "message": "binning must be int"}, "id": "null"}"#;
    lab.server.on("take_image", testing::fake_rpc::Act::Send([&refusal[..], b"\n"].concat()));
    camera.start_exposure(Exposure::light(SHORT)).unwrap();
    let look = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
    wait().until("the refusal", look, || Ok(())).unwrap();
    assert_eq!(camera.image().unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn saving_happens_on_the_servers_side() {
    let lab = Lab::new("");
    let camera = lab.camera();
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("m42.fits").into_os_string().into_string().unwrap();
    let early = camera.action("rpc:save-image", &name).unwrap_err();
    assert_eq!(early.kind(), ErrorKind::InvalidOperation);
    camera.expose(Exposure::light(SHORT), &wait()).unwrap();
    camera.action("rpc:save-image", &name).unwrap();
    assert_eq!(astrobackend::fits::read(&name).unwrap().0.width(), 1280);
    assert!(camera.action("rpc:save-image", &name).is_err(), "it exists");
    let again = serde_json::json!({ "filename": name, "overwrite": true }).to_string();
    camera.action("rpc:save-image", &again).unwrap();
    let long = "x".repeat(3000);
    assert_eq!(camera.action("rpc:save-image", &long).unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn cooler_focuser_wheel_and_mount_obey() {
    let lab = Lab::new("");
    lab.connect_all();
    let camera = lab.camera();
    camera.set_cooler(Some(Celsius(-5.0))).unwrap();
    let cooler = camera.state().unwrap().cooler.unwrap();
    assert_eq!((cooler.on, cooler.set_point), (true, Some(Celsius(-5.0))));
    let focuser = lab.focuser();
    focuser.move_to(12_345, &wait()).unwrap();
    assert_eq!(focuser.state().unwrap().position, Some(12_345));
    assert_eq!(focuser.start_move(100_001).unwrap_err().kind(), ErrorKind::InvalidValue);
    focuser.halt().unwrap();
    let wheel = lab.backend.filter_wheel().unwrap();
    wheel.select("Ha", &wait()).unwrap();
    assert_eq!(wheel.state().unwrap().position, Some(4));
    assert_eq!(wheel.start_move(99).unwrap_err().kind(), ErrorKind::InvalidValue);
    let mount = lab.backend.mount().unwrap();
    mount.slew(RaDec::new(Hours(3.5), Degrees(12.25), Equinox::OfDate), &wait()).unwrap();
    mount.park(&wait()).unwrap();
    let parked = mount.start_slew(RaDec::new(Hours(4.0), Degrees(0.0), Equinox::OfDate).into()).unwrap_err();
    assert_eq!(parked.kind(), ErrorKind::Parked);
    mount.unpark(&wait()).unwrap();
    // Whole numbers are sent as such, and each request in a packet of its own.
    let received = lab.server.received();
    let moved = received.iter().find(|packet| packet.contains("focuser_move")).unwrap();
    assert!(moved.ends_with("\"params\":{\"absolute_position\":12345}}\n"), "{moved}");
    assert!(received.iter().all(|packet| packet.ends_with('\n')));
}
