//! What listeners are told: each change once, in order, whether an order made it or time did.

use super::world::World;
use crate::{
    Equinox, Error, RaDec,
    device::{DeviceState, MountState},
    event::{Event, EventKind, Events, Link},
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
                if world.may_fail() {
                    world.let_happen();
                    world.tell_links();
                }
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
    pub(super) fn set_connected(&self, index: usize, connected: bool) {
        if self.entry(index).connected.swap(connected, Ordering::SeqCst) != connected {
            if connected {
                self.reconnected(index);
            }
            self.publish(index, EventKind::Connected(connected));
        }
    }

    /// The link to the whole observatory.
    pub(super) fn link(&self) -> Link {
        if !self.may_fail() {
            return Link::Up;
        }
        self.let_happen();
        self.link_of(lock(&self.faults).lost(None))
    }

    fn link_of(&self, lost: Option<(f64, Error)>) -> Link {
        lost.map_or(Link::Up, |(since, why)| Link::Lost { since: self.clock.utc(since), why })
    }

    /// Tells the listeners which links broke or came back.
    pub(super) fn tell_links(&self) {
        let mut told = lock(&self.told_lost);
        let lost: Vec<_> = {
            let faults = lock(&self.faults);
            let whole = faults.lost(None);
            // What broke with the whole is not told of each.
            let single = |place| faults.lost(Some(place)).filter(|_| whole.is_none());
            (0..self.entries().len()).map(single).chain([whole.clone()]).collect()
        };
        for (place, lost) in lost.into_iter().enumerate() {
            if std::mem::replace(&mut told[place], lost.is_some()) == lost.is_some() {
                continue;
            }
            let device = self.entries().get(place).map(|entry| entry.info.id.clone());
            let kind = EventKind::Link(self.link_of(lost));
            self.poller.hub().publish(&Event { at: self.clock.now().utc, device, kind });
        }
    }

    pub(super) fn publish(&self, index: usize, kind: EventKind) {
        let device = Some(self.entry(index).info.id.clone());
        self.poller.hub().publish(&Event { at: self.clock.now().utc, device, kind });
    }

    /// Compares a device's state with what was last told, and tells the difference.
    fn tell(self: &Arc<World>, index: usize, publish: bool) {
        let mut told = lock(&self.told);
        let state = self.silent_device(index).state().ok();
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
