//! What all devices have in common, and how their calls reach the library.

use crate::{
    call::{Call, at_once},
    choice::Choice,
    error::{Invalid, is_own, raise},
    moment::duration,
    observatory::Open,
    process::Kept,
    record::{into, record},
};
use astrobackend::{
    Cancel, Error, Result, Wait,
    device::{self, AnyDevice, Control, DeviceKind, Reply, ReplyKind},
    rig::Member,
};
use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The longest wait for a motion unless the caller says otherwise: a slew across the sky, a wheel of twelve places.
const MOTION: Duration = Duration::from_secs(300);

record! {
    /// What a device is; unknown is `None`.
    DeviceInfo((device::DeviceInfo, Option<String>)), pickled as |this, py| {
        /// Camera, filter wheel, focuser or mount.
        kind: this.0.id.kind.member(py)?,
        /// The name that its framework gives it.
        name: &this.0.id.name,
        /// The address that opens just this device.
        address: this.0.address.to_string(),
        /// The role that the rig gives it.
        role: &this.1,
        /// A sentence about the device.
        description: &this.0.description,
        /// Its driver.
        driver: &this.0.driver,
        /// The driver's version.
        driver_version: &this.0.driver_version,
        /// ASCOM's `InterfaceVersion`.
        interface_version: this.0.interface_version,
        /// An identity that stays when name and address change.
        unique_id: &this.0.unique_id,
        /// The device that it is a lesser part of: the camera of a guide chip.
        part_of: this.0.part_of.as_ref().map(|id| &id.name),
    }
}

record! {
    /// A setting that a device has: its range, its names, and whether it can be changed.
    ControlInfo(device::ControlInfo), pickled as |this, py| {
        /// Which one.
        control: this.control.member(py)?,
        /// Smallest value.
        min: this.min,
        /// Largest value.
        max: this.max,
        /// Smallest change, 0 when unknown or continuous.
        step: this.step,
        /// Names of the values `min`, `min + 1` ...; empty when the value is a quantity.
        choices: &this.choices,
        /// False when it can only be read.
        writable: this.writable,
    }
}

/// A device of an open observatory.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) open: Arc<Open>,
    member: Kept<Member>,
    device: Kept<AnyDevice>,
    name: String,
    kind: DeviceKind,
    role: Option<String>,
    /// Its state costs no I/O.
    from_memory: bool,
    /// It was connected through this.
    used: AtomicBool,
    /// How many blocks it is in, and whether the outermost is to disconnect it.
    blocks: Mutex<(usize, bool)>,
}

impl Core {
    pub(crate) fn new(open: Arc<Open>, member: Member) -> Result<Arc<Self>> {
        let device = member.device()?;
        Ok(Arc::new(Core {
            open,
            name: member.info.id.name.clone(),
            kind: member.info.id.kind,
            role: member.role.clone(),
            from_memory: member.backend().answers_from_memory(),
            device: Kept::new(device),
            member: Kept::new(member),
            used: AtomicBool::new(false),
            blocks: Mutex::default(),
        }))
    }

    pub(crate) fn get(&self) -> Result<AnyDevice> {
        self.device.get().map_err(|error| error.on(&self.name))
    }

    pub(crate) fn close(&self) {
        self.device.close();
        self.member.close();
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kind(&self) -> DeviceKind {
        self.kind
    }

    pub(crate) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// Connects it; true when it was not connected before.
    pub(crate) fn connect(&self) -> Result<bool> {
        let was = self.get()?.device().is_connected()?;
        self.open.session()?.join(self.member.get()?)?;
        self.used.store(true, Ordering::Relaxed);
        Ok(!was)
    }

    /// A block begins; it has connected the device, or found it connected.
    fn enter(&self, made: bool) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.0 += 1;
        blocks.1 |= made;
    }

    /// A block ends; true when it has to disconnect the device.
    fn exit(&self) -> bool {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.0 = blocks.0.saturating_sub(1);
        blocks.0 == 0 && std::mem::take(&mut blocks.1)
    }

