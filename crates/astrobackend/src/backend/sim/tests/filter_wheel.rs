use super::night;
use crate::{ErrorKind, backend::sim::scene::Band, device::FilterWheelExt};

#[test]
fn it_turns_the_shorter_way_and_says_nothing_meanwhile() {
    let night = night("");
    let wheel = night.wheel();
    assert_eq!(wheel.state().unwrap().position, Some(0));
    // Backwards, one place of eight.
    wheel.start_move(7).unwrap();
    assert_eq!(wheel.state().unwrap().position, None);
    night.pass(0.75);
    assert_eq!(wheel.state().unwrap().position, None);
    night.pass(0.1);
    assert_eq!(wheel.state().unwrap().position, Some(7));
    // Sent elsewhere on the way: it goes on from where it is.
    wheel.start_move(3).unwrap();
    night.pass(0.4);
    wheel.start_move(7).unwrap();
    night.pass(0.45);
    assert_eq!(wheel.state().unwrap().position, Some(7));
}

#[test]
fn the_same_place_is_no_move_and_a_wrong_one_is_refused() {
    let night = night("filters=L,Ha,dark");
    let wheel = night.wheel();
    wheel.start_move(0).unwrap();
    assert_eq!(wheel.state().unwrap().position, Some(0));
    let error = wheel.start_move(3).unwrap_err();
    assert_eq!(error.to_string(), "Filter Wheel Simulator: place 3 is not within 0 to 2");
    assert_eq!(wheel.state().unwrap().position, Some(0));
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(wheel.set_names(&names(&["A", "B"])).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(wheel.set_names(&names(&["A", " ", "C"])).unwrap_err().kind(), ErrorKind::InvalidValue);
    wheel.set_names(&names(&["A", "B", "C"])).unwrap();
    assert_eq!(wheel.find("b").unwrap(), 1);
}

#[test]
fn the_picture_sees_the_filter_or_the_turning_wheel() {
    let night = night("filters=L,Ha,Dark");
    night.point(super::at_hour_angle(&night, 1.0, 20.0));
    assert_eq!(night.scene(0, 1.0).band, Band::Luminance);
    night.wheel().start_move(1).unwrap();
    assert_eq!(night.scene(0, 1.0).band, Band::Opaque);
    let scene = night.scene(0, 1.0);
    assert_eq!((scene.band, scene.serial), (Band::HAlpha, 3));
}
