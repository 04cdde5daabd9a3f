//! The focuser: a position in steps, absolute or relative; see [`Focuser`].

use super::{Age, Device};
use crate::{Celsius, Error, ErrorKind, Microns, Result, Wait};
use serde::{Deserialize, Serialize};

/// What a focuser can do. Asked once, then unchanged while connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FocuserCaps {
    /// Largest position; positions start at 0 (ASCOM `MaxStep`, INDI `FOCUS_MAX`).
    pub max_position: i32,
    /// Most steps of one move (ASCOM `MaxIncrement`).
    pub max_move: i32,
    /// False when it knows no position and only moves by steps (ASCOM `Absolute`).
    pub absolute: bool,
    /// Length of one step; `None` when unknown.
    pub step_size: Option<Microns>,
    /// A move can be stopped (INDI `FOCUS_ABORT_MOTION`).
    pub halt: bool,
    /// The position can be declared to be another (INDI `FOCUS_SYNC`).
    pub sync: bool,
    /// It has a thermometer.
    pub temperature: bool,
}

/// Everything about a focuser that changes by itself, in one look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FocuserState {
    /// Where it is, in steps, also while it moves; `None` for a relative focuser.
    pub position: Option<i32>,
    /// It moves, or has just been told to.
    pub moving: bool,
    /// Temperature at the focuser.
    pub temperature: Option<Celsius>,
    /// How old all of this is.
    #[serde(default)]
    pub age: Age,
}

/// A focuser.
///
/// # Frameworks
/// ASCOM `IFocuserV4`; INDI `ABS_FOCUS_POSITION`, `REL_FOCUS_POSITION`, `FOCUS_MOTION`.
pub trait Focuser: Device {
    /// What it can do. No I/O once connected.
    fn caps(&self) -> Result<FocuserCaps>;

    /// Everything that changes by itself, in one look.
    fn state(&self) -> Result<FocuserState>;

    /// Starts to move to a position and returns at once.
    ///
    /// # Errors
    /// `InvalidValue` beyond the range, `Unsupported` for a relative focuser.
    fn start_move(&self, position: i32) -> Result<()>;

    /// Starts to move by a number of steps (outward positive) and returns at once.
    ///
    /// # Errors
    /// `InvalidValue` if the move would leave the range.
    fn start_move_by(&self, steps: i32) -> Result<()>;

    /// Stops the move; nothing when it stands.
    ///
    /// # Errors
    /// `Unsupported` when it cannot be stopped.
    fn halt(&self) -> Result<()>;

    /// Declares the present position to be this one, without moving (INDI `FOCUS_SYNC`).
    ///
    /// # Errors
    /// `Unsupported` in most frameworks.
    fn sync(&self, _position: i32) -> Result<()> {
        Err(Error::unsupported("cannot be synchronised").on(self.info().id))
    }
}

/// Conveniences over any focuser.
pub trait FocuserExt: Focuser {
    /// Moves to a position and waits until the device itself says it stands there.
    ///
    /// Moves longer than [`FocuserCaps::max_move`] are made in several. On timeout and cancel the move is halted.
    ///
    /// # Errors
    /// `Timeout`, `Cancelled`, what the focuser reports, or `Device` if it stands somewhere else.
    fn move_to(&self, position: i32, wait: &Wait) -> Result<()> {
        let moved = wait.within(|| {
            let caps = self.caps()?;
            let deadline = crate::wait::Deadline::after(wait.timeout);
            let what = format!("the move to {position}");
            loop {
                let here = self.state()?.position.unwrap_or(position);
                let step = position.saturating_sub(here).clamp(-caps.max_move.max(1), caps.max_move.max(1));
                let within = (0..=caps.max_position).contains(&position);
                let next = if within { here.saturating_add(step) } else { position };
                let left = Wait { timeout: deadline.remaining(), ..wait.clone() };
                match moved(self, &left, &what, || self.start_move(next))? {
                    // Not there, or stuck on the way.
                    Some(place) if place.abs_diff(position) > 1 && (next == position || place == here) => {
                        let message = format!("stands at {place} instead of {position}");
                        return Err(Error::new(ErrorKind::Device(0), message).on(self.info().id));
                    }
                    _ if next == position => return Ok(()),
                    _ if deadline.has_passed() => return Err(Error::timeout(what, wait.timeout).on(self.info().id)),
                    _ => {}
                }
            }
        });
        moved.map_err(|error| error.on(self.info().id))
    }

