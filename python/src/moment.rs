//! Moments and spans of time: `datetime` in UTC and seconds as Python has them.

use crate::error::Invalid;
use astrobackend::Timestamp;
use pyo3::{prelude::*, sync::PyOnceLock};
use std::time::Duration;

/// `datetime(1970, 1, 1, tzinfo=timezone.utc)` and `timedelta`.
fn epoch(py: Python<'_>) -> PyResult<&'static (Py<PyAny>, Py<PyAny>)> {
    static EPOCH: PyOnceLock<(Py<PyAny>, Py<PyAny>)> = PyOnceLock::new();
    EPOCH.get_or_try_init(py, || {
        let module = py.import("datetime")?;
        let utc = module.getattr("timezone")?.getattr("utc")?;
        let epoch = module.getattr("datetime")?.call_method1("fromtimestamp", (0, utc))?;
        Ok((epoch.unbind(), module.getattr("timedelta")?.unbind()))
    })
}

/// A moment, to the microsecond.
pub(crate) fn datetime(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let (epoch, timedelta) = epoch(py)?;
    let since = timedelta.bind(py).call1((0, 0, at.as_microsecond()))?;
    epoch.bind(py).add(since)
}

/// The moment of a `datetime`; one without a zone is taken as UTC.
pub(crate) fn timestamp(value: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let py = value.py();
    let (epoch, timedelta) = epoch(py)?;
    let epoch = epoch.bind(py);
    if !value.is_instance(&epoch.get_type())? {
        return Err(Invalid(format!("{} is no datetime", value.repr()?)).into());
    }
    let aware = match value.getattr("tzinfo")?.is_none() {
        true => {
            let zone = pyo3::types::PyDict::new(py);
            zone.set_item("tzinfo", epoch.getattr("tzinfo")?)?;
            value.call_method("replace", (), Some(&zone))?
        }
        false => value.clone(),
    };
    let microsecond = timedelta.bind(py).call1((0, 0, 1))?;
    let since: i64 = aware.sub(epoch)?.floor_div(microsecond)?.extract()?;
    Timestamp::from_microsecond(since).map_err(|_| Invalid(format!("{value} is no moment that can be used")).into())
}

/// A span of time in seconds.
pub(crate) fn duration(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| Invalid(format!("{seconds} is no time in seconds")).into())
}
