//! Lost and found: connections, servers and drivers that go away and come back.

use super::*;
use astrobackend::{
    Celsius,
    device::{Control, ExposureState, FocuserExt},
    image::Frame,
};
use testing::fake_indi::{observatory, xml};

/// Commands that move something or open a shutter.
fn moves(command: &Command) -> bool {
    let moving = ["CCD_EXPOSURE", "ABS_FOCUS_POSITION", "REL_FOCUS_POSITION", "FILTER_SLOT", "EQUATORIAL_EOD_COORD"];
    command.tag.starts_with("new") && (moving.contains(&command.name.as_str()) || command.name == "TELESCOPE_PARK")
}

#[test]
fn a_lost_server_is_noticed_reported_and_used_again() {
    let lab = Lab::new();
    let events = lab.backend.events();
    let focuser = lab.focuser();
    assert_eq!(lab.backend.link(), Link::Up);
    lab.server.go_down();
    let Link::Lost { why, .. } = link(&events, |link| matches!(link, Link::Lost { .. })) else { unreachable!() };
    assert_eq!(why.kind(), ErrorKind::Unreachable, "{why}");
    assert!(matches!(lab.backend.link(), Link::Lost { .. }));
    assert_eq!(failure(focuser.state()), ErrorKind::Unreachable);
    assert_eq!(failure(within(SOON, || focuser.start_move(1))), ErrorKind::Unreachable);
    lab.server.forget();
    lab.server.come_back().unwrap();
    link(&events, |link| *link == Link::Restoring);
    link(&events, |link| *link == Link::Up);
    assert_eq!(lab.backend.link(), Link::Up);
    assert_eq!(focuser.state().unwrap().position, Some(30_000));
    focuser.move_to(31_000, &wait(20)).unwrap();
}

#[test]
fn what_was_declared_is_restored_and_nothing_moves() {
    let lab = Lab::new();
    let events = lab.backend.events();
    let camera = lab.camera();
    let focuser = lab.focuser();
    focuser.move_to(20_000, &wait(20)).unwrap();
    let frame = Frame { bin_x: 2, bin_y: 2, x: 0, y: 0, width: 16, height: 12 };
    camera.set_frame(frame).unwrap();
    camera.set_control(Control::Gain, 250.0).unwrap();
    camera.set_cooler(Some(Celsius(-15.0))).unwrap();
    lab.server.go_down();
    lab.server.forget();
    lab.server.come_back().unwrap();
    link(&events, |link| *link == Link::Restoring);
    link(&events, |link| *link == Link::Up);
    for device in ["Camera", "Focuser"] {
        assert_eq!(lab.heard(|command| command.sets(device, "CONNECTION")).switched_on(), Some("CONNECT"));
    }
    assert_eq!(lab.heard(|command| command.name == "CCD_TEMPERATURE").number("CCD_TEMPERATURE_VALUE"), Some(-15.0));
    assert_eq!(camera.frame().unwrap(), frame);
    assert_eq!(camera.control(Control::Gain).unwrap(), 250.0);
    assert!(camera.state().unwrap().cooler.unwrap().on);
    let received = lab.server.received();
    assert!(!received.iter().any(moves), "{:#?}", lab.said());
    assert!(received.iter().all(|command| !command.sets("Mount", "CONNECTION")), "the mount was not ours");
    assert!(!received.iter().any(asks_for_pictures), "nobody has taken one yet");
}

fn asks_for_pictures(command: &Command) -> bool {
    command.tag == "enableBLOB"
}

