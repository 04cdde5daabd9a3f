//! What listeners are told: each change once, in order, whether an order made it or time did.

use super::world::World;
use crate::{
    Equinox, RaDec,
    device::{DeviceState, MountState},
    event::{Event, EventKind, Events},
    sync::lock,
};
use std::sync::{Arc, atomic::Ordering};

/// A mount that follows the stars stands still for listeners, degrees.
const STILL: f64 = 0.5 / 3600.0;

impl World {
    /// News from all devices from now on; clocks and the turning sky are none.
    pub(super) fn events(self: &Arc<World>) -> Events {
        let world = Arc::downgrade(self);
        self.poller.subscribe(|| {
            let mut first = true;
            move || {
                let world = world.upgrade()?;
                for index in 0..world.entries().len() {
                    world.tell(index, !first);
                }
                first = false;
                // Published by `tell`, under its lock, so that nothing old follows something new.
                Some(Vec::new())
            }
        })
    }

    /// Tells the listeners at once what an order has changed.
    pub(super) fn announce(self: &Arc<World>, index: usize) {
        if self.poller.hub().has_listeners() {
            self.tell(index, true);
        }
    }

    /// Connects or disconnects a device.
    pub(super) fn set_connected(self: &Arc<World>, index: usize, connected: bool) {
        if self.entry(index).connected.swap(connected, Ordering::SeqCst) != connected {
            self.publish(index, EventKind::Connected(connected));
        }
    }

    pub(super) fn publish(&self, index: usize, kind: EventKind) {
        let device = Some(self.entry(index).info.id.clone());
        self.poller.hub().publish(&Event { at: self.clock.now().utc, device, kind });
    }

    /// Compares a device's state with what was last told, and tells the difference.
    fn tell(self: &Arc<World>, index: usize, publish: bool) {
        let mut told = lock(&self.told);
        let state = self.device(index).state().ok();
        let Some(before) = told.get_mut(index) else { return };
        let same = match (&before, &state) {
            (Some(before), Some(state)) => alike(before, state),
            (before, state) => before.is_none() && state.is_none(),
        };
        if same {
            return;
        }
        before.clone_from(&state);
        if let Some(state) = state.filter(|_| publish) {
            self.publish(index, EventKind::State(state));
        }
    }
}

/// True when nobody would call it news.
fn alike(before: &DeviceState, now: &DeviceState) -> bool {
    match (before, now) {
        (DeviceState::Mount(before), DeviceState::Mount(now)) => {
            let moved = before.position.separation(now.position).0 > STILL;
            !moved && without_clocks(*before) == without_clocks(*now)
        }
        (before, now) => before == now,
    }
}

fn without_clocks(state: MountState) -> MountState {
    let nowhere = RaDec::new(crate::Hours(0.0), crate::Degrees(0.0), Equinox::Other);
    MountState { position: nowhere, horizon: None, sidereal_time: None, utc: None, ..state }
}
