//! Who reads: callers while they wait for answers, and the connection's own thread when none has done so for a moment.

use crate::sync::lock;
use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// So long after the last call the next one is not expected at once.
const QUIET: Duration = Duration::from_millis(20);

#[derive(Debug, Default)]
struct Calls {
    waiting: usize,
    last: Option<Instant>,
    /// The connection ends, or has ended.
    woken: bool,
}

/// The calls that wait for answers.
#[derive(Debug, Default)]
pub(super) struct Turns {
    calls: Mutex<Calls>,
    quiet: Condvar,
}

/// A call that waits.
pub(super) struct Call<'a>(&'a Turns);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut calls = lock(&self.0.calls);
        calls.waiting -= 1;
        calls.last = Some(Instant::now());
    }
}

impl Turns {
    /// A call begins to wait.
    pub(super) fn call(&self) -> Call<'_> {
        lock(&self.calls).waiting += 1;
        Call(self)
    }

    /// Waits until no call has waited for a moment, or until woken.
    pub(super) fn await_quiet(&self) {
        let mut calls = lock(&self.calls);
        loop {
            let recent = calls.last.map_or(QUIET, |last| last.elapsed().min(QUIET));
            if calls.woken || calls.waiting == 0 && recent >= QUIET {
                calls.woken = false;
                return;
            }
            let pause = if calls.waiting > 0 { QUIET } else { QUIET - recent };
            calls = self.quiet.wait_timeout(calls, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends [`Turns::await_quiet`] once.
    pub(super) fn wake(&self) {
        lock(&self.calls).woken = true;
        self.quiet.notify_all();
    }
}
