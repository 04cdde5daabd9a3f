//! What the frame guard of a bridge's far end found stays, and the near end looks for itself.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use astrobackend::{
    Backend, Image, Wait,
    device::{CameraExt, Colour, Exposure},
    event::EventKind,
    guard::Verdict,
    image::{Frame, Pixels},
};
use astrobackend_server::{alpaca, indi, rpc};
use conformance::canned::Canned;
use std::{sync::Arc, time::Duration};

const SIZE: (u32, u32) = (64, 48);

/// A server of any kind, and its address.
enum Server {
    Alpaca(alpaca::Running),
    Rpc(rpc::Running),
    Indi(indi::Running),
}

impl Server {
    fn alpaca(backend: Arc<dyn Backend>) -> Self {
        let options =
            alpaca::Options { listen: ([127, 0, 0, 1], 0).into(), discovery: None, ..alpaca::Options::default() };
        Server::Alpaca(alpaca::Server::start(backend, options).unwrap())
    }

    fn rpc(backend: Arc<dyn Backend>) -> Self {
        let options = rpc::Options { listen: ([127, 0, 0, 1], 0).into(), ..rpc::Options::default() };
        Server::Rpc(rpc::Server::start(backend, options).unwrap())
    }

    fn indi(backend: Arc<dyn Backend>) -> Self {
        let options = indi::Options { listen: ([127, 0, 0, 1], 0).into(), ..indi::Options::default() };
        Server::Indi(indi::Server::start(backend, options).unwrap())
    }

    fn address(&self) -> String {
        match self {
            Server::Indi(server) => format!("indi://{}", server.address()),
            Server::Alpaca(server) => format!("alpaca://{}", server.address()),
            Server::Rpc(server) => format!("rpc://{}", server.address()),
        }
    }
}

/// Noise that is another for each seed.
fn noise(seed: u32) -> Image {
    let pixel = |n: u32| (n.wrapping_add(seed * 7919).wrapping_mul(0x9E37_79B9) >> 20) as u16 + 100;
    Image::new(SIZE.0, SIZE.1, Pixels::U16((0..SIZE.0 * SIZE.1).map(pixel).collect())).unwrap()
}

/// Exposures that were judged before: the first smells, the second is good, the third is a copy of it.
fn judged() -> Arc<dyn Backend> {
    Canned::new(SIZE, Colour::Mono, |n| {
        let mut image = noise(n.min(1) as u32);
        image.meta.exposure_number = Some(n as u64 + 7);
        image.meta.verdict = Some(if n == 0 { Verdict::Bad("it smells".into()) } else { Verdict::Ok });
        image
    })
}

/// What a client finds in three exposures, as picture and as news.
fn verdicts(address: &str) -> Vec<(Option<u64>, Verdict)> {
    let backend = astrobackend::open(address).unwrap();
    let camera = backend.camera().unwrap();
    camera.connect().unwrap();
    let events = backend.events();
    let take = |_| {
        let wait = Wait::new(Duration::from_secs(30));
        let meta = camera.expose(Exposure::light(Duration::from_millis(1)), &wait).unwrap().meta.clone();
        (meta.exposure_number, meta.verdict.unwrap())
    };
    let seen: Vec<_> = (0..3).map(take).collect();
    let is_last =
        |kind: &EventKind| matches!(kind, EventKind::Frame { number: 9, verdict, .. } if *verdict == seen[2].1);
    assert!(std::iter::from_fn(|| events.next(Duration::from_secs(30))).any(|event| is_last(&event.kind)));
    seen
}

fn expected() -> Vec<(Option<u64>, Verdict)> {
    let copy = Verdict::Bad("its pixels are those of the frame before".into());
    vec![(Some(7), Verdict::Bad("it smells".into())), (Some(8), Verdict::Ok), (Some(9), copy)]
}

#[test]
fn over_alpaca() {
    let server = Server::alpaca(judged());
    assert_eq!(verdicts(&server.address()), expected());
}

#[test]
fn over_rpc() {
    let server = Server::rpc(judged());
    assert_eq!(verdicts(&server.address()), expected());
}

#[test]
fn over_two_bridges() {
    let far = Server::rpc(judged());
    let near = Server::alpaca(astrobackend::open(&far.address()).unwrap());
    assert_eq!(verdicts(&near.address()), expected());
}

#[test]
fn a_client_that_is_told_not_to_judge_passes_on_what_was_found() {
    let server = Server::alpaca(judged());
    let camera = astrobackend::open(&format!("{}?guard=off", server.address())).unwrap().camera().unwrap();
    camera.connect().unwrap();
    let wait = Wait::new(Duration::from_secs(30));
    let take = || camera.expose(Exposure::light(Duration::from_millis(1)), &wait).unwrap().meta.verdict.clone();
    let found: Vec<_> = (0..3).map(|_| take()).collect();
    assert_eq!(found, [Some(Verdict::Bad("it smells".into())), Some(Verdict::Ok), Some(Verdict::Ok)]);
}

#[test]
fn a_frame_that_the_camera_has_lost_is_not_called_good() {
    for serve in [Server::alpaca, Server::rpc, Server::indi] {
        let sim = astrobackend::open("sim://?speed=50&sensor=generic").unwrap();
        let server = serve(sim.clone());
        let camera = astrobackend::open(&server.address()).unwrap().camera().unwrap();
        camera.connect().unwrap();
        let quarter = Frame { x: 100, y: 50, width: 640, height: 512, bin_x: 1, bin_y: 1 };
        camera.set_frame(quarter).unwrap();
        let wait = Wait::new(Duration::from_secs(30));
        let verdict = || camera.expose(Exposure::dark(Duration::from_secs(1)), &wait).unwrap().meta.verdict.clone();
        assert_eq!(verdict(), Some(Verdict::Ok), "{}", server.address());
        // As after a reset, or by another client.
        sim.camera().unwrap().set_frame(Frame::full(1280, 1024, 1)).unwrap();
        let lost = verdict().unwrap();
        assert!(lost.is_bad() && lost.why().unwrap().contains("640"), "{}: {lost}", server.address());
    }
}
