//! A server that stalls, dies, or talks nonsense: every call returns in time with a typed error.

use crate::{Lab, SOON, wait};
use astrobackend::{
    ErrorKind, Events,
    device::{CameraExt, Exposure, ExposureState},
    event::{EventKind, Link},
};
use std::time::{Duration, Instant};
use testing::{FakeRpc, fake_rpc::Act};

fn opening(act: Act) -> (ErrorKind, Duration) {
    let server = FakeRpc::start().unwrap();
    server.on("greeting", act);
    let begin = Instant::now();
    let error = astrobackend::open(&format!("rpc://{}?timeout=1", server.address())).unwrap_err();
    (error.kind(), begin.elapsed())
}

#[test]
fn what_is_no_server_of_this_kind_is_found_out_in_time() {
    assert_eq!(opening(Act::Silence).0, ErrorKind::Timeout);
    assert_eq!(opening(Act::Close).0, ErrorKind::Unreachable);
    assert_eq!(opening(Act::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).0, ErrorKind::Protocol);
    let (kind, time) = opening(Act::Endless(1 << 30));
    assert!(matches!(kind, ErrorKind::Protocol | ErrorKind::Timeout), "{kind:?}");
    assert!(time < SOON, "{time:?}");
}

/// Waits for the link to be as wanted.
fn link(events: &Events, wanted: impl Fn(&Link) -> bool) {
    let deadline = Instant::now() + SOON;
    while Instant::now() < deadline {
        if let Some(event) = events.next(Duration::from_secs(1))
            && matches!(&event.kind, EventKind::Link(link) if wanted(link))
        {
            return;
        }
    }
    panic!("the link did not change");
}

#[test]
fn a_stalled_answer_costs_only_its_own_call() {
    let lab = Lab::new("timeout=0.5");
    let (camera, focuser) = (lab.camera(), lab.focuser());
    lab.server.on("get_current_temperature", Act::Silence);
    assert_eq!(camera.state().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(focuser.state().unwrap().position, Some(10_000));
    lab.server.behave("get_current_temperature");
    camera.state().unwrap();
}

#[test]
fn many_callers_share_one_connection_and_get_their_own_answers() {
    let lab = Lab::new("");
    let (camera, focuser) = (lab.camera(), lab.focuser());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(focuser.state().unwrap().position, Some(10_000));
                    assert_eq!(camera.state().unwrap().temperature.unwrap().0, 5.25);
                }
            });
        }
    });
}

#[test]
fn a_lost_connection_is_made_again_and_ends_what_was_under_way() {
    let lab = Lab::new("");
    let (camera, events) = (lab.camera(), lab.backend.events());
    camera.start_exposure(Exposure::light(Duration::from_secs(1000))).unwrap();
    lab.server.drop_clients();
    link(&events, |link| matches!(link, Link::Lost { .. }));
    assert!(camera.image().is_err());
    link(&events, |link| *link == Link::Up);
    assert_eq!(lab.backend.link(), Link::Up);
    let state = camera.state().unwrap().exposure;
    assert!(matches!(&state, ExposureState::Failed(error) if error.kind() == ErrorKind::Unreachable), "{state:?}");
}

#[test]
fn a_call_in_mid_air_ends_with_the_connection() {
    let lab = Lab::new("reconnect=off");
    let focuser = lab.focuser();
    lab.server.on("focuser_is_moving", Act::Close);
    let begin = Instant::now();
    assert_eq!(focuser.state().unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(begin.elapsed() < SOON);
    assert!(matches!(lab.backend.link(), Link::Lost { .. }));
    assert_eq!(focuser.halt().unwrap_err().kind(), ErrorKind::Unreachable);
}

#[test]
fn a_silent_server_is_given_up() {
    let lab = Lab::new("alive=0.2&timeout=1");
    let events = lab.backend.events();
    lab.server.on("focuser_is_moving", Act::Silence);
    link(&events, |link| matches!(link, Link::Lost { .. }));
    link(&events, |link| *link == Link::Up);
}

#[test]
fn garbage_and_a_line_without_end_are_survived() {
    let lab = Lab::new("timeout=1");
    let (camera, focuser, events) = (lab.camera(), lab.focuser(), lab.backend.events());
    for nonsense in [&b"\x00\xff\xfe\n"[..], b"[]\n", b"{}\n", b"{\"id\":1}\n", b"42\n", b"{\"Event\":\"Ping\"}\n"] {
        lab.server.on("focuser_is_moving", Act::Send(nonsense.to_vec()));
        assert_eq!(focuser.state().unwrap_err().kind(), ErrorKind::Timeout);
    }
    lab.server.on("focuser_is_moving", Act::Endless(1 << 30));
    let begin = Instant::now();
    assert_eq!(focuser.state().unwrap_err().kind(), ErrorKind::Protocol);
    assert!(begin.elapsed() < SOON);
    lab.server.behave("focuser_is_moving");
    link(&events, |link| *link == Link::Up);
    assert_eq!(focuser.state().unwrap().position, Some(10_000));
    camera.expose(Exposure::light(Duration::from_millis(20)), &wait()).unwrap();
}

#[test]
fn our_client_never_sends_what_kills_the_original() {
    let lab = Lab::new("");
    lab.connect_all().iter().for_each(|device| drop(device.state()));
    assert!(!lab.server.is_dead());
}
