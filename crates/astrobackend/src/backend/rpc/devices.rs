//! The devices of a server, and the news of them.

use super::{
    camera::RpcCamera,
    connection::{Connection, Listener, is_extended},
    filter_wheel::RpcFilterWheel,
    focuser::RpcFocuser,
    handle::Handle,
    mount::RpcMount,
    original,
};
use crate::{
    Address, Error, Result, Supervision, Timestamp,
    backend::keeping::Claim,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    event::{Event, EventKind, Events, Link, Poller},
    sync::{Turn, lock},
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// The devices of a server.
#[derive(Debug)]
pub(super) struct Devices {
    connection: Arc<Connection>,
    /// Of the server, without a device.
    address: Address,
    made: Mutex<BTreeMap<DeviceId, Made>>,
    poller: Poller,
    /// Our server tells us what happens.
    subscribed: AtomicBool,
    /// Held while it is told to.
    subscribing: Turn,
}

#[derive(Clone, Debug)]
struct Made {
    device: AnyDevice,
    claim: Arc<Claim>,
}

impl Devices {
    /// Those behind a connection; news go to the poller.
    pub(super) fn new(connection: Arc<Connection>, address: Address, poller: Poller) -> Arc<Self> {
        Arc::new(Devices {
            connection,
            address,
            made: Mutex::default(),
            poller,
            subscribed: AtomicBool::default(),
            subscribing: Turn::default(),
        })
    }

    /// Calls any method.
    pub(super) fn call(&self, method: &str, params: Option<&Value>) -> Result<Value> {
        self.connection.call(method, params)
    }

    fn is_extended(&self) -> bool {
        is_extended(&self.connection.greeting())
    }

    /// What there is.
    pub(super) fn list(&self) -> Result<Vec<DeviceInfo>> {
        if let Some(why) = self.connection.lost() {
            return Err(why);
        }
        if !self.is_extended() {
            let greeting = self.connection.greeting();
            return Ok(DeviceKind::ALL.map(|kind| original::info(kind, &greeting, &self.address)).into());
        }
        let answer = self.connection.call("get_devices", None)?;
        let garbled = |error| Error::protocol(format!("get_devices answers no list of devices: {error}"));
        let infos = Vec::<DeviceInfo>::deserialize(&answer["devices"]).map_err(garbled)?;
        Ok(infos.into_iter().map(|info| self.here(info)).collect())
    }

    /// A device of the server as it is reached from here.
    fn here(&self, info: DeviceInfo) -> DeviceInfo {
        DeviceInfo { address: self.address.clone().with_path(info.id.name.clone()), ..info }
    }

    /// A device that is in use already.
    pub(super) fn made(&self, id: &DeviceId) -> Option<AnyDevice> {
        lock(&self.made).get(id).map(|made| made.device.clone())
    }

    /// A device to be used.
    pub(super) fn make(&self, info: DeviceInfo) -> AnyDevice {
        let mut made = lock(&self.made);
        if let Some(made) = made.get(&info.id) {
            return made.device.clone();
        }
        let (id, connection) = (info.id.clone(), self.connection.clone());
        let new = if self.is_extended() {
            let handle = Arc::new(Handle::new(connection, info));
            let claim = handle.claim.clone();
            let device = match id.kind {
                DeviceKind::Camera => {
                    AnyDevice::Camera(Arc::new(RpcCamera::new(handle.clone(), self.poller.hub().clone())))
                }
                DeviceKind::FilterWheel => AnyDevice::FilterWheel(Arc::new(RpcFilterWheel::new(handle.clone()))),
                DeviceKind::Focuser => AnyDevice::Focuser(Arc::new(RpcFocuser::new(handle.clone()))),
                DeviceKind::Mount => AnyDevice::Mount(Arc::new(RpcMount::new(handle.clone()))),
            };
            Made { device, claim }
        } else {
            let claim = connection.claim(id.clone());
            let hub = self.poller.hub().clone();
            Made { device: original::device(connection, hub, info, claim.clone()), claim }
        };
        self.connection.enlist(&new.device, &new.claim);
        made.insert(id, new.clone());
        new.device
    }

    pub(super) fn link(&self) -> Link {
        self.connection.link().get()
    }

    /// News from now on: told by our server, or looked for at the original.
    pub(super) fn events(self: &Arc<Self>) -> Events {
        if !self.is_extended() {
            let devices = Arc::downgrade(self);
            return self.poller.subscribe(|| {
                let mut told = BTreeMap::new();
                move || Some(devices.upgrade()?.look(&mut told))
            });
        }
        let events = self.poller.hub().subscribe();
        self.subscribe();
        events
    }

    /// Makes our server tell us; a failure shows as a lost connection, after which this is done again.
    fn subscribe(&self) {
        let Ok(_one_at_a_time) = self.subscribing.after_others("subscribing") else { return };
        // Before the answer: a loss meanwhile takes it back.
        if !self.subscribed.swap(true, Ordering::SeqCst) && self.connection.call("subscribe", None).is_err() {
            self.subscribed.store(false, Ordering::SeqCst);
        }
    }

    /// What has changed at the original server since the last look.
    fn look(&self, told: &mut BTreeMap<DeviceId, crate::device::DeviceState>) -> Vec<Event> {
        let devices: Vec<_> = lock(&self.made).values().map(|made| made.device.clone()).collect();
        let mut news = Vec::new();
        for device in devices {
            let id = device.device().info().id;
            let Ok(state) = device.state() else { continue };
            if told.get(&id) != Some(&state) {
                told.insert(id.clone(), state.clone());
                news.push(Event { at: Timestamp::now(), device: Some(id), kind: EventKind::State(state) });
            }
        }
        news
    }

    pub(super) fn supervision(&self) -> Supervision {
        self.connection.policy().keeping.policy
    }

    /// Whether listeners are to hear of it: not of what the keeper does, which tells by itself, nor twice.
    fn is_news(&self, event: &Event) -> bool {
        let (Some(id), EventKind::Connected(connected)) = (&event.device, &event.kind) else { return true };
        let Some(claim) = lock(&self.made).get(id).map(|made| made.claim.clone()) else { return true };
        if claim.is_waiting() {
            return false;
        }
        let changed = claim.note_connected(*connected);
        if !connected {
            claim.doubt();
        }
        changed || !connected
    }
}

impl Listener for Devices {
    fn event(&self, name: &str, event: Value) {
        if name != "News" {
            return;
        }
        // Without listeners the server goes on telling: it costs little, and the next one needs no new subscription.
        let Ok(mut event) = Event::deserialize(event) else { return };
        if !self.is_news(&event) {
            return;
        }
        if let EventKind::Added(info) = event.kind {
            event.kind = EventKind::Added(self.here(info));
        }
        self.poller.hub().publish(&event);
    }

    fn lost(&self) {
        self.subscribed.store(false, Ordering::SeqCst);
    }

    fn reopened(&self) {
        if self.is_extended() && self.poller.hub().has_listeners() {
            self.subscribe();
        }
    }
}
