//! Old drivers answer a command only when it is done, and nothing else meanwhile.

use crate::{camera, filter_wheel, focuser, mount, patiently, tell, turn};
use astrobackend::{
    ErrorKind,
    device::{Exposure, ExposureState},
};
use std::time::{Duration, Instant};

/// Starting something may take a second, since most drivers have refused or accepted it by then.
const STARTED: Duration = Duration::from_millis(2000);

#[test]
fn a_focuser_counts_as_moving_until_its_driver_answers() {
    let _turn = turn();
    let (focuser, other) = (focuser("Test.Focuser", ""), camera("Test.Camera", ""));
    let here = focuser.state().unwrap().position.unwrap();
    let target = if here > 1000 { here - 1000 } else { here + 1000 };
    tell(&*focuser, "hang", "Move");
    let asked = Instant::now();
    focuser.start_move(target).unwrap();
    assert!(asked.elapsed() < STARTED, "{:?}", asked.elapsed());

    let asked = Instant::now();
    let state = focuser.state().unwrap();
    assert!(state.moving && state.position == Some(here), "its place is that of before: {state:?}");
    let error = focuser.halt().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    assert!(error.to_string().contains("Test.Focuser") && error.to_string().contains("move"), "{error}");
    assert!(asked.elapsed() < Duration::from_millis(500), "{:?}", asked.elapsed());

    tell(&*other, "release", "");
    let look = || {
        let state = focuser.state()?;
        Ok((!state.moving).then_some(state.position))
    };
    assert_eq!(patiently().until("the move", look, || Ok(())).unwrap(), Some(target));
}

#[test]
fn a_command_that_fails_late_says_so_once() {
    let _turn = turn();
    let (focuser, other) = (focuser("Test.Focuser", ""), camera("Test.Camera", ""));
    let here = focuser.state().unwrap().position;
    tell(&*focuser, "hang", "Move 80040401");
    focuser.start_move(0).unwrap();
    tell(&*other, "release", "");
    let look = || match focuser.state() {
        Ok(state) if state.moving => Ok(None),
        other => Ok(Some(other)),
    };
    let error = patiently().until("the move", look, || Ok(())).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
    assert!(error.to_string().contains("Move: was told to"), "{error}");
    let state = focuser.state().unwrap();
    assert!(!state.moving && state.position == here, "{state:?}");
}

#[test]
fn the_other_kinds_do_so_too() {
    let _turn = turn();
    let other = camera("Test.Camera", "");
    let (wheel, mount, camera) =
        (filter_wheel("Test.FilterWheel", ""), mount("Test.Telescope", ""), camera("TestSecond.Camera", ""));
    let cooler = camera.state().unwrap().cooler;
    // It may have been parked; its state is not asked for, so that there is none to remember.
    mount.start_unpark().unwrap();
    // One hangs after the other: all wait for the same word.
    for (device, member) in [(&*wheel as &dyn astrobackend::device::Device, "Position"), (&*mount, "FindHome")] {
        tell(device, "hang", member);
    }
    tell(&*camera, "hang", "StartExposure");
    let place = (wheel.filters().unwrap().len()) - 1;
    wheel.start_move(place).unwrap();
    mount.start_home().unwrap();
    camera.start_exposure(Exposure::light(Duration::from_millis(1))).unwrap();

    assert_eq!(wheel.state().unwrap().position, None);
    let state = mount.state().unwrap();
    assert!(state.slewing && state.utc.is_none(), "{state:?}");
    assert_eq!(mount.abort().unwrap_err().kind(), ErrorKind::Busy);
    let state = camera.state().unwrap();
    assert!(matches!(state.exposure, ExposureState::Exposing { .. }) && state.temperature.is_none(), "{state:?}");
    assert_eq!(state.cooler.map(|cooler| cooler.on), cooler.map(|cooler| cooler.on));

    tell(&*other, "release", "");
    let there = || Ok((wheel.state()?.position == Some(place)).then_some(()));
    patiently().until("the wheel", there, || Ok(())).unwrap();
    let home = || Ok((!mount.state()?.slewing).then_some(()));
    patiently().until("the mount", home, || Ok(())).unwrap();
    assert!(mount.state().unwrap().at_home);
    let ready = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
    patiently().until("the camera", ready, || Ok(())).unwrap();
    assert!(camera.image().is_ok());
}
