use super::{Night, night};
use crate::device::{Control, Focuser};

fn place(focuser: &dyn Focuser) -> i32 {
    focuser.state().unwrap().position.unwrap()
}

/// Steps from the best focus, outward positive.
fn defocus(night: &Night) -> f64 {
    night.world.light_path(0).defocus / night.focuser().caps().unwrap().step_size.unwrap().0
}

fn move_to(night: &Night, position: i32) {
    night.focuser().start_move(position).unwrap();
    night.pass(60.0);
    assert!(!night.focuser().state().unwrap().moving);
}

#[test]
fn it_moves_at_its_speed_and_halts_on_the_way() {
    let night = night("");
    let focuser = night.focuser();
    focuser.set_control(Control::Speed, 1000.0).unwrap();
    focuser.start_move(29_500).unwrap();
    assert!(focuser.state().unwrap().moving);
    assert_eq!(place(&*focuser), 24_500, "the target is not the position");
    night.pass(2.5);
    assert_eq!(place(&*focuser), 27_000);
    focuser.halt().unwrap();
    night.pass(10.0);
    assert_eq!((place(&*focuser), focuser.state().unwrap().moving), (27_000, false));
    focuser.start_move_by(-500).unwrap();
    night.pass(0.5);
    assert_eq!((place(&*focuser), focuser.state().unwrap().moving), (26_500, false));
}

#[test]
fn beyond_its_range_is_refused_before_anything_moves() {
    let night = night("steps=50000");
    let focuser = night.focuser();
    let error = focuser.start_move(70_000).unwrap_err();
    assert_eq!(error.to_string(), "Focuser Simulator: position 70000 is beyond 50000");
    assert!(focuser.start_move(-1).is_err() && focuser.start_move_by(i32::MAX).is_err());
    assert!(!focuser.state().unwrap().moving);
    focuser.set_control(Control::MaxPosition, 30_000.0).unwrap();
    assert_eq!(focuser.caps().unwrap().max_position, 30_000);
    assert!(focuser.start_move(30_001).is_err());
    assert!(focuser.set_control(Control::MaxPosition, 100.0).is_err(), "it stands beyond");
}

#[test]
fn it_is_sharp_at_the_best_focus_and_the_cold_moves_that() {
    let night = night("focus=24000&filters=L,Ha");
    move_to(&night, 24_000);
    assert!(defocus(&night).abs() < 4.0, "{}", defocus(&night));
    move_to(&night, 23_000);
    assert!((defocus(&night) + 1000.0).abs() < 4.0);
    move_to(&night, 24_000);
    night.wheel().start_move(1).unwrap();
    night.pass(10.0);
    assert!((defocus(&night) + 100.0).abs() < 4.0, "the filter's offset: {}", defocus(&night));
    night.pass(4.0 * 3600.0);
    assert!(defocus(&night) < -250.0, "it got colder: {}", defocus(&night));
}

#[test]
fn it_follows_the_temperature_when_told() {
    let night = night("");
    let focuser = night.focuser();
    move_to(&night, 25_000);
    focuser.set_control(Control::TemperatureCompensation, 1.0).unwrap();
    night.pass(4.0 * 3600.0);
    assert!(place(&*focuser) > 25_150);
    assert!(defocus(&night).abs() < 4.0, "{}", defocus(&night));
    focuser.set_control(Control::TemperatureCompensation, 0.0).unwrap();
    let here = place(&*focuser);
    assert!(here > 25_150, "it stays where it got");
    night.pass(3600.0);
    assert_eq!(place(&*focuser), here);
}

#[test]
fn play_is_felt_unless_it_is_taken_up() {
    let night = night("backlash=200");
    move_to(&night, 30_000);
    move_to(&night, 25_000);
    let inward = defocus(&night);
    move_to(&night, 20_000);
    move_to(&night, 25_000);
    assert!((inward - defocus(&night) - 200.0).abs() < 6.0, "{inward} {}", defocus(&night));
    night.focuser().set_control(Control::Backlash, 200.0).unwrap();
    move_to(&night, 20_000);
    move_to(&night, 25_000);
    assert!((inward - defocus(&night)).abs() < 6.0);
}

#[test]
fn counting_anew_moves_nothing() {
    let night = night("");
    let focuser = night.focuser();
    move_to(&night, 25_000);
    focuser.sync(10_000).unwrap();
    assert_eq!(place(&*focuser), 10_000);
    assert!(defocus(&night).abs() < 4.0);
    focuser.set_control(Control::Reversed, 1.0).unwrap();
    assert_eq!(place(&*focuser), 10_000);
    move_to(&night, 10_100);
    assert!((defocus(&night) + 100.0).abs() < 6.0, "outward is inward now: {}", defocus(&night));
    assert!(focuser.sync(70_000).is_err());
}

#[test]
fn disconnecting_stops_it() {
    let night = night("");
    let focuser = night.focuser();
    focuser.start_move(30_000).unwrap();
    night.pass(1.0);
    focuser.disconnect().unwrap();
    assert_eq!(focuser.state().unwrap_err().to_string(), "Focuser Simulator: is not connected");
    focuser.connect().unwrap();
    assert_eq!((place(&*focuser), focuser.state().unwrap().moving), (26_500, false));
}
