//! The devices of a world whose clock moves only when a test says so.

mod camera;
mod faults;
mod filter_wheel;
mod focuser;
mod mount;
mod news;

use super::{Sim, camera::Shot, clock::Clock, handle::Handle, options::Options, scene::Scene, world::World};
use crate::{
    Backend, Degrees, Hours, RaDec,
    device::{Camera, DeviceKind, Exposure, FilterWheel, Focuser, Mount, MountState},
};
use std::{sync::Arc, time::Duration};

/// A connected observatory.
struct Night {
    world: Arc<World>,
    backend: Arc<dyn Backend>,
}

/// With the options of an address.
fn night(options: &str) -> Night {
    let address = format!("sim://?{options}").parse().unwrap();
    let options = Options::read(&address).unwrap();
    let clock = Clock::manual(options.start.unwrap());
    let world = World::with_clock(&address, options, clock).unwrap();
    let backend: Arc<dyn Backend> = Arc::new(Sim(world.clone()));
    for info in backend.devices().unwrap() {
        backend.device(&info.id).unwrap().device().connect().unwrap();
    }
    Night { world, backend }
}

impl Night {
    /// Lets time pass.
    fn pass(&self, seconds: f64) {
        self.world.clock.advance(Duration::from_secs_f64(seconds));
    }

    fn camera(&self) -> Arc<dyn Camera> {
        self.nth_camera(0)
    }

    fn nth_camera(&self, index: usize) -> Arc<dyn Camera> {
        Handle::new(&self.world, index, World::camera, false)
    }

    fn wheel(&self) -> Arc<dyn FilterWheel> {
        self.backend.filter_wheel().unwrap()
    }

    fn focuser(&self) -> Arc<dyn Focuser> {
        self.backend.focuser().unwrap()
    }

    fn mount(&self) -> Arc<dyn Mount> {
        self.backend.mount().unwrap()
    }

    /// Points there and waits; the mount's state then.
    fn point(&self, place: RaDec) -> MountState {
        self.mount().start_slew(place.into()).unwrap();
        assert!(self.mount().state().unwrap().slewing, "busy at once");
        self.pass(60.0);
        let state = self.mount().state().unwrap();
        assert!(!state.slewing, "arrived");
        state
    }

    /// Exposes for some seconds; what the picture is made from.
    fn scene(&self, camera: usize, seconds: f64) -> Scene {
        self.nth_camera(camera).start_exposure(Exposure::light(Duration::from_secs_f64(seconds))).unwrap();
        self.pass(seconds + 10.0);
        self.world.scene(camera, &self.shot(camera)).unwrap()
    }

    /// The last exposure.
    fn shot(&self, camera: usize) -> Shot {
        let handle = Handle::new(&self.world, camera, World::camera, false);
        handle.look("image", |unit, now| unit.finished(now)).unwrap().0
    }
}

/// The Orion nebula: half an hour east of the meridian when the night begins.
fn m42() -> RaDec {
    RaDec::j2000("05:35:17.3".parse().unwrap(), "-05:23:28".parse().unwrap())
}

/// A place at an hour angle on the equator of date, now.
fn at_hour_angle(night: &Night, hour_angle: f64, dec: f64) -> RaDec {
    let state = night.mount().state().unwrap();
    let ra = (state.sidereal_time.unwrap() - Hours(hour_angle)).normalized();
    RaDec::new(ra, Degrees(dec), state.position.equinox)
}

fn arcseconds(angle: Degrees) -> f64 {
    angle.0 * 3600.0
}

#[test]
fn worlds_are_apart_and_their_devices_know_who_they_are() {
    let (first, second) = (night("seed=7"), night("seed=7"));
    first.focuser().start_move(100).unwrap();
    assert!(first.focuser().state().unwrap().moving && !second.focuser().state().unwrap().moving);
    let devices = first.backend.devices().unwrap();
    assert_eq!(devices.len(), 4);
    assert!(devices.iter().all(|info| info.unique_id.as_deref().unwrap().starts_with("sim-7-")));
    assert_eq!(devices, second.backend.devices().unwrap());
    let two = night("cameras=2").backend.devices().unwrap();
    assert_eq!(two.iter().filter(|info| info.id.kind == DeviceKind::Camera).count(), 2);
}

#[test]
fn a_path_must_name_a_device() {
    assert!(crate::open("sim:///Mount Simulator?seed=3").is_ok());
    let error = crate::open("sim:///Mont").unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::NotFound);
    assert!(error.to_string().contains("\"Mount Simulator\""), "{error}");
    let error = crate::open("sim://?clock=2300-01-01T00:00:00Z").unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::InvalidValue);
}
