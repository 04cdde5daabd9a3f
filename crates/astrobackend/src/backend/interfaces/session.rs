//! What a camera's exposures have come to, as far as this client knows.
//!
//! Several threads look at a camera at the same time, and their answers come in any order: looks are numbered, and one
//! that was overtaken, by another look or by a command, says nothing.

use super::exposure::Taking;
use crate::{Error, Image, Timestamp, device::ExposureState};
use std::{sync::Arc, time::Duration};

/// What we know of exposures.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) last: Last,
    /// Questions asked so far, and the newest whose answer counts: answers may come in another order.
    pub(super) asked: u64,
    pub(super) counts: u64,
    /// What the last answer that counted came to.
    pub(super) shown: ExposureState,
    /// UTC start and length of the last exposure that ended with a picture.
    pub(super) finished: Option<(Timestamp, Duration)>,
    /// What changes only with the settings; not asked while an exposure is under way.
    pub(super) facts: Facts,
}

/// The last exposure of ours.
#[derive(Debug, Default)]
pub(super) enum Last {
    #[default]
    None,
    UnderWay(Taking),
    Arrived(Taking),
    Ready(Arc<Image>),
    /// The picture was handed on and not kept.
    Taken,
    Failed(Error),
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) electrons_per_adu: Option<f64>,
    pub(super) full_well: Option<f64>,
    pub(super) max_adu: Option<u32>,
}

impl Session {
    /// Numbers a question.
    pub(super) fn ask(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }

    /// A command has decided about the last exposure: what was asked before says nothing of it.
    pub(super) fn decide(&mut self, last: Last) {
        self.last = last;
        self.counts = self.ask();
        self.shown = self.told(None);
    }

    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.last, Last::UnderWay(_))
    }

    pub(super) fn told(&self, others: Option<ExposureState>) -> ExposureState {
        others.unwrap_or_else(|| match &self.last {
            Last::None => ExposureState::Idle,
            Last::UnderWay(_) => ExposureState::Waiting,
            Last::Arrived(_) | Last::Ready(_) | Last::Taken => ExposureState::Ready,
            Last::Failed(error) => ExposureState::Failed(error.clone()),
        })
    }
}
