//! Events: an iterator over what happens at an observatory.

use crate::{
    camera::CameraState,
    choice::{Choice, Kind, LinkStatus, Verdict},
    device::DeviceInfo,
    error::exception,
    filter_wheel::FilterWheelState,
    focuser::FocuserState,
    logging,
    moment::{datetime, duration},
    mount::MountState,
    process::Kept,
    record::{into, record},
};
use astrobackend::{
    Error,
    device::DeviceState,
    event::{self, EventKind},
    wait::Deadline,
};
use pyo3::{prelude::*, types::PyDict};
use std::{sync::Arc, time::Duration};

/// Time between two looks for Ctrl-C and the end.
const LOOK: Duration = Duration::from_millis(50);

record! {
    /// The link to a server or driver.
    Link(event::Link), pickled as |this, py| {
        /// Whether it is up.
        status: match this {
            event::Link::Up => LinkStatus::Up,
            event::Link::Restoring => LinkStatus::Restoring,
            _ => LinkStatus::Lost,
        }.member(py)?,
        /// When its loss was noticed.
        since: match this {
            event::Link::Lost { since, .. } => Some(datetime(py, *since)?),
            _ => None,
        },
        /// Why it was lost.
        why: match this {
            event::Link::Lost { why, .. } => Some(exception(py, why)?),
            _ => None,
        },
    }
}

record! {
    /// One piece of news; the members that do not belong to its kind are `None`.
    Event(event::Event), pickled as |this, py| {
        /// When it was noticed, UTC.
        at: datetime(py, this.at)?,
        /// The device, `None` for the observatory as a whole.
        device: this.device.as_ref().map(|id| &id.name),
        /// What the device is.
        device_kind: this.device.as_ref().map(|id| id.kind.member(py)).transpose()?,
        /// What happened.
        kind: kind(&this.kind).member(py)?,
        /// Whether the device was connected.
        connected: match &this.kind {
            EventKind::Connected(connected) => Some(*connected),
            _ => None,
        },
        /// The device's new state.
        state: match &this.kind {
            EventKind::State(state) => Some(self::state(py, state)?),
            _ => None,
        },
        /// What the device that appeared is.
        info: match &this.kind {
            EventKind::Added(info) => Some(DeviceInfo((info.clone(), None))),
            _ => None,
        },
        /// How much the message matters.
        level: match &this.kind {
            EventKind::Message(level, _) => Some(level.member(py)?),
            _ => None,
        },
        /// What the device or the server said.
        text: match &this.kind {
            EventKind::Message(_, text) => Some(text),
            _ => None,
        },
        /// The link as it is now.
        link: match &this.kind {
            EventKind::Link(link) => Some(Link(link.clone())),
            _ => None,
        },
        /// The number of the exposure whose picture was judged.
        exposure_number: match &this.kind {
            EventKind::Frame { number, .. } => Some(*number),
            _ => None,
        },
        /// What the frame guard thinks of the picture.
        verdict: match &this.kind {
            EventKind::Frame { verdict, .. } => Some(Verdict::from(verdict).member(py)?),
            _ => None,
        },
        /// What is wrong with the picture.
        verdict_reason: match &this.kind {
            EventKind::Frame { verdict, .. } => verdict.why(),
            _ => None,
        },
        /// What of a device that was lost and is back was read back, and is as it was declared.
        restored: match &this.kind {
            EventKind::Restored { restored, .. } => Some(restored.clone()),
            _ => None,
        },
        /// What is not, and why.
        failed: match &this.kind {
            EventKind::Restored { failed, .. } => Some(failures(py, failed)?),
            _ => None,
        },
        /// How many events this listener lost just before, because it was too slow.
        lost: match &this.kind {
            EventKind::Lagged(lost) => Some(*lost),
            _ => None,
        },
    }
}

fn kind(kind: &EventKind) -> Kind {
    match kind {
        EventKind::Added(_) => Kind::Added,
        EventKind::Removed => Kind::Removed,
        EventKind::Connected(_) => Kind::Connected,
        EventKind::State(_) => Kind::State,
        EventKind::Link(_) => Kind::Link,
        EventKind::Frame { .. } => Kind::Frame,
        EventKind::Restored { .. } => Kind::Restored,
        EventKind::Lagged(_) => Kind::Lagged,
        _ => Kind::Message,
    }
}

fn failures<'py>(py: Python<'py>, failed: &[(String, Error)]) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    failed.iter().try_for_each(|(what, why)| all.set_item(what, exception(py, why)?))?;
    Ok(all)
}

fn state<'py>(py: Python<'py>, state: &DeviceState) -> PyResult<Bound<'py, PyAny>> {
    match state {
        DeviceState::Camera(state) => into(py, CameraState(state.clone())),
        DeviceState::FilterWheel(state) => into(py, FilterWheelState(*state)),
        DeviceState::Focuser(state) => into(py, FocuserState(*state)),
        DeviceState::Mount(state) => into(py, MountState(*state)),
        _ => into(py, py.None()),
    }
}

/// What happens at an observatory, from the moment that this was asked for. It can be iterated over, also with
/// `async for`; the iteration ends when the observatory is closed.
#[pyclass(frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Events(Kept<Arc<Vec<event::Events>>>);

impl Events {
    pub(crate) fn new(streams: Vec<event::Events>) -> Self {
        Events(Kept::new(Arc::new(streams)))
    }

    /// The next event; `None` at the deadline, and when nothing will come any more.
    ///
    /// It is waited for on the caller's own thread, a little at a time: nobody else may take an event along, and both
    /// Ctrl-C and the end of the subscription are to be noticed.
    fn wait(&self, py: Python<'_>, timeout: Duration) -> PyResult<Option<event::Event>> {
        let deadline = Deadline::after(timeout);
        loop {
            let Ok(streams) = self.0.get() else { return Ok(None) };
            // Asked before, so that what came last is not missed.
            let over = streams.iter().all(event::Events::is_closed);
            let found = py.detach(|| next(&streams, LOOK.min(deadline.remaining())));
            if found.is_some() || over || deadline.has_passed() {
                logging::deliver(py);
                return Ok(found);
            }
            py.check_signals()?;
        }
    }

    fn is_over(&self) -> bool {
        self.0.get().map_or(true, |streams| streams.iter().all(event::Events::is_closed))
    }
}

/// The next event of any stream.
fn next(streams: &[event::Events], timeout: Duration) -> Option<event::Event> {
    match streams {
        [only] => only.next(timeout),
        _ => streams.iter().find_map(|stream| stream.next(timeout / streams.len().max(1) as u32)),
    }
}

#[pymethods]
impl Events {
    /// True when nothing will come any more.
    #[getter]
    fn closed(&self) -> bool {
        self.is_over()
    }

    /// The next event, waiting for it no longer than `timeout` seconds (without one, until it comes); `None` when
    /// there is none.
    #[pyo3(signature = (timeout=None))]
    fn next(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Event>> {
        let timeout = timeout.map_or(Ok(Duration::MAX), duration)?;
        Ok(self.wait(py, timeout)?.map(Event))
    }

    /// Ends the subscription.
    fn close(&self) {
        self.0.close();
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        self.next(py, None)
    }

    fn __aiter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("astrobackend._aio")?.call_method1("next_event", (slf,))
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    #[pyo3(signature = (kind=None, error=None, trace=None))]
    fn __exit__(
        &self,
        kind: Option<&Bound<'_, PyAny>>,
        error: Option<&Bound<'_, PyAny>>,
        trace: Option<&Bound<'_, PyAny>>,
    ) {
        let _ = (kind, error, trace);
        self.close();
    }
}
