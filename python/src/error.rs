//! The library's errors as the exceptions of `astrobackend.errors`.

use astrobackend::{Error, Result};
use pyo3::{exceptions::PyRuntimeError, prelude::*, sync::PyOnceLock, types::PyDict};

/// A wrong argument: what is wrong with it.
#[derive(Debug)]
pub(crate) struct Invalid(pub(crate) String);

impl From<Invalid> for PyErr {
    fn from(invalid: Invalid) -> PyErr {
        raised(&Error::invalid(invalid.0))
    }
}

/// The exception for an error.
pub(crate) fn raised(error: &Error) -> PyErr {
    Python::attach(|py| match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        // The package's own module is broken: what happened is told all the same.
        Err(failure) => PyRuntimeError::new_err(format!("{error} ({failure})")),
    })
}

/// The result, its error as an exception.
pub(crate) fn raise<T>(result: Result<T>) -> PyResult<T> {
    result.map_err(|error| raised(&error))
}

/// The exception for an error, not raised: states and events tell of failures.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || {
        let classes = py.import("astrobackend.errors")?.getattr("BY_KIND")?;
        classes.cast_into::<PyDict>().map(Bound::unbind).map_err(PyErr::from)
    })?;
    let class = classes.bind(py).as_any().get_item(error.kind().name())?;
    class.call1((error.message(), error.device(), error.kind().ascom_code()))
}

/// True for an exception of this package.
pub(crate) fn is_own(py: Python<'_>, error: &PyErr) -> PyResult<bool> {
    Ok(error.is_instance(py, &py.import("astrobackend.errors")?.getattr("Error")?))
}
