//! An open observatory: a backend, or what a rig file names, and its devices.

use crate::{
    call::{Call, at_once},
    camera::Camera,
    choice::Choice,
    device::{Core, DeviceInfo},
    error::raise,
    event::{Events, Link},
    filter_wheel::FilterWheel,
    focuser::Focuser,
    logging,
    moment::duration,
    mount::Mount,
    process::Kept,
    properties::Properties,
    raw,
};
use astrobackend::{
    Backend, Error, FRAMEWORKS, Framework, Result,
    backend::{
        BACKEND_VARIABLE,
        indi::{Indi, properties},
    },
    device::{DeviceId, DeviceKind, FilterWheel as FilterWheelTrait},
    event,
    rig::{Rig, Session},
};
use pyo3::prelude::*;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// What the devices of an observatory share.
#[derive(Debug)]
pub(crate) struct Open {
    session: Kept<Arc<Session>>,
    devices: Mutex<Vec<Weak<Core>>>,
    properties: Mutex<Vec<Weak<Kept<properties::Properties>>>>,
}

impl Open {
    pub(crate) fn session(&self) -> Result<Arc<Session>> {
        self.session.get()
    }

    fn backend(&self) -> Result<Arc<dyn Backend>> {
        let mut backends = self.session()?.backends()?;
        match backends.len() {
            1 => Ok(backends.remove(0)),
            n => Err(Error::invalid(format!("the rig has {n} servers, open the one that is meant"))),
        }
    }

    fn devices(&self) -> MutexGuard<'_, Vec<Weak<Core>>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wheel that is meant by a filter's name: the one that is used already, or the only one.
    pub(crate) fn wheel(&self) -> Result<Arc<dyn FilterWheelTrait>> {
        let session = self.session()?;
        let mut used: Vec<_> = self.devices().iter().filter_map(Weak::upgrade).collect();
        used.retain(|core| core.kind() == DeviceKind::FilterWheel && core.is_used() && core.get().is_ok());
        used.dedup_by(|one, other| one.name() == other.name());
        let name = match &used[..] {
            [wheel] => Some(wheel.name().to_owned()),
            _ => None,
        };
        session.filter_wheel(name.as_deref())
    }

    fn find(self: &Arc<Self>, kind: DeviceKind, name: Option<&str>) -> Result<Arc<Core>> {
        let core = Core::new(self.clone(), self.session()?.find(kind, name)?)?;
        let mut devices = self.devices();
        devices.retain(|device| device.strong_count() > 0);
        devices.push(Arc::downgrade(&core));
        Ok(core)
    }

    fn close(&self) {
        // In a forked child nothing of the parent's is touched, and locks may be held there for ever.
        if !self.session.is_ours() {
            return;
        }
        self.session.close();
        for device in self.devices().drain(..).filter_map(|device| device.upgrade()) {
            device.close();
        }
        let mut properties = self.properties.lock().unwrap_or_else(PoisonError::into_inner);
        for properties in properties.drain(..).filter_map(|properties| properties.upgrade()) {
            properties.close();
        }
    }
}

/// Opens an observatory by address (`indi://pi:7624`) or name (`SIM`); without one the default of the system, which
/// the environment variable `PYASTROBACKEND` overrides.
#[pyfunction]
#[pyo3(signature = (address=None, *, timeout=None))]
pub(crate) fn open(py: Python<'_>, address: Option<&str>, timeout: Option<f64>) -> PyResult<Observatory> {
    let session = match address {
        Some(address) => Session::new().with_backend(address),
        None => Session::new(),
    };
    Observatory::of(py, move || Ok(session), timeout)
}

/// Opens what a rig file names.
#[pyfunction]
#[pyo3(signature = (path, *, timeout=None))]
pub(crate) fn open_rig(py: Python<'_>, path: PathBuf, timeout: Option<f64>) -> PyResult<Observatory> {
    Observatory::of(py, move || Ok(Session::new().with_rig(Rig::load(path)?)), timeout)
}

/// What is wrong with a rig file, a line each; nothing when it is well.
#[pyfunction]
pub(crate) fn check_rig(py: Python<'_>, path: PathBuf) -> PyResult<Vec<String>> {
    let call = Call { what: "reading the rig file", ..Call::default() };
    let (_, problems) = call.run(py, move || Rig::check(path))?;
    Ok(problems.iter().map(ToString::to_string).collect())
}

