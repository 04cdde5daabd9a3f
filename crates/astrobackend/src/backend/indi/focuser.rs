//! INDI focusers: `ABS_FOCUS_POSITION`, or `REL_FOCUS_POSITION` with `FOCUS_MOTION` where there is no position.

use super::{
    controls::Place,
    handle::{Handle, Values, impl_device},
    motion::Motion,
    store::Device,
};
use crate::{
    Celsius, Error, Result,
    device::{Control, Focuser, FocuserCaps, FocuserState},
};

const POSITION: (&str, &str) = ("ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION");
const STEPS: (&str, &str) = ("REL_FOCUS_POSITION", "FOCUS_RELATIVE_POSITION");

/// Properties of which one is there when a focuser can be used.
pub(super) const KEYS: &[&str] = &[POSITION.0, STEPS.0, "FOCUS_TIMER"];

const CONTROLS: &[Place] = &[
    Place::choice(Control::Reversed, "FOCUS_REVERSE_MOTION"),
    Place::switched(Control::Backlash, "FOCUS_BACKLASH_STEPS", "FOCUS_BACKLASH_VALUE", "FOCUS_BACKLASH_TOGGLE"),
    Place::number(Control::Speed, "FOCUS_SPEED", "FOCUS_SPEED_VALUE"),
    Place::number(Control::MaxPosition, "FOCUS_MAX", "FOCUS_MAX_VALUE"),
    // INDI has no name for this; our server has.
    Place::choice(Control::TemperatureCompensation, "FOCUS_TEMPERATURE_COMPENSATION"),
];

/// A focuser behind a server.
#[derive(Debug)]
pub(super) struct IndiFocuser {
    handle: Handle,
    motion: Motion<Goal>,
}

/// Where a move is to end.
#[derive(Clone, Copy, Debug)]
enum Goal {
    Position(i32),
    /// A relative focuser cannot tell: the end of the move is all there is.
    Steps,
}

impl_device!(IndiFocuser, |_| CONTROLS);

impl IndiFocuser {
    pub(super) fn new(handle: Handle) -> Self {
        IndiFocuser { handle, motion: Motion::default() }
    }

    fn start(&self, property: &'static str, element: &str, value: i32, goal: Goal) -> Result<()> {
        let values = [(element, f64::from(value))];
        self.motion.start(&self.handle, property, Values::Numbers(&values), goal, reached)
    }

    /// The state as listeners see it: a failed move is told to the one who asks, not to them.
    pub(super) fn look(&self) -> Result<FocuserState> {
        self.state_with(self.motion.is_moving(&self.handle, reached))
    }

    fn state_with(&self, ordered: bool) -> Result<FocuserState> {
        self.handle.read(|device| {
            Ok(FocuserState {
                position: position(device),
                moving: ordered || device.is_busy(POSITION.0) || device.is_busy(STEPS.0),
                temperature: device.number("FOCUS_TEMPERATURE", "TEMPERATURE").map(Celsius),
                age: device.age(),
            })
        })
    }
}

fn position(device: &Device) -> Option<i32> {
    device.number(POSITION.0, POSITION.1).map(|position| position.round() as i32)
}

fn reached(device: &Device, goal: &Goal) -> bool {
    match goal {
        Goal::Position(target) => position(device).is_some_and(|here| (here - target).abs() <= 1),
        Goal::Steps => true,
    }
}

fn max_position(device: &Device) -> i32 {
    let limit = device.limits(POSITION.0, POSITION.1).and_then(|number| number.range()).map(|(_, max)| max);
    let max = device.number("FOCUS_MAX", "FOCUS_MAX_VALUE").filter(|max| *max > 0.0).or(limit);
    // The driver's own limit is the smaller of the two.
    max.unwrap_or(f64::from(i32::MAX)).min(limit.unwrap_or(f64::MAX)) as i32
}

impl Focuser for IndiFocuser {
    fn caps(&self) -> Result<FocuserCaps> {
        self.handle.read(|device| {
            let absolute = device.has(POSITION.0);
            let max_position = if absolute { max_position(device) } else { 0 };
            let steps = device.limits(STEPS.0, STEPS.1).and_then(|steps| steps.range()).map(|(_, max)| max as i32);
            Ok(FocuserCaps {
                max_position,
                max_move: if absolute { max_position } else { steps.unwrap_or(i32::MAX) },
                absolute,
                step_size: None,
                halt: device.can_set("FOCUS_ABORT_MOTION"),
                sync: device.can_set("FOCUS_SYNC"),
                temperature: device.has("FOCUS_TEMPERATURE"),
            })
        })
    }

    fn state(&self) -> Result<FocuserState> {
        self.handle.read(|_| Ok(()))?;
        let ordered = self.motion.check(&self.handle, reached)?;
        self.state_with(ordered)
    }

    fn start_move(&self, position: i32) -> Result<()> {
        let caps = self.caps()?;
        if !caps.absolute {
            return self.handle.fail(Error::unsupported("knows no position, it moves by steps only"));
        }
        let limits = 0..=caps.max_position;
        if !limits.contains(&position) {
            let message = format!("position {position} is not within 0 to {}", caps.max_position);
            return self.handle.fail(Error::invalid(message));
        }
        self.start(POSITION.0, POSITION.1, position, Goal::Position(position))
    }

    fn start_move_by(&self, steps: i32) -> Result<()> {
        let caps = self.caps()?;
        if let Some(here) = self.look()?.position {
            let there = here.checked_add(steps);
            return match there {
                Some(there) => self.start_move(there),
                None => self.handle.fail(Error::invalid(format!("a move by {steps} leaves the range"))),
            };
        }
        if steps.unsigned_abs() > caps.max_move.unsigned_abs() {
            return self.handle.fail(Error::invalid(format!("a move by {steps} is longer than {}", caps.max_move)));
        }
        let direction = if steps < 0 { "FOCUS_INWARD" } else { "FOCUS_OUTWARD" };
        self.handle.switch_on("FOCUS_MOTION", direction)?;
        self.start(STEPS.0, STEPS.1, steps.saturating_abs(), Goal::Steps)
    }

    fn halt(&self) -> Result<()> {
        let halt = self.caps()?.halt;
        if !halt {
            return self.handle.fail(Error::unsupported("cannot be stopped"));
        }
        if self.look()?.moving {
            let still = |device: &Device| !device.is_busy(POSITION.0) && !device.is_busy(STEPS.0);
            let order = self.handle.send("FOCUS_ABORT_MOTION", Values::On("ABORT"))?;
            self.handle.finish(&order, still)?;
        }
        self.motion.forget(&self.handle);
        Ok(())
    }

    fn sync(&self, position: i32) -> Result<()> {
        let caps = self.caps()?;
        if !caps.sync {
            return self.handle.fail(Error::unsupported("cannot be synchronised"));
        }
        if !(0..=caps.max_position).contains(&position) {
            let message = format!("position {position} is not within 0 to {}", caps.max_position);
            return self.handle.fail(Error::invalid(message));
        }
        self.handle.set("FOCUS_SYNC", Values::Numbers(&[("FOCUS_SYNC_VALUE", f64::from(position))]))
    }
}