    /// Moves by a number of steps and waits until it stands.
    ///
    /// # Errors
    /// `Timeout`, `Cancelled`, or what the focuser reports.
    fn move_by(&self, steps: i32, wait: &Wait) -> Result<()> {
        let moved = wait.within(|| match self.state()?.position {
            Some(here) => self.move_to(here.saturating_add(steps), wait),
            None => moved(self, wait, &format!("the move by {steps}"), || self.start_move_by(steps)).map(drop),
        });
        moved.map_err(|error| error.on(self.info().id))
    }
}

/// Waits until the focuser stands; its position then.
fn moved<F: Focuser + ?Sized>(
    focuser: &F,
    wait: &Wait,
    what: &str,
    start: impl FnOnce() -> Result<()>,
) -> Result<Option<i32>> {
    let look = || {
        let state = focuser.state()?;
        Ok((!state.moving).then_some(state.position))
    };
    let halt = || match focuser.halt() {
        // A focuser without a brake goes on to its target: nothing more can be done.
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
        other => other,
    };
    wait.run(what, start, look, halt).map_err(|error| error.on(focuser.info().id))
}

impl<F: Focuser + ?Sized> FocuserExt for F {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Control, ControlInfo, DeviceId, DeviceInfo, DeviceKind};
    use std::{
        sync::atomic::{AtomicI32, Ordering},
        time::Duration,
    };

    /// Moves 100 steps at a time, never beyond where it sticks.
    #[derive(Debug)]
    struct Sticky {
        position: AtomicI32,
        sticks_at: i32,
    }

    impl Device for Sticky {
        fn info(&self) -> DeviceInfo {
            DeviceInfo::new(DeviceId::new(DeviceKind::Focuser, "Sticky"), crate::Address::new("sim"))
        }
        fn connect(&self) -> Result<()> {
            Ok(())
        }
        fn disconnect(&self) -> Result<()> {
            Ok(())
        }
        fn is_connected(&self) -> Result<bool> {
            Ok(true)
        }
        fn controls(&self) -> Result<Vec<ControlInfo>> {
            Ok(Vec::new())
        }
        fn control(&self, _: Control) -> Result<f64> {
            Err(Error::unsupported("has none"))
        }
        fn set_control(&self, _: Control, _: f64) -> Result<()> {
            Err(Error::unsupported("has none"))
        }
    }

    impl Focuser for Sticky {
        fn caps(&self) -> Result<FocuserCaps> {
            Ok(FocuserCaps {
                max_position: 10_000,
                max_move: 100,
                absolute: true,
                step_size: None,
                halt: true,
                sync: false,
                temperature: false,
            })
        }
        fn state(&self) -> Result<FocuserState> {
            let position = Some(self.position.load(Ordering::SeqCst));
            Ok(FocuserState { position, moving: false, temperature: None, age: Age::NOW })
        }
        fn start_move(&self, position: i32) -> Result<()> {
            let here = self.position.swap(position.min(self.sticks_at), Ordering::SeqCst);
            assert!((position - here).abs() <= 100, "a move from {here} to {position}");
            Ok(())
        }
        fn start_move_by(&self, _: i32) -> Result<()> {
            Err(Error::unsupported("absolute only"))
        }
        fn halt(&self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_long_way_is_made_in_moves_that_are_allowed() {
        let focuser = Sticky { position: 0.into(), sticks_at: 10_000 };
        focuser.move_to(950, &Wait::new(Duration::from_secs(60))).unwrap();
        assert_eq!(focuser.state().unwrap().position, Some(950));
    }

    #[test]
    fn a_focuser_that_sticks_on_a_long_way_is_given_up() {
        let focuser = Sticky { position: 0.into(), sticks_at: 230 };
        let error = focuser.move_to(950, &Wait::new(Duration::from_secs(60))).unwrap_err();
        assert_eq!(error.to_string(), "Sticky: stands at 230 instead of 950");
        let error = Sticky { position: 0.into(), sticks_at: 10_000 }.move_to(950, &Wait::new(Duration::ZERO));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
    }
}
