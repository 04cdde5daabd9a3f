//! Waiting without ever hanging: deadlines, cancellation, limits for single calls, and start-and-poll operations.
//!
//! Every backend bounds its calls by the options of its address. A program that wants less for one call, or wants to
//! end it from another thread, makes it [`within`](Wait::within) a [`Wait`]: whatever the call waits for on its
//! thread then ends at that limit too. The limit is the thread's, not an argument, so that it holds for every call
//! of every trait, through all layers; whatever waits asks its [`Deadline`], which knows it.

use crate::{Error, Result, sync::lock};
use std::{
    cell::RefCell,
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The longest that anything which cannot be woken sleeps before it looks whether its call was cancelled.
pub(crate) const TICK: Duration = Duration::from_millis(25);

/// How long stopping what was started may take, unless a [`Wait`] says otherwise.
const STOPPING: Duration = Duration::from_secs(5);

/// A moment after which a call gives up: its own, or that of [`Wait::within`] if it comes first.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// From now on for a while.
    pub fn after(timeout: Duration) -> Self {
        // A limit beyond the clock's range is as good as none.
        let own = Instant::now().checked_add(timeout);
        let callers = current(|scope| scope.deadline).flatten();
        Deadline(own.into_iter().chain(callers).min())
    }

    /// Time left, zero once it has passed or once the present thread's call was cancelled.
    pub fn remaining(&self) -> Duration {
        if current(Scope::is_cancelled) == Some(true) {
            return Duration::ZERO;
        }
        self.0.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()))
    }

    /// How long to sleep at most before looking at [`Deadline::remaining`] again.
    pub(crate) fn pause(&self) -> Duration {
        let left = self.remaining();
        if current(|scope| scope.cancels.is_empty()) == Some(false) { left.min(TICK) } else { left }
    }

    /// True once it has passed.
    pub fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }
}

/// A switch that ends a wait from another thread; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<(Mutex<bool>, Condvar)>);

impl Cancel {
    /// Not cancelled yet.
    pub fn new() -> Self {
        Cancel::default()
    }

    /// Ends every wait that holds a clone, now and later.
    pub fn cancel(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }

    /// True once cancelled.
    pub fn is_cancelled(&self) -> bool {
        *lock(&self.0.0)
    }

