//! INDI drivers that the usual simulators do not show: relative focusers, mounts in J2000, homes, mosaics.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use astrobackend::{
    Degrees, DegreesPerSecond, Equinox, ErrorKind, Hours, RaDec, Timestamp, Wait,
    device::{
        Axis, BayerPattern, Camera, CameraExt, Colour, Control, Exposure, Focuser, FocuserExt, Mount, MountExt,
        Tracking, TrackingRate,
    },
    image::Frame,
};
use std::{sync::Arc, time::Duration};
use testing::fake_indi::{Act, Command, Device, FakeIndi, Property, observatory, xml};

const LIMIT: Duration = Duration::from_secs(5);

/// What the stars do, in degrees per second.
const SIDEREAL: f64 = 15.041_067 / 3600.0;

fn wait() -> Wait {
    Wait::new(LIMIT)
}

fn serve(device: Device) -> FakeIndi {
    FakeIndi::builder().device(device).start().unwrap()
}

fn mount(server: &FakeIndi) -> Arc<dyn Mount> {
    let mount = astrobackend::open(&server.url("timeout=5&alive=60")).unwrap().mount().unwrap();
    mount.connect().unwrap();
    mount
}

fn focuser(server: &FakeIndi) -> Arc<dyn Focuser> {
    let focuser = astrobackend::open(&server.url("timeout=5&alive=60")).unwrap().focuser().unwrap();
    focuser.connect().unwrap();
    focuser
}

fn camera(server: &FakeIndi) -> Arc<dyn Camera> {
    let camera = astrobackend::open(&server.url("timeout=5&alive=60")).unwrap().camera().unwrap();
    camera.connect().unwrap();
    camera
}

/// Insists that a client has set this.
#[track_caller]
fn was_set(server: &FakeIndi, property: &str, fits: impl Fn(&Command) -> bool) {
    let found =
        server.wait_for(|command| command.tag.starts_with("new") && command.name == property && fits(command), LIMIT);
    assert!(found.is_some(), "{property} was not set so: {:?}", server.received());
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: astrobackend::Result<T>, kind: ErrorKind) {
    assert_eq!(result.unwrap_err().kind(), kind);
}

fn by_hand() -> Device {
    observatory::mount("Mount")
        .with(Property::at_most_one("TELESCOPE_MOTION_NS", ["MOTION_NORTH", "MOTION_SOUTH"]))
        .with(Property::at_most_one("TELESCOPE_MOTION_WE", ["MOTION_WEST", "MOTION_EAST"]))
        .with(Property::one_of("TELESCOPE_SLEW_RATE", ["1x", "16x", "600x"]))
}

#[test]
fn an_axis_is_driven_at_a_speed_that_its_name_tells() {
    let server = serve(by_hand());
    let mount = mount(&server);
    let rates = mount.caps().unwrap().axis_rates.clone();
    let multiples: Vec<f64> = rates[1].iter().map(|rate| (rate.end().0 / SIDEREAL).round()).collect();
    assert_eq!((multiples, &rates[0], rates[2].is_empty()), (vec![1.0, 16.0, 600.0], &rates[1], true));

    mount.move_axis(Axis::Primary, DegreesPerSecond(-rates[0][1].end().0)).unwrap();
    was_set(&server, "TELESCOPE_SLEW_RATE", |command| command.switched_on() == Some("16x"));
    was_set(&server, "TELESCOPE_MOTION_WE", |command| command.switched_on() == Some("MOTION_WEST"));
    assert!(mount.state().unwrap().slewing);
    mount.move_axis(Axis::Secondary, *rates[1][2].end()).unwrap();
    was_set(&server, "TELESCOPE_MOTION_NS", |command| command.switched_on() == Some("MOTION_NORTH"));

    // This one stops tracking while an axis is driven.
    server.send(xml::set(
        testing::fake_indi::Kind::Switch,
        "Mount",
        "TELESCOPE_TRACK_STATE",
        "Idle",
        &[("TRACK_ON", "Off"), ("TRACK_OFF", "On")],
    ));
    wait().until("the stop", || Ok((!mount.state()?.tracking.on).then_some(())), || Ok(())).unwrap();
    mount.move_axis(Axis::Primary, DegreesPerSecond(0.0)).unwrap();
    was_set(&server, "TELESCOPE_MOTION_WE", |command| command.switched_on().is_none());
    assert!(!mount.state().unwrap().tracking.on, "the other axis is still driven");
    mount.move_axis(Axis::Secondary, DegreesPerSecond(0.0)).unwrap();
    let state = mount.state().unwrap();
    assert!(state.tracking.on && !state.slewing, "{state:?}");
    mount.move_axis(Axis::Secondary, DegreesPerSecond(0.0)).unwrap();

    refused(mount.move_axis(Axis::Primary, DegreesPerSecond(5.0 * SIDEREAL)), ErrorKind::InvalidValue);
    refused(mount.move_axis(Axis::Tertiary, DegreesPerSecond(SIDEREAL)), ErrorKind::Unsupported);
    refused(mount.move_axis(Axis::Tertiary, DegreesPerSecond(0.0)), ErrorKind::Unsupported);
    mount.park(&wait()).unwrap();
    refused(mount.move_axis(Axis::Primary, *rates[0][0].end()), ErrorKind::Parked);
}

