//! Which devices a server has: an INDI driver can be several, a camera with a filter wheel for example.

use super::{
    camera::{self, IndiCamera},
    chip,
    connecting::is_connected,
    connection::Connection,
    filter_wheel::{self, IndiFilterWheel},
    focuser::{self, IndiFocuser},
    handle::Handle,
    mount::{self, IndiMount},
    store::{Device, Store},
};
use crate::{
    Address, Result,
    device::{AnyDevice, DeviceId, DeviceInfo, DeviceKind, DeviceState},
    sync::lock,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// The bit of `DRIVER_INTERFACE` and the properties that make a kind.
fn signs(kind: DeviceKind) -> (u32, &'static [&'static str]) {
    match kind {
        DeviceKind::Mount => (1 << 0, mount::KEYS),
        DeviceKind::Camera => (1 << 1, camera::KEYS),
        DeviceKind::Focuser => (1 << 3, focuser::KEYS),
        DeviceKind::FilterWheel => (1 << 4, filter_wheel::KEYS),
    }
}

/// The kinds that a device is.
///
/// Before it is connected the driver's word has to do; then its properties decide, since drivers claim
/// more than the hardware has.
fn kinds(device: &Device) -> impl Iterator<Item = DeviceKind> + '_ {
    let claimed = device.text("DRIVER_INFO", "DRIVER_INTERFACE").and_then(|text| text.trim().parse::<u32>().ok());
    let connected = is_connected(device);
    let any_key = |kind: &DeviceKind| signs(*kind).1.iter().any(|key| device.has(key));
    let some_kind_shows = DeviceKind::ALL.iter().any(any_key);
    DeviceKind::ALL.into_iter().filter(move |kind| {
        let claims = claimed.is_some_and(|bits| bits & signs(*kind).0 != 0);
        // Right after connecting the properties are still on their way.
        any_key(kind) || (claims && !(connected && some_kind_shows))
    })
}

/// What a driver is, with whether it is connected.
fn ids<'a>(name: &'a str, device: &'a Device) -> impl Iterator<Item = (DeviceId, bool)> + 'a {
    let connected = is_connected(device) && !device.held;
    let guide_chip = chip::has_guide_chip(device).then(|| chip::guide_chip(name));
    let all = kinds(device).map(move |kind| DeviceId::new(kind, name)).chain(guide_chip);
    all.map(move |id| (id, connected))
}

/// The device objects, made once each.
#[derive(Debug)]
pub(super) struct Registry {
    connection: Arc<Connection>,
    server: Address,
    made: Mutex<BTreeMap<DeviceId, Arc<Made>>>,
}

/// A device in its own type: listeners see it differently from those who ask.
#[derive(Debug)]
pub(super) enum Made {
    Camera(Arc<IndiCamera>),
    FilterWheel(Arc<IndiFilterWheel>),
    Focuser(Arc<IndiFocuser>),
    Mount(Arc<IndiMount>),
}

impl Made {
    fn new(handle: Handle) -> Self {
        match handle.id.kind {
            DeviceKind::Camera => Made::Camera(Arc::new(IndiCamera::new(handle))),
            DeviceKind::FilterWheel => Made::FilterWheel(Arc::new(IndiFilterWheel::new(handle))),
            DeviceKind::Focuser => Made::Focuser(Arc::new(IndiFocuser::new(handle))),
            DeviceKind::Mount => Made::Mount(Arc::new(IndiMount::new(handle))),
        }
    }

    fn any(&self) -> AnyDevice {
        match self {
            Made::Camera(device) => AnyDevice::Camera(device.clone()),
            Made::FilterWheel(device) => AnyDevice::FilterWheel(device.clone()),
            Made::Focuser(device) => AnyDevice::Focuser(device.clone()),
            Made::Mount(device) => AnyDevice::Mount(device.clone()),
        }
    }

    /// True when somebody else has it.
    fn is_held(&self) -> bool {
        let holders = match self {
            Made::Camera(device) => Arc::strong_count(device),
            Made::FilterWheel(device) => Arc::strong_count(device),
            Made::Focuser(device) => Arc::strong_count(device),
            Made::Mount(device) => Arc::strong_count(device),
        };
        holders > 1
    }

    /// The state for listeners; no I/O.
    pub(super) fn look(&self) -> Result<DeviceState> {
        Ok(match self {
            Made::Camera(device) => DeviceState::Camera(device.look()?),
            Made::FilterWheel(device) => DeviceState::FilterWheel(device.look()?),
            Made::Focuser(device) => DeviceState::Focuser(device.look()?),
            Made::Mount(device) => DeviceState::Mount(device.look()?),
        })
    }

    /// What the device is; no I/O.
    pub(super) fn info(&self) -> DeviceInfo {
        self.any().device().info()
    }
}

impl Registry {
    pub(super) fn new(connection: Arc<Connection>, server: &Address) -> Self {
        Registry { connection, server: server.clone(), made: Mutex::default() }
    }

    /// The connection that the devices share.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The devices there are now, with whether they are connected.
    pub(super) fn present(&self) -> Vec<(DeviceId, bool)> {
        let store = self.connection.store();
        let mut all: Vec<_> = store.devices().flat_map(|(name, device)| ids(name, device)).collect();
        all.sort();
        all
    }

    /// What a driver is now, with whether it is connected.
    pub(super) fn present_as(&self, name: &str) -> Vec<(DeviceId, bool)> {
        let store = self.connection.store();
        store.device(name).into_iter().flat_map(|device| ids(name, device)).collect()
    }

    /// Forgets the objects of devices that are gone and that nobody holds.
    pub(super) fn tidy(&self) {
        let there = self.ids();
        let mut made = lock(&self.made);
        made.retain(|id, made| there.contains(id) || made.is_held());
    }

    /// The names and kinds there are now.
    pub(super) fn ids(&self) -> Vec<DeviceId> {
        self.present().into_iter().map(|(id, _)| id).collect()
    }

    /// True when the device is there.
    pub(super) fn has(&self, store: &Store, id: &DeviceId) -> bool {
        let name = chip::driver(id);
        store.device(name).is_some_and(|device| ids(name, device).any(|(there, _)| there == *id))
    }

    /// What there is now.
    pub(super) fn infos(&self) -> Vec<DeviceInfo> {
        self.ids().iter().map(|id| self.made(id).info()).collect()
    }

    /// A device, if it is there.
    pub(super) fn device(&self, id: &DeviceId) -> Option<AnyDevice> {
        let there = self.has(&self.connection.store(), id);
        there.then(|| self.made(id).any())
    }

    /// The one object for a device.
    pub(super) fn made(&self, id: &DeviceId) -> Arc<Made> {
        let mut made = lock(&self.made);
        let make = || {
            let keys = if id.kind == DeviceKind::Camera { chip::of(id).keys } else { signs(id.kind).1 };
            Arc::new(Made::new(Handle::new(self.connection.clone(), id.clone(), &self.server, keys)))
        };
        made.entry(id.clone()).or_insert_with(make).clone()
    }
}
