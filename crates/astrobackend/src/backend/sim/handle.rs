//! What all simulated devices have in common: a handle that asks a unit of the world under its lock.
//!
//! A unit is plain state that answers for a given moment; the handle brings it up to that moment, refuses when the
//! device is not connected, and names the device in errors. No lock is held longer than such an answer takes.

use super::{
    clock::Now,
    faults::{Doing, Struck, Verdict, What},
    world::World,
};
use crate::{
    Error, Result,
    device::{Control, ControlInfo, Device, DeviceInfo, find_control},
    sync::lock,
};
use std::{
    fmt,
    sync::{Arc, Mutex, atomic::Ordering},
};

/// The moving parts of one device. The defaults are those of a device that moves by itself in no way and has no settings.
pub(super) trait Unit: fmt::Debug + Send + 'static {
    /// Lets everything happen that was to happen until now.
    fn catch_up(&mut self, _now: Now) {}

    /// The settings there are.
    fn controls(&self) -> Vec<ControlInfo> {
        Vec::new()
    }

    /// One of [`Unit::controls`].
    fn control(&self, _control: Control) -> f64 {
        0.0
    }

    /// Sets one of [`Unit::controls`] to a value of its range.
    fn set_control(&mut self, _control: Control, _value: f64, _now: Now) -> Result<()> {
        Ok(())
    }

    /// Leaves nothing going on.
    fn disconnect(&mut self, _now: Now) {}

    /// What it is doing, as a condition for faults.
    fn doing(&self, _now: Now) -> Option<Doing> {
        None
    }

    /// Something goes wrong with it at a moment.
    fn strike(&mut self, what: &What, at: Now) -> Struck {
        match what {
            What::PowerCycle => self.disconnect(at),
            What::Stick => return Struck::Stands(at.seconds),
            _ => {}
        }
        Struck::Done
    }
}

/// A device of a world.
pub(super) struct Handle<U> {
    pub(super) world: Arc<World>,
    /// Place among the world's devices.
    pub(super) index: usize,
    unit: fn(&World, usize) -> &Mutex<U>,
    /// Looks are nobody's calls: no fault of calls happens to them.
    silent: bool,
}

impl<U: Unit> Handle<U> {
    pub(super) fn new(
        world: &Arc<World>,
        index: usize,
        unit: fn(&World, usize) -> &Mutex<U>,
        silent: bool,
    ) -> Arc<Self> {
        Arc::new(Handle { world: world.clone(), index, unit, silent })
    }

    /// Asks the unit as it is now; `call` is the method's name.
    pub(super) fn look<T>(&self, call: &'static str, ask: impl FnOnce(&mut U, Now) -> Result<T>) -> Result<T> {
        self.ask(call, true, ask)
    }

    /// Tells the unit to do something, and those who listen what came of it.
    pub(super) fn order<T>(&self, call: &'static str, ask: impl FnOnce(&mut U, Now) -> Result<T>) -> Result<T> {
        let answer = self.look(call, ask)?;
        World::announce(&self.world, self.index);
        Ok(answer)
    }

    /// The same, of a unit that need not be connected.
    fn ask<T>(&self, call: &'static str, connected: bool, ask: impl FnOnce(&mut U, Now) -> Result<T>) -> Result<T> {
        let on = |error: Error| error.on(&self.world.entry(self.index).info.id);
        let mut unit = lock((self.unit)(&self.world, self.index));
        if self.world.may_fail() {
            if let Verdict::Waits { until, released } = self.suffer(&mut unit, call).map_err(on)? {
                drop(unit);
                self.world.hold(self.index, call, until, released).map_err(on)?;
                unit = lock((self.unit)(&self.world, self.index));
            }
            self.world.learn(self.index, &mut *unit);
        }
        if connected && !self.world.entry(self.index).connected.load(Ordering::SeqCst) {
            return Err(on(Error::not_connected()));
        }
        // The moment is taken under the lock: no answer is older than the one before.
        let now = self.world.now(self.index);
        unit.catch_up(now);
        ask(&mut unit, now).map_err(on)
    }

    /// What becomes of a call.
    fn suffer(&self, unit: &mut U, call: &'static str) -> Result<Verdict> {
        self.world.learn(self.index, unit);
        let now = self.world.now(self.index);
        unit.catch_up(now);
        let doing = unit.doing(now);
        let verdict = {
            let mut faults = lock(&self.world.faults);
            match self.silent {
                true => faults.look(self.index, now.world),
                false => faults.call(self.index, call, doing, now.world),
            }
        };
        self.world.tell_links();
        match verdict {
            Verdict::Fails(error) => Err(error),
            verdict => Ok(verdict),
        }
    }
}

impl<U: Unit> Device for Handle<U> {
    fn info(&self) -> DeviceInfo {
        self.world.entry(self.index).info.clone()
    }

    fn connect(&self) -> Result<()> {
        self.ask("connect", false, |_, _| Ok(()))?;
        World::set_connected(&self.world, self.index, true);
        Ok(())
    }

    fn disconnect(&self) -> Result<()> {
        self.ask("disconnect", false, |unit, now| {
            unit.disconnect(now);
            Ok(())
        })?;
        World::set_connected(&self.world, self.index, false);
        Ok(())
    }

    fn is_connected(&self) -> Result<bool> {
        let connected = || Ok(self.world.entry(self.index).connected.load(Ordering::SeqCst));
        if self.world.may_fail() { self.ask("is_connected", false, |_, _| connected()) } else { connected() }
    }

    fn controls(&self) -> Result<Vec<ControlInfo>> {
        if !self.is_connected()? {
            return Ok(Vec::new());
        }
        self.look("controls", |unit, _| Ok(unit.controls()))
    }

    fn control(&self, control: Control) -> Result<f64> {
        self.look("control", |unit, _| {
            find_control(&unit.controls(), control)?;
            Ok(unit.control(control))
        })
    }

    fn set_control(&self, control: Control, value: f64) -> Result<()> {
        self.order("set_control", |unit, now| {
            find_control(&unit.controls(), control)?.check(value)?;
            unit.set_control(control, value, now)
        })
    }
}

impl<U> fmt::Debug for Handle<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.world.entry(self.index).info.id)
    }
}
