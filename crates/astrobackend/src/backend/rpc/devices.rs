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
    Address, Error, Result, Timestamp,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind},
    event::{Event, EventKind, Events, Level, Link, Poller},
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
    link: Mutex<Link>,
    poller: Poller,
    /// Our server tells us what happens.
    subscribed: AtomicBool,
    /// Held while it is told to.
    subscribing: Turn,
    /// The run of the server that the devices were connected in.
    instance: Mutex<String>,
}

#[derive(Clone, Debug)]
struct Made {
    device: AnyDevice,
    /// Of a device of our server.
    handle: Option<Arc<Handle>>,
}

impl Devices {
    pub(super) fn new(connection: Arc<Connection>, address: Address) -> Arc<Self> {
        let (poll, instance) = (connection.policy().poll, connection.greeting().instance);
        Arc::new(Devices {
            connection,
            address,
            made: Mutex::default(),
            link: Mutex::new(Link::Up),
            poller: Poller::new(poll),
            subscribed: AtomicBool::default(),
            subscribing: Turn::default(),
            instance: Mutex::new(instance),
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
            let device = match id.kind {
                DeviceKind::Camera => {
                    AnyDevice::Camera(Arc::new(RpcCamera::new(handle.clone(), self.poller.hub().clone())))
                }
                DeviceKind::FilterWheel => AnyDevice::FilterWheel(Arc::new(RpcFilterWheel::new(handle.clone()))),
                DeviceKind::Focuser => AnyDevice::Focuser(Arc::new(RpcFocuser::new(handle.clone()))),
                DeviceKind::Mount => AnyDevice::Mount(Arc::new(RpcMount::new(handle.clone()))),
            };
            Made { device, handle: Some(handle) }
        } else {
            Made { device: original::device(connection, self.poller.hub().clone(), info), handle: None }
        };
        made.insert(id, new.clone());
        new.device
    }

    pub(super) fn link(&self) -> Link {
        lock(&self.link).clone()
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

    fn publish(&self, device: Option<DeviceId>, kind: EventKind) {
        self.poller.hub().publish(&Event { at: Timestamp::now(), device, kind });
    }

    fn set_link(&self, link: Link) {
        *lock(&self.link) = link.clone();
        self.publish(None, EventKind::Link(link));
    }

    /// A server that was started anew has forgotten what was done here.
    fn bring_back(&self) {
        let instance = self.connection.greeting().instance;
        if std::mem::replace(&mut *lock(&self.instance), instance.clone()) == instance {
            return;
        }
        let handles: Vec<_> = lock(&self.made).values().filter_map(|made| made.handle.clone()).collect();
        for handle in handles {
            for error in handle.bring_back() {
                let text = format!("could not be put back to where it was: {}", error.message());
                self.publish(Some(handle.id.clone()), EventKind::Message(Level::Error, text));
            }
        }
    }
}

impl Listener for Devices {
    fn event(&self, name: &str, event: Value) {
        if name != "News" {
            return;
        }
        if !self.poller.hub().has_listeners() {
            // The server goes on telling: it costs little, and the next listener needs no new subscription.
            return;
        }
        let Ok(mut event) = Event::deserialize(event) else { return };
        if let EventKind::Added(info) = event.kind {
            event.kind = EventKind::Added(self.here(info));
        }
        self.poller.hub().publish(&event);
    }

    fn link(&self, link: Link) {
        self.subscribed.store(false, Ordering::SeqCst);
        self.set_link(link);
    }

    fn restore(&self) {
        if self.is_extended() {
            if self.poller.hub().has_listeners() {
                self.subscribe();
            }
            self.bring_back();
        }
        // Lost again meanwhile: that was told, and this comes too late.
        if self.connection.lost().is_none() {
            self.set_link(Link::Up);
        }
    }
}