/// The addresses of the servers that are found, of one framework or of all.
#[pyfunction]
#[pyo3(signature = (framework=None, *, timeout=3.0))]
pub(crate) fn discover(py: Python<'_>, framework: Option<&str>, timeout: f64) -> PyResult<Vec<String>> {
    let wanted = raise(framework.map(Framework::find).transpose())?;
    let limit = duration(timeout)?;
    let call = Call { what: "discovery", ..Call::default() };
    call.run(py, move || {
        let mut found = Vec::new();
        let all = FRAMEWORKS.iter().filter(|framework| framework.built_in);
        for framework in wanted.into_iter().chain(all.filter(|_| wanted.is_none())) {
            found.extend(framework.discover(limit)?.iter().map(ToString::to_string));
        }
        Ok(found)
    })
}

/// The names of the frameworks, the original's four first.
#[pyfunction]
pub(crate) fn backend_choices() -> Vec<&'static str> {
    astrobackend::backend_choices()
}

/// The default backend: what the environment variable `PYASTROBACKEND` says (Python's own view of it), else `ASCOM` on
/// Windows and `INDI` elsewhere.
#[pyfunction]
pub(crate) fn default_backend(py: Python<'_>) -> PyResult<String> {
    let said = py.import("os")?.getattr("environ")?.call_method1("get", (BACKEND_VARIABLE, ""))?;
    let said: String = said.extract()?;
    let usual = if cfg!(windows) { "ASCOM" } else { "INDI" };
    Ok(if said.trim().is_empty() { usual.to_owned() } else { said })
}

/// An open observatory; at the end of a `with` block it is closed.
#[pyclass(frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Observatory {
    open: Arc<Open>,
    address: String,
}

impl Observatory {
    fn of(
        py: Python<'_>,
        session: impl FnOnce() -> Result<Session> + Send + 'static,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        logging::listen(py)?;
        let call = Call { what: "opening", timeout: timeout.map(duration).transpose()?, ..Call::default() };
        let (session, address) = call.run(py, move || {
            let session = session()?;
            let addresses: Vec<_> = session.backends()?.iter().map(ToString::to_string).collect();
            Ok((session, addresses.join(" ")))
        })?;
        let open =
            Open { session: Kept::new(Arc::new(session)), devices: Mutex::default(), properties: Mutex::default() };
        Ok(Observatory { open: Arc::new(open), address })
    }

    fn call(&self, what: &'static str, timeout: Option<f64>) -> PyResult<Call> {
        Ok(Call { what, timeout: timeout.map(duration).transpose()?, ..Call::default() })
    }

    fn find(
        &self,
        py: Python<'_>,
        kind: DeviceKind,
        name: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<Arc<Core>> {
        let open = self.open.clone();
        self.call("finding a device", timeout)?.run(py, move || open.find(kind, name.as_deref()))
    }
}

#[pymethods]
impl Observatory {
    /// The address that opens it again; of a rig with several servers, all of theirs.
    #[getter]
    fn address(&self) -> &str {
        &self.address
    }

    /// True once it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.open.session.is_closed()
    }

    /// True when the framework has a window in which a person picks a driver.
    #[getter]
    fn has_chooser(&self, py: Python<'_>) -> PyResult<bool> {
        at_once(py, || Ok(self.open.backend()?.has_chooser()))
    }

