//! The INDI backend against indipyserver, a real server that shares no code with libindi.
//!
//! It answers no pings, sends BLOBs without `len`, numbers without a decimal point, and times with fractions.

#![allow(clippy::unwrap_used)] // the lint knows only functions marked as tests, not their helpers

use astrobackend::{
    Backend, Degrees, Equinox, ErrorKind, Hours, RaDec, Wait,
    device::{CameraExt, Control, Exposure, ExposureState, FilterWheelExt, FocuserExt, MountExt, Tracking},
    event::Link,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use testing::IndipyServer;

const SOON: Duration = Duration::from_secs(10);

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

fn wait() -> Wait {
    Wait::new(Duration::from_secs(20))
}

#[test]
fn all_four_devices_work() {
    let Some((_server, backend)) = observatory("timeout=5") else { return };
    let (camera, focuser) = (backend.camera().unwrap(), backend.focuser().unwrap());
    let (wheel, mount) = (backend.filter_wheel().unwrap(), backend.mount().unwrap());
    for device in backend.devices().unwrap() {
        backend.device(&device.id).unwrap().device().connect().unwrap();
    }
    for serial in 1..=2 {
        let image = camera.expose(Exposure::light(Duration::from_millis(300)), &wait()).unwrap();
        assert_eq!((image.width(), image.height(), image.pixels().get(0)), (64, 48, Some(f64::from(serial))));
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

    let place = RaDec::new(Hours(5.5), Degrees(-5.0), Equinox::OfDate);
    mount.slew(place, &wait()).unwrap();
    assert!(mount.state().unwrap().position.separation(place).0 < 0.01);
    mount.set_tracking(Tracking::SIDEREAL).unwrap();
    assert!(mount.state().unwrap().tracking.on);
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
    let camera = backend.camera().unwrap();
    camera.connect().unwrap();
    camera.start_exposure(Exposure::light(Duration::from_secs(60))).unwrap();
    let since = Instant::now();
    drop(server);
    let failed = || Ok(camera.state().err().map(|error| error.kind()));
    assert_eq!(wait().until("the failure", failed, || Ok(())).unwrap(), ErrorKind::Unreachable);
    assert!(since.elapsed() < SOON);
}
