//! What is told, to whom, and in which order.

use crate::{CAMERA, FOCUSER, MOUNT, Peer, Told, observatory, serve};
use astrobackend::{
    fits,
    wire::indi::{BlobMode, State},
};
use std::io::Read;

fn names<'a>(told: &'a [Told], verb: &str, device: &str) -> Vec<&'a str> {
    told.iter().filter(|told| told.verb == verb && told.device == device).map(|told| told.name.as_str()).collect()
}

#[test]
fn a_client_is_told_what_it_asked_for_and_nothing_else() {
    let server = observatory();
    let mut silent = Peer::new(&server);
    let mut one = Peer::new(&server);
    one.send(&format!("<getProperties version='1.7' device='{FOCUSER}' name='CONNECTION'/>"));
    let told = one.until(|told| told.verb == "def");
    assert!(told.len() == 1 && told[0].is("def", FOCUSER, "CONNECTION"), "{told:?}");
    let mut all = Peer::asking(&server);
    let told = all.until(|told| told.is("def", FOCUSER, "DRIVER_INFO"));
    assert_eq!(names(&told, "def", FOCUSER), ["CONNECTION", "DRIVER_INFO"]);
    all.switch(FOCUSER, "CONNECTION", "CONNECT");
    all.until_state(FOCUSER, "CONNECTION", State::Ok);
    let told = one.until(|told| told.state == Some(State::Ok));
    assert!(told.iter().all(|told| told.name == "CONNECTION"), "{told:?}");
    assert!(silent.told_by_now().is_empty());
}

#[test]
fn properties_come_and_go_with_the_connection() {
    let server = observatory();
    let mut peer = Peer::asking(&server);
    peer.until(|told| told.is("def", FOCUSER, "DRIVER_INFO"));
    peer.switch(FOCUSER, "CONNECTION", "CONNECT");
    let told = peer.until_state(FOCUSER, "CONNECTION", State::Ok);
    let busy = told.iter().position(|told| told.state == Some(State::Busy)).unwrap();
    let defined = told.iter().position(|told| told.is("def", FOCUSER, "ABS_FOCUS_POSITION")).unwrap();
    assert!(busy < defined, "busy first, the properties, and then it is connected: {told:?}");
    peer.switch(FOCUSER, "CONNECTION", "DISCONNECT");
    let told = peer.until_state(FOCUSER, "CONNECTION", State::Idle);
    assert!(names(&told, "del", FOCUSER).contains(&"ABS_FOCUS_POSITION"), "{told:?}");
    assert_eq!(told.last().unwrap().value("DISCONNECT"), "true");
}