#[test]
fn pictures_are_asked_for_again_at_once_and_once() {
    let lab = Lab::new();
    let events = lab.backend.events();
    let camera = lab.camera();
    assert_eq!(picture(&*camera), 1.0);
    lab.server.go_down();
    lab.server.forget();
    lab.server.come_back().unwrap();
    link(&events, |link| *link == Link::Restoring);
    link(&events, |link| *link == Link::Up);
    let asked = lab.heard(asks_for_pictures);
    assert_eq!((asked.device.as_str(), asked.name.as_str()), ("Camera", "CCD1"));
    assert_eq!(picture(&*camera), 2.0);
    lab.server.kill_driver("Camera");
    eventually("the camera is gone", || camera.state().is_err());
    lab.server.restart_driver(observatory::camera("Camera"));
    event(&events, |event| event.kind == EventKind::Connected(true));
    assert_eq!(picture(&*camera), 3.0);
    let asked = lab.server.received().into_iter().filter(asks_for_pictures).count();
    assert_eq!(asked, 2, "once of each driver: {:#?}", lab.said());
}

#[test]
fn settings_that_the_driver_lost_are_sent_again() {
    let lab = Lab::new();
    let events = lab.backend.events();
    let camera = lab.camera();
    camera.set_control(Control::Gain, 250.0).unwrap();
    camera.set_cooler(Some(Celsius(-15.0))).unwrap();
    lab.server.kill_driver("Camera");
    eventually("the camera is gone", || camera.state().is_err());
    lab.server.forget();
    lab.server.restart_driver(observatory::camera("Camera"));
    event(&events, |event| event.kind == EventKind::Connected(true));
    assert_eq!(lab.heard(|command| command.name == "CCD_GAIN").number("GAIN"), Some(250.0));
    assert_eq!(lab.heard(|command| command.name == "CCD_COOLER").switched_on(), Some("COOLER_ON"));
    eventually("the gain is back", || camera.control(Control::Gain).is_ok_and(|gain| gain == 250.0));
    assert_eq!(picture(&*camera), 1.0);
    assert_eq!(lab.server.connections(), 1, "a driver's death costs no connection");
}

#[test]
fn a_device_that_cannot_be_connected_again_is_tried_again() {
    let lab = Lab::with(FakeIndi::builder().observatory(), "timeout=2&alive=1");
    let events = lab.backend.events();
    let focuser = lab.focuser();
    lab.server.on("CONNECTION", |command| {
        let off = [("CONNECT", "Off"), ("DISCONNECT", "On")];
        let alert = xml::set(testing::fake_indi::Kind::Switch, &command.device, "CONNECTION", "Alert", &off);
        vec![xml::message(&command.device, "[ERROR] no such serial port").into(), alert.into()]
    });
    lab.server.kill_driver("Focuser");
    lab.server.restart_driver(observatory::focuser("Focuser"));
    let told = "could not be connected again";
    event(&events, |event| matches!(&event.kind, EventKind::Message(_, text) if text.contains(told)));
    assert_eq!(failure(focuser.state()), ErrorKind::NotConnected);
    lab.server.off("CONNECTION");
    eventually("the focuser is back", || focuser.state().is_ok());
}

#[test]
fn what_was_disconnected_stays_so() {
    let lab = Lab::new();
    let events = lab.backend.events();
    let (focuser, wheel) = (lab.focuser(), lab.filter_wheel());
    lab.server.forget();
    focuser.disconnect().unwrap();
    // The server notes a command after it has answered it.
    let noted = lab.server.wait_for(|command| command.sets("Focuser", "CONNECTION"), Duration::from_secs(10));
    assert!(noted.is_some());
    lab.server.go_down();
    lab.server.forget();
    lab.server.come_back().unwrap();
    link(&events, |link| *link == Link::Restoring);
    link(&events, |link| *link == Link::Up);
    assert!(wheel.is_connected().unwrap());
    assert!(!focuser.is_connected().unwrap());
    assert!(lab.server.received().iter().all(|command| !command.sets("Focuser", "CONNECTION")));
}

#[test]
fn without_reconnect_it_stays_lost() {
    let lab = Lab::with(FakeIndi::builder().observatory(), "timeout=2&reconnect=off");
    let events = lab.backend.events();
    lab.server.drop_clients();
    link(&events, |link| matches!(link, Link::Lost { .. }));
    assert!(!lab.server.wait_for_connections(2, Duration::from_secs(3)));
    assert_eq!(failure(lab.backend.devices()), ErrorKind::Unreachable);
}

