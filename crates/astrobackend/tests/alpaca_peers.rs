//! The Alpaca client with a real server of other people: `alpaca-simulators`, which has no management API, no
//! discovery and interfaces of several versions, and whose ids are all 0.

use astrobackend::{
    Wait,
    device::{CameraExt, DeviceKind, Exposure, ExposureState, FilterWheelExt, FocuserExt, MountExt, Tracking},
    image::Frame,
};
use std::time::Duration;
use testing::AlpacaSimulators;

#[test]
fn all_four_kinds_of_device_obey() {
    let server = match AlpacaSimulators::start() {
        Ok(server) => server,
        Err(skip) => return assert!(!skip.report(), "{skip}"),
    };
    let backend = astrobackend::open(&server.url()).unwrap();
    let wait = Wait::new(Duration::from_secs(60));
    let kinds: Vec<_> = backend.devices().unwrap().into_iter().map(|info| info.id.kind).collect();
    assert_eq!(kinds, DeviceKind::ALL);
    for info in backend.devices().unwrap() {
        let device = backend.device(&info.id).unwrap();
        device.device().connect().unwrap();
        assert!(device.device().is_connected().unwrap());
        device.state().unwrap();
        assert!(device.device().info().driver.is_some(), "{info:?}");
    }

    let wheel = backend.filter_wheel().unwrap();
    wheel.select("Blue", &wait).unwrap();
    assert_eq!(wheel.state().unwrap().position, Some(2));

    let focuser = backend.focuser().unwrap();
    focuser.move_to(12_345, &wait).unwrap();
    assert_eq!(focuser.state().unwrap().position, Some(12_345));

    let mount = backend.mount().unwrap();
    mount.unpark(&wait).unwrap();
    mount.set_tracking(Tracking::SIDEREAL).unwrap();
    let target = mount.state().unwrap().position;
    let target = astrobackend::RaDec::new(target.ra, astrobackend::Degrees(60.0), target.equinox);
    mount.slew(target, &wait).unwrap();
    assert!(mount.state().unwrap().position.separation(target).0 < 0.1);
    mount.park(&wait).unwrap();

    let camera = backend.camera().unwrap();
    let frame = Frame { x: 10, y: 20, width: 120, height: 40, bin_x: 2, bin_y: 2 };
    camera.set_frame(frame).unwrap();
    assert_eq!(camera.frame().unwrap(), frame);
    // For pictures it asks a catalogue on the Internet, and without one it reports an error.
    match camera.expose(Exposure::dark(Duration::from_millis(200)), &wait) {
        Ok(image) => {
            assert_eq!((image.width(), image.height(), image.pixels().type_name()), (120, 40, "u16"));
            assert_eq!(image.meta.frame, Some(frame));
        }
        Err(error) => {
            assert!(matches!(camera.state().unwrap().exposure, ExposureState::Failed(_)), "{error}");
            // It does not keep the camera from the next exposure.
            camera.start_exposure(Exposure::dark(Duration::from_secs(60))).unwrap();
            camera.abort_exposure().unwrap();
        }
    }
}
