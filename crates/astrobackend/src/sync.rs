//! Locks that outlive a panic of who held them: what they guard is changed in one step, and so never half.

use crate::{Error, Result, wait::Deadline};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Takes a lock, whatever happened to its last holder.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A turn that one at a time has, for work that may take as long as a call: who waits for it has a deadline.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

/// The turn; it ends with this value.
pub(crate) struct Taken<'a>(&'a Turn);

impl Turn {
    /// The turn, unless it is not free before the deadline.
    pub(crate) fn take(&self, deadline: &Deadline) -> Option<Taken<'_>> {
        let mut taken = lock(&self.taken);
        while *taken {
            let pause = deadline.pause();
            if pause.is_zero() {
                return None;
            }
            taken = self.free.wait_timeout(taken, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        Some(Taken(self))
    }

    /// The turn, after whoever has it: he has a deadline himself, so that only the caller's limit counts.
    ///
    /// # Errors
    /// `Timeout` or `Cancelled`, by the limit of the caller.
    pub(crate) fn after_others(&self, what: &str) -> Result<Taken<'_>> {
        self.take(&Deadline::after(Duration::MAX)).ok_or_else(|| Error::timeout(what, Duration::MAX))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *lock(&self.0.taken) = false;
        self.0.free.notify_one();
    }
}