#[test]
fn offsets_to_the_tracking_rate_are_speeds_of_the_axes() {
    let modes = ["TRACK_SIDEREAL", "TRACK_SOLAR", "TRACK_LUNAR", "TRACK_CUSTOM"];
    let speeds = [("TRACK_RATE_RA", 15.041_067, -100.0..=100.0), ("TRACK_RATE_DE", 0.0, -100.0..=100.0)];
    let server = serve(
        observatory::mount("Mount")
            .with(Property::one_of("TELESCOPE_TRACK_MODE", modes))
            .with(Property::number("TELESCOPE_TRACK_RATE", speeds)),
    );
    let mount = mount(&server);
    let caps = mount.caps().unwrap();
    assert_eq!(caps.rate_offsets, (true, true));
    assert_eq!(caps.tracking_rates, [TrackingRate::Sidereal, TrackingRate::Lunar, TrackingRate::Solar]);
    let wanted = Tracking { ra_offset: 0.1, dec_offset: -0.25, ..Tracking::SIDEREAL };
    mount.set_tracking(wanted).unwrap();
    // East is slower than the stars: a tenth of the sidereal speed less.
    let nine_tenths = |command: &Command| (command.number("TRACK_RATE_RA").unwrap() - 13.536_96).abs() < 1e-4;
    was_set(&server, "TELESCOPE_TRACK_RATE", |command| {
        nine_tenths(command) && command.number("TRACK_RATE_DE") == Some(-0.25)
    });
    was_set(&server, "TELESCOPE_TRACK_MODE", |command| command.switched_on() == Some("TRACK_CUSTOM"));
    assert_eq!(mount.state().unwrap().tracking, wanted);
    mount.set_tracking(Tracking::SIDEREAL).unwrap();
    assert_eq!(mount.state().unwrap().tracking, Tracking::SIDEREAL);
    refused(mount.set_tracking(Tracking { rate: TrackingRate::Lunar, ..wanted }), ErrorKind::Unsupported);
    refused(mount.set_tracking(Tracking { dec_offset: 200.0, ..wanted }), ErrorKind::InvalidValue);
    refused(mount.set_tracking(Tracking { ra_offset: f64::NAN, ..wanted }), ErrorKind::InvalidValue);
}

#[test]
fn homing_ends_at_home_until_it_moves() {
    let server =
        serve(observatory::mount("Mount").with(Property::at_most_one("TELESCOPE_HOME", ["FIND", "SET", "GO"])));
    let home = |state| xml::set(testing::fake_indi::Kind::Switch, "Mount", "TELESCOPE_HOME", state, &[("GO", "Off")]);
    server.on("TELESCOPE_HOME", move |_| {
        vec![Act::from(home("Busy")), Act::Wait(Duration::from_millis(50)), Act::from(home("Ok"))]
    });
    let mount = mount(&server);
    mount.set_tracking(Tracking::OFF).unwrap();
    assert!(mount.caps().unwrap().home && !mount.state().unwrap().at_home);
    mount.home(&wait()).unwrap();
    was_set(&server, "TELESCOPE_HOME", |command| command.switched_on() == Some("GO"));
    assert!(mount.state().unwrap().at_home);
    server.send(xml::numbers("Mount", "EQUATORIAL_EOD_COORD", "Busy", &[("RA", 4.0)]));
    server.send(xml::numbers("Mount", "EQUATORIAL_EOD_COORD", "Idle", &[("RA", 5.0)]));
    wait().until("another client's slew", || Ok((!mount.state()?.at_home).then_some(())), || Ok(())).unwrap();
}

#[test]
fn a_mount_in_j2000_without_modes_goes_where_it_is_told() {
    let place = [("RA", 3.0, 0.0..=24.0), ("DEC", 45.0, -90.0..=90.0)];
    let server = serve(
        observatory::mount("Mount")
            .without("EQUATORIAL_EOD_COORD")
            .without("ON_COORD_SET")
            .with(Property::number("EQUATORIAL_COORD", place)),
    );
    let mount = mount(&server);
    let caps = mount.caps().unwrap();
    assert!(caps.equinox == Equinox::J2000 && caps.slew && !caps.sync);
    let target = RaDec::new(Hours(5.5), Degrees(20.0), Equinox::OfDate);
    mount.slew(target, &wait()).unwrap();
    let wanted = target.to(Equinox::J2000, Timestamp::now()).unwrap();
    let near = |command: &Command| (command.number("RA").unwrap() - wanted.ra.0).abs() < 1e-5;
    was_set(&server, "EQUATORIAL_COORD", near);
    assert!(mount.state().unwrap().position.separation(wanted).0 < 0.001);
}

