//! What all simulated devices have in common: a handle that asks a unit of the world under its lock.
//!
//! A unit is plain state that answers for a given moment; the handle brings it up to that moment, refuses when the
//! device is not connected, and names the device in errors. No lock is held longer than such an answer takes.

use super::{clock::Now, world::World};
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
}

/// A device of a world.
pub(super) struct Handle<U> {
    pub(super) world: Arc<World>,
    /// Place among the world's devices.
    pub(super) index: usize,
    unit: fn(&World, usize) -> &Mutex<U>,
}

impl<U: Unit> Handle<U> {
    pub(super) fn new(world: &Arc<World>, index: usize, unit: fn(&World, usize) -> &Mutex<U>) -> Arc<Self> {
        Arc::new(Handle { world: world.clone(), index, unit })
    }

    /// Asks the unit as it is now.
    pub(super) fn look<T>(&self, ask: impl FnOnce(&mut U, Now) -> Result<T>) -> Result<T> {
        let connected = self.world.entry(self.index).connected.load(Ordering::SeqCst);
        let answer = if connected { self.ask(ask) } else { Err(Error::not_connected()) };
        answer.map_err(|error| error.on(&self.world.entry(self.index).info.id))
    }

    /// Tells the unit to do something, and those who listen what came of it.
    pub(super) fn order<T>(&self, ask: impl FnOnce(&mut U, Now) -> Result<T>) -> Result<T> {
        let answer = self.look(ask)?;
        World::announce(&self.world, self.index);
        Ok(answer)
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut U, Now) -> Result<T>) -> Result<T> {
        let mut unit = lock((self.unit)(&self.world, self.index));
        // The moment is taken under the lock: no answer is older than the one before.
        let now = self.world.clock.now();
        unit.catch_up(now);
        ask(&mut unit, now)
    }
}

impl<U: Unit> Device for Handle<U> {
    fn info(&self) -> DeviceInfo {
        self.world.entry(self.index).info.clone()
    }

    fn connect(&self) -> Result<()> {
        World::set_connected(&self.world, self.index, true);
        Ok(())
    }

    fn disconnect(&self) -> Result<()> {
        World::set_connected(&self.world, self.index, false);
        self.ask(|unit, now| {
            unit.disconnect(now);
            Ok(())
        })
    }

    fn is_connected(&self) -> Result<bool> {
        Ok(self.world.entry(self.index).connected.load(Ordering::SeqCst))
    }

    fn controls(&self) -> Result<Vec<ControlInfo>> {
        if !self.is_connected()? {
            return Ok(Vec::new());
        }
        self.look(|unit, _| Ok(unit.controls()))
    }

    fn control(&self, control: Control) -> Result<f64> {
        self.look(|unit, _| {
            find_control(&unit.controls(), control)?;
            Ok(unit.control(control))
        })
    }

    fn set_control(&self, control: Control, value: f64) -> Result<()> {
        self.order(|unit, now| {
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
