//! News for listeners: what came from the server, told in the words of the contract.

use super::{chip, connection::Listener, kinds::Registry, store::Change};
use crate::{
    Timestamp,
    backend::keeping::LinkState,
    device::{DeviceId, DeviceKind, DeviceState},
    event::{Event, EventKind, Events, Hub, Link},
    sync::lock,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// Publishes events; keeps what listeners were told last only while there are any.
#[derive(Debug)]
pub(super) struct Announcer {
    registry: Arc<Registry>,
    hub: Arc<Hub>,
    told: Mutex<BTreeMap<DeviceId, Told>>,
    link: LinkState,
}

/// What listeners know about a device.
#[derive(Debug, Default)]
struct Told {
    connected: bool,
    state: Option<DeviceState>,
}

impl Announcer {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        let hub = Arc::new(Hub::default());
        Announcer { registry, told: Mutex::default(), link: LinkState::new(hub.clone(), None), hub }
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
        self.link.get()
    }

    fn look(&self, id: &DeviceId, connected: bool) -> Told {
        Told { connected, state: self.registry.made(id).look().ok().filter(|_| connected) }
    }

    fn publish(&self, device: Option<DeviceId>, kind: EventKind) {
        self.hub.publish(&Event { at: Timestamp::now(), device, kind });
    }

    /// Compares what these drivers are with what was told of them.
    fn compare(&self, names: &BTreeSet<String>) {
        let mut told = lock(&self.told);
        for name in names {
            let present = self.registry.present_as(name);
            let kinds = DeviceKind::ALL.map(|kind| DeviceId::new(kind, name));
            for id in kinds.into_iter().chain([chip::guide_chip(name)]) {
                if present.iter().all(|(there, _)| *there != id) && told.remove(&id).is_some() {
                    self.publish(Some(id), EventKind::Removed);
                }
            }
            for (id, connected) in present {
                let now = self.look(&id, connected);
                self.tell(told.get(&id), &id, &now);
                told.insert(id, now);
            }
        }
    }

    /// Publishes how a device differs from what was told.
    fn tell(&self, before: Option<&Told>, id: &DeviceId, now: &Told) {
        if before.is_none() {
            self.publish(Some(id.clone()), EventKind::Added(self.registry.made(id).info()));
        }
        if before.is_some_and(|before| before.connected) != now.connected {
            self.publish(Some(id.clone()), EventKind::Connected(now.connected));
        }
        if let Some(state) = now.state.as_ref().filter(|_| before.is_none_or(|before| before.state != now.state)) {
            self.publish(Some(id.clone()), EventKind::State(state.clone()));
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
                Change::Restored(id, restored, failed) => {
                    self.publish(Some(id), EventKind::Restored { restored, failed });
                }
                Change::Said(device, level, text) => {
                    let ids = device.as_ref().map(|name| self.registry.present_as(name)).unwrap_or_default();
                    let id = ids.into_iter().next().map(|(id, _)| id);
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
        if link == Link::Up {
            self.registry.tidy();
            let known = lock(&self.told).keys().map(|id| chip::driver(id).to_owned()).collect::<Vec<_>>();
            let names = self.registry.ids().into_iter().map(|id| chip::driver(&id).to_owned()).chain(known).collect();
            self.compare(&names);
        }
        self.link.set(link);
    }

    fn judged(&self, camera: &DeviceId, news: EventKind) {
        self.publish(Some(camera.clone()), news);
    }
}
