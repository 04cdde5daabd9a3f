use super::{Night, arcseconds, at_hour_angle, m42, night};
use crate::{
    AltAz, Degrees, DegreesPerSecond, Equinox, ErrorKind, Hours,
    device::{Axis, GuideDirection, GuideRates, MountState, PierSide, Target, Tracking, TrackingRate},
};
use std::time::Duration;

fn state(night: &Night) -> MountState {
    night.mount().state().unwrap()
}

/// Arcseconds towards east and north that the mount says it has moved over the sky while some time passed.
fn drift(night: &Night, seconds: f64) -> (f64, f64) {
    let before = state(night).position;
    night.pass(seconds);
    let after = state(night).position;
    let east = (after.ra - before.ra).signed().degrees() * before.dec.radians().cos();
    (arcseconds(east), arcseconds(after.dec - before.dec))
}

fn near(is: f64, should: f64, tolerance: f64) {
    assert!((is - should).abs() <= tolerance, "{is} should be {should}");
}

#[test]
fn it_begins_at_home_tracking() {
    let night = night("");
    let state = state(&night);
    assert!(state.tracking.on && !state.parked && !state.slewing && state.target.is_none());
    near(state.position.dec.0, 90.0, 1e-9);
    near(state.horizon.unwrap().alt.0, 37.2236, 1e-6);
}

#[test]
fn a_slew_takes_its_time_and_ends_on_the_star() {
    let night = night("");
    night.mount().start_slew(m42().into()).unwrap();
    night.pass(3.0);
    assert!(state(&night).slewing && state(&night).position.dec.0 < 89.0);
    night.pass(57.0);
    let there = state(&night);
    let wanted = m42().to(Equinox::OfDate, there.utc.unwrap()).unwrap();
    assert!(arcseconds(there.position.separation(wanted)) < 0.05);
    assert!(arcseconds(there.target.unwrap().separation(wanted)) < 0.05);
    assert!(there.horizon.unwrap().alt.0 > 45.0);
    let scene = night.scene(0, 60.0);
    assert!(arcseconds(scene.centre.separation(m42())) < 0.05, "{}", scene.centre);
    assert!(scene.trail.0.abs() < 0.01 && scene.trail.1.abs() < 0.01, "{:?}", scene.trail);
    assert!((1.2..1.5).contains(&scene.airmass) && scene.seeing > 2.5);
}

#[test]
fn without_tracking_the_sky_drifts_away() {
    let night = night("");
    night.point(m42());
    night.mount().set_tracking(Tracking::OFF).unwrap();
    let (east, north) = drift(&night, 10.0);
    near(east, 150.4 * m42().dec.radians().cos(), 0.2);
    near(north, 0.0, 0.01);
    let scene = night.scene(0, 10.0);
    near(scene.trail.0, 150.4 * m42().dec.radians().cos(), 0.2);
    assert!(arcseconds(scene.centre.separation(m42())) > 200.0);
    assert_eq!(night.mount().start_slew(m42().into()).unwrap_err().kind(), ErrorKind::InvalidOperation);
}

#[test]
fn other_speeds_drift_as_they_should() {
    let night = night("");
    night.point(at_hour_angle(&night, 1.0, 0.0));
    let track = |tracking| night.mount().set_tracking(tracking).unwrap();
    track(Tracking { rate: TrackingRate::Lunar, ..Tracking::SIDEREAL });
    near(drift(&night, 100.0).0, 100.0 * (15.041 - 14.685), 0.2);
    track(Tracking { ra_offset: 0.1, dec_offset: -0.5, ..Tracking::SIDEREAL });
    let (east, north) = drift(&night, 100.0);
    near(east, 100.0 * 0.1 * 15.0 * 1.002_738, 0.01);
    near(north, -50.0, 0.01);
    assert!(night.mount().set_tracking(Tracking { ra_offset: f64::NAN, ..Tracking::SIDEREAL }).is_err());
}

#[test]
fn east_of_the_meridian_it_looks_over_the_pole() {
    let night = night("rotation=10");
    let east = night.point(at_hour_angle(&night, -2.0, 20.0));
    assert_eq!((east.pier_side, night.scene(0, 1.0).rotation), (PierSide::West, Degrees(10.0)));
    let west = night.point(at_hour_angle(&night, 2.0, 20.0));
    assert_eq!((west.pier_side, night.scene(0, 1.0).rotation), (PierSide::East, Degrees(190.0)));
    let side = |hour_angle| night.mount().destination_side(at_hour_angle(&night, hour_angle, 0.0)).unwrap();
    assert_eq!((side(-5.0), side(5.0)), (PierSide::West, PierSide::East));
}

