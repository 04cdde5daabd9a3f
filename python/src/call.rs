//! Calls into the library: without the GIL, within a deadline, and ended by Ctrl-C.
//!
//! What is answered from memory runs at once on the caller's thread. Python delivers signals to its main thread only,
//! and only while that runs Python; so a call of the main thread that may wait runs on another thread ([`pool`]) while
//! the main thread looks for signals. Ctrl-C cancels what waits, which stops what was started, and is raised then.
//! A call with a deadline of its own runs there too. All are made within these limits ([`Wait::within`]), so that a call
//! that waits for a server or a driver ends with them and is not left behind.

use crate::{error::raise, logging, pool, process::generation};
use astrobackend::{Cancel, Error, Result, Wait};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use std::{
    cell::Cell,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

/// Time between two looks for signals.
const LOOK: Duration = Duration::from_millis(50);

/// How long a cancelled call has to stop what it started before Ctrl-C is raised nevertheless.
const STOP: Duration = Duration::from_millis(400);

/// A call that may wait.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// What is asked, for the error.
    pub(crate) what: &'static str,
    /// The device that is asked.
    pub(crate) device: Option<String>,
    /// The longest that the caller wants to wait.
    pub(crate) timeout: Option<Duration>,
    /// Ends the wait.
    pub(crate) cancel: Cancel,
    /// When it is left behind it still has something to stop, for which the program's end waits.
    pub(crate) stops: bool,
}

/// What comes from the thread of a call.
enum Note<T, P> {
    Progress(P),
    Done(Result<T>),
}

/// Tells of progress.
#[derive(Debug)]
pub(crate) struct Report<T, P>(Option<Sender<Note<T, P>>>);

impl<T, P> Report<T, P> {
    pub(crate) fn tell(&self, progress: P) {
        if let Some(sender) = &self.0 {
            // Nobody listens any more: the call was left behind.
            sender.send(Note::Progress(progress)).ok();
        }
    }
}

/// Runs what is answered from memory.
pub(crate) fn at_once<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    let done = py.detach(work);
    logging::deliver(py);
    raise(done)
}

impl Call {
    /// Runs what may wait.
    pub(crate) fn run<T: Send + 'static>(
        self,
        py: Python<'_>,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        self.watched(py, |_: &Report<T, ()>| work(), None)
    }

    /// Runs what may wait and tells of its progress meanwhile; an exception of the one who is told ends the call.
    pub(crate) fn watched<T: Send + 'static, P: Send + 'static>(
        self,
        py: Python<'_>,
        work: impl FnOnce(&Report<T, P>) -> Result<T> + Send + 'static,
        mut told: Option<&mut dyn FnMut(P) -> PyResult<()>>,
    ) -> PyResult<T> {
        if self.timeout.is_some_and(|timeout| timeout.is_zero()) {
            // A call that may take no time is not begun.
            return raise(Err(self.too_late()));
        }
        let limit = Wait::new(self.timeout.unwrap_or(Duration::MAX)).cancelled_by(&self.cancel);
        if self.timeout.is_none() && told.is_none() && !is_main_thread(py)? {
            return at_once(py, || limit.within(|| work(&Report(None))));
        }
        let (sender, notes) = channel();
        let report = Report(told.is_some().then(|| sender.clone()));
        let left = Left::default();
        let over = left.clone();
        let job = move || {
            let done = limit.within(|| work(&report));
            // Nobody listens any more: the call was left behind.
            sender.send(Note::Done(done)).ok();
            over.end();
        };
        pool::run(Box::new(job))?;
        let done = self.attend(py, notes, &mut told);
        if self.stops && self.cancel.is_cancelled() {
            left.leave();
        }
        logging::deliver(py);
        done
    }

    fn attend<T: Send, P: Send>(
        &self,
        py: Python<'_>,
        mut notes: Receiver<Note<T, P>>,
        told: &mut Option<&mut dyn FnMut(P) -> PyResult<()>>,
    ) -> PyResult<T> {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map_or(LOOK, |at| at.saturating_duration_since(Instant::now()).min(LOOK));
            match receive(py, &mut notes, left) {
                Ok(Note::Done(done)) => return raise(done),
                Ok(Note::Progress(progress)) => {
                    let heard = told.as_mut().map_or(Ok(()), |told| told(progress));
                    heard.or_else(|raised| self.stop(py, &mut notes, raised))?;
                }
                Err(RecvTimeoutError::Timeout) => {
                    py.check_signals().or_else(|signal| self.stop(py, &mut notes, signal))?;
                    if deadline.is_some_and(|at| at <= Instant::now()) {
                        self.cancel.cancel();
                        return raise(Err(self.too_late()));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err(format!("{}: the call failed without an answer", self.what)));
                }
            }
        }
    }

    /// Stops what was started, and raises what made that necessary.
    fn stop<T: Send, P: Send>(&self, py: Python<'_>, notes: &mut Receiver<Note<T, P>>, why: PyErr) -> PyResult<()> {
        self.cancel.cancel();
        let deadline = Instant::now() + STOP;
        while let Ok(Note::Progress(_)) = receive(py, notes, deadline.saturating_duration_since(Instant::now())) {}
        Err(why)
    }

    fn too_late(&self) -> Error {
        let error = Error::timeout(self.what, self.timeout.unwrap_or_default());
        match &self.device {
            Some(device) => error.on(device),
            None => error,
        }
    }
}

