//! Whole numbers as arguments: one that does not fit is a wrong value, not an overflow of ours.

use crate::error::Invalid;
use pyo3::{exceptions::PyOverflowError, prelude::*};

/// A whole number that fits, for `from_py_with`.
pub(crate) fn whole<'a, 'py, T>(value: &'a Bound<'py, PyAny>) -> PyResult<T>
where
    T: FromPyObject<'a, 'py>,
    T::Error: Into<PyErr>,
{
    value.extract().map_err(|error: T::Error| {
        let error = error.into();
        match error.is_instance_of::<PyOverflowError>(value.py()) {
            true => Invalid(format!("{value} is out of range")).into(),
            false => error,
        }
    })
}