    /// A length of time, for a request to this device.
    pub(crate) fn seconds(&self, seconds: f64) -> PyResult<Duration> {
        let length = Duration::try_from_secs_f64(seconds);
        let wrong = |_| Error::invalid(format!("{seconds} is no time in seconds")).on(&self.name);
        raise(length.map_err(wrong))
    }

    /// A whole number of steps, for a request to this device.
    pub(crate) fn steps(&self, steps: i64) -> PyResult<i32> {
        let wrong = |_| Error::invalid(format!("{steps} steps are out of range")).on(&self.name);
        raise(i32::try_from(steps).map_err(wrong))
    }

    /// A call to the device that may wait.
    pub(crate) fn call(&self, what: &'static str, timeout: Option<Duration>) -> Call {
        Call { what, device: Some(self.name.clone()), timeout, cancel: Cancel::new(), stops: false }
    }

    /// Reads what backends with a memory answer from it.
    pub(crate) fn read<T: Send + 'static>(
        self: &Arc<Self>,
        py: Python<'_>,
        what: &'static str,
        timeout: Option<f64>,
        work: impl FnOnce(&AnyDevice) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        match timeout {
            None if self.from_memory => at_once(py, || work(&self.get()?)),
            _ => self.ask(py, what, timeout, work),
        }
    }

    /// Asks something that may take a round trip.
    pub(crate) fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        py: Python<'_>,
        what: &'static str,
        timeout: Option<f64>,
        work: impl FnOnce(&AnyDevice) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let core = self.clone();
        self.call(what, timeout.map(duration).transpose()?).run(py, move || work(&core.get()?))
    }

    /// Does something that is started and waited for; Ctrl-C and `cancel` stop it.
    pub(crate) fn attend(
        self: &Arc<Self>,
        py: Python<'_>,
        what: &'static str,
        limits: Limits<'_>,
        work: impl FnOnce(&AnyDevice, &Wait) -> Result<()> + Send + 'static,
    ) -> PyResult<()> {
        let (core, wait) = (self.clone(), limits.wait(MOTION)?);
        let call = Call { cancel: wait.cancel.clone(), stops: true, ..self.call(what, None) };
        call.run(py, move || work(&core.get()?, &wait))
    }
}

/// What bounds a wait.
#[derive(Debug)]
pub(crate) struct Limits<'a> {
    pub(crate) timeout: Option<f64>,
    pub(crate) cancel: Option<&'a PyCancel>,
}

impl Limits<'_> {
    pub(crate) fn wait(&self, usual: Duration) -> PyResult<Wait> {
        let wait = Wait::new(self.timeout.map(duration).transpose()?.unwrap_or(usual));
        Ok(match self.cancel {
            Some(cancel) => wait.cancelled_by(&cancel.0),
            None => wait,
        })
    }
}

/// Ends waits from another thread.
#[pyclass(name = "Cancel", frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct PyCancel(pub(crate) Cancel);

#[pymethods]
impl PyCancel {
    #[new]
    fn new() -> Self {
        PyCancel(Cancel::new())
    }

    /// Ends every wait that was given this, now and later; what they started is stopped.
    fn cancel(&self) {
        self.0.cancel();
    }

    /// True once cancelled.
    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// What all devices have in common.
#[pyclass(subclass, frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Device(pub(crate) Arc<Core>);

#[pymethods]
impl Device {
    /// The name that its framework gives it.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Camera, filter wheel, focuser or mount.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.kind.member(py)
    }

    /// What it is. No I/O; more may be known once it is connected.
    #[getter]
    fn info(&self, py: Python<'_>) -> PyResult<DeviceInfo> {
        let role = self.0.role.clone();
        at_once(py, || Ok(DeviceInfo((self.0.get()?.device().info(), role))))
    }

    /// Connects the driver to its hardware; a connected device stays so.
    #[pyo3(signature = (*, timeout=None))]
    fn connect(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let core = self.0.clone();
        let call = self.0.call("connecting", timeout.map(duration).transpose()?);
        call.run(py, move || core.connect()).map(drop)
    }

