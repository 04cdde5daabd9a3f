//! Patience with what failed, or goes away again and again: twice as long each time.

use super::BACK_OFF;
use std::time::{Duration, Instant};

/// How long something is left alone, and until when.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Pause {
    length: Duration,
    until: Instant,
}

impl Pause {
    /// From now on twice as long as before, no longer than [`BACK_OFF`] has it; the first one is that long.
    pub(in crate::backend) fn after(before: Option<Pause>, first: Duration) -> Self {
        let length = before.map_or(first, |pause| (pause.length * 2).min(BACK_OFF.1));
        Pause { length, until: Instant::now() + length }
    }

    pub(in crate::backend) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    pub(in crate::backend) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// Ends now.
    pub(in crate::backend) fn end(&mut self) {
        self.until = Instant::now();
    }

    /// It has been over for as long as it lasted: what it was for may count as well.
    pub(in crate::backend) fn is_long_past(&self) -> bool {
        self.until.elapsed() >= self.length
    }
}
