//! The other policies: what stays lost, and what is left as it is found.

use crate::{
    SOON,
    line::Mode,
    peers::{Indi, Original, OurAlpaca, OurRpc, Peer, devices},
};
use astrobackend::{ErrorKind, Supervision, Wait, event::Link};
use std::time::Duration;

/// Looks until it is so.
fn until(what: &str, look: impl Fn() -> bool) {
    let wait = Wait::new(SOON).every(Duration::from_millis(5));
    wait.until(what, || Ok(look().then_some(())), || Ok(())).unwrap();
}

fn stays_lost(peer: impl Peer) {
    let address = format!("{}&reconnect=off", peer.address());
    let backend = astrobackend::open(&address).unwrap();
    assert_eq!(backend.supervision(), Supervision::Off);
    let focuser = backend.focuser().unwrap();
    focuser.connect().unwrap();
    peer.line().set(Mode::Refuses);
    until("the loss", || {
        let _ = focuser.state();
        matches!(backend.link(), Link::Lost { .. })
    });
    peer.line().set(Mode::Passes);
    // Another backend shows that the server is there; this one stays lost.
    let other = astrobackend::open(&address).unwrap();
    let there = other.focuser().unwrap();
    there.connect().unwrap();
    assert!(there.state().is_ok());
    for error in [focuser.state().unwrap_err(), focuser.start_move(1).unwrap_err(), backend.devices().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    }
    assert!(matches!(backend.link(), Link::Lost { .. }));
}

fn is_left_as_it_is_found(mut peer: impl Peer) {
    let backend = astrobackend::open(&format!("{}&reconnect=reopen", peer.address())).unwrap();
    assert_eq!(backend.supervision(), Supervision::Reopen);
    let camera = backend.camera().unwrap();
    camera.connect().unwrap();
    camera.set_cooler(Some(astrobackend::Celsius(-10.0))).unwrap();
    peer.line().set(Mode::Refuses);
    until("the loss", || {
        let _ = camera.state();
        matches!(backend.link(), Link::Lost { .. })
    });
    peer.renew(false);
    peer.line().set(Mode::Passes);
    until("the link", || backend.link() == Link::Up);
    match camera.state() {
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotConnected, "{error}"),
        // The original's devices are connected in its window.
        Ok(state) => assert!(!state.cooler.unwrap().on, "{state:?}"),
    }
    camera.connect().unwrap();
    let truth = peer.truth();
    until("the truth", || !devices(&*truth).is_empty() && truth.camera().unwrap().state().is_ok());
    assert!(!truth.camera().unwrap().state().unwrap().cooler.unwrap().on, "nobody has switched it on");
}

#[test]
fn without_supervision_alpaca_stays_lost() {
    stays_lost(OurAlpaca::new());
}

#[test]
fn without_supervision_rpc_stays_lost() {
    stays_lost(OurRpc::new());
    stays_lost(Original::new());
}

#[test]
fn without_supervision_indi_stays_lost() {
    stays_lost(Indi::new());
}

#[test]
fn a_link_that_is_only_reopened_leaves_devices_alone() {
    is_left_as_it_is_found(OurAlpaca::new());
    is_left_as_it_is_found(OurRpc::new());
    is_left_as_it_is_found(Original::new());
    is_left_as_it_is_found(Indi::new());
}

/// A device that outlives its backend is looked after as long as somebody holds it.
fn comes_back_without_its_backend(mut peer: impl Peer) {
    let focuser = astrobackend::open(&peer.address()).unwrap().focuser().unwrap();
    focuser.connect().unwrap();
    peer.line().set(Mode::Refuses);
    until("the loss", || focuser.state().is_err());
    peer.renew(false);
    peer.line().set(Mode::Passes);
    until("the return", || focuser.state().is_ok());
}

#[test]
fn a_device_comes_back_without_its_backend() {
    comes_back_without_its_backend(OurAlpaca::new());
    comes_back_without_its_backend(OurRpc::new());
    comes_back_without_its_backend(Original::new());
    comes_back_without_its_backend(Indi::new());
}