    /// Disconnects the driver from its hardware, for all its users.
    #[pyo3(signature = (*, timeout=None))]
    fn disconnect(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "disconnecting", timeout, |device| device.device().disconnect())
    }

    /// Asks whether the driver is connected to its hardware.
    #[pyo3(signature = (*, timeout=None))]
    fn is_connected(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        self.0.read(py, "is_connected", timeout, |device| device.device().is_connected())
    }

    /// The settings that it has.
    #[pyo3(signature = (*, timeout=None))]
    fn controls(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<ControlInfo>> {
        let controls = self.0.read(py, "controls", timeout, |device| device.device().controls())?;
        Ok(controls.into_iter().map(ControlInfo).collect())
    }

    /// The value of a setting.
    #[pyo3(signature = (control, *, timeout=None))]
    fn control(&self, py: Python<'_>, control: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<f64> {
        let control = Control::of(control)?;
        self.0.read(py, "control", timeout, move |device| device.device().control(control))
    }

    /// Changes a setting.
    #[pyo3(signature = (control, value, *, timeout=None))]
    fn set_control(
        &self,
        py: Python<'_>,
        control: &Bound<'_, PyAny>,
        value: f64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let control = Control::of(control)?;
        self.0.ask(py, "set_control", timeout, move |device| device.device().set_control(control, value))
    }

    /// Names of the extra things that the framework lets this device do.
    #[pyo3(signature = (*, timeout=None))]
    fn actions(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<String>> {
        self.0.ask(py, "actions", timeout, |device| device.device().actions())
    }

    /// Does one of the `actions`.
    #[pyo3(signature = (name, parameters="", *, timeout=None))]
    fn action(&self, py: Python<'_>, name: &str, parameters: &str, timeout: Option<f64>) -> PyResult<String> {
        let (name, parameters) = (name.to_owned(), parameters.to_owned());
        self.0.ask(py, "action", timeout, move |device| device.device().action(&name, &parameters))
    }

    /// Sends a command in the driver's own language; `reply` is "none", "bool" or "text".
    #[pyo3(signature = (command, *, raw=false, reply="none", timeout=None))]
    fn command<'py>(
        &self,
        py: Python<'py>,
        command: &str,
        raw: bool,
        reply: &str,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reply = match reply {
            "none" => ReplyKind::None,
            "bool" => ReplyKind::Bool,
            "text" => ReplyKind::Text,
            _ => return Err(Invalid(format!("{reply:?} is no reply: none, bool or text")).into()),
        };
        let command = command.to_owned();
        match self.0.ask(py, "command", timeout, move |device| device.device().command(&command, raw, reply))? {
            Reply::None => into(py, py.None()),
            Reply::Bool(answer) => into(py, answer),
            Reply::Text(answer) => into(py, answer),
        }
    }

    /// Connects the device; at the end of the block it is left as it was found.
    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let core = slf.get().0.clone();
        let call = core.call("connecting", None);
        let made = call.run(slf.py(), move || core.connect())?;
        slf.get().0.enter(made);
        Ok(slf.clone())
    }

    #[pyo3(signature = (kind=None, error=None, trace=None))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: Option<&Bound<'_, PyAny>>,
        error: Option<&Bound<'_, PyAny>>,
        trace: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (kind, trace);
        if !self.0.exit() || self.0.device.is_closed() {
            return Ok(());
        }
        match (self.disconnect(py, None), error) {
            // What went wrong in the block says more.
            (Err(failure), Some(error)) if !error.is_none() && is_own(py, &failure)? => Ok(()),
            (done, _) => done,
        }
    }

    fn __repr__(&self) -> String {
        format!("<{} {:?}>", self.0.kind, self.0.name)
    }
}

/// The awaitable version of a method.
pub(crate) fn awaitable<'py>(
    device: &Bound<'py, PyAny>,
    method: &str,
    arguments: &Bound<'py, PyTuple>,
    named: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let run = device.py().import("astrobackend._aio")?.getattr("run")?;
    let call = PyTuple::new(device.py(), [device.getattr(method)?])?;
    run.call(call.add(arguments)?.cast_into::<PyTuple>()?, named)
}

/// Says that a device of another kind was found where one of this kind should be.
pub(crate) fn other_kind(device: &AnyDevice) -> Error {
    Error::protocol(format!("{device:?} is of another kind"))
}
