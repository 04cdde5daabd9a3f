//! Locks that outlive a panic of who held them: what they guard is changed in one step, and so never half.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock, whatever happened to its last holder.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
