//! Raw INDI properties.

use crate::{
    call::{Call, at_once},
    choice::Choice,
    error::Invalid,
    moment::duration,
    process::Kept,
    raw::dict,
    record::{into, record},
};
use astrobackend::{
    Result,
    backend::indi::properties::{self, Interface, Interfaces, Pattern, Perm, Rule, Value},
};
use pyo3::{
    prelude::*,
    types::{PyBool, PyString},
};
use std::sync::Arc;

record! {
    /// A device: what its driver says of itself.
    PropertyDevice(properties::Device) as |this, py| {
        /// Its name, which commands need.
        name: &this.name,
        /// The driver's name.
        driver: &this.driver,
        /// The driver's program.
        executable: &this.executable,
        /// The driver's version.
        version: &this.version,
        /// What it is: the bits of `DRIVER_INTERFACE`.
        interfaces: this.interfaces.bits(),
        /// The driver is connected to its hardware.
        connected: this.connected,
        /// The names of its properties, sorted.
        properties: &this.properties,
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

record! {
    /// An element of a property; limits and format belong to numbers alone.
    PropertyElement(properties::Element) as |this, py| {
        /// Its name.
        name: &this.name,
        /// What people call it.
        label: &this.label,
        /// Text, number, switch (`bool`) or light; `None` for a BLOB.
        value: value(py, &this.value)?,
        /// Smallest value.
        min: number(this).map(|number| number.min),
        /// Largest value; no larger than `min` when there are no limits.
        max: number(this).map(|number| number.max),
        /// Smallest change.
        step: number(this).map(|number| number.step),
        /// How a number is to be shown.
        format: number(this).map(|number| &number.format),
    }
}

record! {
    /// A property (INDI: a vector) as it was at one moment.
    Property(properties::Property) as |this, py| {
        /// The device it belongs to.
        device: &this.device,
        /// Its name.
        name: &this.name,
        /// What people call it.
        label: &this.label,
        /// The page it is shown on.
        group: &this.group,
        /// The type of its elements.
        kind: this.kind.member(py)?,
        /// Its state.
        state: this.state.member(py)?,
        /// Who may change it: `ro`, `wo` or `rw`.
        perm: perm(this.perm),
        /// How many switches can be on: `OneOfMany`, `AtMostOne` or `AnyOfMany`.
        rule: this.rule.map(rule),
        /// The driver's guess at the longest that a change takes, in seconds.
        timeout: this.timeout.map(|timeout| timeout.as_secs_f64()),
        /// When the driver says that it told the values; empty when it does not.
        timestamp: &this.timestamp,
        /// Its elements, in the driver's order.
        elements: this.elements.iter().cloned().map(PropertyElement).collect::<Vec<_>>(),
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

fn value<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Text(text) => into(py, text),
        Value::Number(number) => into(py, number.value),
        Value::Switch(on) => into(py, *on),
        Value::Light(state) => state.member(py),
        _ => into(py, py.None()),
    }
}

fn number(element: &properties::Element) -> Option<&properties::Number> {
    match &element.value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

fn perm(perm: Perm) -> &'static str {
    match perm {
        Perm::ReadOnly => "ro",
        Perm::WriteOnly => "wo",
        Perm::ReadWrite => "rw",
    }
}

fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::OneOfMany => "OneOfMany",
        Rule::AtMostOne => "AtMostOne",
        Rule::AnyOfMany => "AnyOfMany",
    }
}

/// The raw properties of an INDI server's devices. Reading costs no I/O; `timeout` is for what is not defined yet.
#[pyclass(frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Properties(pub(crate) Arc<Kept<properties::Properties>>);

impl Properties {
    fn ask<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&properties::Properties) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let properties = self.0.clone();
        Call { what: "properties", ..Call::default() }.run(py, move || work(&properties.get()?))
    }
}

fn pattern(device: Option<&str>) -> Pattern {
    device.map_or_else(Pattern::all, Pattern::of_device)
}