#[test]
fn a_lost_connection_fails_who_waits_at_once() {
    let lab = Lab::new();
    let camera = lab.camera();
    lab.server
        .on("CCD_EXPOSURE", says(xml::numbers("Camera", "CCD_EXPOSURE", "Busy", &[("CCD_EXPOSURE_VALUE", 600.0)])));
    camera.start_exposure(Exposure::light(Duration::from_secs(600))).unwrap();
    assert!(camera.state().unwrap().exposure.is_busy());
    lab.server.drop_clients();
    eventually("the exposure has failed", || match camera.state() {
        Err(error) => error.kind() == ErrorKind::Unreachable,
        Ok(state) => matches!(&state.exposure, ExposureState::Failed(error) if error.kind() == ErrorKind::Unreachable),
    });
    // Nobody knows what became of it, also when the connection is back.
    eventually("the camera is back", || camera.is_connected().unwrap_or(false));
    let state = camera.state().unwrap().exposure;
    assert!(matches!(&state, ExposureState::Failed(error) if error.kind() == ErrorKind::Unreachable), "{state:?}");
    lab.server.off("CCD_EXPOSURE");
    assert_eq!(picture(&*camera), 1.0);
}

#[test]
fn a_driver_that_dies_mid_exposure_fails_the_wait_at_once() {
    let lab = Lab::new();
    let camera = lab.camera();
    lab.server
        .on("CCD_EXPOSURE", says(xml::numbers("Camera", "CCD_EXPOSURE", "Busy", &[("CCD_EXPOSURE_VALUE", 600.0)])));
    let error = std::thread::scope(|scope| {
        let exposing = scope.spawn(|| camera.expose(Exposure::light(Duration::from_secs(600)), &wait(600)));
        lab.heard(|command| command.name == "CCD_EXPOSURE");
        lab.server.kill_driver("Camera");
        within(SOON, || exposing.join().unwrap()).unwrap_err()
    });
    assert!(error.message().contains("driver"), "{error}");
    assert_ne!(error.kind(), ErrorKind::Timeout);
    lab.server.off("CCD_EXPOSURE");
    lab.server.restart_driver(observatory::camera("Camera"));
    eventually("the camera is back", || camera.is_connected().unwrap_or(false));
    assert_eq!(picture(&*camera), 1.0);
}

#[test]
fn a_driver_that_stops_answering_is_not_believed() {
    let lab = Lab::with(FakeIndi::builder().observatory(), "timeout=1&alive=2");
    let (focuser, wheel) = (lab.focuser(), lab.filter_wheel());
    lab.server.on("getProperties", |command| {
        let wheel = observatory::filter_wheel("Wheel").connected();
        match command.device.as_str() {
            "Focuser" => Vec::new(),
            _ => vec![wheel.definitions(None).into()],
        }
    });
    eventually("the focuser's state is unknown", || focuser.state().is_err());
    assert!(wheel.state().is_ok(), "the other driver is fine");
    assert_eq!(lab.server.connections(), 1);
    lab.server.off("getProperties");
    eventually("the focuser is believed again", || focuser.state().is_ok());
}

#[test]
fn reconnecting_backs_off() {
    let lab = Lab::new();
    lab.server.on("getProperties", |_| vec![Act::Close]);
    let before = lab.server.connections();
    lab.server.drop_clients();
    assert!(lab.server.wait_for_connections(before + 2, SOON), "tried again");
    assert!(!lab.server.wait_for_connections(before + 8, Duration::from_secs(4)), "less and less often");
    lab.server.off("getProperties");
    eventually("the link is back", || lab.backend.link() == Link::Up);
}

#[test]
fn a_dropped_backend_leaves_no_connection() {
    let lab = Lab::new();
    let events = lab.backend.events();
    lab.focuser();
    lab.server.forget();
    drop(lab.backend);
    eventually("the stream of events ends", || events.try_next().is_none() && events.is_closed());
    assert!(!lab.server.wait_for_connections(2, Duration::from_secs(2)), "nobody reconnects");
}