/// A call that was left behind although it has something to stop.
#[derive(Clone, Debug, Default)]
struct Left(Arc<AtomicU8>);

const RUNNING: u8 = 0;
const LEFT: u8 = 1;
const OVER: u8 = 2;

/// How many there are.
static STOPPING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// The longest that the end of the program waits for them: what the slowest server may take to answer.
const LAST_WAIT: Duration = Duration::from_secs(20);

impl Left {
    fn count(change: impl FnOnce(&mut usize)) {
        change(&mut STOPPING.0.lock().unwrap_or_else(PoisonError::into_inner));
        STOPPING.1.notify_all();
    }

    fn leave(&self) {
        if self.0.compare_exchange(RUNNING, LEFT, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            Left::count(|stopping| *stopping += 1);
        }
    }

    fn end(&self) {
        if self.0.swap(OVER, Ordering::SeqCst) == LEFT {
            Left::count(|stopping| *stopping = stopping.saturating_sub(1));
        }
    }
}

/// Waits until devices that were told to stop have heard it; Python calls this when the program ends.
#[pyfunction]
fn at_exit(py: Python<'_>) -> PyResult<()> {
    let (loaded_in, deadline) = (generation(), Instant::now() + LAST_WAIT);
    // In a forked child there are none of the parent's threads.
    while loaded_in == 0 && Instant::now() < deadline {
        let none = py.detach(|| {
            let stopping = STOPPING.0.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = STOPPING.1.wait_timeout_while(stopping, LOOK, |stopping| *stopping > 0);
            *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
        });
        if none {
            break;
        }
        py.check_signals()?;
    }
    Ok(())
}

/// Has the end of the program wait for what is still to be stopped.
pub(crate) fn watch_exit(py: Python<'_>) -> PyResult<()> {
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(at_exit, py)?,)).map(drop)
}

fn receive<N: Send>(py: Python<'_>, notes: &mut Receiver<N>, wait: Duration) -> Result<N, RecvTimeoutError> {
    py.detach(move || notes.recv_timeout(wait))
}

/// True on the thread to which Python delivers signals.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    thread_local! {
        static MAIN: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
    }
    if let Some((_, main)) = MAIN.get().filter(|(then, _)| *then == generation()) {
        return Ok(main);
    }
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    let main = main.eq(threading.call_method0("get_ident")?)?;
    MAIN.set(Some((generation(), main)));
    Ok(main)
}
