//! Servers that never stop or promise too much: bounded memory, a typed error, and work goes on afterwards.

use super::*;
use std::sync::{Mutex, PoisonError};
use testing::{
    Census,
    fake_indi::{hostile, xml},
};

/// More than any of these tests may need, all of them at once.
const BOUND: usize = 600 << 20;

/// How long the flood goes on.
const LASTS: Duration = Duration::from_secs(1);

/// Lets the server do this to a client that was fine; the client must be fine again when it is over.
fn survives(act: Act) {
    // One at a time: they are made to take all the processor there is.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = Lab::new();
    let focuser = lab.focuser();
    let before = Census::take().memory;
    lab.server.act([act]);
    let end = Instant::now() + LASTS;
    let watch = wait(60).until(
        "watching",
        || {
            assert!(Census::take().memory.saturating_sub(before) < BOUND, "{} MiB", Census::take().memory >> 20);
            let _ = within(SOON, || focuser.state());
            Ok((Instant::now() >= end).then_some(()))
        },
        || Ok(()),
    );
    watch.unwrap();
    let connections = lab.server.connections();
    lab.server.drop_clients();
    assert!(lab.server.wait_for_connections(connections + 1, SOON));
    eventually("the focuser is back", || focuser.state().is_ok_and(|state| state.position.is_some()));
    focuser.start_move(31_000).unwrap();
    lab.heard(|command| command.number("FOCUS_ABSOLUTE_POSITION") == Some(31_000.0));
}

#[test]
fn garbage_for_ever() {
    survives(hostile::endless_garbage());
}

#[test]
fn elements_for_ever() {
    survives(hostile::endless_elements());
}

#[test]
fn nesting_for_ever() {
    survives(hostile::endless_nesting());
}

#[test]
fn an_attribute_for_ever() {
    survives(hostile::endless_attribute());
}

#[test]
fn a_text_for_ever() {
    survives(hostile::endless_text());
}

#[test]
fn a_blob_that_nobody_asked_for_for_ever() {
    survives(hostile::endless_blob());
}

#[test]
fn messages_for_ever() {
    survives(hostile::endless_messages());
}

#[test]
fn a_million_devices_cost_the_connection_with_a_typed_error() {
    let lab = Lab::new();
    let events = lab.backend.events();
    let before = Census::take().memory;
    lab.server.act([hostile::endless_devices()]);
    // For as long as more of them are told of: how long that takes is the machine's affair.
    let mut told = 0;
    let why = loop {
        let event = events.next(SOON).expect("the flood stops and the link is not lost");
        if let EventKind::Link(Link::Lost { why, .. }) = event.kind {
            break why;
        }
        told += 1;
        assert!(
            told % 1000 > 0 || Census::take().memory.saturating_sub(before) < BOUND,
            "{} MiB",
            Census::take().memory >> 20
        );
    };
    assert_eq!(why.kind(), ErrorKind::Protocol, "{why}");
    assert!(Census::take().memory.saturating_sub(before) < BOUND, "{} MiB", Census::take().memory >> 20);
    link(&events, |link| *link == Link::Up);
    assert_eq!(lab.backend.devices().unwrap().len(), 4, "nothing of the flood is left");
}

#[test]
fn a_picture_of_four_gigabytes_is_refused() {
    let lab = Lab::new();
    let camera = lab.camera();
    let before = Census::take().memory;
    let busy = xml::numbers("Camera", "CCD_EXPOSURE", "Busy", &[("CCD_EXPOSURE_VALUE", 0.0)]);
    lab.server.on("CCD_EXPOSURE", move |_| {
        vec![
            busy.as_str().into(),
            hostile::four_gigabytes("Camera", "CCD1").into(),
            Act::Wait(Duration::from_millis(200)),
            Act::Close,
        ]
    });
    let error = within(SOON, || camera.expose(snap(), &wait(60))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Unreachable), "{error:?}");
    assert!(Census::take().memory.saturating_sub(before) < BOUND, "{} MiB", Census::take().memory >> 20);
    lab.server.off("CCD_EXPOSURE");
    eventually("the camera is back", || camera.is_connected().unwrap_or(false));
    assert_eq!(picture(&*camera), 1.0);
}
