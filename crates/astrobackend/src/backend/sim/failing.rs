//! How a world suffers its faults: whose time passes, who waits, and what a unit learns before anybody asks it.

use super::{
    clock::{Now, duration},
    faults::{Fault, What},
    handle::Unit,
    world::{Entry, POLL, World},
};
use crate::{Error, Result, device::DeviceKind, sync::lock, wait::Deadline};
use std::{
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

/// The calls that a fault may wait for, by the names of the contract.
pub(super) const CALLS: &[&str] = &[
    "connect",
    "disconnect",
    "is_connected",
    "controls",
    "control",
    "set_control",
    "caps",
    "state",
    "frame",
    "set_frame",
    "set_cooler",
    "start_exposure",
    "stop_exposure",
    "abort_exposure",
    "image",
    "take_image",
    "pulse_guide",
    "filters",
    "start_move",
    "set_names",
    "start_move_by",
    "halt",
    "sync",
    "start_slew",
    "abort",
    "start_park",
    "start_unpark",
    "set_park",
    "start_home",
    "set_tracking",
    "start_flip",
    "destination_side",
    "guide_rates",
    "set_guide_rates",
    "move_axis",
    "site",
    "set_site",
    "set_time",
];

impl World {
    /// The present moment of a device.
    pub(super) fn now(&self, index: usize) -> Now {
        let now = self.clock.now();
        Now { seconds: self.local(index, now.seconds), ..now }
    }

    /// The time of a device at a second of the world.
    pub(super) fn local(&self, index: usize, at: f64) -> f64 {
        if self.may_fail() { lock(&self.faults).local(index, at) } else { at }
    }

    pub(super) fn place_of(&self, kind: DeviceKind) -> usize {
        self.entries().iter().position(|entry| entry.info.id.kind == kind).unwrap_or_default()
    }

    /// True when there are faults to ask for.
    pub(super) fn may_fail(&self) -> bool {
        self.failing.load(Ordering::SeqCst)
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// As [`Engine::arm`].
    pub(super) fn inject(&self, fault: Fault) -> Result<()> {
        let mut faults = lock(&self.faults);
        faults.arm(fault, CALLS, self.clock.now().world)?;
        let connected = |entry: &Entry| entry.connected.load(Ordering::SeqCst);
        let places = self.entries().iter().enumerate().filter(|(_, entry)| connected(entry));
        places.for_each(|(place, _)| faults.met(place));
        drop(faults);
        self.failing.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Ends all faults.
    pub(super) fn heal(&self) {
        lock(&self.faults).clear(self.clock.now().world);
        self.released.notify_all();
        self.tell_links();
    }

    /// Lets the faults happen that were to happen by now.
    pub(super) fn let_happen(&self) {
        lock(&self.faults).advance(self.clock.now().world);
    }

    /// Keeps a call waiting until a second of the world, for the simulator's timeout at most.
    ///
    /// # Errors
    /// `Timeout`.
    pub(super) fn hold(&self, index: usize, call: &str, until: f64, released: u64) -> Result<()> {
        let deadline = Deadline::after(self.options.timeout);
        let mut faults = lock(&self.faults);
        loop {
            let left = until - self.clock.now().world;
            if left <= 0.0 || faults.released(index) != released {
                return Ok(());
            }
            let (here, limit) = (duration(left / self.options.speed), deadline.remaining());
            if limit.is_zero() {
                return Err(Error::timeout(call, self.options.timeout));
            }
            // A clock of a test is moved by hand, and tells nobody.
            let wait = here.min(limit).clamp(Duration::from_millis(1), POLL);
            faults = self.released.wait_timeout(faults, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets a unit learn what happened to it by now.
    pub(super) fn learn<U: Unit>(&self, index: usize, unit: &mut U) {
        let mut unplugged = false;
        {
            let mut faults = lock(&self.faults);
            faults.advance(self.clock.now().world);
            faults.tell(index, |what, at| {
                let at = Now { seconds: at, ..self.clock.now() };
                unit.catch_up(at);
                unplugged |= *what == What::PowerCycle;
                unit.strike(what, at)
            });
        }
        if unplugged {
            self.set_connected(index, false);
        }
    }

    /// A device that others look through, as it is now.
    pub(super) fn unit<'a, U: Unit>(&self, kind: DeviceKind, unit: &'a Mutex<U>) -> (MutexGuard<'a, U>, Now) {
        let index = self.place_of(kind);
        let mut unit = lock(unit);
        if self.may_fail() {
            self.learn(index, &mut *unit);
        }
        let now = self.now(index);
        unit.catch_up(now);
        (unit, now)
    }

    /// An exposure was ended before its time.
    pub(super) fn given_up(&self, index: usize) {
        if self.may_fail() {
            lock(&self.faults).given_up(index, self.clock.now().world);
        }
    }

    /// An exposure was accepted.
    pub(super) fn exposed(&self, index: usize, number: u64) {
        if self.may_fail() {
            lock(&self.faults).exposed(index, number, self.clock.now().world);
        }
    }

    /// A device was disconnected and is connected anew.
    pub(super) fn reconnected(&self, index: usize) {
        if self.may_fail() {
            lock(&self.faults).reconnected(index, self.clock.now().world);
            self.released.notify_all();
        }
    }
}
