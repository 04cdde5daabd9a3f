//! Drivers that answer commands badly, or not at all.

use super::*;
use astrobackend::{
    Celsius, Degrees, Equinox, Hours, RaDec,
    device::{FilterWheelExt, FocuserExt, MountExt},
};
use testing::fake_indi::xml;

#[test]
fn a_refusal_that_is_only_a_message_is_the_reason() {
    let lab = Lab::new();
    let focuser = lab.focuser();
    lab.server.on("ABS_FOCUS_POSITION", says(xml::message("Focuser", "[ERROR] the motor is blocked")));
    let error = within(SOON, || focuser.move_to(31_000, &wait(60))).unwrap_err();
    assert!(error.message().contains("the motor is blocked"), "{error:?}");
    assert_eq!(error.device(), Some("Focuser"));
}

#[test]
fn an_alert_is_a_failure_with_its_reason() {
    let lab = Lab::new();
    let wheel = lab.filter_wheel();
    let alert = xml::numbers("Wheel", "FILTER_SLOT", "Alert", &[("FILTER_SLOT_VALUE", 1.0)]);
    lab.server.on("FILTER_SLOT", says(alert + &xml::message("Wheel", "[ERROR] the carousel is stuck")));
    let error = within(SOON, || wheel.select("Ha", &wait(60))).unwrap_err();
    assert!(error.message().contains("stuck"), "{error:?}");
}

#[test]
fn a_command_dropped_without_a_word_is_noticed() {
    let lab = Lab::new();
    let wheel = lab.filter_wheel();
    lab.server.on("FILTER_SLOT", nothing);
    let error = within(SOON, || wheel.select("Ha", &wait(60))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Device(_) | ErrorKind::Timeout), "{error:?}");
}

#[test]
fn a_slot_that_no_wheel_has_is_no_goal_reached() {
    let lab = Lab::new();
    let wheel = lab.filter_wheel();
    for slot in [0.0, -3.0, 1e300] {
        let told = xml::numbers("Wheel", "FILTER_SLOT", "Ok", &[("FILTER_SLOT_VALUE", slot)]);
        lab.server.on("FILTER_SLOT", says(told));
        assert_eq!(failure(within(SOON, || wheel.select("Ha", &wait(1)))), ErrorKind::Timeout, "{slot}");
    }
}

#[test]
fn busy_for_ever_ends_at_the_deadline_and_is_stopped() {
    let lab = Lab::new();
    let focuser = lab.focuser();
    let busy = xml::numbers("Focuser", "ABS_FOCUS_POSITION", "Busy", &[("FOCUS_ABSOLUTE_POSITION", 30_000.0)]);
    lab.server.on("ABS_FOCUS_POSITION", says(busy));
    assert_eq!(failure(within(SOON, || focuser.move_to(31_000, &wait(1)))), ErrorKind::Timeout);
    assert_eq!(lab.heard(|command| command.name == "FOCUS_ABORT_MOTION").switched_on(), Some("ABORT"));
}

#[test]
fn a_temperature_that_stays_busy_is_taken_by_value() {
    let lab = Lab::new();
    let camera = lab.camera();
    lab.server.on("CCD_TEMPERATURE", |command| {
        assert_eq!(command.number("CCD_TEMPERATURE_VALUE"), Some(-10.0));
        vec![xml::numbers("Camera", "CCD_TEMPERATURE", "Busy", &[("CCD_TEMPERATURE_VALUE", 14.5)]).into()]
    });
    within(SOON, || camera.set_cooler(Some(Celsius(-10.0)))).unwrap();
    assert_eq!(camera.state().unwrap().cooler.unwrap().set_point, Some(Celsius(-10.0)));
}

#[test]
fn coordinates_that_would_be_dropped_are_refused_before_they_are_sent() {
    let lab = Lab::new();
    let mount = lab.mount();
    let nowhere = RaDec::new(Hours(25.0), Degrees(0.0), Equinox::J2000);
    assert_eq!(failure(mount.start_slew(nowhere.into())), ErrorKind::InvalidValue);
    assert!(lab.server.received().iter().all(|command| command.name != "EQUATORIAL_EOD_COORD"));
}

#[test]
fn a_mount_that_dies_mid_slew_fails_the_slew() {
    let lab = Lab::new();
    let mount = lab.mount();
    let busy = xml::numbers("Mount", "EQUATORIAL_EOD_COORD", "Busy", &[("RA", 3.0), ("DEC", 45.0)]);
    lab.server.on("EQUATORIAL_EOD_COORD", says(busy));
    mount.start_slew(RaDec::new(Hours(5.0), Degrees(10.0), Equinox::J2000).into()).unwrap();
    assert!(mount.state().unwrap().slewing);
    lab.server.kill_driver("Mount");
    eventually("the state is an error", || mount.state().is_err());
    let error = within(SOON, || mount.slew(RaDec::j2000(Hours(5.0), Degrees(10.0)), &wait(60))).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::Timeout, "{error:?}");
}

#[test]
fn another_client_moving_the_device_is_seen() {
    let lab = Lab::new();
    let focuser = lab.focuser();
    lab.server.send(xml::numbers("Focuser", "ABS_FOCUS_POSITION", "Busy", &[("FOCUS_ABSOLUTE_POSITION", 29_000.0)]));
    eventually("it moves", || focuser.state().unwrap().moving);
    lab.server.send(xml::numbers("Focuser", "ABS_FOCUS_POSITION", "Ok", &[("FOCUS_ABSOLUTE_POSITION", 28_000.0)]));
    eventually("it stands", || {
        let state = focuser.state().unwrap();
        !state.moving && state.position == Some(28_000)
    });
}
