//! The library's log in Python's `logging`, under the name `astrobackend`.
//!
//! The library logs from threads of its own and while it holds locks, and so must never wait for the GIL: what it says
//! is kept in a queue, and handed over whenever a call of the package returns.

use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::{prelude::*, sync::PyOnceLock};
use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Messages that are kept; of more the oldest are lost.
const KEPT: usize = 1000;

/// Tries to get at the queue: a lock that a fork left behind is never free again.
const TRIES: usize = 1000;

static QUEUE: Mutex<VecDeque<(Level, String, String)>> = Mutex::new(VecDeque::new());
static WAITING: AtomicBool = AtomicBool::new(false);

struct Queue;

impl Log for Queue {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("astrobackend")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = (record.level(), record.target().replace("::", "."), record.args().to_string());
        if let Some(mut queue) = queue() {
            if queue.len() == KEPT {
                queue.pop_front();
            }
            queue.push_back(message);
            WAITING.store(true, Ordering::Release);
        }
    }

    fn flush(&self) {}
}

fn queue() -> Option<MutexGuard<'static, VecDeque<(Level, String, String)>>> {
    for _ in 0..TRIES {
        match QUEUE.try_lock() {
            Ok(queue) => return Some(queue),
            Err(TryLockError::Poisoned(queue)) => return Some(queue.into_inner()),
            Err(TryLockError::WouldBlock) => std::hint::spin_loop(),
        }
    }
    None
}

/// Listens to the library as far as Python's logger of its name wants to hear.
pub(crate) fn listen(py: Python<'_>) -> PyResult<()> {
    // A second time it is there already.
    log::set_logger(&Queue).ok();
    let level: u32 = logger(py)?.call_method0("getEffectiveLevel")?.extract()?;
    log::set_max_level(match level {
        0..10 => LevelFilter::Trace,
        10..20 => LevelFilter::Debug,
        20..30 => LevelFilter::Info,
        30..40 => LevelFilter::Warn,
        40..50 => LevelFilter::Error,
        _ => LevelFilter::Off,
    });
    Ok(())
}

/// Hands over what was said since the last time; an exception of a handler is the program's to see, not the call's.
pub(crate) fn deliver(py: Python<'_>) {
    if !WAITING.swap(false, Ordering::Acquire) {
        return;
    }
    let messages = queue().map(|mut queue| std::mem::take(&mut *queue)).unwrap_or_default();
    for (level, target, text) in messages {
        let number = match level {
            Level::Error => 40,
            Level::Warn => 30,
            Level::Info => 20,
            Level::Debug => 10,
            Level::Trace => 5,
        };
        let said = logger(py).and_then(|logger| logger.call_method1("log", (number, "%s: %s", target, text)));
        if let Err(error) = said {
            error.write_unraisable(py, None);
        }
    }
}

fn logger(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let logger = LOGGER.get_or_try_init(py, || {
        py.import("logging")?.call_method1("getLogger", ("astrobackend",)).map(Bound::unbind)
    })?;
    Ok(logger.bind(py))
}
