//! Whose picture it is, and when it is there: an exposure from its start to its end, judged from what the server says.
//!
//! `ImageReady` alone cannot be trusted: some servers leave it true from the exposure before. A picture counts as that of
//! our exposure when the camera was seen busy with it, or said that an exposure began at another time than before, or
//! when the exposure time has passed.

use crate::{
    Timestamp,
    device::{Exposure, ExposureState},
    guard::Ticket,
    image::Frame,
};
use std::time::{Duration, Instant};

/// How long a camera may stand idle between the end of an exposure and its picture.
const GAP: Duration = Duration::from_secs(2);

/// How long beyond the exposure time a camera that was never seen busy may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An exposure that this client has started.
#[derive(Clone, Debug)]
pub(super) struct Taking {
    pub(super) exposure: Exposure,
    /// Our own clock at the start.
    pub(super) at: Timestamp,
    since: Instant,
    /// When the exposure before it began, as the server has it.
    before: Option<Timestamp>,
    pub(super) notes: Notes,
    /// What the frame guard knows it by.
    pub(super) ticket: Ticket,
    /// How often the way to the camera had been lost before.
    pub(super) losses: u64,
    /// How often the camera had to be connected again before.
    pub(super) rebirths: u64,
    seen_busy: bool,
    stopped: bool,
    idle_since: Option<Instant>,
}

/// The settings that an exposure was started with.
#[derive(Clone, Debug)]
pub(super) struct Notes {
    pub(super) frame: Frame,
    pub(super) gain: Option<f64>,
    pub(super) offset: Option<f64>,
    pub(super) readout_mode: Option<usize>,
}

/// What the server says of its camera.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    /// ASCOM's `CameraState`.
    pub(super) state: i64,
    /// `ImageReady`.
    pub(super) ready: bool,
    /// `PercentCompleted`.
    pub(super) percent: Option<f64>,
}

/// How an exposure stands.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Pending(ExposureState),
    /// The picture can be loaded.
    Arrived,
    /// The camera reports an error.
    Failed,
    /// It ended without a picture.
    Empty,
    /// Somebody else ended it.
    Aborted,
}

impl Taking {
    pub(super) fn new(
        exposure: Exposure,
        before: Option<Timestamp>,
        notes: Notes,
        ticket: impl FnOnce(&Notes, Timestamp) -> Ticket,
        (losses, rebirths): (u64, u64),
    ) -> Self {
        let at = Timestamp::now();
        Taking {
            exposure,
            at,
            ticket: ticket(&notes, at),
            since: Instant::now(),
            before,
            notes,
            losses,
            rebirths,
            seen_busy: false,
            stopped: false,
            idle_since: None,
        }
    }

    /// It was told to end early and keep the picture.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.ticket.stop();
    }

    /// How it stands by a report; `began`: when the last exposure began, by the server that says its picture is ready.
    pub(super) fn judge(&mut self, report: Report, began: Option<Timestamp>) -> Outcome {
        let passed = self.since.elapsed();
        if let Some(state) = busy(report, Some((self.exposure.duration, passed))) {
            self.seen_busy = true;
            self.idle_since = None;
            return Outcome::Pending(state);
        }
        let over = passed >= self.exposure.duration;
        match report {
            Report { state: 5, .. } => Outcome::Failed,
            Report { ready: true, .. } => {
                let ours = self.stopped || self.seen_busy || over;
                if ours || began.is_some_and(|began| self.before != Some(began)) {
                    return Outcome::Arrived;
                }
                Outcome::Pending(ExposureState::Waiting)
            }
            Report { ready: false, .. } => {
                let idle = self.idle_since.get_or_insert_with(Instant::now).elapsed();
                match self.seen_busy || self.stopped {
                    true if idle < GAP => Outcome::Pending(ExposureState::Downloading { percent: None }),
                    true if !over && !self.stopped => Outcome::Aborted,
                    true => Outcome::Empty,
                    false if passed < self.exposure.duration.saturating_add(PATIENCE) => {
                        Outcome::Pending(ExposureState::Waiting)
                    }
                    false => Outcome::Empty,
                }
            }
        }
    }
}

/// The state of a camera that is busy; `of` is the exposure time and how much of it has passed, if it is ours.
pub(super) fn busy(report: Report, of: Option<(Duration, Duration)>) -> Option<ExposureState> {
    let percent = report.percent.filter(|percent| (0.0..=100.0).contains(percent));
    match report.state {
        1 => Some(ExposureState::Waiting),
        2 => {
            // The camera's clock knows better than ours.
            let left = |(total, passed): (Duration, Duration)| match percent {
                Some(percent) => total.mul_f64(1.0 - percent / 100.0),
                None => total.saturating_sub(passed),
            };
            Some(ExposureState::Exposing { remaining: of.map(left), percent })
        }
        3 => Some(ExposureState::Reading { percent }),
        4 => Some(ExposureState::Downloading { percent }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;

    fn taking(duration: Duration) -> Taking {
        let frame = Frame { x: 0, y: 0, width: 8, height: 8, bin_x: 1, bin_y: 1 };
        let notes = Notes { frame, gain: None, offset: None, readout_mode: None };
        Taking::new(
            Exposure::light(duration),
            Some(Timestamp::UNIX_EPOCH),
            notes,
            |_, _| Guard::new(false).unasked(),
            (0, 0),
        )
    }

    fn idle(ready: bool) -> Report {
        Report { state: 0, ready, percent: None }
    }

    const LONG: Duration = Duration::from_secs(1000);

    #[test]
    fn a_picture_of_before_is_not_taken_for_ours() {
        let before = Some(Timestamp::UNIX_EPOCH);
        let mut long = taking(LONG);
        assert_eq!(long.judge(idle(true), before), Outcome::Pending(ExposureState::Waiting));
        assert_eq!(long.judge(idle(true), None), Outcome::Pending(ExposureState::Waiting));
        assert_eq!(long.judge(idle(true), Some(Timestamp::now())), Outcome::Arrived, "another start");
        let mut seen = taking(LONG);
        assert!(matches!(seen.judge(Report { state: 2, ..idle(true) }, before), Outcome::Pending(_)));
        assert_eq!(seen.judge(idle(true), before), Outcome::Arrived, "seen busy");
        assert_eq!(taking(Duration::ZERO).judge(idle(true), before), Outcome::Arrived, "over");
        let mut stopped = taking(LONG);
        stopped.stop();
        assert_eq!(stopped.judge(idle(true), before), Outcome::Arrived, "stopped");
    }

    #[test]
    fn an_idle_camera_without_a_picture_is_given_time() {
        let mut seen = taking(LONG);
        seen.judge(Report { state: 3, ..idle(false) }, None);
        assert_eq!(seen.judge(idle(false), None), Outcome::Pending(ExposureState::Downloading { percent: None }));
        seen.idle_since = Instant::now().checked_sub(GAP);
        assert_eq!(seen.judge(idle(false), None), Outcome::Aborted);
        assert_eq!(seen.judge(Report { state: 5, ..idle(false) }, None), Outcome::Failed);
        assert_eq!(taking(Duration::ZERO).judge(idle(false), None), Outcome::Pending(ExposureState::Waiting));
    }
}