    /// Waits until cancelled, at most `timeout`; true if cancelled.
    pub fn wait(&self, timeout: Duration) -> bool {
        let guard = lock(&self.0.0);
        let waited = self.0.1.wait_timeout_while(guard, timeout, |cancelled| !*cancelled);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

thread_local! {
    /// What bounds the calls of this thread.
    static SCOPE: RefCell<Option<Arc<Scope>>> = const { RefCell::new(None) };
}

/// The limits of all the [`Wait::within`] that a thread is in, taken together.
#[derive(Debug)]
struct Scope {
    deadline: Option<Instant>,
    /// The time that led to the deadline.
    timeout: Duration,
    cancels: Vec<Cancel>,
    stopping: Duration,
}

/// Puts back what was, also when a call panics.
struct Entered(Option<Arc<Scope>>);

impl Drop for Entered {
    fn drop(&mut self) {
        SCOPE.set(self.0.take());
    }
}

fn current<T>(look: impl FnOnce(&Scope) -> T) -> Option<T> {
    SCOPE.with_borrow(|scope| scope.as_deref().map(look))
}

impl Scope {
    /// These limits within those of the thread.
    fn enter(wait: &Wait) -> Entered {
        let own = Instant::now().checked_add(wait.timeout);
        let mut scope = Scope { deadline: own, timeout: wait.timeout, cancels: Vec::new(), stopping: wait.stopping };
        current(|outer| {
            scope.cancels.clone_from(&outer.cancels);
            scope.stopping = scope.stopping.min(outer.stopping);
            if outer.deadline.is_some_and(|at| own.is_none_or(|own| at < own)) {
                (scope.deadline, scope.timeout) = (outer.deadline, outer.timeout);
            }
        });
        if !scope.cancels.iter().any(|known| Arc::ptr_eq(&known.0, &wait.cancel.0)) {
            scope.cancels.push(wait.cancel.clone());
        }
        Scope::put(Some(Arc::new(scope)))
    }

    /// A time of its own for stopping what was started, whatever became of the limits.
    fn stopping(longest: Duration) -> Entered {
        let timeout = current(|scope| scope.stopping).map_or(longest, |outer| outer.min(longest));
        let deadline = Instant::now().checked_add(timeout);
        Scope::put(Some(Arc::new(Scope { deadline, timeout, cancels: Vec::new(), stopping: timeout })))
    }

    fn put(scope: Option<Arc<Scope>>) -> Entered {
        Entered(SCOPE.replace(scope))
    }

    fn is_cancelled(&self) -> bool {
        self.cancels.iter().any(Cancel::is_cancelled)
    }

    fn end(&self) -> Option<End> {
        if self.is_cancelled() {
            return Some(End::Cancelled);
        }
        self.deadline.is_some_and(|at| at <= Instant::now()).then_some(End::Late(self.timeout))
    }
}

/// How the limit of the present thread's call has ended it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// So much time was allowed, and is over.
    Late(Duration),
    /// It was cancelled.
    Cancelled,
}

/// Whether the limit of the present thread's call has ended it: what is not done by now is the caller's choice, and
/// says nothing about the peer.
pub(crate) fn ended() -> Option<End> {
    current(Scope::end).flatten()
}

/// Rests for a while; less when the present thread's call ends.
pub(crate) fn rest(pause: Duration) {
    let deadline = Deadline::after(pause);
    let cancels = current(|scope| scope.cancels.clone()).unwrap_or_default();
    let innermost = cancels.last().cloned().unwrap_or_default();
    while !deadline.has_passed() {
        // The innermost one wakes at once.
        innermost.wait(if cancels.len() > 1 { deadline.pause() } else { deadline.remaining() });
    }
}

/// Makes work for another thread that stays within the limits of this one's call.
pub(crate) fn inherit<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let scope = SCOPE.with_borrow(Clone::clone);
    move || {
        let _entered = Scope::put(scope);
        work()
    }
}

/// How long to wait for something that was started, how often to look, and what may end it early; or how long a call
/// may take, and what may end it early.
///
/// ```
/// # fn main() -> astrobackend::Result<()> {
/// use astrobackend::{Wait, device::FilterWheelExt};
/// use std::time::Duration;
/// let wheel = astrobackend::open("sim://?speed=100")?.filter_wheel()?;
/// wheel.connect()?;
/// wheel.select("Ha", &Wait::new(Duration::from_secs(30)))?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Wait {
    /// The longest wait; then what was started is aborted and [`Timeout`](crate::ErrorKind::Timeout) returned.
    pub timeout: Duration,
    /// Time between two looks at the device.
    pub poll: Duration,
    /// Ends the wait from outside; what was started is aborted and [`Cancelled`](crate::ErrorKind::Cancelled) returned.
    pub cancel: Cancel,
    /// How long aborting what was started may take after that, where the server answers slowly or not at all.
    pub stopping: Duration,
}

impl Wait {
    /// Waits at most `timeout`, looking every 20 milliseconds; stopping may take five seconds more.
    pub fn new(timeout: Duration) -> Self {
        Wait { timeout, poll: Duration::from_millis(20), cancel: Cancel::new(), stopping: STOPPING }
    }

    /// Enough for an exposure of this length: itself, plus two minutes to read and deliver it.
    pub fn for_exposure(exposure: Duration) -> Self {
        Wait::new(exposure.saturating_add(Duration::from_secs(120)))
    }

    /// With this switch to end it.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }

    /// With this time between two looks.
    #[must_use]
    pub fn every(mut self, poll: Duration) -> Self {
        self.poll = poll;
        self
    }

