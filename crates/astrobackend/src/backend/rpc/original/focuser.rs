//! The focuser of the original server, which says its position as a float and takes whole numbers only.

use super::{Peer, impl_original, motion::Motion, whole};
use crate::{
    Celsius, Error, Result,
    device::{Age, Focuser, FocuserCaps, FocuserState},
};
use serde_json::json;

/// The focuser.
#[derive(Debug)]
pub(super) struct OriginalFocuser {
    peer: Peer,
    motion: Motion<i32>,
}

impl_original!(OriginalFocuser);

impl OriginalFocuser {
    pub(super) fn new(peer: Peer) -> Self {
        OriginalFocuser { peer, motion: Motion::default() }
    }

    fn position(&self) -> Result<Option<i32>> {
        Ok(self.peer.number("focuser_get_absolute_position", "absolute_position")?.and_then(whole))
    }

    fn temperature(&self) -> Result<Option<f64>> {
        self.peer.number("focuser_get_current_temperature", "current_temperature")
    }
}

impl Focuser for OriginalFocuser {
    fn caps(&self) -> Result<FocuserCaps> {
        let max = self.peer.number("focuser_get_max_absolute_position", "max_absolute_position")?.and_then(whole);
        let max_position = max.filter(|max| *max > 0).unwrap_or(i32::MAX);
        Ok(FocuserCaps {
            max_position,
            max_move: max_position,
            absolute: true,
            step_size: None,
            halt: true,
            sync: false,
            temperature: self.temperature()?.is_some(),
        })
    }

    fn state(&self) -> Result<FocuserState> {
        let says = self.peer.truth("focuser_is_moving", "is_moving")?.unwrap_or(false);
        let position = self.position()?;
        let moving = self.motion.is_moving(says, |goal| position == Some(*goal));
        Ok(FocuserState { position, moving, temperature: self.temperature()?.map(Celsius), age: Age::NOW })
    }

    fn start_move(&self, position: i32) -> Result<()> {
        let max = self.caps()?.max_position;
        if !(0..=max).contains(&position) {
            return self.peer.fail(Error::invalid(format!("position {position} is not within 0 to {max}")));
        }
        self.peer.order("focuser_move_absolute_position", json!({ "absolute_position": position }))?;
        self.motion.started(position);
        Ok(())
    }

    fn start_move_by(&self, steps: i32) -> Result<()> {
        let Some(here) = self.position()? else {
            return self.peer.fail(Error::invalid_operation("does not tell where it is"));
        };
        self.start_move(here.saturating_add(steps))
    }

    fn halt(&self) -> Result<()> {
        self.peer.order("focuser_stop", json!({}))?;
        self.motion.forget();
        Ok(())
    }
}
