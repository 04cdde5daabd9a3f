//! Alpaca focusers: absolute ones move to a position, relative ones by a number of steps, with the same member.

use super::{
    carrier::Arguments,
    controls::Settings,
    handle::{Handle, Remembered, impl_device},
    motion::Motion,
};
use crate::{
    Celsius, Error, Microns, Result,
    device::{Control, ControlInfo, Focuser, FocuserCaps, FocuserState},
    sync::lock,
    wire::alpaca::extensions,
};
use std::sync::{Arc, Mutex};

/// A focuser, whatever carries it.
#[derive(Debug)]
pub(super) struct AscomFocuser {
    handle: Handle,
    settings: Settings,
    caps: Remembered<FocuserCaps>,
    /// Where it is to stand; `None` for a relative one.
    motion: Motion<Option<i32>>,
    /// As it was seen last.
    seen: Mutex<Option<FocuserState>>,
}

impl_device!(AscomFocuser);

impl AscomFocuser {
    pub(super) fn new(handle: Handle) -> Self {
        AscomFocuser {
            settings: Settings::default(),
            caps: Remembered::default(),
            motion: Motion::new(handle.resets()),
            seen: Mutex::default(),
            handle,
        }
    }

    fn prepare(&self) -> Result<()> {
        self.known().map(drop)
    }

    fn ascom_settings(&self) -> Result<Vec<ControlInfo>> {
        let compensates = self.handle.values(&["tempcompavailable"])?.flag("tempcompavailable")?;
        Ok(compensates.then(|| ControlInfo::switch(Control::TemperatureCompensation)).into_iter().collect())
    }

    fn known(&self) -> Result<Arc<FocuserCaps>> {
        self.caps.get(&self.handle, || {
            let common = self.handle.common()?;
            let description = &common.extras.description;
            let values = self.handle.values(&["absolute", "maxstep", "maxincrement", "stepsize", "temperature"])?;
            let max_position: i32 = values.need("maxstep")?;
            Ok(FocuserCaps {
                max_position,
                max_move: values.maybe("maxincrement")?.filter(|steps| *steps > 0).unwrap_or(max_position),
                absolute: values.maybe("absolute")?.unwrap_or(true),
                step_size: values.maybe("stepsize")?.filter(|size| *size > 0.0).map(Microns),
                halt: description.halt.unwrap_or(true),
                sync: description.sync.unwrap_or(false) && common.extras.has(extensions::SYNC_POSITION),
                temperature: values.maybe::<f64>("temperature")?.is_some(),
            })
        })
    }

    /// The state as the server has it. Where it is read as standing, the position read after it is the one it has come to.
    fn read(&self) -> Result<FocuserState> {
        let absolute = self.known()?.absolute;
        let members = ["ismoving", "position", "temperature"];
        let values = self.handle.look(if absolute { &members } else { &["ismoving", "temperature"] }, &[])?;
        Ok(FocuserState {
            position: if absolute { Some(values.need("position")?) } else { None },
            moving: values.need("ismoving")?,
            temperature: values.maybe("temperature")?.map(Celsius),
            age: values.age(),
        })
    }

    fn go(&self, position: i32, goal: Option<i32>) -> Result<()> {
        if self.handle.carrier.is_serial() {
            // It may not be asked on the way.
            self.state()?;
        }
        self.handle.start("move", Arguments::new().with("Position", position))?;
        self.motion.started(goal);
        Ok(())
    }
}

impl Focuser for AscomFocuser {
    fn caps(&self) -> Result<FocuserCaps> {
        let caps = FocuserCaps::clone(&*self.known()?);
        Ok(caps)
    }

    fn state(&self) -> Result<FocuserState> {
        let deaf = self.handle.deaf().is_some();
        if let (true, Some(seen)) = (deaf, *lock(&self.seen)) {
            return Ok(FocuserState { moving: true, temperature: None, age: self.handle.since_told(), ..seen });
        }
        let at_work = self.handle.work().inspect_err(|_| self.motion.forget())?.is_some();
        let seen = *lock(&self.seen);
        let state = self.motion.look(seen.as_ref(), |state| state.moving, || self.read())?;
        *lock(&self.seen) = Some(state);
        let is_there = |goal: &Option<i32>| goal.is_some() && *goal == state.position;
        Ok(FocuserState { moving: self.motion.is_moving(at_work || state.moving, is_there), ..state })
    }

    fn start_move(&self, position: i32) -> Result<()> {
        let caps = self.known()?;
        if !caps.absolute {
            return self.handle.fail(Error::unsupported("knows no positions, it only moves by steps"));
        }
        if position < 0 {
            return self.handle.fail(Error::invalid(format!("position {position} is below 0")));
        }
        if position > caps.max_position {
            let message = format!("position {position} is beyond {}", caps.max_position);
            return self.handle.fail(Error::invalid(message));
        }
        self.go(position, Some(position))
    }

    fn start_move_by(&self, steps: i32) -> Result<()> {
        let caps = self.known()?;
        if caps.absolute {
            let here: i32 = self.handle.get("position")?;
            return self.start_move(here.saturating_add(steps));
        }
        if steps.unsigned_abs() > caps.max_move.unsigned_abs() {
            let message = format!("a move by {steps} is longer than {}", caps.max_move);
            return self.handle.fail(Error::invalid(message));
        }
        self.go(steps, None)
    }

    fn halt(&self) -> Result<()> {
        self.handle.put("halt", Arguments::new())?;
        self.motion.forget();
        Ok(())
    }

    fn sync(&self, position: i32) -> Result<()> {
        if !self.known()?.sync {
            return self.handle.fail(Error::unsupported("cannot be synchronised"));
        }
        self.handle.action(extensions::SYNC_POSITION, &position.to_string()).map(drop)
    }
}