#[test]
fn a_flip_comes_back_to_the_same_place() {
    let night = night("");
    let before = night.point(at_hour_angle(&night, -0.1, 20.0));
    night.pass(1800.0);
    assert_eq!(state(&night).pier_side, PierSide::West, "it does not flip by itself");
    night.mount().start_flip(PierSide::East).unwrap();
    assert!(state(&night).slewing);
    night.pass(60.0);
    let after = state(&night);
    assert_eq!((after.pier_side, after.slewing), (PierSide::East, false));
    assert!(arcseconds(after.position.separation(before.position)) < 0.01);
    night.mount().start_flip(PierSide::East).unwrap();
    assert!(!state(&night).slewing, "it is there");
    night.point(at_hour_angle(&night, 5.0, 20.0));
    assert_eq!(night.mount().start_flip(PierSide::West).unwrap_err().kind(), ErrorKind::InvalidOperation);
}

#[test]
fn guide_pulses_move_it_the_right_way_on_both_sides() {
    let night = night("");
    let rates = GuideRates { ra: DegreesPerSecond(10.0 / 3600.0), dec: DegreesPerSecond(5.0 / 3600.0) };
    night.mount().set_guide_rates(rates).unwrap();
    for hour_angle in [-1.0, 1.0] {
        night.point(at_hour_angle(&night, hour_angle, 0.0));
        for (direction, east, north) in [
            (GuideDirection::East, 20.0, 0.0),
            (GuideDirection::West, -20.0, 0.0),
            (GuideDirection::North, 0.0, 10.0),
            (GuideDirection::South, 0.0, -10.0),
        ] {
            night.mount().pulse_guide(direction, Duration::from_secs(2)).unwrap();
            assert!(state(&night).pulse_guiding && !state(&night).slewing);
            let (moved_east, moved_north) = drift(&night, 5.0);
            near(moved_east, east, 0.01);
            near(moved_north, north, 0.01);
            assert!(!state(&night).pulse_guiding);
        }
    }
    assert!(night.mount().set_guide_rates(GuideRates { ra: DegreesPerSecond(-1.0), ..rates }).is_err());
}