#[test]
fn a_picture_goes_to_those_who_want_it_before_the_end_is_told() {
    let server = observatory();
    let mut peer = Peer::with(&server, CAMERA, "CCD1");
    let mut never = Peer::asking(&server);
    let mut only = Peer::asking(&server);
    only.until(|told| told.is("def", CAMERA, "CCD1"));
    only.enable(BlobMode::Only);
    only.told_by_now();
    peer.enable(BlobMode::Also);
    peer.numbers(CAMERA, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", 20.0)]);
    let told = peer.until_state(CAMERA, "CCD_EXPOSURE", State::Ok);
    let of_it: Vec<_> = told.iter().filter(|told| told.name == "CCD_EXPOSURE" && told.verb == "set").collect();
    assert_eq!(of_it[0].state, Some(State::Busy));
    let left = |told: &&Told| told.value("CCD_EXPOSURE_VALUE").parse::<f64>().unwrap();
    assert!(of_it.iter().any(|told| (0.1..20.0).contains(&left(told))), "it counts down: {of_it:?}");
    let picture = told.iter().position(|told| told.is("set", CAMERA, "CCD1")).unwrap();
    assert!(picture < told.len() - 1, "the end comes after it");
    assert_eq!(told.iter().filter(|told| told.is("set", CAMERA, "CCD1")).count(), 1);
    let (image, header) = fits::parse(&told[picture].file).unwrap();
    assert_eq!((image.width(), image.height()), (1280, 1024));
    assert_eq!(header.real("EXPTIME"), Some(20.0));
    let told = never.until_state(CAMERA, "CCD_EXPOSURE", State::Ok);
    assert!(!told.iter().any(|told| told.is("set", CAMERA, "CCD1")), "nobody asked for it");
    let told = only.until(|told| told.is("set", CAMERA, "CCD1"));
    assert_eq!(told.iter().filter(|told| told.device == CAMERA).count(), 1, "nothing but the picture: {told:?}");
}

#[test]
fn an_exposure_that_is_broken_off_gives_no_picture() {
    let server = observatory();
    let mut peer = Peer::with(&server, CAMERA, "CCD1");
    peer.enable(BlobMode::Also);
    peer.numbers(CAMERA, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", 600.0)]);
    peer.until_state(CAMERA, "CCD_EXPOSURE", State::Busy);
    peer.switch(CAMERA, "CCD_ABORT_EXPOSURE", "ABORT");
    let told = peer.until_state(CAMERA, "CCD_EXPOSURE", State::Idle);
    assert!(told.iter().any(|told| told.is("set", CAMERA, "CCD_ABORT_EXPOSURE") && told.value("ABORT") == "false"));
    peer.numbers(CAMERA, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", 2.0)]);
    let told = peer.until_state(CAMERA, "CCD_EXPOSURE", State::Ok);
    let pictures: Vec<_> = told.iter().filter(|told| told.is("set", CAMERA, "CCD1")).collect();
    assert_eq!(pictures.len(), 1, "that of the second exposure");
    assert_eq!(fits::parse(&pictures[0].file).unwrap().1.real("EXPTIME"), Some(2.0));
}

#[test]
fn regions_are_in_sensor_pixels_whatever_the_binning() {
    let server = observatory();
    let mut peer = Peer::with(&server, CAMERA, "CCD1");
    peer.enable(BlobMode::Also);
    peer.numbers(CAMERA, "CCD_FRAME", &[("X", 101.0), ("Y", 50.0), ("WIDTH", 403.0), ("HEIGHT", 300.0)]);
    peer.until_state(CAMERA, "CCD_FRAME", State::Ok);
    peer.numbers(CAMERA, "CCD_BINNING", &[("HOR_BIN", 2.0), ("VER_BIN", 2.0)]);
    peer.until_state(CAMERA, "CCD_BINNING", State::Ok);
    peer.numbers(CAMERA, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", 1.0)]);
    let told = peer.until(|told| told.is("set", CAMERA, "CCD1"));
    let image = fits::parse(&told.last().unwrap().file).unwrap().0;
    assert_eq!((image.width(), image.height()), (201, 150));
    peer.send(&format!("<getProperties version='1.7' device='{CAMERA}' name='CCD_FRAME'/>"));
    let told = peer.until(|told| told.is("def", CAMERA, "CCD_FRAME"));
    let last = told.last().unwrap();
    assert_eq!(["X", "Y", "WIDTH", "HEIGHT"].map(|part| last.value(part)), ["101", "50", "403", "300"]);
    peer.switch(CAMERA, "CCD_FRAME_RESET", "RESET");
    let told = peer.until(|told| told.is("set", CAMERA, "CCD_FRAME"));
    assert_eq!(told.last().unwrap().value("WIDTH"), "1280");
}

#[test]
fn what_is_refused_becomes_an_alert_that_says_why() {
    let server = observatory();
    let mut peer = Peer::with(&server, CAMERA, "CCD1");
    let refused = |peer: &mut Peer, name: &str, why: &str| {
        let told = peer.until_state(CAMERA, name, State::Alert);
        let text = &told.last().unwrap().text;
        assert!(text.starts_with("[ERROR] ") && text.contains(why), "{text}");
    };
    peer.numbers(CAMERA, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", -5.0)]);
    refused(&mut peer, "CCD_EXPOSURE", "-5 is not within");
    peer.numbers(CAMERA, "CCD_BINNING", &[("HOR_BIN", 9.0), ("VER_BIN", 9.0)]);
    refused(&mut peer, "CCD_BINNING", "not within 1 to");
    peer.numbers(CAMERA, "CCD_FRAME", &[("X", 1279.0), ("Y", 0.0), ("WIDTH", 1280.0), ("HEIGHT", 1024.0)]);
    refused(&mut peer, "CCD_FRAME", "does not lie on the sensor");
    peer.numbers(CAMERA, "CCD_INFO", &[("CCD_MAX_X", 1.0)]);
    refused(&mut peer, "CCD_INFO", "can only be read");
    peer.numbers(CAMERA, "CCD_FRAME", &[("Z", 1.0)]);
    refused(&mut peer, "CCD_FRAME", "has no element Z");
    peer.switch(CAMERA, "CCD_EXPOSURE", "ON");
    refused(&mut peer, "CCD_EXPOSURE", "of another type");
    peer.send(&format!("<newSwitchVector device='{CAMERA}' name='CCD_FRAME_TYPE'><oneSwitch name='FRAME_DARK'>On</oneSwitch><oneSwitch name='FRAME_BIAS'>On</oneSwitch></newSwitchVector>"));
    refused(&mut peer, "CCD_FRAME_TYPE", "exactly one");
    peer.numbers(CAMERA, "NO_SUCH_THING", &[("A", 1.0)]);
    peer.until(|told| told.verb == "message" && told.text.contains("has no property NO_SUCH_THING"));
    // After all that it still works.
    peer.numbers(CAMERA, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", 0.1)]);
    peer.until_state(CAMERA, "CCD_EXPOSURE", State::Ok);
}

#[test]
fn a_motion_is_busy_at_once_and_told_to_all() {
    let server = observatory();
    let mut peer = Peer::with(&server, MOUNT, "EQUATORIAL_EOD_COORD");
    let mut other = Peer::asking(&server);
    other.until(|told| told.is("def", MOUNT, "TELESCOPE_SETTLE_TIME"));
    peer.numbers(MOUNT, "EQUATORIAL_EOD_COORD", &[("RA", 2.0), ("DEC", 85.0)]);
    for peer in [&mut peer, &mut other] {
        // Where it was may have been told before the order came.
        peer.until_state(MOUNT, "EQUATORIAL_EOD_COORD", State::Busy);
        let told = peer.until_state(MOUNT, "EQUATORIAL_EOD_COORD", State::Ok);
        let place = told.last().unwrap();
        let [ra, dec] = ["RA", "DEC"].map(|element| place.value(element).parse::<f64>().unwrap());
        assert!((ra - 2.0).abs() < 0.01 && (dec - 85.0).abs() < 0.01, "{place:?}");
    }
    peer.numbers(MOUNT, "EQUATORIAL_EOD_COORD", &[("RA", 3.0)]);
    let told = peer.until_state(MOUNT, "EQUATORIAL_EOD_COORD", State::Alert);
    assert!(told.last().unwrap().text.contains("needs both RA and DEC"), "half a place is none");
}

#[test]
fn what_one_client_asks_for_the_others_hear() {
    let server = observatory();
    let mut peer = Peer::with(&server, FOCUSER, "ABS_FOCUS_POSITION");
    let mut other = Peer::asking(&server);
    other.until(|told| told.is("def", FOCUSER, "ABS_FOCUS_POSITION"));
    peer.numbers(FOCUSER, "ABS_FOCUS_POSITION", &[("FOCUS_ABSOLUTE_POSITION", 20_000.0)]);
    let told = other.until(|told| told.is("new", FOCUSER, "ABS_FOCUS_POSITION"));
    assert_eq!(told.last().unwrap().value("FOCUS_ABSOLUTE_POSITION"), "20000");
    let told = peer.until_state(FOCUSER, "ABS_FOCUS_POSITION", State::Ok);
    assert!(!told.iter().any(|told| told.verb == "new"), "but not its own");
}

#[test]
fn who_may_only_look_changes_nothing() {
    let server = serve("sim://?sensor=generic", |options| options.read_only = true);
    let mut peer = Peer::asking(&server);
    let told = peer.until(|told| told.is("def", MOUNT, "CONNECTION"));
    assert!(told.iter().all(|told| told.writable != Some(true)), "{told:?}");
    peer.switch(MOUNT, "CONNECTION", "CONNECT");
    let told = peer.until_state(MOUNT, "CONNECTION", State::Alert);
    let last = told.last().unwrap();
    assert!(last.text.contains("can only be read") && last.value("CONNECT") == "false", "{last:?}");
}

#[test]
fn a_server_that_is_stopped_hangs_up() {
    let server = observatory();
    let mut peer = Peer::asking(&server);
    peer.until(|told| told.is("def", MOUNT, "DRIVER_INFO"));
    server.stop();
    peer.until_hung_up();
}

#[test]
fn a_client_that_leaves_without_reading_is_obeyed() {
    let server = observatory();
    let mut watching = Peer::asking(&server);
    watching.until(|told| told.is("def", FOCUSER, "CONNECTION"));
    let mut leaving = Peer::asking(&server);
    let _ = leaving.stream.read(&mut [0]).unwrap();
    leaving.switch(FOCUSER, "CONNECTION", "CONNECT");
    drop(leaving);
    watching.until(|told| told.is("def", FOCUSER, "ABS_FOCUS_POSITION"));
}
