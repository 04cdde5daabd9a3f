//! How far an exposure is, and whether its picture is still to be sent.

use astrobackend::{Error, device::ExposureState, observation::Observation, wire::indi::State};
use std::time::Duration;

/// The last exposure.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// None, or its picture was sent.
    #[default]
    Over,
    /// Under way: begun by a client here, with the rest of the telescope at that moment, or by somebody else.
    UnderWay(Option<Box<Observation>>),
    /// Its picture is being fetched.
    Fetching(Option<Box<Observation>>),
}

impl Phase {
    /// What the camera says now: somebody else may have begun an exposure, or broken ours off. Why it failed, said once.
    pub(super) fn follow(&mut self, state: &ExposureState) -> Option<Error> {
        let under_way = matches!(self, Phase::UnderWay(_));
        match state {
            state if state.is_busy() && matches!(self, Phase::Over) => *self = Phase::UnderWay(None),
            ExposureState::Idle if under_way => *self = Phase::Over,
            ExposureState::Failed(why) if under_way => {
                *self = Phase::Over;
                return Some(why.clone());
            }
            _ => {}
        }
        None
    }

    /// The picture is there: said once.
    pub(super) fn is_due(&mut self, state: &ExposureState) -> bool {
        if !matches!((&self, state), (Phase::UnderWay(_), ExposureState::Ready)) {
            return false;
        }
        if let Phase::UnderWay(observation) = std::mem::take(self) {
            *self = Phase::Fetching(observation);
        }
        true
    }

    /// It was not there after all.
    pub(super) fn go_on(&mut self) {
        if let Phase::Fetching(observation) = std::mem::take(self) {
            *self = Phase::UnderWay(observation);
        }
    }

    /// The state of `CCD_EXPOSURE` and its countdown.
    pub(super) fn shown(&self, state: &ExposureState) -> (State, f64) {
        match state {
            ExposureState::Exposing { remaining, .. } => (State::Busy, remaining.map_or(0.0, countdown)),
            state if state.is_busy() => (State::Busy, 0.0),
            ExposureState::Failed(_) => (State::Alert, 0.0),
            // Done is what was sent.
            ExposureState::Ready if !matches!(self, Phase::Over) => (State::Busy, 0.0),
            ExposureState::Ready => (State::Ok, 0.0),
            _ => (State::Idle, 0.0),
        }
    }
}

/// Tenths of a second are enough for people, and need not be told more often.
fn countdown(left: Duration) -> f64 {
    (left.as_secs_f64() * 10.0).ceil() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_sent_once_and_then_it_is_done() {
        let mut phase = Phase::default();
        assert!(!phase.is_due(&ExposureState::Ready), "somebody's picture from before");
        assert_eq!(phase.shown(&ExposureState::Ready).0, State::Ok);
        assert!(phase.follow(&ExposureState::Reading { percent: None }).is_none());
        assert!(!phase.is_due(&ExposureState::Reading { percent: None }));
        assert!(phase.is_due(&ExposureState::Ready) && !phase.is_due(&ExposureState::Ready));
        assert_eq!(phase.shown(&ExposureState::Ready), (State::Busy, 0.0), "until it was sent");
        phase = Phase::Over;
        assert_eq!(phase.shown(&ExposureState::Ready), (State::Ok, 0.0));
    }

    #[test]
    fn what_ends_otherwise_sends_nothing() {
        for end in [ExposureState::Idle, ExposureState::Failed(Error::invalid("cold"))] {
            let mut phase = Phase::UnderWay(None);
            assert_eq!(phase.follow(&end).is_some(), end != ExposureState::Idle);
            assert!(phase.follow(&end).is_none(), "said once");
            assert!(!phase.is_due(&ExposureState::Ready));
        }
        let left = Duration::from_millis(2310);
        let exposing = ExposureState::Exposing { remaining: Some(left), percent: None };
        assert_eq!(Phase::UnderWay(None).shown(&exposing), (State::Busy, 2.4));
    }
}