    /// With this time for stopping what was started.
    #[must_use]
    pub fn stopping_within(mut self, stopping: Duration) -> Self {
        self.stopping = stopping;
        self
    }

    /// Makes calls that end by this limit, whatever they wait for: the network, a driver, another call.
    ///
    /// Everything that `work` calls on this thread returns at the latest a few hundredths of a second after the
    /// timeout or the cancel, and can be called again: a request that was cut off is forgotten, its late answer
    /// ignored, and the link to the server stays as it is. Whether the server did what it was asked is then unknown.
    /// Limits within limits: the first one counts. The limits of the backend's address hold as well. What is waited
    /// for without the library (a file of the network, a person at a driver's window) does not end.
    ///
    /// ```
    /// # fn main() -> astrobackend::Result<()> {
    /// use astrobackend::Wait;
    /// use std::time::Duration;
    /// let focuser = astrobackend::open("sim:")?.focuser()?;
    /// focuser.connect()?;
    /// let state = Wait::new(Duration::from_secs(2)).within(|| focuser.state())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Timeout`](crate::ErrorKind::Timeout), [`Cancelled`](crate::ErrorKind::Cancelled), or what `work` fails with.
    pub fn within<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let _entered = Scope::enter(self);
        match ended() {
            // Not begun, so that nothing has to be stopped.
            Some(_) => Err(Error::timeout("the call", self.timeout)),
            None => work(),
        }
    }

    /// Starts something within the limit, then as [`Wait::until`]: the whole takes no longer than the limit.
    ///
    /// A start that the limit cut short is stopped too: nobody knows whether it was heard.
    ///
    /// # Errors
    /// As [`Wait::until`], or what `start` fails with.
    pub fn run<T>(
        &self,
        what: impl fmt::Display,
        start: impl FnOnce() -> Result<()>,
        look: impl FnMut() -> Result<Option<T>>,
        abort: impl FnOnce() -> Result<()>,
    ) -> Result<T> {
        self.within(|| match start() {
            Ok(()) => self.until(what, look, abort),
            Err(error) if ended().is_some() => Err(self.stop(error, abort)),
            Err(error) => Err(error),
        })
    }

    /// Looks until `look` has an answer; on timeout and on cancel runs `abort` and fails.
    ///
    /// `what` completes the sentence "… did not finish within 30 s". An error of `look`
    /// also runs `abort`: the device may still be moving. A failure of `abort` is added
    /// to the sentence, so that nobody believes the device has stopped. A look that hangs ends with the wait.
    ///
    /// # Errors
    /// [`Timeout`](crate::ErrorKind::Timeout), [`Cancelled`](crate::ErrorKind::Cancelled), or what `look` failed with.
    pub fn until<T>(
        &self,
        what: impl fmt::Display,
        look: impl FnMut() -> Result<Option<T>>,
        abort: impl FnOnce() -> Result<()>,
    ) -> Result<T> {
        self.look(&what, look).map_err(|failure| self.stop(failure, abort))
    }

    fn look<T>(&self, what: &dyn fmt::Display, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let _entered = Scope::enter(self);
        let deadline = Deadline::after(self.timeout);
        loop {
            // Asked before the look: a device that is never looked at again must still be stopped.
            if ended() == Some(End::Cancelled) {
                return Err(Error::timeout(what, self.timeout));
            }
            match look() {
                Ok(Some(answer)) => return Ok(answer),
                // The look was cut short: what ended is the wait.
                Err(error) if ended().is_some() => {
                    let over = Error::timeout(what, self.timeout);
                    return Err(error.device().map_or(over.clone(), |device| over.on(device)).caused_by(error));
                }
                Err(error) => return Err(error),
                Ok(None) if deadline.has_passed() => return Err(Error::timeout(what, self.timeout)),
                Ok(None) => rest(self.poll),
            }
        }
    }

    /// Stops what was started, in a time of its own; the failure that led to it, with what stopping failed with.
    fn stop(&self, failure: Error, abort: impl FnOnce() -> Result<()>) -> Error {
        let _entered = Scope::stopping(self.stopping);
        let Err(abort) = abort() else { return failure };
        let message = format!("{}; stopping it failed too: {}", failure.message(), abort.message());
        let with_both = Error::new(failure.kind(), message).caused_by(abort);
        match failure.device() {
            Some(device) => with_both.on(device),
            None => with_both,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_timeout_aborts_and_says_what() {
        let mut aborted = false;
        let wait = Wait::new(Duration::from_millis(5));
        let error = wait
            .until(
                "the move",
                || Ok(None::<()>),
                || {
                    aborted = true;
                    Ok(())
                },
            )
            .unwrap_err();
        assert!(aborted);
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.to_string().starts_with("the move did not finish"), "{error}");
    }

    #[test]
    fn a_cancel_ends_a_long_wait_at_once() {
        let wait = Wait::new(Duration::from_secs(600)).every(Duration::from_secs(600));
        let cancel = wait.cancel.clone();
        let thread =
            std::thread::spawn(move || wait.until("it", || Ok(None::<()>), || Err(Error::invalid("no brake"))));
        cancel.cancel();
        let error = thread.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(error.to_string().contains("no brake"));
    }

    #[test]
    fn a_limit_counts_for_every_deadline_within_it() {
        let short = Wait::new(Duration::from_millis(1));
        let error = short
            .within(|| {
                let deadline = Deadline::after(Duration::from_secs(600));
                rest(deadline.remaining());
                assert!(deadline.has_passed());
                Err::<(), _>(Error::timeout("the state", Duration::from_secs(600)))
            })
            .unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Timeout, "the state did not finish within 1.0ms"));
        assert!(Deadline::after(Duration::from_secs(600)).remaining() > Duration::from_secs(500), "it is over");
    }

    #[test]
    fn the_first_of_limits_within_limits_counts() {
        let (outer, inner) = (Wait::new(Duration::from_secs(600)), Wait::new(Duration::from_secs(600)));
        outer.cancel.cancel();
        assert_eq!(outer.within(|| Ok(())).unwrap_err().kind(), ErrorKind::Cancelled, "and is not begun");
        let cancel = Cancel::new();
        let outer = Wait::new(Duration::from_secs(600)).cancelled_by(&cancel);
        let error = outer.within(|| {
            inner.until(
                "it",
                || {
                    cancel.cancel();
                    Ok(None::<()>)
                },
                || Ok(()),
            )
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn stopping_has_a_time_of_its_own() {
        let wait = Wait::new(Duration::ZERO).stopping_within(Duration::from_secs(60));
        let mut left = Duration::ZERO;
        let stop = || {
            left = Deadline::after(Duration::from_secs(600)).remaining();
            Ok(())
        };
        let outer = Wait::new(Duration::from_millis(20));
        outer.within(|| wait.until("it", || Ok(None::<()>), stop)).unwrap_err();
        assert!(left > Duration::from_secs(1) && left <= Duration::from_secs(60), "{left:?}");
        let mut stopped = false;
        let cut = Wait::new(Duration::from_millis(1)).run(
            "it",
            || {
                rest(Duration::from_secs(600));
                Err(Error::timeout("starting", Duration::from_secs(600)))
            },
            || Ok(None::<()>),
            || {
                stopped = true;
                Ok(())
            },
        );
        assert!(cut.is_err() && stopped, "nobody knows whether the start was heard");
    }

    #[test]
    fn another_thread_keeps_to_the_limit() {
        let wait = Wait::new(Duration::from_secs(600));
        let cancel = wait.cancel.clone();
        let done = wait.within(|| {
            let work = inherit(|| {
                rest(Duration::from_secs(600));
                ended()
            });
            let thread = std::thread::spawn(work);
            cancel.cancel();
            Ok(thread.join().unwrap())
        });
        assert_eq!(done.unwrap(), Some(End::Cancelled));
    }
}
