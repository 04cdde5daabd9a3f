//! The RPC client against a server that behaves like the original one, and against one that misbehaves.

#![allow(clippy::unwrap_used)] // the lint knows only functions marked as tests, not their helpers

mod faults;
mod original;

use astrobackend::{
    Backend, Wait,
    device::{AnyDevice, Camera, Focuser},
};
use std::{sync::Arc, time::Duration};
use testing::FakeRpc;

/// Time for what should come at once, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// A server like the original, and our client of it.
struct Lab {
    server: FakeRpc,
    backend: Arc<dyn Backend>,
}

impl Lab {
    fn new(options: &str) -> Self {
        let server = FakeRpc::start().unwrap();
        let backend = astrobackend::open(&format!("rpc://{}?{options}", server.address())).unwrap();
        Lab { server, backend }
    }

    fn camera(&self) -> Arc<dyn Camera> {
        let camera = self.backend.camera().unwrap();
        camera.connect().unwrap();
        camera
    }

    fn focuser(&self) -> Arc<dyn Focuser> {
        let focuser = self.backend.focuser().unwrap();
        focuser.connect().unwrap();
        focuser
    }

    fn connect_all(&self) -> Vec<AnyDevice> {
        let devices = self.backend.devices().unwrap();
        let devices: Vec<_> = devices.iter().map(|info| self.backend.device(&info.id).unwrap()).collect();
        devices.iter().for_each(|device| device.device().connect().unwrap());
        devices
    }
}

fn wait() -> Wait {
    Wait::new(SOON)
}
