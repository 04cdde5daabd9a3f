//! Focusers.

use crate::{
    device::{Core, Device, Limits, PyCancel, awaitable, other_kind},
    record::record,
    whole::whole,
};
use astrobackend::{
    Result,
    device::{self, AnyDevice, FocuserExt as _},
};
use pyo3::{
    PyClassInitializer,
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::sync::Arc;

record! {
    /// What a focuser can do.
    FocuserCaps(device::FocuserCaps), pickled as |this, py| {
        /// Largest position; positions start at 0.
        max_position: this.max_position,
        /// Most steps of one move.
        max_move: this.max_move,
        /// False when it knows no position and only moves by steps.
        absolute: this.absolute,
        /// Length of one step in micrometres.
        step_size: this.step_size.map(|size| size.0),
        /// A move can be stopped.
        halt: this.halt,
        /// The position can be declared to be another.
        sync: this.sync,
        /// It has a thermometer.
        temperature: this.temperature,
    }
}

record! {
    /// Everything about a focuser that changes by itself, in one look.
    FocuserState(device::FocuserState), pickled as |this, py| {
        /// Where it is, in steps, also while it moves; `None` for a relative focuser.
        position: this.position,
        /// It moves, or has just been told to.
        moving: this.moving,
        /// At the focuser, °C.
        temperature: this.temperature.map(|temperature| temperature.0),
        /// Seconds since the device itself told this: 0 when it was asked just now. It makes no difference to `==`.
        age: this.age.seconds(),
    }
}

/// A focuser.
#[pyclass(extends = Device, frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Focuser(Arc<Core>);

impl Focuser {
    pub(crate) fn new(core: Arc<Core>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Device(core.clone())).add_subclass(Focuser(core))
    }
}

fn focuser(device: &AnyDevice) -> Result<&dyn device::Focuser> {
    match device {
        AnyDevice::Focuser(focuser) => Ok(&**focuser),
        other => Err(other_kind(other)),
    }
}

#[pymethods]
impl Focuser {
    /// What it can do. No I/O once connected.
    #[pyo3(signature = (*, timeout=None))]
    fn caps(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<FocuserCaps> {
        self.0.read(py, "caps", timeout, |device| focuser(device)?.caps()).map(FocuserCaps)
    }

    /// Everything that changes by itself, in one look.
    #[pyo3(signature = (*, timeout=None))]
    fn state(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<FocuserState> {
        self.0.read(py, "state", timeout, |device| focuser(device)?.state()).map(FocuserState)
    }

    /// Starts to move to a position and returns at once.
    #[pyo3(signature = (position, *, timeout=None))]
    fn start_move(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] position: i64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let position = self.0.steps(position)?;
        self.0.ask(py, "start_move", timeout, move |device| focuser(device)?.start_move(position))
    }

    /// Starts to move by a number of steps, outward positive, and returns at once.
    #[pyo3(signature = (steps, *, timeout=None))]
    fn start_move_by(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] steps: i64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let steps = self.0.steps(steps)?;
        self.0.ask(py, "start_move_by", timeout, move |device| focuser(device)?.start_move_by(steps))
    }

    /// Stops the move.
    #[pyo3(signature = (*, timeout=None))]
    fn halt(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "halt", timeout, |device| focuser(device)?.halt())
    }

    /// Declares the present position to be this one, without moving.
    #[pyo3(signature = (position, *, timeout=None))]
    fn sync(&self, py: Python<'_>, #[pyo3(from_py_with = whole)] position: i64, timeout: Option<f64>) -> PyResult<()> {
        let position = self.0.steps(position)?;
        self.0.ask(py, "sync", timeout, move |device| focuser(device)?.sync(position))
    }

    /// Moves to a position and waits until the focuser itself says that it stands there.
    #[pyo3(signature = (position, *, timeout=None, cancel=None))]
    fn move_to(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] position: i64,
        timeout: Option<f64>,
        cancel: Option<&PyCancel>,
    ) -> PyResult<()> {
        let position = self.0.steps(position)?;
        self.0.attend(py, "move_to", Limits { timeout, cancel }, move |device, wait| {
            focuser(device)?.move_to(position, wait)
        })
    }

    /// `move_to`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, position, *, timeout=None)")]
    fn move_to_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "move_to", arguments, named)
    }

    /// Moves by a number of steps and waits until it stands.
    #[pyo3(signature = (steps, *, timeout=None, cancel=None))]
    fn move_by(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] steps: i64,
        timeout: Option<f64>,
        cancel: Option<&PyCancel>,
    ) -> PyResult<()> {
        let steps = self.0.steps(steps)?;
        self.0.attend(py, "move_by", Limits { timeout, cancel }, move |device, wait| {
            focuser(device)?.move_by(steps, wait)
        })
    }

    /// `move_by`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, steps, *, timeout=None)")]
    fn move_by_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "move_by", arguments, named)
    }
}
