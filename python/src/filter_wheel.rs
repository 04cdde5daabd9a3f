//! Filter wheels.

use crate::{
    camera::Filter as Wanted,
    device::{Core, Device, Limits, PyCancel, awaitable, other_kind},
    record::record,
    whole::whole,
};
use astrobackend::{
    Result,
    device::{self, AnyDevice},
};
use pyo3::{
    PyClassInitializer,
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::sync::Arc;

record! {
    /// One place of a wheel.
    Filter(device::Filter), pickled as |this, py| {
        /// What people call it.
        name: &this.name,
        /// Focuser steps to move when this filter comes in, relative to the others.
        focus_offset: this.focus_offset,
    }
}

record! {
    /// What is in the wheel now.
    FilterWheelState(device::FilterWheelState), pickled as |this, py| {
        /// The place in the light path, from 0; `None` while the wheel turns.
        position: this.position,
        /// The wheel turns.
        moving: this.position.is_none(),
        /// Seconds since the device itself told this: 0 when it was asked just now. It makes no difference to `==`.
        age: this.age.seconds(),
    }
}

/// A filter wheel.
#[pyclass(extends = Device, frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct FilterWheel(Arc<Core>);

impl FilterWheel {
    pub(crate) fn new(core: Arc<Core>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Device(core.clone())).add_subclass(FilterWheel(core))
    }
}

fn wheel(device: &AnyDevice) -> Result<&dyn device::FilterWheel> {
    match device {
        AnyDevice::FilterWheel(wheel) => Ok(&**wheel),
        other => Err(other_kind(other)),
    }
}

#[pymethods]
impl FilterWheel {
    /// The filters, one for each place.
    #[pyo3(signature = (*, timeout=None))]
    fn filters(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<Filter>> {
        let filters = self.0.read(py, "filters", timeout, |device| wheel(device)?.filters())?;
        Ok(filters.into_iter().map(Filter).collect())
    }

    /// The names of the filters, one for each place.
    #[pyo3(signature = (*, timeout=None))]
    fn names(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Vec<String>> {
        let filters = self.0.read(py, "names", timeout, |device| wheel(device)?.filters())?;
        Ok(filters.into_iter().map(|filter| filter.name).collect())
    }

    /// What is in the light path.
    #[pyo3(signature = (*, timeout=None))]
    fn state(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<FilterWheelState> {
        self.0.read(py, "state", timeout, |device| wheel(device)?.state()).map(FilterWheelState)
    }

    /// Names the filters, one for each place.
    #[pyo3(signature = (names, *, timeout=None))]
    fn set_names(&self, py: Python<'_>, names: Vec<String>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "set_names", timeout, move |device| wheel(device)?.set_names(&names))
    }

    /// Starts to turn to a place (from 0) and returns at once.
    #[pyo3(signature = (position, *, timeout=None))]
    fn start_move(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] position: usize,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        self.0.ask(py, "start_move", timeout, move |device| wheel(device)?.start_move(position))
    }

    /// Brings a filter in, by name or by place from 0, and waits until it is there.
    #[pyo3(signature = (filter, *, timeout=None, cancel=None))]
    fn select(
        &self,
        py: Python<'_>,
        filter: &Bound<'_, PyAny>,
        timeout: Option<f64>,
        cancel: Option<&PyCancel>,
    ) -> PyResult<()> {
        let filter = Wanted::of(self.0.name(), filter)?;
        self.0.attend(py, "select", Limits { timeout, cancel }, move |device, wait| filter.select(wheel(device)?, wait))
    }

    /// `select`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, filter, *, timeout=None)")]
    fn select_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "select", arguments, named)
    }
}
