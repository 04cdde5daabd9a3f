//! Requests as they are on the wire, for what the device traits do not cover; values travel as JSON.

use crate::error::Invalid;
use astrobackend::{
    Backend, Result,
    backend::{alpaca::Alpaca, rpc::Rpc},
    wire::alpaca::form::Form,
};
use pyo3::{prelude::*, types::PyDict};
use serde_json::Value;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Get,
    Put,
}

impl Verb {
    pub(crate) fn of(text: &str) -> PyResult<Self> {
        match text.to_ascii_lowercase().as_str() {
            "get" => Ok(Verb::Get),
            "put" => Ok(Verb::Put),
            _ => Err(Invalid(format!("{text:?} is no verb: get or put")).into()),
        }
    }
}

/// A mapping as a dictionary.
pub(crate) fn dict<'py>(mapping: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    Ok(mapping.py().get_type::<PyDict>().call1((mapping,))?.cast_into()?)
}

/// A mapping as JSON.
pub(crate) fn json(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let text: String = value.py().import("json")?.call_method1("dumps", (dict(value)?,))?.extract()?;
    serde_json::from_str(&text).map_err(|error| Invalid(format!("{value} is no JSON: {error}")).into())
}

/// JSON as a Python value.
pub(crate) fn python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (value.to_string(),))
}

/// Parameters in the form that Alpaca takes.
pub(crate) fn form(params: Option<&Bound<'_, PyAny>>) -> PyResult<Form> {
    let mut form = Form::new();
    for (name, value) in params.map(dict).transpose()?.into_iter().flatten() {
        form.push(&name.extract::<String>()?, value.str()?.to_string_lossy());
    }
    Ok(form)
}

pub(crate) fn rpc(backend: &dyn Backend, method: &str, params: Option<&Value>) -> Result<Value> {
    Rpc::of(backend)?.call(method, params)
}

pub(crate) fn alpaca(backend: &dyn Backend, verb: Verb, path: &str, form: &Form) -> Result<Value> {
    let alpaca = Alpaca::of(backend)?;
    match verb {
        Verb::Get => alpaca.get(path, form),
        Verb::Put => alpaca.put(path, form),
    }
}
