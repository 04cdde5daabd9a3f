//! The clock of a simulated world: where its night begins and how fast it passes.
//!
//! Inside a world all times are seconds since its beginning (`f64`, exact to better than a
//! microsecond for years); only reports to the outside become UTC.

use crate::Timestamp;
use jiff::SignedDuration;
use std::time::{Duration, Instant};

/// A moment of a world: its seconds, and what they are to the outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Now {
    /// Of the device that is asked: its time passes no further while it stands still.
    pub(super) seconds: f64,
    /// Of the world.
    pub(super) world: f64,
    pub(super) utc: Timestamp,
}

/// Counts the seconds of a world.
#[derive(Debug)]
pub(super) struct Clock {
    start: Timestamp,
    speed: f64,
    began: Instant,
    /// Tests move the hands instead of sleeping.
    #[cfg(test)]
    skipped: std::sync::atomic::AtomicU64,
}

impl Clock {
    /// Begins now, at `start`, and passes `speed` times as fast as ours.
    pub(super) fn new(start: Timestamp, speed: f64) -> Self {
        Clock {
            start,
            speed,
            began: Instant::now(),
            #[cfg(test)]
            skipped: Default::default(),
        }
    }

    /// This moment; never before an earlier one.
    pub(super) fn now(&self) -> Now {
        let seconds = self.seconds();
        Now { seconds, world: seconds, utc: self.utc(seconds) }
    }

    fn seconds(&self) -> f64 {
        let run = self.began.elapsed().as_secs_f64() * self.speed;
        #[cfg(test)]
        let run = run + self.skipped.load(std::sync::atomic::Ordering::SeqCst) as f64 * 1e-6;
        run
    }

    /// The UTC of a moment of the world.
    pub(super) fn utc(&self, seconds: f64) -> Timestamp {
        // To the microsecond: finer digits of a float would only be noise.
        let since = SignedDuration::try_from_secs_f64((seconds * 1e6).round() / 1e6).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(since).unwrap_or(Timestamp::MAX)
    }

    /// Stands still until it is advanced.
    #[cfg(test)]
    pub(super) fn manual(start: Timestamp) -> Self {
        Clock::new(start, 0.0)
    }

    #[cfg(test)]
    pub(super) fn advance(&self, by: Duration) {
        self.skipped.fetch_add(by.as_micros() as u64, std::sync::atomic::Ordering::SeqCst);
    }
}

/// A duration in seconds of the world; never fails.
pub(super) fn duration(seconds: f64) -> Duration {
    // Whole microseconds, so that a duration of the contract comes back as it was given.
    Duration::from_micros((seconds.max(0.0) * 1e6).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_passes_faster() {
        let start: Timestamp = "2026-01-15T21:30:00Z".parse().unwrap();
        let clock = Clock::new(start, 1e5);
        let first = clock.now().seconds;
        let real = Instant::now();
        while real.elapsed() < Duration::from_millis(1) {}
        assert!(clock.now().seconds - first >= 100.0);
        assert_eq!(clock.utc(90.5).to_string(), "2026-01-15T21:31:30.5Z");
        assert_eq!(clock.utc(1e300), Timestamp::MAX);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(3));
        assert_eq!(clock.now().seconds, 3.0);
        assert_eq!(duration(0.1 + 0.2), Duration::from_millis(300));
    }
}
