//! The native module of the Python package `astrobackend`: the library's classes, thinly.
//!
//! What a user sees is imported by `python/astrobackend/__init__.py` and typed by `_native.pyi` beside it. A file for
//! each device kind; `device` has what they share, `call` how a call waits without the GIL and hears Ctrl-C, `pool`
//! the threads for that, `process` what a fork leaves behind, `record` the classes for states and capabilities,
//! `choice`, `moment`, `place` and `error` the conversions, `logging` the way into Python's log.

mod call;
mod camera;
mod choice;
mod device;
mod error;
mod event;
mod filter_wheel;
mod focuser;
mod image;
mod logging;
mod moment;
mod mount;
mod observatory;
mod place;
mod pool;
mod process;
mod properties;
mod raw;
mod record;
mod whole;

use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs the command `astrobackend` with its arguments, the program's name first; its exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| astrobackend_cli::run(arguments))
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        camera::{Camera, CameraCaps, CameraState, Progress},
        device::{ControlInfo, Device, DeviceInfo, PyCancel},
        event::{Event, Events, Link},
        filter_wheel::{Filter, FilterWheel, FilterWheelState},
        focuser::{Focuser, FocuserCaps, FocuserState},
        image::Image,
        main,
        mount::{Mount, MountCaps, MountState, Tracking},
        observatory::{Observatory, backend_choices, check_rig, default_backend, discover, open, open_rig},
        place::{AltAz, Frame, RaDec, Site},
        properties::{Properties, Property, PropertyDevice, PropertyElement},
    };
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        super::call::watch_exit(module.py())?;
        super::process::watch_forks(module.py())
    }
}