    /// The devices there are now.
    #[pyo3(signature = (*, timeout=None))]
    fn devices(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<DeviceInfo>> {
        let open = self.open.clone();
        let members = self.call("listing devices", timeout)?.run(py, move || open.session()?.all())?;
        Ok(members.into_iter().map(|member| DeviceInfo((member.info, member.role))).collect())
    }

    /// A camera by name, role (`@main`) or address; without one the only one. It is not connected by this.
    #[pyo3(signature = (name=None, *, timeout=None))]
    fn camera(&self, py: Python<'_>, name: Option<String>, timeout: Option<f64>) -> PyResult<Py<Camera>> {
        Py::new(py, Camera::new(self.find(py, DeviceKind::Camera, name, timeout)?))
    }

    /// A filter wheel, found as a camera is.
    #[pyo3(signature = (name=None, *, timeout=None))]
    fn filter_wheel(&self, py: Python<'_>, name: Option<String>, timeout: Option<f64>) -> PyResult<Py<FilterWheel>> {
        Py::new(py, FilterWheel::new(self.find(py, DeviceKind::FilterWheel, name, timeout)?))
    }

    /// A focuser, found as a camera is.
    #[pyo3(signature = (name=None, *, timeout=None))]
    fn focuser(&self, py: Python<'_>, name: Option<String>, timeout: Option<f64>) -> PyResult<Py<Focuser>> {
        Py::new(py, Focuser::new(self.find(py, DeviceKind::Focuser, name, timeout)?))
    }

    /// A mount, found as a camera is.
    #[pyo3(signature = (name=None, *, timeout=None))]
    fn mount(&self, py: Python<'_>, name: Option<String>, timeout: Option<f64>) -> PyResult<Py<Mount>> {
        Py::new(py, Mount::new(self.find(py, DeviceKind::Mount, name, timeout)?))
    }

    /// What happens from now on.
    #[pyo3(signature = (*, timeout=None))]
    fn events(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Events> {
        let open = self.open.clone();
        let listen = move || Ok(open.session()?.backends()?.iter().map(|backend| backend.events()).collect());
        self.call("events", timeout)?.run(py, listen).map(Events::new)
    }

    /// The link to the server; of several, the first that is not up.
    fn link(&self, py: Python<'_>) -> PyResult<Link> {
        at_once(py, || {
            let backends = self.open.session()?.backends()?;
            let down = backends.iter().map(|backend| backend.link()).find(|link| *link != event::Link::Up);
            Ok(Link(down.unwrap_or(event::Link::Up)))
        })
    }

    /// What is done about lost links, as the addresses say; of several backends, what the first one does.
    fn supervision(&self, py: Python<'_>) -> PyResult<String> {
        at_once(py, || {
            let backends = self.open.session()?.backends()?;
            Ok(backends.first().map(|backend| backend.supervision()).unwrap_or_default().to_string())
        })
    }

    /// Opens the framework's window in which a person picks a driver; `None` when none was picked.
    #[pyo3(signature = (kind, last=None))]
    fn choose(&self, py: Python<'_>, kind: &Bound<'_, PyAny>, last: Option<String>) -> PyResult<Option<String>> {
        let (open, kind) = (self.open.clone(), DeviceKind::of(kind)?);
        let last = last.map(|name| DeviceId::new(kind, name));
        let chosen = self.call("choosing", None)?.run(py, move || open.backend()?.choose(kind, last.as_ref()))?;
        Ok(chosen.map(|id| id.name))
    }

    /// The raw properties of an INDI server.
    fn properties(&self, py: Python<'_>) -> PyResult<Properties> {
        at_once(py, || {
            let properties = Arc::new(Kept::new(Indi::of(&*self.open.backend()?)?.properties()));
            let mut open = self.open.properties.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|properties| properties.strong_count() > 0);
            open.push(Arc::downgrade(&properties));
            Ok(Properties(properties))
        })
    }

    /// Calls a method of an RPC server as it is on the wire; its result.
    #[pyo3(signature = (method, params=None, *, timeout=None))]
    fn rpc<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        params: Option<&Bound<'py, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let params = params.map(raw::json).transpose()?;
        let (open, method) = (self.open.clone(), method.to_owned());
        let answer =
            self.call("rpc", timeout)?.run(py, move || raw::rpc(&*open.backend()?, &method, params.as_ref()))?;
        raw::python(py, &answer)
    }

    /// Reads ("get") or changes ("put") a member of an Alpaca server as it is on the wire, such as `camera/0/gain`;
    /// the whole reply.
    #[pyo3(signature = (verb, path, params=None, *, timeout=None))]
    fn alpaca<'py>(
        &self,
        py: Python<'py>,
        verb: &str,
        path: &str,
        params: Option<&Bound<'py, PyAny>>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (verb, form) = (raw::Verb::of(verb)?, raw::form(params)?);
        let (open, path) = (self.open.clone(), path.to_owned());
        let answer =
            self.call("alpaca", timeout)?.run(py, move || raw::alpaca(&*open.backend()?, verb, &path, &form))?;
        raw::python(py, &answer)
    }

    /// Ends the connection; the observatory's devices cannot be used any more. Nothing is disconnected or stopped.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.open.close());
        logging::deliver(py);
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (kind=None, error=None, trace=None))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: Option<&Bound<'_, PyAny>>,
        error: Option<&Bound<'_, PyAny>>,
        trace: Option<&Bound<'_, PyAny>>,
    ) {
        let _ = (kind, error, trace);
        self.close(py);
    }

    fn __repr__(&self) -> String {
        format!("<Observatory {}>", self.address)
    }
}
