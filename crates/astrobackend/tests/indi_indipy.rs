//! The INDI backend against indipyserver, a real server that shares no code with libindi.
//!
//! It answers no pings, sends BLOBs without `len` and with the `size` of the first one, numbers without a decimal
//! point, and times with fractions; it works on several commands at a time, so that a question sent after a command may
//! be answered before it.

#![allow(clippy::unwrap_used)] // the lint knows only functions marked as tests, not their helpers

use astrobackend::{
    Backend, Degrees, Equinox, ErrorKind, Hours, RaDec, Wait,
    device::{
        AnyDevice, Camera, CameraExt, Control, DeviceId, DeviceKind, Exposure, ExposureState, FilterWheelExt,
        FocuserExt, MountExt, Tracking,
    },
    event::Link,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use testing::IndipyServer;

const SOON: Duration = Duration::from_secs(10);

/// A place that never sets for this mount, which refuses what is below the horizon.
const ALWAYS_UP: RaDec = RaDec { ra: Hours(5.5), dec: Degrees(75.0), equinox: Equinox::OfDate };

/// A server and our client of it; `None` when the peer is missing and need not be there.
fn observatory(options: &str) -> Option<(IndipyServer, Arc<dyn Backend>)> {
    match IndipyServer::start(0.3) {
        Ok(server) => {
            let backend = astrobackend::open(&format!("indi://{}?{options}", server.address())).unwrap();
            Some((server, backend))
        }
        Err(why) => {
            assert!(!why.report());
            None
        }
    }
}

/// The one of the two cameras that has everything.
fn camera(backend: &Arc<dyn Backend>) -> Arc<dyn Camera> {
    let AnyDevice::Camera(camera) = backend.device(&DeviceId::new(DeviceKind::Camera, "Camera")).unwrap() else {
        panic!("asked for a camera")
    };
    camera
}

fn wait() -> Wait {
    Wait::new(Duration::from_secs(20))
}

#[test]
fn all_four_devices_work() {
    let Some((_server, backend)) = observatory("timeout=5") else { return };
    let (camera, focuser) = (camera(&backend), backend.focuser().unwrap());
    let (wheel, mount) = (backend.filter_wheel().unwrap(), backend.mount().unwrap());
    for device in backend.devices().unwrap() {
        backend.device(&device.id).unwrap().device().connect().unwrap();
    }
    for serial in 1..=2 {
        let image = camera.expose(Exposure::light(Duration::from_millis(300)), &wait()).unwrap();
        assert_eq!((image.width(), image.height(), image.pixels().get(0)), (400, 300, Some(f64::from(serial))));
    }
    camera.start_exposure(Exposure::light(Duration::from_secs(60))).unwrap();
    camera.abort_exposure().unwrap();
    assert_eq!(camera.state().unwrap().exposure, ExposureState::Idle);
    camera.set_control(Control::Gain, 250.0).unwrap();
    assert_eq!(camera.control(Control::Gain).unwrap(), 250.0);

    focuser.move_to(31_000, &wait()).unwrap();
    assert_eq!(focuser.state().unwrap().position, Some(31_000));
    focuser.start_move(32_000).unwrap();
    focuser.halt().unwrap();
    assert!(!focuser.state().unwrap().moving);
    wheel.select("G", &wait()).unwrap();
    assert_eq!(wheel.state().unwrap().position, Some(2));

    mount.slew(ALWAYS_UP, &wait()).unwrap();
    assert!(mount.state().unwrap().position.separation(ALWAYS_UP).0 < 0.01);
    mount.set_tracking(Tracking::SIDEREAL).unwrap();
    assert!(mount.state().unwrap().tracking.on);
}

#[test]
fn a_driver_that_defines_its_properties_one_by_one_is_connected_when_all_are_there() {
    let Some((_server, backend)) = observatory("timeout=10") else { return };
    let camera = camera(&backend);
    camera.connect().unwrap();
    let caps = camera.caps().unwrap();
    assert_eq!((caps.sensor.width, caps.sensor.height), (400, 300), "what is defined last");
    assert!(caps.cooler.is_some() && caps.pulse_guide);
}

#[test]
fn the_mount_parks_where_it_was_told_to() {
    let Some((_server, backend)) = observatory("timeout=5") else { return };
    let mount = backend.mount().unwrap();
    mount.connect().unwrap();
    mount.slew(ALWAYS_UP, &wait()).unwrap();
    mount.set_tracking(Tracking::OFF).unwrap();
    let chosen = mount.state().unwrap().horizon.unwrap();
    mount.set_park().unwrap();
    mount.home(&wait()).unwrap();
    assert!(mount.state().unwrap().horizon.unwrap().separation(chosen).0 > 1.0);
    mount.park(&wait()).unwrap();
    assert!(mount.state().unwrap().horizon.unwrap().separation(chosen).0 < 0.1);
}

#[test]
fn a_server_that_knows_no_pings_is_not_given_up() {
    let Some((_server, backend)) = observatory("timeout=2&alive=0.5") else { return };
    let wheel = backend.filter_wheel().unwrap();
    wheel.connect().unwrap();
    let end = Instant::now() + Duration::from_secs(4);
    let watched = wait().until(
        "watching",
        || {
            assert_eq!(backend.link(), Link::Up);
            wheel.state()?;
            Ok((Instant::now() >= end).then_some(()))
        },
        || Ok(()),
    );
    watched.unwrap();
}

#[test]
fn a_server_that_ends_mid_exposure_is_noticed() {
    let Some((server, backend)) = observatory("timeout=2&reconnect=off") else { return };
    let camera = camera(&backend);
    camera.connect().unwrap();
    camera.start_exposure(Exposure::light(Duration::from_secs(60))).unwrap();
    let since = Instant::now();
    drop(server);
    let failed = || Ok(camera.state().err().map(|error| error.kind()));
    assert_eq!(wait().until("the failure", failed, || Ok(())).unwrap(), ErrorKind::Unreachable);
    assert!(since.elapsed() < SOON);
}
