//! ASCOM drivers through COM, on the test drivers of `testing/windows`: `./check windows` runs this under Wine.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod apartments;
mod chooser;
mod faults;
mod night;
mod pictures;
mod scripts;
mod slow_commands;

use astrobackend::{
    Backend, Wait,
    device::{AnyDevice, Camera, Device, DeviceId, DeviceKind, FilterWheel, Focuser, Mount},
    image::Frame,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits so long for what is to happen.
fn patiently() -> Wait {
    Wait::new(PATIENCE)
}

/// The test drivers have one state in a process, whoever asks them: tests take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(prog_id: &str, options: &str) -> Arc<dyn Backend> {
    astrobackend::open(&format!("ascom:///{prog_id}{options}")).unwrap()
}

fn device(kind: DeviceKind, prog_id: &str, options: &str) -> AnyDevice {
    let device = open(prog_id, options).device(&DeviceId::new(kind, prog_id)).unwrap();
    device.device().connect().unwrap();
    device
}

macro_rules! opener {
    ($name:ident, $kind:ident, $trait:ident) => {
        /// The driver, connected.
        fn $name(prog_id: &str, options: &str) -> Arc<dyn $trait> {
            match device(DeviceKind::$kind, prog_id, options) {
                AnyDevice::$kind(device) => device,
                other => panic!("{other:?} for a {}", DeviceKind::$kind),
            }
        }
    };
}

opener!(camera, Camera, Camera);
opener!(filter_wheel, FilterWheel, FilterWheel);
opener!(focuser, Focuser, Focuser);
opener!(mount, Mount, Mount);

/// A camera with a small region, idle.
fn small_camera(prog_id: &str, options: &str) -> Arc<dyn Camera> {
    let camera = camera(prog_id, options);
    camera.abort_exposure().unwrap();
    camera.set_frame(Frame { x: 0, y: 0, width: 30, height: 20, bin_x: 1, bin_y: 1 }).unwrap();
    camera
}

/// Tells a test driver to do something wrong: `testing/windows/drivers/faults.c`.
fn tell(device: &dyn Device, what: &str, parameters: &str) -> String {
    device.action(what, parameters).unwrap()
}
