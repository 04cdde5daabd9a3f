//! News for listeners: what came from the server, told in the words of the contract.

use super::{connection::Listener, kinds::Registry, store::Change};
use crate::{
    Timestamp,
    device::{DeviceId, DeviceState},
    event::{Event, EventKind, Events, Hub, Link},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Publishes events; keeps what listeners were told last only while there are any.
#[derive(Debug)]
pub(super) struct Announcer {
    registry: Arc<Registry>,
    hub: Hub,
    told: Mutex<BTreeMap<DeviceId, Told>>,
    link: Mutex<Link>,
}

/// What listeners know about a device.
#[derive(Debug, Default)]
struct Told {
    connected: bool,
    state: Option<DeviceState>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Announcer {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Announcer { registry, hub: Hub::default(), told: Mutex::default(), link: Mutex::new(Link::Up) }
    }

    /// A new listener, who is told of everything that changes from now on.
    pub(super) fn subscribe(&self) -> Events {
        let mut told = lock(&self.told);
        if !self.hub.has_listeners() {
            let present = self.registry.present();
            *told = present.into_iter().map(|(id, connected)| (id.clone(), self.look(&id, connected))).collect();
        }
        self.registry.connection().store().watched = true;
        self.hub.subscribe()
    }

    /// The state of the connection.
    pub(super) fn link(&self) -> Link {
        lock(&self.link).clone()
    }

    fn look(&self, id: &DeviceId, connected: bool) -> Told {
        Told { connected, state: self.registry.made(id).look().ok().filter(|_| connected) }
    }

    fn publish(&self, device: Option<DeviceId>, kind: EventKind) {
        self.hub.publish(&Event { at: Timestamp::now(), device, kind });
    }

    /// Compares what there is with what was told.
    fn compare(&self, touched: &BTreeSet<String>) {
        let mut told = lock(&self.told);
        let present: BTreeMap<DeviceId, bool> = self.registry.present().into_iter().collect();
        let gone: Vec<DeviceId> = told.keys().filter(|id| !present.contains_key(id)).cloned().collect();
        for id in gone {
            told.remove(&id);
            self.publish(Some(id), EventKind::Removed);
        }
        for (id, connected) in present.into_iter().filter(|(id, _)| touched.contains(&id.name)) {
            let now = self.look(&id, connected);
            let before = told.insert(id.clone(), Told { connected, state: now.state.clone() });
            if before.is_none() {
                self.publish(Some(id.clone()), EventKind::Added(self.registry.made(&id).info()));
            }
            let before = before.unwrap_or_default();
            if before.connected != connected {
                self.publish(Some(id.clone()), EventKind::Connected(connected));
            }
            if let Some(state) = now.state.filter(|state| before.state.as_ref() != Some(state)) {
                self.publish(Some(id), EventKind::State(state));
            }
        }
    }
}

impl Listener for Announcer {
    fn changed(&self, changes: Vec<Change>) {
        if !self.hub.has_listeners() {
            self.registry.connection().store().watched = false;
            return;
        }
        let mut touched = BTreeSet::new();
        for change in changes {
            match change {
                Change::Device(name) => {
                    touched.insert(name);
                }
                Change::Said(device, level, text) => {
                    let ids = self.registry.ids();
                    let id = device.as_ref().and_then(|name| ids.into_iter().find(|id| id.name == *name));
                    // What a device of no known kind says is still worth reading.
                    let text = match (&id, &device) {
                        (None, Some(name)) => format!("{name}: {text}"),
                        _ => text,
                    };
                    self.publish(id, EventKind::Message(level, text));
                }
            }
        }
        // While everything is told again, devices seem to come and go.
        if self.link() == Link::Up {
            self.compare(&touched);
        }
    }

    fn link(&self, link: Link) {
        *lock(&self.link) = link.clone();
        if link == Link::Up {
            self.registry.tidy();
            let names = self.registry.ids().into_iter().map(|id| id.name).collect();
            self.compare(&names);
        }
        self.publish(None, EventKind::Link(link));
    }
}