#[test]
fn optics_are_told_in_metres_and_the_clock_may_be_unknown() {
    let optics = [("TELESCOPE_APERTURE", 120.0, 10.0..=5000.0), ("TELESCOPE_FOCAL_LENGTH", 900.0, 10.0..=10_000.0)];
    let server =
        serve(observatory::mount("Mount").with(Property::number("TELESCOPE_INFO", optics)).without("TIME_UTC"));
    let mount = mount(&server);
    let optics = mount.caps().unwrap().optics;
    let metres = (optics.aperture.unwrap().0, optics.focal_length.unwrap().0);
    assert!((metres.0 - 0.12).abs() < 1e-9 && (metres.1 - 0.9).abs() < 1e-9, "{metres:?}");
    let state = mount.state().unwrap();
    assert!(state.utc.is_none() && state.sidereal_time.is_some() && state.horizon.is_some(), "{state:?}");
}

#[test]
fn a_relative_focuser_moves_by_steps() {
    let relative = observatory::focuser("Focuser").without("ABS_FOCUS_POSITION").without("FOCUS_MAX");
    let server = serve(relative);
    let focuser = focuser(&server);
    let caps = focuser.caps().unwrap();
    assert!(!caps.absolute && caps.max_move == 50_000);
    assert_eq!(focuser.state().unwrap().position, None);
    refused(focuser.start_move(100), ErrorKind::Unsupported);
    refused(focuser.start_move_by(50_001), ErrorKind::InvalidValue);
    let steps = |wanted: f64| move |command: &Command| command.number("FOCUS_RELATIVE_POSITION") == Some(wanted);
    focuser.move_by(300, &wait()).unwrap();
    was_set(&server, "FOCUS_MOTION", |command| command.switched_on() == Some("FOCUS_OUTWARD"));
    was_set(&server, "REL_FOCUS_POSITION", steps(300.0));
    focuser.move_by(-200, &wait()).unwrap();
    was_set(&server, "FOCUS_MOTION", |command| command.switched_on() == Some("FOCUS_INWARD"));
    was_set(&server, "REL_FOCUS_POSITION", steps(200.0));
}

#[test]
fn a_focuser_is_synchronised_reversed_and_limited() {
    let server = serve(
        observatory::focuser("Focuser")
            .with(Property::number("FOCUS_SYNC", [("FOCUS_SYNC_VALUE", 0.0, 0.0..=60_000.0)]))
            .with(Property::one_of("FOCUS_REVERSE_MOTION", ["INDI_DISABLED", "INDI_ENABLED"])),
    );
    let focuser = focuser(&server);
    assert!(focuser.caps().unwrap().sync);
    focuser.sync(1234).unwrap();
    was_set(&server, "FOCUS_SYNC", |command| command.number("FOCUS_SYNC_VALUE") == Some(1234.0));
    refused(focuser.sync(60_001), ErrorKind::InvalidValue);
    assert_eq!(focuser.control(Control::Reversed).unwrap(), 0.0);
    focuser.set_control(Control::Reversed, 1.0).unwrap();
    assert_eq!(focuser.control(Control::Reversed).unwrap(), 1.0);
    was_set(&server, "FOCUS_REVERSE_MOTION", |command| command.switched_on() == Some("INDI_ENABLED"));
    focuser.set_control(Control::MaxPosition, 40_000.0).unwrap();
    assert_eq!(focuser.caps().unwrap().max_position, 40_000);
    refused(focuser.start_move(40_001), ErrorKind::InvalidValue);
}

#[test]
fn a_mosaic_follows_the_region_and_modes_are_chosen() {
    let cfa = [("CFA_OFFSET_X", "1"), ("CFA_OFFSET_Y", "0"), ("CFA_TYPE", "RGGB")];
    let server = serve(
        observatory::camera("Camera")
            .with(Property::text("CCD_CFA", cfa))
            .with(Property::one_of("READOUT_MODE", ["FAST", "SLOW"])),
    );
    let camera = camera(&server);
    assert_eq!(camera.caps().unwrap().sensor.colour, Colour::Bayer(BayerPattern::Grbg));
    camera.set_control(Control::ReadoutMode, 1.0).unwrap();
    was_set(&server, "READOUT_MODE", |command| command.switched_on() == Some("SLOW"));
    let exposure = Exposure::light(Duration::from_millis(10));
    let full = Frame::full(observatory::WIDTH as u32, observatory::HEIGHT as u32, 1);
    assert_eq!(camera.expose(exposure, &wait()).unwrap().meta.bayer, Some(BayerPattern::Grbg));
    for (x, y, pattern) in [(1, 0, BayerPattern::Rggb), (2, 1, BayerPattern::Bggr), (1, 1, BayerPattern::Gbrg)] {
        camera.set_frame(Frame { x, y, width: 8, height: 8, ..full }).unwrap();
        let seen = camera.expose(exposure, &wait()).unwrap().meta.bayer;
        assert_eq!(seen, Some(pattern), "at {x}, {y}");
    }
    camera.set_frame(Frame { width: 8, height: 8, bin_x: 2, bin_y: 2, ..full }).unwrap();
    assert_eq!(camera.expose(exposure, &wait()).unwrap().meta.bayer, None, "binned away");
}
