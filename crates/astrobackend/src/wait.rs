//! Waiting without ever hanging: deadlines, cancellation, and start-and-poll operations.

use crate::{Error, ErrorKind, Result, sync::lock};
use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A moment after which a call gives up.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// From now on for a while.
    pub fn after(timeout: Duration) -> Self {
        // A limit beyond the clock's range is as good as none.
        Deadline(Instant::now().checked_add(timeout))
    }

    /// Time left, zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.0.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()))
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

/// How long to wait for something that was started, how often to look, and what may end it early.
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
    /// The longest wait; then what was started is aborted and [`ErrorKind::Timeout`] returned.
    pub timeout: Duration,
    /// Time between two looks at the device.
    pub poll: Duration,
    /// Ends the wait from outside; what was started is aborted and [`ErrorKind::Cancelled`] returned.
    pub cancel: Cancel,
}

impl Wait {
    /// Waits at most `timeout`, looking every 20 milliseconds.
    pub fn new(timeout: Duration) -> Self {
        Wait { timeout, poll: Duration::from_millis(20), cancel: Cancel::new() }
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

    /// Looks until `look` has an answer; on timeout and on cancel runs `abort` and fails.
    ///
    /// `what` completes the sentence "… did not finish within 30 s". An error of `look`
    /// also runs `abort`: the device may still be moving. A failure of `abort` is added
    /// to the sentence, so that nobody believes the device has stopped.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`], [`ErrorKind::Cancelled`], or what `look` failed with.
    pub fn until<T>(
        &self,
        what: impl fmt::Display,
        mut look: impl FnMut() -> Result<Option<T>>,
        abort: impl FnOnce() -> Result<()>,
    ) -> Result<T> {
        let deadline = Deadline::after(self.timeout);
        let failure = loop {
            // Asked before the look: a device that is never looked at again must still be stopped.
            if self.cancel.is_cancelled() {
                break Error::new(ErrorKind::Cancelled, format!("{what} was cancelled"));
            }
            match look() {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(error) => break error,
            }
            let left = deadline.remaining();
            if left.is_zero() {
                break Error::timeout(&what, self.timeout);
            }
            self.cancel.wait(self.poll.min(left));
        };
        Err(match abort() {
            Ok(()) => failure,
            Err(abort) => {
                let message = format!("{}; stopping it failed too: {}", failure.message(), abort.message());
                let with_both = Error::new(failure.kind(), message).caused_by(abort);
                match failure.device() {
                    Some(device) => with_both.on(device),
                    None => with_both,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