#[test]
fn an_axis_driven_by_hand_gives_tracking_back() {
    let night = night("");
    night.point(at_hour_angle(&night, 1.0, 0.0));
    night.mount().move_axis(Axis::Secondary, DegreesPerSecond(0.5)).unwrap();
    assert!(state(&night).slewing);
    near(drift(&night, 4.0).1, 7200.0, 0.1);
    night.mount().move_axis(Axis::Secondary, DegreesPerSecond(0.0)).unwrap();
    assert!(!state(&night).slewing && state(&night).tracking.on);
    near(drift(&night, 100.0).0, 0.0, 0.01);
    let error = night.mount().move_axis(Axis::Primary, DegreesPerSecond(9.0)).unwrap_err();
    assert_eq!(error.to_string(), "Mount Simulator: axis speed 9 is not within -8 to 8");
    let error = night.mount().move_axis(Axis::Tertiary, DegreesPerSecond(0.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn parked_it_refuses_everything_that_moves() {
    let night = night("");
    let mount = night.mount();
    mount.start_park().unwrap();
    assert!(state(&night).slewing && !state(&night).parked);
    night.pass(60.0);
    mount.start_park().unwrap();
    assert!(state(&night).parked && !state(&night).slewing && !state(&night).tracking.on);
    let refused = [
        mount.start_slew(m42().into()),
        mount.sync(m42().into()),
        mount.start_home(),
        mount.set_tracking(Tracking::SIDEREAL),
        mount.move_axis(Axis::Primary, DegreesPerSecond(1.0)),
        mount.pulse_guide(GuideDirection::East, Duration::from_secs(1)),
        mount.start_flip(PierSide::East),
    ];
    for outcome in refused {
        assert_eq!(outcome.unwrap_err().to_string(), "Mount Simulator: is parked");
    }
    mount.abort().unwrap();
    assert!(state(&night).parked, "stopped, it stays parked");
    mount.start_unpark().unwrap();
    mount.start_unpark().unwrap();
    assert!(!state(&night).parked && !state(&night).tracking.on);
}

#[test]
fn the_parking_place_can_be_chosen_and_home_is_found() {
    let night = night("");
    night.point(at_hour_angle(&night, 1.0, 0.0));
    night.mount().set_park().unwrap();
    let place = state(&night).horizon.unwrap();
    night.mount().start_home().unwrap();
    assert!(state(&night).slewing && !state(&night).at_home);
    night.pass(60.0);
    assert!(state(&night).at_home);
    night.mount().start_park().unwrap();
    night.pass(60.0);
    assert!(state(&night).parked && !state(&night).at_home);
    assert!(arcseconds(state(&night).horizon.unwrap().separation(place)) < 1.0);
}

#[test]
fn it_does_not_go_below_the_horizon() {
    let night = night("horizon=15");
    let error = night.mount().start_slew(at_hour_angle(&night, 0.0, -40.0).into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    let text = error.to_string();
    assert!(text.contains("12.8°") && text.contains("below the horizon limit of 15.0°"), "{text}");
    assert!(!state(&night).slewing);
    // Tracking into it ends there.
    night.point(at_hour_angle(&night, 4.0, 0.0));
    night.pass(6.0 * 3600.0);
    let stopped = state(&night);
    assert!(!stopped.tracking.on);
    near(stopped.horizon.unwrap().alt.0, 15.0, 1e-6);
    // And so does a hand, which may come back.
    night.mount().move_axis(Axis::Primary, DegreesPerSecond(-1.0)).unwrap();
    night.pass(5.0);
    near(state(&night).horizon.unwrap().alt.0, 15.0, 1e-6);
    night.mount().move_axis(Axis::Primary, DegreesPerSecond(1.0)).unwrap();
    night.pass(5.0);
    assert!(state(&night).horizon.unwrap().alt.0 > 17.0);
}

#[test]
fn abort_leaves_it_where_it_is_tracking() {
    let night = night("");
    night.mount().start_slew(m42().into()).unwrap();
    night.pass(5.0);
    night.mount().abort().unwrap();
    assert!(!state(&night).slewing && state(&night).tracking.on);
    let (_, north) = drift(&night, 100.0);
    near(north, 0.0, 0.01);
    assert!(state(&night).position.dec.0 > 10.0, "it is on the way");
}

#[test]
fn a_direction_is_reached_with_and_without_tracking() {
    let night = night("settle=0");
    let east = AltAz { alt: Degrees(40.0), az: Degrees(100.0) };
    night.mount().set_tracking(Tracking::OFF).unwrap();
    night.mount().start_slew(Target::AltAz(east)).unwrap();
    night.pass(60.0);
    assert!(arcseconds(state(&night).horizon.unwrap().separation(east)) < 0.1);
    night.mount().set_tracking(Tracking::SIDEREAL).unwrap();
    let west = AltAz { alt: Degrees(50.0), az: Degrees(230.0) };
    night.mount().start_slew(Target::AltAz(west)).unwrap();
    while state(&night).slewing {
        night.pass(0.01);
    }
    assert!(arcseconds(state(&night).horizon.unwrap().separation(west)) < 1.0);
}

#[test]
fn sync_corrects_the_belief_and_not_the_tube() {
    let night = night("");
    night.point(m42());
    let beside = crate::RaDec { dec: m42().dec + Degrees(0.5), ..m42() };
    night.mount().sync(beside.into()).unwrap();
    let wanted = beside.to(Equinox::OfDate, state(&night).utc.unwrap()).unwrap();
    assert!(arcseconds(state(&night).position.separation(wanted)) < 0.05);
    assert!(arcseconds(night.scene(0, 1.0).centre.separation(m42())) < 0.05);
    night.point(beside);
    assert!(arcseconds(night.scene(0, 1.0).centre.separation(m42())) < 0.05, "it still thinks so");
}

#[test]
fn site_and_clock_are_the_mounts_own() {
    let night = night("");
    let before = state(&night);
    night.mount().set_time(before.utc.unwrap() + jiff::SignedDuration::from_hours(1)).unwrap();
    near((state(&night).sidereal_time.unwrap() - before.sidereal_time.unwrap()).signed().0, 1.002_74, 1e-4);
    let mut site = night.mount().site().unwrap().unwrap();
    site.longitude = Degrees(-17.5463);
    night.mount().set_site(site).unwrap();
    assert_eq!(night.mount().site().unwrap(), Some(site));
    near((state(&night).sidereal_time.unwrap() - before.sidereal_time.unwrap()).signed().0, 0.002_74, 1e-4);
    site.latitude = Degrees(91.0);
    assert_eq!(night.mount().set_site(site).unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn a_mount_of_another_kind_and_equinox() {
    let night = night("mount=fork&equinox=j2000");
    let there = night.point(m42());
    assert_eq!((there.position.equinox, there.pier_side), (Equinox::J2000, PierSide::Unknown));
    assert!(arcseconds(there.position.separation(m42())) < 0.05);
    assert_eq!(night.scene(0, 1.0).rotation, Degrees(0.0));
    assert_eq!(night.mount().start_flip(PierSide::East).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!((there.sidereal_time.unwrap() - Hours(0.0)).0 > 0.0);
}

#[test]
fn a_disconnected_mount_answers_nothing() {
    let night = night("");
    let mount = night.mount();
    mount.start_slew(m42().into()).unwrap();
    mount.disconnect().unwrap();
    assert_eq!(mount.state().unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(mount.start_slew(m42().into()).unwrap_err().kind(), ErrorKind::NotConnected);
    mount.connect().unwrap();
    assert!(!mount.state().unwrap().slewing, "it was stopped");
}
