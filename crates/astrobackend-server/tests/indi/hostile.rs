//! Clients that are slow, mad or malicious: they harm themselves only.

use crate::{CAMERA, FOCUSER, Peer, SOON, serve};
use astrobackend::wire::indi::{BlobMode, State};
use astrobackend_server::indi::Running;
use std::{
    io::Write,
    time::{Duration, Instant},
};

/// A server with little patience.
fn impatient() -> Running {
    serve("sim://?speed=100&sensor=generic", |options| {
        options.limits.stall = Duration::from_secs(1);
        options.limits.queue = 256 << 10;
        options.limits.message = 16 << 10;
    })
}

/// Another client is served as if nothing was.
fn all_is_well(server: &Running) {
    let begun = Instant::now();
    let mut peer = Peer::with(server, FOCUSER, "ABS_FOCUS_POSITION");
    peer.numbers(FOCUSER, "ABS_FOCUS_POSITION", &[("FOCUS_ABSOLUTE_POSITION", 25_000.0)]);
    peer.until_state(FOCUSER, "ABS_FOCUS_POSITION", State::Busy);
    peer.until_state(FOCUSER, "ABS_FOCUS_POSITION", State::Ok);
    assert!(begun.elapsed() < SOON);
}

/// Writes until the server hangs up; true when it did.
fn is_hung_up_on(peer: &mut Peer, bytes: &[u8]) -> bool {
    peer.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let deadline = Instant::now() + SOON;
    while Instant::now() < deadline {
        match peer.stream.write(bytes) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return true,
        }
    }
    false
}

#[test]
fn one_that_asks_and_reads_nothing_is_given_up() {
    let server = impatient();
    let mut deaf = Peer::new(&server);
    assert!(is_hung_up_on(&mut deaf, b"<getProperties version='1.7'/>\n".repeat(100).as_slice()));
    all_is_well(&server);
}

#[test]
fn one_that_takes_no_pictures_costs_the_others_none() {
    let server = impatient();
    let mut peer = Peer::with(&server, CAMERA, "CCD1");
    peer.enable(BlobMode::Also);
    let mut deaf = Peer::asking(&server);
    deaf.enable(BlobMode::Also);
    let begun = Instant::now();
    // More than what sockets hold: the one that reads nothing is soon full.
    for exposure in 0..12 {
        peer.numbers(CAMERA, "CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", 1.0)]);
        let told = peer.until_state(CAMERA, "CCD_EXPOSURE", State::Ok);
        let pictures = told.iter().filter(|told| told.is("set", CAMERA, "CCD1")).count();
        assert_eq!(pictures, 1, "exposure {exposure} after {:?}", begun.elapsed());
    }
    assert!(is_hung_up_on(&mut deaf, b"\n"));
}

#[test]
fn nonsense_is_survived() {
    let server = impatient();
    for nonsense in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n<newSwitchVector device='Mount Simulator' name='TELESCOPE_PARK'>"[..],
        &b"\x16\x03\x01\x02\x00\x01\x00\x01"[..],
        &b"<newNumberVector device='Focuser Simulator' name='ABS_FOCUS_POSITION'><oneNumber name='"[..],
        &[b'<'; 4096][..],
        &b"<newNumberVector><oneNumber></newNumberVector><delProperty></newTextVector>"[..],
        &b"<newTextVector device='a' name='b'>"[..],
    ] {
        let mut peer = Peer::new(&server);
        let _ = peer.stream.write_all(nonsense);
        all_is_well(&server);
    }
    let mut endless = Peer::new(&server);
    let bytes = [&b"<newTextVector device='a' name='b'>"[..], &[b' '; 64 << 10]].concat();
    assert!(is_hung_up_on(&mut endless, &bytes), "messages without an end");
    let mut http = Peer::new(&server);
    http.send("POST / HTTP/1.1\r\n\r\n<getProperties version='1.7'/>");
    http.until_hung_up();
    all_is_well(&server);
}

#[test]
fn numbers_that_are_none_reach_no_device() {
    let server = impatient();
    let mut peer = Peer::with(&server, FOCUSER, "ABS_FOCUS_POSITION");
    for number in ["nan", "inf", "-inf", "1e999", "", "ten", "99999999999999999999999"] {
        peer.send(&format!("<newNumberVector device='{FOCUSER}' name='ABS_FOCUS_POSITION'><oneNumber name='FOCUS_ABSOLUTE_POSITION'>{number}</oneNumber></newNumberVector>"));
        let told = peer.until(|told| told.is("set", FOCUSER, "ABS_FOCUS_POSITION"));
        assert_eq!(told.last().unwrap().state, Some(State::Alert), "{number}");
    }
}

#[test]
fn one_that_floods_a_device_waits_for_itself() {
    let server = impatient();
    let mut busy = Peer::with(&server, FOCUSER, "ABS_FOCUS_POSITION");
    let order = format!(
        "<newNumberVector device='{FOCUSER}' name='ABS_FOCUS_POSITION'><oneNumber name='FOCUS_ABSOLUTE_POSITION'>25000</oneNumber></newNumberVector>\n"
    );
    busy.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let flood = order.repeat(2000);
    let _ = busy.stream.write(flood.as_bytes());
    all_is_well(&server);
}

#[test]
fn too_many_are_not_let_in() {
    let server = serve("sim://?sensor=generic", |options| options.limits.connections = 3);
    let mut within: Vec<Peer> = (0..3).map(|_| Peer::asking(&server)).collect();
    for peer in &mut within {
        peer.until(|told| told.is("def", FOCUSER, "CONNECTION"));
    }
    Peer::new(&server).until_hung_up();
    drop(within.pop());
    // Its place is free once the server has seen it go.
    let deadline = Instant::now() + SOON;
    loop {
        let mut peer = Peer::new(&server);
        let _ = peer.stream.write_all(b"<getProperties version='1.7'/>");
        if peer.next().is_some() {
            break;
        }
        assert!(Instant::now() < deadline, "the place is not free again");
    }
}
