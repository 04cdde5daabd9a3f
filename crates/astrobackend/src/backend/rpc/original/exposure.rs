//! An exposure of the original server, which answers `take_image` when it has ended, however it ended.

use crate::{
    Error, ErrorKind, Timestamp,
    backend::rpc::connection::Ticket,
    device::{Exposure, ExposureState},
    guard,
    image::Frame,
};
use std::time::{Duration, Instant};

/// How long after its time an exposure may take to be read out.
const READOUT: Duration = Duration::from_secs(120);

/// An answer so much before its time is that of an exposure that somebody ended.
const EARLY: Duration = Duration::from_millis(100);

/// An exposure that was started from here.
#[derive(Debug)]
pub(super) struct Taking {
    pub(super) answer: Ticket,
    /// What the frame guard knows it by.
    pub(super) ticket: guard::Ticket,
    pub(super) exposure: Exposure,
    pub(super) frame: Frame,
    pub(super) at: Timestamp,
    pub(super) since: Instant,
}

impl Taking {
    /// How it stands.
    pub(super) fn state(&self) -> ExposureState {
        let passed = self.since.elapsed();
        let length = self.exposure.duration;
        match self.answer.answer() {
            Some((_, Err(error))) => ExposureState::Failed(error),
            // The server says `complete` of what was aborted, too.
            Some((at, Ok(_))) if at.duration_since(self.since) + EARLY < length => ExposureState::Idle,
            Some((_, Ok(_))) => ExposureState::Ready,
            None if passed < length => {
                ExposureState::Exposing { remaining: Some(length.saturating_sub(passed)), percent: None }
            }
            None if passed < length.saturating_add(READOUT) => ExposureState::Reading { percent: None },
            None => {
                let message = format!("the server does not finish an exposure of {length:?}");
                ExposureState::Failed(Error::new(ErrorKind::Timeout, message))
            }
        }
    }
}
