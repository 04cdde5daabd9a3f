//! Records: what a device is, can do, or is doing, as Python sees it.
//!
//! A record keeps the library's own value and converts a member when it is asked for, so that reading a state costs
//! next to nothing and one member of it little more.

use crate::error::Invalid;
use pyo3::{IntoPyObjectExt, prelude::*};

/// Any value as Python has it.
pub(crate) fn into<'py>(py: Python<'py>, value: impl IntoPyObjectExt<'py>) -> PyResult<Bound<'py, PyAny>> {
    value.into_bound_py_any(py)
}

/// What cannot be pickled or restored.
pub(crate) fn unreadable(why: serde_json::Error) -> PyErr {
    Invalid(format!("cannot be pickled: {why}")).into()
}

/// Defines a class around a value of the library: read-only members, comparison by value, `as_dict()`, and a text
/// that shows all members. With `pickled` it can be pickled and copied. The block after the members has further methods.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $name:ident($inner:ty) $(, $pickled:ident)? as |$this:ident, $py:ident| {
            $($(#[$field_doc:meta])* $field:ident: $get:expr),* $(,)?
        }
        $($extra:tt)*
    ) => {
        $(#[$doc])*
        #[pyo3::pyclass(frozen, module = "astrobackend")]
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) $inner);

        #[pyo3::pymethods]
        impl $name {
            $(
                $(#[$field_doc])*
                #[getter]
                fn $field<'py>(&self, $py: pyo3::Python<'py>) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>> {
                    let $this = &self.0;
                    $crate::record::into($py, $get)
                }
            )*

            #[classattr]
            fn __match_args__(py: pyo3::Python<'_>) -> pyo3::PyResult<pyo3::Bound<'_, pyo3::types::PyTuple>> {
                pyo3::types::PyTuple::new(py, [$(stringify!($field)),*])
            }

            /// All members by name.
            fn as_dict<'py>(&self, py: pyo3::Python<'py>) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::types::PyDict>> {
                let members = pyo3::types::PyDict::new(py);
                $(members.set_item(stringify!($field), self.$field(py)?)?;)*
                Ok(members)
            }

            fn __repr__(&self, py: pyo3::Python<'_>) -> pyo3::PyResult<String> {
                let members = [$(format!("{}={}", stringify!($field), self.$field(py)?.repr()?)),*];
                Ok(format!("{}({})", stringify!($name), members.join(", ")))
            }

            fn __eq__(&self, other: &pyo3::Bound<'_, pyo3::PyAny>) -> bool {
                other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
            }

            $(
                #[doc = concat!("Pickling: a record is ", stringify!($pickled), " as the JSON of its value.")]
                fn __reduce__<'py>(
                    slf: &pyo3::Bound<'py, Self>,
                ) -> pyo3::PyResult<(pyo3::Bound<'py, pyo3::PyAny>, (String,))> {
                    let restore = slf.get_type().getattr("_restore")?;
                    Ok((restore, (serde_json::to_string(&slf.get().0).map_err($crate::record::unreadable)?,)))
                }

                #[staticmethod]
                fn _restore(json: &str) -> pyo3::PyResult<Self> {
                    serde_json::from_str(json).map($name).map_err($crate::record::unreadable)
                }
            )?

            $($extra)*
        }
    };
}

pub(crate) use record;
