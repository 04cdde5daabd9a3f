//! Which process this is: a forked child has none of its parent's threads, so nothing of them may be touched there.

use astrobackend::{Error, Result};
use pyo3::prelude::*;
use std::{
    mem,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// How many forks this process is away from the one that loaded the module.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The number of this process among its forebears.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

#[pyfunction]
fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Has Python tell of forks, where there are any.
pub(crate) fn watch_forks(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    if os.hasattr("register_at_fork")? {
        let callback = pyo3::types::PyDict::new(py);
        callback.set_item("after_in_child", wrap_pyfunction!(in_child, py)?)?;
        os.call_method("register_at_fork", (), Some(&callback))?;
    }
    Ok(())
}

/// Something of the library that is kept until it is closed, and that a forked child leaves alone: locks may be held
/// there by threads that are gone, and closing a connection would close the parent's.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    generation: u32,
    value: RwLock<Option<T>>,
}

impl<T: Clone> Kept<T> {
    pub(crate) fn new(value: T) -> Self {
        Kept { generation: generation(), value: RwLock::new(Some(value)) }
    }

    /// The value.
    ///
    /// # Errors
    /// `InvalidOperation` when it was closed, or belongs to the parent process.
    pub(crate) fn get(&self) -> Result<T> {
        if self.generation != generation() {
            return Err(Error::invalid_operation("was opened before this process was forked; open it again here"));
        }
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        value.clone().ok_or_else(|| Error::invalid_operation("its observatory was closed"))
    }

    /// True in the process that opened it.
    pub(crate) fn is_ours(&self) -> bool {
        self.generation == generation()
    }

    /// True when it was closed, or belongs to the parent process.
    pub(crate) fn is_closed(&self) -> bool {
        self.get().is_err()
    }
}

impl<T> Kept<T> {
    /// Lets it go.
    pub(crate) fn close(&self) {
        if self.generation == generation() {
            drop(self.value.write().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if self.generation != generation() {
            mem::forget(self.value.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}