#[pymethods]
impl Properties {
    /// The server's devices, or those of one class (`ccd`, `telescope`, `filter`, `focuser`, `guider` ...).
    #[pyo3(signature = (interface=None))]
    fn devices(&self, py: Python<'_>, interface: Option<&str>) -> PyResult<Vec<PropertyDevice>> {
        let wanted = interface.map(|name| {
            let known = Interface::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(name));
            let bits = known.map(|known| Interfaces::from_bits(1 << *known as u32));
            bits.ok_or_else(|| Invalid(format!("there is no class of devices {name:?}")))
        });
        let wanted = wanted.transpose()?;
        let devices = self.ask(py, move |properties| match wanted {
            Some(wanted) => properties.devices_of(wanted),
            None => properties.devices(),
        })?;
        Ok(devices.into_iter().map(PropertyDevice).collect())
    }

    /// A device by its name.
    #[pyo3(signature = (name, *, timeout=0.5))]
    fn device(&self, py: Python<'_>, name: &str, timeout: f64) -> PyResult<PropertyDevice> {
        let (name, limit) = (name.to_owned(), duration(timeout)?);
        if limit.is_zero() {
            return at_once(py, || self.0.get()?.device(&name, limit)).map(PropertyDevice);
        }
        self.ask(py, move |properties| properties.device(&name, limit)).map(PropertyDevice)
    }

    /// A property of a device.
    #[pyo3(signature = (device, property, *, timeout=0.5))]
    fn get(&self, py: Python<'_>, device: &str, property: &str, timeout: f64) -> PyResult<Property> {
        let limit = duration(timeout)?;
        if limit.is_zero() {
            return at_once(py, || self.0.get()?.property(device, property, limit)).map(Property);
        }
        let (device, property) = (device.to_owned(), property.to_owned());
        self.ask(py, move |properties| properties.property(&device, &property, limit)).map(Property)
    }

    /// The properties of a device, or of all, as they are now.
    #[pyo3(signature = (device=None))]
    fn list(&self, py: Python<'_>, device: Option<&str>) -> PyResult<Vec<Property>> {
        let found = at_once(py, || Ok(self.0.get()?.list(&pattern(device))))?;
        Ok(found.into_iter().map(Property).collect())
    }

    /// Sets elements of a property and waits for the driver's answer; the property as it is then. Elements that are
    /// not given keep their values.
    #[pyo3(signature = (device, property, values, *, timeout=5.0))]
    fn set(
        &self,
        py: Python<'_>,
        device: &str,
        property: &str,
        values: &Bound<'_, PyAny>,
        timeout: f64,
    ) -> PyResult<Property> {
        let values = dict(values)?;
        let values = values.iter().map(|(name, value)| Ok((name.extract()?, text(&value)?)));
        let values = values.collect::<PyResult<Vec<(String, String)>>>()?;
        let (device, property, limit) = (device.to_owned(), property.to_owned(), duration(timeout)?);
        let set = move |properties: &properties::Properties| {
            let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            properties.set(&device, &property, &values, limit)
        };
        self.ask(py, set).map(Property)
    }

    /// Connects a driver to its hardware and waits until it is.
    #[pyo3(signature = (device, *, timeout=5.0))]
    fn connect(&self, py: Python<'_>, device: &str, timeout: f64) -> PyResult<()> {
        let (device, limit) = (device.to_owned(), duration(timeout)?);
        self.ask(py, move |properties| properties.connect(&device, limit))
    }

    /// Disconnects a driver from its hardware, for all its users, and waits until it is.
    #[pyo3(signature = (device, *, timeout=5.0))]
    fn disconnect(&self, py: Python<'_>, device: &str, timeout: f64) -> PyResult<()> {
        let (device, limit) = (device.to_owned(), duration(timeout)?);
        self.ask(py, move |properties| properties.disconnect(&device, limit))
    }

    /// The properties of a device, or of all, in lines that a person can read.
    #[pyo3(signature = (device=None))]
    fn dump(&self, py: Python<'_>, device: Option<&str>) -> PyResult<String> {
        at_once(py, || Ok(self.0.get()?.dump(&pattern(device))))
    }
}

/// A value as the library reads it: `On` and `Off`, numbers in full, texts as they are.
fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(on) = value.cast::<PyBool>() {
        return Ok(if on.is_true() { "On" } else { "Off" }.into());
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_string_lossy().into_owned());
    }
    let number: f64 = value.extract()?;
    Ok(format!("{number}"))
}
